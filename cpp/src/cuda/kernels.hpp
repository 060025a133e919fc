// Every kernel's launch, and its twin on the CPU with the same arguments: pointers are device memory for the one and host
// memory for the other. Launches return at once; results are there when the stream is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "detect/crop_placement.hpp"
#include "geometry/image.hpp"

struct CUstream_st;  // the runtime's own name: its header is needed by the kernels alone

namespace dmask::cuda {

using StreamHandle = CUstream_st*;

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
void decode_heatmaps_twin(const Heatmaps& maps, DecodedPoint* points);

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
void sample_crops_twin(const CropBatch& batch, float* planes);

// --- sharpness.cu: variance of a crop's Laplacian, as detect/sharpness.hpp -------------------------------------------

struct CropPlanes {
  const float* rgb;  // 3 x height x width, 0..1
  int width, height;
};
void laplacian_variance(const CropPlanes& crop, float* variance, StreamHandle stream);
void laplacian_variance_twin(const CropPlanes& crop, float* variance);

// --- thumbnail.cu: a frame at 32 x 32, as detect/thumbnail.hpp -------------------------------------------------------

void make_thumbnail(const ImageView* frame, float* thumbnail, StreamHandle stream);
void make_thumbnail_twin(const ImageView* frame, float* thumbnail);

// --- subject.cu: a subject's own blendshapes, as models/face_model.hpp -----------------------------------------------

// --- fit: residuals, Jacobians and normal equations of many fits at once, as fit/ ------------------------------------

// --- mask: posing, normals, shading and drawing, as pipeline/mask.hpp and render/ ------------------------------------

}  // namespace dmask::cuda
