// Landmarks that no net should give, kept out of the fits: what is not a number counts as not seen.
#pragma once

#include <algorithm>
#include <cmath>

#include "detect/detections.hpp"

namespace dmask {

// Finite, within a million pixels of the picture, its confidence 0 to 1 up to rounding. False for NaN.
inline bool sound(const Landmark& p) {
  return std::abs(p.x) <= 1e6f && std::abs(p.y) <= 1e6f && p.confidence >= -0.01f && p.confidence <= 1.01f;
}

template <class Points>
bool sound(const Points& points) {
  return std::all_of(points.begin(), points.end(), [](const auto& p) { return sound(p); });
}

inline bool sound(const EyeDetection& eye) { return sound(eye.lid) && sound(eye.iris) && sound(eye.lines); }

inline bool sound(const FrameDetection& d) {
  return d.width > 0 && d.height > 0 && std::isfinite(d.time_s) && std::isfinite(d.sharpness) && sound(d.face) &&
         sound(d.eyes[OD]) && sound(d.eyes[OS]);
}

// The same without its unsound parts: a lid, an iris or a line as if hidden, the face as if there were none.
inline FrameDetection without_unsound(FrameDetection d) {
  d.face_found = d.face_found && d.width > 0 && d.height > 0 && std::isfinite(d.time_s) && sound(d.face);
  if (!std::isfinite(d.sharpness)) d.sharpness = 0;
  for (EyeDetection& eye : d.eyes) {
    if (!sound(eye.lid)) eye.lid = {};
    if (!sound(eye.iris)) eye.iris = {};
    for (auto& line : eye.lines)
      if (!sound(line)) line = {};
  }
  return d;
}

}  // namespace dmask
