// Stands in for this folder's kernels in a build without them.
#include "cuda/fits/batch_check.hpp"
#include "cuda/gpu.hpp"
#include "cuda/runtime/status.hpp"
#include "detect/vision.hpp"
#include "geometry/check.hpp"
#include "pipeline/mask.hpp"

namespace dmask::cuda {

Status status() {
  Status s;
  s.problem =
      "this build has no CUDA kernels: install with CUDA 13 (nvcc) at hand, or set DMASK_CUDA=ON to learn what is "
      "missing";
  return s;
}

std::unique_ptr<Vision> make_gpu_vision(const DetectorOptions&) { throw Error(status().problem); }

std::unique_ptr<Painter> make_gpu_painter(const Models&, const MaskSubject&) { throw Error(status().problem); }

BatchComparison compare_batch_fit(const Models&, const FitOptions&, const Calibration&,
                                  const std::vector<FrameDetection>&) {
  throw Error("a batch is fitted on a GPU: " + status().problem);
}

}  // namespace dmask::cuda
