#include "cuda/mask/tile.hpp"
#include "render/globe.hpp"

namespace dmask::cuda {
namespace {

__global__ void __launch_bounds__(append_threads, 3) draw_kernel(DrawArguments in, PixelArrays out) {
  __shared__ int hits[append_items];
  const Tile tile = tile_of_block(in);
  const int x = tile.x0 + static_cast<int>(threadIdx.x) % tile_px,
            y = tile.y0 + static_cast<int>(threadIdx.x) / tile_px;
  const float fx = static_cast<float>(x), fy = static_cast<float>(y);
  const bool inside = x < in.width && y < in.height;

  Nearest nearest{0, 0, 0, -1};
  for (int first = 0; first < tile.fronts; first += append_items) {
    const int count = touching(in, tile, tile.list + first, 1, tile.fronts - first, hits);
    for (int k = 0; k < count; ++k)
      if (within(in.box[hits[k]], x, y)) draw_front(in, hits[k], fx, fy, nearest);
    __syncthreads();  // `hits` is written anew
  }
  std::uint32_t colour = nearest.triangle >= 0 ? colour_of(in, nearest) : in.background;

  // Backs only show where there is no front: through the eye's opening, an open mouth, the neck's end.
  bool empty = inside && nearest.triangle < 0;
  if (tile.backs > 0 && __syncthreads_or(empty)) {
    for (int first = 0; first < tile.backs; first += append_items) {
      const int count = touching(in, tile, tile.end - first, -1, tile.backs - first, hits);
      for (int k = 0; k < count && empty; ++k) {
        if (!within(in.box[hits[k]], x, y) || !cover(in.triangle[hits[k]], fx, fy).inside) continue;
        empty = false;
        nearest.inv_depth = kInsideInvDepth;
        colour = static_cast<std::uint32_t>(kInside);
      }
      __syncthreads();
    }
  }
  if (!inside) return;
  for (int eye = 0; eye < 2; ++eye) {
    const GlobeView& globe = in.view->globes[eye];
    if (x < globe.box.x0 || x >= globe.box.x1 || y < globe.box.y0 || y >= globe.box.y1) continue;
    const GlobeHit<float> h = intersect(globe, fx, fy);
    if (h.hit && h.inv_z > nearest.inv_depth) colour |= globe_flag;
  }
  const std::size_t pixel = static_cast<std::size_t>(y) * in.width + x;
  out.inv_depth[pixel] = nearest.inv_depth;
  out.colour[pixel] = colour;
}

}  // namespace

void draw_mask(const DrawArguments& in, const PixelArrays& out, StreamHandle stream) {
  const dim3 tiles(blocks_for(static_cast<std::size_t>(in.width), tile_px),
                   blocks_for(static_cast<std::size_t>(in.height), tile_px));
  launch(stream, tiles, append_threads, draw_kernel, in, out);
}

}  // namespace dmask::cuda
