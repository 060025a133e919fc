#include "cuda/mask/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "render/sampling.hpp"
#include "render/skin.hpp"

namespace dmask::cuda {
namespace {

constexpr unsigned threads = 128;

// The thread of a vertex gathers its triangles, always in the same order.
__global__ void __launch_bounds__(threads) skin_kernel(SkinArguments skin, Colour* colour) {
  const int vertex = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (vertex >= skin.vertices) return;
  const Position p = skin.position[vertex];
  Normal<float> sum{0, 0, 0};
  Position near{0, 0, 0, 0};  // neighbours' sum and number
  const int end = skin.first[vertex + 1];
  for (int k = skin.first[vertex]; k < end; ++k) {
    const int* index = skin.triangles + 3 * skin.around[k];
    const Position p0 = skin.position[index[0]], p1 = skin.position[index[1]], p2 = skin.position[index[2]];
    if (p0.finite * p1.finite * p2.finite == 0) continue;
    const float ax = p1.x - p0.x, ay = p1.y - p0.y, az = p1.z - p0.z;
    const float bx = p2.x - p0.x, by = p2.y - p0.y, bz = p2.z - p0.z;
    sum.x += ay * bz - az * by;
    sum.y += az * bx - ax * bz;
    sum.z += ax * by - ay * bx;
    near.x += p0.x + p1.x + p2.x;
    near.y += p0.y + p1.y + p2.y;
    near.z += p0.z + p1.z + p2.z;
    near.finite += 3;
  }
  const float share = near.finite > 0 ? 1.0f / near.finite : 0.0f;
  const float hollow = sum.dot(near.x * share - p.x, near.y * share - p.y, near.z * share - p.z);
  const float* albedo = skin.albedo + 3 * vertex;
  const Bgr<float> c = skin_colour(sum, hollow, Bgr<float>{albedo[0], albedo[1], albedo[2]});
  colour[vertex] = {c.b * kColourScale + 0.5f, c.g * kColourScale + 0.5f, c.r * kColourScale + 0.5f, 0};
}

}  // namespace

void shade_skin(const SkinArguments& skin, Colour* colour, StreamHandle stream) {
  launch(stream, blocks_for(static_cast<std::size_t>(skin.vertices), threads), threads, skin_kernel, skin, colour);
}

}  // namespace dmask::cuda
