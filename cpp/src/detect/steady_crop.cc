#include "detect/steady_crop.hpp"

#include <algorithm>
#include <cmath>

namespace dmask {
namespace {

constexpr float backlash_shift = 0.03f;  // of the crop's width
constexpr float backlash_ratio = 1.05f;
constexpr float backlash_turn_rad = 0.05f;
constexpr float max_lid_shift = 0.12f;  // of the crop's width, between the face's canthi and the lid's
constexpr float max_lid_turn_rad = 0.30f;
constexpr float min_lid_confidence = 0.5f;

float turn_between(float from_rad, float to_rad) {
  return std::remainder(to_rad - from_rad, 2 * static_cast<float>(M_PI));
}

}  // namespace

Crop held(const Crop& last, const Crop& wanted) {
  Crop crop = wanted;
  crop.width_px = std::clamp(last.width_px, wanted.width_px / backlash_ratio, wanted.width_px * backlash_ratio);
  const Vec2f shift = wanted.centre - last.centre;
  const float free = backlash_shift * last.width_px, distance = shift.norm();
  crop.centre = last.centre + shift * (distance > free ? 1 - free / distance : 0.0f);
  const float turn = turn_between(last.roll_rad, wanted.roll_rad);
  crop.roll_rad = last.roll_rad + turn - std::clamp(turn, -backlash_turn_rad, backlash_turn_rad);
  return crop;
}

Crop lid_crop(const std::array<Landmark, 20>& lid, Eye eye, const Crop& crop) {
  const Landmark& from = lid[eye == OD ? 10 : 0];  // rightwards in an upright picture
  const Landmark& to = lid[eye == OD ? 0 : 10];
  if (std::min(from.confidence, to.confidence) < min_lid_confidence) return crop;
  Crop own = crop;
  own.centre = 0.5f * Vec2f(from.x + to.x, from.y + to.y);
  own.roll_rad = std::atan2(to.y - from.y, to.x - from.x);
  const bool far = (own.centre - crop.centre).norm() > max_lid_shift * crop.width_px ||
                   std::abs(turn_between(crop.roll_rad, own.roll_rad)) > max_lid_turn_rad;
  return far ? crop : own;
}

Crop carried(const Crop& before, const Crop& then, Crop now) {
  now.centre += (then.centre - before.centre) * (now.width_px / before.width_px);
  now.roll_rad += turn_between(before.roll_rad, then.roll_rad);
  return now;
}

}  // namespace dmask
