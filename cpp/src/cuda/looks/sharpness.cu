#include "cuda/looks/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda/runtime/warp.hpp"
#include "detect/grey_level.hpp"

namespace dmask::cuda {
namespace {

constexpr int threads = 512, warps = threads / warp_size;

__device__ float grey_at(const float* rgb, int plane, int at) {
  return grey_level(rgb[at], rgb[plane + at], rgb[2 * plane + at]);
}

// One block; each warp takes whole rows, and the rows' sums are added in their order.
__global__ void variance_kernel(CropPlanes crop, float* variance) {
  __shared__ double sums[warps], sums_of_squares[warps];
  const int lane = static_cast<int>(threadIdx.x) % warp_size, warp = static_cast<int>(threadIdx.x) / warp_size;
  const int plane = crop.width * crop.height;
  double sum = 0, sum_squares = 0;
  for (int y = 1 + warp; y < crop.height - 1; y += warps) {
    float row = 0, row_squares = 0;
    for (int x = 1 + lane; x < crop.width - 1; x += warp_size) {
      const int at = y * crop.width + x;
      const float laplacian = grey_at(crop.rgb, plane, at - 1) + grey_at(crop.rgb, plane, at + 1) +
                              grey_at(crop.rgb, plane, at - crop.width) + grey_at(crop.rgb, plane, at + crop.width) -
                              4 * grey_at(crop.rgb, plane, at);
      row += laplacian;
      row_squares += laplacian * laplacian;
    }
    sum += warp_sum(row);
    sum_squares += warp_sum(row_squares);
  }
  if (lane == 0) sums[warp] = sum, sums_of_squares[warp] = sum_squares;
  __syncthreads();
  if (threadIdx.x > 0) return;
  sum = sum_squares = 0;
  for (int k = 0; k < warps; ++k) sum += sums[k], sum_squares += sums_of_squares[k];
  const double count = static_cast<double>(crop.width - 2) * (crop.height - 2);
  *variance = static_cast<float>(sum_squares / count - (sum / count) * (sum / count));
}

}  // namespace

void laplacian_variance(const CropPlanes& crop, float* variance, StreamHandle stream) {
  launch(stream, 1, threads, variance_kernel, crop, variance);
}

}  // namespace dmask::cuda
