// The 18 limbus points: their order, and what they say about the centre.
#pragma once

#include <array>

#include "detect/detections.hpp"

namespace dmask {

using IrisPoints = std::array<Landmark, 19>;  // centre, then the limbus clockwise from 12 o'clock every 20 degrees

// Clockwise order of a mirrored iris: k >= 2 -> 20 - k.
IrisPoints reversed_limbus(const IrisPoints& iris);

// The points lie clockwise from 12 o'clock of a crop that is turned by `roll_rad` clockwise in the picture; returns
// them from 12 o'clock of the picture, still equally spaced in the circle's parameter. The closed curve is resampled
// by its Fourier series, the confidences linearly.
IrisPoints turned_limbus(const IrisPoints& iris, float roll_rad);

// The centre as the net places it, averaged with that of the ellipse through the limbus, whose points count by their
// confidence: on rendered eyes it errs a tenth less than the net's own, on photographs no more.
Landmark steadied_centre(const IrisPoints& iris);

}  // namespace dmask
