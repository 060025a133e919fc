#include <Eigen/Geometry>

#include "cuda_twins/twins.hpp"
#include "geometry/types.hpp"
#include "render/sampling.hpp"
#include "render/skin.hpp"

namespace dmask::cuda {

// With the CPU's eight numbers at a time, of which one is used.
void shade_skin_twin(const SkinArguments& skin, Colour* colour) {
  const auto at = [&](int v) { return Vec3f(skin.position[v].x, skin.position[v].y, skin.position[v].z); };
  for (int v = 0; v < skin.vertices; ++v) {
    Vec3f normal = Vec3f::Zero(), around = Vec3f::Zero();
    int neighbours = 0;
    for (int k = skin.first[v]; k < skin.first[v + 1]; ++k) {
      const int* t = skin.triangles + 3 * skin.around[k];
      if (skin.position[t[0]].finite == 0 || skin.position[t[1]].finite == 0 || skin.position[t[2]].finite == 0)
        continue;
      normal += (at(t[1]) - at(t[0])).cross(at(t[2]) - at(t[0]));
      around += at(t[0]) + at(t[1]) + at(t[2]);
      neighbours += 3;
    }
    const Vec3f middle = neighbours > 0 ? Vec3f(around / static_cast<float>(neighbours)) : Vec3f::Zero();
    const float* tone = skin.albedo + 3 * v;
    const Bgr<f32x8> c =
        skin_colour(Normal<f32x8>{all(normal.x()), all(normal.y()), all(normal.z())}, all((middle - at(v)).dot(normal)),
                    Bgr<f32x8>{all(tone[0]), all(tone[1]), all(tone[2])});
    const auto level = [](const f32x8& channel) { return channel[0] * kColourScale + 0.5f; };
    colour[v] = {level(c.b), level(c.g), level(c.r), 0};
  }
}

}  // namespace dmask::cuda
