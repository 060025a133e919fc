#include <cmath>

#include "cuda_twins/twins.hpp"
#include "geometry/types.hpp"
#include "pipeline/mask_shape.hpp"
#include "render/raster.hpp"
#include "render/sampling.hpp"

namespace dmask::cuda {
namespace {

using Modes = Eigen::Map<const Eigen::MatrixXf>;  // 3V x modes
using Weights = Eigen::Map<const VecXf>;

VecXf patch_of(const PoseArguments& mask, int eye) {
  const PatchArrays& patch = mask.patches[eye];
  const int rows = 3 * patch.vertices;
  VecXf local = Weights(patch.base, rows) + Modes(patch.motion, rows, mask.motions) *
                                                Weights(mask.weights + mask.units + eye * mask.motions, mask.motions);
  const Modes brow(patch.brow, rows, mask.brow_units);
  for (int u = 0; u < mask.brow_units; ++u)
    if (const float w = mask.weights[mask.brow_unit[u]]; w > least_unit) local += w * brow.col(u);
  return local;
}

}  // namespace

void pose_mask_twin(const PoseArguments& mask, Position* position, raster::ScreenVertex* screen) {
  VecXf head = VecXf::Zero(3 * mask.vertices);
  const int rows = 3 * mask.face_vertices;
  head.head(rows) = Weights(mask.neutral, rows);
  const Modes unit(mask.unit, rows, mask.units);
  for (int u = 0; u < mask.units; ++u)
    if (std::abs(mask.weights[u]) > least_unit) head.head(rows) += mask.weights[u] * unit.col(u);

  const VecXf local[2] = {patch_of(mask, 0), patch_of(mask, 1)};
  const MaskView& view = *mask.view;
  const Eigen::Map<const Eigen::Matrix<float, 3, 3, Eigen::RowMajor>> rotation(view.rotation);
  const Camera camera{view.focal_px, view.cx, view.cy, 0, 0};
  for (int v = 0; v < mask.vertices; ++v) {
    Vec3f at = head.segment<3>(3 * v);
    if (const int place = mask.patch_vertex[v]; place >= 0) {
      const int eye = place % 2, own = place / 2;
      const PatchArrays& patch = mask.patches[eye];
      const Vec3f p = local[eye].segment<3>(3 * own);
      Vec3f q = Vec3f(patch.cosine * p.x() - patch.sine * p.y(), patch.sine * p.x() + patch.cosine * p.y(), p.z()) +
                Vec3f(patch.offset);
      const float radius = q.norm();
      if (patch.on_globe[own] && radius < skin_radius_mm) q *= skin_radius_mm / radius;
      if (patch.inner_edge[own] && radius > edge_radius_mm) q *= edge_radius_mm / radius;
      const float blend = v < mask.face_vertices ? patch.blend[own] : 1.0f;
      at = blend * (Vec3f(patch.centre) + q) + (1 - blend) * at;
    }
    const Vec3f p = rotation * at + Vec3f(view.translation);
    const bool finite = (p.array().abs() < kMaxMm).all();
    position[v] = finite ? Position{p.x(), p.y(), p.z(), 1} : Position{0, 0, 0, 0};
    screen[v] = finite ? raster::project(camera, p) : raster::ScreenVertex{};
  }
}

}  // namespace dmask::cuda
