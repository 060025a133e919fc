#include "cuda/mask/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "render/globe.hpp"
#include "render/sampling.hpp"

namespace dmask::cuda {
namespace {

constexpr unsigned threads = 128;

// How much of a pixel's column the eyeball has been seen in since the lid's edge.
__device__ float below_lid_px(const ResolveArguments& in, int eye, int top, int x, int y) {
  int eighths = 0;
  for (int row = y - 1; row >= top; --row) {
    const unsigned seen = in.samples.seen[2 * (static_cast<std::size_t>(row) * in.width + x) + eye];
    if (seen == 0) return 0.125f * static_cast<float>(eighths);
    eighths += __popc(seen);
  }
  return kNoLidPx + 0.125f * static_cast<float>(eighths);
}

__device__ std::uint32_t with_globes(const ResolveArguments& in, std::size_t pixel) {
  const int x = static_cast<int>(pixel % in.width), y = static_cast<int>(pixel / in.width);
  LightSum sum = in.samples.sum[pixel];
  unsigned taken = 0;  // OS is drawn after OD
  for (int eye = 1; eye >= 0; --eye) {
    const unsigned seen = in.samples.seen[2 * pixel + eye];
    if ((seen & ~taken) == 0) continue;
    const GlobeView& globe = in.view->globes[eye];
    const float share = 0.125f * static_cast<float>(__popc(seen));
    const float below_mm = (below_lid_px(in, eye, globe.box.y0, x, y) + 0.5f * share) * globe.mm_per_px;
    for (int s = 0; s < 8; ++s) {
      if (!((seen & ~taken) >> s & 1u)) continue;
      const GlobeHit<float> h =
          intersect(globe, static_cast<float>(x) + sample_x(s), static_cast<float>(y) + sample_y(s));
      const Bgr<float> c = globe_colour(globe, h.normal, below_mm);
      const auto level = [](float v) { return static_cast<std::uint32_t>(clamp01(v) * 255.0f + 0.5f); };
      const std::uint32_t b = level(c.b), g = level(c.g), r = level(c.r);
      sum.b += b * b;
      sum.g += g * g;
      sum.r += r * r;
    }
    taken |= seen;
  }
  return mean_level(sum.b) | mean_level(sum.g) << 8 | mean_level(sum.r) << 16;
}

__global__ void __launch_bounds__(threads) resolve_kernel(ResolveArguments in, std::uint8_t* bgr) {
  const std::size_t pixel = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (pixel >= static_cast<std::size_t>(in.width) * in.height) return;
  std::uint32_t colour = in.samples.colour[pixel];
  if ((colour & globe_flag) != 0) colour = with_globes(in, pixel);
  bgr[3 * pixel] = static_cast<std::uint8_t>(colour);
  bgr[3 * pixel + 1] = static_cast<std::uint8_t>(colour >> 8);
  bgr[3 * pixel + 2] = static_cast<std::uint8_t>(colour >> 16);
}

}  // namespace

void resolve_mask(const ResolveArguments& in, std::uint8_t* bgr, StreamHandle stream) {
  const std::size_t pixels = static_cast<std::size_t>(in.width) * in.height;
  launch(stream, blocks_for(pixels, threads), threads, resolve_kernel, in, bgr);
}

}  // namespace dmask::cuda
