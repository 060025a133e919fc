// Borrowed pixels: 8 bit, rows `stride` bytes apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dmask {

inline constexpr int largest_side_px = 16384;  // of a frame and of a mask, each way

enum class YuvMatrix { bt601, bt709 };

struct ImageView {
  const std::uint8_t* data = nullptr;  // NV12: the luma plane
  int width = 0, height = 0;
  int channels = 3;  // 1: grey, 3: BGR, 4: BGRA; NV12: 1, as the luma plane has
  std::ptrdiff_t stride = 0;
  // NV12 alone: one Cb and one Cr side by side for every 2 x 2 pixels. Null: not NV12.
  const std::uint8_t* chroma = nullptr;
  std::ptrdiff_t chroma_stride = 0;
  YuvMatrix matrix = YuvMatrix::bt709;
  bool full_range = false;  // 0-255; else luma 16-235, chroma 16-240
  bool on_device = false;   // all of it in a GPU's memory, written before it is handed over

  constexpr const std::uint8_t* row(int y) const { return data + y * stride; }
  constexpr bool is_nv12() const { return chroma != nullptr; }
};

struct Image {
  int width = 0, height = 0;
  std::vector<std::uint8_t> bgr;  // height * width * 3

  void resize(int w, int h) {
    width = w;
    height = h;
    bgr.resize(static_cast<std::size_t>(w) * h * 3);
  }
  ImageView view() const { return {bgr.data(), width, height, 3, static_cast<std::ptrdiff_t>(width) * 3}; }
};

}  // namespace dmask
