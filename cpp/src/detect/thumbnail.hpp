// A frame at 32 x 32: cuts are told by how much it changes.
#pragma once

#include <array>

#include "geometry/image.hpp"

namespace dmask {

inline constexpr int thumbnail_px = 32;
inline constexpr int thumbnail_samples = 4;  // a cell's side

using Thumbnail = std::array<float, thumbnail_px * thumbnail_px>;  // grey levels of green, or of grey

// Samples 4 x 4 pixels a cell. frame: grey, BGR or BGRA in host memory.
void make_thumbnail(const ImageView& frame, Thumbnail& thumbnail);

}  // namespace dmask
