#include <algorithm>
#include <cmath>

#include "cuda_twins/twins.hpp"
#include "render/raster.hpp"
#include "render/sampling.hpp"

namespace dmask::cuda {

void set_up_triangles_twin(const TriangleArguments& in, const TriangleArrays& out) {
  for (int t = 0; t < in.triangles; ++t) {
    out.box[t] = {0, 0, 0, 0};
    out.back[t] = 0;
    const int* i = in.vertex + 3 * t;
    const raster::ScreenVertex &v0 = in.screen[i[0]], &v1 = in.screen[i[1]], &v2 = in.screen[i[2]];
    if (!v0.valid() || !v1.valid() || !v2.valid()) continue;
    const float area = raster::signed_area(v0, v1, v2);
    if (area == 0) continue;
    // Pixels whose centre is within the samples' reach of the triangle's box.
    const auto first = [](float least) {
      return static_cast<int>(std::ceil(std::clamp(least - kSampleReach, 0.0f, 20000.0f)));
    };
    const auto last = [](float most, int size) {
      return static_cast<int>(std::floor(std::clamp(most + kSampleReach, -1.0f, static_cast<float>(size - 1))));
    };
    const int x0 = first(std::min({v0.x, v1.x, v2.x})), x1 = last(std::max({v0.x, v1.x, v2.x}), in.width);
    const int y0 = first(std::min({v0.y, v1.y, v2.y})), y1 = last(std::max({v0.y, v1.y, v2.y}), in.height);
    if (x0 > x1 || y0 > y1) continue;
    const auto cut = [](int v) { return static_cast<std::int16_t>(v); };
    out.box[t] = {cut(x0), cut(y0), cut(x1 + 1), cut(y1 + 1)};
    out.back[t] = area > 0;
    ScreenTriangle& triangle = out.triangle[t];
    const auto edges = raster::make_edges(v0, v1, v2, area < 0);
    std::copy(edges.begin(), edges.end(), triangle.edge);
    const auto differences = [](float* to, float a, float b, float c) { to[0] = a, to[1] = b - a, to[2] = c - a; };
    const Colour &c0 = in.colour[i[0]], &c1 = in.colour[i[1]], &c2 = in.colour[i[2]];
    differences(triangle.inv_z, v0.inv_z, v1.inv_z, v2.inv_z);
    differences(triangle.colour[0], c0.b, c1.b, c2.b);
    differences(triangle.colour[1], c0.g, c1.g, c2.g);
    differences(triangle.colour[2], c0.r, c1.r, c2.r);
  }
}

}  // namespace dmask::cuda
