// The mask's picture, in bands of rows that stay in cache. Each band is drawn twice: once with one sample a pixel,
// then, only where that shows an edge or an eyeball, with eight.
#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "geometry/check.hpp"
#include "render/lanes.hpp"
#include "render/globe.hpp"
#include "render/raster.hpp"
#include "render/sampling.hpp"
#include "render/scene.hpp"
#include "render/skin.hpp"

namespace dmask {
namespace {

using raster::PixelRect;
using raster::ScreenVertex;

constexpr int kBandRows = 64;
constexpr int kPad = 8;  // columns beside a band, so that eight pixels at a time may run over
constexpr int kMaxPicture = 16384;

constexpr f32x8 kSampleX = {sample_x(0), sample_x(1), sample_x(2), sample_x(3),
                            sample_x(4), sample_x(5), sample_x(6), sample_x(7)};
constexpr f32x8 kSampleY = {sample_y(0), sample_y(1), sample_y(2), sample_y(3),
                            sample_y(4), sample_y(5), sample_y(6), sample_y(7)};

struct MeshTriangle {
  int vertex[3];
  std::int16_t centres[4], samples[4];  // boxes around the pixels it may cover: x0, y0, -x1, -y1, last ones included
};

// Ready to be drawn: quantities at vertex 0 and their change towards vertices 1 and 2.
struct BandTriangle {
  std::array<raster::Edge, 3> edge;
  PixelRect samples;
  float inv_z[3];
  f32x4 colour[3];  // encoded BGR 0..255, rounding included
};

f32x4 cross(const f32x4& a, const f32x4& b) {
  const auto yzx = [](const f32x4& v) { return __builtin_shufflevector(v, v, 1, 2, 0, 3); };
  return yzx(a * yzx(b) - yzx(a) * b);
}

struct Position8 {
  f32x8 x, y;
};

struct Covered8 {
  i32x8 inside;
  f32x8 e0, e1, e2;
};

inline Covered8 cover(const std::array<raster::Edge, 3>& edge, const Position8& p) {
  const auto at = [&](const raster::Edge& e) { return e.a * p.x + (e.b * p.y + e.c); };
  const f32x8 e0 = at(edge[0]), e1 = at(edge[1]), e2 = at(edge[2]);
  return {(e0 >= edge[0].least) & (e1 >= edge[1].least) & (e2 >= edge[2].least), e0, e1, e2};
}

// Draws a triangle's front at eight positions of which depth (inverse) and colour lie one after the other. Without
// leaving early: whether a position is covered cannot be predicted, and a wrong guess costs as much as all of this.
inline void draw_front(const BandTriangle& t, const Position8& p, float* inv_depth, std::uint32_t* colour) {
  const Covered8 c = cover(t.edge, p);
  const f32x8 inv_sum = 1.0f / (c.e0 + c.e1 + c.e2);
  const f32x8 w1 = c.e1 * inv_sum, w2 = c.e2 * inv_sum;
  const f32x8 inv_z = t.inv_z[0] + w1 * t.inv_z[1] + w2 * t.inv_z[2];
  const f32x8 before = load<f32x8>(inv_depth);
  const i32x8 nearer = c.inside & (inv_z > before);
  store(inv_depth, nearer ? inv_z : before);
  // Colours are interpolated in the picture: over a triangle of a few millimetres perspective does not show.
  const auto channel = [&](int k) {
    return __builtin_convertvector(t.colour[0][k] + w1 * t.colour[1][k] + w2 * t.colour[2][k], i32x8);
  };
  const i32x8 bgr = channel(0) | channel(1) << 8 | channel(2) << 16;
  store(colour, nearer ? bgr : load<i32x8>(colour));
}

// A triangle's back only shows where there is no front: through the eye's opening, an open mouth, the neck's end.
inline void draw_back(const BandTriangle& t, const Position8& p, float* inv_depth, std::uint32_t* colour) {
  const f32x8 before = load<f32x8>(inv_depth);
  const i32x8 empty = cover(t.edge, p).inside & (before == 0.0f);
  store(inv_depth, empty ? all(kInsideInvDepth) : before);
  store(colour, empty ? i32x8{} + kInside : load<i32x8>(colour));
}

// Bits of the columns x0 <= x < x1 in the word that begins at column `first`.
inline std::uint64_t span(int first, int x0, int x1) {
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  const int from = x0 - first, to = x1 - first;
  if (from >= 64 || to <= 0) return 0;
  return (from > 0 ? ones << from : ones) & (to < 64 ? ~(ones << to) : ones);
}

inline f32x8 green_of(const std::uint32_t* pixels) {
  return __builtin_convertvector(load<i32x8>(pixels) >> 8 & 255, f32x8);
}

// 8 bit BGRx pixels from encoded 0..1.
inline u32x8 pack(const Bgr<f32x8>& c) {
  const auto byte = [](const f32x8& x) { return __builtin_convertvector(clamp01(x) * 255.0f + 0.5f, i32x8); };
  return reinterpret_cast<u32x8>(byte(c.b) | byte(c.g) << 8 | byte(c.r) << 16);
}

// Mean of eight pixels, as the light they stand for (a square comes near enough to sRGB's curve).
std::uint32_t average(const std::uint32_t* samples) {
  const u32x8 bgr = load<u32x8>(samples);
  const auto channel = [&](int shift) {
    const f32x8 v = __builtin_convertvector(reinterpret_cast<i32x8>(bgr >> shift & 255u), f32x8);
    return static_cast<std::uint32_t>(std::sqrt(sum(v * v) * 0.125f) + 0.5f) << shift;
  };
  return channel(0) | channel(8) | channel(16);
}

// Sentences are made only when needed: making one allocates.
void check_scene(const MaskScene& scene) {
  check_camera(scene.camera);
  if (!(scene.vertices && scene.triangles && scene.albedo))
    throw Error("the scene lacks vertices, triangles or albedo: set all three (they may have no rows)");
  const auto vertex_count = scene.vertices->rows();
  if (scene.albedo->rows() != vertex_count)
    throw Error("the scene has " + std::to_string(vertex_count) + " vertices and albedo for " +
                std::to_string(scene.albedo->rows()) + ", expected one each");
  const int* index = scene.triangles->data();
  unsigned largest = 0;  // a negative index becomes a very large one
  for (Eigen::Index i = 0; i < scene.triangles->size(); ++i)
    largest = std::max(largest, static_cast<unsigned>(index[i]));
  if (scene.triangles->size() > 0 && largest >= static_cast<std::size_t>(vertex_count))
    throw Error("a triangle names vertex " + std::to_string(static_cast<int>(largest)) + ", expected 0 .. " +
                std::to_string(vertex_count - 1));
}

}  // namespace

void check_camera(const Camera& camera) {
  if (camera.width < 1 || camera.height < 1 || camera.width > kMaxPicture || camera.height > kMaxPicture)
    throw Error("the camera's picture is " + std::to_string(camera.width) + " x " + std::to_string(camera.height) +
                ", expected 1 .. " + std::to_string(kMaxPicture) + " pixels each way");
  if (!(std::isfinite(camera.focal_px) && camera.focal_px > 0 && std::isfinite(camera.cx) && std::isfinite(camera.cy)))
    throw Error("the camera's focal length is " + std::to_string(camera.focal_px) + " px and its principal point (" +
                std::to_string(camera.cx) + ", " + std::to_string(camera.cy) +
                "), expected a positive number and finite ones");
}

struct Renderer::Buffers {
  // Mesh; a vertex's fourth lane is 1, or 0 for one that is not finite.
  std::vector<f32x4> position, normal, neighbours, colour;
  std::vector<ScreenVertex> screen;
  std::vector<MeshTriangle> mesh, sorted;
  std::vector<int> list, list_start;  // list 2 b: fronts beginning in band b; 2 b + 1: backs
  std::array<std::vector<int>, 2> active;  // fronts, backs
  PixelRect box;  // all that is drawn

  // Band, with one row above and below for what lies next to it.
  int stride = 0;
  std::vector<float> inv_depth;
  std::vector<std::uint32_t> pixel;
  std::vector<BandTriangle> fronts, backs;
  std::vector<std::uint64_t> empty;   // pixels without a front
  int words = 0;                      // of 64 pixels in a row
  std::vector<std::uint64_t> marks;   // pixels to be supersampled
  std::vector<std::uint64_t> globe_marks;
  std::vector<std::uint64_t> marked_columns;  // with a mark in any row of the band
  std::vector<int> word_slot;         // number of marked pixels before each word
  std::vector<float> sample_inv_depth;
  std::vector<std::uint32_t> sample;

  std::array<GlobeView, 2> globes;
  std::array<std::vector<float>, 2> below_lid_px;  // per column
  std::vector<std::uint8_t> background_row;

  float* depth_row(int row) { return inv_depth.data() + static_cast<std::size_t>(row + 1) * stride + kPad; }
  std::uint32_t* pixel_row(int row) { return pixel.data() + static_cast<std::size_t>(row + 1) * stride + kPad; }
  bool marked(int row, int x) const { return marks[row * words + (x >> 6)] >> (x & 63) & 1; }
  unsigned marks_from(int row, int x) const {  // of eight pixels
    std::uint64_t eight;  // bits lie in memory as columns do: little endian
    std::memcpy(&eight, reinterpret_cast<const std::uint8_t*>(marks.data() + row * words) + (x >> 3), sizeof eight);
    return static_cast<unsigned>(eight >> (x & 7)) & 255u;
  }
  std::size_t slot(int row, int x) const {  // of a marked pixel, its first sample
    const int word = row * words + (x >> 6);
    const std::uint64_t before = marks[word] & ((std::uint64_t{1} << (x & 63)) - 1);
    return 8 * static_cast<std::size_t>(word_slot[word] + std::popcount(before));
  }

  void resize(const Camera& camera, const RenderStyle& style);
  void place_vertices(const MaskScene& scene);
  void sort_triangles(const MaskScene& scene);
  void shade_vertices(const Points3f& albedo);
  void draw_band(int y0, int rows, std::uint32_t background);
  void mark_edges(int rows, float mm_per_px);
  void mark_globes(int y0, int rows);
  void supersample(int y0, int rows, std::uint32_t background);
  void draw_globe(int which, int y0, int rows);
  void resolve(int y0, int rows, Image& out);
};

void Renderer::Buffers::resize(const Camera& camera, const RenderStyle& style) {
  const auto width = static_cast<std::size_t>(camera.width);
  stride = (camera.width + 7) / 8 * 8 + 2 * kPad;
  words = (camera.width + 63) / 64;
  inv_depth.resize(static_cast<std::size_t>(kBandRows + 2) * stride);
  pixel.resize(inv_depth.size());
  marks.resize(static_cast<std::size_t>(kBandRows) * words + 1);  // one more to be read over the end
  globe_marks.resize(static_cast<std::size_t>(kBandRows + 2) * words);
  empty.resize(globe_marks.size());
  marked_columns.resize(words);
  word_slot.resize(static_cast<std::size_t>(kBandRows) * words);
  sample_inv_depth.resize(kBandRows * width * 8);
  sample.resize(sample_inv_depth.size());
  for (auto& columns : below_lid_px) columns.assign(width, kNoLidPx);
  background_row.resize(3 * width);
  for (std::size_t i = 0; i < background_row.size(); ++i) background_row[i] = style.background_bgr[i % 3];
}

void Renderer::Buffers::place_vertices(const MaskScene& scene) {
  const Points3f& vertices = *scene.vertices;
  const Eigen::Index n = vertices.rows();
  position.resize(n);
  screen.resize(n);
  normal.assign(n, f32x4{});
  neighbours.assign(n, f32x4{});
  for (Eigen::Index i = 0; i < n; ++i) {
    const Vec3f p = vertices.row(i);
    const bool finite = std::abs(p.x()) < kMaxMm && std::abs(p.y()) < kMaxMm && std::abs(p.z()) < kMaxMm;
    position[i] = finite ? f32x4{p.x(), p.y(), p.z(), 1} : f32x4{};
    screen[i] = finite ? raster::project(scene.camera, p) : ScreenVertex{};
  }
}

// Vertex normals and surroundings, and the triangles that may show, listed by the band they begin in and their side.
void Renderer::Buffers::sort_triangles(const MaskScene& scene) {
  const Triangles& triangles = *scene.triangles;
  const Camera& camera = scene.camera;
  const Eigen::Index count = triangles.rows();
  const int lists = 2 * ((camera.height + kBandRows - 1) / kBandRows);
  mesh.resize(count);
  sorted.resize(count);
  list.resize(count);
  for (auto& a : active) a.reserve(count);
  fronts.reserve(count);
  backs.reserve(count);
  list_start.assign(lists + 1, 0);
  i32x4 around = {camera.width, camera.height, 1, 1};  // x0, y0, -x1, -y1 of all boxes, last ones included
  const float right = static_cast<float>(camera.width - 1), bottom = static_cast<float>(camera.height - 1);
  const f32x4 least = {0, 0, -right, -bottom};

  int kept = 0;
  const int* index = triangles.data();
  for (Eigen::Index t = 0; t < count; ++t, index += 3) {
    const int i0 = index[0], i1 = index[1], i2 = index[2];
    const f32x4 p0 = position[i0], p1 = position[i1], p2 = position[i2];
    if (p0[3] * p1[3] * p2[3] == 0) continue;
    const f32x4 n = cross(p1 - p0, p2 - p0), three = p0 + p1 + p2;
    normal[i0] += n;
    normal[i1] += n;
    normal[i2] += n;
    neighbours[i0] += three;
    neighbours[i1] += three;
    neighbours[i2] += three;

    const ScreenVertex &v0 = screen[i0], &v1 = screen[i1], &v2 = screen[i2];
    if (!(v0.valid() && v1.valid() && v2.valid())) continue;
    const float area = raster::signed_area(v0, v1, v2);
    if (area == 0) continue;
    // Lower bounds of x, y, -x, -y: rounded up they are the first and minus the last pixel.
    const f32x4 low = {std::min({v0.x, v1.x, v2.x}), std::min({v0.y, v1.y, v2.y}), -std::max({v0.x, v1.x, v2.x}),
                       -std::max({v0.y, v1.y, v2.y})};
    const f32x4 first = max(low - kSampleReach, least);
    if (first[0] > right || first[1] > bottom || first[2] > 0 || first[3] > 0) continue;
    MeshTriangle& m = mesh[kept];
    m = {{i0, i1, i2}, {}, {}};
    const i32x4 samples = ceil(first), centres = ceil(max(min(low, f32x4{} + 20000.0f), least));
    if (samples[0] > -samples[2] || samples[1] > -samples[3]) continue;
    for (int k = 0; k < 4; ++k) {
      m.samples[k] = static_cast<std::int16_t>(samples[k]);
      m.centres[k] = static_cast<std::int16_t>(centres[k]);
    }
    around = min(around, samples);
    // From one row earlier: a band looks at the rows beside it.
    const int band = std::max(samples[1] - 1, 0) / kBandRows;
    list[kept] = 2 * band + (area > 0);
    ++list_start[list[kept++] + 1];
  }
  box = {around[0], around[1], 1 - around[2], 1 - around[3]};
  for (int k = 0; k < lists; ++k) list_start[k + 1] += list_start[k];
  for (int k = 0; k < kept; ++k) sorted[list_start[list[k]]++] = mesh[k];
  for (int k = lists; k > 0; --k) list_start[k] = list_start[k - 1];  // filling moved each to its end
  list_start[0] = 0;
}

void Renderer::Buffers::shade_vertices(const Points3f& albedo) {
  const int n = static_cast<int>(position.size());
  colour.resize(n);
  for (int first = 0; first < n; first += 8) {
    const int lanes = std::min(8, n - first);
    Normal<f32x8> sum{};
    f32x8 hollow{};
    Bgr<f32x8> tone{};
    for (int k = 0; k < lanes; ++k) {
      const f32x4 m = normal[first + k], around = neighbours[first + k], p = position[first + k];
      sum.x[k] = m[0], sum.y[k] = m[1], sum.z[k] = m[2];
      const float share = around[3] > 0 ? 1.0f / around[3] : 0.0f;
      const f32x4 offset = around * share - p;
      hollow[k] = offset[0] * m[0] + offset[1] * m[1] + offset[2] * m[2];
      tone.b[k] = albedo(first + k, 0), tone.g[k] = albedo(first + k, 1), tone.r[k] = albedo(first + k, 2);
    }
    const Bgr<f32x8> c = skin_colour(sum, hollow, tone);
    for (int k = 0; k < lanes; ++k)
      colour[first + k] = f32x4{c.b[k], c.g[k], c.r[k], 0} * kColourScale + 0.5f;
  }
}

void Renderer::Buffers::draw_band(int y0, int rows, std::uint32_t background) {
  const int from = box.x0 - kPad, width = box.x1 - box.x0 + 2 * kPad;
  for (int row = -1; row <= rows; ++row) {
    std::fill_n(depth_row(row) + from, width, 0.0f);
    std::fill_n(pixel_row(row) + from, width, background);
  }
  const auto rows_of = [&](const std::int16_t b[4]) {
    return PixelRect{b[0], std::max<int>(b[1], y0 - 1), 1 - b[2], std::min(1 - b[3], y0 + rows + 1)};
  };
  fronts.clear();
  for (const int k : active[0]) {
    const MeshTriangle& m = sorted[k];
    const PixelRect samples = rows_of(m.samples);
    if (samples.empty()) continue;
    const int i0 = m.vertex[0], i1 = m.vertex[1], i2 = m.vertex[2];
    const ScreenVertex &v0 = screen[i0], &v1 = screen[i1], &v2 = screen[i2];
    const BandTriangle& t = fronts.emplace_back(BandTriangle{
        raster::make_edges(v0, v1, v2, true), samples, {v0.inv_z, v1.inv_z - v0.inv_z, v2.inv_z - v0.inv_z},
        {colour[i0], colour[i1] - colour[i0], colour[i2] - colour[i0]}});
    const PixelRect centres = rows_of(m.centres);
    for (int y = centres.y0; y < centres.y1; ++y) {
      float* depths = depth_row(y - y0);
      std::uint32_t* pixels = pixel_row(y - y0);
      const f32x8 fy = all(static_cast<float>(y));
      for (int x = centres.x0; x < centres.x1; x += 8)
        draw_front(t, {static_cast<float>(x) + kLane, fy}, depths + x, pixels + x);
    }
  }

  for (int row = -1; row <= rows; ++row) {
    const float* depths = depth_row(row);
    std::uint64_t* word = empty.data() + (row + 1) * words;
    std::fill_n(word, words, 0);
    for (int x = box.x0 & ~7; x < box.x1; x += 8)
      word[x >> 6] |= static_cast<std::uint64_t>(bits(load<f32x8>(depths + x) == 0.0f)) << (x & 63);
  }
  backs.clear();
  for (const int k : active[1]) {
    const MeshTriangle& m = sorted[k];
    const PixelRect samples = rows_of(m.samples);
    bool may_show = false;
    for (int y = samples.y0; y < samples.y1 && !may_show; ++y)
      for (int w = samples.x0 >> 6; w <= (samples.x1 - 1) >> 6; ++w)
        may_show |= (empty[(y - y0 + 1) * words + w] & span(64 * w, samples.x0, samples.x1)) != 0;
    if (!may_show) continue;
    const ScreenVertex &v0 = screen[m.vertex[0]], &v1 = screen[m.vertex[1]], &v2 = screen[m.vertex[2]];
    const BandTriangle& t = backs.emplace_back(BandTriangle{raster::make_edges(v0, v1, v2, false), samples, {}, {}});
    const PixelRect centres = rows_of(m.centres);
    for (int y = centres.y0; y < centres.y1; ++y) {
      const f32x8 fy = all(static_cast<float>(y));
      for (int x = centres.x0; x < centres.x1; x += 8)
        draw_back(t, {static_cast<float>(x) + kLane, fy}, depth_row(y - y0) + x, pixel_row(y - y0) + x);
    }
  }
}

// Where depth or colour jumps to a neighbour.
void Renderer::Buffers::mark_edges(int rows, float focal_px) {
  std::fill_n(marks.begin(), rows * words, 0);
  const float inv_focal = 1.0f / focal_px;
  for (int row = 0; row < rows; ++row) {
    const float *above = depth_row(row - 1), *here = depth_row(row), *below = depth_row(row + 1);
    const std::uint32_t *colours = pixel_row(row), *colours_above = pixel_row(row - 1);
    const std::uint32_t* colours_below = pixel_row(row + 1);
    std::uint64_t* mark = marks.data() + row * words;
    for (int x = box.x0 & ~7; x < box.x1; x += 8) {
      const f32x8 d = load<f32x8>(here + x);
      const f32x8 jump = max(max(abs(d - load<f32x8>(here + x - 1)), abs(d - load<f32x8>(here + x + 1))),
                             max(abs(d - load<f32x8>(above + x)), abs(d - load<f32x8>(below + x))));
      const f32x8 green = green_of(colours + x);
      const f32x8 step = max(max(abs(green - green_of(colours + x - 1)), abs(green - green_of(colours + x + 1))),
                             max(abs(green - green_of(colours_above + x)), abs(green - green_of(colours_below + x))));
      const i32x8 edge = (jump > allowed_jump(d, inv_focal)) | (step > kColourStep);
      if (any(edge)) mark[x >> 6] |= static_cast<std::uint64_t>(bits(edge)) << (x & 63);
    }
  }
}

// Pixels that see a globe, and those next to them.
void Renderer::Buffers::mark_globes(int y0, int rows) {
  std::fill_n(globe_marks.begin(), (rows + 2) * words, 0);
  bool some = false;
  for (const GlobeView& globe : globes) {
    const PixelRect& b = globe.box;
    for (int y = std::max(b.y0, y0 - 1); y < std::min(b.y1, y0 + rows + 1); ++y) {
      const float* depths = depth_row(y - y0);
      std::uint64_t* mark = globe_marks.data() + (y - y0 + 1) * words;
      for (int x = b.x0 & ~7; x < b.x1; x += 8) {
        const GlobeHit<f32x8> h = intersect(globe, static_cast<float>(x) + kLane, all(static_cast<float>(y)));
        const i32x8 seen = h.hit & (h.inv_z > load<f32x8>(depths + x));
        if (any(seen)) mark[x >> 6] |= static_cast<std::uint64_t>(bits(seen)) << (x & 63);
      }
      some = true;
    }
  }
  if (!some) return;
  const std::uint64_t* m = globe_marks.data();
  for (int row = 0; row < rows; ++row) {
    for (int w = 0; w < words; ++w) {
      const auto column = [&](int word) {
        if (word < 0 || word >= words) return std::uint64_t{0};
        return m[row * words + word] | m[(row + 1) * words + word] | m[(row + 2) * words + word];
      };
      const std::uint64_t c = column(w);
      marks[row * words + w] |= c | c << 1 | c >> 1 | column(w - 1) >> 63 | column(w + 1) << 63;
    }
  }
}

void Renderer::Buffers::supersample(int y0, int rows, std::uint32_t background) {
  // Only pixels within the drawn box.
  int slots = 0;
  std::fill(marked_columns.begin(), marked_columns.end(), 0);
  for (int row = 0; row < rows; ++row) {
    for (int w = 0; w < words; ++w) {
      std::uint64_t& mark = marks[row * words + w];
      if (mark == 0) {
        word_slot[row * words + w] = slots;
        continue;
      }
      mark &= span(64 * w, box.x0, box.x1);
      word_slot[row * words + w] = slots;
      slots += std::popcount(mark);
      marked_columns[w] |= mark;
    }
  }
  if (slots == 0) return;
  std::fill_n(sample_inv_depth.begin(), 8 * static_cast<std::size_t>(slots), 0.0f);
  std::fill_n(sample.begin(), 8 * static_cast<std::size_t>(slots), background);
  const auto draw_marked = [&](const BandTriangle& t, auto&& draw) {
    const PixelRect& b = t.samples;
    std::uint64_t hit = 0;
    for (int w = b.x0 >> 6; w <= (b.x1 - 1) >> 6; ++w) hit |= marked_columns[w] & span(64 * w, b.x0, b.x1);
    if (hit == 0) return;
    // Which pixels of eight the triangle may touch: their centre is inside once each edge is moved out by the reach.
    std::array<f32x8, 3> across;  // an edge's function at y = 0, from column 0 on
    for (int i = 0; i < 3; ++i) {
      const raster::Edge& e = t.edge[i];
      across[i] = e.a * kLane + (e.c + 1.01f * kSampleReach * (std::abs(e.a) + std::abs(e.b)));
    }
    for (int y = std::max(b.y0, y0); y < std::min(b.y1, y0 + rows); ++y) {
      const float fy = static_cast<float>(y);
      for (int x0 = b.x0; x0 < b.x1; x0 += 8) {
        unsigned marked = marks_from(y - y0, x0);
        if (b.x1 - x0 < 8) marked &= (1u << (b.x1 - x0)) - 1;
        if (marked == 0) continue;
        const auto at = [&](int i) { return across[i] + (t.edge[i].a * static_cast<float>(x0) + t.edge[i].b * fy); };
        marked &= bits((at(0) >= 0.0f) & (at(1) >= 0.0f) & (at(2) >= 0.0f));
        for (; marked != 0; marked &= marked - 1) {
          const int x = x0 + std::countr_zero(marked);
          const std::size_t s = slot(y - y0, x);
          draw(t, {static_cast<float>(x) + kSampleX, fy + kSampleY}, sample_inv_depth.data() + s, sample.data() + s);
        }
      }
    }
  };
  for (const BandTriangle& t : fronts) draw_marked(t, draw_front);
  for (const BandTriangle& t : backs) draw_marked(t, draw_back);
}

void Renderer::Buffers::draw_globe(int which, int y0, int rows) {
  const GlobeView& globe = globes[which];
  std::vector<float>& below_lid = below_lid_px[which];
  const PixelRect& b = globe.box;
  for (int y = std::max(b.y0, y0); y < std::min(b.y1, y0 + rows); ++y) {
    for (int x = b.x0; x < b.x1; ++x) {
      if (!marked(y - y0, x)) {  // skin, or beside the globe
        below_lid[x] = 0;
        continue;
      }
      const std::size_t s = slot(y - y0, x);
      const GlobeHit<f32x8> h = intersect(globe, static_cast<float>(x) + kSampleX, static_cast<float>(y) + kSampleY);
      const i32x8 seen = h.hit & (h.inv_z > load<f32x8>(sample_inv_depth.data() + s));
      const float share = 0.125f * static_cast<float>(std::popcount(bits(seen)));
      if (share == 0) {
        below_lid[x] = 0;
        continue;
      }
      const u32x8 seen_colour = pack(globe_colour(globe, h.normal, (below_lid[x] + 0.5f * share) * globe.mm_per_px));
      below_lid[x] += share;
      store(sample.data() + s, seen ? seen_colour : load<u32x8>(sample.data() + s));
      store(sample_inv_depth.data() + s, seen ? h.inv_z : load<f32x8>(sample_inv_depth.data() + s));
    }
  }
}

void Renderer::Buffers::resolve(int y0, int rows, Image& out) {
  for (int row = 0; row < rows; ++row) {
    std::uint32_t* pixels = pixel_row(row);
    for (int w = 0; w < words; ++w) {
      std::size_t s = 8 * static_cast<std::size_t>(word_slot[row * words + w]);
      for (std::uint64_t left = marks[row * words + w]; left != 0; left &= left - 1, s += 8)
        pixels[64 * w + std::countr_zero(left)] = average(sample.data() + s);
    }
    std::uint8_t* line = out.bgr.data() + static_cast<std::size_t>(y0 + row) * out.width * 3;
    std::memcpy(line, background_row.data(), 3 * static_cast<std::size_t>(box.x0));
    int x = box.x0;
    // Four pixels at a time write four bytes more than they fill: not in the last of the row.
    using u8x16 = std::uint8_t __attribute__((vector_size(16)));
    for (; x + 6 <= box.x1; x += 4) {
      const auto bgrx = load<u8x16>(pixels + x);
      store(line + 3 * x,
            __builtin_shufflevector(bgrx, bgrx, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15));
    }
    for (; x < box.x1; ++x) std::memcpy(line + 3 * x, pixels + x, 3);
    std::memcpy(line + 3 * static_cast<std::size_t>(box.x1), background_row.data(),
                3 * static_cast<std::size_t>(out.width - box.x1));
  }
}

Renderer::Renderer() : buffers_(std::make_unique<Buffers>()) {}
Renderer::~Renderer() = default;
Renderer::Renderer(Renderer&&) noexcept = default;
Renderer& Renderer::operator=(Renderer&&) noexcept = default;

void Renderer::render(const MaskScene& scene, const RenderStyle& style, Image& out) {
  check_scene(scene);
  const Camera& camera = scene.camera;
  Buffers& b = *buffers_;
  out.resize(camera.width, camera.height);
  b.resize(camera, style);
  b.place_vertices(scene);
  b.sort_triangles(scene);
  b.shade_vertices(*scene.albedo);
  for (int eye = 0; eye < 2; ++eye) {
    b.globes[eye] = view_globe(scene.globes[eye], camera);
    const PixelRect& g = b.globes[eye].box;
    if (g.empty()) continue;
    b.box = {std::min(b.box.x0, g.x0), std::min(b.box.y0, g.y0), std::max(b.box.x1, g.x1), std::max(b.box.y1, g.y1)};
  }
  if (b.box.empty()) b.box = {0, 0, 0, 0};

  const auto [blue, green, red] = style.background_bgr;
  const std::uint32_t background = blue | green << 8 | red << 16;
  for (auto& a : b.active) a.clear();
  for (int y0 = 0, band = 0; y0 < camera.height; y0 += kBandRows, ++band) {
    const int rows = std::min(kBandRows, camera.height - y0);
    for (int side = 0; side < 2; ++side)
      for (int k = b.list_start[2 * band + side]; k < b.list_start[2 * band + side + 1]; ++k)
        b.active[side].push_back(k);
    if (y0 + rows <= b.box.y0 || y0 >= b.box.y1) {
      for (int row = 0; row < rows; ++row)
        std::copy(b.background_row.begin(), b.background_row.end(),
                  out.bgr.begin() + static_cast<std::ptrdiff_t>(y0 + row) * camera.width * 3);
      continue;
    }
    b.draw_band(y0, rows, background);
    b.mark_edges(rows, static_cast<float>(camera.focal_px));
    b.mark_globes(y0, rows);
    b.supersample(y0, rows, background);
    for (int eye = 0; eye < 2; ++eye) b.draw_globe(eye, y0, rows);
    b.resolve(y0, rows, out);
    for (auto& a : b.active)  // those that do not reach the row above the next band
      std::erase_if(a, [&](int k) { return -b.sorted[k].samples[3] < y0 + rows - 1; });
  }
}

}  // namespace dmask
