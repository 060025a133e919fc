// What counts as a line in an edge map, for the decoder of the CPU and that of the GPU.
#pragma once

#include "detect/net_sizes.hpp"

namespace dmask::line_rules {

inline constexpr int point_count = 20;          // of a line
inline constexpr float cell_px = edge_cell_px;  // px of the eye crop
inline constexpr float min_probability = 0.2f;  // of a column that belongs to the line
inline constexpr int half_window = 2;           // rows around the maximum that place it
inline constexpr int max_gap = 4;               // columns inside the line where it is not seen
inline constexpr float max_step = 1.2f;         // rows from one column to the next
inline constexpr int min_extent = 8;            // columns
inline constexpr float guess_confidence = 0.1f;

}  // namespace dmask::line_rules
