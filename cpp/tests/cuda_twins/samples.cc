#include <algorithm>
#include <bit>
#include <cmath>

#include "cuda_twins/surface.hpp"
#include "render/globe.hpp"

namespace dmask::cuda {
namespace {

bool is_marked(const DrawArguments& in, const PixelArrays& pixels, int x, int y) {
  const auto index = [&](int i, int j) {  // beyond the picture as at its last pixel
    return static_cast<std::ptrdiff_t>(std::clamp(j, 0, in.height - 1)) * in.width + std::clamp(i, 0, in.width - 1);
  };
  const auto depth = [&](int i, int j) { return pixels.inv_depth[index(i, j)]; };
  const auto green = [&](int i, int j) { return static_cast<float>(pixels.colour[index(i, j)] >> 8 & 255u); };
  const float here = depth(x, y), allowed = allowed_bend(here, 1.0f / in.view->focal_px);
  if (bend(depth(x - 1, y), here, depth(x + 1, y)) > allowed || bend(depth(x, y - 1), here, depth(x, y + 1)) > allowed)
    return true;
  for (const auto& [i, j] : {std::pair{x - 1, y}, {x + 1, y}, {x, y - 1}, {x, y + 1}})
    if (std::abs(green(x, y) - green(i, j)) > kColourStep) return true;
  for (int j = y - 1; j <= y + 1; ++j)
    for (int i = x - 1; i <= x + 1; ++i)
      if ((pixels.colour[index(i, j)] & globe_flag) != 0) return true;
  return false;
}

}  // namespace

void sample_mask_twin(const DrawArguments& in, const PixelArrays& pixels, const SampleArrays& out) {
  for (int y = 0; y < in.height; ++y) {
    for (int x = 0; x < in.width; ++x) {
      const std::ptrdiff_t pixel = static_cast<std::ptrdiff_t>(y) * in.width + x;
      std::uint8_t* seen = out.seen + 2 * pixel;
      seen[0] = seen[1] = 0;
      out.colour[pixel] = pixels.colour[pixel];
      if (!is_marked(in, pixels, x, y)) continue;
      LightSum sum{0, 0, 0};
      for (int s = 0; s < 8; ++s) {
        const Surface surface = surface_at(in, x, y, sample_x(s), sample_y(s));
        float nearest = surface.inv_depth;
        for (int eye = 0; eye < 2; ++eye) {
          const GlobeView& globe = in.view->globes[eye];
          if (!holds(globe.box, x, y)) continue;
          const auto h =
              intersect(globe, all(static_cast<float>(x) + sample_x(s)), all(static_cast<float>(y) + sample_y(s)));
          if (!h.hit[0] || !(h.inv_z[0] > nearest)) continue;
          nearest = h.inv_z[0];
          seen[eye] |= static_cast<std::uint8_t>(1u << s);
        }
        if (nearest != surface.inv_depth) continue;
        const auto square = [&](int shift) {
          return (surface.colour >> shift & 255u) * (surface.colour >> shift & 255u);
        };
        sum.b += square(0), sum.g += square(8), sum.r += square(16);
      }
      if (seen[0] == 0 && seen[1] == 0) {
        out.colour[pixel] = mean_level(sum.b) | mean_level(sum.g) << 8 | mean_level(sum.r) << 16;
      } else {
        out.colour[pixel] = globe_flag;
        out.sum[pixel] = sum;
      }
    }
  }
}

}  // namespace dmask::cuda
