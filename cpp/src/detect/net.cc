#include "detect/net.hpp"

#include <fstream>

#include "geometry/check.hpp"
#include "geometry/file_path.hpp"

namespace dmask {

std::string to_string(const std::vector<std::int64_t>& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i ? ", " : "") + (shape[i] < 0 ? std::string("?") : std::to_string(shape[i]));
  }
  return text + ")";
}

std::unique_ptr<Net> make_net(const NetOptions& options) {
  check(std::ifstream(file_path(options.model_path)).good(),
        "cannot read the model " + options.model_path + ": check the model directory");
  check(options.threads >= 0, "threads is " + std::to_string(options.threads) + ", expected 0 (all) or more");
  return make_openvino_net(options);
}

}  // namespace dmask
