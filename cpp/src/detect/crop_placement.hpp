// Where a crop's pixels lie in a frame, worked out once for the sampler of the CPU and that of the GPU.
#pragma once

namespace dmask {

// The crop's neighbourhood is box-averaged by a whole factor to a patch, of which the crop is a turned, bilinear picture.
struct CropPlacement {
  int x0, y0;         // frame px of the patch's first pixel
  int columns, rows;  // of the patch
  int shrink;         // frame px per patch px
  int samples;        // per crop px: 1, or 4 where the patch is still finer than the crop
  // Crop px to patch px: origin + x along + y down.
  float origin_x, origin_y, along_x, along_y, down_x, down_y;
  float gain;  // on the pixels, up to white
};

struct PlaneFormat {
  bool bgr = false;             // plane order; default RGB
  float white = 1.0f;           // value of grey level 255
  float outside_level = -1.0f;  // grey level outside the frame; negative: the border is replicated
};

}  // namespace dmask
