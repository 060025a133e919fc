#include "fit/tracker.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <chrono>
#include <cmath>

#include "geometry/rotation.hpp"

namespace dmask {
namespace {

class Stopwatch {
 public:
  double lap_ms() {
    const auto now = std::chrono::steady_clock::now();
    const double ms = std::chrono::duration<double, std::milli>(now - start_).count();
    start_ = now;
    return ms;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

double mean_residual_px(const FaceProblem& problem, const FacePose& pose, const FaceObservation& o) {
  VecX r;
  problem.residuals(pose, r, nullptr);
  double sum = 0;
  int count = 0;
  for (int i = 17; i < 68; ++i) {  // inner landmarks: isotropic weights
    const double w = o.root_information[i](0, 0);
    if (w <= 0) continue;
    sum += r.segment<2>(2 * i).norm() / w;
    ++count;
  }
  return sum / std::max(count, 1);
}

double mean_confidence(const EyeDetection& eye) {
  double c = 0;
  for (const Landmark& p : eye.lid) c += p.confidence / eye.lid.size();
  return c;
}

// Sigmas of a random walk grow with the root of time.
double random_walk(const FitOptions& options, double dt_s) { return options.smoothing_scale * std::sqrt(dt_s * 30); }

// Height of one margin over the head's x, mm.
double margin_height(const VecX& head, int lid, double x_mm) {
  constexpr int n = EyelidRows::margin_samples;
  const auto point = [&](int i) { return Vec3(head.segment<3>(3 * (lid * n + i))); };
  const double toward = point(n - 1).x() > point(0).x() ? 1 : -1;
  int i = 0;
  while (i < n - 2 && toward * point(i + 1).x() < toward * x_mm) ++i;
  const Vec3 a = point(i), b = point(i + 1);
  const double run = b.x() - a.x();
  const double u = std::abs(run) > 1e-9 ? std::clamp((x_mm - a.x()) / run, 0.0, 1.0) : 0;
  return a.y() + u * (b.y() - a.y());
}

// The gaze that brings the iris' centre to a pixel; `centre`: the eyeball's, camera frame, mm.
Gaze gaze_at(const Vec2& px, const Vec3& centre, const Mat3& rotation, const Calibration& calibration) {
  const Camera& camera = calibration.camera;
  const double plane_mm = calibration.ball.iris_plane_mm(), depth_mm = centre.z() - plane_mm;
  Vec2 across = (px - Vec2(camera.cx, camera.cy)) * depth_mm / camera.focal_px - centre.head<2>();
  across *= std::min(1.0, 0.95 * plane_mm / std::max(across.norm(), 1e-9));
  const Vec3 g = rotation.transpose() * Vec3(across.x(), across.y(), -std::sqrt(plane_mm * plane_mm - across.squaredNorm())) / plane_mm;
  return {std::atan2(g.x(), g.z()), std::asin(std::clamp(g.y(), -1.0, 1.0))};
}

}  // namespace

const char* reason_text(Reason reason) {
  switch (reason) {
    case Reason::none: return "";
    case Reason::closed: return "closed";
    case Reason::covered: return "covered";
    case Reason::low_resolution: return "low_resolution";
    case Reason::lost: return "lost";
    case Reason::no_face: return "no_face";
  }
  return "";
}

Tracker::Tracker(const Models& models, const FitOptions& options)
    : models_(models), options_(options), units_(UnitPrior::from(models.face, options)) {}

void Tracker::set_calibration(const Calibration& calibration) {
  calibration_ = calibration;
  previous_.reset();
}

FrameFit Tracker::fit(const FrameDetection& detection) {
  FrameFit fit;
  fit.time_s = detection.time_s;
  fit.pose.units.setZero(models_.face.units());
  for (int eye = 0; eye < 2; ++eye) fit.eyes[eye].motion.setZero(models_.eyelid[eye].motion.cols());
  if (!detection.face_found || !calibration_.ok) {
    previous_.reset();
    return fit;
  }
  const double dt_s = previous_ ? detection.time_s - previous_->time_s : 0;
  if (!(dt_s > 0) || dt_s > options_.max_gap_s || detection.track != track_) previous_.reset();
  track_ = detection.track;

  Stopwatch watch;
  const FaceObservation observation = FaceObservation::from(detection, options_);
  if (!fit_face(detection, observation, dt_s, fit.pose)) {
    fit.face_reason = Reason::lost;
    for (EyeFit& eye : fit.eyes) eye.reason = Reason::lost;
    previous_.reset();
    return fit;
  }
  fit.face_reason = Reason::none;
  fit.fit_face_ms = watch.lap_ms();
  for (int eye = 0; eye < 2; ++eye) fit_eyelid(detection, eye, observation.interocular_px, dt_s, fit);
  fit.fit_eyelid_ms = watch.lap_ms();
  for (int eye = 0; eye < 2; ++eye) fit_eyeball(detection, eye, observation.interocular_px, dt_s, fit);
  fit.fit_eyeball_ms = watch.lap_ms();
  previous_ = fit;
  return fit;
}

bool Tracker::fit_face(const FrameDetection&, const FaceObservation& observation, double dt_s, FacePose& pose) {
  const double jump_px = 0.3 * observation.interocular_px;
  const double gate_px = 0.12 * observation.interocular_px;
  if (previous_) {
    const double frames = random_walk(options_, dt_s);
    const FaceSmoothing smoothing{previous_->pose, options_.smooth_rotation_deg * deg * frames,
                                  options_.smooth_across_mm * frames, options_.smooth_depth_mm * frames,
                                  options_.smooth_unit * frames};
    FaceProblem problem(calibration_.face, models_.landmark_rows, units_, calibration_.camera, observation, &smoothing);
    pose = previous_->pose;
    problem.match(pose);
    if (mean_residual_px(problem, pose, observation) < jump_px) {
      levenberg(problem, pose, {.max_iterations = 4, .step_tolerance = 2e-3}, workspace_);  // E1, Eq. (20)
      if (mean_residual_px(problem, pose, observation) < gate_px) return true;
    }
    previous_.reset();  // a cut, or the face jumped: start afresh rather than be dragged along
  }
  FaceProblem problem(calibration_.face, models_.landmark_rows, units_, calibration_.camera, observation, nullptr);
  pose = initial_pose(calibration_.face, calibration_.camera, observation);
  levenberg(problem, pose, {.max_iterations = 15}, workspace_);
  return pose.translation.allFinite() && mean_residual_px(problem, pose, observation) < gate_px;
}

void Tracker::fit_eyelid(const FrameDetection& detection, int eye, double interocular_px, double dt_s, FrameFit& fit) {
  EyeFit& out = fit.eyes[eye];
  const EyeDetection& seen = detection.eyes[eye];
  const std::vector<EyelidObservation> frames = {
      {fit.pose.rotation, fit.pose.translation, LidCurves::from(seen, options_), seen.lines, interocular_px}};
  const LidCurves& curves = frames[0].curves;
  if (!curves.found || mean_confidence(seen) < options_.min_visibility) {
    out.reason = Reason::covered;
    return;
  }
  const EyeStatics& statics = calibration_.eyes[eye];
  EyelidProblem problem(models_.eyelid_rows[eye], statics.rows, calibration_.camera, options_, frames);
  EyelidProblem::State state;
  state.motion = {out.motion};
  if (previous_ && previous_->eyes[eye].lids_valid) {
    state.motion[0] = previous_->eyes[eye].motion;
    problem.smooth_towards(state.motion[0], options_.smooth_lid * random_walk(options_, dt_s));
  }
  levenberg(problem, state, {.max_iterations = 5, .step_tolerance = 1e-2, .robust_scale = 4}, workspace_);  // E2, Eq. (21)
  out.motion = state.motion[0];
  out.lids_valid = true;
  out.eyelid_residual_pct = 100 * problem.residual_px(state, 0) / interocular_px;

  VecX head;
  problem.place(state, 0, head);
  constexpr int n = EyelidRows::margin_samples;
  const Vec3 inner = head.segment<3>(0), outer = head.segment<3>(3 * (n - 1));
  double aperture_mm = 0;
  for (int k = 0; k < dense_per_lid; ++k) {
    const double x = inner.x() + dense_abscissa(k) * (outer.x() - inner.x());
    aperture_mm = std::max(aperture_mm, margin_height(head, 0, x) - margin_height(head, 1, x));
  }
  out.openness = aperture_mm / (outer - inner).norm();
  if (curves.shut) out.openness = 0;
  out.reason = out.openness == 0 ? Reason::closed : Reason::none;

  const double x_mm = statics.centre.x();
  out.pfh_mm = out.openness == 0 ? 0 : margin_height(head, 0, x_mm) - margin_height(head, 1, x_mm);
}

void Tracker::fit_eyeball(const FrameDetection& detection, int eye, double interocular_px, double dt_s, FrameFit& fit) {
  EyeFit& out = fit.eyes[eye];
  const EyeStatics& statics = calibration_.eyes[eye];
  const Vec3 centre = fit.pose.rotation * statics.centre + fit.pose.translation;
  out.px_per_deg = calibration_.camera.focal_px / centre.z() * calibration_.ball.radius_mm * deg;
  if (out.reason != Reason::none) return;
  const std::vector<EyeballObservation> observations = {EyeballObservation::from(
      detection.eyes[eye], eye, fit.pose.rotation, fit.pose.translation, interocular_px, options_)};
  double visible = 0;
  for (int i = 1; i < 19; ++i) visible += observations[0].root_information[i] > 0;
  if (detection.eyes[eye].iris[0].confidence < options_.min_visibility && visible < 4) {
    out.reason = Reason::covered;
    return;
  }
  EyeballProblem::State state;
  for (int e = 0; e < 2; ++e) state.centre[e] = calibration_.eyes[e].centre;
  state.ball = calibration_.ball;
  state.gaze.resize(1);
  EyeballProblem problem(calibration_.camera, options_, observations, state, false);
  if (previous_ && previous_->eyes[eye].gaze_found) {
    state.gaze[0] = previous_->eyes[eye].gaze;
    problem.smooth_towards(state.gaze[0], options_.smooth_gaze_deg * deg * random_walk(options_, dt_s));
  }
  // From the gaze before, a saccade into the canthus, where little of the limbus shows, ends in a false minimum that
  // every later frame would start from: the detected iris centre is the better start.
  if (detection.eyes[eye].iris[0].confidence >= options_.min_visibility)
    state.gaze[0] = gaze_at(observations[0].points[0], centre, fit.pose.rotation, calibration_);
  levenberg(problem, state, {.max_iterations = 8, .step_tolerance = 1e-4, .robust_scale = 3}, workspace_);  // E3, Eq. (22)
  out.eyeball_residual_pct = 100 * problem.residual_px(state, 0) / interocular_px;
  if (out.eyeball_residual_pct > options_.max_eyeball_residual_pct) {
    out.reason = Reason::lost;
    return;
  }
  out.gaze = state.gaze[0];
  out.gaze_found = true;
  if (out.px_per_deg < options_.min_px_per_deg) {  // too coarse for a number
    out.reason = Reason::low_resolution;
    return;
  }

  // This frame's noise, and the constant that an error of p_e leaves in every frame: 1 mm sideways is 5 degrees.
  const Eigen::Matrix2d frame_covariance =
      (workspace_.jacobian.transpose() * workspace_.jacobian + Eigen::Matrix2d::Identity() * 1e-6).inverse();
  const double plane_mm = calibration_.ball.iris_plane_mm();
  const double static_yaw = std::sqrt(statics.centre_covariance(0, 0)) / (plane_mm * std::max(std::cos(out.gaze.yaw), 0.3));
  const double static_pitch = std::sqrt(statics.centre_covariance(1, 1)) / (plane_mm * std::max(std::cos(out.gaze.pitch), 0.3));
  out.yaw_sd = std::sqrt(frame_covariance(0, 0) + static_yaw * static_yaw);
  out.pitch_sd = std::sqrt(frame_covariance(1, 1) + static_pitch * static_pitch);

  // MRD along the head's y, at the pupil.
  const Vec3 pupil = statics.centre + plane_mm * gaze_axis(out.gaze.yaw, out.gaze.pitch);
  VecX head = statics.rows.patch + statics.rows.motion * out.motion;
  out.mrd1_mm = margin_height(head, 0, pupil.x()) - pupil.y();
  out.mrd2_mm = pupil.y() - margin_height(head, 1, pupil.x());
  out.pfh_mm = out.mrd1_mm + out.mrd2_mm;
}

}  // namespace dmask
