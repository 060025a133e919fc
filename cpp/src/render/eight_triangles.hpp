// Eight triangles at a time, ready to be drawn: their edges, and how depth and colour change over them.
#pragma once

#include <array>
#include <cmath>

#include "render/mesh_view.hpp"

namespace dmask {

// Encoded B, G, R (0..255, rounding included) and inverse depth at eight positions.
using Look = std::array<f32x8, 4>;

// Thinner than this, a triangle's look cannot be told from its vertices' rounded positions: it gets their mean.
constexpr float kThinPx = 0.02f;

struct EightTriangles {
  using PerTriangle = float[8];
  const MeshTriangle* triangle[8];                       // of the mesh it was set up from
  alignas(32) PerTriangle a[3], b[3], c[3], least[3];    // edges
  alignas(32) PerTriangle look[4];                       // at the first of its samples
  alignas(32) PerTriangle look_per_x[4], look_per_y[4];  // its change from pixel to pixel

  // `which`: numbers of triangles; beyond `count` the first one is repeated.
  void set_up(const MeshView& mesh, const int* which, int count, bool front);
};

inline void EightTriangles::set_up(const MeshView& mesh, const int* which, int count, bool front) {
  std::array<f32x8, 8> v0, v1, v2;
  std::array<i32x8, 8> record;
  for (int k = 0; k < 8; ++k) {
    const MeshTriangle& t = mesh.triangle[which[k < count ? k : 0]];
    triangle[k] = &t;
    v0[k] = mesh.vertex[t.vertex[0]];
    v1[k] = mesh.vertex[t.vertex[1]];
    v2[k] = mesh.vertex[t.vertex[2]];
    record[k] = load<i32x8>(&t);
  }
  transpose(v0);
  transpose(v1);
  transpose(v2);
  using Point = raster::ScreenPoint<f32x8>;
  const Point p0{v0[4], v0[5], v0[3]}, p1{v1[4], v1[5], v1[3]}, p2{v2[4], v2[5], v2[3]};
  const float sign = front ? -1.0f : 1.0f;
  const std::array<raster::EdgeOf<f32x8>, 3> edge = {raster::make_edge(p1, p2, sign), raster::make_edge(p2, p0, sign),
                                                     raster::make_edge(p0, p1, sign)};
  for (int i = 0; i < 3; ++i) {
    store(a[i], edge[i].a);
    store(b[i], edge[i].b);
    store(c[i], edge[i].c);
    store(least[i], edge[i].least);
  }
  if (!front) return;  // the inside of the head looks the same everywhere
  // Interpolated in the picture: over a triangle of a few millimetres perspective does not show.
  transpose(record);
  const i32x8& first = record[4];
  const f32x8 x = __builtin_convertvector(first & 0xffff, f32x8), y = __builtin_convertvector(first >> 16, f32x8);
  const f32x8 x1 = p1.x - p0.x, y1 = p1.y - p0.y, x2 = p2.x - p0.x, y2 = p2.y - p0.y;
  const f32x8 area = x1 * y2 - x2 * y1;
  const i32x8 thin = abs(area) < kThinPx * (abs(x1) + abs(y1) + abs(x2) + abs(y2));
  const f32x8 inv_area = thin ? f32x8{} : 1.0f / area;
  for (int i = 0; i < 4; ++i) {
    const f32x8 d1 = (v1[i] - v0[i]) * inv_area, d2 = (v2[i] - v0[i]) * inv_area;
    const f32x8 per_x = d1 * y2 - d2 * y1, per_y = d2 * x1 - d1 * x2;
    store(look_per_x[i], per_x);
    store(look_per_y[i], per_y);
    store(look[i], thin ? (v0[i] + v1[i] + v2[i]) * (1.0f / 3.0f) : v0[i] + per_x * (x - p0.x) + per_y * (y - p0.y));
  }
}

}  // namespace dmask
