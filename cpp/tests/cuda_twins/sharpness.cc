#include "detect/sharpness.hpp"
#include "cuda_twins/twins.hpp"

namespace dmask::cuda {

void laplacian_variance_twin(const CropPlanes& crop, float* variance) {
  std::vector<float> grey;
  *variance = dmask::laplacian_variance(crop.rgb, crop.width, crop.height, grey);
}

}  // namespace dmask::cuda
