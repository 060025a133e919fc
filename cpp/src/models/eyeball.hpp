// SGAEM: a sphere with an iris circle. Adult priors.
#pragma once

#include <cmath>

namespace dmask {

struct Eyeball {
  double radius_mm = 12.0;       // r_e
  double iris_radius_mm = 5.85;  // r_i
  double iris_plane_mm() const { return std::sqrt(radius_mm * radius_mm - iris_radius_mm * iris_radius_mm); }
};

}  // namespace dmask
