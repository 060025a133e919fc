// Stands in for this folder in a build without the kernels.
#include "cuda/status.hpp"

namespace dmask::cuda {

Status status() {
  Status s;
  s.problem = "this build has no CUDA kernels: install with CUDA 13 (nvcc) at hand, or set DMASK_CUDA=ON to learn what is missing";
  return s;
}

}  // namespace dmask::cuda
