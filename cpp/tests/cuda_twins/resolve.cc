#include <bit>
#include <vector>

#include "cuda_twins/twins.hpp"
#include "render/globe.hpp"
#include "render/sampling.hpp"

namespace dmask::cuda {

// Down each column, as the CPU does: what is below the lid's edge adds up.
void resolve_mask_twin(const ResolveArguments& in, std::uint8_t* bgr) {
  const std::ptrdiff_t pixels = static_cast<std::ptrdiff_t>(in.width) * in.height;
  std::vector<float> below_mm[2];
  for (int eye = 0; eye < 2; ++eye) {
    const GlobeView& globe = in.view->globes[eye];
    below_mm[eye].assign(static_cast<std::size_t>(pixels), 0.0f);
    for (int x = globe.box.x0; x < globe.box.x1; ++x) {
      float below_px = kNoLidPx;
      for (int y = globe.box.y0; y < globe.box.y1; ++y) {
        const std::ptrdiff_t pixel = static_cast<std::ptrdiff_t>(y) * in.width + x;
        const float share = 0.125f * static_cast<float>(std::popcount(in.samples.seen[2 * pixel + eye]));
        below_mm[eye][pixel] = (below_px + 0.5f * share) * globe.mm_per_px;
        below_px = share == 0 ? 0 : below_px + share;
      }
    }
  }
  for (std::ptrdiff_t pixel = 0; pixel < pixels; ++pixel) {
    std::uint32_t colour = in.samples.colour[pixel];
    if ((colour & globe_flag) != 0) {
      LightSum sum = in.samples.sum[pixel];
      const float x = static_cast<float>(pixel % in.width), y = static_cast<float>(pixel / in.width);
      for (int s = 0; s < 8; ++s) {
        const int eye = in.samples.seen[2 * pixel + 1] >> s & 1 ? 1 : in.samples.seen[2 * pixel] >> s & 1 ? 0 : -1;
        if (eye < 0) continue;
        const GlobeView& globe = in.view->globes[eye];
        const auto h = intersect(globe, all(x + sample_x(s)), all(y + sample_y(s)));
        const Bgr<f32x8> c = globe_colour(globe, h.normal, below_mm[eye][pixel]);
        const auto square = [](const f32x8& channel) {
          const auto level = static_cast<std::uint32_t>(clamp01(channel)[0] * 255.0f + 0.5f);
          return level * level;
        };
        sum.b += square(c.b), sum.g += square(c.g), sum.r += square(c.r);
      }
      colour = mean_level(sum.b) | mean_level(sum.g) << 8 | mean_level(sum.r) << 16;
    }
    for (int c = 0; c < 3; ++c) bgr[3 * pixel + c] = static_cast<std::uint8_t>(colour >> 8 * c);
  }
}

}  // namespace dmask::cuda
