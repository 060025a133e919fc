#include "detect/crop.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "detect/exposure.hpp"
#include "geometry/check.hpp"

namespace dmask {

Vec2f Crop::to_frame(float x, float y) const {
  const float u = (mirrored ? width - 1 - x : x) - 0.5f * (width - 1);
  const float v = y - 0.5f * (height - 1);
  const float c = scale() * std::cos(roll_rad), s = scale() * std::sin(roll_rad);
  return centre + Vec2f(c * u - s * v, s * u + c * v);
}

Vec2f Crop::to_crop(const Vec2f& frame_px) const {
  const Vec2f d = (frame_px - centre) / scale();
  const float c = std::cos(roll_rad), s = std::sin(roll_rad);
  const float x = c * d.x() + s * d.y() + 0.5f * (width - 1);
  return {mirrored ? width - 1 - x : x, -s * d.x() + c * d.y() + 0.5f * (height - 1)};
}

Crop Crop::inner(Crop crop) const {
  crop.centre = to_frame(crop.centre.x(), crop.centre.y());
  crop.width_px *= scale();
  crop.roll_rad += roll_rad;
  return crop;
}

namespace {

typedef float Float4 __attribute__((vector_size(16)));
typedef std::int32_t Int4 __attribute__((vector_size(16)));
typedef std::uint16_t Word4 __attribute__((vector_size(8)));

constexpr int max_shrink = 256;  // sums of that many bytes fit 16 bits

// One pixel of summed rows as B, G, R, unused; reads four values.
template <int channels>
inline Int4 load(const std::uint16_t* sums) {
  if constexpr (channels == 1) return Int4{sums[0], sums[0], sums[0], 0};
  Word4 words;
  std::memcpy(&words, sums, sizeof(words));
  return __builtin_convertvector(words, Int4);
}

template <int channels>
void average_columns(const std::uint16_t* sums, const int* offset, int columns, int shrink, Float4* cells) {
  const float weight = 1.0f / (static_cast<float>(shrink) * shrink);
  const Float4 weights = {weight, weight, weight, weight};
  for (int i = 0; i < columns; ++i) {
    Int4 sum = {0, 0, 0, 0};
    for (int a = 0; a < shrink; ++a) sum += load<channels>(sums + *offset++);
    cells[i] = __builtin_convertvector(sum, Float4) * weights;
  }
}

}  // namespace

bool Crop::valid() const {
  constexpr float largest_px = 1e5f;  // six times the largest frame's side
  return width > 0 && height > 0 && width_px > 0 && std::max(width, height) * scale() <= largest_px &&
         std::abs(centre.x()) <= 10 * largest_px && std::abs(centre.y()) <= 10 * largest_px &&
         std::abs(roll_rad) <= 100 && gain >= 1;  // false for NaN
}

CropPlacement place(const Crop& crop) {
  if (!crop.valid())
    throw Error("a crop of " + std::to_string(crop.width_px) +
                " px across, expected up to 100000 within reach of the frame");
  const float scale = crop.scale();
  CropPlacement placed;
  // Box-average by a whole factor first, so that what is left is close to one patch pixel per crop pixel.
  placed.shrink = std::clamp(static_cast<int>(std::lround(scale)), 1, max_shrink);
  placed.samples = scale > 1.2f * placed.shrink ? 4 : 1;
  Vec2f low = Vec2f::Constant(1e30f), high = Vec2f::Constant(-1e30f);
  for (const float x : {-1.0f, static_cast<float>(crop.width)}) {
    for (const float y : {-1.0f, static_cast<float>(crop.height)}) {
      const Vec2f corner = crop.to_frame(x, y);
      low = low.cwiseMin(corner);
      high = high.cwiseMax(corner);
    }
  }
  placed.x0 = static_cast<int>(std::floor(low.x())) - placed.shrink;
  placed.y0 = static_cast<int>(std::floor(low.y())) - placed.shrink;
  placed.columns = static_cast<int>((high.x() - placed.x0) / placed.shrink) + 3;
  placed.rows = static_cast<int>((high.y() - placed.y0) / placed.shrink) + 3;

  const float inverse = 1.0f / placed.shrink;
  const Vec2f offset(placed.x0 + 0.5f * (placed.shrink - 1), placed.y0 + 0.5f * (placed.shrink - 1));
  const Vec2f origin = (crop.to_frame(0, 0) - offset) * inverse;
  const Vec2f along = (crop.to_frame(1, 0) - crop.to_frame(0, 0)) * inverse;
  const Vec2f down = (crop.to_frame(0, 1) - crop.to_frame(0, 0)) * inverse;
  placed.origin_x = origin.x(), placed.origin_y = origin.y();
  placed.along_x = along.x(), placed.along_y = along.y();
  placed.down_x = down.x(), placed.down_y = down.y();
  placed.gain = crop.gain;
  return placed;
}

void CropSampler::fill_patch(const ImageView& frame, const CropPlacement& crop, float outside_level) {
  const int x0 = crop.x0, y0 = crop.y0, columns = crop.columns, rows = crop.rows, shrink = crop.shrink;
  const int first = std::clamp(x0, 0, frame.width - 1);
  const int last = std::clamp(x0 + columns * shrink - 1, 0, frame.width - 1);
  const int values = (last - first + 1) * frame.channels;
  patch_.resize(static_cast<std::size_t>(columns) * rows);
  row_sums_.resize(values + 4);
  column_offset_.resize(static_cast<std::size_t>(columns) * shrink);
  for (int i = 0; i < columns * shrink; ++i) {
    column_offset_[i] = (std::clamp(x0 + i, first, last) - first) * frame.channels;
  }
  const auto average = frame.channels == 1   ? average_columns<1>
                       : frame.channels == 3 ? average_columns<3>
                                             : average_columns<4>;
  std::uint16_t* sums = row_sums_.data();
  for (int j = 0; j < rows; ++j) {
    std::fill(row_sums_.begin(), row_sums_.end(), 0);
    for (int b = 0; b < shrink; ++b) {
      const int y = std::clamp(y0 + j * shrink + b, 0, frame.height - 1);
      const std::uint8_t* row = frame.row(y) + static_cast<std::ptrdiff_t>(first) * frame.channels;
      for (int i = 0; i < values; ++i) sums[i] = static_cast<std::uint16_t>(sums[i] + row[i]);
    }
    average(sums, column_offset_.data(), columns, shrink, patch_.data() + static_cast<std::size_t>(j) * columns);
  }
  if (outside_level < 0) return;
  const Pixel outside = {outside_level, outside_level, outside_level, 0};
  for (int j = 0; j < rows; ++j) {
    const int y = y0 + j * shrink + shrink / 2;
    for (int i = 0; i < columns; ++i) {
      const int x = x0 + i * shrink + shrink / 2;
      if (x < 0 || x >= frame.width || y < 0 || y >= frame.height) {
        patch_[static_cast<std::size_t>(j) * columns + i] = outside;
      }
    }
  }
}

void CropSampler::sample(const ImageView& frame, const CropPlacement& crop, int width, int height,
                         const PlaneFormat& format, float* planes) {
  fill_patch(frame, crop, format.outside_level);
  const int columns = crop.columns;
  const Vec2f origin(crop.origin_x, crop.origin_y), along(crop.along_x, crop.along_y), down(crop.down_x, crop.down_y);
  const float gain = format.white / 255.0f;
  const std::size_t plane = static_cast<std::size_t>(width) * height;
  float* blue = planes + (format.bgr ? 0 : 2) * plane;
  float* green = planes + plane;
  float* red = planes + (format.bgr ? 2 : 0) * plane;

  const auto bilinear = [this, columns](float x, float y) {
    const int i = static_cast<int>(x), j = static_cast<int>(y);
    const float a = x - i, b = y - j;
    const Pixel* p = patch_.data() + static_cast<std::size_t>(j) * columns + i;
    const Pixel top = p[0] + (p[1] - p[0]) * a;
    const Pixel bottom = p[columns] + (p[columns + 1] - p[columns]) * a;
    return top + (bottom - top) * b;
  };
  const Vec2f quarter_along = 0.25f * along, quarter_down = 0.25f * down;
  const Vec2f tilt_a = quarter_along + quarter_down, tilt_b = quarter_along - quarter_down;
  std::size_t index = 0;
  for (int y = 0; y < height; ++y) {
    const Vec2f start = origin + static_cast<float>(y) * down;
    for (int x = 0; x < width; ++x, ++index) {
      const float u = start.x() + x * along.x(), v = start.y() + x * along.y();
      Pixel value;
      if (crop.samples == 4) {
        value = (bilinear(u + tilt_a.x(), v + tilt_a.y()) + bilinear(u - tilt_a.x(), v - tilt_a.y()) +
                 bilinear(u + tilt_b.x(), v + tilt_b.y()) + bilinear(u - tilt_b.x(), v - tilt_b.y())) *
                0.25f;
      } else {
        value = bilinear(u, v);
      }
      value *= gain;
      if (crop.gain > 1) {
        for (int k = 0; k < 3; ++k) value[k] = brightened(value[k], crop.gain, format.white);
      }
      blue[index] = value[0];
      green[index] = value[1];
      red[index] = value[2];
    }
  }
}

}  // namespace dmask
