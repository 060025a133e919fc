// Frames as programs hand them over, pixel by pixel as the core sees them: against conversions in double precision, and what
// they cost the heap.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "capi/frame.hpp"
#include "check.hpp"
#include "geometry/nv12.hpp"

namespace {

using namespace dmask;
using Buffer = std::vector<std::uint8_t>;

constexpr int width = 38, height = 26;

Buffer noise(std::size_t bytes, unsigned seed) {
  std::mt19937 random(seed);
  Buffer buffer(bytes);
  for (std::uint8_t& byte : buffer) byte = static_cast<std::uint8_t>(random());
  return buffer;
}

dmask_frame frame_of(dmask_format format, const std::uint8_t* data, std::int64_t stride) {
  dmask_frame frame{};
  frame.struct_size = sizeof frame;
  frame.format = format;
  frame.width = width;
  frame.height = height;
  frame.data = data;
  frame.stride = stride;
  return frame;
}

// ITU-R BT.601-7 and BT.709-6, in double precision; blue, green, red.
std::array<double, 3> bgr_of_yuv(int yuv, int y, int u, int v) {
  const bool full = yuv == DMASK_YUV_BT601_FULL || yuv == DMASK_YUV_BT709_FULL;
  const bool bt709 = yuv == DMASK_YUV_BT709_LIMITED || yuv == DMASK_YUV_BT709_FULL;
  const double kr = bt709 ? 0.2126 : 0.299, kb = bt709 ? 0.0722 : 0.114;
  const double luma = full ? y : (y - 16) * 255.0 / 219, scale = full ? 1 : 255.0 / 224;
  const double cb = scale * (u - 128), cr = scale * (v - 128);
  const double red = luma + 2 * (1 - kr) * cr, blue = luma + 2 * (1 - kb) * cb;
  const double green = (luma - kr * red - kb * blue) / (1 - kr - kb);
  std::array<double, 3> bgr{blue, green, red};
  for (double& level : bgr) level = std::clamp(level, 0.0, 255.0);
  return bgr;
}

std::string refusal_of(const dmask_frame& frame) {
  try {
    require_valid(frame);
  } catch (const Refusal& refusal) {
    return refusal.what();
  }
  return "";
}

bool same(const ImageView& a, const ImageView& b) {
  bool equal = a.channels == b.channels && a.is_nv12() == b.is_nv12();
  for (int y = 0; equal && y < a.height; ++y) equal = std::memcmp(a.row(y), b.row(y), a.width * a.channels) == 0;
  for (int y = 0; equal && a.is_nv12() && y < a.height / 2; ++y)
    equal = std::memcmp(a.chroma + y * a.chroma_stride, b.chroma + y * b.chroma_stride, a.width) == 0;
  return equal;
}

TEST_CASE(yuyv_becomes_bgr_by_every_matrix) {
  const std::int64_t stride = 2 * width + 6;
  const Buffer pixels = noise(stride * height, 1);
  dmask_frame frame = frame_of(DMASK_FORMAT_YUYV, pixels.data(), stride);
  Buffer holder;
  for (int yuv = DMASK_YUV_BT601_LIMITED; yuv <= DMASK_YUV_BT709_FULL; ++yuv) {
    frame.yuv = yuv;
    EXPECT(refusal_of(frame) == "");
    const ImageView view = view_of(frame, holder);
    EXPECT(view.channels == 3 && !view.is_nv12() && view.width == width && view.height == height);
    double worst = 0;
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const std::uint8_t* pair = pixels.data() + y * stride + x / 2 * 4;
        const auto want = bgr_of_yuv(yuv, pair[x % 2 * 2], pair[1], pair[3]);
        for (int c = 0; c < 3; ++c) worst = std::max(worst, std::abs(view.row(y)[3 * x + c] - want[c]));
      }
    EXPECT(worst > 0 && worst < 0.51);  // rounded to the nearest level
  }
}

TEST_CASE(i420_becomes_nv12_of_the_same_colours) {
  const std::int64_t stride = width + 6;
  const Buffer pixels = noise(stride * height * 3 / 2, 2);
  const std::uint8_t *u = pixels.data() + stride * height, *v = u + stride / 2 * (height / 2);
  dmask_frame frame = frame_of(DMASK_FORMAT_I420, pixels.data(), stride);
  Buffer holder;
  for (int yuv = DMASK_YUV_BT601_LIMITED; yuv <= DMASK_YUV_BT709_FULL; ++yuv) {
    frame.yuv = yuv;
    EXPECT(refusal_of(frame) == "");
    const ImageView view = view_of(frame, holder);
    EXPECT(view.is_nv12() && view.data == pixels.data());  // the luma stays where it is
    Image bgr;
    nv12_to_bgr(view, bgr);
    double worst = 0;
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const std::int64_t at = y / 2 * (stride / 2) + x / 2;
        const auto want = bgr_of_yuv(yuv, pixels[y * stride + x], u[at], v[at]);
        for (int c = 0; c < 3; ++c) worst = std::max(worst, std::abs(bgr.view().row(y)[3 * x + c] - want[c]));
      }
    EXPECT(worst > 0 && worst < 0.51);
  }
}

TEST_CASE(grey16_shows_the_upper_eight_of_its_significant_bits) {
  Buffer pixels(2 * width * height + 1), holder;
  for (int bits = 9; bits <= 16; ++bits) {
    for (int i = 0; i < width * height; ++i) {  // all of the range, and a step beyond it where there is room
      const auto value = static_cast<std::uint16_t>(
          std::min<std::int64_t>(static_cast<std::int64_t>(i) * (1 << bits) / (width * height - 2), 65535));
      std::memcpy(pixels.data() + 1 + 2 * i, &value, 2);
    }
    dmask_frame frame = frame_of(DMASK_FORMAT_GREY16, pixels.data() + 1, 2 * width);  // at an odd address
    frame.bits = bits;
    EXPECT(refusal_of(frame) == "");
    const ImageView view = view_of(frame, holder);
    EXPECT(view.channels == 1 && !view.is_nv12());
    int wrong = 0;
    for (int i = 0; i < width * height; ++i) {
      std::uint16_t value;
      std::memcpy(&value, pixels.data() + 1 + 2 * i, 2);
      const int want = std::min(static_cast<int>(std::floor(value / std::pow(2.0, bits - 8))), 255);
      wrong += view.row(i / width)[i % width] != want;
    }
    EXPECT(wrong == 0);
    EXPECT(view.row(0)[0] == 0 && view.row(height - 1)[width - 1] == 255);
    if (bits < 16) continue;
    const Buffer told(view.data, view.data + width * height);
    frame.bits = 0;  // the same
    EXPECT(std::equal(told.begin(), told.end(), view_of(frame, holder).data));
  }
}

TEST_CASE(pictures_from_the_bottom_up_are_the_same) {
  const Buffer pixels = noise(4 * width * height, 3);
  for (const dmask_format format : {DMASK_FORMAT_GREY16, DMASK_FORMAT_YUYV}) {
    const std::int64_t stride = 2 * width;
    Buffer turned, top_down, bottom_up;
    for (int y = height - 1; y >= 0; --y)
      turned.insert(turned.end(), pixels.data() + y * stride, pixels.data() + (y + 1) * stride);
    const ImageView want = view_of(frame_of(format, pixels.data(), stride), top_down);
    const dmask_frame frame = frame_of(format, turned.data() + (height - 1) * stride, -stride);
    EXPECT(refusal_of(frame) == "");
    EXPECT(same(view_of(frame, bottom_up), want));
  }
  // Planes of I420 by themselves, V before U and these upside down.
  Buffer in_one, apart, planes(2 * width * (height / 2));
  const ImageView want = view_of(frame_of(DMASK_FORMAT_I420, pixels.data(), width), in_one);
  const int rows = height / 2, half = width / 2;
  const std::uint8_t *u = pixels.data() + width * height, *v = u + half * rows;
  for (int y = 0; y < rows; ++y) {
    std::copy_n(v + y * half, half, planes.data() + (rows - 1 - y) * width);
    std::copy_n(u + y * half, half, planes.data() + (2 * rows - 1 - y) * width);
  }
  dmask_frame frame = frame_of(DMASK_FORMAT_I420, pixels.data(), width);
  frame.chroma = planes.data() + (2 * rows - 1) * width;
  frame.chroma_v = planes.data() + (rows - 1) * width;
  frame.chroma_stride = -width;
  EXPECT(refusal_of(frame) == "");
  EXPECT(same(view_of(frame, apart), want));
  frame.chroma = u;
  frame.chroma_v = nullptr;  // right behind U
  frame.chroma_stride = half;
  EXPECT(same(view_of(frame, apart), want));
}

TEST_CASE(what_cannot_be_read_is_refused_in_a_sentence) {
  const Buffer pixels = noise(4 * width * height, 4);
  const auto told = [&](dmask_format format, std::int64_t stride, auto change) {
    dmask_frame frame = frame_of(format, pixels.data(), stride);
    change(frame);
    return refusal_of(frame);
  };
  const auto has = [](const std::string& sentence, const char* word) {
    return sentence.find("expected") != std::string::npos && sentence.find(word) != std::string::npos;
  };
  const auto nothing = [](dmask_frame&) {};
  for (const dmask_format format : {DMASK_FORMAT_GREY16, DMASK_FORMAT_YUYV, DMASK_FORMAT_I420}) {
    const std::int64_t row = format == DMASK_FORMAT_I420 ? width : 2 * width;
    EXPECT(told(format, row, nothing) == "");
    EXPECT(has(told(format, row - 1, nothing), "bytes of a row"));
    EXPECT(has(told(format, 0, nothing), "bytes of a row"));
    EXPECT(has(told(format, row, [](dmask_frame& f) { f.data = nullptr; }), "null pointer"));
    EXPECT(has(told(format, row, [](dmask_frame& f) { f.on_device = 1; }), "device memory"));
    EXPECT(has(told(format, row, [](dmask_frame& f) { f.reserved = 1; }), "zeros"));
    EXPECT(has(told(format, row, [](dmask_frame& f) { f.width = 8; }), "16 to"));
  }
  for (const dmask_format format : {DMASK_FORMAT_YUYV, DMASK_FORMAT_I420}) {
    EXPECT(has(told(format, 2 * width, [](dmask_frame& f) { f.width = width - 1; }), "even"));
    EXPECT(has(told(format, 2 * width, [](dmask_frame& f) { f.yuv = 4; }), "dmask_yuv"));
  }
  EXPECT(told(DMASK_FORMAT_GREY16, 2 * width, [](dmask_frame& f) { f.width = 37, f.height = 25; }) == "");
  EXPECT(told(DMASK_FORMAT_YUYV, 2 * width, [](dmask_frame& f) { f.height = 25; }) == "");
  EXPECT(has(told(DMASK_FORMAT_I420, width, [](dmask_frame& f) { f.height = 25; }), "even sides"));
  for (const int bits : {-1, 1, 8, 17})
    EXPECT(has(told(DMASK_FORMAT_GREY16, 2 * width, [&](dmask_frame& f) { f.bits = bits; }), "9 to 16"));
  EXPECT(told(DMASK_FORMAT_GREY, width, [](dmask_frame& f) { f.bits = 99; }) == "");  // which has none

  const std::uint8_t* plane = pixels.data();
  EXPECT(has(told(DMASK_FORMAT_I420, -width, nothing), "set chroma"));
  EXPECT(has(told(DMASK_FORMAT_I420, width + 1, nothing), "set chroma"));
  EXPECT(has(told(DMASK_FORMAT_I420, width, [&](dmask_frame& f) { f.chroma_v = plane; }), "set chroma"));
  const auto planar = [&](std::int64_t stride) {
    return [&plane, stride](dmask_frame& f) { f.chroma = plane, f.chroma_stride = stride; };
  };
  EXPECT(told(DMASK_FORMAT_I420, width, planar(width / 2)) == "");
  EXPECT(has(told(DMASK_FORMAT_I420, width, planar(width / 2 - 1)), "chroma"));
  EXPECT(has(told(DMASK_FORMAT_I420, width, planar(0)), "chroma"));
  EXPECT(has(told(DMASK_FORMAT_I420, width, planar(-width)), "set chroma_v"));
  EXPECT(has(told(static_cast<dmask_format>(DMASK_FORMAT_I420 + 1), width, nothing), "0 to 7"));

  dmask_picture picture{sizeof picture, DMASK_FORMAT_GREY16, width, height, nullptr, 2 * width};
  for (picture.format = DMASK_FORMAT_NV12; picture.format <= DMASK_FORMAT_I420; ++picture.format) {
    std::string sentence;
    try {
      require_valid(picture);
    } catch (const Refusal& refusal) {
      sentence = refusal.what();
    }
    EXPECT(has(sentence, "BGR, BGRA, RGB or GREY"));
  }
}

TEST_CASE(a_frame_of_a_size_that_was_seen_costs_the_heap_nothing) {
  const Buffer pixels = noise(4 * width * height, 5);
  Buffer holder;
  for (const bool first : {true, false}) {
    for (const dmask_format format : {DMASK_FORMAT_RGB, DMASK_FORMAT_GREY16, DMASK_FORMAT_YUYV, DMASK_FORMAT_I420}) {
      const std::int64_t stride = format == DMASK_FORMAT_RGB    ? 3 * width
                                  : format == DMASK_FORMAT_I420 ? width
                                                                : 2 * width;
      const dmask_frame frame = frame_of(format, pixels.data(), stride);
      const long before = test::allocations.ours;
      {
        const test::Counted scope;
        require_valid(frame);
        view_of(frame, holder);
      }
      const long cost = test::allocations.ours - before;
      EXPECT(cost == (first && format == DMASK_FORMAT_RGB ? 1 : 0));
    }
  }
}

}  // namespace

int main(int argc, char** argv) { return dmask::test::run(argc, argv); }
