// Stands in for OpenVINO in a build without it.
#include "detect/net.hpp"
#include "geometry/check.hpp"

namespace dmask {

std::unique_ptr<Net> make_openvino_net(const NetOptions& options) {
  throw Error("got " + options.model_path + " to run in a build without OpenVINO, expected one with it: build with " +
              "-DDMASK_OPENVINO=ON");
}

const char* openvino_version() { return "not in this build"; }

}  // namespace dmask
