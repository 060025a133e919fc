// Whether this build and this machine have TensorRT. Says nothing about a GPU: cuda/runtime/status.hpp does.
#pragma once

#include <string>

namespace dmask {

struct TensorRtStatus {
  bool built = false;          // this build has the runner
  std::string header_version;  // of the headers it was built with
  std::string library;         // name or path under which the library was found; empty: not found
  std::string flavour;         // tensorrt | tensorrt_rtx
  std::string version;         // of the library
  std::string problem;         // why it cannot be used, and what to do; empty if it can
};
TensorRtStatus tensorrt_status();  // never throws, and calls nothing that needs a GPU

}  // namespace dmask
