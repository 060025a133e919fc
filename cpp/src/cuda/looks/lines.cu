#include <string>

#include "cuda/looks/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda/runtime/warp.hpp"
#include "detect/line_rules.hpp"
#include "geometry/check.hpp"

namespace dmask::cuda {
namespace {

using namespace line_rules;

constexpr int max_width = 128;

__device__ float sigmoid(float logit) { return 1.0f / (1.0f + expf(-logit)); }

// One value a column, in shared memory.
struct Line {
  float y[max_width], probability[max_width], step[max_width], length[max_width];
  int before[max_width];
  bool chained[max_width];
  int first, last;  // of its columns; first > last: no line was found
};

// A column's most probable row, placed by the rows around it.
__device__ void trace_column(const float* edges, int height, int width, int x, Line& line) {
  float best = edges[x];
  int at = 0;
#pragma unroll 8
  for (int y = 1; y < height; ++y) {
    const float logit = edges[y * width + x];
    if (logit > best) best = logit, at = y;
  }
  float sum = 0, moment = 0;
  for (int y = max(0, at - half_window); y <= min(height - 1, at + half_window); ++y) {
    const float p = sigmoid(edges[y * width + x]);
    sum += p * p;
    moment += p * p * static_cast<float>(y);
  }
  line.probability[x] = sigmoid(best);
  line.y[x] = sum > 0 ? moment / sum : static_cast<float>(at);
  line.chained[x] = false;
}

// The most probable chain of columns, by one thread.
__device__ void find_chain(int width, Line& line) {
  constexpr int reach = max_gap + 1;
  float sum[reach] = {}, y[reach] = {};  // of the columns before, the nearest one first
  float most = 0;
  int last = -1;
  for (int x = 0; x < width; ++x) {
    const float here = line.y[x], probability = line.probability[x];
    float best = 0;
    int from = -1;
#pragma unroll
    for (int k = reach - 1; k >= 0; --k)
      if (sum[k] > best && fabsf(here - y[k]) <= max_step * static_cast<float>(k + 1)) best = sum[k], from = x - 1 - k;
#pragma unroll
    for (int k = reach - 1; k > 0; --k) sum[k] = sum[k - 1], y[k] = y[k - 1];
    const bool belongs = probability >= min_probability;
    sum[0] = belongs ? best + probability : 0.0f;
    y[0] = here;
    line.before[x] = from;
    if (belongs && sum[0] > most) most = sum[0], last = x;
  }
  line.first = 0, line.last = last;
  for (int x = last; x >= 0; x = line.before[x]) line.first = x, line.chained[x] = true;
}

// A column of a gap gets the height between its neighbours in the chain.
__device__ void fill_gap(const float* edges, int width, int x, Line& line) {
  if (x <= line.first || x >= line.last || line.chained[x]) return;
  int left = x - 1, right = x + 1;
  while (!line.chained[left]) --left;
  while (!line.chained[right]) ++right;
  const float t = static_cast<float>(x - left) / static_cast<float>(right - left);
  line.y[x] = line.y[left] + t * (line.y[right] - line.y[left]);
  line.probability[x] = sigmoid(edges[static_cast<int>(roundf(line.y[x])) * width + x]);
}

// Weighted least squares y = a t^2 + b t + c, t = -1..1 across the map; the normal equations by cofactors. The first warp
// adds up the columns.
struct Parabola {
  double a, b, c;
};
__device__ double place_of(int x, int width) { return 2.0 * x / (width - 1) - 1; }
__device__ Parabola guess_parabola(int width, const Line& line) {
  double m0 = 0, m1 = 0, m2 = 0, m3 = 0, m4 = 0, r0 = 0, r1 = 0, r2 = 0;  // moments of t, of y
  for (int x = static_cast<int>(threadIdx.x); x < width; x += warp_size) {
    const double p = line.probability[x], weight = p * p + 1e-8, t = place_of(x, width), y = line.y[x];
    m0 += weight, m1 += weight * t, m2 += weight * t * t, m3 += weight * t * t * t, m4 += weight * t * t * t * t;
    r0 += weight * y, r1 += weight * y * t, r2 += weight * y * t * t;
  }
  m0 = warp_sum(m0) + 1e-6, m1 = warp_sum(m1), m2 = warp_sum(m2), m3 = warp_sum(m3), m4 = warp_sum(m4) + 1 + 1e-6;
  r0 = warp_sum(r0), r1 = warp_sum(r1), r2 = warp_sum(r2);
  // [m4 m3 m2; m3 m2' m1; m2 m1 m0] (a, b, c) = (r2, r1, r0)
  const double middle = m2 + 1e-6;
  const double c00 = middle * m0 - m1 * m1, c01 = m2 * m1 - m3 * m0, c02 = m3 * m1 - m2 * middle;
  const double c11 = m4 * m0 - m2 * m2, c12 = m3 * m2 - m4 * m1, c22 = m4 * middle - m3 * m3;
  const double inverse = 1 / (m4 * c00 + m3 * c01 + m2 * c02);
  return {(c00 * r2 + c01 * r1 + c02 * r0) * inverse, (c01 * r2 + c11 * r1 + c12 * r0) * inverse,
          (c02 * r2 + c12 * r1 + c22 * r0) * inverse};
}

// A block takes a line and a thread a column; the chain through them and its length are one thread's.
__global__ void __launch_bounds__(max_width) lines_kernel(EdgeMaps in, DecodedPoint* out) {
  __shared__ Line line;
  __shared__ Parabola guess;
  const int x = static_cast<int>(threadIdx.x), width = in.width;
  const float* edges = in.edges + static_cast<std::size_t>(blockIdx.x) * in.height * width;
  if (x < width) trace_column(edges, in.height, width, x, line);
  __syncthreads();
  if (x == 0) find_chain(width, line);
  __syncthreads();
  const bool seen = line.last - line.first + 1 >= min_extent;
  const int first = seen ? line.first : width / 8, last = seen ? line.last : width - 1 - width / 8;
  const bool inside = x > first && x < last;
  if (seen) {
    fill_gap(edges, width, x, line);
    __syncthreads();
    for (int pass = 0; pass < 2; ++pass) {  // binomial smoothing, the ends stay
      const float smooth = inside ? 0.25f * line.y[x - 1] + 0.5f * line.y[x] + 0.25f * line.y[x + 1] : 0.0f;
      __syncthreads();
      if (inside) line.y[x] = smooth;
      __syncthreads();
    }
  } else {
    if (x < warp_size) {
      const Parabola found = guess_parabola(width, line);
      if (x == 0) guess = found;
    }
    __syncthreads();
    if (x < width) {
      const double t = place_of(x, width);
      line.y[x] = static_cast<float>((guess.a * t + guess.b) * t + guess.c);
    }
    __syncthreads();
  }

  if (x > first && x <= last) {
    const float rise = line.y[x] - line.y[x - 1];
    line.step[x] = sqrtf(1 + rise * rise);
  }
  __syncthreads();
  if (x == 0) {
    float length = line.length[first] = 0;
    for (int k = first + 1; k <= last; ++k) line.length[k] = length += line.step[k];
  }
  __syncthreads();
  if (x >= point_count) return;
  const float target = line.length[last] * static_cast<float>(x) / (point_count - 1);
  int from = first, end = last - 1;  // the first column that the target lies behind, in between
  while (from < end) {
    const int middle = (from + end) / 2;
    if (line.length[middle + 1] < target) from = middle + 1;
    else end = middle;
  }
  const float t = fminf(fmaxf((target - line.length[from]) / (line.length[from + 1] - line.length[from]), 0.0f), 1.0f);
  const float row =
      fminf(fmaxf(line.y[from] + t * (line.y[from + 1] - line.y[from]), 0.0f), static_cast<float>(in.height - 1));
  const float p = line.probability[from] + t * (line.probability[from + 1] - line.probability[from]);
  out[blockIdx.x * point_count + x] = {
      (static_cast<float>(from) + t + 0.5f) * cell_px - 0.5f, (row + 0.5f) * cell_px - 0.5f,
      sigmoid(in.presence[blockIdx.x]) * fminf(p, seen ? 1.0f : guess_confidence), 0.0f};
}

}  // namespace

void decode_lines(const EdgeMaps& maps, DecodedPoint* points, StreamHandle stream) {
  check(maps.width >= 2 * min_extent && maps.width <= max_width,
        "got edge maps " + std::to_string(maps.width) + " cells wide, expected " + std::to_string(2 * min_extent) +
            " to " + std::to_string(max_width));
  launch(stream, static_cast<unsigned>(maps.lines), max_width, lines_kernel, maps, points);
}

}  // namespace dmask::cuda
