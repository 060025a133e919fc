#include "cuda/fits/fit_device.hpp"
#include "detect/face68.hpp"

namespace dmask::cuda {
namespace {

constexpr int landmarks = face68::count, jaw_end = face68::jaw_end;
constexpr int unknowns = 6 + max_fit_units, columns = unknowns + 1;
constexpr int threads = 128;
constexpr int chunk = 17, quads = 9;  // landmarks of a tile: 34 rows and 2 of zeros
constexpr int products = columns / 4 * (columns / 4 + 1) / 2;
static_assert(columns % 4 == 0 && products <= threads && 2 * chunk <= 4 * quads);

struct FaceState {
  FitPose pose;
  float units[max_fit_units];
};

struct FaceShared {
  FaceState state, trial;
  double partial[threads / 32];
  JacobianTile<columns, quads> tile;
  Equations<columns> equations;
  // The terms of each landmark, weights applied: by the vertex (0-5), by rotation and translation (6-11 its u, 12-17 its v), residual.
  float terms[20][landmarks];
  float turned[3];  // since the previous frame, rad
  int row[landmarks];
};

// Eqs. (3, 4, 17) of one frame, as FaceProblem.
struct FaceBlock {
  const FaceFits& fits;
  FaceShared& s;
  int problem, subject;
  const float *neutral, *units;
  float focal_px;

  __device__ FaceBlock(const FaceFits& f, FaceShared& shared)
      : fits(f), s(shared), problem(static_cast<int>(blockIdx.x)) {
    subject = fits.subject[problem];
    const std::size_t values = static_cast<std::size_t>(3) * fits.subjects.rows;
    neutral = fits.subjects.neutral + subject * values;
    units = fits.subjects.units + subject * values * fits.subjects.unit_count;
    focal_px = fits.subjects.focal_px[subject];
  }

  __device__ Posed vertex(const FaceState& at, int row) const {
    Vector d{0, 0, 0};
    const float* mode = units + 3 * row;
    for (int m = 0; m < fits.subjects.unit_count; ++m, mode += 3 * fits.subjects.rows) {
      const float w = at.units[m];
      d.x += w * mode[0], d.y += w * mode[1], d.z += w * mode[2];
    }
    const float* x = neutral + 3 * row;
    return posed(at.pose, static_cast<double>(x[0]) + d.x, static_cast<double>(x[1]) + d.y,
                 static_cast<double>(x[2]) + d.z, focal_px);
  }

  __device__ void load(const FitPose& pose, const float* w) {
    const int t = static_cast<int>(threadIdx.x);
    if (t == 0) s.state.pose = pose;
    if (t < max_fit_units) s.state.units[t] = w != nullptr && t < fits.subjects.unit_count ? w[t] : 0.0f;
    if (t < landmarks) s.row[t] = t;
    __syncthreads();
  }

  // The jaw's silhouette slides, as visible_rows().
  __device__ void match() {
    float* across_px = &s.tile.values[0][0].x;  // places across the face: of the middle, then of the candidates
    const double* r = s.state.pose.rotation;
    const int candidates = fits.subjects.candidates, count = jaw_end * (candidates + 1);
    static_assert(sizeof(s.tile) >= sizeof(float) * (1 + jaw_end * (max_fit_candidates + 1)));
    for (int at = static_cast<int>(threadIdx.x); at <= count; at += threads) {
      const int row = at == 0 ? face68::under_nose : at <= jaw_end ? at - 1 : landmarks + at - 1 - jaw_end;
      const Posed p = vertex(s.state, row);
      across_px[at] = static_cast<float>(r[1] * p.row_px - r[4] * p.column_px);
    }
    __syncthreads();
    const int i = static_cast<int>(threadIdx.x);
    if (i < jaw_end && (i < 7 || i > 9)) {  // the chin is no silhouette
      const float side = i < 8 ? -1.0f : 1.0f, middle = across_px[0];
      float farthest = side * (across_px[1 + i] - middle);
      int best = i;
      for (int c = 0; c < candidates; ++c) {
        const float out = side * (across_px[1 + jaw_end + i * candidates + c] - middle);
        if (out > farthest) farthest = out, best = landmarks + i * candidates + c;
      }
      s.row[i] = best;
    }
    __syncthreads();
  }

  // The cost, and with `terms` each landmark's residual and its derivatives.
  __device__ double evaluate(const FaceState& at, float scale, bool terms) {
    const int i = static_cast<int>(threadIdx.x);
    const float c2 = scale * scale;
    if (fits.smoothing != nullptr && i == 0) turned(at.pose);
    __syncthreads();
    double cost = 0;
    if (i < landmarks) {
      const Posed p = vertex(at, s.row[i]);
      const float* point = fits.points + (static_cast<std::size_t>(problem) * landmarks + i) * 2;
      const float* w = fits.root_information + (static_cast<std::size_t>(problem) * landmarks + i) * 3;
      const float ex = static_cast<float>(p.column_px - point[0]), ey = static_cast<float>(p.row_px - point[1]);
      const float rx = w[0] * ex + w[1] * ey, ry = w[1] * ex + w[2] * ey;  // Eq. (2), whitened
      const float q2 = rx * rx + ry * ry;
      cost = robust_cost(q2, c2);
      if (terms) {
        const float g = robust_root_weight(q2, c2);
        const ByPoint by = by_translation(p, focal_px, g * w[0], g * w[1], g * w[2]);
        const Vector arm{static_cast<float>(p.rx), static_cast<float>(p.ry), static_cast<float>(p.rz)};
        put(0, i, by_head(by.u, at.pose)), put(3, i, by_head(by.v, at.pose));
        put(6, i, cross(arm, by.u)), put(9, i, by.u);  // -u hat(R x): left perturbation
        put(12, i, cross(arm, by.v)), put(15, i, by.v);
        s.terms[18][i] = g * rx, s.terms[19][i] = g * ry;
      }
    }
    float slope = 0, curvature = 0;
    cost += prior(at, i, slope, curvature);
    return block_sum(cost, s.partial);
  }
  __device__ void put(int term, int i, Vector v) {
    s.terms[term][i] = v.x, s.terms[term + 1][i] = v.y, s.terms[term + 2][i] = v.z;
  }

  // log(R R_previous^T), by one thread.
  __device__ void turned(const FitPose& pose) {
    const double *r = pose.rotation, *q = fits.smoothing[problem].previous.rotation;
    const auto entry = [&](int i, int j) {
      return r[3 * i] * q[3 * j] + r[3 * i + 1] * q[3 * j + 1] + r[3 * i + 2] * q[3 * j + 2];
    };
    const float x = static_cast<float>(entry(2, 1) - entry(1, 2)), y = static_cast<float>(entry(0, 2) - entry(2, 0)),
                z = static_cast<float>(entry(1, 0) - entry(0, 1));
    const float sine = 0.5f * sqrtf(x * x + y * y + z * z);
    const float cosine = static_cast<float>(0.5 * (entry(0, 0) + entry(1, 1) + entry(2, 2) - 1.0));
    const float factor = sine < 1e-6f ? 0.5f : atan2f(sine, cosine) / (2.0f * sine);
    s.turned[0] = factor * x, s.turned[1] = factor * y, s.turned[2] = factor * z;
  }

  // Priors on unknown i: its cost; slope and curvature are added.
  __device__ float prior(const FaceState& at, int i, float& slope, float& curvature) const {
    float cost = 0;
    const int m = i - 6;
    const bool unit = m >= 0 && m < fits.subjects.unit_count;
    if (unit) cost += prior_term(at.units[m], fits.subjects.unit_sigma[m], slope, curvature);
    if (fits.smoothing == nullptr) return cost;
    const FaceSmooth& smooth = fits.smoothing[problem];  // Eq. (17)
    if (i < 3) cost += prior_term(s.turned[i], smooth.rotation_sigma, slope, curvature);
    if (i >= 3 && i < 6)
      cost += prior_term(static_cast<float>(at.pose.translation[i - 3] - smooth.previous.translation[i - 3]),
                         i == 5 ? smooth.depth_sigma_mm : smooth.across_sigma_mm, slope, curvature);
    if (unit)
      cost += prior_term(
          at.units[m] - fits.previous_units[static_cast<std::size_t>(problem) * fits.subjects.unit_count + m],
          smooth.unit_sigma, slope, curvature);
    return cost;
  }

  // Landmarks from `first` as columns of [J r].
  __device__ void fill(int first) {
    for (int at = static_cast<int>(threadIdx.x); at < columns * 2 * quads; at += threads) {
      const int p = at % (2 * quads), column = at / (2 * quads), i = first + p, m = column - 6;
      float u = 0, v = 0;
      if (p < chunk) {
        if (column < 6) {
          u = s.terms[6 + column][i], v = s.terms[12 + column][i];
        } else if (column == unknowns) {
          u = s.terms[18][i], v = s.terms[19][i];
        } else if (m < fits.subjects.unit_count) {
          const float* b = units + (static_cast<std::size_t>(m) * fits.subjects.rows + s.row[i]) * 3;
          u = s.terms[0][i] * b[0] + s.terms[1][i] * b[1] + s.terms[2][i] * b[2];
          v = s.terms[3][i] * b[0] + s.terms[4][i] * b[1] + s.terms[5][i] * b[2];
        }
      }
      s.tile.put(column, p, u, v);
    }
    __syncthreads();
  }

  __device__ double linearise(float scale) {
    const double cost = evaluate(s.state, scale, true);
    Products<columns, 1> sums;
    for (int first = 0; first < landmarks; first += chunk) {
      __syncthreads();
      fill(first);
      if (sums.used) sums.add(s.tile);
    }
    sums.store(s.equations);
    __syncthreads();
    const int i = static_cast<int>(threadIdx.x), m = i - 6;
    if (i < unknowns) {
      float slope = 0, curvature = 0;
      prior(s.state, i, slope, curvature);
      s.equations.a[i][i] += curvature;
      const float gradient = s.equations.a[i][unknowns] += slope;
      const float w = m >= 0 ? s.state.units[m] : 0.5f;
      s.equations.fixed[i] =
          m >= fits.subjects.unit_count || (w <= 1e-9f && gradient > 0) || (w >= 1.0f && gradient < 0);
    }
    __syncthreads();
    hold_fixed(s.equations);
    return cost;
  }

  __device__ void move() {
    const int t = static_cast<int>(threadIdx.x);
    const float* step = s.equations.step;
    if (t < 3) {
      const double* r = s.state.pose.rotation;
      double x = r[t], y = r[3 + t], z = r[6 + t];
      turn(step, x, y, z);
      s.trial.pose.rotation[t] = x, s.trial.pose.rotation[3 + t] = y, s.trial.pose.rotation[6 + t] = z;
      const double moved = s.state.pose.translation[t] + step[3 + t];
      s.trial.pose.translation[t] = t == 2 ? fmax(moved, 50.0) : moved;  // in front of the camera
    }
    if (t < max_fit_units) s.trial.units[t] = fminf(fmaxf(s.state.units[t] + step[6 + t], 0.0f), 1.0f);
    __syncthreads();
  }
  __device__ double trial_cost(float scale) { return evaluate(s.trial, scale, false); }
  __device__ void accept() {
    const int t = static_cast<int>(threadIdx.x);
    if (t == 0) s.state.pose = s.trial.pose;
    if (t < max_fit_units) s.state.units[t] = s.trial.units[t];
    __syncthreads();
  }

  // Mean over the inner landmarks that count, px.
  __device__ float residual_px() {
    const int i = static_cast<int>(threadIdx.x);
    double distance = 0, count = 0;
    if (i >= jaw_end && i < landmarks &&
        fits.root_information[(static_cast<std::size_t>(problem) * landmarks + i) * 3] > 0) {
      const Posed p = vertex(s.state, i);
      const float* point = fits.points + (static_cast<std::size_t>(problem) * landmarks + i) * 2;
      distance =
          sqrtf(squared(static_cast<float>(p.column_px - point[0])) + squared(static_cast<float>(p.row_px - point[1])));
      count = 1;
    }
    count = block_sum(count, s.partial);
    return static_cast<float>(block_sum(distance, s.partial) / fmax(count, 1.0));
  }
};

__global__ void __launch_bounds__(threads, 2) fit_faces_kernel(FaceFits fits, FaceResults results) {
  __shared__ FaceShared shared;
  const int problem = static_cast<int>(blockIdx.x), t = static_cast<int>(threadIdx.x);
  FitOutcome& outcome = results.outcome[problem];
  const bool from_previous = fits.smoothing != nullptr;
  if (fits.subject[problem] < 0) {
    if (t == 0) outcome = FitOutcome{};
    return;
  }
  if (from_previous ? !(fits.smoothing[problem].rotation_sigma > 0) : outcome.status == fit_from_previous) {
    if (t == 0 && from_previous) outcome = FitOutcome{};
    return;
  }
  FaceBlock block(fits, shared);
  const int count = fits.subjects.unit_count;
  const float interocular_px = fits.interocular_px[problem];
  if (from_previous)
    block.load(fits.smoothing[problem].previous, fits.previous_units + static_cast<std::size_t>(problem) * count);
  else block.load(fits.start[problem], nullptr);
  FitOutcome done{};
  // After a cut, or where the face jumped, the fit starts afresh rather than be dragged along.
  if (!from_previous || block.residual_px() < fits.jump * interocular_px) {
    done = minimise(block, shared.equations, fits.steps);
    done.residual_px = block.residual_px();
    if (done.residual_px < fits.gate * interocular_px) done.status = from_previous ? fit_from_previous : fit_afresh;
  }
  __syncthreads();
  if (t == 0) outcome = done, results.pose[problem] = shared.state.pose;
  if (t < count) results.units[static_cast<std::size_t>(problem) * count + t] = shared.state.units[t];
}

__global__ void __launch_bounds__(threads) linearise_faces_kernel(FaceFits fits, FaceResults at, Linearised out) {
  __shared__ FaceShared shared;
  const int problem = static_cast<int>(blockIdx.x), t = static_cast<int>(threadIdx.x);
  FaceBlock block(fits, shared);
  const int size = 6 + fits.subjects.unit_count;
  block.load(at.pose[problem], at.units + static_cast<std::size_t>(problem) * fits.subjects.unit_count);
  block.match();
  const double cost = block.linearise(fits.steps.robust_scale);
  const Equations<columns>& e = shared.equations;
  if (t == 0 && out.cost != nullptr) out.cost[problem] = cost;
  if (t < size && out.gradient != nullptr) out.gradient[problem * size + t] = e.a[t][unknowns];
  if (out.hessian != nullptr)
    for (int k = t; k < size * size; k += threads) {
      const int i = k / size, j = k % size;
      out.hessian[problem * size * size + k] = e.a[i < j ? i : j][i < j ? j : i];
    }
  if (t < landmarks && out.rows != nullptr) out.rows[problem * landmarks + t] = shared.row[t];
  if (t < landmarks && out.residuals != nullptr)
    for (int k = 0; k < 2; ++k) out.residuals[(problem * landmarks + t) * 2 + k] = shared.terms[18 + k][t];
  if (out.jacobian == nullptr) return;
  for (int first = 0; first < landmarks; first += chunk) {
    __syncthreads();
    block.fill(first);
    for (int k = t; k < 2 * chunk * size; k += threads) {
      const int row = k / size, column = k % size;
      out.jacobian[(problem * 2 * landmarks + 2 * first + row) * static_cast<std::size_t>(size) + column] =
          (&shared.tile.values[column][0].x)[row];
    }
  }
}

}  // namespace

void fit_faces(const FaceFits& fits, const FaceResults& results, StreamHandle stream) {
  launch(stream, static_cast<unsigned>(fits.problems), threads, fit_faces_kernel, fits, results);
}
void linearise_faces(const FaceFits& fits, const FaceResults& at, const Linearised& out, StreamHandle stream) {
  launch(stream, static_cast<unsigned>(fits.problems), threads, linearise_faces_kernel, fits, at, out);
}

}  // namespace dmask::cuda
