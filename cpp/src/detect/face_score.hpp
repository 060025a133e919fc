// Whether 68 points are those of a face that is the right way up.
#pragma once

#include "detect/face_crop.hpp"

namespace dmask {

// 0..1; spread_cells: mean standard deviation of the heat maps.
float face_score(const FacePoints& points, float spread_cells);

}  // namespace dmask
