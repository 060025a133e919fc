#include "fit/eyelid_problem.hpp"

#include <algorithm>
#include <cmath>

#include "fit/levenberg.hpp"
#include "geometry/rotation.hpp"

namespace dmask {
namespace {

using Mat23 = Eigen::Matrix<double, 2, 3>;
constexpr int margin = EyelidRows::margin_samples;

// Catmull-Rom weights of `samples` points along a chain of n vertices, reflected at the ends.
MatX spline_operator(int n, int samples) {
  MatX op = MatX::Zero(samples, n);
  for (int r = 0; r < samples; ++r) {
    const double x = (n - 1) * r / static_cast<double>(samples - 1);
    const int i = std::min(static_cast<int>(x), n - 2);
    const double a = x - i;
    const double weights[4] = {-0.5 * a + a * a - 0.5 * a * a * a, 1 - 2.5 * a * a + 1.5 * a * a * a,
                               0.5 * a + 2 * a * a - 1.5 * a * a * a, -0.5 * a * a + 0.5 * a * a * a};
    for (int k = 0; k < 4; ++k) {
      const int at = i - 1 + k;
      if (at < 0) {
        op(r, 0) += 2 * weights[k];
        op(r, 1) -= weights[k];
      } else if (at >= n) {
        op(r, n - 1) += 2 * weights[k];
        op(r, n - 2) -= weights[k];
      } else {
        op(r, at) += weights[k];
      }
    }
  }
  return op;
}

// The weight of one dense point.
double dense_weight(double interocular_px, const FitOptions& options) {
  return std::sqrt(dense_information / dense_points) / (0.01 * options.lid_sigma_pct * interocular_px);
}

}  // namespace

EyelidRows EyelidRows::from(const EyelidModel& model) {
  EyelidRows rows;
  rows.crease = static_cast<int>(model.crease.size());
  rows.bulge = static_cast<int>(model.bulge.size());
  const int total = rows.rows();
  MatX select = MatX::Zero(total, model.vertices());
  int at = 0;
  for (const auto* chain : {&model.upper_margin, &model.lower_margin}) {
    const MatX op = spline_operator(static_cast<int>(chain->size()), margin);
    for (std::size_t c = 0; c < chain->size(); ++c) select.block(at, (*chain)[c], margin, 1) += op.col(c);
    at += margin;
  }
  for (const auto* chain : {&model.crease, &model.bulge})
    for (int v : *chain) select(at++, v) = 1;
  const auto apply = [&](const Eigen::MatrixXf& basis) {
    MatX out(3 * total, basis.cols());
    for (Eigen::Index k = 0; k < basis.cols(); ++k) {
      const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, 3, Eigen::RowMajor>> points(basis.col(k).data(),
                                                                                              model.vertices(), 3);
      const Eigen::Matrix<double, Eigen::Dynamic, 3, Eigen::RowMajor> sampled = select * points.cast<double>();
      out.col(k) = Eigen::Map<const VecX>(sampled.data(), 3 * total);
    }
    return out;
  };
  rows.patch = apply(model.patch);
  rows.shape = apply(model.shape);
  rows.motion = apply(model.motion);
  return rows;
}

void FrozenEyelid::place(const LidWeights& w_em, VecX& head) const {
  head.noalias() = motion * w_em;
  head = patch + head;
}

EyelidProblem::EyelidProblem(const EyelidRows& rows, const Vec3& centre, const FrozenEyelid* frozen,
                             const Camera& camera, const FitOptions& options,
                             const std::vector<EyelidObservation>& frames, EyelidWorkspace* workspace)
    : rows_(rows),
      centre_(centre),
      camera_(camera),
      options_(options),
      frames_(frames),
      frozen_(frozen),
      w_(workspace ? *workspace : own_) {
  w_.dense.resize(frames.size());
  w_.on_line.resize(frames.size());
  for (auto& line : w_.on_line) line.resize(line_rows());
}

EyelidProblem::EyelidProblem(const EyelidRows& rows, const Vec3& centre, const Camera& camera,
                             const FitOptions& options, const std::vector<EyelidObservation>& frames)
    : EyelidProblem(rows, centre, nullptr, camera, options, frames, nullptr) {}

EyelidProblem::EyelidProblem(const EyelidRows& rows, const FrozenEyelid& frozen, const Camera& camera,
                             const FitOptions& options, const std::vector<EyelidObservation>& frames,
                             EyelidWorkspace* workspace)
    : EyelidProblem(rows, Vec3::Zero(), &frozen, camera, options, frames, workspace) {}

FrozenEyelid EyelidProblem::freeze(const State& state) const {
  const Mat3 roll = exp_so3({0, 0, state.roll});
  FrozenEyelid frozen{rows_.patch + rows_.shape * state.shape, rows_.motion};
  for (int i = 0; i < rows_.rows(); ++i) {
    frozen.patch.segment<3>(3 * i) = roll * frozen.patch.segment<3>(3 * i) + centre_ + state.offset;
    frozen.motion.middleRows<3>(3 * i) = roll * rows_.motion.middleRows<3>(3 * i);
  }
  return frozen;
}

void EyelidProblem::place(const State& state, int f, VecX& head) const {
  if (frozen_) {
    head = frozen_->patch;
    head.noalias() += frozen_->motion * state.motion[f];
    return;
  }
  const Mat3 roll = exp_so3({0, 0, state.roll});
  head = rows_.patch + rows_.shape * state.shape + rows_.motion * state.motion[f];  // Eq. (5)
  for (int i = 0; i < rows_.rows(); ++i)
    head.segment<3>(3 * i) = roll * head.segment<3>(3 * i) + centre_ + state.offset;
}

void EyelidProblem::match(const State& state) {
  VecX& head = w_.head;
  std::vector<Vec2>& px = w_.px;
  px.resize(rows_.rows());
  for (std::size_t f = 0; f < frames_.size(); ++f) {
    const EyelidObservation& o = frames_[f];
    place(state, static_cast<int>(f), head);
    for (int i = 0; i < rows_.rows(); ++i) px[i] = camera_.project(o.rotation * head.segment<3>(3 * i) + o.translation);

    // The same share of the way between the canthi, on the model's lids and on the detected ones: Eq. (9).
    for (int lid = 0; lid < 2; ++lid) {
      const Vec2* q = px.data() + lid * margin;
      const Vec2 across = q[margin - 1] - q[0];
      const double l2 = std::max(across.squaredNorm(), 1e-9);
      int row = 0;
      double x0 = 0, x1 = (q[1] - q[0]).dot(across) / l2;
      for (int k = 0; k < dense_per_lid; ++k) {
        const double s = outer_canthus_share * dense_abscissa(k);
        while (row < margin - 2 && x1 < s) {
          ++row;
          x0 = std::max(x0, x1);
          x1 = (q[row + 1] - q[0]).dot(across) / l2;
        }
        const double fraction = x1 > x0 + 1e-9 ? std::clamp((s - x0) / (x1 - x0), 0.0, 1.0) : 0.0;
        w_.dense[f][lid * dense_per_lid + k] = {lid * margin + row, fraction};
      }
    }

    // Closest points of the crease and of the bulge line: Eq. (10). The margins are in the dense points already.
    for (int j = 0; j < line_rows(); ++j) {
      const auto& line = o.lines[j < rows_.crease ? CREASE : BULGE];
      const Vec2 p = px[2 * margin + j];
      EyelidWorkspace::OnLine& best = w_.on_line[f][j];
      best.weight = 0;
      double nearest2 = 1e30;
      for (int k = 0; k + 1 < 20; ++k) {
        const Vec2 a(line[k].x, line[k].y), b(line[k + 1].x, line[k + 1].y);
        const Vec2 d = b - a;
        const double l2 = d.squaredNorm();
        if (l2 < 1e-6) continue;
        const double u = (p - a).dot(d) / l2;
        const double inside = std::clamp(u, 0.0, 1.0);
        const double distance2 = (p - a - inside * d).squaredNorm();
        if (distance2 >= nearest2) continue;
        nearest2 = distance2;
        const bool beyond = (k == 0 && u < -0.5) || (k == 18 && u > 1.5);
        const double c = std::min(line[k].confidence, line[k + 1].confidence);
        best.point = a + inside * d;
        best.normal = Vec2(-d.y(), d.x()) / std::sqrt(l2);
        best.weight = beyond || !(c > 0.3) ? 0
                                           : std::sqrt(c * line_information / line_rows()) /
                                                 (0.01 * options_.line_sigma_pct * o.interocular_px);
      }
    }
  }
}

void EyelidProblem::residuals(const State& state, VecX& r, RowsX* jacobian) const {
  const int per_frame = dense_points + line_rows();
  r.setZero(2 * per_frame * static_cast<int>(frames_.size()));
  if (jacobian) jacobian->setZero(r.size(), size());
  const Mat3 roll = exp_so3({0, 0, state.roll});
  const int km = motions();
  const double shared_weight =
      frozen_ ? 1 : std::sqrt(std::min(1.0, options_.window_information / std::max<double>(frames_.size(), 1)));
  VecX& head = w_.head;
  RowsX& basis = w_.basis;
  basis.resize(3, std::max(km, shapes()));
  for (std::size_t f = 0; f < frames_.size(); ++f) {
    const EyelidObservation& o = frames_[f];
    place(state, static_cast<int>(f), head);
    const double weight = shared_weight * dense_weight(o.interocular_px, options_);
    for (int j = 0; j < per_frame; ++j) {
      const bool dense = j < dense_points;
      const int row = dense ? w_.dense[f][j].row : 2 * margin + j - dense_points;
      const double b = dense ? w_.dense[f][j].fraction : 0;
      const int next = dense ? row + 1 : row;
      const Vec3 x = (1 - b) * head.segment<3>(3 * row) + b * head.segment<3>(3 * next);
      const Vec3 y = o.rotation * x + o.translation;
      const int at = 2 * (per_frame * static_cast<int>(f) + j);
      Eigen::Matrix2d w;
      if (dense) {
        w = weight * Eigen::Matrix2d::Identity();
        r.segment<2>(at) = weight * (camera_.project(y) - o.curves.dense[j]);
      } else {
        const EyelidWorkspace::OnLine& line = w_.on_line[f][j - dense_points];
        if (line.weight == 0) continue;
        w = shared_weight * line.weight * line.normal * line.normal.transpose();
        r.segment<2>(at) = w * (camera_.project(y) - line.point);
      }
      if (!jacobian) continue;
      const Mat23 by_vertex = w * camera_.project_jacobian(y) * o.rotation;
      auto rows = jacobian->middleRows<2>(at);
      if (!frozen_) {
        const Mat23 local = by_vertex * roll;
        basis.leftCols(shapes()) =
            (1 - b) * rows_.shape.middleRows<3>(3 * row) + b * rows_.shape.middleRows<3>(3 * next);
        rows.leftCols(shapes()).noalias() = local * basis.leftCols(shapes());
        rows.middleCols<3>(shapes()) = by_vertex;
        const Vec3 arm = x - centre_ - state.offset;
        rows.col(shapes() + 3) = by_vertex * Vec3(-arm.y(), arm.x(), 0);
        basis.leftCols(km) = (1 - b) * rows_.motion.middleRows<3>(3 * row) + b * rows_.motion.middleRows<3>(3 * next);
        rows.middleCols(shared() + static_cast<int>(f) * km, km).noalias() = local * basis.leftCols(km);
      } else {
        auto own = rows.middleCols(static_cast<int>(f) * km, km);
        own.noalias() = ((1 - b) * by_vertex).eval().lazyProduct(frozen_->motion.middleRows<3>(3 * row));
        if (b > 0) own.noalias() += (b * by_vertex).eval().lazyProduct(frozen_->motion.middleRows<3>(3 * next));
      }
    }
  }
}

double EyelidProblem::prior(const State& state, VecX* gradient, VecX* curvature) const {
  double cost = 0;
  const auto add = [&](double value, double mean, double sigma, int at) {
    cost += prior_term(value, mean, sigma, at, gradient, curvature);
  };
  if (!frozen_) {
    for (int k = 0; k < shapes(); ++k) add(state.shape[k], 0, options_.lid_shape_sigma, k);
    for (int a = 0; a < 3; ++a)
      add(state.offset[a], 0, a == 2 ? options_.patch_depth_sigma_mm : options_.patch_offset_sigma_mm, shapes() + a);
    add(state.roll, 0, options_.patch_roll_sigma_deg * deg, shapes() + 3);
  }
  for (std::size_t f = 0; f < state.motion.size(); ++f) {
    const int at = shared() + static_cast<int>(f) * motions();
    for (int k = 0; k < motions(); ++k) {
      add(state.motion[f][k], 0, 1, at + k);
      if (smooth_sigma_ > 0) add(state.motion[f][k], w_.previous[k], smooth_sigma_, at + k);
    }
  }
  return cost;
}

void EyelidProblem::plus(const State& state, const VecX& step, State& out) const {
  out = state;
  if (!frozen_) {
    out.shape = (out.shape + step.head(shapes())).cwiseMax(-3.0).cwiseMin(3.0);
    out.offset += step.segment<3>(shapes());
    out.roll += step[shapes() + 3];
  }
  for (std::size_t f = 0; f < out.motion.size(); ++f)
    out.motion[f] = (out.motion[f] + step.segment(shared() + static_cast<int>(f) * motions(), motions()))
                        .cwiseMax(-6.0)
                        .cwiseMin(6.0);
}

double EyelidProblem::residual_px(const State& state, int f) const {
  VecX& head = w_.head;
  place(state, f, head);
  double sum = 0;
  for (int j = 0; j < dense_points; ++j) {
    const auto [row, b] = w_.dense[f][j];
    const Vec3 x = (1 - b) * head.segment<3>(3 * row) + b * head.segment<3>(3 * (row + 1));
    sum += (camera_.project(frames_[f].rotation * x + frames_[f].translation) - frames_[f].curves.dense[j]).norm();
  }
  return sum / dense_points;
}

}  // namespace dmask
