#include <string>

#include "cuda/looks/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "detect/line_rules.hpp"
#include "geometry/check.hpp"

namespace dmask::cuda {
namespace {

using namespace line_rules;

constexpr int max_width = 128;

__device__ float sigmoid(float logit) { return 1.0f / (1.0f + expf(-logit)); }

struct Columns {  // of one map, in shared memory
  float* y;
  float* probability;
  int width;
};

// One column's most probable row, placed by the rows around it.
__device__ void trace_column(const float* edges, int height, int x, const Columns& columns) {
  float best = edges[x];
  int at = 0;
  for (int y = 1; y < height; ++y) {
    const float logit = edges[y * columns.width + x];
    if (logit > best) best = logit, at = y;
  }
  float sum = 0, moment = 0;
  for (int y = max(0, at - half_window); y <= min(height - 1, at + half_window); ++y) {
    const float p = sigmoid(edges[y * columns.width + x]);
    sum += p * p;
    moment += p * p * static_cast<float>(y);
  }
  columns.probability[x] = sigmoid(best);
  columns.y[x] = sum > 0 ? moment / sum : static_cast<float>(at);
}

// The most probable chain of columns, gaps filled; x is the first column, y the last. `sum` and `before` are scratch.
__device__ int2 follow_line(const float* edges, const Columns& columns, float* sum, int* before) {
  int last = -1;
  for (int x = 0; x < columns.width; ++x) {
    float best = 0;
    int from = -1;
    const bool belongs = columns.probability[x] >= min_probability;
    for (int back = max(0, x - max_gap - 1); belongs && back < x; ++back) {
      if (sum[back] > best && fabsf(columns.y[x] - columns.y[back]) <= max_step * static_cast<float>(x - back)) {
        best = sum[back];
        from = back;
      }
    }
    sum[x] = belongs ? best + columns.probability[x] : 0.0f;
    before[x] = from;
    if (belongs && (last < 0 || sum[x] > sum[last])) last = x;
  }
  if (last < 0) return make_int2(0, -1);
  int first = last;
  for (; before[first] >= 0; first = before[first]) {
    const int left = before[first];
    for (int x = left + 1; x < first; ++x) {
      const float t = static_cast<float>(x - left) / static_cast<float>(first - left);
      columns.y[x] = columns.y[left] + t * (columns.y[first] - columns.y[left]);
      columns.probability[x] = sigmoid(edges[static_cast<int>(roundf(columns.y[x])) * columns.width + x]);
    }
  }
  return make_int2(first, last);
}

// Weighted least squares y = a t^2 + b t + c, t = -1..1 across the map; the normal equations by cofactors.
__device__ void guess_parabola(const Columns& columns) {
  double m0 = 1e-6, m1 = 0, m2 = 0, m3 = 0, m4 = 1 + 1e-6, r0 = 0, r1 = 0, r2 = 0;  // moments of t, of y
  const auto place = [&columns](int x) { return 2.0 * x / (columns.width - 1) - 1; };
  for (int x = 0; x < columns.width; ++x) {
    const double p = columns.probability[x], weight = p * p + 1e-8, t = place(x), y = columns.y[x];
    m0 += weight, m1 += weight * t, m2 += weight * t * t, m3 += weight * t * t * t, m4 += weight * t * t * t * t;
    r0 += weight * y, r1 += weight * y * t, r2 += weight * y * t * t;
  }
  // [m4 m3 m2; m3 m2' m1; m2 m1 m0] (a, b, c) = (r2, r1, r0)
  const double middle = m2 + 1e-6;
  const double c00 = middle * m0 - m1 * m1, c01 = m2 * m1 - m3 * m0, c02 = m3 * m1 - m2 * middle;
  const double c11 = m4 * m0 - m2 * m2, c12 = m3 * m2 - m4 * m1, c22 = m4 * middle - m3 * m3;
  const double inverse = 1 / (m4 * c00 + m3 * c01 + m2 * c02);
  const double a = (c00 * r2 + c01 * r1 + c02 * r0) * inverse;
  const double b = (c01 * r2 + c11 * r1 + c12 * r0) * inverse;
  const double c = (c02 * r2 + c12 * r1 + c22 * r0) * inverse;
  for (int x = 0; x < columns.width; ++x) columns.y[x] = static_cast<float>((a * place(x) + b) * place(x) + c);
}

// A block takes a line: columns in parallel, the chain through them by one thread, points in parallel again.
__global__ void lines_kernel(EdgeMaps in, DecodedPoint* out) {
  __shared__ float y[max_width], probability[max_width], length[max_width];
  __shared__ int before[max_width];
  __shared__ int2 extent;
  __shared__ float limit;
  const int thread = static_cast<int>(threadIdx.x), line = static_cast<int>(blockIdx.x);
  const float* edges = in.edges + static_cast<std::size_t>(line) * in.height * in.width;
  const Columns columns{y, probability, in.width};
  if (thread < in.width) trace_column(edges, in.height, thread, columns);
  __syncthreads();
  if (thread == 0) {
    extent = follow_line(edges, columns, length, before);
    limit = 1.0f;
    if (extent.y - extent.x + 1 < min_extent) {
      extent = make_int2(in.width / 8, in.width - 1 - in.width / 8);
      guess_parabola(columns);
      limit = guess_confidence;
    } else {
      for (int pass = 0; pass < 2; ++pass) {  // binomial smoothing, the ends stay
        float left = y[extent.x];
        for (int x = extent.x + 1; x < extent.y; ++x) {
          const float here = y[x];
          y[x] = 0.25f * left + 0.5f * here + 0.25f * y[x + 1];
          left = here;
        }
      }
    }
    length[extent.x] = 0;
    for (int x = extent.x + 1; x <= extent.y; ++x) {
      const float step = y[x] - y[x - 1];
      length[x] = length[x - 1] + sqrtf(1 + step * step);
    }
  }
  __syncthreads();
  if (thread >= point_count) return;
  const float target = length[extent.y] * static_cast<float>(thread) / (point_count - 1);
  int x = extent.x;
  while (x < extent.y - 1 && length[x + 1] < target) ++x;
  const float t = fminf(fmaxf((target - length[x]) / (length[x + 1] - length[x]), 0.0f), 1.0f);
  const float row = fminf(fmaxf(y[x] + t * (y[x + 1] - y[x]), 0.0f), static_cast<float>(in.height - 1));
  const float p = probability[x] + t * (probability[x + 1] - probability[x]);
  out[line * point_count + thread] = {(static_cast<float>(x) + t + 0.5f) * cell_px - 0.5f,
                                      (row + 0.5f) * cell_px - 0.5f, sigmoid(in.presence[line]) * fminf(p, limit),
                                      0.0f};
}

}  // namespace

void decode_lines(const EdgeMaps& maps, DecodedPoint* points, StreamHandle stream) {
  check(maps.width >= 2 * min_extent && maps.width <= max_width,
        "got edge maps " + std::to_string(maps.width) + " cells wide, expected " + std::to_string(2 * min_extent) +
            " to " + std::to_string(max_width));
  launch(stream, static_cast<unsigned>(maps.lines), max_width, lines_kernel, maps, points);
}

}  // namespace dmask::cuda
