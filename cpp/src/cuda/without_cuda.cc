// Stands in for this folder in a build without the kernels.
#include "cuda/batch_fit.hpp"
#include "cuda/gpu.hpp"
#include "detect/vision.hpp"
#include "geometry/check.hpp"
#include "pipeline/mask.hpp"

namespace dmask::cuda {

Status status() {
  Status s;
  s.problem = "this build has no CUDA kernels: install with CUDA 13 (nvcc) at hand, or set DMASK_CUDA=ON to learn what is missing";
  return s;
}

std::unique_ptr<Vision> make_gpu_vision(const DetectorOptions&) { throw Error(status().problem); }

std::unique_ptr<Painter> make_gpu_painter(const Models&, const MaskSubject&) { throw Error(status().problem); }

struct BatchFit::Device {};
BatchFit::BatchFit(const Models& models, const FitOptions& options) : models_(models), options_(options) {
  throw Error("a batch is fitted on a GPU: " + status().problem);
}
BatchFit::~BatchFit() = default;
int BatchFit::add_subject(const Calibration&) { return 0; }
void BatchFit::fit(const std::vector<Item>&, std::vector<FrameFit>&) {}

}  // namespace dmask::cuda
