#include "cuda/looks/frame_pixel.hpp"
#include "cuda/looks/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "detect/exposure.hpp"

namespace dmask::cuda {
namespace {

constexpr unsigned block_columns = 32, block_rows = 4;

__device__ float3 lerp(const float3& a, const float3& b, float t) {
  return make_float3(a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t, a.z + (b.z - a.z) * t);
}

struct Patch {  // box averages of the frame, worked out where they are asked for
  const ImageView& frame;
  const CropPlacement& crop;
  float outside_level;

  __device__ float3 pixel(int i, int j) const {
    const int shrink = crop.shrink, left = crop.x0 + i * shrink, top = crop.y0 + j * shrink;
    if (outside_level >= 0) {
      const int x = left + shrink / 2, y = top + shrink / 2;
      if (x < 0 || x >= frame.width || y < 0 || y >= frame.height) {
        return make_float3(outside_level, outside_level, outside_level);
      }
    }
    int blue = 0, green = 0, red = 0;  // exact, as the CPU's
    for (int b = 0; b < shrink; ++b) {
      const int y = min(max(top + b, 0), frame.height - 1);
      for (int a = 0; a < shrink; ++a) {
        const BgrLevels levels = frame_pixel(frame, min(max(left + a, 0), frame.width - 1), y);
        blue += levels.blue;
        green += levels.green;
        red += levels.red;
      }
    }
    const float weight = 1.0f / (static_cast<float>(shrink) * static_cast<float>(shrink));
    return make_float3(static_cast<float>(blue) * weight, static_cast<float>(green) * weight,
                       static_cast<float>(red) * weight);
  }

  __device__ float3 bilinear(float x, float y) const {
    const int i = static_cast<int>(x), j = static_cast<int>(y);
    const float a = x - static_cast<float>(i), b = y - static_cast<float>(j);
    return lerp(lerp(pixel(i, j), pixel(i + 1, j), a), lerp(pixel(i, j + 1), pixel(i + 1, j + 1), a), b);
  }
};

// A thread takes a pixel of a crop; blockIdx.z is the crop.
__global__ void crops_kernel(CropBatch batch, float* planes) {
  const int x = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int y = static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y);
  if (x >= batch.width || y >= batch.height) return;
  const CropPlacement& crop = batch.crops[blockIdx.z];
  const Patch patch{*batch.frame, crop, batch.format.outside_level};
  const float fx = static_cast<float>(x), fy = static_cast<float>(y);
  const float u = crop.origin_x + fy * crop.down_x + fx * crop.along_x;
  const float v = crop.origin_y + fy * crop.down_y + fx * crop.along_y;
  float3 value = make_float3(0, 0, 0);
  if (crop.samples == 1) {
    value = patch.bilinear(u, v);
  } else {
    for (int k = 0; k < 4; ++k) {  // the middles of the pixel's quarters
      const float p = (k & 1) ? 0.25f : -0.25f, q = (k & 2) ? 0.25f : -0.25f;
      const float3 part =
          patch.bilinear(u + p * crop.along_x + q * crop.down_x, v + p * crop.along_y + q * crop.down_y);
      value = make_float3(value.x + 0.25f * part.x, value.y + 0.25f * part.y, value.z + 0.25f * part.z);
    }
  }
  const float gain = batch.format.white / 255.0f;
  const std::size_t plane = static_cast<std::size_t>(batch.width) * batch.height;
  float* out = planes + 3 * plane * blockIdx.z + static_cast<std::size_t>(y) * batch.width + x;
  value = make_float3(gain * value.x, gain * value.y, gain * value.z);
  if (crop.gain > 1) {
    const float white = batch.format.white;
    value = make_float3(brightened(value.x, crop.gain, white), brightened(value.y, crop.gain, white),
                        brightened(value.z, crop.gain, white));
  }
  out[batch.format.bgr ? 0 : 2 * plane] = value.x;
  out[plane] = value.y;
  out[batch.format.bgr ? 2 * plane : 0] = value.z;
}

}  // namespace

void sample_crops(const CropBatch& batch, float* planes, StreamHandle stream) {
  const dim3 grid(blocks_for(batch.width, block_columns), blocks_for(batch.height, block_rows),
                  static_cast<unsigned>(batch.count));
  launch(stream, grid, dim3(block_columns, block_rows), crops_kernel, batch, planes);
}

}  // namespace dmask::cuda
