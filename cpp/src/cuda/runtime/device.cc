#include "cuda/runtime/device.hpp"

#include <string>

#include "cuda/runtime/status.hpp"
#include "geometry/check.hpp"

namespace dmask::cuda {

void check_cuda(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw Error(std::string("CUDA failed ") + what + ": " + cudaGetErrorString(status) + " (" +
              std::to_string(static_cast<int>(status)) + "); try --backend cpu");
}

Status status() {
  Status s;
  s.built = true;
  cudaRuntimeGetVersion(&s.runtime_version);
  cudaDriverGetVersion(&s.driver_version);
  const cudaError_t answer = cudaGetDeviceCount(&s.devices);
  if (answer != cudaSuccess) {
    s.devices = 0;
    cudaGetLastError();  // it would be reported again by the next call
    s.problem = std::string(cudaGetErrorString(answer)) + " (" + std::to_string(static_cast<int>(answer)) + ")";
    s.problem += answer == cudaErrorInsufficientDriver ? ": install an NVIDIA driver of version 580 or later"
                 : answer == cudaErrorNoDevice         ? ": no NVIDIA GPU is visible to this process"
                                                       : "";
    return s;
  }
  cudaDeviceProp properties{};
  if (s.devices > 0 && cudaGetDeviceProperties(&properties, 0) == cudaSuccess) {
    s.device = std::string(properties.name) + ", compute capability " + std::to_string(properties.major) + "." +
               std::to_string(properties.minor);
    if (properties.major * 10 + properties.minor < 75) {
      s.problem = s.device + " is older than 7.5, which CUDA 13 needs";
      s.devices = 0;
    }
  }
  if (s.devices == 0 && s.problem.empty()) s.problem = "no NVIDIA GPU is visible to this process";
  return s;
}

}  // namespace dmask::cuda
