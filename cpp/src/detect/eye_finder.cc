#include "detect/eye_finder.hpp"

#include <algorithm>
#include <cmath>

#include "detect/detector.hpp"
#include "detect/exposure.hpp"
#include "detect/heatmap.hpp"

namespace dmask {
namespace {

constexpr int map_width = finder_width / 4, map_height = finder_height / 4, cells = map_width * map_height;
enum Channel { centre, left_x, left_y, right_x, right_y, inner_right };

constexpr float min_far_score = 0.2f;                // of an eye that is then looked at from near
constexpr float min_near_score = 0.4f;               // of one that is there
constexpr float near_canthi = 2.0f;                  // width of the near view in canthal distances
constexpr float same_eye = 0.6f;                     // of the wider one's width, between the centres
constexpr float least_width_px = 24;                 // between the canthi, in the frame
constexpr float most_off = 0.5f, most_ratio = 2.0f;  // of the near look against the far one
constexpr std::size_t most_tried = 6, most_eyes = 2;

// All of the frame, or a part of it: `shrink` frames' sides, at a place of 0..1.
Crop view_of(const ImageView& frame, float shrink, float x, float y) {
  Crop view;
  view.width = finder_width;
  view.height = finder_height;
  const float wide = std::max(static_cast<float>(frame.width), 1.5f * static_cast<float>(frame.height));
  view.width_px = wide * shrink;
  view.centre = {x * static_cast<float>(frame.width - 1), y * static_cast<float>(frame.height - 1)};
  return view;
}

}  // namespace

EyeFinder::EyeFinder(const DetectorOptions& options) : net_(make_net(finder_net_options(options))) {}

// As CenterNet is read: the peaks of the map of centres, and what lies at them.
void EyeFinder::find(Vision& vision, const Crop& view, float min_score, std::vector<FoundEye>& eyes) {
  constexpr int pixels = finder_width * finder_height;
  std::copy_n(vision.pixels(view), 3 * pixels, net_->input(0));
  luminance_ = expose(net_->input(0), pixels);
  net_->infer();
  const float* maps = net_->output(0);
  const float least = std::log(min_score / (1 - min_score));
  for (int row = 0; row < map_height; ++row)
    for (int column = 0; column < map_width; ++column) {
      const int at = row * map_width + column;
      const float logit = maps[at];
      if (!(logit >= least)) continue;
      bool highest = true;
      for (int j = std::max(row - 1, 0); j <= std::min(row + 1, map_height - 1); ++j)
        for (int i = std::max(column - 1, 0); i <= std::min(column + 1, map_width - 1); ++i)
          highest = highest && maps[j * map_width + i] <= logit;
      if (!highest) continue;
      const auto value = [&](Channel channel) { return maps[channel * cells + at]; };
      const auto canthus = [&](Channel x, Channel y) {
        const float px = (static_cast<float>(column) + 0.5f) * heatmap_cell_px - 0.5f + finder_width * value(x);
        const float py = (static_cast<float>(row) + 0.5f) * heatmap_cell_px - 0.5f + finder_width * value(y);
        return view.to_frame(px, py);
      };
      FoundEye eye{canthus(left_x, left_y), canthus(right_x, right_y), sigmoid(logit), sigmoid(value(inner_right))};
      if (eye.width_px() >= least_width_px && is_new(eye, eyes)) eyes.push_back(eye);
    }
  std::stable_sort(eyes.begin(), eyes.end(), [](const FoundEye& a, const FoundEye& b) { return a.score > b.score; });
}

bool EyeFinder::is_new(const FoundEye& eye, const std::vector<FoundEye>& known) const {
  return std::all_of(known.begin(), known.end(), [&](const FoundEye& other) {
    return (eye.centre() - other.centre()).norm() > same_eye * std::max(eye.width_px(), other.width_px());
  });
}

const std::vector<FoundEye>& EyeFinder::search(Vision& vision, const ImageView& frame) {
  struct Place {
    float shrink, x, y;
  };
  // All of it; with a margin, for an eye that is wider than the frame; by quarters, for a small one.
  static constexpr Place places[] = {{1, 0.5f, 0.5f},      {1.8f, 0.5f, 0.5f},   {0.5f, 0.5f, 0.5f},
                                     {0.5f, 0.25f, 0.25f}, {0.5f, 0.75f, 0.25f}, {0.5f, 0.25f, 0.75f},
                                     {0.5f, 0.75f, 0.75f}};
  found_.clear();
  for (const Place& place : places) {
    from_afar_.clear();
    find(vision, view_of(frame, place.shrink, place.x, place.y), min_far_score, from_afar_);
    if (from_afar_.size() > most_tried) from_afar_.resize(most_tried);
    for (const FoundEye& eye : from_afar_) {
      if (!is_new(eye, found_)) continue;
      const FoundEye near = look_again(vision, eye);
      if (near.score > 0 && is_new(near, found_)) found_.push_back(near);
    }
    if (!found_.empty()) break;
  }
  std::stable_sort(found_.begin(), found_.end(),
                   [](const FoundEye& a, const FoundEye& b) { return a.score > b.score; });
  if (found_.size() > most_eyes) found_.resize(most_eyes);
  return found_;
}

FoundEye EyeFinder::look_again(Vision& vision, const FoundEye& eye, float share) {
  Crop view;
  view.width = finder_width;
  view.height = finder_height;
  view.centre = eye.centre();
  view.width_px = share * near_canthi * eye.width_px();
  const Vec2f along = eye.right - eye.left;
  view.roll_rad = std::atan2(along.y(), along.x());
  from_near_.clear();
  if (view.valid()) find(vision, view, min_near_score, from_near_);
  for (const FoundEye& seen : from_near_) {
    const float ratio = seen.width_px() / eye.width_px();
    if ((seen.centre() - eye.centre()).norm() < most_off * eye.width_px() && ratio < most_ratio &&
        ratio > 1 / most_ratio)
      return seen;
  }
  return {};
}

}  // namespace dmask
