// Lines from edge maps: crease, lid margins and bulge run across the eye crop from the inner (left) to the outer side.
#pragma once

#include <array>

#include "detect/detections.hpp"

namespace dmask {

// edges: height x width logits of one line. Returns 20 points in cells of the map, equally spaced along the line from left
// to right; confidence = sigmoid(presence) x the map's probability there. Without a visible line: a best guess with a
// low confidence.
std::array<Landmark, 20> decode_line(const float* edges, float presence, int height, int width);

}  // namespace dmask
