// A frame's result as Python holds it.
#pragma once

#include <pybind11/pybind11.h>

#include "pipeline/release.hpp"

namespace dmask {

struct PyResult {
  FrameResult result;
  int width = 0, height = 0;                      // of the frame
  pybind11::object mask = pybind11::none();  // its picture, where process() made one
};

}  // namespace dmask
