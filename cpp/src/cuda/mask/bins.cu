#include "cuda/mask/append.hpp"
#include "cuda/mask/kernels.hpp"
#include "cuda/runtime/device.hpp"

namespace dmask::cuda {
namespace {

// The block of a bin looks at every triangle: no bin can overflow, and the order is the mesh's.
__global__ void __launch_bounds__(append_threads) bins_kernel(BinArguments in, BinArrays out) {
  const int bin = static_cast<int>(blockIdx.y * gridDim.x + blockIdx.x);
  const int x0 = static_cast<int>(blockIdx.x) * bin_px, y0 = static_cast<int>(blockIdx.y) * bin_px;
  int* list = out.list + static_cast<std::size_t>(bin) * in.triangles;
  int fronts = 0, backs = 0;
  for (int first = 0; first < in.triangles; first += append_items) {
    unsigned front = 0, back = 0;
    int triangle[append_each];
    for (int k = 0; k < append_each; ++k) {
      triangle[k] = first + k * append_threads + static_cast<int>(threadIdx.x);
      if (triangle[k] >= in.triangles) continue;
      const TriangleBox b = in.box[triangle[k]];
      const bool inside = b.x0 < b.x1 && b.x0 < x0 + bin_px && b.x1 > x0 && b.y0 < y0 + bin_px && b.y1 > y0;
      if (inside) (in.back[triangle[k]] ? back : front) |= 1u << k;
    }
    fronts += append_in_order(front, triangle, list + fronts, 1);
    backs += append_in_order(back, triangle, list + in.triangles - 1 - backs, -1);
  }
  if (threadIdx.x > 0) return;
  out.count[2 * bin] = fronts;
  out.count[2 * bin + 1] = backs;
}

}  // namespace

void bin_triangles(const BinArguments& in, const BinArrays& out, StreamHandle stream) {
  const dim3 bins(static_cast<unsigned>(bins_along(in.width)), static_cast<unsigned>(bins_along(in.height)));
  launch(stream, bins, append_threads, bins_kernel, in, out);
}

}  // namespace dmask::cuda
