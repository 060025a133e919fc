// The mesh as the camera sees it: vertices in the picture with their colours, triangles in the order they are drawn.
#pragma once

#include <cstdint>
#include <vector>

#include "render/edges.hpp"
#include "render/scene.hpp"

namespace dmask {

constexpr int kBandRows = 64;  // the picture is drawn in bands of rows that stay in cache

struct MeshTriangle {
  struct Box {
    std::int16_t x0, y0, x1, y1;  // pixels, last ones included
  };
  int vertex[3];
  int list;     // 2 b: a front that begins in band b; 2 b + 1: a back
  Box samples;  // around the pixels of which it may cover a sample
  Box centres;  // the same for their centres; may be empty
};

// Holds its buffers: looking at a mesh of the same size again allocates nothing.
class MeshView {
 public:
  // A vertex holds encoded B, G, R (0..255, rounding included), inverse depth (0: not to be drawn), pixel x, y.
  std::vector<f32x8> vertex;
  std::vector<MeshTriangle> triangle;  // those that may show
  std::vector<int> listed;             // their numbers, list after list
  std::vector<int> list_start;         // in `listed`, and one more for the end
  raster::PixelRect box;               // around all samples; empty if nothing is to be drawn

  // A triangle is listed in the first band that has it among its rows or next to them.
  void look_at(const MaskScene& scene);

 private:
  void place(const Points3f& vertices, const Camera& camera);
  void list_triangles(const Triangles& triangles, const Camera& camera);
  void shade(const Points3f& albedo);

  std::vector<f32x8> place_;         // X, Y, Z mm, 1 (0: not finite), pixel x, y, inverse depth, 0
  std::vector<f32x8> surroundings_;  // sums over a vertex's triangles: cross products, 0, corners, number of corners
};

}  // namespace dmask
