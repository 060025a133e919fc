#include "render/mesh_view.hpp"

#include <algorithm>
#include <bit>

#include "render/sampling.hpp"
#include "render/skin.hpp"

namespace dmask {
namespace {

static_assert(sizeof(MeshTriangle) == sizeof(i32x8), "a triangle is written as a row of eight numbers");

using Eight = std::array<f32x8, 8>;

// Eight vertices, as the columns of `place_` hold them.
struct Corners {
  Normal<f32x8> mm;
  f32x8 finite;
  raster::ScreenPoint<f32x8> px;
};

Corners corners_of(Eight& places) {
  transpose(places);
  return {{places[0], places[1], places[2]}, places[3], {places[4], places[5], places[6]}};
}

Normal<f32x8> difference(const Normal<f32x8>& a, const Normal<f32x8>& b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }

// Two numbers of 16 bits, the first one lower in memory.
i32x8 both(const i32x8& first, const i32x8& second) { return (first & 0xffff) | second << 16; }

}  // namespace

void MeshView::look_at(const MaskScene& scene) {
  place(*scene.vertices, scene.camera);
  list_triangles(*scene.triangles, scene.camera);
  shade(*scene.albedo);
}

void MeshView::place(const Points3f& vertices, const Camera& camera) {
  const Eigen::Index n = vertices.rows();
  // One more to stand for the corners of triangles that are not there.
  place_.resize(n + 1);
  surroundings_.assign(n + 1, f32x8{});
  place_[n] = f32x8{};
  const float focal_px = static_cast<float>(camera.focal_px);
  const float cx = static_cast<float>(camera.cx), cy = static_cast<float>(camera.cy);
  for (Eigen::Index first = 0; first < n; first += 8) {
    const auto count = static_cast<int>(std::min<Eigen::Index>(8, n - first));
    Eight v{};
    for (int k = 0; k < count; ++k) {
      const float* p = vertices.data() + 3 * (first + k);
      v[k] = f32x8{p[0], p[1], p[2]};
    }
    transpose(v);
    const i32x8 finite = (abs(v[0]) < kMaxMm) & (abs(v[1]) < kMaxMm) & (abs(v[2]) < kMaxMm);  // false for NaN
    for (int i = 0; i < 3; ++i) v[i] = finite ? v[i] : f32x8{};
    v[3] = finite ? all(1) : f32x8{};
    const auto px = raster::project(focal_px, cx, cy, v[0], v[1], v[2]);
    v[4] = px.x, v[5] = px.y, v[6] = px.inv_z, v[7] = f32x8{};
    transpose(v);
    std::copy_n(v.begin(), count, place_.begin() + first);
  }
}

// Vertex normals and surroundings, and the triangles that may show, listed by the band they begin in and their side.
void MeshView::list_triangles(const Triangles& triangles, const Camera& camera) {
  const auto count = static_cast<int>(triangles.rows()), none = static_cast<int>(place_.size()) - 1;
  const int lists = 2 * ((camera.height + kBandRows - 1) / kBandRows);
  triangle.resize(count);
  listed.resize(count);
  list_start.assign(lists + 1, 0);
  const f32x8 zero{};
  const f32x8 right = all(static_cast<float>(camera.width - 1)), bottom = all(static_cast<float>(camera.height - 1));
  i32x8 left_most = i32x8{} + camera.width, top_most = i32x8{} + camera.height;
  i32x8 right_most = i32x8{} - 1, bottom_most = i32x8{} - 1;
  int kept = 0;
  for (int t = 0; t < count; t += 8) {
    std::array<i32x8, 8> record;  // columns of MeshTriangle
    Eight places[3];
    for (int k = 0; k < 8; ++k) {
      const int* index = triangles.data() + 3 * static_cast<std::ptrdiff_t>(t + k);
      const bool there = t + k < count;
      for (int i = 0; i < 3; ++i) {
        const int v = there ? index[i] : none;
        record[i][k] = v;
        places[i][k] = place_[v];
      }
    }
    const Corners c0 = corners_of(places[0]), c1 = corners_of(places[1]), c2 = corners_of(places[2]);
    const f32x8 finite = c0.finite * c1.finite * c2.finite;
    const Normal<f32x8> d1 = difference(c1.mm, c0.mm), d2 = difference(c2.mm, c0.mm);
    Eight share = {(d1.y * d2.z - d1.z * d2.y) * finite,   (d1.z * d2.x - d1.x * d2.z) * finite,
                   (d1.x * d2.y - d1.y * d2.x) * finite,   zero,
                   (c0.mm.x + c1.mm.x + c2.mm.x) * finite, (c0.mm.y + c1.mm.y + c2.mm.y) * finite,
                   (c0.mm.z + c1.mm.z + c2.mm.z) * finite, 3.0f * finite};
    transpose(share);

    const f32x8 area = raster::signed_area(c0.px, c1.px, c2.px);
    const f32x8 x_low = min(min(c0.px.x, c1.px.x), c2.px.x), x_high = max(max(c0.px.x, c1.px.x), c2.px.x);
    const f32x8 y_low = min(min(c0.px.y, c1.px.y), c2.px.y), y_high = max(max(c0.px.y, c1.px.y), c2.px.y);
    const i32x8 x0 = ceil(max(x_low - kSampleReach, zero)), x1 = floor(min(x_high + kSampleReach, right));
    const i32x8 y0 = ceil(max(y_low - kSampleReach, zero)), y1 = floor(min(y_high + kSampleReach, bottom));
    const i32x8 shown = c0.px.valid() & c1.px.valid() & c2.px.valid() & (area != 0.0f) & (x0 <= x1) & (y0 <= y1);
    left_most = shown ? min(left_most, x0) : left_most;
    top_most = shown ? min(top_most, y0) : top_most;
    right_most = shown ? max(right_most, x1) : right_most;
    bottom_most = shown ? max(bottom_most, y1) : bottom_most;
    // A band looks at the rows beside it, so a triangle counts from one row earlier.
    record[3] = 2 * (max(y0 - 1, i32x8{}) / kBandRows) - (area > 0.0f);
    record[4] = both(x0, y0);
    record[5] = both(x1, y1);
    record[6] = both(ceil(max(x_low, zero)), ceil(max(y_low, zero)));
    record[7] = both(floor(min(x_high, right)), floor(min(y_high, bottom)));
    std::array<i32x8, 8> rows = record;
    transpose(rows);
    for (int k = 0; k < 8; ++k) {
      for (int i = 0; i < 3; ++i) surroundings_[record[i][k]] += share[k];
    }
    for (unsigned left = bits(shown); left != 0; left &= left - 1) {
      store(&triangle[kept], rows[std::countr_zero(left)]);
      ++list_start[triangle[kept++].list + 1];
    }
  }
  box = {camera.width, camera.height, 0, 0};
  for (int k = 0; k < 8; ++k) {
    box = {std::min(box.x0, left_most[k]), std::min(box.y0, top_most[k]), std::max(box.x1, right_most[k] + 1),
           std::max(box.y1, bottom_most[k] + 1)};
  }
  for (int k = 0; k < lists; ++k) list_start[k + 1] += list_start[k];
  for (int k = 0; k < kept; ++k) listed[list_start[triangle[k].list]++] = k;
  for (int k = lists; k > 0; --k) list_start[k] = list_start[k - 1];  // filling moved each to its end
  list_start[0] = 0;
}

void MeshView::shade(const Points3f& albedo) {
  const auto n = static_cast<int>(albedo.rows());
  vertex.resize(n);
  for (int first = 0; first < n; first += 8) {
    const int count = std::min(8, n - first);
    Eight places{}, sums{}, tones{};
    for (int k = 0; k < count; ++k) {
      places[k] = place_[first + k];
      sums[k] = surroundings_[first + k];
      const float* bgr = albedo.data() + 3 * static_cast<std::ptrdiff_t>(first + k);
      tones[k] = f32x8{bgr[0], bgr[1], bgr[2]};
    }
    const Corners at = corners_of(places);
    transpose(sums);
    transpose(tones);
    const Normal<f32x8> normal{sums[0], sums[1], sums[2]};
    const f32x8 share = 1.0f / max(sums[7], all(1));
    const Normal<f32x8> middle{sums[4] * share, sums[5] * share, sums[6] * share};
    const Normal<f32x8> offset = difference(middle, at.mm);
    const f32x8 hollow = offset.x * normal.x + offset.y * normal.y + offset.z * normal.z;
    const Bgr<f32x8> c = skin_colour(normal, hollow, Bgr<f32x8>{tones[0], tones[1], tones[2]});
    Eight look = {c.b * kColourScale + 0.5f,
                  c.g * kColourScale + 0.5f,
                  c.r * kColourScale + 0.5f,
                  at.px.inv_z,
                  at.px.x,
                  at.px.y,
                  f32x8{},
                  f32x8{}};
    transpose(look);
    std::copy_n(look.begin(), count, vertex.begin() + first);
  }
}

}  // namespace dmask
