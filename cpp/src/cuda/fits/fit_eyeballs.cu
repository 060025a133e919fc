#include "cuda/fits/fit_device.hpp"

namespace dmask::cuda {
namespace {

constexpr int iris_points = 19;  // the centre, then the limbus
constexpr int warps = 4;         // problems of a block

struct Matched {
  float cos_angle, sin_angle;  // where on the iris circle the point lies
  float nx, ny;                // the limbus' normal there: points slide along it
};
struct TwoByTwo {
  double cost;
  float gy, gp, hyy, hyp, hpp;  // gradient and JtWJ, yaw and pitch
};

// sin and cos of moderate angles, without the slow path for huge ones.
__device__ float sine(float a) { return sinpif(a * 0.318309886183790672f); }
__device__ float cosine(float a) { return cospif(a * 0.318309886183790672f); }

// Eqs. (15, 16, 19) of one eye in one frame with the statics known, as EyeballProblem; a lane a point.
struct EyeballWarp {
  const EyeballFits& fits;
  const EyeballSubject& subject;
  int problem, eye, lane;
  bool point, smooth;
  EyeballSeen seen;
  FitPose pose;
  float plane_mm, x, y, weight;

  __device__ EyeballWarp(const EyeballFits& f, int p)
      : fits(f),
        subject(f.subjects[f.subject[p / 2]]),
        problem(p),
        eye(p % 2),
        lane(static_cast<int>(threadIdx.x % 32)) {
    point = lane < iris_points;
    seen = fits.seen[problem];
    smooth = seen.smooth_sigma > 0 && fits.face[problem / 2].status == fit_from_previous;
    pose = fits.pose[problem / 2];
    plane_mm = sqrtf(subject.radius_mm * subject.radius_mm - subject.iris_radius_mm * subject.iris_radius_mm);
    const std::size_t at = static_cast<std::size_t>(problem) * iris_points + (point ? lane : 0);
    x = fits.points[2 * at], y = fits.points[2 * at + 1];
    weight = point ? fits.root_information[at] : 0.0f;
  }

  // A point of the iris circle from the globe's centre: Rot(theta, phi) B of Eq. (16).
  __device__ Vector iris_point(GazeAngles g, float cos_angle, float sin_angle, float radius_mm) const {
    const float cy = cosine(g.yaw), sy = sine(g.yaw), cp = cosine(g.pitch), sp = sine(g.pitch);
    const float a = radius_mm * cos_angle, b = radius_mm * sin_angle;
    // Columns: left, up, axis, as gaze_frame().
    return {a * cy - b * sp * sy + plane_mm * sy * cp, b * cp + plane_mm * sp,
            -a * sy - b * sp * cy + plane_mm * cy * cp};
  }
  __device__ Posed project(Vector b) const {
    const float* c = subject.centre[eye];
    return posed(pose, static_cast<double>(c[0]) + b.x, static_cast<double>(c[1]) + b.y,
                 static_cast<double>(c[2]) + b.z, subject.focal_px);
  }

  // The gaze that brings the iris' centre to the detected one.
  __device__ GazeAngles gaze_at_iris() const {
    const float px = __shfl_sync(all_lanes, x, 0), py = __shfl_sync(all_lanes, y, 0);
    const Posed centre = project({0, 0, 0});
    const double depth_mm = centre.z - plane_mm;
    float ax = static_cast<float>(px * depth_mm / subject.focal_px - centre.x);
    float ay = static_cast<float>(py * depth_mm / subject.focal_px - centre.y);
    const float shorter = fminf(1.0f, 0.95f * plane_mm / fmaxf(sqrtf(ax * ax + ay * ay), 1e-9f));
    ax *= shorter, ay *= shorter;
    const Vector g = by_head({ax, ay, -sqrtf(plane_mm * plane_mm - ax * ax - ay * ay)}, pose);
    return {atan2f(g.x, g.z), asinf(fminf(fmaxf(g.y / plane_mm, -1.0f), 1.0f))};
  }

  // The circle's picture is an ellipse: centre and two conjugate half axes.
  __device__ Matched match(GazeAngles g) const {
    const float r = subject.iris_radius_mm;
    const Posed middle = project(iris_point(g, 0, 0, 0));
    const Posed left = project(iris_point(g, 1, 0, r)), right = project(iris_point(g, -1, 0, r));
    const Posed up = project(iris_point(g, 0, 1, r)), down = project(iris_point(g, 0, -1, r));
    const float a = 0.5f * static_cast<float>(left.column_px - right.column_px),
                c = 0.5f * static_cast<float>(left.row_px - right.row_px);
    const float b = 0.5f * static_cast<float>(up.column_px - down.column_px),
                d = 0.5f * static_cast<float>(up.row_px - down.row_px);
    const float inverse = 1.0f / (a * d - b * c);
    const float ex = static_cast<float>(x - middle.column_px), ey = static_cast<float>(y - middle.row_px);
    const float u = inverse * (d * ex - b * ey), v = inverse * (a * ey - c * ex);
    const float nx = inverse * (d * u - c * v), ny = inverse * (a * v - b * u);
    const float length = sqrtf(u * u + v * v), normal = sqrtf(nx * nx + ny * ny);
    Matched m{1, 0, 1, 0};
    if (length > 0) m.cos_angle = u / length, m.sin_angle = v / length;
    if (normal > 0 && normal < 1e30f) m.nx = nx / normal, m.ny = ny / normal;
    return m;
  }

  __device__ TwoByTwo linearise(GazeAngles g, const Matched& m, float scale) const {
    const float r = lane == 0 ? 0.0f : subject.iris_radius_mm, c2 = scale * scale;
    const Vector b = iris_point(g, m.cos_angle, m.sin_angle, r);
    const Posed p = project(b);
    float wxx = weight, wxy = 0, wyy = weight;
    if (lane > 0) wxx = weight * m.nx * m.nx, wxy = weight * m.nx * m.ny, wyy = weight * m.ny * m.ny;
    const float ex = static_cast<float>(p.column_px - x), ey = static_cast<float>(p.row_px - y);
    const float rx = wxx * ex + wxy * ey, ry = wxy * ex + wyy * ey, q2 = rx * rx + ry * ry;
    const float w = robust_root_weight(q2, c2);
    const ByPoint by = by_translation(p, subject.focal_px, w * wxx, w * wxy, w * wyy);
    const Vector u = by_head(by.u, pose), v = by_head(by.v, pose);
    // By yaw it turns about the head's y, by pitch about the eye's own -x.
    const Vector by_yaw{b.z, 0, -b.x}, by_pitch = cross({-cosine(g.yaw), 0, sine(g.yaw)}, b);
    const float uy = u.x * by_yaw.x + u.z * by_yaw.z, vy = v.x * by_yaw.x + v.z * by_yaw.z;
    const float up = u.x * by_pitch.x + u.y * by_pitch.y + u.z * by_pitch.z,
                vp = v.x * by_pitch.x + v.y * by_pitch.y + v.z * by_pitch.z;
    TwoByTwo e;
    e.cost = warp_sum(point ? static_cast<double>(robust_cost(q2, c2)) : 0.0);
    const float on = point ? 1.0f : 0.0f, gx = w * rx, gy = w * ry;
    e.gy = warp_sum(on * (uy * gx + vy * gy));
    e.gp = warp_sum(on * (up * gx + vp * gy));
    e.hyy = warp_sum(on * (uy * uy + vy * vy));
    e.hyp = warp_sum(on * (uy * up + vy * vp));
    e.hpp = warp_sum(on * (up * up + vp * vp));
    return e;
  }

  __device__ double prior(GazeAngles g, float (&slope)[2], float (&curvature)[2]) const {
    double cost = prior_term(g.yaw, fits.gaze_prior_sigma, slope[0], curvature[0]);
    cost += prior_term(g.pitch, fits.gaze_prior_sigma, slope[1], curvature[1]);
    if (!smooth) return cost;
    cost += prior_term(g.yaw - fits.previous[problem].yaw, seen.smooth_sigma, slope[0], curvature[0]);  // Eq. (19)
    return cost + prior_term(g.pitch - fits.previous[problem].pitch, seen.smooth_sigma, slope[1], curvature[1]);
  }

  // Mean distance over the points that count, at the last match, px.
  __device__ float residual_px(GazeAngles g, const Matched& m) const {
    const Posed p = project(iris_point(g, m.cos_angle, m.sin_angle, lane == 0 ? 0.0f : subject.iris_radius_mm));
    const bool counts = point && (lane == 0 || weight > 0);
    const float distance =
        sqrtf(squared(static_cast<float>(p.column_px - x)) + squared(static_cast<float>(p.row_px - y)));
    return warp_sum(counts ? distance : 0.0f) / warp_sum(counts ? 1.0f : 0.0f);
  }
};

__global__ void __launch_bounds__(32 * warps) fit_eyeballs_kernel(EyeballFits fits, EyeballResults results) {
  const int problem = static_cast<int>(blockIdx.x) * warps + static_cast<int>(threadIdx.x) / 32;
  if (problem >= 2 * fits.frames) return;
  const bool first = threadIdx.x % 32 == 0;
  FitOutcome outcome{};
  if (!fits.seen[problem].seen || fits.face[problem / 2].status == fit_lost) {
    if (first) results.outcome[problem] = outcome, results.gaze[problem] = {0, 0};
    return;
  }
  const EyeballWarp warp(fits, problem);
  GazeAngles gaze{0, 0};
  if (warp.smooth) gaze = fits.previous[problem];
  if (warp.seen.start_at_iris) gaze = warp.gaze_at_iris();
  float damping = fits.steps.damping;
  Matched matched{1, 0, 1, 0};
  TwoByTwo e{};
  for (int k = 0; k < fits.steps.max_iterations; ++k) {  // levenberg() of fit/levenberg.hpp for two unknowns
    matched = warp.match(gaze);
    e = warp.linearise(gaze, matched, fits.steps.robust_scale);
    float slope[2] = {0, 0}, curvature[2] = {0, 0}, unused[2] = {0, 0};
    const double cost = e.cost + warp.prior(gaze, slope, curvature);
    outcome.cost = static_cast<float>(cost);
    ++outcome.iterations;
    const float gy = e.gy + slope[0], gp = e.gp + slope[1];
    bool better = false, go_on = false;
    for (int attempt = 0; attempt < 8 && !better; ++attempt) {
      const float hyy = (e.hyy + curvature[0]) * (1.0f + damping), hpp = (e.hpp + curvature[1]) * (1.0f + damping);
      const float determinant = hyy * hpp - e.hyp * e.hyp;
      if (hyy > 0 && determinant > 0) {
        const float yaw = -(hpp * gy - e.hyp * gp) / determinant, pitch = -(hyy * gp - e.hyp * gy) / determinant;
        const bool small = fmaxf(fabsf(yaw), fabsf(pitch)) < fits.steps.step_tolerance;
        const GazeAngles trial{fminf(fmaxf(gaze.yaw + yaw, -1.2f), 1.2f),
                               fminf(fmaxf(gaze.pitch + pitch, -1.2f), 1.2f)};
        const double trial_cost =
            warp.linearise(trial, matched, fits.steps.robust_scale).cost + warp.prior(trial, unused, unused);
        if (trial_cost < cost || small) {
          better = trial_cost <= cost;
          go_on = better && !small && static_cast<float>(cost - trial_cost) >= fits.steps.gain_tolerance;
          if (better) gaze = trial, outcome.cost = static_cast<float>(trial_cost);
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
  outcome.residual_px = warp.residual_px(gaze, matched);
  outcome.status = warp.smooth ? fit_from_previous : fit_afresh;
  if (!first) return;
  results.outcome[problem] = outcome;
  results.gaze[problem] = gaze;
}

}  // namespace

void fit_eyeballs(const EyeballFits& fits, const EyeballResults& results, StreamHandle stream) {
  launch(stream, blocks_for(2 * static_cast<std::size_t>(fits.frames), warps), 32 * warps, fit_eyeballs_kernel, fits,
         results);
}

}  // namespace dmask::cuda
