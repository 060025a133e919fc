#include "fit/tracker.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "fit/measures.hpp"
#include "fit/sound.hpp"
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

double mean_confidence(const EyeDetection& eye) {
  double c = 0;
  for (const Landmark& p : eye.lid) c += p.confidence / eye.lid.size();
  return c;
}

// Sigmas of a random walk grow with the root of time.
double random_walk(const FitOptions& options, double dt_s) { return options.smoothing_scale * std::sqrt(dt_s * 30); }

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
  if (detection.face_found && !sound(detection)) return fit(without_unsound(detection));
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
    if (problem.residual_px(pose) < jump_px) {
      levenberg(problem, pose, pose_trial_, kFaceSteps, face_workspace_);  // E1, Eq. (20)
      if (problem.residual_px(pose) < gate_px) return true;
    }
    previous_.reset();  // a cut, or the face jumped: start afresh rather than be dragged along
  }
  FaceProblem problem(calibration_.face, models_.landmark_rows, units_, calibration_.camera, observation, nullptr);
  pose = initial_pose(calibration_.face, calibration_.camera, observation);
  levenberg(problem, pose, pose_trial_, kFreshFaceSteps, face_workspace_);
  return pose.translation.allFinite() && problem.residual_px(pose) < gate_px;
}

void Tracker::fit_eyelid(const FrameDetection& detection, int eye, double interocular_px, double dt_s, FrameFit& fit) {
  EyeFit& out = fit.eyes[eye];
  const EyeDetection& seen = detection.eyes[eye];
  lid_frame_.assign(1, {fit.pose.rotation, fit.pose.translation, LidCurves::from(seen, options_), seen.lines, interocular_px});
  const LidCurves& curves = lid_frame_[0].curves;
  if (!curves.found || mean_confidence(seen) < options_.min_visibility) {
    out.reason = Reason::covered;
    return;
  }
  const EyeStatics& statics = calibration_.eyes[eye];
  EyelidProblem problem(models_.eyelid_rows[eye], statics.rows, calibration_.camera, options_, lid_frame_, &lid_matches_);
  EyelidProblem::State& state = lids_;
  state.motion.resize(1);
  state.motion[0] = out.motion;
  if (previous_ && previous_->eyes[eye].lids_valid) {
    state.motion[0] = previous_->eyes[eye].motion;
    problem.smooth_towards(state.motion[0], options_.smooth_lid * random_walk(options_, dt_s));
  }
  levenberg(problem, state, lids_trial_, kEyelidSteps, lid_workspace_);  // E2, Eq. (21)
  out.eyelid_residual_pct = 100 * problem.residual_px(state, 0) / interocular_px;
  if (!std::isfinite(out.eyelid_residual_pct)) {  // a head turned until its lids lie in the camera's plane
    out.eyelid_residual_pct = NAN;
    out.reason = Reason::lost;
    return;
  }
  out.motion = state.motion[0];
  out.lids_valid = true;

  measure_lids(statics, curves.shut, out, lid_matches_.head);
}

void Tracker::fit_eyeball(const FrameDetection& detection, int eye, double interocular_px, double dt_s, FrameFit& fit) {
  EyeFit& out = fit.eyes[eye];
  const EyeStatics& statics = calibration_.eyes[eye];
  const Vec3 centre = fit.pose.rotation * statics.centre + fit.pose.translation;
  out.px_per_deg = calibration_.camera.focal_px / centre.z() * calibration_.ball.radius_mm * deg;
  if (out.reason != Reason::none) return;
  const std::vector<EyeballObservation>& observations = iris_frame_;
  iris_frame_.assign(1, EyeballObservation::from(detection.eyes[eye], eye, fit.pose.rotation, fit.pose.translation, interocular_px, options_));
  double visible = 0;
  for (int i = 1; i < 19; ++i) visible += observations[0].root_information[i] > 0;
  if (detection.eyes[eye].iris[0].confidence < options_.min_visibility && visible < 4) {
    out.reason = Reason::covered;
    return;
  }
  EyeballProblem::State& state = balls_;
  for (int e = 0; e < 2; ++e) state.centre[e] = calibration_.eyes[e].centre;
  state.ball = calibration_.ball;
  state.gaze.assign(1, {});
  EyeballProblem problem(calibration_.camera, options_, observations, state, false, &iris_matches_);
  if (previous_ && previous_->eyes[eye].gaze_found) {
    state.gaze[0] = previous_->eyes[eye].gaze;
    problem.smooth_towards(state.gaze[0], options_.smooth_gaze_deg * deg * random_walk(options_, dt_s));
  }
  // From the gaze before, a saccade into the canthus, where little of the limbus shows, ends in a false minimum that
  // every later frame would start from: the detected iris centre is the better start.
  if (detection.eyes[eye].iris[0].confidence >= options_.min_visibility)
    state.gaze[0] = gaze_at(observations[0].points[0], centre, fit.pose.rotation, calibration_.camera, calibration_.ball);
  levenberg(problem, state, balls_trial_, kEyeballSteps, workspace_);  // E3, Eq. (22)
  out.eyeball_residual_pct = 100 * problem.residual_px(state, 0) / interocular_px;
  if (!(out.eyeball_residual_pct <= options_.max_eyeball_residual_pct)) {
    out.reason = Reason::lost;
    return;
  }
  out.gaze = state.gaze[0];
  out.gaze_found = true;
  if (out.px_per_deg < options_.min_px_per_deg) {  // too coarse for a number
    out.reason = Reason::low_resolution;
    return;
  }

  measure_gaze(statics, calibration_.ball, workspace_.jacobian.transpose() * workspace_.jacobian, out, lid_matches_.head);
}

}  // namespace dmask
