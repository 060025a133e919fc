// Lines from edge maps: crease, lid margins and bulge run across the eye crop from the inner (left) to the outer side.
#pragma once

#include <array>

#include "detect/detections.hpp"

namespace dmask {

// edges: height x width logits of one line. Returns 20 points in cells of the map, equally spaced along the line from left
// to right; confidence = sigmoid(presence) x the map's probability there. Without a visible line: a best guess with a
// low confidence.
std::array<Landmark, 20> decode_line(const float* edges, float presence, int height, int width);

// Both eyes' four lines, in px of the eye crops (2 a cell). edges: 2 x 4 x height x width, presence: 2 x 4.
using EyeLines = std::array<std::array<std::array<Landmark, 20>, 4>, 2>;
void decode_eye_lines(const float* edges, const float* presence, int height, int width, EyeLines& lines);

}  // namespace dmask
