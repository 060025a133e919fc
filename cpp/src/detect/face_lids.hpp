// The eyelid net sees the lids three times as large as the face net: the face's lid points are taken from it.
#pragma once

#include "detect/detections.hpp"
#include "geometry/types.hpp"

namespace dmask {

// Moves the face's two canthi of this eye onto the lid's, and its four lid points to the nearest points of the lid's
// margins; confidences stay. An eye whose lid is hidden (mean confidence below one half) is left as it is.
void take_lids(const std::array<Landmark, 20>& lid, Eye eye, std::array<Landmark, 68>& face);

// Lowers the confidence of lids where the face net, which sees the whole face, calls the eye hidden: cloth with folds has the
// look of lids from near.
void doubt_lids(const std::array<Landmark, 68>& face, Eye eye, std::array<Landmark, 20>& lid);

}  // namespace dmask
