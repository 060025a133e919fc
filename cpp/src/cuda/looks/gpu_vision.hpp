// Looks at frames on a GPU, with nets of any origin.
#pragma once

#include <functional>
#include <memory>

#include "cuda/tensorrt/device_net.hpp"

namespace dmask {

class Vision;
struct DetectorOptions;
struct NetOptions;

namespace cuda {

using MakeDeviceNet = std::function<std::unique_ptr<DeviceNet>(const NetOptions&)>;
std::unique_ptr<Vision> make_gpu_vision(const DetectorOptions& options, MakeDeviceNet make_net);

}  // namespace cuda
}  // namespace dmask
