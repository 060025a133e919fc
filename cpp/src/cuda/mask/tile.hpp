// A block draws a square of 16 x 16 pixels: what of its bin's triangles touches it, and how one is met at a position.
// Include from kernels alone.
#pragma once

#include "cuda/mask/append.hpp"
#include "render/sampling.hpp"

namespace dmask::cuda {
namespace {

constexpr int tile_px = 16;
static_assert(tile_px * tile_px == append_threads && bin_px % tile_px == 0);

struct Tile {
  int x0, y0, fronts, backs;
  const int* list;  // of the bin: fronts from its begin
  const int* end;   // its last: backs from there backwards
};

__device__ Tile tile_of_block(const DrawArguments& in) {
  const int x0 = static_cast<int>(blockIdx.x) * tile_px, y0 = static_cast<int>(blockIdx.y) * tile_px;
  const int bin = y0 / bin_px * bins_along(in.width) + x0 / bin_px;
  const int* list = in.list + static_cast<std::size_t>(bin) * in.triangles;
  return {x0, y0, in.count[2 * bin], in.count[2 * bin + 1], list, list + in.triangles - 1};
}

// Those of list[0], list[step], ... that touch the tile, in order; `hits` is shared memory for append_items.
__device__ int touching(const DrawArguments& in, const Tile& tile, const int* list, int step, int count, int* hits) {
  unsigned wanted = 0;
  int triangle[append_each];
  for (int k = 0; k < append_each; ++k) {
    const int item = k * append_threads + static_cast<int>(threadIdx.x);
    triangle[k] = item < count ? list[step * item] : 0;
    if (item >= count) continue;
    const TriangleBox b = in.box[triangle[k]];
    if (b.x0 < tile.x0 + tile_px && b.x1 > tile.x0 && b.y0 < tile.y0 + tile_px && b.y1 > tile.y0) wanted |= 1u << k;
  }
  return append_in_order(wanted, triangle, hits, 1);
}

struct Covered {
  bool inside;
  float e0, e1, e2;
};

__device__ inline Covered cover(const ScreenTriangle& t, float x, float y) {
  const auto at = [&](const raster::Edge& e) { return e.a * x + (e.b * y + e.c); };
  const float e0 = at(t.edge[0]), e1 = at(t.edge[1]), e2 = at(t.edge[2]);
  return {e0 >= t.edge[0].least && e1 >= t.edge[1].least && e2 >= t.edge[2].least, e0, e1, e2};
}

__device__ inline bool within(const TriangleBox& b, int x, int y) {
  return x >= b.x0 && x < b.x1 && y >= b.y0 && y < b.y1;
}

// The nearest front so far at one position; of two at the same depth the first.
struct Nearest {
  float inv_depth, w1, w2;
  int triangle;
};

__device__ inline void draw_front(const DrawArguments& in, int triangle, float x, float y, Nearest& nearest) {
  const ScreenTriangle& t = in.triangle[triangle];
  const Covered c = cover(t, x, y);
  if (!c.inside) return;
  const float inv_sum = 1.0f / (c.e0 + c.e1 + c.e2);
  const float w1 = c.e1 * inv_sum, w2 = c.e2 * inv_sum;
  const float inv_z = t.inv_z[0] + w1 * t.inv_z[1] + w2 * t.inv_z[2];
  if (inv_z > nearest.inv_depth) nearest = {inv_z, w1, w2, triangle};
}

// Colours are interpolated in the picture: over a triangle of a few millimetres perspective does not show.
__device__ inline std::uint32_t colour_of(const DrawArguments& in, const Nearest& n) {
  const ScreenTriangle& t = in.triangle[n.triangle];
  const auto channel = [&](const float (&c)[3]) {
    return static_cast<std::uint32_t>(static_cast<int>(c[0] + n.w1 * c[1] + n.w2 * c[2]));
  };
  return channel(t.colour[0]) | channel(t.colour[1]) << 8 | channel(t.colour[2]) << 16;
}

}  // namespace
}  // namespace dmask::cuda
