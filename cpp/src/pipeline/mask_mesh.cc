#include "pipeline/mask_mesh.hpp"

#include <algorithm>
#include <cmath>

#include "geometry/check.hpp"
#include "geometry/rotation.hpp"
#include "pipeline/eye_window.hpp"

namespace dmask {
namespace {

constexpr float brow_radius_mm = 10.0f;  // r of Eq. (23)

// Over the skin that is in `head` already.
void place_eye(const MaskMesh& mesh, const MaskFrame& frame, int eye, VecXf& local, VecXf& head) {
  const MaskEye& own = mesh.subject.eyes[eye];
  const MaskMesh::EyePatch& patch = mesh.patches[eye];
  local = patch.base;
  local.noalias() += patch.motion * frame.eyes[eye].motion;  // Eq. (5)
  for (std::size_t u = 0; u < mesh.brow_units.size(); ++u) {
    const float w = frame.units[mesh.brow_units[u]];
    if (w > least_unit) local += w * patch.brow.col(u);  // Eq. (24)
  }
  const float c = std::cos(own.patch_roll), s = std::sin(own.patch_roll);
  for (std::size_t v = 0; v < patch.vertex.size(); ++v) {
    const Vec3f p = local.segment<3>(3 * v);
    Vec3f q = Vec3f(c * p.x() - s * p.y(), s * p.x() + c * p.y(), p.z()) + own.patch_offset;
    const float radius = q.norm();
    if (patch.on_globe[v] && radius < skin_radius_mm) q *= skin_radius_mm / radius;
    if (patch.inner_edge[v] && radius > edge_radius_mm) q *= edge_radius_mm / radius;
    auto out = head.segment<3>(3 * patch.vertex[v]);
    const float b = patch.blend[v];
    const bool added = patch.vertex[v] >= mesh.face_vertices();
    out = added ? Vec3f(own.centre + q) : Vec3f(b * (own.centre + q) + (1 - b) * out);
  }
}

// What lies about the eyes that are shown.
void keep_about_eyes(const MaskMesh& mesh, std::vector<std::array<int, 3>>& triangles) {
  constexpr float beyond = 1.25f;  // the window's edge, which is finer than the mesh
  constexpr float wide_mm = beyond * window_wide_mm, high_mm = beyond * window_high_mm, behind_mm = -35;
  const int faces = mesh.face_vertices();
  std::vector<char> near(static_cast<std::size_t>(mesh.vertices()));
  for (int eye = 0; eye < 2; ++eye) {
    if (!mesh.subject.eyes_shown[eye]) continue;
    for (int v = 0; v < faces; ++v) {
      const Vec3f away = mesh.face.neutral.segment<3>(3 * v) - mesh.subject.eyes[eye].centre;
      const float x = away.x() / wide_mm, y = away.y() / high_mm;
      if (x * x + y * y < 1 && away.z() > behind_mm) near[v] = true;
    }
    for (const int v : mesh.patches[eye].vertex)
      if (v >= faces) near[v] = true;
  }
  std::erase_if(triangles, [&](const std::array<int, 3>& t) { return !near[t[0]] || !near[t[1]] || !near[t[2]]; });
}

}  // namespace

UnitBlocks UnitBlocks::from(const Eigen::MatrixXf& units) {
  const int rows = static_cast<int>(units.rows()), last = rows - block_rows;
  check(last >= 0, "the face has " + std::to_string(rows / 3) + " vertices, expected at least 8");
  UnitBlocks out;
  out.first_block = {0};
  for (Eigen::Index u = 0; u < units.cols(); ++u) {
    for (int row = 0; row < rows; row += block_rows) {
      const int first = std::min(row, last);
      Eigen::Matrix<float, block_rows, 1> moved = units.col(u).segment<block_rows>(first);
      moved.head(row - first).setZero();  // in the block before
      if (!(moved.cwiseAbs().maxCoeff() > least_mm)) continue;
      out.first_row.push_back(first);
      out.moved_mm.push_back(moved);
    }
    out.first_block.push_back(static_cast<int>(out.first_row.size()));
  }
  return out;
}

void UnitBlocks::add(int unit, float weight, VecXf& head) const {
  for (int b = first_block[unit]; b < first_block[unit + 1]; ++b)
    head.segment<block_rows>(first_row[b]) += weight * moved_mm[b];
}

MaskMesh::MaskMesh(const Models& models, const MaskSubject& own_subject) : subject(own_subject) {
  face = models.face.contract(subject.identity);
  face.neutral *= subject.scale;
  face.units *= subject.scale;
  unit_blocks = UnitBlocks::from(face.units);
  for (int u = 0; u < models.face.units(); ++u)
    if (models.face.unit_names()[u].rfind("brow", 0) == 0) brow_units.push_back(u);

  const int n = models.face.vertices();
  int total = n;
  std::vector<std::array<int, 3>> all;
  for (Eigen::Index t = 0; t < models.face.triangles().rows(); ++t)
    all.push_back({models.face.triangles()(t, 0), models.face.triangles()(t, 1), models.face.triangles()(t, 2)});
  for (int eye = 0; eye < 2; ++eye) {
    const EyelidModel& model = models.eyelid[eye];
    const MaskEye& own = subject.eyes[eye];
    EyePatch& patch = patches[eye];
    check(own.shape.size() == model.shape.cols(), "the subject has " + std::to_string(own.shape.size()) +
                                                      " eyelid shape weights, the eyelid model " +
                                                      std::to_string(model.shape.cols()));
    patch.base = model.patch + model.shape * own.shape;
    patch.motion = model.motion;
    patch.blend = model.blend;
    patch.inner_edge = model.inner_edge;
    patch.vertex.resize(model.vertices());
    patch.on_globe.resize(model.vertices());
    for (int v = 0; v < model.vertices(); ++v) {
      patch.vertex[v] = model.face_vertex[v] >= 0 ? model.face_vertex[v] : total++;
      check(patch.vertex[v] < n || model.face_vertex[v] < 0, "the eyelid model names a vertex the face model has not");
      patch.on_globe[v] = !model.inner_edge[v] && model.patch.segment<3>(3 * v).norm() >= skin_radius_mm - 0.05f;
    }
    for (Eigen::Index t = 0; t < model.triangles.rows(); ++t) {  // the face's own triangles are there already
      const int a = model.triangles(t, 0), b = model.triangles(t, 1), c = model.triangles(t, 2);
      if (model.face_vertex[a] < 0 || model.face_vertex[b] < 0 || model.face_vertex[c] < 0)
        all.push_back({patch.vertex[a], patch.vertex[b], patch.vertex[c]});
    }

    // Eqs. (23, 24) in closed form: patch vertices near the brow follow the face's brow units.
    patch.brow.setZero(3 * model.vertices(), static_cast<Eigen::Index>(brow_units.size()));
    if (!subject.eyebrows) continue;
    for (int v = 0; v < model.vertices(); ++v) {
      if (model.brow_region[v] <= 0) continue;
      const Vec3f at = patch.base.segment<3>(3 * v) + own.patch_offset + own.centre;
      float weight_sum = 0;
      for (int f = 0; f < n; ++f) {
        const float d2 = (face.neutral.segment<3>(3 * f) - at).squaredNorm();
        if (d2 > 9 * brow_radius_mm * brow_radius_mm) continue;
        const float w = std::exp(-d2 / (2 * brow_radius_mm * brow_radius_mm));
        weight_sum += w;
        for (std::size_t u = 0; u < brow_units.size(); ++u)
          patch.brow.block<3, 1>(3 * v, u) += w * face.units.block<3, 1>(3 * f, brow_units[u]);
      }
      if (weight_sum > 0) patch.brow.middleRows<3>(3 * v) *= model.brow_region[v] / weight_sum;
    }
  }
  albedo.resize(total, 3);
  if (subject.close_up) keep_about_eyes(*this, all);
  triangles.resize(static_cast<Eigen::Index>(all.size()), 3);
  for (std::size_t t = 0; t < all.size(); ++t)
    for (int k = 0; k < 3; ++k) triangles(t, k) = all[t][k];
  albedo.topRows(n) = models.face.albedo();
  for (int eye = 0; eye < 2; ++eye)
    for (int v = 0; v < models.eyelid[eye].vertices(); ++v)
      albedo.row(patches[eye].vertex[v]) = models.eyelid[eye].albedo.row(v);
}

void MaskMesh::check_frame(const MaskFrame& frame) const {
  if (frame.units.size() != face.units.cols())
    throw Error("the frame has " + std::to_string(frame.units.size()) + " motion units, the face model " +
                std::to_string(face.units.cols()));
  for (int eye = 0; eye < 2; ++eye)
    if (frame.eyes[eye].motion.size() != patches[eye].motion.cols())
      throw Error("the frame has " + std::to_string(frame.eyes[eye].motion.size()) +
                  " eyelid motions, the eyelid model " + std::to_string(patches[eye].motion.cols()));
}

void MaskMesh::pose(const MaskFrame& frame, VecXf& head, VecXf& local, Points3f& camera) const {
  head.resize(3 * vertices());
  head.head(face.neutral.size()) = face.neutral;
  for (int u = 0; u < frame.units.size(); ++u)  // Eq. (1) with w_fs contracted
    if (std::abs(frame.units[u]) > least_unit) unit_blocks.add(u, frame.units[u], head);
  for (int eye = 0; eye < 2; ++eye) place_eye(*this, frame, eye, local, head);
  const Eigen::Map<const Points3f> rows(head.data(), vertices(), 3);
  camera.noalias() = rows * frame.rotation().transpose();
  camera.rowwise() += frame.translation.transpose();
}

std::array<Globe, 2> mask_globes(const MaskSubject& subject, const MaskFrame& frame) {
  const Mat3f rotation = frame.rotation();
  std::array<Globe, 2> globes;
  for (int eye = 0; eye < 2; ++eye) {
    const MaskFrame::EyeState& state = frame.eyes[eye];
    Globe& globe = globes[eye];
    globe.visible = subject.eyes_shown[eye];
    globe.centre = rotation * subject.eyes[eye].centre + frame.translation;
    globe.measured = state.look == MaskFrame::EyeLook::iris;
    globe.iris_radius_mm = globe.measured ? subject.eyes[eye].iris_radius_mm : 0;
    globe.pupil_radius_mm = globe.measured ? 1.9f : 0;
    if (state.look == MaskFrame::EyeLook::covered) globe.radius_mm = shield_radius_mm;
    globe.axis = rotation * gaze_axis(state.yaw, state.pitch).cast<float>();
  }
  return globes;
}

}  // namespace dmask
