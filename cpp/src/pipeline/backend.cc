#include "pipeline/backend.hpp"

#include "cuda/status.hpp"
#include "detect/detector.hpp"
#include "detect/net.hpp"
#include "detect/tensorrt/device_net.hpp"
#include "detect/tensorrt/status.hpp"
#include "detect/vision.hpp"
#include "geometry/check.hpp"

namespace dmask {
namespace {

// The first thing that is missing; the device is asked for before TensorRT, which may crash without one.
std::string missing_for_tensorrt(const DetectorOptions& nets) {
  const cuda::Status gpu = cuda::status();
  if (!gpu.problem.empty()) return gpu.problem;
  const TensorRtStatus tensorrt = tensorrt_status();
  if (!tensorrt.problem.empty()) return tensorrt.problem;
  try {
    for (const NetOptions& net : {yunet_options(nets), face_net_options(nets), eyelid_net_options(nets),
                                  iris_net_options(nets), lines_net_options(nets)})
      tensorrt_engine(net);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

BackendChoice choose_backend(BackendKind asked, const DetectorOptions& nets) {
  if (asked == BackendKind::cpu) return {"cpu", "OpenVINO, as asked for"};
  const std::string missing = missing_for_tensorrt(nets);
  if (missing.empty()) return {"tensorrt", "TensorRT " + tensorrt_status().version + " on " + cuda::status().device};
  check(asked == BackendKind::automatic, "backend tensorrt cannot be used: " + missing + "; or use --backend cpu");
  return {"cpu", "OpenVINO, since TensorRT cannot be used: " + missing};
}

}  // namespace dmask
