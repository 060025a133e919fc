#include "models/eyelid_model.hpp"

#include <algorithm>

#include "geometry/check.hpp"
#include "models/container.hpp"
#include "models/face_model.hpp"

namespace dmask {
namespace {

Eigen::MatrixXf modes(const Container& file, const char* name, std::int64_t v) {  // (modes, V, 3) -> 3V x modes
  const std::int64_t count = file.get(name, DType::f32, {-1, v, 3}).shape[0];
  return Eigen::Map<const Eigen::MatrixXf>(file.numbers(name, {count, v, 3}), v * 3, count);
}

void mirror_x(Eigen::Ref<Eigen::MatrixXf> points) {  // rows x0 y0 z0 x1 ...
  for (Eigen::Index i = 0; i < points.rows(); i += 3) points.row(i) *= -1.0f;
}

}  // namespace

VecXf EyelidModel::named(const std::string& name) const {
  const auto it = std::find(named_motion_names.begin(), named_motion_names.end(), name);
  check(it != named_motion_names.end(), "the eyelid model has no named motion " + name);
  return named_in_motion.col(it - named_motion_names.begin());
}

EyelidModel EyelidModel::load(const std::string& path, Eye eye) {
  const Container file = Container::read(path);
  EyelidModel m;
  const std::int64_t v = file.get("template", DType::f32, {-1, 3}).shape[0];
  check(v > 0 && v <= 1000000, path + ": a patch of " + std::to_string(v) + " vertices, expected 1 to a million");
  m.patch = Eigen::Map<const VecXf>(file.numbers("template", {v, 3}), v * 3);
  m.shape = modes(file, "shape", v);
  m.motion = modes(file, "motion", v);
  check(m.motion.cols() <= max_lid_motions, path + " has " + std::to_string(m.motion.cols()) +
                                                " lid motions, expected at most " + std::to_string(max_lid_motions));

  const auto index = [&](std::int32_t i, std::int64_t lowest) {
    check(i >= lowest && i < 1000000, path + ": bad vertex index " + std::to_string(i));
    return static_cast<int>(i);
  };
  const auto chain = [&](const char* name) {
    const Array& a = file.get(name, DType::i32, {-1});
    check(a.shape[0] >= 2,
          path + ": " + name + " has " + std::to_string(a.shape[0]) + " vertices, expected a line of 2 or more");
    std::vector<int> out;
    for (std::int64_t i = 0; i < a.shape[0]; ++i) {
      out.push_back(index(a.as<std::int32_t>()[i], 0));
      check(out.back() < v,
            path + ": " + name + " names vertex " + std::to_string(out.back()) + " of " + std::to_string(v));
    }
    return out;
  };
  const Array& triangles = file.get("triangles", DType::i32, {-1, 3});
  check(triangles.shape[0] > 0, path + " has no triangles");
  m.triangles = Eigen::Map<const Triangles>(triangles.as<std::int32_t>(), triangles.shape[0], 3);
  check(m.triangles.minCoeff() >= 0 && m.triangles.maxCoeff() < v,
        path + ": triangles name vertices that are not there");
  const Array& replaced = file.get(eye == OS ? "face_vertex_os" : "face_vertex_od", DType::i32, {v});
  for (std::int64_t i = 0; i < v; ++i) m.face_vertex.push_back(index(replaced.as<std::int32_t>()[i], -1));
  m.blend = Eigen::Map<const VecXf>(file.numbers("blend", {v}), v);
  m.brow_region = Eigen::Map<const VecXf>(file.numbers("brow_region", {v}), v);
  m.albedo = Eigen::Map<const Points3f>(file.numbers("albedo", {v, 3}), v, 3);
  const Array& edge = file.get("inner_edge", DType::u8, {v});
  m.inner_edge.assign(edge.data, edge.data + v);
  m.upper_margin = chain("upper_margin");
  m.lower_margin = chain("lower_margin");
  m.crease = chain("crease");
  m.bulge = chain("bulge");
  m.centre = Eigen::Map<const Vec3f>(file.numbers("centre_os", {3}));
  // Some identity modes are asymmetric: each eye has a regression of its own, OD's in head axes already.
  const char* regression = eye == OS ? "centre_from_identity" : "centre_from_identity_od";
  const std::int64_t identities = file.get(regression, DType::f32, {-1, 3}).shape[0];
  m.centre_from_identity = Eigen::Map<const Eigen::MatrixXf>(file.numbers(regression, {identities, 3}), 3, identities);
  m.named_motion_names = file.strings("named_motion_names");
  const std::int64_t named = static_cast<std::int64_t>(m.named_motion_names.size());
  const float* in_motion = file.numbers("named_in_motion", {named, m.motion.cols()});
  m.named_in_motion = Eigen::Map<const Eigen::MatrixXf>(in_motion, m.motion.cols(), named);

  const auto from_shape = [&](const char* name) -> Eigen::MatrixXf {
    const float* values = file.numbers(name, {m.shape.cols(), m.motion.cols()});
    return Eigen::Map<const Eigen::MatrixXf>(values, m.motion.cols(), m.shape.cols());
  };
  m.blink_mid_from_shape = from_shape("blink_mid_from_shape");
  m.blink_full_from_shape = from_shape("blink_full_from_shape");

  if (eye == OD) {
    mirror_x(m.patch);
    mirror_x(m.shape);
    mirror_x(m.motion);
    m.centre.x() *= -1;
    for (Eigen::Index t = 0; t < m.triangles.rows(); ++t) std::swap(m.triangles(t, 1), m.triangles(t, 2));
  }
  return m;
}

void EyelidModel::check_with(const FaceModel& face, const std::string& path) const {
  for (const int v : face_vertex)
    check(v < face.vertices(), path + " replaces vertex " + std::to_string(v) + " of a face of " +
                                   std::to_string(face.vertices()) + ": it was built with another face.dmm");
  check(centre_from_identity.cols() >= face.identities(),
        path + " knows " + std::to_string(centre_from_identity.cols()) + " identity modes, face.dmm has " +
            std::to_string(face.identities()) + ": it was built with another face.dmm");
  for (const char* name : {"blink_mid", "blink_full", "upper_retract"}) named(name);  // throws
}

}  // namespace dmask
