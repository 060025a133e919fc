#include "capi/frame.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "capi/structs.hpp"
#include "geometry/nv12.hpp"

namespace dmask {
namespace {

constexpr int smallest_px = 16, largest_px = largest_side_px;
constexpr std::int64_t longest_stride = std::int64_t{1} << 24;  // bytes

std::string size_text(int width, int height) { return std::to_string(width) + " x " + std::to_string(height); }

void require_sides(const char* what, int width, int height) {
  if (width < smallest_px || height < smallest_px || width > largest_px || height > largest_px)
    throw Refusal(DMASK_BAD_ARGUMENT, std::string("got a ") + what + " of " + size_text(width, height) +
                                          " pixels, expected " + std::to_string(smallest_px) + " to " +
                                          std::to_string(largest_px) + " a side");
}

void require_stride(const char* what, std::int64_t stride, std::int64_t row_bytes) {
  if (stride < -longest_stride || stride > longest_stride || std::abs(stride) < row_bytes)
    throw Refusal(DMASK_BAD_ARGUMENT, std::string("got a stride of ") + std::to_string(stride) + " bytes for " + what +
                                          ", expected at least the " + std::to_string(row_bytes) +
                                          " bytes of a row and no more than " + std::to_string(longest_stride));
}

void require_data(const char* what, const void* data) {
  if (!data) throw Refusal(DMASK_BAD_ARGUMENT, std::string("got a null pointer as ") + what + ", expected pixels");
}

const char* name_of(int format) {
  constexpr const char* names[] = {"BGR", "BGRA", "RGB", "GREY", "NV12", "GREY16", "YUYV", "I420"};
  static_assert(std::size(names) == DMASK_FORMAT_I420 + 1);
  return names[format];
}

// Of its first plane.
int bytes_per_pixel(int format) {
  switch (format) {
    case DMASK_FORMAT_GREY:
    case DMASK_FORMAT_NV12:
    case DMASK_FORMAT_I420: return 1;
    case DMASK_FORMAT_GREY16:
    case DMASK_FORMAT_YUYV: return 2;
    case DMASK_FORMAT_BGRA: return 4;
    default: return 3;
  }
}

// What the core reads as it is lies on a GPU as well; the rest is converted here.
bool is_converted(int format) {
  return format == DMASK_FORMAT_RGB || format == DMASK_FORMAT_GREY16 || format == DMASK_FORMAT_YUYV ||
         format == DMASK_FORMAT_I420;
}

bool is_yuv(int format) {
  return format == DMASK_FORMAT_NV12 || format == DMASK_FORMAT_YUYV || format == DMASK_FORMAT_I420;
}

// Where the planes of chroma lie.
void require_planes(const dmask_frame& frame) {
  const bool i420 = frame.format == DMASK_FORMAT_I420;
  const auto refuse = [&](const std::string& got) {
    throw Refusal(DMASK_BAD_ARGUMENT, std::string("got a frame of ") + name_of(frame.format) + " with " + got);
  };
  if (frame.chroma) {
    require_stride("the frame's chroma", frame.chroma_stride, i420 ? frame.width / 2 : frame.width);
    if (i420 && !frame.chroma_v && frame.chroma_stride < 0)
      refuse("a negative chroma_stride and no chroma_v, expected the V plane's top row: set chroma_v");
    return;
  }
  if (frame.stride < 0)
    refuse("a negative stride and no chroma, expected the top row of chroma: set chroma and chroma_stride");
  if (i420 && frame.stride % 2)
    refuse("a stride of " + std::to_string(frame.stride) +
           " bytes and no chroma, expected an even one, of which the chroma's is half: set chroma and chroma_stride");
  if (i420 && frame.chroma_v) refuse("chroma_v and no chroma, expected both or neither: set chroma");
}

// Room for a converted frame. It only grows, so frames of one size allocate once.
std::uint8_t* room(std::vector<std::uint8_t>& holder, const dmask_frame& frame, int bytes_per_two_pixels) {
  const std::size_t bytes = static_cast<std::size_t>(frame.width) * frame.height * bytes_per_two_pixels / 2;
  if (holder.size() < bytes) holder.resize(bytes);
  return holder.data();
}

void bgr_from_rgb(const dmask_frame& frame, std::uint8_t* to) {
  for (int y = 0; y < frame.height; ++y) {
    const std::uint8_t* from = frame.data + y * frame.stride;
    for (int x = 0; x < frame.width; ++x, from += 3, to += 3) {
      to[0] = from[2];
      to[1] = from[1];
      to[2] = from[0];
    }
  }
}

// A value above the significant bits is white: overexposed, or bits that were told wrongly, but no dark pixel.
void grey_from_grey16(const dmask_frame& frame, std::uint8_t* to) {
  const int shift = (frame.bits == 0 ? 16 : frame.bits) - 8;
  for (int y = 0; y < frame.height; ++y) {
    const std::uint8_t* from = frame.data + y * frame.stride;
    for (int x = 0; x < frame.width; ++x) {
      std::uint16_t value;
      std::memcpy(&value, from + 2 * x, sizeof value);  // which may lie at an odd address
      *to++ = static_cast<std::uint8_t>(std::min(value >> shift, 255));
    }
  }
}

// Each pixel with the chroma of its pair. NV12 would have to average two rows of it.
void bgr_from_yuyv(const dmask_frame& frame, const YuvToBgr& matrix, std::uint8_t* to) {
  for (int y = 0; y < frame.height; ++y) {
    const std::uint8_t* from = frame.data + y * frame.stride;
    for (int x = 0; x < frame.width; x += 2, from += 4) {
      for (const int luma : {from[0], from[2]}) {
        const BgrLevels levels = bgr_of(matrix, luma, from[1], from[3]);
        *to++ = static_cast<std::uint8_t>(levels.blue);
        *to++ = static_cast<std::uint8_t>(levels.green);
        *to++ = static_cast<std::uint8_t>(levels.red);
      }
    }
  }
}

// U and V side by side: NV12 is I420 but for this.
void pairs_from_i420(const dmask_frame& frame, std::uint8_t* to) {
  const std::int64_t stride = frame.chroma ? frame.chroma_stride : frame.stride / 2;
  const int width = frame.width / 2, height = frame.height / 2;
  const std::uint8_t* u = frame.chroma ? frame.chroma : frame.data + frame.height * frame.stride;
  const std::uint8_t* v = frame.chroma_v ? frame.chroma_v : u + height * stride;
  for (int y = 0; y < height; ++y, u += stride, v += stride)
    for (int x = 0; x < width; ++x) {
      *to++ = u[x];
      *to++ = v[x];
    }
}

}  // namespace

void require_valid(const dmask_frame& frame) {
  if (frame.format < DMASK_FORMAT_BGR || frame.format > DMASK_FORMAT_I420)
    throw Refusal(DMASK_BAD_ARGUMENT, "got frame format " + std::to_string(frame.format) +
                                          ", expected a dmask_format, 0 to " + std::to_string(DMASK_FORMAT_I420));
  require_sides("frame", frame.width, frame.height);
  require_data("the frame's data", frame.data);
  require_stride("the frame", frame.stride, static_cast<std::int64_t>(frame.width) * bytes_per_pixel(frame.format));
  if (frame.on_device != 0 && frame.on_device != 1)
    throw Refusal(DMASK_BAD_ARGUMENT, "got on_device " + std::to_string(frame.on_device) + ", expected 0 or 1");
  if (frame.on_device && is_converted(frame.format))
    throw Refusal(DMASK_BAD_ARGUMENT, std::string("got a frame of ") + name_of(frame.format) +
                                          " in device memory (on_device 1), expected BGR, BGRA, GREY or NV12 there: "
                                          "convert it on the device, or hand it over in the program's memory");
  if (!std::isfinite(frame.time_s))
    throw Refusal(DMASK_BAD_ARGUMENT,
                  "got a frame time that is not a number, expected seconds on a clock that does not run backwards");
  require_zeros(std::array{frame.reserved}, "dmask_frame");
  if (frame.format == DMASK_FORMAT_GREY16 && frame.bits != 0 && (frame.bits < 9 || frame.bits > 16))
    throw Refusal(DMASK_BAD_ARGUMENT,
                  "got bits " + std::to_string(frame.bits) +
                      " for a GREY16 frame, expected 9 to 16, or 0 for 16: hand 8 bits over as GREY");
  if (!is_yuv(frame.format)) return;
  const bool halved_rows = frame.format != DMASK_FORMAT_YUYV;
  if (frame.width % 2 || (halved_rows && frame.height % 2))
    throw Refusal(DMASK_BAD_ARGUMENT, std::string("got a frame of ") + name_of(frame.format) + " with " +
                                          size_text(frame.width, frame.height) + " pixels, expected " +
                                          (halved_rows ? "even sides" : "an even width") + ": leave the last ones out");
  if (frame.yuv < DMASK_YUV_BT601_LIMITED || frame.yuv > DMASK_YUV_BT709_FULL)
    throw Refusal(DMASK_BAD_ARGUMENT, "got yuv " + std::to_string(frame.yuv) + ", expected a dmask_yuv, 0 to 3");
  if (halved_rows) require_planes(frame);
}

void require_valid(const dmask_picture& picture) {
  if (picture.format < DMASK_FORMAT_BGR || picture.format > DMASK_FORMAT_GREY)
    throw Refusal(DMASK_BAD_ARGUMENT,
                  "got picture format " + std::to_string(picture.format) + ", expected BGR, BGRA, RGB or GREY");
  require_sides("picture", picture.width, picture.height);
  require_data("the picture's data", picture.data);
  require_stride("the picture", picture.stride,
                 static_cast<std::int64_t>(picture.width) * bytes_per_pixel(picture.format));
}

ImageView view_of(const dmask_frame& frame, std::vector<std::uint8_t>& holder) {
  ImageView view{frame.data, frame.width, frame.height, bytes_per_pixel(frame.format),
                 static_cast<std::ptrdiff_t>(frame.stride)};
  view.on_device = frame.on_device == 1;
  view.matrix =
      frame.yuv == DMASK_YUV_BT709_LIMITED || frame.yuv == DMASK_YUV_BT709_FULL ? YuvMatrix::bt709 : YuvMatrix::bt601;
  view.full_range = frame.yuv == DMASK_YUV_BT601_FULL || frame.yuv == DMASK_YUV_BT709_FULL;
  const auto converted = [&](int channels) {
    view.data = room(holder, frame, 2 * channels);
    view.channels = channels;
    view.stride = static_cast<std::ptrdiff_t>(frame.width) * channels;
    return holder.data();
  };
  switch (frame.format) {
    case DMASK_FORMAT_RGB: bgr_from_rgb(frame, converted(3)); break;
    case DMASK_FORMAT_GREY16: grey_from_grey16(frame, converted(1)); break;
    case DMASK_FORMAT_YUYV: bgr_from_yuyv(frame, yuv_to_bgr(view), converted(3)); break;
    case DMASK_FORMAT_NV12:
      view.chroma = frame.chroma ? frame.chroma : frame.data + frame.height * frame.stride;
      view.chroma_stride = static_cast<std::ptrdiff_t>(frame.chroma ? frame.chroma_stride : frame.stride);
      break;
    case DMASK_FORMAT_I420:
      view.chroma = room(holder, frame, 1);
      view.chroma_stride = frame.width;
      pairs_from_i420(frame, holder.data());
      break;
    default: break;
  }
  return view;
}

void copy_into(const Image& image, const dmask_picture& picture) {
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* from = image.bgr.data() + static_cast<std::size_t>(y) * image.width * 3;
    std::uint8_t* to = picture.data + y * picture.stride;
    switch (picture.format) {
      case DMASK_FORMAT_BGR: std::memcpy(to, from, static_cast<std::size_t>(image.width) * 3); break;
      case DMASK_FORMAT_RGB:
        for (int x = 0; x < image.width; ++x) {
          to[3 * x] = from[3 * x + 2];
          to[3 * x + 1] = from[3 * x + 1];
          to[3 * x + 2] = from[3 * x];
        }
        break;
      case DMASK_FORMAT_BGRA:
        for (int x = 0; x < image.width; ++x) {
          for (int c = 0; c < 3; ++c) to[4 * x + c] = from[3 * x + c];
          to[4 * x + 3] = 255;
        }
        break;
      default:  // BT.601 luma
        for (int x = 0; x < image.width; ++x)
          to[x] = static_cast<std::uint8_t>(
              (7471 * from[3 * x] + 38470 * from[3 * x + 1] + 19595 * from[3 * x + 2] + 32768) >> 16);
    }
  }
}

}  // namespace dmask
