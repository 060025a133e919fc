// Launches of the kernels from a frame to landmarks. Pointers are device memory. A launch returns at once; its results are
// there when the stream is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/runtime/stream.hpp"
#include "detect/crop_placement.hpp"
#include "geometry/image.hpp"

namespace dmask::cuda {

// --- heatmaps.cu: soft-argmax of heat maps, as detect/heatmap.hpp ----------------------------------------------------

struct Heatmaps {
  const float* logits;      // maps x height x width
  const float* visibility;  // maps
  int maps, height, width;
};
struct DecodedPoint {
  float x, y;        // px of the crop, 4 a cell
  float confidence;  // 0..1
  float spread;      // standard deviation of the map, cells
};
void decode_heatmaps(const Heatmaps& maps, DecodedPoint* points, StreamHandle stream);

// --- crops.cu: crops of a frame as planes for the nets, as detect/crop.hpp -------------------------------------------

// The frame's description and the placements are read when the kernel runs, from the same memory as the pixels: a captured
// graph sees the next frame's.
struct CropBatch {
  const ImageView* frame;      // one
  const CropPlacement* crops;  // count
  int count, width, height;    // crops, px of each
  PlaneFormat format;
};
// planes: count x 3 x height x width
void sample_crops(const CropBatch& batch, float* planes, StreamHandle stream);

// --- lines.cu: the eyes' lines from edge maps, as detect/lines.hpp ---------------------------------------------------

struct EdgeMaps {
  const float* edges;        // lines x height x width logits
  const float* presence;     // lines, logits
  int lines, height, width;  // width: at most 128
};
// points: lines x 20, in px of the crop; their spread is 0
void decode_lines(const EdgeMaps& maps, DecodedPoint* points, StreamHandle stream);

// --- sharpness.cu: variance of a crop's Laplacian, as detect/sharpness.hpp -------------------------------------------

struct CropPlanes {
  const float* rgb;  // 3 x height x width, 0..1
  int width, height;
};
void laplacian_variance(const CropPlanes& crop, float* variance, StreamHandle stream);

// --- exposure.cu: a dark crop brightened, as detect/exposure.hpp ------------------------------------------------------

// rgb: 3 x pixels in 0..1, luminance: one, before
void expose(float* rgb, int pixels, float* luminance, StreamHandle stream);

// --- thumbnail.cu: a frame at 32 x 32, as detect/thumbnail.hpp -------------------------------------------------------

void make_thumbnail(const ImageView* frame, float* thumbnail, StreamHandle stream);

}  // namespace dmask::cuda
