// Where a cornea may mirror a lamp: small bright spots on the iris or the pupil.
#pragma once

#include "detect/crop.hpp"
#include "detect/detections.hpp"

namespace dmask {

// Where pixels are asked for: upright, about the iris. Not valid where the iris is not known.
Crop reflex_view(const EyeDetection& eye);

// Spots that may be a lamp, in px of the frame, the brightest first; confidence 1, and 0 of what is not one. rgb: 3 planes of
// `view`, 0..1.
Reflexes find_reflexes(const EyeDetection& eye, const Crop& view, const float* rgb);

}  // namespace dmask
