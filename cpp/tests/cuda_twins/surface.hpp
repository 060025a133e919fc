// What one position of the picture sees of the mesh, as the CPU draws it; for the twins alone.
#pragma once

#include <cstddef>

#include "cuda_twins/twins.hpp"
#include "render/sampling.hpp"

namespace dmask::cuda {

struct Surface {
  float inv_depth = 0;
  std::uint32_t colour = 0;
};

// Position (x + dx, y + dy) of pixel (x, y).
inline Surface surface_at(const DrawArguments& in, int x, int y, float dx, float dy) {
  const int bin = y / bin_px * bins_along(in.width) + x / bin_px;
  const int* list = in.list + static_cast<std::ptrdiff_t>(bin) * in.triangles;
  const float fx = static_cast<float>(x) + dx, fy = static_cast<float>(y) + dy;
  Surface best{0, in.background};
  float e[3];
  const auto covered = [&](int t) {
    const TriangleBox& b = in.box[t];
    if (x < b.x0 || x >= b.x1 || y < b.y0 || y >= b.y1) return false;
    bool inside = true;
    for (int i = 0; i < 3; ++i) {
      const raster::Edge& edge = in.triangle[t].edge[i];
      e[i] = edge.a * fx + (edge.b * fy + edge.c);
      inside &= e[i] >= edge.least;
    }
    return inside;
  };
  for (int k = 0; k < in.count[2 * bin]; ++k) {
    if (!covered(list[k])) continue;
    const ScreenTriangle& t = in.triangle[list[k]];
    const float inv_sum = 1.0f / (e[0] + e[1] + e[2]), w1 = e[1] * inv_sum, w2 = e[2] * inv_sum;
    const float inv_depth = t.inv_z[0] + w1 * t.inv_z[1] + w2 * t.inv_z[2];
    if (!(inv_depth > best.inv_depth)) continue;
    best = {inv_depth, 0};
    for (int c = 0; c < 3; ++c)
      best.colour |=
          static_cast<std::uint32_t>(static_cast<int>(t.colour[c][0] + w1 * t.colour[c][1] + w2 * t.colour[c][2]))
          << 8 * c;
  }
  for (int k = 0; k < in.count[2 * bin + 1] && best.inv_depth == 0; ++k)
    if (covered(list[in.triangles - 1 - k])) best = {kInsideInvDepth, static_cast<std::uint32_t>(kInside)};
  return best;
}

inline bool holds(const raster::PixelRect& box, int x, int y) {
  return x >= box.x0 && x < box.x1 && y >= box.y0 && y < box.y1;
}

}  // namespace dmask::cuda
