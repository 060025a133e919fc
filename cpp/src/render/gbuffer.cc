#include "render/gbuffer.hpp"

#include <limits>
#include <stdexcept>
#include <string>

#include "render/raster.hpp"

namespace dmask {

GBuffer draw_gbuffer(const float* vertices_px, const float* depth_mm, int vertex_count, const int* triangles,
                     int triangle_count, int width, int height) {
  const size_t pixels = static_cast<size_t>(width) * height;
  GBuffer out{width, height, std::vector<int>(pixels, -1), std::vector<float>(2 * pixels, 0.0f),
              std::vector<float>(pixels, std::numeric_limits<float>::infinity())};
  std::vector<raster::ScreenVertex> screen(vertex_count);
  for (int i = 0; i < vertex_count; ++i) {
    if (depth_mm[i] > 0) screen[i] = {vertices_px[2 * i], vertices_px[2 * i + 1], 1.0f / depth_mm[i]};
  }
  const raster::PixelRect picture{0, 0, width, height};
  for (int t = 0; t < triangle_count; ++t) {
    const int* corner = triangles + 3 * t;
    for (int i = 0; i < 3; ++i) {
      if (corner[i] < 0 || corner[i] >= vertex_count)
        throw std::invalid_argument("triangle " + std::to_string(t) + " names vertex " + std::to_string(corner[i]) +
                                    "; there are " + std::to_string(vertex_count));
    }
    const auto &v0 = screen[corner[0]], &v1 = screen[corner[1]], &v2 = screen[corner[2]];
    raster::TriangleSetup setup;
    if (!raster::setup(v0, v1, v2, picture, setup)) continue;
    raster::for_each_pixel(setup, [&](int x, int y, const Vec3f& weights) {
      const float depth = 1.0f / raster::inverse_depth(weights, v0, v1, v2);
      const size_t at = static_cast<size_t>(y) * width + x;
      if (!(depth < out.depth_mm[at])) return;
      const Vec3f surface = raster::perspective_correct(weights, v0, v1, v2);
      out.depth_mm[at] = depth;
      out.triangle[at] = t;
      out.barycentric[2 * at] = surface.x();
      out.barycentric[2 * at + 1] = surface.y();
    });
  }
  return out;
}

void interpolate(const GBuffer& gbuffer, const int* triangles, const float* attributes, int channels, float* out) {
  for (size_t at = 0; at < gbuffer.triangle.size(); ++at) {
    if (gbuffer.triangle[at] < 0) continue;
    const int* corner = triangles + 3 * gbuffer.triangle[at];
    const float w0 = gbuffer.barycentric[2 * at], w1 = gbuffer.barycentric[2 * at + 1], w2 = 1 - w0 - w1;
    const float* a0 = attributes + static_cast<size_t>(corner[0]) * channels;
    const float* a1 = attributes + static_cast<size_t>(corner[1]) * channels;
    const float* a2 = attributes + static_cast<size_t>(corner[2]) * channels;
    float* pixel = out + at * channels;
    for (int c = 0; c < channels; ++c) pixel[c] = w0 * a0[c] + w1 * a1[c] + w2 * a2[c];
  }
}

}  // namespace dmask
