// Launches of the kernels from parameters to the mask. Pointers are device memory. A launch returns at once; its results
// are there when the stream is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/runtime/stream.hpp"
#include "render/globe_view.hpp"

namespace dmask::cuda {

// --- mask: posing, normals, shading and drawing, as pipeline/mask.hpp and render/ ------------------------------------

// What changes from frame to frame besides the weights.
struct MaskView {
  float rotation[9], translation[3];  // head to camera, row by row; mm
  float focal_px, cx, cy;
  GlobeView globes[2];  // OD, OS
};

// pose.cu: vertices in the camera frame and in the picture.
struct PatchArrays {
  const float* base;               // patch vertices x 3
  const float* motion;             // motions x patch vertices x 3
  const float* brow;               // brow units x patch vertices x 3
  const float* blend;              // patch vertices; 1 patch .. 0 face
  const std::uint8_t* on_globe;    // patch vertices
  const std::uint8_t* inner_edge;  // patch vertices
  int vertices;
  float cosine, sine;          // of the patch's roll
  float offset[3], centre[3];  // of the patch from its globe, and of that in the head, mm
};
struct PoseArguments {
  int vertices, face_vertices, units, motions, brow_units;
  const float* neutral;     // face vertices x 3
  const float* unit;        // units x face vertices x 3
  const int* brow_unit;     // which units they are
  const int* patch_vertex;  // vertices: 2 x vertex of the patch + eye, or -1
  PatchArrays patches[2];
  const MaskView* view;
  const float* weights;  // units, then motions of OD, then of OS
};
struct alignas(16) Position {
  float x, y, z;  // mm
  float finite;   // 1, or 0 with zeros before
};
void pose_mask(const PoseArguments& mask, Position* position, raster::ScreenVertex* screen, StreamHandle stream);

// skin.cu: vertex normals, surroundings and colours.
struct SkinArguments {
  int vertices;
  const int* triangles;  // triangles x 3
  const int* first;      // vertices + 1: where in `around` a vertex's triangles begin
  const int* around;     // in ascending order
  const float* albedo;   // vertices x 3 BGR 0..1, encoded
  const Position* position;
};
struct alignas(16) Colour {
  float b, g, r, unused;  // encoded 0..255, rounding included
};
void shade_skin(const SkinArguments& skin, Colour* colour, StreamHandle stream);

// triangles.cu: what drawing a triangle takes.
struct alignas(16) ScreenTriangle {
  raster::Edge edge[3];
  float inv_z[3];      // at vertex 0 and its change towards vertices 1 and 2; likewise
  float colour[3][3];  // B, G, R
};
struct alignas(8) TriangleBox {
  std::int16_t x0, y0, x1, y1;  // pixels it may touch, x1 and y1 the first beyond; empty: not drawn
};
struct TriangleArguments {
  int triangles, width, height;
  const int* vertex;  // triangles x 3
  const raster::ScreenVertex* screen;
  const Colour* colour;
};
struct TriangleArrays {
  ScreenTriangle* triangle;
  TriangleBox* box;
  std::uint8_t* back;  // 1: seen from behind
};
void set_up_triangles(const TriangleArguments& in, const TriangleArrays& out, StreamHandle stream);

// bins.cu: triangles by squares of the picture: fronts from a bin's begin on, backs from its end backwards, each in the
// order in which they are drawn.
constexpr int bin_px = 128;
constexpr int bins_along(int size_px) { return (size_px + bin_px - 1) / bin_px; }
struct BinArguments {
  int triangles, width, height;
  const TriangleBox* box;
  const std::uint8_t* back;
};
struct BinArrays {
  int* list;   // bins x triangles
  int* count;  // bins x 2: fronts, backs
};
void bin_triangles(const BinArguments& in, const BinArrays& out, StreamHandle stream);

// draw.cu: the nearest surface at each pixel's centre.
struct DrawArguments {
  int triangles, width, height;
  const ScreenTriangle* triangle;
  const TriangleBox* box;
  const int* list;
  const int* count;
  const MaskView* view;
  std::uint32_t background;  // B | G << 8 | R << 16
};
constexpr std::uint32_t globe_flag = 1u << 24;
struct PixelArrays {
  float* inv_depth;       // of the skin, 1/mm; 0: none
  std::uint32_t* colour;  // with globe_flag where an eyeball is seen
};
void draw_mask(const DrawArguments& in, const PixelArrays& out, StreamHandle stream);

// samples.cu: eight samples at edges and eyeballs.
struct LightSum {
  std::uint32_t b, g, r;  // squares of encoded 0..255 over samples of skin and background
};
struct SampleArrays {
  std::uint32_t* colour;  // globe_flag: still to be resolved
  std::uint8_t* seen;     // pixels x 2: samples that see an eyeball, a bit each
  LightSum* sum;          // where the flag stands
};
void sample_mask(const DrawArguments& in, const PixelArrays& pixels, const SampleArrays& out, StreamHandle stream);

// resolve.cu: eyeballs with the lid's shadow, and the picture's bytes.
struct ResolveArguments {
  int width, height;
  const MaskView* view;
  SampleArrays samples;
};
void resolve_mask(const ResolveArguments& in, std::uint8_t* bgr, StreamHandle stream);

}  // namespace dmask::cuda
