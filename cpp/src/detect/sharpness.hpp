// How sharp a crop is.
#pragma once

#include <vector>

namespace dmask {

// Variance of the 4-neighbour Laplacian of the grey crop, grey levels squared. rgb: 3 x height x width in 0..1, at least
// 3 px a side; `grey` is scratch.
float laplacian_variance(const float* rgb, int width, int height, std::vector<float>& grey);

}  // namespace dmask
