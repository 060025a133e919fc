// Where a pixel is looked at and when once is not enough: what the CPU's and the GPU's picture have to agree on.
// Written once for a number F: float, or f32x8 on the CPU.
#pragma once

#include <cmath>
#include <cstdint>

#include "render/numbers.hpp"

namespace dmask {

// Eight sample positions, each alone in its eighth of a pixel's width and height.
DMASK_HOST_DEVICE constexpr float sample_x(int k) { return (static_cast<float>(k) - 3.5f) * 0.125f; }
DMASK_HOST_DEVICE constexpr float sample_y(int k) {
  constexpr unsigned rows = 005274163;  // three bits each, the first sample's last
  return (static_cast<float>(rows >> 3 * k & 7u) - 3.5f) * 0.125f;
}
constexpr float kSampleReach = 0.4375f;

constexpr float kMaxMm = 1e6f;          // farther away counts as not finite
constexpr float kNoLidPx = 1e6f;        // no lid above in the picture
constexpr float kColourStep = 28;       // of 255, between neighbours: a lid margin, the line between the lips
constexpr float kColourScale = 254.9f;  // of encoded 0..1; with a half added it is cut to 8 bits

// Backs of triangles: the inside of the head. Dark, and behind everything else.
constexpr std::int32_t kInside = 28 | 28 << 8 | 44 << 16;
constexpr float kInsideInvDepth = 1e-9f;

// Over a plane inverse depth changes evenly from pixel to pixel: how much it does not, along one direction. Beyond the
// picture things go on as at its last pixel.
template <class F>
DMASK_HOST_DEVICE inline F bend(const F& before, const F& here, const F& after) {
  return abs(before + after - (here + here));
}

// A larger bend is an edge. |1/z - 1/z'| = |z - z'| / z z'; allowed: 0.5 mm + 4 pixels of z / focal_px each.
template <class F>
DMASK_HOST_DEVICE inline F allowed_bend(const F& inv_depth, float inv_focal) {
  return inv_depth * (0.5f * inv_depth + 4.0f * inv_focal);
}

// Mean of a pixel's eight samples, as the light they stand for (a square comes near enough to sRGB's curve).
DMASK_HOST_DEVICE inline std::uint32_t mean_level(std::uint32_t sum_of_squares) {
  return static_cast<std::uint32_t>(::sqrtf(static_cast<float>(sum_of_squares) * 0.125f) + 0.5f);
}

}  // namespace dmask
