#include "cuda/looks/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda/runtime/warp.hpp"
#include "detect/net_sizes.hpp"

namespace dmask::cuda {
namespace {

// A warp takes a map: it finds the peak first, so that no exponential overflows, then the moments.
__global__ void decode_kernel(Heatmaps in, DecodedPoint* points) {
  const int map = static_cast<int>(blockIdx.x), lane = static_cast<int>(threadIdx.x);
  const int cells = in.height * in.width;
  const float* logits = in.logits + static_cast<std::size_t>(map) * cells;
  float top = -INFINITY;
  for (int i = lane; i < cells; i += warp_size) top = fmaxf(top, logits[i]);
  for (int by = warp_size / 2; by > 0; by /= 2) top = fmaxf(top, __shfl_xor_sync(all_lanes, top, by));
  float sum = 0, sum_x = 0, sum_y = 0, sum_xx = 0, sum_yy = 0;
  for (int i = lane; i < cells; i += warp_size) {
    const float weight = expf(logits[i] - top);
    // Cells are counted from the middle of the map: less is lost in the variance.
    const float x = static_cast<float>(i % in.width) - 0.5f * static_cast<float>(in.width);
    const float y = static_cast<float>(i / in.width) - 0.5f * static_cast<float>(in.height);
    sum += weight;
    sum_x += weight * x;
    sum_y += weight * y;
    sum_xx += weight * x * x;
    sum_yy += weight * y * y;
  }
  sum = warp_sum(sum), sum_x = warp_sum(sum_x), sum_y = warp_sum(sum_y);
  sum_xx = warp_sum(sum_xx), sum_yy = warp_sum(sum_yy);
  if (lane > 0) return;
  const float x = sum_x / sum, y = sum_y / sum;
  DecodedPoint& point = points[map];
  point.x = (x + 0.5f * static_cast<float>(in.width) + 0.5f) * heatmap_cell_px - 0.5f;
  point.y = (y + 0.5f * static_cast<float>(in.height) + 0.5f) * heatmap_cell_px - 0.5f;
  point.confidence = 1.0f / (1.0f + expf(-in.visibility[map]));
  point.spread = sqrtf(fmaxf(0.0f, sum_xx / sum - x * x + sum_yy / sum - y * y));
}

}  // namespace

void decode_heatmaps(const Heatmaps& maps, DecodedPoint* points, StreamHandle stream) {
  launch(stream, static_cast<unsigned>(maps.maps), warp_size, decode_kernel, maps, points);
}

}  // namespace dmask::cuda
