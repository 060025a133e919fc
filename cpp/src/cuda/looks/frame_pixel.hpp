// One pixel of a frame of any format, in a kernel.
#pragma once

#include "cuda/runtime/device.hpp"
#include "geometry/nv12.hpp"

namespace dmask::cuda {

inline __device__ BgrLevels frame_pixel(const ImageView& frame, int x, int y) {
  const std::uint8_t* row = frame.data + y * frame.stride;
  if (frame.chroma != nullptr) {
    const std::uint8_t* pair = frame.chroma + (y / 2) * frame.chroma_stride + x / 2 * 2;
    return bgr_of(yuv_to_bgr(frame), row[x], pair[0], pair[1]);
  }
  if (frame.channels == 1) return {row[x], row[x], row[x]};
  const std::uint8_t* pixel = row + x * frame.channels;
  return {pixel[0], pixel[1], pixel[2]};
}

}  // namespace dmask::cuda
