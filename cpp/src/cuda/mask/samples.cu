#include "cuda/mask/tile.hpp"
#include "render/globe.hpp"

namespace dmask::cuda {
namespace {

constexpr int samples = 8;

__device__ float green_of(std::uint32_t colour) { return static_cast<float>(colour >> 8 & 255u); }

// Whether depth bends or colour jumps to a neighbour, or a globe is seen there or next to it.
__device__ bool is_marked(const DrawArguments& in, const PixelArrays& pixels, int x, int y) {
  const int left = x > 0 ? x - 1 : x, right = x < in.width - 1 ? x + 1 : x;
  const int above = y > 0 ? y - 1 : y, below = y < in.height - 1 ? y + 1 : y;
  const auto at = [&](int i, int j) { return static_cast<std::size_t>(j) * in.width + i; };
  bool globe = false;
  for (int j = above; j <= below; ++j)
    for (int i = left; i <= right; ++i) globe |= (pixels.colour[at(i, j)] & globe_flag) != 0;
  const std::size_t here = at(x, y), neighbours[4] = {at(left, y), at(right, y), at(x, above), at(x, below)};
  const float* depth = pixels.inv_depth;
  const float bent = max(bend(depth[neighbours[0]], depth[here], depth[neighbours[1]]),
                         bend(depth[neighbours[2]], depth[here], depth[neighbours[3]]));
  float step = 0;
  for (const std::size_t next : neighbours)
    step = max(step, abs(green_of(pixels.colour[here]) - green_of(pixels.colour[next])));
  return globe || bent > allowed_bend(depth[here], 1.0f / in.view->focal_px) || step > kColourStep;
}

// Which of a pixel's samples see eyeballs, and the light of the others.
__device__ void finish(const DrawArguments& in, const SampleArrays& out, int x, int y, const float* inv_depth,
                       const std::uint32_t* colour) {
  unsigned seen[2] = {0, 0};
  LightSum sum{0, 0, 0};
  for (int s = 0; s < samples; ++s) {
    float nearest = inv_depth[s];
    bool globe_seen = false;
    for (int eye = 0; eye < 2; ++eye) {
      const GlobeView& globe = in.view->globes[eye];
      if (x < globe.box.x0 || x >= globe.box.x1 || y < globe.box.y0 || y >= globe.box.y1) continue;
      const GlobeHit<float> h =
          intersect(globe, static_cast<float>(x) + sample_x(s), static_cast<float>(y) + sample_y(s));
      if (!(h.hit && h.inv_z > nearest)) continue;
      nearest = h.inv_z;
      globe_seen = true;
      seen[eye] |= 1u << s;
    }
    if (globe_seen) continue;
    const std::uint32_t b = colour[s] & 255u, g = colour[s] >> 8 & 255u, r = colour[s] >> 16 & 255u;
    sum.b += b * b;
    sum.g += g * g;
    sum.r += r * r;
  }
  const std::size_t pixel = static_cast<std::size_t>(y) * in.width + x;
  out.seen[2 * pixel] = static_cast<std::uint8_t>(seen[0]);
  out.seen[2 * pixel + 1] = static_cast<std::uint8_t>(seen[1]);
  if ((seen[0] | seen[1]) == 0) {
    out.colour[pixel] = mean_level(sum.b) | mean_level(sum.g) << 8 | mean_level(sum.r) << 16;
    return;
  }
  out.colour[pixel] = globe_flag;
  out.sum[pixel] = sum;
}

__global__ void __launch_bounds__(append_threads, 2)
    samples_kernel(DrawArguments in, PixelArrays pixels, SampleArrays out) {
  __shared__ int hits[append_items];
  __shared__ int marked[append_threads];
  __shared__ float inv_depth[append_threads * samples];
  __shared__ std::uint32_t colour[append_threads * samples];
  const Tile tile = tile_of_block(in);
  const int thread = static_cast<int>(threadIdx.x);
  const int own_x = tile.x0 + thread % tile_px, own_y = tile.y0 + thread / tile_px;
  const bool inside = own_x < in.width && own_y < in.height;
  const bool mark = inside && is_marked(in, pixels, own_x, own_y);
  if (inside && !mark) {
    const std::size_t pixel = static_cast<std::size_t>(own_y) * in.width + own_x;
    out.colour[pixel] = pixels.colour[pixel];
    out.seen[2 * pixel] = out.seen[2 * pixel + 1] = 0;
  }
  if (!__syncthreads_or(mark)) return;
  const int self[append_each] = {thread, 0, 0, 0};
  const int slots = samples * append_in_order(mark, self, marked, 1);
  for (int slot = thread; slot < slots; slot += append_threads) {
    inv_depth[slot] = 0;
    colour[slot] = in.background;
  }

  // A thread keeps to its slots: no barrier is needed between them.
  const auto sample_of = [&](int slot, int& x, int& y, float& fx, float& fy) {
    const int pixel = marked[slot / samples], s = slot % samples;
    x = tile.x0 + pixel % tile_px, y = tile.y0 + pixel / tile_px;
    fx = static_cast<float>(x) + sample_x(s), fy = static_cast<float>(y) + sample_y(s);
  };
  int x, y;
  float fx, fy;
  for (int first = 0; first < tile.fronts; first += append_items) {
    const int count = touching(in, tile, tile.list + first, 1, tile.fronts - first, hits);
    for (int slot = thread; slot < slots; slot += append_threads) {
      sample_of(slot, x, y, fx, fy);
      Nearest nearest{inv_depth[slot], 0, 0, -1};
      for (int k = 0; k < count; ++k)
        if (within(in.box[hits[k]], x, y)) draw_front(in, hits[k], fx, fy, nearest);
      if (nearest.triangle < 0) continue;
      inv_depth[slot] = nearest.inv_depth;
      colour[slot] = colour_of(in, nearest);
    }
    __syncthreads();  // `hits` is written anew
  }
  for (int first = 0; first < tile.backs; first += append_items) {
    const int count = touching(in, tile, tile.end - first, -1, tile.backs - first, hits);
    for (int slot = thread; slot < slots; slot += append_threads) {
      sample_of(slot, x, y, fx, fy);
      for (int k = 0; k < count && inv_depth[slot] == 0; ++k) {
        if (!within(in.box[hits[k]], x, y) || !cover(in.triangle[hits[k]], fx, fy).inside) continue;
        inv_depth[slot] = kInsideInvDepth;
        colour[slot] = static_cast<std::uint32_t>(kInside);
      }
    }
    __syncthreads();
  }
  __syncthreads();
  if (samples * thread >= slots) return;
  const int pixel = marked[thread];
  finish(in, out, tile.x0 + pixel % tile_px, tile.y0 + pixel / tile_px, inv_depth + samples * thread,
         colour + samples * thread);
}

}  // namespace

void sample_mask(const DrawArguments& in, const PixelArrays& pixels, const SampleArrays& out, StreamHandle stream) {
  const dim3 tiles(blocks_for(static_cast<std::size_t>(in.width), tile_px),
                   blocks_for(static_cast<std::size_t>(in.height), tile_px));
  launch(stream, tiles, append_threads, samples_kernel, in, pixels, out);
}

}  // namespace dmask::cuda
