// What looks at frames and draws masks. The core has the CPU's; who makes a Pipeline may hand it another.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "detect/detector.hpp"
#include "pipeline/mask.hpp"

namespace dmask {

struct Backend {
  std::string name;    // cpu | tensorrt
  std::string reason;  // why it was taken, one line
  MakeVision make_vision;
  std::function<std::unique_ptr<Painter>(const Models&, const MaskSubject&)> make_painter;
};

Backend cpu_backend(std::string reason = "OpenVINO, as asked for");

}  // namespace dmask
