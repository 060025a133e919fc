#include "cuda/looks/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda/runtime/warp.hpp"
#include "detect/net_sizes.hpp"

namespace dmask::cuda {
namespace {

constexpr int warps = 8, threads = warps * warp_size;

struct Moments {
  float sum, x, y, xx, yy;
};

// A block takes a map: it finds the peak first, so that no exponential overflows, then the moments. Warps are added in
// their order.
__global__ void __launch_bounds__(threads) decode_kernel(Heatmaps in, DecodedPoint* points) {
  __shared__ float tops[warps];
  __shared__ Moments shares[warps];
  const int map = static_cast<int>(blockIdx.x), thread = static_cast<int>(threadIdx.x);
  const int warp = thread / warp_size, lane = thread % warp_size, cells = in.height * in.width;
  const float* logits = in.logits + static_cast<std::size_t>(map) * cells;
  float top = -INFINITY;
  for (int i = thread; i < cells; i += threads) top = fmaxf(top, logits[i]);
  for (int by = warp_size / 2; by > 0; by /= 2) top = fmaxf(top, __shfl_xor_sync(all_lanes, top, by));
  if (lane == 0) tops[warp] = top;
  __syncthreads();
  for (const float other : tops) top = fmaxf(top, other);

  Moments m{};
  for (int i = thread; i < cells; i += threads) {
    const float weight = expf(logits[i] - top);
    // Cells are counted from the middle of the map: less is lost in the variance.
    const float x = static_cast<float>(i % in.width) - 0.5f * static_cast<float>(in.width);
    const float y = static_cast<float>(i / in.width) - 0.5f * static_cast<float>(in.height);
    m.sum += weight;
    m.x += weight * x;
    m.y += weight * y;
    m.xx += weight * x * x;
    m.yy += weight * y * y;
  }
  m = {warp_sum(m.sum), warp_sum(m.x), warp_sum(m.y), warp_sum(m.xx), warp_sum(m.yy)};
  if (lane == 0) shares[warp] = m;
  __syncthreads();
  if (thread > 0) return;
  for (int w = 1; w < warps; ++w) {
    const Moments& share = shares[w];
    m = {m.sum + share.sum, m.x + share.x, m.y + share.y, m.xx + share.xx, m.yy + share.yy};
  }
  const float x = m.x / m.sum, y = m.y / m.sum;
  DecodedPoint& point = points[map];
  point.x = (x + 0.5f * static_cast<float>(in.width) + 0.5f) * heatmap_cell_px - 0.5f;
  point.y = (y + 0.5f * static_cast<float>(in.height) + 0.5f) * heatmap_cell_px - 0.5f;
  point.confidence = 1.0f / (1.0f + expf(-in.visibility[map]));
  point.spread = sqrtf(fmaxf(0.0f, m.xx / m.sum - x * x + m.yy / m.sum - y * y));
}

}  // namespace

void decode_heatmaps(const Heatmaps& maps, DecodedPoint* points, StreamHandle stream) {
  launch(stream, static_cast<unsigned>(maps.maps), threads, decode_kernel, maps, points);
}

}  // namespace dmask::cuda
