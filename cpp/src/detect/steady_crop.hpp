// Crops that follow the face but not the noise of the points they are made from.
#pragma once

#include "detect/crop.hpp"
#include "detect/detections.hpp"

namespace dmask {

// The last crop, moved only by what exceeds a backlash (3 % of its width, 5 % in size, 0.05 rad): a third of the points'
// jitter came from crops that jittered with them.
Crop held(const Crop& last, const Crop& wanted);

// The eye's crop with centre and turn from the lid's own canthi, which stay true when the eye is shut, where the face's
// sink. A lid that is hidden or far off leaves the crop as it is.
Crop lid_crop(const std::array<Landmark, 20>& lid, Eye eye, const Crop& crop);

// Moves `now` as `then` was moved from `before`.
Crop carried(const Crop& before, const Crop& then, Crop now);

}  // namespace dmask
