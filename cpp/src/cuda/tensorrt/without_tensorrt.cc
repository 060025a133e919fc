// Stands in for the runner in a build without TensorRT's headers or without CUDA.
#include "cuda/tensorrt/device_net.hpp"
#include "cuda/tensorrt/status.hpp"
#include "detect/net.hpp"
#include "geometry/check.hpp"

namespace dmask {

TensorRtStatus tensorrt_status() {
  TensorRtStatus status;
  status.problem =
      "this build has no TensorRT runner: install with CUDA 13 and TensorRT's headers at hand (TensorRT_INCLUDE_DIR), "
      "or set DMASK_TENSORRT=ON to learn what is missing";
  return status;
}

std::string tensorrt_engine(const NetOptions&) { throw Error(tensorrt_status().problem); }

void try_tensorrt_engine(const NetOptions&) { throw Error(tensorrt_status().problem); }

std::unique_ptr<DeviceNet> make_tensorrt_net(const NetOptions& options) {
  throw Error(options.model_path + " cannot be run by TensorRT: " + tensorrt_status().problem +
              "; or use --backend cpu");
}

}  // namespace dmask
