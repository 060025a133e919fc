// Which backend looks at frames and draws masks, and why.
#pragma once

#include <string>

#include "pipeline/options.hpp"

namespace dmask {

struct DetectorOptions;

struct BackendChoice {
  std::string backend;  // cpu | tensorrt
  std::string reason;   // one line
};

// automatic takes TensorRT where a GPU, its library and every engine are there, else the CPU.
// Throws Error where tensorrt is asked for and something is missing: what, and how to get it.
BackendChoice choose_backend(BackendKind asked, const DetectorOptions& nets);

}  // namespace dmask
