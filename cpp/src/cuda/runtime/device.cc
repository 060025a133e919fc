#include "cuda/runtime/device.hpp"

#include <string>

#include "cuda/runtime/status.hpp"
#include "geometry/check.hpp"

namespace dmask::cuda {
namespace {

// Why CUDA names no device, and what to do.
std::string no_device(cudaError_t answer, int driver_version) {
  if (answer == cudaErrorNoDevice) return "no NVIDIA GPU is visible to this process";
  if (answer != cudaErrorInsufficientDriver)
    return std::string(cudaGetErrorString(answer)) + " (" + std::to_string(static_cast<int>(answer)) + ")";
  const std::string driver = driver_version == 0
                                 ? "no NVIDIA driver is here"
                                 : "the NVIDIA driver is for CUDA " + std::to_string(driver_version / 1000) + "." +
                                       std::to_string(driver_version % 1000 / 10);
  return driver + ", expected one for CUDA 13: install version 580 or later";
}

}  // namespace

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
    s.problem = no_device(answer, s.driver_version);
    return s;
  }
  cudaDeviceProp properties{};
  if (s.devices > 0 && cudaGetDeviceProperties(&properties, 0) == cudaSuccess) {
    s.name = properties.name;
    s.major = properties.major, s.minor = properties.minor;
    s.device = s.name + ", compute capability " + std::to_string(s.major) + "." + std::to_string(s.minor);
    if (s.major * 10 + s.minor < 75) {
      s.problem = s.device + " is older than 7.5, which CUDA 13 needs";
      s.devices = 0;
    }
  }
  if (s.devices == 0 && s.problem.empty()) s.problem = "no NVIDIA GPU is visible to this process";
  return s;
}

}  // namespace dmask::cuda
