#include "cuda/fits/fit_device.hpp"
#include "geometry/eye.hpp"

namespace dmask::cuda {
namespace {

constexpr int margin = 61, dense_per_lid = 50, dense_points = 2 * dense_per_lid;  // EyelidRows, LidCurves
constexpr int line_points = 20, max_line_rows = max_eyelid_rows - 2 * margin, max_points = dense_points + max_line_rows;
constexpr int columns = max_fit_motions + 1, last = columns - 1;
constexpr int threads = 160;
constexpr int chunk = 32, quads = 16, groups = 8;  // points of a tile; threads that share a product
static_assert(columns % 4 == 0 && columns / 4 * (columns / 4 + 1) / 2 * groups <= threads);
static_assert(max_eyelid_rows <= threads && max_points <= threads);

struct EyelidShared {
  double partial[threads / 32];
  JacobianTile<columns, quads> tile;
  Equations<columns> equations;
  FitPose pose;
  float state[max_fit_motions], trial[max_fit_motions];
  double head[3][max_eyelid_rows];    // rows of the patch, head frame, mm
  float terms[8][max_points];         // by the vertex (0-2 u, 3-5 v) and residual, weights applied
  float picture[2][max_eyelid_rows];  // px
  float abscissa[2][margin];          // of a margin's samples along its canthi
  float line[2][line_points][3];      // x, y, confidence
  int row[max_points];                // compared with the share `fraction` of the next one
  float fraction[max_points];
  float foot[4][max_line_rows];  // closest point of the line, its normal
  float foot_weight[max_line_rows];
};

// Eqs. (11-13, 18) of one eye in one frame, as EyelidProblem with the shape known.
struct EyelidBlock {
  const EyelidFits& fits;
  EyelidShared& s;
  int problem, frame, line_rows, points;
  const float *patch, *motion;
  float focal_px;
  EyelidSeen seen;
  bool smooth;

  __device__ EyelidBlock(const EyelidFits& f, EyelidShared& shared)
      : fits(f), s(shared), problem(static_cast<int>(blockIdx.x)) {
    frame = problem / 2;
    const EyelidSubjects& all = fits.subjects;
    const int subject = fits.subject[frame], eye = 2 * subject + problem % 2;
    const std::size_t values = static_cast<std::size_t>(3) * all.rows;
    patch = all.patch + eye * values;
    motion = all.motion + eye * values * all.motions;
    focal_px = all.focal_px[subject];
    line_rows = all.rows - 2 * margin;
    points = dense_points + line_rows;
    seen = fits.seen[problem];
    smooth = seen.smooth_sigma > 0 && fits.face[frame].status == fit_from_previous;
  }

  __device__ void load(const float* w) {
    const int t = static_cast<int>(threadIdx.x);
    if (t == 0) s.pose = fits.pose[frame];
    if (t < max_fit_motions) s.state[t] = w != nullptr && t < fits.subjects.motions ? w[t] : 0.0f;
    if (t < 2 * line_points * 3)
      (&s.line[0][0][0])[t] = fits.lines[static_cast<std::size_t>(problem) * 2 * line_points * 3 + t];
    __syncthreads();
  }

  // The patch's rows at these motions: Eq. (5) with the shape folded in.
  __device__ void place(const float* w) {
    const int r = static_cast<int>(threadIdx.x);
    if (r < fits.subjects.rows) {
      Vector d{0, 0, 0};
      const float* mode = motion + 3 * r;
      for (int k = 0; k < fits.subjects.motions; ++k, mode += 3 * fits.subjects.rows)
        d.x += w[k] * mode[0], d.y += w[k] * mode[1], d.z += w[k] * mode[2];
      s.head[0][r] = static_cast<double>(patch[3 * r]) + d.x;
      s.head[1][r] = static_cast<double>(patch[3 * r + 1]) + d.y;
      s.head[2][r] = static_cast<double>(patch[3 * r + 2]) + d.z;
    }
    __syncthreads();
  }

  __device__ void match() {
    const int t = static_cast<int>(threadIdx.x);
    place(s.state);
    if (t < fits.subjects.rows) {
      const Posed p = posed(s.pose, s.head[0][t], s.head[1][t], s.head[2][t], focal_px);
      s.picture[0][t] = static_cast<float>(p.column_px), s.picture[1][t] = static_cast<float>(p.row_px);
    }
    __syncthreads();
    if (t < 2 * margin) {
      const int first = t / margin * margin, end = first + margin - 1;
      const float ax = s.picture[0][end] - s.picture[0][first], ay = s.picture[1][end] - s.picture[1][first];
      const float dx = s.picture[0][t] - s.picture[0][first], dy = s.picture[1][t] - s.picture[1][first];
      s.abscissa[t / margin][t % margin] = (dx * ax + dy * ay) / fmaxf(ax * ax + ay * ay, 1e-9f);
    }
    __syncthreads();
    if (t < dense_points) match_dense(t);
    else if (t < points) match_line(t - dense_points);
    __syncthreads();
  }

  // The same share of the way between the canthi, on the model's lids and on the detected ones: Eq. (9).
  __device__ void match_dense(int k) {
    const int lid = k / dense_per_lid;
    const float share =
        static_cast<float>(outer_canthus_share) * (static_cast<float>(k % dense_per_lid) + 0.5f) / dense_per_lid;
    const float* x = s.abscissa[lid];
    int row = 0;
    float before = 0, after = x[1];
    while (row < margin - 2 && after < share) {
      ++row;
      before = fmaxf(before, after);
      after = x[row + 1];
    }
    s.row[k] = lid * margin + row;
    s.fraction[k] = after > before + 1e-9f ? fminf(fmaxf((share - before) / (after - before), 0.0f), 1.0f) : 0.0f;
  }

  // The closest point of the crease or of the bulge line: Eq. (10).
  __device__ void match_line(int j) {
    const float (*line)[3] = s.line[j < fits.subjects.crease ? 0 : 1];
    const int row = 2 * margin + j;
    const float px = s.picture[0][row], py = s.picture[1][row];
    float nearest = 1e30f, x = 0, y = 0, nx = 0, ny = 0, weight = 0;
    for (int k = 0; k + 1 < line_points; ++k) {
      const float dx = line[k + 1][0] - line[k][0], dy = line[k + 1][1] - line[k][1], l2 = dx * dx + dy * dy;
      if (l2 < 1e-6f) continue;
      const float u = ((px - line[k][0]) * dx + (py - line[k][1]) * dy) / l2, inside = fminf(fmaxf(u, 0.0f), 1.0f);
      const float ex = px - line[k][0] - inside * dx, ey = py - line[k][1] - inside * dy, distance = ex * ex + ey * ey;
      if (distance >= nearest) continue;
      nearest = distance;
      const bool beyond = (k == 0 && u < -0.5f) || (k == line_points - 2 && u > 1.5f);
      const float c = fminf(line[k][2], line[k + 1][2]), inverse = 1.0f / sqrtf(l2);
      x = line[k][0] + inside * dx, y = line[k][1] + inside * dy;
      nx = -dy * inverse, ny = dx * inverse;
      weight = beyond || !(c > 0.3f) ? 0.0f : sqrtf(c) * seen.line_weight;
    }
    s.foot[0][j] = x, s.foot[1][j] = y, s.foot[2][j] = nx, s.foot[3][j] = ny;
    s.foot_weight[j] = weight;
    s.row[dense_points + j] = row;
    s.fraction[dense_points + j] = 0;
  }

  __device__ Posed point(int j) const {
    const int row = s.row[j], next = j < dense_points ? row + 1 : row;
    const double b = s.fraction[j], a = 1.0 - b;
    return posed(s.pose, a * s.head[0][row] + b * s.head[0][next], a * s.head[1][row] + b * s.head[1][next],
                 a * s.head[2][row] + b * s.head[2][next], focal_px);
  }
  __device__ const float* dense(int j) const {
    return fits.dense + (static_cast<std::size_t>(problem) * dense_points + j) * 2;
  }

  __device__ double evaluate(const float* w, float scale, bool terms) {
    const int j = static_cast<int>(threadIdx.x);
    const float c2 = scale * scale;
    place(w);
    double cost = 0;
    if (j < points) {
      const Posed p = point(j);
      float wxx = seen.dense_weight, wxy = 0, wyy = wxx, x, y;
      if (j < dense_points) {
        x = dense(j)[0], y = dense(j)[1];
      } else {
        const int l = j - dense_points;
        const float nx = s.foot[2][l], ny = s.foot[3][l], weight = s.foot_weight[l];
        wxx = weight * nx * nx, wxy = weight * nx * ny, wyy = weight * ny * ny;
        x = s.foot[0][l], y = s.foot[1][l];
      }
      const float ex = static_cast<float>(p.column_px - x), ey = static_cast<float>(p.row_px - y);
      const float rx = wxx * ex + wxy * ey, ry = wxy * ex + wyy * ey, q2 = rx * rx + ry * ry;
      cost = robust_cost(q2, c2);
      if (terms) {
        const float g = robust_root_weight(q2, c2);
        const ByPoint by = by_translation(p, focal_px, g * wxx, g * wxy, g * wyy);
        const Vector u = by_head(by.u, s.pose), v = by_head(by.v, s.pose);
        s.terms[0][j] = u.x, s.terms[1][j] = u.y, s.terms[2][j] = u.z;
        s.terms[3][j] = v.x, s.terms[4][j] = v.y, s.terms[5][j] = v.z;
        s.terms[6][j] = g * rx, s.terms[7][j] = g * ry;
      }
    }
    float slope = 0, curvature = 0;
    cost += prior(w, j, slope, curvature);
    return block_sum(cost, s.partial);
  }

  __device__ float prior(const float* w, int k, float& slope, float& curvature) const {
    if (k >= fits.subjects.motions) return 0;
    float cost = prior_term(w[k], 1.0f, slope, curvature);
    if (smooth)  // Eq. (18)
      cost += prior_term(w[k] - fits.previous_motion[static_cast<std::size_t>(problem) * fits.subjects.motions + k],
                         seen.smooth_sigma, slope, curvature);
    return cost;
  }

  __device__ void fill(int first) {
    for (int at = static_cast<int>(threadIdx.x); at < columns * chunk; at += threads) {
      const int p = at % chunk, column = at / chunk, j = first + p;
      float u = 0, v = 0;
      if (j < points && column == last) {
        u = s.terms[6][j], v = s.terms[7][j];
      } else if (j < points && column < fits.subjects.motions) {
        const float* m = motion + (static_cast<std::size_t>(column) * fits.subjects.rows + s.row[j]) * 3;
        const float b = s.fraction[j], a = 1.0f - b;
        const float* n = j < dense_points ? m + 3 : m;
        const float x = a * m[0] + b * n[0], y = a * m[1] + b * n[1], z = a * m[2] + b * n[2];
        u = s.terms[0][j] * x + s.terms[1][j] * y + s.terms[2][j] * z;
        v = s.terms[3][j] * x + s.terms[4][j] * y + s.terms[5][j] * z;
      }
      s.tile.put(column, p, u, v);
    }
    __syncthreads();
  }

  __device__ double linearise(float scale) {
    const double cost = evaluate(s.state, scale, true);
    Products<columns, groups> sums;
    for (int first = 0; first < points; first += chunk) {
      __syncthreads();
      fill(first);
      if (sums.used) sums.add(s.tile);
    }
    __syncthreads();
    sums.store(s.equations);
    __syncthreads();
    const int k = static_cast<int>(threadIdx.x);
    if (k < last) {
      float slope = 0, curvature = 0;
      prior(s.state, k, slope, curvature);
      s.equations.a[k][k] += curvature;
      s.equations.a[k][last] += slope;
      s.equations.fixed[k] = k >= fits.subjects.motions;
    }
    __syncthreads();
    hold_fixed(s.equations);
    return cost;
  }

  __device__ void move() {
    const int k = static_cast<int>(threadIdx.x);
    if (k < max_fit_motions) s.trial[k] = fminf(fmaxf(s.state[k] + s.equations.step[k], -6.0f), 6.0f);
    __syncthreads();
  }
  __device__ double trial_cost(float scale) { return evaluate(s.trial, scale, false); }
  __device__ void accept() {
    const int k = static_cast<int>(threadIdx.x);
    if (k < max_fit_motions) s.state[k] = s.trial[k];
    __syncthreads();
  }

  // Mean distance of the dense pairs at the last match, px.
  __device__ float residual_px() {
    const int j = static_cast<int>(threadIdx.x);
    place(s.state);
    double distance = 0;
    if (j < dense_points) {
      const Posed p = point(j);
      distance = sqrtf(squared(static_cast<float>(p.column_px - dense(j)[0])) +
                       squared(static_cast<float>(p.row_px - dense(j)[1])));
    }
    return static_cast<float>(block_sum(distance, s.partial) / dense_points);
  }
};

__global__ void __launch_bounds__(threads) fit_eyelids_kernel(EyelidFits fits, EyelidResults results) {
  __shared__ EyelidShared shared;
  const int problem = static_cast<int>(blockIdx.x), t = static_cast<int>(threadIdx.x), count = fits.subjects.motions;
  if (!fits.seen[problem].seen || fits.face[problem / 2].status == fit_lost) {
    if (t == 0) results.outcome[problem] = FitOutcome{};
    if (t < count) results.motion[problem * static_cast<std::size_t>(count) + t] = 0;
    return;
  }
  EyelidBlock block(fits, shared);
  block.load(block.smooth ? fits.previous_motion + problem * static_cast<std::size_t>(count) : nullptr);
  FitOutcome done = minimise(block, shared.equations, fits.steps);
  done.residual_px = block.residual_px();
  done.status = block.smooth ? fit_from_previous : fit_afresh;
  if (t == 0) results.outcome[problem] = done;
  if (t < count) results.motion[problem * static_cast<std::size_t>(count) + t] = shared.state[t];
}

__global__ void __launch_bounds__(threads) linearise_eyelids_kernel(EyelidFits fits, EyelidResults at, Linearised out) {
  __shared__ EyelidShared shared;
  const int problem = static_cast<int>(blockIdx.x), t = static_cast<int>(threadIdx.x), count = fits.subjects.motions;
  EyelidBlock block(fits, shared);
  block.load(at.motion + problem * static_cast<std::size_t>(count));
  block.match();
  const double cost = block.linearise(fits.steps.robust_scale);
  const Equations<columns>& e = shared.equations;
  if (t == 0 && out.cost != nullptr) out.cost[problem] = cost;
  if (t < count && out.gradient != nullptr) out.gradient[problem * count + t] = e.a[t][last];
  if (out.hessian != nullptr)
    for (int k = t; k < count * count; k += threads) {
      const int i = k / count, j = k % count;
      out.hessian[problem * count * count + k] = e.a[i < j ? i : j][i < j ? j : i];
    }
  if (t < block.points && out.rows != nullptr) out.rows[problem * block.points + t] = shared.row[t];
  if (t < block.points && out.residuals != nullptr)
    for (int k = 0; k < 2; ++k) out.residuals[(problem * block.points + t) * 2 + k] = shared.terms[6 + k][t];
  if (out.jacobian == nullptr) return;
  for (int first = 0; first < block.points; first += chunk) {
    __syncthreads();
    block.fill(first);
    for (int k = t; k < 2 * chunk * count; k += threads) {
      const int row = 2 * first + k / count, column = k % count;
      if (row < 2 * block.points)
        out.jacobian[(problem * 2 * block.points + row) * static_cast<std::size_t>(count) + column] =
            (&shared.tile.values[column][0].x)[row - 2 * first];
    }
  }
}

}  // namespace

void fit_eyelids(const EyelidFits& fits, const EyelidResults& results, StreamHandle stream) {
  launch(stream, static_cast<unsigned>(2 * fits.frames), threads, fit_eyelids_kernel, fits, results);
}
void linearise_eyelids(const EyelidFits& fits, const EyelidResults& at, const Linearised& out, StreamHandle stream) {
  launch(stream, static_cast<unsigned>(2 * fits.frames), threads, linearise_eyelids_kernel, fits, at, out);
}

}  // namespace dmask::cuda
