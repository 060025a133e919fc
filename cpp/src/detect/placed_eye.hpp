// What the eye nets saw in a crop, in pixels of the frame.
#pragma once

#include "detect/crop.hpp"
#include "detect/detections.hpp"
#include "detect/vision.hpp"

namespace dmask {

// A point outside the frame was not seen: it keeps its place, and no confidence.
void keep_in_sight(const ImageView& frame, Landmark& point);

// From px of a crop to px of the frame.
void to_frame(const ImageView& frame, const Crop& crop, Landmark& point);

// Lids, iris and lines of one eye; the limbus runs clockwise in the picture from 12 o'clock.
EyeDetection placed_eye(const EyesLook& look, Eye eye, const Crop& crop, const ImageView& frame);

}  // namespace dmask
