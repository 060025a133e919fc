// Deferred shading: for each pixel the nearest triangle, where in it, and how deep.
#pragma once

#include <vector>

#include "geometry/types.hpp"

namespace dmask {

struct GBuffer {
  int width = 0, height = 0;
  std::vector<int> triangle;       // -1: nothing there
  std::vector<float> barycentric;  // of vertices 0 and 1, on the surface (perspective-correct); 2 a pixel
  std::vector<float> depth_mm;     // infinite where nothing is
};

// vertices_px: N rows x, y (pixel centres at integers), depth_mm > 0. Both sides of a triangle are drawn; vertices with a
// depth of zero or less take their triangles away. Throws std::invalid_argument for an index outside 0 .. N-1.
GBuffer draw_gbuffer(const float* vertices_px, const float* depth_mm, int vertex_count, const int* triangles,
                     int triangle_count, int width, int height);

// attributes: N x channels; out: height x width x channels, untouched where nothing is.
void interpolate(const GBuffer& gbuffer, const int* triangles, const float* attributes, int channels, float* out);

}  // namespace dmask
