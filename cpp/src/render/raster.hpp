// Triangle traversal: which pixel centres a triangle covers, and where in the triangle they lie.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "geometry/camera.hpp"
#include "geometry/types.hpp"
#include "render/edges.hpp"

namespace dmask::raster {

inline ScreenVertex project(const Camera& camera, const Vec3f& p) {
  return project(static_cast<float>(camera.focal_px), static_cast<float>(camera.cx), static_cast<float>(camera.cy),
                 p.x(), p.y(), p.z());
}

struct TriangleSetup {
  std::array<Edge, 3> edge;  // edge i lies opposite vertex i; E_i / (E_0 + E_1 + E_2) is its barycentric coordinate
  bool front;                // counter-clockwise as seen in the picture (its y axis points down)
  PixelRect box;             // pixels that may be covered, within the clip rectangle
};

inline std::array<Edge, 3> make_edges(const ScreenVertex& v0, const ScreenVertex& v1, const ScreenVertex& v2,
                                      bool front) {
  const float sign = front ? -1.0f : 1.0f;
  return {make_edge(v1, v2, sign), make_edge(v2, v0, sign), make_edge(v0, v1, sign)};
}

// Pixels whose centre may be covered. Vertices must be valid.
inline PixelRect covered_box(const ScreenVertex& v0, const ScreenVertex& v1, const ScreenVertex& v2,
                             const PixelRect& clip) {
  const float x_min = std::min({v0.x, v1.x, v2.x}), x_max = std::max({v0.x, v1.x, v2.x});
  const float y_min = std::min({v0.y, v1.y, v2.y}), y_max = std::max({v0.y, v1.y, v2.y});
  return {static_cast<int>(std::ceil(std::clamp(x_min, static_cast<float>(clip.x0), static_cast<float>(clip.x1)))),
          static_cast<int>(std::ceil(std::clamp(y_min, static_cast<float>(clip.y0), static_cast<float>(clip.y1)))),
          static_cast<int>(std::floor(std::clamp(x_max, clip.x0 - 1.0f, clip.x1 - 1.0f))) + 1,
          static_cast<int>(std::floor(std::clamp(y_max, clip.y0 - 1.0f, clip.y1 - 1.0f))) + 1};
}

// False if nothing can be covered: an invalid vertex, no area, or outside `clip`.
inline bool setup(const ScreenVertex& v0, const ScreenVertex& v1, const ScreenVertex& v2, const PixelRect& clip,
                  TriangleSetup& out) {
  if (!(v0.valid() && v1.valid() && v2.valid())) return false;
  out.box = covered_box(v0, v1, v2, clip);
  if (out.box.empty()) return false;
  const float area = signed_area(v0, v1, v2);
  if (area == 0) return false;
  out.front = area < 0;
  out.edge = make_edges(v0, v1, v2, out.front);
  return true;
}

// Calls visit(x, y, screen) for every covered pixel; `screen` are the barycentric coordinates in the picture (depth's
// inverse is linear in them). For surface attributes turn them into `perspective_correct` ones.
template <class Visit>
void for_each_pixel(const TriangleSetup& t, Visit&& visit) {
  for (int y = t.box.y0; y < t.box.y1; ++y) {
    std::array<float, 3> row;
    for (int i = 0; i < 3; ++i) row[i] = t.edge[i].b * static_cast<float>(y) + t.edge[i].c;
    for (int x = t.box.x0; x < t.box.x1; ++x) {
      std::array<float, 3> e;
      bool inside = true;
      for (int i = 0; i < 3; ++i) {
        e[i] = t.edge[i].a * static_cast<float>(x) + row[i];
        inside &= e[i] >= t.edge[i].least;
      }
      if (!inside) continue;
      const float inv_sum = 1.0f / (e[0] + e[1] + e[2]);  // not 1 / area: stays within 0..1 for slivers
      visit(x, y, Vec3f(e[0] * inv_sum, e[1] * inv_sum, e[2] * inv_sum));
    }
  }
}

inline float inverse_depth(const Vec3f& screen, const ScreenVertex& v0, const ScreenVertex& v1,
                           const ScreenVertex& v2) {
  return screen.dot(Vec3f(v0.inv_z, v1.inv_z, v2.inv_z));
}

// Barycentric coordinates on the surface itself.
inline Vec3f perspective_correct(const Vec3f& screen, const ScreenVertex& v0, const ScreenVertex& v1,
                                 const ScreenVertex& v2) {
  const Vec3f weighted = screen.cwiseProduct(Vec3f(v0.inv_z, v1.inv_z, v2.inv_z));
  return weighted / weighted.sum();
}

}  // namespace dmask::raster
