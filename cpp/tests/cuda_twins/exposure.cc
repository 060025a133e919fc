#include "detect/exposure.hpp"
#include "cuda_twins/twins.hpp"

namespace dmask::cuda {

void expose_twin(float* rgb, int pixels, float* luminance) { *luminance = dmask::expose(rgb, pixels); }

}  // namespace dmask::cuda
