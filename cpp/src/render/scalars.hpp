// One number at a time with the names of lanes.hpp, for formulas that are written once for both.
#pragma once

#include <cmath>
#include <cstdint>

#include "geometry/host_device.hpp"

namespace dmask {

DMASK_HOST_DEVICE inline float max(float a, float b) { return a > b ? a : b; }
DMASK_HOST_DEVICE inline float min(float a, float b) { return a < b ? a : b; }
DMASK_HOST_DEVICE inline float sqrt(float x) { return ::sqrtf(x); }
DMASK_HOST_DEVICE inline float abs(float x) { return max(x, -x); }
DMASK_HOST_DEVICE inline float clamp01(float x) { return min(max(x, 0.0f), 1.0f); }  // NaN gives 0
// a b - c d, rounded once: products of floats are exact in double. Opposite factors give exactly the opposite.
DMASK_HOST_DEVICE inline float cross(float a, float b, float c, float d) {
  return static_cast<float>(static_cast<double>(a) * b - static_cast<double>(c) * d);
}
DMASK_HOST_DEVICE inline float smoothstep(float from, float to, float x) {
  const float t = clamp01((x - from) / (to - from));
  return t * t * (3.0f - 2.0f * t);
}

}  // namespace dmask
