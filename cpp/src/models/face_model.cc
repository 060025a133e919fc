#include "models/face_model.hpp"

#include <algorithm>

#include "geometry/check.hpp"

namespace dmask {

FaceModel FaceModel::load(const std::string& path) {
  FaceModel m;
  m.file_ = Container::read(path);
  const std::int64_t n = m.file_.get("mean", DType::f32, {-1, 3}).shape[0];
  check(n <= 1000000, path + ": a face of " + std::to_string(n) + " vertices, expected a million at most");
  const Array& identity = m.file_.get("identity_q", DType::i16, {-1, n, 3});
  const Array& units = m.file_.get("unit_q", DType::i16, {-1, n, 3});
  const Array& interaction = m.file_.get("interaction_q", DType::i16, {-1, n, 3});
  const std::int64_t k = identity.shape[0], u = units.shape[0], p = interaction.shape[0];
  check(u <= max_units,
        path + " has " + std::to_string(u) + " motion units, expected at most " + std::to_string(max_units));
  m.vertices_ = static_cast<int>(n);
  m.identities_ = static_cast<int>(k);
  m.interactions_ = static_cast<int>(p);
  m.mean_ = m.file_.numbers("mean", {n, 3});
  m.identity_q_ = identity.as<std::int16_t>();
  m.unit_q_ = units.as<std::int16_t>();
  m.interaction_q_ = interaction.as<std::int16_t>();
  m.identity_step_ = m.file_.numbers("identity_step", {k});
  m.unit_step_ = m.file_.numbers("unit_step", {u});
  m.interaction_step_ = m.file_.numbers("interaction_step", {p});
  m.interaction_coef_ = m.file_.numbers("interaction_coef", {k, u, p});
  m.unit_names_ = m.file_.strings("unit_names");
  check(static_cast<std::int64_t>(m.unit_names_.size()) == u,
        path + ": " + std::to_string(m.unit_names_.size()) + " unit names for " + std::to_string(u) + " units");

  const auto vertex = [&](std::int32_t v) {
    check(v >= 0 && v < n, path + ": vertex index " + std::to_string(v) + " outside 0.." + std::to_string(n - 1));
    return static_cast<int>(v);
  };
  const std::int32_t* landmarks = m.file_.get("landmarks68", DType::i32, {68}).as<std::int32_t>();
  for (int i = 0; i < 68; ++i) m.landmarks_[i] = vertex(landmarks[i]);
  const Array& contour = m.file_.get("contour_rows", DType::i32, {17, -1});
  m.contour_rows_.resize(17, contour.shape[1]);
  for (int i = 0; i < 17; ++i)
    for (int j = 0; j < contour.shape[1]; ++j)
      m.contour_rows_(i, j) = vertex(contour.as<std::int32_t>()[i * contour.shape[1] + j]);
  const Array& triangles = m.file_.get("triangles", DType::i32, {-1, 3});
  m.triangles_ = Eigen::Map<const Triangles>(triangles.as<std::int32_t>(), triangles.shape[0], 3);
  for (std::int64_t i = 0; i < m.triangles_.size(); ++i) vertex(m.triangles_.data()[i]);
  m.albedo_ = Eigen::Map<const Points3f>(m.file_.numbers("albedo", {n, 3}), n, 3);
  return m;
}

int FaceModel::unit(const std::string& name) const {
  const auto it = std::find(unit_names_.begin(), unit_names_.end(), name);
  check(it != unit_names_.end(), "the face model has no motion unit " + name);
  return static_cast<int>(it - unit_names_.begin());
}

FaceRows FaceModel::rows(const std::vector<int>& vertices) const {
  FaceRows out;
  const int r = static_cast<int>(vertices.size());
  out.mean.resize(3 * r);
  for (int i = 0; i < r; ++i)
    for (int c = 0; c < 3; ++c) out.mean[3 * i + c] = mean_[3 * vertices[i] + c];
  const auto gather = [&](const std::int16_t* q, const float* step, int modes) {
    Eigen::MatrixXf block(3 * r, modes);
    for (int k = 0; k < modes; ++k) {
      const std::int16_t* mode = q + static_cast<std::size_t>(k) * vertices_ * 3;
      for (int i = 0; i < r; ++i)
        for (int c = 0; c < 3; ++c) block(3 * i + c, k) = step[k] * mode[3 * vertices[i] + c];
    }
    return block;
  };
  out.identity = gather(identity_q_, identity_step_, identities_);
  out.units = gather(unit_q_, unit_step_, units());
  out.interaction = gather(interaction_q_, interaction_step_, interactions_);
  return out;
}

Eigen::MatrixXf FaceModel::interaction_weights(const VecXf& w_fs) const {
  const int block = units() * interactions_;
  const int k = static_cast<int>(w_fs.size());
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const RowMajor> coef(interaction_coef_, identities_, block);
  const VecXf flat = coef.topRows(k).transpose() * w_fs;
  return Eigen::Map<const Eigen::MatrixXf>(flat.data(), interactions_, units());
}

Eigen::MatrixXf FaceModel::interaction_slopes(const VecXf& w_fm, int identities) const {
  Eigen::MatrixXf slopes(interactions_, identities);
  for (int k = 0; k < identities; ++k) {
    const Eigen::Map<const Eigen::MatrixXf> coef(
        interaction_coef_ + static_cast<std::size_t>(k) * units() * interactions_, interactions_, units());
    slopes.col(k).noalias() = coef * w_fm;
  }
  return slopes;
}

SubjectFace FaceModel::contract(const FaceRows& rows, const VecXf& w_fs) const {
  const int k = static_cast<int>(w_fs.size());
  check(k <= identities_,
        "got " + std::to_string(k) + " identity weights, the face model has " + std::to_string(identities_));
  SubjectFace face;
  face.neutral = rows.mean + rows.identity.leftCols(k) * w_fs;
  face.units = rows.units + rows.interaction * interaction_weights(w_fs);
  return face;
}

SubjectFace FaceModel::contract(const VecXf& w_fs) const {
  const int k = static_cast<int>(w_fs.size());
  check(k <= identities_,
        "got " + std::to_string(k) + " identity weights, the face model has " + std::to_string(identities_));
  const int n3 = vertices_ * 3;
  const bool mean_person = w_fs.isZero(0);
  SubjectFace face;
  face.neutral = Eigen::Map<const VecXf>(mean_, n3);
  const auto mode = [&](const std::int16_t* q, int i) {
    return Eigen::Map<const Eigen::Matrix<std::int16_t, Eigen::Dynamic, 1>>(q + static_cast<std::size_t>(i) * n3, n3)
        .cast<float>();
  };
  face.units.resize(n3, units());
  for (int u = 0; u < units(); ++u) face.units.col(u) = unit_step_[u] * mode(unit_q_, u);
  if (mean_person) return face;

  for (int i = 0; i < k; ++i) face.neutral += (w_fs[i] * identity_step_[i]) * mode(identity_q_, i);
  // Blocks of vertices, so that the dequantised interaction modes stay in the cache.
  const Eigen::MatrixXf weights = interaction_weights(w_fs);
  constexpr int block = 2048;
  Eigen::MatrixXf modes(block, interactions_);
  for (int at = 0; at < n3; at += block) {
    const int rows = std::min(block, n3 - at);
    for (int p = 0; p < interactions_; ++p) {
      const std::int16_t* q = interaction_q_ + static_cast<std::size_t>(p) * n3 + at;
      for (int i = 0; i < rows; ++i) modes(i, p) = interaction_step_[p] * q[i];
    }
    face.units.middleRows(at, rows).noalias() += modes.topRows(rows) * weights;
  }
  return face;
}

}  // namespace dmask
