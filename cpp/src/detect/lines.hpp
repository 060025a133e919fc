// Lines from edge maps: crease, lid margins and bulge run across the eye crop from the inner (left) to the outer side.
#pragma once

#include <array>

#include "detect/detections.hpp"

namespace dmask {

// edges: height x width logits of one line. Returns 20 points in cells of the map, equally spaced along the line from left
// to right; confidence = sigmoid(presence) x the map's probability there. Without a visible line: a best guess with a
// low confidence.
std::array<Landmark, 20> decode_line(const float* edges, float presence, int height, int width);

// An eye's four lines, in px of its crop (2 a cell). edges: 4 x height x width, presence: 4.
using FourLines = std::array<std::array<Landmark, 20>, 4>;
void decode_four_lines(const float* edges, const float* presence, int height, int width, FourLines& lines);

// Both eyes', one after the other.
using EyeLines = std::array<FourLines, 2>;
void decode_eye_lines(const float* edges, const float* presence, int height, int width, EyeLines& lines);

}  // namespace dmask
