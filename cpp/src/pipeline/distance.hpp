// How far the camera is, as profiles let it out. Here, and nowhere else, stands where near and intermediate end.
#pragma once

#include <array>
#include <cstddef>

namespace dmask {

enum class Distance { unknown, near, intermediate, far };

inline const char* distance_text(Distance distance) {
  constexpr std::array texts{"", "near", "intermediate", "far"};
  return texts[static_cast<std::size_t>(distance)];
}

constexpr double near_mm = 500, intermediate_mm = 3000;  // up to

inline Distance distance_at(double mm) {
  return mm <= near_mm ? Distance::near : mm <= intermediate_mm ? Distance::intermediate : Distance::far;
}

// Where people sit whose distance has this name: reading, at a desk, across a room.
inline double usual_mm(Distance distance) {
  return distance == Distance::near ? 400 : distance == Distance::intermediate ? 800 : 4000;
}

}  // namespace dmask
