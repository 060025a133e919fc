// Projected vertices and the edges between them: what decides which pixels a triangle covers.
//
// Edge functions are taken at absolute pixel coordinates and change sign exactly when the end points are swapped: two
// triangles sharing an edge leave no gap and draw no pixel twice, at any size.
#pragma once

#include <cmath>

#include "geometry/host_device.hpp"

namespace dmask::raster {

constexpr float kNearMm = 1.0f;          // nothing nearer is drawn
constexpr float kGuardBandPx = 1e7f;     // farther out than this, a projected vertex counts as not finite

// A projected vertex. Invalid (nearer than the near plane, not finite) if inv_z is 0; triangles with such a vertex are
// not drawn: a face that reaches the lens has nothing to show there.
struct ScreenVertex {
  float x = 0, y = 0;  // pixel
  float inv_z = 0;     // 1/mm, linear in x and y over a triangle
  DMASK_HOST_DEVICE bool valid() const { return inv_z > 0; }
};

// Pixels x0 <= x < x1, y0 <= y < y1.
struct PixelRect {
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  DMASK_HOST_DEVICE bool empty() const { return x0 >= x1 || y0 >= y1; }
};

DMASK_HOST_DEVICE inline ScreenVertex project(float focal_px, float cx, float cy, float x_mm, float y_mm, float z_mm) {
  if (!(z_mm >= kNearMm)) return {};
  const float inv_z = 1.0f / z_mm;
  const ScreenVertex v{focal_px * x_mm * inv_z + cx, focal_px * y_mm * inv_z + cy, inv_z};
  const bool finite = ::fabsf(v.x) < kGuardBandPx && ::fabsf(v.y) < kGuardBandPx;  // false for NaN
  return finite ? v : ScreenVertex{};
}

// Where a point inside the triangle may lie: E(x, y) = a x + b y + c >= least.
struct Edge {
  float a, b, c, least;
};

DMASK_HOST_DEVICE inline Edge make_edge(const ScreenVertex& from, const ScreenVertex& to, float sign) {
  constexpr float smallest = 1.17549435e-38f;  // positive normal number
  const float a = sign * (from.y - to.y), b = sign * (to.x - from.x);
  // Products of floats are exact in double: swapped end points give exactly the opposite.
  const double c = static_cast<double>(from.x) * to.y - static_cast<double>(from.y) * to.x;
  // A pixel exactly on the edge belongs to one of the two triangles.
  const bool owned = (a > 0) | ((a == 0) & (b > 0));
  return {a, b, sign * static_cast<float>(c), static_cast<float>(!owned) * smallest};
}

// Twice the area in the picture; negative if counter-clockwise there (its y axis points down): the front.
DMASK_HOST_DEVICE inline float signed_area(const ScreenVertex& v0, const ScreenVertex& v1, const ScreenVertex& v2) {
  return (v1.x - v0.x) * (v2.y - v0.y) - (v1.y - v0.y) * (v2.x - v0.x);
}

}  // namespace dmask::raster
