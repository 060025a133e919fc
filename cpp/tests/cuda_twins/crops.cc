#include "cuda_twins/twins.hpp"
#include "detect/crop.hpp"
#include "geometry/nv12.hpp"

namespace dmask::cuda {

void sample_crops_twin(const CropBatch& batch, float* planes) {
  Image converted;
  ImageView frame = *batch.frame;
  if (frame.is_nv12()) {
    nv12_to_bgr(frame, converted);
    frame = converted.view();
  }
  CropSampler sampler;
  for (int k = 0; k < batch.count; ++k) {
    sampler.sample(frame, batch.crops[k], batch.width, batch.height, batch.format,
                   planes + static_cast<std::size_t>(3) * k * batch.width * batch.height);
  }
}

}  // namespace dmask::cuda
