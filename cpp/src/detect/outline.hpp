// Whether a point lies between the lids.
#pragma once

#include <array>

#include "geometry/types.hpp"

namespace dmask {

// By how often a ray to the right crosses the outline.
inline bool within(const std::array<Vec2f, 20>& outline, const Vec2f& p) {
  bool inside = false;
  for (std::size_t k = 0, last = outline.size() - 1; k < outline.size(); last = k++) {
    const Vec2f &a = outline[k], &b = outline[last];
    if ((a.y() > p.y()) != (b.y() > p.y()) && p.x() < a.x() + (p.y() - a.y()) * (b.x() - a.x()) / (b.y() - a.y()))
      inside = !inside;
  }
  return inside;
}

}  // namespace dmask
