#include "capi/frame.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

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

int bytes_per_pixel(int format) {
  return format == DMASK_FORMAT_BGRA ? 4 : format == DMASK_FORMAT_GREY || format == DMASK_FORMAT_NV12 ? 1 : 3;
}

std::uint8_t* packed(std::vector<std::uint8_t>& holder, int width, int height) {
  const std::size_t bytes = static_cast<std::size_t>(width) * height * 3;
  if (holder.size() < bytes) holder.resize(bytes);
  return holder.data();
}

void bgr_from_rgb(const dmask_frame& frame, std::uint8_t* bgr) {
  for (int y = 0; y < frame.height; ++y) {
    const std::uint8_t* from = frame.data + y * frame.stride;
    std::uint8_t* to = bgr + static_cast<std::size_t>(y) * frame.width * 3;
    for (int x = 0; x < frame.width; ++x) {
      to[3 * x] = from[3 * x + 2];
      to[3 * x + 1] = from[3 * x + 1];
      to[3 * x + 2] = from[3 * x];
    }
  }
}

}  // namespace

void require_valid(const dmask_frame& frame) {
  if (frame.format < DMASK_FORMAT_BGR || frame.format > DMASK_FORMAT_NV12)
    throw Refusal(DMASK_BAD_ARGUMENT,
                  "got frame format " + std::to_string(frame.format) + ", expected a dmask_format, 0 to 4");
  require_sides("frame", frame.width, frame.height);
  require_data("the frame's data", frame.data);
  require_stride("the frame", frame.stride, static_cast<std::int64_t>(frame.width) * bytes_per_pixel(frame.format));
  if (frame.on_device != 0 && frame.on_device != 1)
    throw Refusal(DMASK_BAD_ARGUMENT, "got on_device " + std::to_string(frame.on_device) + ", expected 0 or 1");
  if (frame.on_device && frame.format == DMASK_FORMAT_RGB)
    throw Refusal(DMASK_BAD_ARGUMENT, "got an RGB frame in device memory, expected BGR, BGRA, grey or NV12 there");
  if (!std::isfinite(frame.time_s))
    throw Refusal(DMASK_BAD_ARGUMENT,
                  "got a frame time that is not a number, expected seconds on a clock that does not run backwards");
  if (frame.format != DMASK_FORMAT_NV12) return;
  if (frame.width % 2 || frame.height % 2)
    throw Refusal(DMASK_BAD_ARGUMENT,
                  "got an NV12 frame of " + size_text(frame.width, frame.height) + " pixels, expected even sides");
  if (frame.yuv < DMASK_YUV_BT601_LIMITED || frame.yuv > DMASK_YUV_BT709_FULL)
    throw Refusal(DMASK_BAD_ARGUMENT, "got yuv " + std::to_string(frame.yuv) + ", expected a dmask_yuv, 0 to 3");
  if (frame.chroma) require_stride("the frame's chroma", frame.chroma_stride, frame.width);
  else if (frame.stride < 0)
    throw Refusal(DMASK_BAD_ARGUMENT,
                  "got an NV12 frame with a negative stride and no chroma pointer: set chroma and chroma_stride");
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
  if (frame.format == DMASK_FORMAT_NV12) {
    view.chroma = frame.chroma ? frame.chroma : frame.data + frame.height * frame.stride;
    view.chroma_stride = static_cast<std::ptrdiff_t>(frame.chroma ? frame.chroma_stride : frame.stride);
    view.matrix =
        frame.yuv == DMASK_YUV_BT709_LIMITED || frame.yuv == DMASK_YUV_BT709_FULL ? YuvMatrix::bt709 : YuvMatrix::bt601;
    view.full_range = frame.yuv == DMASK_YUV_BT601_FULL || frame.yuv == DMASK_YUV_BT709_FULL;
  } else if (frame.format == DMASK_FORMAT_RGB) {
    view.data = packed(holder, frame.width, frame.height);
    view.stride = static_cast<std::ptrdiff_t>(frame.width) * 3;
    bgr_from_rgb(frame, holder.data());
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
