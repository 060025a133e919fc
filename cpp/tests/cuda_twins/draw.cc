#include "cuda_twins/surface.hpp"
#include "render/globe.hpp"

namespace dmask::cuda {

void draw_mask_twin(const DrawArguments& in, const PixelArrays& out) {
  for (int y = 0; y < in.height; ++y) {
    for (int x = 0; x < in.width; ++x) {
      const std::ptrdiff_t pixel = static_cast<std::ptrdiff_t>(y) * in.width + x;
      const Surface surface = surface_at(in, x, y, 0, 0);
      out.inv_depth[pixel] = surface.inv_depth;
      out.colour[pixel] = surface.colour;
      for (const GlobeView& globe : in.view->globes) {
        if (!holds(globe.box, x, y)) continue;
        const auto h = intersect(globe, all(static_cast<float>(x)), all(static_cast<float>(y)));
        if (h.hit[0] && h.inv_z[0] > surface.inv_depth) out.colour[pixel] |= globe_flag;
      }
    }
  }
}

}  // namespace dmask::cuda
