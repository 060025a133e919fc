// YUV 4:2:0 as cameras and video decoders hand it over, to BGR.
#pragma once

#include "geometry/image.hpp"

namespace dmask {

// Whole numbers of 1/65536: so CPU and GPU agree to the bit.
struct YuvToBgr {
  int luma_offset, luma, red_cr, green_cb, green_cr, blue_cb;
};

// Recommendation ITU-R BT.601-7 and BT.709-6: luma = kr R + (1 - kr - kb) G + kb B.
constexpr YuvToBgr yuv_to_bgr(double kr, double kb, bool full_range) {
  const auto fixed = [](double x) { return static_cast<int>(65536 * x + (x < 0 ? -0.5 : 0.5)); };
  const double luma = full_range ? 1.0 : 255.0 / 219, chroma = full_range ? 1.0 : 255.0 / 224, kg = 1 - kr - kb;
  return {full_range ? 0 : 16,
          fixed(luma),
          fixed(2 * (1 - kr) * chroma),
          fixed(-2 * kb * (1 - kb) / kg * chroma),
          fixed(-2 * kr * (1 - kr) / kg * chroma),
          fixed(2 * (1 - kb) * chroma)};
}

constexpr YuvToBgr yuv_to_bgr(const ImageView& frame) {
  constexpr YuvToBgr limited_601 = yuv_to_bgr(0.299, 0.114, false), full_601 = yuv_to_bgr(0.299, 0.114, true);
  constexpr YuvToBgr limited_709 = yuv_to_bgr(0.2126, 0.0722, false), full_709 = yuv_to_bgr(0.2126, 0.0722, true);
  if (frame.matrix == YuvMatrix::bt601) return frame.full_range ? full_601 : limited_601;
  return frame.full_range ? full_709 : limited_709;
}

struct BgrLevels {
  int blue, green, red;  // 0..255
};

constexpr int grey_level(int fixed) {
  const int rounded = (fixed + (1 << 15)) >> 16;
  return rounded < 0 ? 0 : rounded > 255 ? 255 : rounded;
}

constexpr BgrLevels bgr_of(const YuvToBgr& to, int y, int cb, int cr) {
  const int luma = (y - to.luma_offset) * to.luma;
  cb -= 128;
  cr -= 128;
  return {grey_level(luma + to.blue_cb * cb), grey_level(luma + to.green_cb * cb + to.green_cr * cr),
          grey_level(luma + to.red_cr * cr)};
}

// frame: NV12 in host memory. The four pixels of a chroma sample share it.
void nv12_to_bgr(const ImageView& frame, Image& bgr);

}  // namespace dmask
