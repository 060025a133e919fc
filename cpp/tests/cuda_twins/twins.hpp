// The kernels' work on the CPU, for the tests: each twin takes what its kernel's launch takes, in host memory.
#pragma once

#include "cuda/fits/kernels.hpp"
#include "cuda/looks/kernels.hpp"
#include "cuda/mask/kernels.hpp"

namespace dmask::cuda {

void decode_heatmaps_twin(const Heatmaps& maps, DecodedPoint* points);
void sample_crops_twin(const CropBatch& batch, float* planes);
void decode_lines_twin(const EdgeMaps& maps, DecodedPoint* points);
void laplacian_variance_twin(const CropPlanes& crop, float* variance);
void expose_twin(float* rgb, int pixels, float* luminance);
void make_thumbnail_twin(const ImageView* frame, float* thumbnail);

void fit_faces_twin(const FaceFits& fits, const FaceResults& results);
void linearise_faces_twin(const FaceFits& fits, const FaceResults& at, const Linearised& out);
void fit_eyelids_twin(const EyelidFits& fits, const EyelidResults& results);
void linearise_eyelids_twin(const EyelidFits& fits, const EyelidResults& at, const Linearised& out);
void fit_eyeballs_twin(const EyeballFits& fits, const EyeballResults& results);

void pose_mask_twin(const PoseArguments& mask, Position* position, raster::ScreenVertex* screen);
void shade_skin_twin(const SkinArguments& skin, Colour* colour);
void set_up_triangles_twin(const TriangleArguments& in, const TriangleArrays& out);
void bin_triangles_twin(const BinArguments& in, const BinArrays& out);
void draw_mask_twin(const DrawArguments& in, const PixelArrays& out);
void sample_mask_twin(const DrawArguments& in, const PixelArrays& pixels, const SampleArrays& out);
void resolve_mask_twin(const ResolveArguments& in, std::uint8_t* bgr);

}  // namespace dmask::cuda
