#include "detect/face_motion.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <utility>

#include "detect/face68.hpp"
#include "detect/face_crop.hpp"
#include "detect/grey_level.hpp"
#include "detect/outline.hpp"

namespace dmask {
namespace {

static_assert(first_moving == face68::jaw_end && moving_points == face68::nose_end - face68::jaw_end);

constexpr int view_px = 208;                   // brows and nose, and what they move in a frame
constexpr float most_interocular_px = 128;     // in the view
constexpr float patch_share = 0.085f;          // half a patch, in interocular distances
constexpr int least_half = 4, most_half = 11;  // px of the view
constexpr int most_steps = 8;
constexpr float still_px = 0.003f;     // a step that ends the search
constexpr float farthest_px = 3.0f;    // from where the net saw the point
constexpr float worst_levels = 15.0f;  // what is left between the patches, grey levels
constexpr float least_slope2 = 0.5f;   // mean square of the lesser slope, grey levels^2 / px^2
constexpr float least_confidence = 0.5f;
constexpr int most_iris_half = 16;      // px of the view
constexpr float least_iris_px = 30;     // of an iris in sight, px^2 of the view
constexpr float reflex_levels = 60.0f;  // above an iris' mean
constexpr float border_px = 1.5f;       // of lids, in the view
constexpr int reflex_border = 2;        // px of the view
// What is left is no white noise: coded pictures err in blocks.
constexpr float alike_px = 4.0f;
constexpr float quantum_levels2 = 1.0f;

float bilinear(const float* grey, float x, float y) {
  const int i = static_cast<int>(x), j = static_cast<int>(y);
  const float a = x - static_cast<float>(i), b = y - static_cast<float>(j);
  const float* p = grey + j * view_px + i;
  const float top = p[0] + (p[1] - p[0]) * a, bottom = p[view_px] + (p[view_px + 1] - p[view_px]) * a;
  return top + (bottom - top) * b;
}

bool inside(const Vec2f& p, int half) {
  const float low = static_cast<float>(half), high = static_cast<float>(view_px - 2 - half);
  return p.x() >= low && p.y() >= low && p.x() <= high && p.y() <= high;  // false for NaN
}

}  // namespace

Crop FaceMotion::view(const std::array<Landmark, 68>& face) const {
  const float views = static_cast<float>(interocular_px(face)) / most_interocular_px;
  float shrink = std::max(std::ceil(views), 1.0f);
  // A face at the border between two sizes does not change between them.
  if (known_ && std::abs(views / now_.view.scale() - 0.75f) < 0.3f) shrink = now_.view.scale();
  const Landmark &nasion = face[face68::nasion], &below = face[face68::under_nose];
  Crop crop;
  crop.width = crop.height = view_px;
  crop.width_px = shrink * view_px;
  // The first pixel is a whole block, wherever the face is.
  const float first = 0.5f * shrink * (view_px - 1), block = 0.5f * (shrink - 1);
  const auto aligned = [&](float centre) {
    return std::round((centre - first - block) / shrink) * shrink + block + first;
  };
  crop.centre = {aligned(0.5f * (nasion.x + below.x)), aligned(0.5f * (nasion.y + below.y))};
  return crop;
}

void FaceMotion::measure(const Crop& view, const float* rgb, FrameDetection& detection) {
  std::swap(before_, now_);
  constexpr int pixels = view_px * view_px;
  now_.view = view;
  now_.grey.resize(pixels);
  using Plane = Eigen::Map<const Eigen::ArrayXf>;
  Eigen::Map<Eigen::ArrayXf>(now_.grey.data(), pixels) =
      grey_level(Plane(rgb, pixels), Plane(rgb + pixels, pixels), Plane(rgb + 2 * pixels, pixels));
  now_.seen = detection;
  const bool same = known_ && before_.seen.track == detection.track && before_.view.width_px == view.width_px;
  known_ = true;
  if (!same) return;
  detection.moved_since_s = before_.seen.time_s;
  for (int k = 0; k < moving_points; ++k) detection.motion[k] = follow_face(first_moving + k);
  for (const Eye eye : {OD, OS}) detection.iris_motion[eye] = follow_iris(eye);
}

PointMotion FaceMotion::follow_face(int point) {
  const double wanted = patch_share * interocular_px(before_.seen.face) / before_.view.scale();
  const int half = std::clamp(static_cast<int>(std::lround(wanted)), least_half, most_half);
  weights_.assign(static_cast<std::size_t>(2 * half + 1) * (2 * half + 1), 1.0f);
  return follow(before_.seen.face[point], now_.seen.face[point], half);
}

// What is seen of the iris between the lids, which do not move with it; nor does the light that the cornea reflects. What
// borders on either has slopes of both.
PointMotion FaceMotion::follow_iris(Eye eye) {
  const EyeDetection& seen = before_.seen.eyes[eye];
  const auto in_view = [&](const Landmark& point) { return before_.view.to_crop({point.x, point.y}); };
  const Vec2f centre = in_view(seen.iris[0]);
  float radius = 0;
  for (int k = 1; k < 19; ++k) radius += (in_view(seen.iris[k]) - centre).norm() / 18;
  const int half = static_cast<int>(std::ceil(radius));
  if (!(half >= least_half && half <= most_iris_half) || !inside(centre, half + 1)) return {};
  LidOutline lid;
  for (int k = 0; k < 20; ++k) lid[k] = in_view(seen.lid[k]) - centre;
  const Vec2f border = across_lids(lid, border_px);
  const int side = 2 * half + 1;
  weights_.assign(static_cast<std::size_t>(side) * side, 0.0f);
  patch_.resize(weights_.size());
  float sum = 0, mean = 0;
  for (int j = -half, at = 0; j <= half; ++j)
    for (int i = -half; i <= half; ++i, ++at) {
      const Vec2f p(static_cast<float>(i), static_cast<float>(j));
      patch_[at] = bilinear(before_.grey.data(), centre.x() + p.x(), centre.y() + p.y());
      if (p.norm() > radius || !well_within(lid, p, border)) continue;
      weights_[at] = 1;
      sum += 1;
      mean += patch_[at];
    }
  if (sum < least_iris_px) return {};
  const float bright = mean / sum + reflex_levels;
  for (int j = 0; j < side; ++j)
    for (int i = 0; i < side; ++i) {
      if (!(patch_[j * side + i] > bright) || std::hypot(i - half, j - half) > radius - border_px) continue;
      for (int y = std::max(j - reflex_border, 0); y <= std::min(j + reflex_border, side - 1); ++y)
        for (int x = std::max(i - reflex_border, 0); x <= std::min(i + reflex_border, side - 1); ++x)
          weights_[y * side + x] = 0;
    }
  return follow(seen.iris[0], now_.seen.eyes[eye].iris[0], half);
}

// Lucas and Kanade (1981): the patch of the frame before is sought; a change of light alone is taken out.
PointMotion FaceMotion::follow(const Landmark& from, const Landmark& to, int half) {
  if (!(from.confidence >= least_confidence && to.confidence >= least_confidence)) return {};
  const float shrink = now_.view.scale();
  const int side = 2 * half + 1, count = side * side, wide = side + 2;
  const Vec2f p = before_.view.to_crop({from.x, from.y}), expected = now_.view.to_crop({to.x, to.y});
  if (!inside(p, half + 1) || !inside(expected, half)) return {};

  patch_.resize(static_cast<std::size_t>(wide) * wide + 3 * static_cast<std::size_t>(count));
  float *around = patch_.data(), *patch = around + wide * wide, *by_x = patch + count, *by_y = by_x + count;
  for (int j = 0; j < wide; ++j)
    for (int i = 0; i < wide; ++i)
      around[j * wide + i] = bilinear(before_.grey.data(), p.x() + static_cast<float>(i - half - 1),
                                      p.y() + static_cast<float>(j - half - 1));
  for (int j = 0, at = 0; j < side; ++j)
    for (int i = 0; i < side; ++i, ++at) {
      const float* c = around + (j + 1) * wide + i + 1;
      patch[at] = *c;
      by_x[at] = 0.5f * (c[1] - c[-1]), by_y[at] = 0.5f * (c[wide] - c[-wide]);
    }
  using Values = Eigen::Map<Eigen::ArrayXf>;
  const Values template_patch(patch, count), weight(weights_.data(), count);
  Values slope_x(by_x, count), slope_y(by_y, count);
  const float sum = weight.sum();
  if (!(sum > 0)) return {};
  Eigen::Matrix2f structure;
  structure << (weight * slope_x.square()).sum(), (weight * slope_x * slope_y).sum(), 0,
      (weight * slope_y.square()).sum();
  structure(1, 0) = structure(0, 1);
  const float trace = structure.trace(), determinant = structure.determinant();
  const float lesser = 0.5f * (trace - std::sqrt(std::max(trace * trace - 4 * determinant, 0.0f)));
  if (!(lesser >= least_slope2 * sum)) return {};
  const Eigen::Matrix2f inverse = structure.inverse();

  Values e(around, count);  // no longer needed
  Vec2f q = expected;
  float left_levels2 = 0;
  for (int step = 0; step < most_steps; ++step) {
    if (!inside(q, half) || !((q - expected).norm() <= farthest_px)) return {};
    for (int j = 0, at = 0; j < side; ++j)
      for (int i = 0; i < side; ++i, ++at)
        e[at] = bilinear(now_.grey.data(), q.x() + static_cast<float>(i - half), q.y() + static_cast<float>(j - half));
    e -= template_patch;
    e -= (weight * e).sum() / sum;
    const Vec2f move = inverse * Vec2f((weight * slope_x * e).sum(), (weight * slope_y * e).sum());
    left_levels2 = (weight * e.square()).sum() / sum + quantum_levels2;
    q -= move;
    if (move.norm() < still_px) break;
  }
  if (!((q - expected).norm() <= farthest_px) || left_levels2 > worst_levels * worst_levels) return {};
  const Eigen::Matrix2f information = structure / (left_levels2 * alike_px * shrink * shrink);
  const Vec2f moved = now_.view.to_frame(q.x(), q.y()) - before_.view.to_frame(p.x(), p.y());
  return {moved.x(), moved.y(), information(0, 0), information(0, 1), information(1, 1)};
}

}  // namespace dmask
