// Similarity crops of a frame as float planes for a net.
#pragma once

#include <vector>

#include "detect/crop_placement.hpp"
#include "detect/net_sizes.hpp"
#include "geometry/image.hpp"
#include "geometry/types.hpp"

namespace dmask {

// A rotated rectangle of the frame, seen at width x height pixels.
struct Crop {
  Vec2f centre = Vec2f::Zero();           // frame px
  float width_px = 0;                     // frame px across the crop's width
  float roll_rad = 0;                     // direction of the crop's x axis in the picture, clockwise
  bool mirrored = false;                  // seen in a mirror: left and right exchanged
  int width = face_px, height = face_px;  // crop px
  float gain = 1;                         // its pixels are multiplied by it, up to white

  float scale() const { return width_px / width; }  // frame px per crop px
  bool valid() const;                               // finite, and no larger or farther away than a frame can ask for
  Vec2f to_frame(float x, float y) const;
  Vec2f to_crop(const Vec2f& frame_px) const;
  // A crop given in pixels of this one, in pixels of the frame; this one must not be mirrored.
  Crop inner(Crop crop) const;
};

// Throws Error for a crop without a finite, positive size.
CropPlacement place(const Crop& crop);

// Averages over the area of a crop's pixel when shrinking, bilinear otherwise. Keeps its buffer between calls.
class CropSampler {
 public:
  // frame: grey, BGR or BGRA in host memory. planes: 3 x crop.height x crop.width
  void sample(const ImageView& frame, const Crop& crop, const PlaneFormat& format, float* planes) {
    sample(frame, place(crop), crop.width, crop.height, format, planes);
  }
  void sample(const ImageView& frame, const CropPlacement& crop, int width, int height, const PlaneFormat& format,
              float* planes);

 private:
  typedef float Pixel __attribute__((vector_size(16)));  // B, G, R, unused
  void fill_patch(const ImageView& frame, const CropPlacement& crop, float outside_level);

  std::vector<Pixel> patch_;
  std::vector<std::uint16_t> row_sums_;
  std::vector<int> column_offset_;
};

}  // namespace dmask
