// How light a colour is, BT.601.
#pragma once

#include "geometry/host_device.hpp"

namespace dmask {

// Grey levels, 0..255, of red, green and blue in 0..1: numbers, or arrays of Eigen.
template <class T>
DMASK_HOST_DEVICE inline auto grey_level(const T& red, const T& green, const T& blue) {
  return 76.245f * red + 149.685f * green + 29.07f * blue;
}

}  // namespace dmask
