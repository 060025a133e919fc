// A numpy frame as the core sees it.
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <string>

#include "geometry/image.hpp"

namespace dmask {

namespace py = pybind11;
using Frame = py::array_t<std::uint8_t>;

// Borrows the frame where its pixels lie side by side, else a copy kept in `holder`.
inline ImageView view_of(Frame frame, Frame& holder) {
  const bool grey = frame.ndim() == 2;
  if (!grey && !(frame.ndim() == 3 && (frame.shape(2) == 1 || frame.shape(2) == 3 || frame.shape(2) == 4))) {
    throw py::value_error("a frame has to be uint8 (H, W), (H, W, 3) BGR or (H, W, 4) BGRA");
  }
  const py::ssize_t channels = grey ? 1 : frame.shape(2);
  const bool dense = frame.strides(1) == channels && (grey || frame.strides(2) == 1 || channels == 1);
  holder = dense ? frame : Frame(py::array_t<std::uint8_t, py::array::c_style | py::array::forcecast>(frame));
  return {holder.data(), static_cast<int>(frame.shape(1)), static_cast<int>(frame.shape(0)), static_cast<int>(channels),
          static_cast<std::ptrdiff_t>(holder.strides(0))};
}

}  // namespace dmask
