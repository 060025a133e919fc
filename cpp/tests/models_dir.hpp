// Where the tests find models and nets.
#pragma once

#include <cstdlib>
#include <string>

#include "geometry/check.hpp"

namespace dmask::test {

inline std::string models_dir() {
  const char* folder = std::getenv("DMASK_MODELS");
  check(folder != nullptr, "DMASK_MODELS is not set: let ctest run this, or name the folder of face.dmm");
  return folder;
}

}  // namespace dmask::test
