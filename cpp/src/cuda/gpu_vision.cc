#include "cuda/gpu.hpp"
#include "detect/vision.hpp"
#include "geometry/check.hpp"

namespace dmask::cuda {

std::unique_ptr<Vision> make_gpu_vision(const DetectorOptions&) {
  throw Error("backend tensorrt is not part of this build: use --backend cpu");
}

}  // namespace dmask::cuda
