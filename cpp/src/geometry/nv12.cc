#include "geometry/nv12.hpp"

namespace dmask {

void nv12_to_bgr(const ImageView& frame, Image& bgr) {
  bgr.resize(frame.width, frame.height);
  const YuvToBgr to = yuv_to_bgr(frame);
  std::uint8_t* out = bgr.bgr.data();
  for (int y = 0; y < frame.height; ++y) {
    const std::uint8_t* luma = frame.row(y);
    const std::uint8_t* chroma = frame.chroma + (y / 2) * frame.chroma_stride;
    for (int x = 0; x < frame.width; ++x, out += 3) {
      const BgrLevels levels = bgr_of(to, luma[x], chroma[x / 2 * 2], chroma[x / 2 * 2 + 1]);
      out[0] = static_cast<std::uint8_t>(levels.blue);
      out[1] = static_cast<std::uint8_t>(levels.green);
      out[2] = static_cast<std::uint8_t>(levels.red);
    }
  }
}

}  // namespace dmask
