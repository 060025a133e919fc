// Projected vertices and the edges between them: what decides which pixels a triangle covers.
//
// Edge functions are taken at absolute pixel coordinates and change sign exactly when the end points are swapped: two
// triangles sharing an edge leave no gap and draw no pixel twice, at any size.
//
// Written once for a number F: float, or f32x8 on the CPU.
#pragma once

#include "render/numbers.hpp"

namespace dmask::raster {

constexpr float kNearMm = 1.0f;       // nothing nearer is drawn
constexpr float kGuardBandPx = 1e7f;  // farther out than this, a projected vertex counts as not finite

// A projected vertex. Invalid (nearer than the near plane, not finite) if inv_z is 0; triangles with such a vertex are
// not drawn: a face that reaches the lens has nothing to show there.
template <class F>
struct ScreenPoint {
  F x{}, y{};  // pixel
  F inv_z{};   // 1/mm, linear in x and y over a triangle
  DMASK_HOST_DEVICE auto valid() const { return inv_z > 0.0f; }
};
using ScreenVertex = ScreenPoint<float>;

// Pixels x0 <= x < x1, y0 <= y < y1.
struct PixelRect {
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  DMASK_HOST_DEVICE bool empty() const { return x0 >= x1 || y0 >= y1; }
};

template <class F>
DMASK_HOST_DEVICE inline ScreenPoint<F> project(float focal_px, float cx, float cy, const F& x_mm, const F& y_mm,
                                                const F& z_mm) {
  const F zero{}, inv_z = 1.0f / z_mm;
  const F x = focal_px * x_mm * inv_z + cx, y = focal_px * y_mm * inv_z + cy;
  const auto shown = (z_mm >= kNearMm) & (abs(x) < kGuardBandPx) & (abs(y) < kGuardBandPx);  // false for NaN
  return {shown ? x : zero, shown ? y : zero, shown ? inv_z : zero};
}

// Where a point inside the triangle may lie: E(x, y) = a x + b y + c >= least.
template <class F>
struct EdgeOf {
  F a, b, c, least;
};
using Edge = EdgeOf<float>;

template <class F>
DMASK_HOST_DEVICE inline EdgeOf<F> make_edge(const ScreenPoint<F>& from, const ScreenPoint<F>& to, float sign) {
  constexpr float smallest = 1.17549435e-38f;  // positive normal number
  const F zero{}, a = sign * (from.y - to.y), b = sign * (to.x - from.x);
  // A pixel exactly on the edge belongs to one of the two triangles.
  const auto owned = (a > 0.0f) | ((a == 0.0f) & (b > 0.0f));
  return {a, b, sign * cross(from.x, to.y, from.y, to.x), owned ? zero : F(zero + smallest)};
}

// Twice the area in the picture; negative if counter-clockwise there (its y axis points down): the front.
template <class F>
DMASK_HOST_DEVICE inline F signed_area(const ScreenPoint<F>& v0, const ScreenPoint<F>& v1, const ScreenPoint<F>& v2) {
  return (v1.x - v0.x) * (v2.y - v0.y) - (v1.y - v0.y) * (v2.x - v0.x);
}

}  // namespace dmask::raster
