#include "cuda/looks/frame_pixel.hpp"
#include "cuda/looks/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "detect/thumbnail.hpp"

namespace dmask::cuda {
namespace {

// A block takes a row of cells, a thread a cell.
__global__ void thumbnail_kernel(const ImageView* shown, float* thumbnail) {
  constexpr int samples = thumbnail_samples;
  const ImageView& frame = *shown;
  const int i = static_cast<int>(threadIdx.x), j = static_cast<int>(blockIdx.x);
  int sum = 0;
  for (int b = 0; b < samples; ++b) {
    const int y = (2 * (j * samples + b) + 1) * frame.height / (2 * thumbnail_px * samples);
    for (int a = 0; a < samples; ++a) {
      const int x = (2 * (i * samples + a) + 1) * frame.width / (2 * thumbnail_px * samples);
      sum += frame_pixel(frame, x, y).green;
    }
  }
  thumbnail[j * thumbnail_px + i] = static_cast<float>(sum) / (samples * samples);
}

}  // namespace

void make_thumbnail(const ImageView* frame, float* thumbnail, StreamHandle stream) {
  launch(stream, thumbnail_px, thumbnail_px, thumbnail_kernel, frame, thumbnail);
}

}  // namespace dmask::cuda
