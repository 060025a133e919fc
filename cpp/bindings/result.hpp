// A frame's result, and pictures, as Python holds them.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>

#include "pipeline/release.hpp"

namespace dmask {

struct PyResult {
  FrameResult result;
  int width = 0, height = 0;                 // of the frame
  pybind11::object mask = pybind11::none();  // its picture, where process() made one
};

pybind11::dict to_dict(const FrameResult& result);  // the numbers by the names of the columns of frames.csv

inline pybind11::array_t<std::uint8_t> picture_of(const Image& image) {
  pybind11::array_t<std::uint8_t> out({image.height, image.width, 3});
  std::copy(image.bgr.begin(), image.bgr.end(), out.mutable_data());
  return out;
}

}  // namespace dmask
