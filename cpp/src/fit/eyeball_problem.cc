#include "fit/eyeball_problem.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>

#include "fit/levenberg.hpp"
#include "geometry/rotation.hpp"

namespace dmask {
namespace {

// A point of the iris circle at `angle`, or its centre, from the globe's centre: Rot(theta, phi) B of Eq. (16).
Vec3 iris_point(const Mat3& frame, const Eyeball& ball, double angle, bool centre) {
  const double r = centre ? 0 : ball.iris_radius_mm;
  return frame * Vec3(r * std::cos(angle), r * std::sin(angle), ball.iris_plane_mm());
}

}  // namespace

EyeballObservation EyeballObservation::from(const EyeDetection& detection, int eye, const Mat3& rotation,
                                            const Vec3& translation, double interocular_px, const FitOptions& options) {
  EyeballObservation o;
  o.eye = eye;
  o.rotation = rotation;
  o.translation = translation;
  const double weight = 1 / (0.01 * options.iris_sigma_pct * interocular_px);
  for (int i = 0; i < 19; ++i) {
    o.points[i] = {detection.iris[i].x, detection.iris[i].y};
    const double c = detection.iris[i].confidence;
    // Limbus points under the lids are guesses that would pull the eye towards the opening's middle: they drop out.
    const double visible = std::clamp((c - 0.3) / 0.4, 0.0, 1.0);
    o.root_information[i] =
        weight * std::sqrt(i == 0 ? std::max(visible, 0.1) : visible * options.limbus_information / 18.0);
  }
  return o;
}

Gaze gaze_at(const Vec2& px, const Vec3& centre, const Mat3& rotation, const Camera& camera, const Eyeball& ball) {
  const double plane_mm = ball.iris_plane_mm(), depth_mm = centre.z() - plane_mm;
  Vec2 across = (px - Vec2(camera.cx, camera.cy)) * depth_mm / camera.focal_px - centre.head<2>();
  across *= std::min(1.0, 0.95 * plane_mm / std::max(across.norm(), 1e-9));
  const Vec3 g = rotation.transpose() *
                 Vec3(across.x(), across.y(), -std::sqrt(plane_mm * plane_mm - across.squaredNorm())) / plane_mm;
  return {std::atan2(g.x(), g.z()), std::asin(std::clamp(g.y(), -1.0, 1.0))};
}

EyeballProblem::EyeballProblem(const Camera& camera, const FitOptions& options,
                               const std::vector<EyeballObservation>& observations, const State& prior_mean,
                               bool fit_statics, EyeballWorkspace* workspace)
    : camera_(camera),
      options_(options),
      observations_(observations),
      prior_mean_{prior_mean.centre, prior_mean.ball, {}},
      fit_statics_(fit_statics),
      w_(workspace ? *workspace : own_) {
  w_.angle.resize(observations.size());
  w_.normal.resize(observations.size());
}

void EyeballProblem::match(const State& state) {
  for (std::size_t f = 0; f < observations_.size(); ++f) {
    const EyeballObservation& o = observations_[f];
    const Mat3 frame = gaze_frame(state.gaze[f].yaw, state.gaze[f].pitch);
    const auto project = [&](const Vec3& b) {
      return camera_.project(o.rotation * (b + state.centre[o.eye]) + o.translation);
    };
    // The circle's picture is an ellipse: centre and two conjugate half axes.
    const Vec2 middle = project(iris_point(frame, state.ball, 0, true));
    Eigen::Matrix2d axes;
    axes.col(0) =
        0.5 * (project(iris_point(frame, state.ball, 0, false)) - project(iris_point(frame, state.ball, M_PI, false)));
    axes.col(1) = 0.5 * (project(iris_point(frame, state.ball, M_PI / 2, false)) -
                         project(iris_point(frame, state.ball, -M_PI / 2, false)));
    const Eigen::Matrix2d inverse = axes.inverse();
    for (int i = 0; i < 18; ++i) {
      const Vec2 unit = inverse * (o.points[i + 1] - middle);
      w_.angle[f][i] = std::atan2(unit.y(), unit.x());
      w_.normal[f][i] = (inverse.transpose() * unit).normalized();
      if (!w_.normal[f][i].allFinite()) w_.normal[f][i] = Vec2(1, 0);
    }
  }
}

void EyeballProblem::residuals(const State& state, VecX& r, RowsX* jacobian) const {
  const int points = 2 * 19 * static_cast<int>(observations_.size());
  r.resize(points + (tilt_mm_ ? 2 : 0));
  if (jacobian) jacobian->setZero(r.size(), size());
  if (tilt_mm_) tilt(state, r, jacobian, points);
  for (std::size_t f = 0; f < observations_.size(); ++f) {
    const EyeballObservation& o = observations_[f];
    const Gaze& gaze = state.gaze[f];
    const Mat3 frame = gaze_frame(gaze.yaw, gaze.pitch);
    // d frame / d yaw turns about the head's y, d frame / d pitch about the eye's own -x.
    const Vec3 yaw_axis(0, 1, 0), pitch_axis = -frame.col(0);
    for (int i = 0; i < 19; ++i) {
      const double angle = i == 0 ? 0 : w_.angle[f][i - 1];
      const Vec3 b = iris_point(frame, state.ball, angle, i == 0);
      const Vec3 y = o.rotation * (b + state.centre[o.eye]) + o.translation;
      Eigen::Matrix2d w = o.root_information[i] * Eigen::Matrix2d::Identity();
      if (i > 0) w *= w_.normal[f][i - 1] * w_.normal[f][i - 1].transpose();
      const int at = 2 * (19 * static_cast<int>(f) + i);
      r.segment<2>(at) = w * (camera_.project(y) - o.points[i]);
      if (!jacobian) continue;
      const Eigen::Matrix<double, 2, 3> by_vertex = w * camera_.project_jacobian(y) * o.rotation;
      auto rows = jacobian->middleRows<2>(at);
      if (fit_statics_) {
        rows.middleCols<3>(3 * o.eye) = by_vertex;
        const double slope = -state.ball.iris_radius_mm / state.ball.iris_plane_mm();
        const Vec3 by_radius = i == 0 ? Vec3(0, 0, slope) : Vec3(std::cos(angle), std::sin(angle), slope);
        rows.col(6) = by_vertex * (frame * by_radius);
      }
      const int own = statics() + 2 * static_cast<int>(f);
      rows.col(own) = by_vertex * yaw_axis.cross(b);
      rows.col(own + 1) = by_vertex * pitch_axis.cross(b);
    }
  }
}

void EyeballProblem::tilt(const State& state, VecX& r, RowsX* jacobian, int at) const {
  const double higher_mm = state.centre[OD].y() - state.centre[OS].y();
  r.segment<2>(at) = Vec2((higher_mm - *tilt_mm_) / options_.centre_tilt_sigma_mm, 0);
  if (!jacobian) return;
  (*jacobian)(at, 3 * OD + 1) = 1 / options_.centre_tilt_sigma_mm;
  (*jacobian)(at, 3 * OS + 1) = -1 / options_.centre_tilt_sigma_mm;
}

Gaze EyeballProblem::towards_camera(const State& state, const EyeballObservation& o) const {
  const Vec3 g = -(state.centre[o.eye] + o.rotation.transpose() * o.translation).normalized();
  // The line of sight meets the camera; the optical axis lies temporal to it by angle kappa.
  const double temporal = o.eye == OS ? 1 : -1;
  return {std::atan2(g.x(), g.z()) + temporal * options_.kappa_deg * deg, std::asin(std::clamp(g.y(), -1.0, 1.0))};
}

double EyeballProblem::prior(const State& state, VecX* gradient, VecX* curvature) const {
  double cost = 0;
  const auto add = [&](double value, double mean, double sigma, int at) {
    cost += prior_term(value, mean, sigma, at, gradient, curvature);
  };
  if (fit_statics_) {
    for (int eye = 0; eye < 2; ++eye)
      for (int a = 0; a < 3; ++a)
        add(state.centre[eye][a], prior_mean_.centre[eye][a], options_.centre_sigma_mm[a], 3 * eye + a);
    add(state.ball.iris_radius_mm, prior_mean_.ball.iris_radius_mm, options_.iris_radius_sigma_mm, 6);
  }
  // All frames of a window are worth one: else eyes that look down for long, or squint, would move the globe instead.
  const double frames = fit_statics_ ? std::max<double>(1, static_cast<double>(observations_.size()) / 2) : 1;
  const double gaze_sigma = options_.gaze_prior_deg * deg * std::sqrt(frames);
  for (std::size_t f = 0; f < observations_.size(); ++f) {
    const int at = statics() + 2 * static_cast<int>(f);
    add(state.gaze[f].yaw, 0, gaze_sigma, at);
    add(state.gaze[f].pitch, 0, gaze_sigma, at + 1);
    if (smooth_sigma_ > 0) {
      add(state.gaze[f].yaw, previous_.yaw, smooth_sigma_, at);
      add(state.gaze[f].pitch, previous_.pitch, smooth_sigma_, at + 1);
    }
    if (fit_statics_ && observations_[f].fixating) {
      const Gaze camera = towards_camera(prior_mean_, observations_[f]);
      add(state.gaze[f].yaw, camera.yaw, options_.fixation_sigma_deg * deg, at);
      add(state.gaze[f].pitch, camera.pitch, options_.fixation_sigma_deg * deg, at + 1);
    }
  }
  return cost;
}

void EyeballProblem::plus(const State& state, const VecX& step, State& out) const {
  out = state;
  if (fit_statics_) {
    for (int eye = 0; eye < 2; ++eye) out.centre[eye] += step.segment<3>(3 * eye);
    out.ball.iris_radius_mm = std::clamp(out.ball.iris_radius_mm + step[6], 4.0, 8.0);
  }
  for (std::size_t f = 0; f < out.gaze.size(); ++f) {
    const int at = statics() + 2 * static_cast<int>(f);
    out.gaze[f].yaw = std::clamp(out.gaze[f].yaw + step[at], -1.2, 1.2);
    out.gaze[f].pitch = std::clamp(out.gaze[f].pitch + step[at + 1], -1.2, 1.2);
  }
}

double EyeballProblem::residual_px(const State& state, int f) const {
  const EyeballObservation& o = observations_[f];
  const Mat3 frame = gaze_frame(state.gaze[f].yaw, state.gaze[f].pitch);
  double sum = 0, count = 0;
  for (int i = 0; i < 19; ++i) {
    if (i > 0 && o.root_information[i] <= 0) continue;
    const Vec3 b = iris_point(frame, state.ball, i == 0 ? 0 : w_.angle[f][i - 1], i == 0);
    sum += (camera_.project(o.rotation * (b + state.centre[o.eye]) + o.translation) - o.points[i]).norm();
    count += 1;
  }
  return sum / count;
}

}  // namespace dmask
