// Landmarks from heat maps: soft-argmax over the whole map.
#pragma once

#include "detect/detections.hpp"

namespace dmask {

float sigmoid(float logit);

// heatmaps: count x height x width logits, visibility: count logits. Writes `count` landmarks in crop pixels
// (4 a cell): crop px = (cell + 0.5) * 4 - 0.5, confidence = sigmoid(visibility). Returns the mean spread of the maps:
// their standard deviation in cells, which is large where a net does not see what it was made for. So decode the kernels;
// the CPU's nets hand their maps over in the layout of the next one.
float decode_heatmaps(const float* heatmaps, const float* visibility, int count, int height, int width,
                      Landmark* landmarks);

// The same from maps whose channels are last, height x width x count, at least 8 of them, before the net has judged the
// visibility: that is the mean of `evidence` (as large) under the point's own map.
float decode_heatmaps_and_evidence(const float* heatmaps, const float* evidence, int count, int height, int width,
                                   Landmark* landmarks);

}  // namespace dmask
