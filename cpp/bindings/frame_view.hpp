// A numpy frame as the core sees it.
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <string>

#include "geometry/check.hpp"
#include "geometry/image.hpp"

namespace dmask {

namespace py = pybind11;
using Frame = py::array_t<std::uint8_t>;

// Borrows the frame where its pixels lie side by side, else a copy kept in `holder`. Other numbers than bytes are refused:
// how bright their 1 is, nobody but the caller knows.
inline ImageView view_of(const py::object& given, Frame& holder) {
  const std::string expected = ", expected uint8 (H, W), (H, W, 3) BGR or (H, W, 4) BGRA";
  if (!py::isinstance<py::array>(given))
    throw Error("got a frame of type " + py::str(py::type::of(given).attr("__name__")).cast<std::string>() + expected);
  const auto array = py::reinterpret_borrow<py::array>(given);
  if (!py::isinstance<Frame>(given))
    throw Error("got a frame of " + py::str(array.dtype()).cast<std::string>() + expected +
                ": convert it, 0 to 255 from dark to bright");
  const auto frame = py::reinterpret_borrow<Frame>(given);
  const bool grey = frame.ndim() == 2;
  if (!grey && !(frame.ndim() == 3 && (frame.shape(2) == 1 || frame.shape(2) == 3 || frame.shape(2) == 4)))
    throw Error("got a frame of shape " + py::str(array.attr("shape")).cast<std::string>() + expected);
  check(frame.shape(0) <= largest_side_px && frame.shape(1) <= largest_side_px,
        "got a frame of " + std::to_string(frame.shape(1)) + " x " + std::to_string(frame.shape(0)) +
            " px, expected sides of at most " + std::to_string(largest_side_px) + ": make it smaller");
  const py::ssize_t channels = grey ? 1 : frame.shape(2);
  const bool dense = frame.strides(1) == channels && (grey || frame.strides(2) == 1 || channels == 1);
  holder = dense ? frame : Frame(py::array_t<std::uint8_t, py::array::c_style | py::array::forcecast>(frame));
  return {holder.data(), static_cast<int>(frame.shape(1)), static_cast<int>(frame.shape(0)), static_cast<int>(channels),
          static_cast<std::ptrdiff_t>(holder.strides(0))};
}

}  // namespace dmask
