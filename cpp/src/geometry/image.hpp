// Borrowed pixels: 8 bit, rows `stride` bytes apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dmask {

struct ImageView {
  const std::uint8_t* data = nullptr;
  int width = 0, height = 0;
  int channels = 3;  // 3: BGR
  std::ptrdiff_t stride = 0;

  const std::uint8_t* row(int y) const { return data + y * stride; }
};

struct Image {
  int width = 0, height = 0;
  std::vector<std::uint8_t> bgr;  // height * width * 3

  void resize(int w, int h) {
    width = w;
    height = h;
    bgr.resize(static_cast<std::size_t>(w) * h * 3);
  }
};

}  // namespace dmask
