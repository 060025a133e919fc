// The mask's picture, in bands of rows that stay in cache. Each band is drawn twice: once with one sample a pixel,
// then, only where that shows an edge or an eyeball, with eight.
#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "geometry/check.hpp"
#include "render/eight_triangles.hpp"
#include "render/globe.hpp"
#include "render/mesh_view.hpp"
#include "render/sampling.hpp"
#include "render/scene.hpp"

namespace dmask {
namespace {

using raster::PixelRect;

constexpr int kPad = 8;  // columns beside a band, so that eight pixels at a time may run over

constexpr f32x8 kSampleX = {sample_x(0), sample_x(1), sample_x(2), sample_x(3),
                            sample_x(4), sample_x(5), sample_x(6), sample_x(7)};
constexpr f32x8 kSampleY = {sample_y(0), sample_y(1), sample_y(2), sample_y(3),
                            sample_y(4), sample_y(5), sample_y(6), sample_y(7)};

// Draws a front at eight positions whose depth (inverse) and colour lie one after the other. It never leaves early:
// whether a position is covered cannot be predicted, and a wrong guess costs as much as all of this.
inline void draw_front(const i32x8& inside, const Look& look, float* inv_depth, std::uint32_t* colour) {
  const f32x8 before = load<f32x8>(inv_depth);
  const i32x8 nearer = inside & (look[3] > before);
  store(inv_depth, nearer ? look[3] : before);
  const auto level = [](const f32x8& v) { return __builtin_convertvector(v, i32x8); };
  const i32x8 bgr = level(look[0]) | level(look[1]) << 8 | level(look[2]) << 16;
  store(colour, nearer ? bgr : load<i32x8>(colour));
}

// A back only shows where there is no front: through the eye's opening, an open mouth, the neck's end.
inline void draw_back(const i32x8& inside, float* inv_depth, std::uint32_t* colour) {
  const f32x8 before = load<f32x8>(inv_depth);
  const i32x8 empty = inside & (before == 0.0f);
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

// Bit i set where byte i is not zero.
inline std::uint64_t bytes_with_bits(std::uint64_t word) {
  word |= word >> 4;
  word |= word >> 2;
  word |= word >> 1;
  return (word & 0x0101010101010101u) * 0x0102040810204080u >> 56;
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
  if (camera.width < 1 || camera.height < 1 || camera.width > largest_side_px || camera.height > largest_side_px)
    throw Error("the camera's picture is " + std::to_string(camera.width) + " x " + std::to_string(camera.height) +
                ", expected 1 .. " + std::to_string(largest_side_px) + " pixels each way");
  if (!(std::isfinite(camera.focal_px) && camera.focal_px > 0 && std::isfinite(camera.cx) && std::isfinite(camera.cy)))
    throw Error("the camera's focal length is " + std::to_string(camera.focal_px) + " px and its principal point (" +
                std::to_string(camera.cx) + ", " + std::to_string(camera.cy) +
                "), expected a positive number and finite ones");
}

// The triangles of a band, eight at a time.
struct ReadyTriangles {
  std::vector<EightTriangles> eights;
  int count = 0;

  void set_up(const MeshView& mesh, const std::vector<int>& which, bool front) {
    count = static_cast<int>(which.size());
    for (int k = 0; k < count; k += 8) eights[k / 8].set_up(mesh, which.data() + k, std::min(8, count - k), front);
  }
  struct One {
    const EightTriangles& eight;
    int i;
  };
  One operator[](int k) const { return {eights[k / 8], k % 8}; }
};

struct Renderer::Buffers {
  MeshView mesh;
  std::array<GlobeView, 2> globes;
  PixelRect box;                           // all that is drawn
  std::array<std::vector<int>, 2> active;  // fronts, backs that may reach the band

  // Band, with one row above and below for what lies next to it.
  int y0 = 0, rows = 0;
  int stride = 0;
  std::vector<float> inv_depth;
  std::vector<std::uint32_t> pixel;
  std::vector<int> showing;  // backs
  ReadyTriangles fronts, backs;
  int words = 0;                     // of 64 pixels in a row
  std::vector<std::uint64_t> marks;  // pixels to be supersampled
  std::vector<std::uint64_t> globe_marks;
  std::vector<int> word_slot;  // number of marked pixels before each word
  std::vector<float> sample_inv_depth;
  std::vector<std::uint32_t> sample;
  // A bit stands for a block of 8 x 8 pixels; the row above the band is the first row of the first block.
  int block_words = 0;
  std::vector<std::uint64_t> empty_blocks;   // with a pixel without a front
  std::vector<std::uint64_t> marked_blocks;  // with a pixel to be supersampled

  std::array<std::vector<float>, 2> below_lid_px;  // per column
  std::vector<std::uint8_t> background_row;

  float* depth_row(int row) { return inv_depth.data() + static_cast<std::size_t>(row + 1) * stride + kPad; }
  std::uint32_t* pixel_row(int row) { return pixel.data() + static_cast<std::size_t>(row + 1) * stride + kPad; }
  bool marked(int row, int x) const { return marks[row * words + (x >> 6)] >> (x & 63) & 1; }
  std::size_t slot(int row, int x) const {  // of a marked pixel, its first sample
    const int word = row * words + (x >> 6);
    const std::uint64_t before = marks[word] & ((std::uint64_t{1} << (x & 63)) - 1);
    return 8 * static_cast<std::size_t>(word_slot[word] + std::popcount(before));
  }

  MeshTriangle::Box within_band(const MeshTriangle::Box& b, int beyond) const {
    return {b.x0, std::max(b.y0, static_cast<std::int16_t>(y0 - beyond)), b.x1,
            std::min(b.y1, static_cast<std::int16_t>(y0 + rows - 1 + beyond))};
  }
  bool touches(const std::vector<std::uint64_t>& blocks, const MeshTriangle::Box& b) const {
    std::uint64_t touched = 0;
    for (int w = b.x0 >> 9; w <= b.x1 >> 9; ++w) {
      const std::uint64_t columns = span(64 * w, b.x0 >> 3, (b.x1 >> 3) + 1);
      for (int row = (b.y0 - y0 + 1) >> 3; row <= (b.y1 - y0 + 1) >> 3; ++row)
        touched |= blocks[row * block_words + w] & columns;
    }
    return touched != 0;
  }

  void resize(const Camera& camera, const RenderStyle& style, int triangles);
  void draw_band(std::uint32_t background);
  void mark_edges(const Camera& camera);
  void mark_globes();
  void supersample(std::uint32_t background);
  void draw_globe(int which);
  void resolve(Image& out);
};

void Renderer::Buffers::resize(const Camera& camera, const RenderStyle& style, int triangles) {
  const auto width = static_cast<std::size_t>(camera.width);
  stride = (camera.width + 7) / 8 * 8 + 2 * kPad;
  words = (camera.width + 63) / 64;
  inv_depth.resize(static_cast<std::size_t>(kBandRows + 2) * stride);
  pixel.resize(inv_depth.size());
  marks.resize(static_cast<std::size_t>(kBandRows) * words + 1);  // one more: 16 bits are read at a time
  globe_marks.resize(static_cast<std::size_t>(kBandRows + 2) * words);
  block_words = (words + 7) / 8;
  empty_blocks.resize(static_cast<std::size_t>((kBandRows + 2 + 7) / 8) * block_words);
  marked_blocks.resize(empty_blocks.size());
  word_slot.resize(static_cast<std::size_t>(kBandRows) * words);
  sample_inv_depth.resize(kBandRows * width * 8);
  sample.resize(sample_inv_depth.size());
  for (auto& columns : below_lid_px) columns.assign(width, kNoLidPx);
  background_row.resize(3 * width);
  for (std::size_t i = 0; i < background_row.size(); i += 3)
    std::copy_n(style.background_bgr.begin(), 3, background_row.begin() + static_cast<std::ptrdiff_t>(i));
  // There is room for as many as there may be: how many there are changes from picture to picture.
  for (auto& a : active) a.reserve(triangles);
  showing.reserve(triangles);
  for (ReadyTriangles* ready : {&fronts, &backs}) ready->eights.resize((triangles + 7) / 8);
}

void Renderer::Buffers::draw_band(std::uint32_t background) {
  const int from = box.x0 - kPad, width = box.x1 - box.x0 + 2 * kPad;
  for (int row = -1; row <= rows; ++row) {
    std::fill_n(depth_row(row) + from, width, 0.0f);
    std::fill_n(pixel_row(row) + from, width, background);
  }
  fronts.set_up(mesh, active[0], true);
  for (int k = 0; k < fronts.count; ++k) {
    const auto& [t, i] = fronts[k];
    const MeshTriangle::Box b = within_band(t.triangle[i]->centres, 1), &s = t.triangle[i]->samples;
    const std::ptrdiff_t step = stride, first_row = (b.y0 - y0 + 1) * step + kPad;
    std::array<f32x8, 3> per_row, least;
    Look look_per_row;
    for (int e = 0; e < 3; ++e) per_row[e] = all(t.b[e][i]), least[e] = all(t.least[e][i]);
    for (int n = 0; n < 4; ++n) look_per_row[n] = all(t.look_per_y[n][i]);
    for (int x = b.x0; x <= b.x1; x += 8) {
      const f32x8 fx = static_cast<float>(x) + kLane, along = fx - static_cast<float>(s.x0);
      const float down = static_cast<float>(b.y0 - s.y0);
      Look look;
      for (int n = 0; n < 4; ++n) look[n] = (t.look[n][i] + t.look_per_y[n][i] * down) + t.look_per_x[n][i] * along;
      std::array<f32x8, 3> across;
      for (int e = 0; e < 3; ++e) across[e] = t.a[e][i] * fx + t.c[e][i];
      f32x8 fy = all(static_cast<float>(b.y0));
      float* depths = inv_depth.data() + first_row + x;
      std::uint32_t* pixels = pixel.data() + first_row + x;
      for (int left = b.y1 - b.y0; left >= 0; --left) {
        const auto in = [&](int e) { return across[e] + per_row[e] * fy >= least[e]; };
        draw_front(in(0) & in(1) & in(2), look, depths, pixels);
        fy += 1.0f;
        for (int n = 0; n < 4; ++n) look[n] += look_per_row[n];
        depths += step;
        pixels += step;
      }
    }
  }

  std::fill(empty_blocks.begin(), empty_blocks.end(), 0);
  for (int row = -1; row <= rows; ++row) {
    const float* depths = depth_row(row);
    std::uint64_t* blocks = empty_blocks.data() + ((row + 1) >> 3) * block_words;
    for (int x = box.x0 & ~7; x < box.x1; x += 8)
      blocks[x >> 9] |= static_cast<std::uint64_t>(any(load<f32x8>(depths + x) == 0.0f)) << (x >> 3 & 63);
  }
  showing.clear();
  for (const int k : active[1])
    if (touches(empty_blocks, within_band(mesh.triangle[k].samples, 1))) showing.push_back(k);
  backs.set_up(mesh, showing, false);
  for (int k = 0; k < backs.count; ++k) {
    const auto& [t, i] = backs[k];
    const MeshTriangle::Box b = within_band(t.triangle[i]->centres, 1);
    for (int y = b.y0; y <= b.y1; ++y) {
      for (int x = b.x0; x <= b.x1; x += 8) {
        const f32x8 fx = static_cast<float>(x) + kLane;
        const float fy = static_cast<float>(y);
        const auto in = [&](int e) { return t.a[e][i] * fx + (t.b[e][i] * fy + t.c[e][i]) >= t.least[e][i]; };
        draw_back(in(0) & in(1) & in(2), depth_row(y - y0) + x, pixel_row(y - y0) + x);
      }
    }
  }
}

// Marks the pixels where depth bends or colour jumps to a neighbour.
void Renderer::Buffers::mark_edges(const Camera& camera) {
  std::fill_n(marks.begin(), rows * words, 0);
  const float inv_focal = 1.0f / static_cast<float>(camera.focal_px);
  for (int row = 0; row < rows; ++row) {
    float* here = depth_row(row);
    std::uint32_t* colours = pixel_row(row);
    here[-1] = here[0], colours[-1] = colours[0];
    here[camera.width] = here[camera.width - 1], colours[camera.width] = colours[camera.width - 1];
    const int row_above = y0 + row > 0 ? row - 1 : row, row_below = y0 + row < camera.height - 1 ? row + 1 : row;
    const float *above = depth_row(row_above), *below = depth_row(row_below);
    const std::uint32_t *colours_above = pixel_row(row_above), *colours_below = pixel_row(row_below);
    std::uint64_t* mark = marks.data() + row * words;
    for (int x = box.x0 & ~7; x < box.x1; x += 8) {
      const f32x8 d = load<f32x8>(here + x);
      const f32x8 bent = max(bend(load<f32x8>(here + x - 1), d, load<f32x8>(here + x + 1)),
                             bend(load<f32x8>(above + x), d, load<f32x8>(below + x)));
      const f32x8 green = green_of(colours + x);
      const f32x8 step = max(max(abs(green - green_of(colours + x - 1)), abs(green - green_of(colours + x + 1))),
                             max(abs(green - green_of(colours_above + x)), abs(green - green_of(colours_below + x))));
      const i32x8 edge = (bent > allowed_bend(d, inv_focal)) | (step > kColourStep);
      if (any(edge)) mark[x >> 6] |= static_cast<std::uint64_t>(bits(edge)) << (x & 63);
    }
  }
}

// Pixels that see a globe, and those next to them.
void Renderer::Buffers::mark_globes() {
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

void Renderer::Buffers::supersample(std::uint32_t background) {
  int slots = 0;
  std::fill(marked_blocks.begin(), marked_blocks.end(), 0);
  for (int row = 0; row < rows; ++row) {
    for (int w = 0; w < words; ++w) {
      std::uint64_t& mark = marks[row * words + w];
      word_slot[row * words + w] = slots;
      if (mark == 0) continue;
      mark &= span(64 * w, box.x0, box.x1);
      slots += std::popcount(mark);
      marked_blocks[((row + 1) >> 3) * block_words + (w >> 3)] |= bytes_with_bits(mark) << 8 * (w & 7);
    }
  }
  if (slots == 0) return;
  std::fill_n(sample_inv_depth.begin(), 8 * static_cast<std::size_t>(slots), 0.0f);
  std::fill_n(sample.begin(), 8 * static_cast<std::size_t>(slots), background);

  // Draws triangle i of eight at the samples of each marked pixel it may touch; `b`: its box within the band.
  const auto draw_marked = [&](const EightTriangles& t, int i, const MeshTriangle::Box& b, auto&& draw) {
    // A pixel may be touched if its centre is inside once each edge is moved out by the samples' reach.
    std::array<f32x8, 3> near, beside;  // an edge's function from column 0 on, moved; at a pixel's samples
    for (int e = 0; e < 3; ++e) {
      const float a = t.a[e][i], b = t.b[e][i];
      near[e] = a * kLane + (t.c[e][i] + 1.01f * kSampleReach * (std::abs(a) + std::abs(b)));
      beside[e] = a * kSampleX + b * kSampleY;
    }
    for (int x0 = b.x0; x0 <= b.x1; x0 += 8) {
      const unsigned columns = b.x1 - x0 < 7 ? (2u << (b.x1 - x0)) - 1 : 255u;
      const auto* marks_here = reinterpret_cast<const std::uint8_t*>(marks.data() + (b.y0 - y0) * words) + (x0 >> 3);
      for (int y = b.y0; y <= b.y1; ++y, marks_here += 8 * words) {
        // Bits lie in memory as columns do: little endian.
        unsigned marked = static_cast<unsigned>(load<std::uint16_t>(marks_here)) >> (x0 & 7) & columns;
        if (marked == 0) continue;
        const float fx = static_cast<float>(x0), fy = static_cast<float>(y);
        const auto may = [&](int e) { return near[e] + (t.a[e][i] * fx + t.b[e][i] * fy) >= 0.0f; };
        for (marked &= bits(may(0) & may(1) & may(2)); marked != 0; marked &= marked - 1) {
          const int x = x0 + std::countr_zero(marked);
          const float fx = static_cast<float>(x);
          const auto in = [&](int e) {
            return beside[e] + (t.a[e][i] * fx + (t.b[e][i] * fy + t.c[e][i])) >= t.least[e][i];
          };
          const std::size_t s = slot(y - y0, x);
          draw(in(0) & in(1) & in(2), x, y, sample_inv_depth.data() + s, sample.data() + s);
        }
      }
    }
  };
  for (int k = 0; k < fronts.count; ++k) {
    const auto& [t, i] = fronts[k];
    const MeshTriangle::Box &b = t.triangle[i]->samples, part = within_band(b, 0);
    if (!touches(marked_blocks, part)) continue;
    Look beside;
    for (int n = 0; n < 4; ++n) beside[n] = t.look_per_x[n][i] * kSampleX + t.look_per_y[n][i] * kSampleY;
    const auto draw = [&, &t = t, i = i](const i32x8& inside, int x, int y, float* depths, std::uint32_t* colours) {
      const float along = static_cast<float>(x - b.x0), down = static_cast<float>(y - b.y0);
      Look look;
      for (int n = 0; n < 4; ++n)
        look[n] = beside[n] + (t.look[n][i] + t.look_per_x[n][i] * along + t.look_per_y[n][i] * down);
      draw_front(inside, look, depths, colours);
    };
    draw_marked(t, i, part, draw);
  }
  for (int k = 0; k < backs.count; ++k) {
    const auto& [t, i] = backs[k];
    const MeshTriangle::Box part = within_band(t.triangle[i]->samples, 0);
    if (!touches(marked_blocks, part)) continue;
    draw_marked(t, i, part, [](const i32x8& inside, int, int, float* depths, std::uint32_t* colours) {
      draw_back(inside, depths, colours);
    });
  }
}

void Renderer::Buffers::draw_globe(int which) {
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

void Renderer::Buffers::resolve(Image& out) {
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
      store(line + 3 * x, __builtin_shufflevector(bgrx, bgrx, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15));
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
  b.resize(camera, style, static_cast<int>(scene.triangles->rows()));
  b.mesh.look_at(scene);
  b.box = b.mesh.box;
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
  for (b.y0 = 0; b.y0 < camera.height; b.y0 += kBandRows) {
    b.rows = std::min(kBandRows, camera.height - b.y0);
    const int* list = b.mesh.list_start.data() + 2 * (b.y0 / kBandRows);
    for (int side = 0; side < 2; ++side) {
      const auto listed = b.mesh.listed.begin();
      b.active[side].insert(b.active[side].end(), listed + list[side], listed + list[side + 1]);
    }
    if (b.y0 + b.rows <= b.box.y0 || b.y0 >= b.box.y1) {
      for (int row = 0; row < b.rows; ++row)
        std::copy(b.background_row.begin(), b.background_row.end(),
                  out.bgr.begin() + static_cast<std::ptrdiff_t>(b.y0 + row) * camera.width * 3);
      continue;
    }
    b.draw_band(background);
    b.mark_edges(camera);
    b.mark_globes();
    b.supersample(background);
    for (int eye = 0; eye < 2; ++eye) b.draw_globe(eye);
    b.resolve(out);
    for (auto& a : b.active)  // those that do not reach the row above the next band
      std::erase_if(a, [&](int k) { return b.mesh.triangle[k].samples.y1 < b.y0 + b.rows - 1; });
  }
}

}  // namespace dmask
