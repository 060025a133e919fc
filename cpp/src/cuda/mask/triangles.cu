#include "cuda/mask/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "render/sampling.hpp"

namespace dmask::cuda {
namespace {

constexpr unsigned threads = 128;

__device__ void set_difference(float out[3], float from, float to1, float to2) {
  out[0] = from;
  out[1] = to1 - from;
  out[2] = to2 - from;
}

__device__ bool set_up(const TriangleArguments& in, int t, ScreenTriangle& triangle, TriangleBox& box, bool& back) {
  const int* index = in.vertex + 3 * t;
  const int i0 = index[0], i1 = index[1], i2 = index[2];
  const raster::ScreenVertex v0 = in.screen[i0], v1 = in.screen[i1], v2 = in.screen[i2];
  if (!(v0.valid() && v1.valid() && v2.valid())) return false;
  const float area = raster::signed_area(v0, v1, v2);
  if (area == 0) return false;
  const float right = static_cast<float>(in.width - 1), bottom = static_cast<float>(in.height - 1);
  const float x0 = max(min(v0.x, min(v1.x, v2.x)) - kSampleReach, 0.0f), x1 = max(v0.x, max(v1.x, v2.x)) + kSampleReach;
  const float y0 = max(min(v0.y, min(v1.y, v2.y)) - kSampleReach, 0.0f), y1 = max(v0.y, max(v1.y, v2.y)) + kSampleReach;
  if (x0 > right || y0 > bottom || x1 < 0 || y1 < 0) return false;
  box = {static_cast<std::int16_t>(ceilf(x0)), static_cast<std::int16_t>(ceilf(y0)),
         static_cast<std::int16_t>(floorf(min(x1, right)) + 1), static_cast<std::int16_t>(floorf(min(y1, bottom)) + 1)};
  if (box.x0 >= box.x1 || box.y0 >= box.y1) return false;
  back = area > 0;
  const float sign = back ? 1.0f : -1.0f;
  triangle.edge[0] = raster::make_edge(v1, v2, sign);
  triangle.edge[1] = raster::make_edge(v2, v0, sign);
  triangle.edge[2] = raster::make_edge(v0, v1, sign);
  set_difference(triangle.inv_z, v0.inv_z, v1.inv_z, v2.inv_z);
  const Colour c0 = in.colour[i0], c1 = in.colour[i1], c2 = in.colour[i2];
  set_difference(triangle.colour[0], c0.b, c1.b, c2.b);
  set_difference(triangle.colour[1], c0.g, c1.g, c2.g);
  set_difference(triangle.colour[2], c0.r, c1.r, c2.r);
  return true;
}

__global__ void __launch_bounds__(threads) triangles_kernel(TriangleArguments in, TriangleArrays out) {
  const int t = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (t >= in.triangles) return;
  TriangleBox box{0, 0, 0, 0};
  bool back = false;
  if (!set_up(in, t, out.triangle[t], box, back)) box = {0, 0, 0, 0};
  out.box[t] = box;
  out.back[t] = back;
}

}  // namespace

void set_up_triangles(const TriangleArguments& in, const TriangleArrays& out, StreamHandle stream) {
  launch(stream, blocks_for(static_cast<std::size_t>(in.triangles), threads), threads, triangles_kernel, in, out);
}

}  // namespace dmask::cuda
