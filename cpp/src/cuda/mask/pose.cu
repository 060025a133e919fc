#include "cuda/mask/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda/runtime/warp.hpp"
#include "pipeline/mask_shape.hpp"
#include "render/sampling.hpp"

namespace dmask::cuda {
namespace {

// A block's 32 vertices side by side in each warp; the warps share the motions among them.
constexpr int vertices = warp_size, warps = 8, threads = vertices * warps;
constexpr int most_units = 64;  // that are looked at together

struct Point {
  float x, y, z;
};

__device__ void add(Point& p, float weight, const float* mode) {
  p.x += weight * mode[0];
  p.y += weight * mode[1];
  p.z += weight * mode[2];
}

// Units that move anything, in order: their weights and numbers. To be called by all threads.
struct Moving {
  float weight[most_units];
  int unit[most_units];
  int count;
};
__device__ void find_moving(const PoseArguments& mask, int first, Moving& moving) {
  if (threadIdx.x < warp_size) {
    const int lane = static_cast<int>(threadIdx.x);
    int count = 0;
    for (int u = first + lane; u - lane < min(mask.units, first + most_units); u += warp_size) {
      const float weight = u < mask.units ? mask.weights[u] : 0.0f;
      const bool moves = fabsf(weight) > least_unit;
      const unsigned lanes = __ballot_sync(all_lanes, moves);
      const int at = count + __popc(lanes & ((1u << lane) - 1u));
      if (moves) moving.weight[at] = weight, moving.unit[at] = u;
      count += __popc(lanes);
    }
    if (lane == 0) moving.count = count;
  }
  __syncthreads();
}

// Eq. (1) with the identity contracted: a warp's share of it.
__device__ void add_units(const PoseArguments& mask, const Moving& moving, int vertex, int warp, Point& p) {
#pragma unroll 4
  for (int k = warp; k < moving.count; k += warps)
    add(p, moving.weight[k], mask.unit + 3 * (moving.unit[k] * mask.face_vertices + vertex));
}

// Eqs. (5, 24): a warp's share of the vertex before the patch is turned and moved to its place.
__device__ Point patch_share(const PoseArguments& mask, const PatchArrays& patch, int eye, int vertex, int warp) {
  Point p{0, 0, 0};
  if (warp == 0) add(p, 1, patch.base + 3 * vertex);
  const float* motion_weights = mask.weights + mask.units + eye * mask.motions;
  for (int k = warp; k < mask.motions; k += warps)
    add(p, motion_weights[k], patch.motion + 3 * (k * patch.vertices + vertex));
  for (int u = warp; u < mask.brow_units; u += warps) {
    const float weight = mask.weights[mask.brow_unit[u]];
    if (weight > least_unit) add(p, weight, patch.brow + 3 * (u * patch.vertices + vertex));
  }
  return p;
}

// In the head frame.
__device__ Point placed(const PatchArrays& patch, int vertex, const Point& p) {
  const Point q{patch.cosine * p.x - patch.sine * p.y + patch.offset[0],
                patch.sine * p.x + patch.cosine * p.y + patch.offset[1], p.z + patch.offset[2]};
  const float radius = sqrtf(q.x * q.x + q.y * q.y + q.z * q.z);
  float scale = 1;
  if (patch.on_globe[vertex] && radius < skin_radius_mm) scale = skin_radius_mm / radius;
  if (patch.inner_edge[vertex] && radius > edge_radius_mm) scale = edge_radius_mm / radius;
  return {patch.centre[0] + q.x * scale, patch.centre[1] + q.y * scale, patch.centre[2] + q.z * scale};
}

__device__ Point sum_of(const Point (&shares)[warps][vertices], int lane) {
  Point p{0, 0, 0};
  for (int w = 0; w < warps; ++w) add(p, 1, &shares[w][lane].x);
  return p;
}

// From the weights to the picture: shares of each vertex are added in the warps' order.
__global__ void __launch_bounds__(threads)
    pose_kernel(PoseArguments mask, Position* position, raster::ScreenVertex* screen) {
  __shared__ Moving moving;
  __shared__ Point face[warps][vertices], lids[warps][vertices];
  const int lane = static_cast<int>(threadIdx.x) % vertices, warp = static_cast<int>(threadIdx.x) / vertices;
  const int vertex = static_cast<int>(blockIdx.x) * vertices + lane;
  const bool there = vertex < mask.vertices, of_face = vertex < mask.face_vertices;
  const int in_patch = there ? mask.patch_vertex[vertex] : -1, eye = in_patch & 1, at = in_patch >> 1;
  const PatchArrays& patch = eye == 0 ? mask.patches[0] : mask.patches[1];
  Point p{0, 0, 0};
  if (warp == 0 && of_face) add(p, 1, mask.neutral + 3 * vertex);
  for (int first = 0; first < mask.units; first += most_units) {
    find_moving(mask, first, moving);
    if (of_face) add_units(mask, moving, vertex, warp, p);
    __syncthreads();  // `moving` is written anew
  }
  face[warp][lane] = p;
  if (in_patch >= 0) lids[warp][lane] = patch_share(mask, patch, eye, at, warp);
  __syncthreads();
  if (warp > 0 || !there) return;
  p = sum_of(face, lane);
  if (in_patch >= 0) {
    const Point q = placed(patch, at, sum_of(lids, lane));
    const float b = of_face ? patch.blend[at] : 1.0f;
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
  launch(stream, blocks_for(static_cast<std::size_t>(mask.vertices), vertices), threads, pose_kernel, mask, position,
         screen);
}

}  // namespace dmask::cuda
