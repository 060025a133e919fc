// What the fits' kernels share: posed points, sums over a block, and the damped Gauss-Newton loop of fit/levenberg.hpp.
//
// Precision: data, Jacobians, normal equations and their solution are float. Poses, projections and costs are double: they are
// differences of large numbers that decide whether a step is accepted, and few beside the Jacobian's products.
#pragma once

#include "cuda/fits/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda/runtime/warp.hpp"

namespace dmask::cuda {

struct Vector {
  float x, y, z;
};
__device__ inline Vector cross(Vector a, Vector b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

// A head point in the camera frame and its picture.
struct Posed {
  double rx, ry, rz;         // R x
  double x, y, z;            // R x + t, mm
  double column_px, row_px;  // from the principal point
};
__device__ inline Posed posed(const FitPose& pose, double x, double y, double z, double focal_px) {
  const double* r = pose.rotation;
  Posed p;
  p.rx = r[0] * x + r[1] * y + r[2] * z;
  p.ry = r[3] * x + r[4] * y + r[5] * z;
  p.rz = r[6] * x + r[7] * y + r[8] * z;
  p.x = p.rx + pose.translation[0];
  p.y = p.ry + pose.translation[1];
  p.z = p.rz + pose.translation[2];
  const double scale = focal_px / p.z;
  p.column_px = scale * p.x;
  p.row_px = scale * p.y;
  return p;
}

// W x d(projection)/d(camera point) as two rows, W symmetric.
struct ByPoint {
  Vector u, v;
};
__device__ inline ByPoint by_translation(const Posed& p, float focal_px, float wxx, float wxy, float wyy) {
  const float a = focal_px / static_cast<float>(p.z);
  const float b = -static_cast<float>(p.column_px) / static_cast<float>(p.z);
  const float c = -static_cast<float>(p.row_px) / static_cast<float>(p.z);
  return {{wxx * a, wxy * a, wxx * b + wxy * c}, {wxy * a, wyy * a, wxy * b + wyy * c}};
}
__device__ inline Vector by_head(Vector u, const FitPose& pose) {  // u R
  const double* r = pose.rotation;
  return {u.x * static_cast<float>(r[0]) + u.y * static_cast<float>(r[3]) + u.z * static_cast<float>(r[6]),
          u.x * static_cast<float>(r[1]) + u.y * static_cast<float>(r[4]) + u.z * static_cast<float>(r[7]),
          u.x * static_cast<float>(r[2]) + u.y * static_cast<float>(r[5]) + u.z * static_cast<float>(r[8])};
}

// Pseudo-Huber of levenberg.hpp: a residual's cost, written so that small ones lose nothing, and the root of its weight.
__device__ inline float robust_cost(float q2, float c2) { return q2 / (1.0f + sqrtf(1.0f + q2 / c2)); }
__device__ inline float robust_root_weight(float q2, float c2) { return rsqrtf(sqrtf(1.0f + q2 / c2)); }

__device__ inline float squared(float v) { return v * v; }

// Half the square of one prior; its slope and curvature are added.
__device__ inline float prior_term(float difference, float sigma, float& slope, float& curvature) {
  const float e = difference / sigma;
  slope += e / sigma;
  curvature += 1.0f / (sigma * sigma);
  return 0.5f * e * e;
}

// The same bits in every thread: a tree in a warp, then the warps in order. `partial`: a value a warp.
__device__ inline double block_sum(double value, double* partial) {
  for (int by = 16; by > 0; by /= 2) value += __shfl_xor_sync(all_lanes, value, by);
  __syncthreads();
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  value = 0;
  for (unsigned w = 0; w < blockDim.x / 32; ++w) value += partial[w];
  return value;
}

// Normal equations in shared memory. The last column of the Jacobian's tile is the residual, so that of the order `columns`
// the last is the gradient: JtJ above and on the diagonal, Cholesky's factor below it.
template <int columns>
struct Equations {
  float a[columns][columns + 1];
  float inverse_root[columns];  // 1 / the factor's diagonal
  float step[columns];
  float largest_step;
  char fixed[columns];
};

// A tile of [J r]t: a row for an unknown, in it two values for a point.
template <int columns, int quads>
struct JacobianTile {
  float4 values[columns][quads];
  __device__ void put(int column, int point, float u, float v) {
    float* row = &values[column][0].x;
    row[2 * point] = u;
    row[2 * point + 1] = v;
  }
};

// Which products of columns a thread sums: `groups` threads of a warp share 4 x 4 of them, columns apart by a quarter so
// that neighbouring threads read neighbouring banks.
template <int columns, int groups>
struct Products {
  static constexpr int quarter = columns / 4;
  int a = 0, b = 0, group;
  bool used;
  float sum[4][4];

  __device__ Products() {
    group = static_cast<int>(threadIdx.x) % groups;
    const int at = static_cast<int>(threadIdx.x) / groups;
    used = at < quarter * (quarter + 1) / 2;
    while (used && (a + 1) * (a + 2) / 2 <= at) ++a;
    b = used ? at - a * (a + 1) / 2 : 0;
#pragma unroll
    for (int k = 0; k < 4; ++k)
#pragma unroll
      for (int l = 0; l < 4; ++l) sum[k][l] = 0;
  }
  template <int quads>
  __device__ void add(const JacobianTile<columns, quads>& tile) {
    for (int q = group; q < quads; q += groups) {
      float4 left[4], right[4];
#pragma unroll
      for (int k = 0; k < 4; ++k) left[k] = tile.values[a + quarter * k][q], right[k] = tile.values[b + quarter * k][q];
#pragma unroll
      for (int k = 0; k < 4; ++k)
#pragma unroll
        for (int l = 0; l < 4; ++l)
          sum[k][l] +=
              left[k].x * right[l].x + left[k].y * right[l].y + left[k].z * right[l].z + left[k].w * right[l].w;
    }
  }
  __device__ void store(Equations<columns>& e) {
#pragma unroll
    for (int k = 0; k < 4; ++k)
#pragma unroll
      for (int l = 0; l < 4; ++l) {
        for (int by = groups / 2; by > 0; by /= 2) sum[k][l] += __shfl_xor_sync(all_lanes, sum[k][l], by);
        const int i = a + quarter * k, j = b + quarter * l;
        if (used && group == 0 && (a != b || i <= j)) e.a[i < j ? i : j][i < j ? j : i] = sum[k][l];
      }
  }
};

// Unknowns held at a bound, and those that the layout has beyond the model's, leave the system.
template <int columns>
__device__ void hold_fixed(Equations<columns>& e) {
  for (int at = static_cast<int>(threadIdx.x); at < columns * columns; at += static_cast<int>(blockDim.x)) {
    const int i = at / columns, j = at % columns;
    if (i > j || i == columns - 1 || !(e.fixed[i] || (j < columns - 1 && e.fixed[j]))) continue;
    e.a[i][j] = i == j ? 1.0f : 0.0f;
  }
  __syncthreads();
}

// Cholesky of the damped system: a thread takes a row, a column at a time; the gradient's row becomes the forward substitution.
// Each row's thread computes the pivot itself: one barrier a column. False where the system is not positive definite.
template <int columns>
__device__ bool factor(Equations<columns>& e, float damping) {
  const int row = static_cast<int>(threadIdx.x);
  __syncthreads();
  for (int j = 0; j < columns - 1; ++j) {
    bool positive = true;
    if (row < columns) {
      float pivot = e.a[j][j] * (1.0f + damping) + 1e-12f, own = e.a[j][row];
      for (int k = 0; k < j; ++k) {
        const float l = e.a[j][k];
        pivot -= l * l;
        own -= e.a[row][k] * l;
      }
      positive = pivot > 0.0f;
      const float inverse = 1.0f / sqrtf(pivot);
      if (row > j) e.a[row][j] = own * inverse;
      if (row == j) e.inverse_root[j] = inverse;
    }
    if (__syncthreads_or(!positive)) return false;
  }
  return true;
}

// The backward substitution, by the first warp.
template <int columns>
__device__ void substitute(Equations<columns>& e) {
  static_assert(columns - 1 <= 64);
  const int lane = static_cast<int>(threadIdx.x);
  if (lane < 32) {
    float low = lane < columns - 1 ? -e.a[columns - 1][lane] : 0.0f;
    float high = lane + 32 < columns - 1 ? -e.a[columns - 1][lane + 32] : 0.0f;
    float largest = 0;
    for (int j = columns - 2; j >= 0; --j) {
      const float x = __shfl_sync(all_lanes, j < 32 ? low : high, j % 32) * e.inverse_root[j];
      if (lane == j % 32) e.step[j] = x;
      if (lane < j) low -= e.a[j][lane] * x;
      if (lane + 32 < j) high -= e.a[j][lane + 32] * x;
      largest = fmaxf(largest, fabsf(x));
    }
    if (lane == 0) e.largest_step = largest;
  }
  __syncthreads();
}

// levenberg() of fit/levenberg.hpp, by a block. A problem offers
//   void match();                      correspondences at the state
//   double linearise(float scale);     fills the equations at the state, priors and fixed unknowns included; its cost
//   void move();                       trial = state + step
//   double trial_cost(float scale);
//   void accept();                     state = trial
// each by all threads, ending in a barrier.
template <class Problem, int columns>
__device__ FitOutcome minimise(Problem& problem, Equations<columns>& e, const FitSteps& options) {
  FitOutcome outcome{};
  float damping = options.damping;
  for (int k = 0; k < options.max_iterations; ++k) {
    problem.match();
    const double cost = problem.linearise(options.robust_scale);
    outcome.cost = static_cast<float>(cost);
    ++outcome.iterations;
    bool better = false, go_on = false;
    for (int attempt = 0; attempt < 8 && !better; ++attempt) {
      if (factor(e, damping)) {
        substitute(e);
        const bool small = e.largest_step < options.step_tolerance;
        problem.move();
        const double trial_cost = problem.trial_cost(options.robust_scale);
        if (trial_cost < cost || small) {
          better = trial_cost <= cost;
          go_on = better && !small && static_cast<float>(cost - trial_cost) >= options.gain_tolerance;
          if (better) {
            problem.accept();
            outcome.cost = static_cast<float>(trial_cost);
          }
          break;
        }
      }
      damping = fmaxf(damping * 8.0f, 1e-3f);
    }
    if (better) damping = fmaxf(damping / 4.0f, 1e-6f);
    if (!go_on) {
      outcome.converged = 1;
      break;
    }
  }
  return outcome;
}

// exp(w) v, from Rodrigues' formula: exact for small turns too.
__device__ inline void turn(const float* w, double& x, double& y, double& z) {
  const double wx = w[0], wy = w[1], wz = w[2];
  const float angle2 = static_cast<float>(wx * wx + wy * wy + wz * wz), angle = sqrtf(angle2);
  constexpr float inverse_pi = 0.318309886183790672f;
  const float half_sine = angle > 1e-4f ? sinpif(0.5f * inverse_pi * angle) / (0.5f * angle) : 1.0f - angle2 / 24.0f;
  const double s = angle > 1e-4f ? sinpif(inverse_pi * angle) / angle : 1.0f - angle2 / 6.0f;  // sin / angle
  const double c = 0.5f * half_sine * half_sine;                                               // (1 - cos) / angle^2
  const double dot = wx * x + wy * y + wz * z, keep = 1.0 - c * (wx * wx + wy * wy + wz * wz);
  const double tx = keep * x + s * (wy * z - wz * y) + c * dot * wx;
  const double ty = keep * y + s * (wz * x - wx * z) + c * dot * wy;
  const double tz = keep * z + s * (wx * y - wy * x) + c * dot * wz;
  x = tx, y = ty, z = tz;
}

}  // namespace dmask::cuda
