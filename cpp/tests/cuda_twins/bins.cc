#include "cuda_twins/twins.hpp"

namespace dmask::cuda {

void bin_triangles_twin(const BinArguments& in, const BinArrays& out) {
  const int across = bins_along(in.width), bins = across * bins_along(in.height);
  for (int bin = 0; bin < bins; ++bin) {
    const int x0 = bin % across * bin_px, y0 = bin / across * bin_px;
    int* list = out.list + static_cast<std::ptrdiff_t>(bin) * in.triangles;
    int &fronts = out.count[2 * bin], &backs = out.count[2 * bin + 1];
    fronts = backs = 0;
    for (int t = 0; t < in.triangles; ++t) {
      const TriangleBox& b = in.box[t];
      if (b.x0 >= b.x1 || b.x0 >= x0 + bin_px || b.x1 <= x0 || b.y0 >= y0 + bin_px || b.y1 <= y0) continue;
      if (in.back[t]) list[in.triangles - 1 - backs++] = t;
      else list[fronts++] = t;
    }
  }
}

}  // namespace dmask::cuda
