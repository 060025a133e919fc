// Whether a point lies between the lids.
#pragma once

#include <array>

#include "geometry/types.hpp"

namespace dmask {

using LidOutline = std::array<Vec2f, 20>;  // as EyeDetection::lid

// By how often a ray to the right crosses the outline.
inline bool within(const LidOutline& outline, const Vec2f& p) {
  bool inside = false;
  for (std::size_t k = 0, last = outline.size() - 1; k < outline.size(); last = k++) {
    const Vec2f &a = outline[k], &b = outline[last];
    if ((a.y() > p.y()) != (b.y() > p.y()) && p.x() < a.x() + (p.y() - a.y()) * (b.x() - a.x()) / (b.y() - a.y()))
      inside = !inside;
  }
  return inside;
}

// As long as `border`, from lid to lid: a head may lie in the picture.
inline Vec2f across_lids(const LidOutline& outline, float border) {
  const Vec2f along = (outline[10] - outline[0]).normalized();
  return border * Vec2f(-along.y(), along.x());
}

// Whether a point lies between the lids, and not on their borders; `border`: of across_lids().
inline bool well_within(const LidOutline& outline, const Vec2f& p, const Vec2f& border) {
  return within(outline, p - border) && within(outline, p + border);
}

}  // namespace dmask
