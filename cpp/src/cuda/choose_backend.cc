#include "cuda/choose_backend.hpp"

#include "cuda/gpu.hpp"
#include "cuda/runtime/status.hpp"
#include "cuda/tensorrt/device_net.hpp"
#include "cuda/tensorrt/served_cards.hpp"
#include "cuda/tensorrt/status.hpp"
#include "detect/net.hpp"
#include "geometry/check.hpp"

namespace dmask {
namespace {

// The first thing that is missing; the device is asked for before TensorRT, which may crash without one. The smallest
// engine is opened: only so does TensorRT say whether it runs on this card.
std::string missing_for_tensorrt(const DetectorOptions& nets) {
  const cuda::Status gpu = cuda::status();
  if (!gpu.problem.empty()) return gpu.problem;
  const TensorRtStatus tensorrt = tensorrt_status();
  if (!tensorrt.problem.empty()) return tensorrt.problem;
  const std::string card = card_problem(tensorrt.flavour, gpu.name, gpu.major, gpu.minor);
  if (!card.empty()) return card;
  try {
    for (const NetOptions& net : {yunet_options(nets), face_net_options(nets), eyelid_net_options(nets),
                                  iris_net_options(nets), lines_net_options(nets)})
      tensorrt_engine(net);
    try_tensorrt_engine(iris_net_options(nets));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

Backend tensorrt_backend() {
  return {"tensorrt", "TensorRT " + tensorrt_status().version + " on " + cuda::status().device, cuda::make_gpu_vision,
          cuda::make_gpu_painter};
}

}  // namespace

Backend choose_backend(const PipelineOptions& options) {
  if (options.backend == BackendKind::cpu) return cpu_backend();
  const std::string missing = missing_for_tensorrt(detector_options(options));
  if (missing.empty()) return tensorrt_backend();
  check(options.backend == BackendKind::automatic,
        "backend tensorrt cannot be used: " + missing + "; or use --backend cpu");
  return cpu_backend("OpenVINO, since TensorRT cannot be used: " + missing);
}

}  // namespace dmask
