// A dark picture is brightened before the nets look, as it was in their training (python/dmask/crops.py).
#pragma once

#include "geometry/host_device.hpp"

namespace dmask {

inline constexpr float dim_luminance = 40.0f;  // grey levels, mean of a crop of a face, below which it is brightened
inline constexpr float most_gain = 16.0f;

// What the pixels of face and eye crops are multiplied by; 1 in usual light, which stays to the byte. luminance: mean of
// 0.299 R + 0.587 G + 0.114 B over the face's crop, 0..255.
DMASK_HOST_DEVICE inline float exposure_gain(float luminance) {
  const float gain = dim_luminance / (luminance > 1e-3f ? luminance : 1e-3f);
  return gain > 1 ? (gain < most_gain ? gain : most_gain) : 1.0f;
}

// A pixel's value with more light, up to white.
DMASK_HOST_DEVICE inline float brightened(float value, float gain, float white) {
  return value * gain < white ? value * gain : white;
}

// Of `count` levels. Eigen begins a sum of mapped floats where their memory is aligned, so that its last digit would depend on
// where they lie, and in noise the nets' points on that digit; one of converted floats begins at the first.
float mean_level(const float* levels, int count);

// Brightens a crop of a face where it is dark, 3 x pixels in 0..1. Returns its luminance before.
float expose(float* rgb, int pixels);

}  // namespace dmask
