#include "cuda/mask/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "pipeline/mask_shape.hpp"
#include "render/sampling.hpp"

namespace dmask::cuda {
namespace {

constexpr unsigned threads = 128;

struct Point {
  float x, y, z;
};

__device__ void add(Point& p, float weight, const float* mode) {
  p.x += weight * mode[0];
  p.y += weight * mode[1];
  p.z += weight * mode[2];
}

// Eq. (1) with the identity contracted.
__device__ Point skin_at(const PoseArguments& mask, int vertex) {
  const float* neutral = mask.neutral + 3 * vertex;
  Point p{neutral[0], neutral[1], neutral[2]};
  for (int u = 0; u < mask.units; ++u) {
    const float weight = mask.weights[u];
    if (fabsf(weight) > least_unit) add(p, weight, mask.unit + 3 * (u * mask.face_vertices + vertex));
  }
  return p;
}

// Eqs. (5, 24), in the head frame.
__device__ Point patch_at(const PoseArguments& mask, const PatchArrays& patch, int eye, int vertex) {
  const float* base = patch.base + 3 * vertex;
  Point p{base[0], base[1], base[2]};
  const float* motion_weights = mask.weights + mask.units + eye * mask.motions;
  for (int k = 0; k < mask.motions; ++k) add(p, motion_weights[k], patch.motion + 3 * (k * patch.vertices + vertex));
  for (int u = 0; u < mask.brow_units; ++u) {
    const float weight = mask.weights[mask.brow_unit[u]];
    if (weight > least_unit) add(p, weight, patch.brow + 3 * (u * patch.vertices + vertex));
  }
  Point q{patch.cosine * p.x - patch.sine * p.y + patch.offset[0],
          patch.sine * p.x + patch.cosine * p.y + patch.offset[1], p.z + patch.offset[2]};
  const float radius = sqrtf(q.x * q.x + q.y * q.y + q.z * q.z);
  float scale = 1;
  if (patch.on_globe[vertex] && radius < skin_radius_mm) scale = skin_radius_mm / radius;
  if (patch.inner_edge[vertex] && radius > edge_radius_mm) scale = edge_radius_mm / radius;
  return {patch.centre[0] + q.x * scale, patch.centre[1] + q.y * scale, patch.centre[2] + q.z * scale};
}

// A thread takes a vertex from the weights to the picture.
__global__ void __launch_bounds__(threads)
    pose_kernel(PoseArguments mask, Position* position, raster::ScreenVertex* screen) {
  const int vertex = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (vertex >= mask.vertices) return;
  Point p{0, 0, 0};
  if (vertex < mask.face_vertices) p = skin_at(mask, vertex);
  const int in_patch = mask.patch_vertex[vertex];
  if (in_patch >= 0) {
    const int eye = in_patch & 1, at = in_patch >> 1;
    const PatchArrays& patch = eye == 0 ? mask.patches[0] : mask.patches[1];
    const Point q = patch_at(mask, patch, eye, at);
    const float b = vertex < mask.face_vertices ? patch.blend[at] : 1.0f;
    p = {b * q.x + (1 - b) * p.x, b * q.y + (1 - b) * p.y, b * q.z + (1 - b) * p.z};
  }
  const MaskView& view = *mask.view;
  const float* r = view.rotation;
  const float x = r[0] * p.x + r[1] * p.y + r[2] * p.z + view.translation[0];
  const float y = r[3] * p.x + r[4] * p.y + r[5] * p.z + view.translation[1];
  const float z = r[6] * p.x + r[7] * p.y + r[8] * p.z + view.translation[2];
  const bool finite = fabsf(x) < kMaxMm && fabsf(y) < kMaxMm && fabsf(z) < kMaxMm;
  position[vertex] = finite ? Position{x, y, z, 1} : Position{0, 0, 0, 0};
  screen[vertex] = finite ? raster::project(view.focal_px, view.cx, view.cy, x, y, z) : raster::ScreenVertex{};
}

}  // namespace

void pose_mask(const PoseArguments& mask, Position* position, raster::ScreenVertex* screen, StreamHandle stream) {
  launch(stream, blocks_for(static_cast<std::size_t>(mask.vertices), threads), threads, pose_kernel, mask, position,
         screen);
}

}  // namespace dmask::cuda
