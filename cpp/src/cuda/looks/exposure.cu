#include "cuda/looks/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda/runtime/warp.hpp"
#include "detect/exposure.hpp"
#include "detect/grey_level.hpp"

namespace dmask::cuda {
namespace {

constexpr int threads = 512, warps = threads / warp_size;

// One block: the mean first, then, in the dark, all values times the gain.
__global__ void expose_kernel(float* rgb, int pixels, float* luminance) {
  __shared__ float sums[warps];
  __shared__ float gain;
  const int thread = static_cast<int>(threadIdx.x), lane = thread % warp_size, warp = thread / warp_size;
  float sum = 0;
  for (int i = thread; i < pixels; i += threads) sum += grey_level(rgb[i], rgb[pixels + i], rgb[2 * pixels + i]);
  sum = warp_sum(sum);
  if (lane == 0) sums[warp] = sum;
  __syncthreads();
  if (thread == 0) {
    float all = 0;
    for (int k = 0; k < warps; ++k) all += sums[k];
    *luminance = all / static_cast<float>(pixels);
    gain = exposure_gain(*luminance);
  }
  __syncthreads();
  if (gain == 1) return;
  for (int i = thread; i < 3 * pixels; i += threads) rgb[i] = brightened(rgb[i], gain, 1.0f);
}

}  // namespace

void expose(float* rgb, int pixels, float* luminance, StreamHandle stream) {
  launch(stream, 1, threads, expose_kernel, rgb, pixels, luminance);
}

}  // namespace dmask::cuda
