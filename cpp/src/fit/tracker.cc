#include "fit/tracker.hpp"

#include "fit/close_up.hpp"
#include "fit/hirschberg.hpp"
#include "fit/measures.hpp"
#include "fit/motion.hpp"
#include "fit/uncertainty.hpp"
#include "fit/validity.hpp"
#include "geometry/rotation.hpp"
#include "geometry/stopwatch.hpp"

namespace dmask {

Tracker::Tracker(const Models& models, const FitOptions& options)
    : models_(models), options_(options), units_(UnitPrior::from(models.face, options)) {}

void Tracker::set_calibration(const Calibration& calibration) {
  calibration_ = calibration;
  previous_.reset();
}

FrameFit Tracker::fit(const FrameDetection& detection) {
  if ((detection.face_found || detection.close_up) && !valid(detection)) return fit(without_invalid(detection));
  if (detection.close_up && !detection.face_found && calibration_.close_up) {
    const FrameDetection face = with_mean_face(models_, detection);
    if (face.face_found) return fit(face);
  }
  FrameFit fit;
  fit.time_s = detection.time_s;
  fit.close_up = detection.close_up;
  fit.eyes_in_view = detection.eyes_in_view;
  fit.laterality = detection.laterality();
  fit.pose.units.setZero(models_.face.units());
  for (int eye = 0; eye < 2; ++eye) fit.eyes[eye].motion.setZero(models_.eyelid[eye].motion.cols());
  if (!detection.face_found || !calibration_.ok || detection.close_up != calibration_.close_up) {
    if (detection.another_person) set_reason(fit, Reason::another_person);
    else if (!detection.face_found) set_reason(fit, no_face_reason(detection.luminance, options_));
    previous_.reset();
    return fit;
  }
  if (previous_ && (detection.track != track_ || !goes_on(*previous_, detection.time_s, options_))) previous_.reset();
  track_ = detection.track;
  const double dt_s = previous_ ? detection.time_s - previous_->time_s : 0;

  Stopwatch watch;
  FaceObservation observation = FaceObservation::from(detection, options_);
  if (previous_) take_motion(detection, *previous_, calibration_, options_, observation);
  if (!fit_face(observation, dt_s, fit.pose)) {
    set_reason(fit, lost_face_reason(detection.luminance, options_));
    previous_.reset();
    return fit;
  }
  fit.face_reason = Reason::none;
  fit.lip_gaps_mm = lip_gaps_mm(detection, fit.pose, calibration_);
  fit.fit_face_ms = watch.lap_ms();
  for (int eye = 0; eye < 2; ++eye) fit_eyelid(detection, eye, observation.interocular_px, dt_s, fit);
  fit.fit_eyelid_ms = watch.lap_ms();
  for (int eye = 0; eye < 2; ++eye) fit_eyeball(detection, eye, observation.interocular_px, dt_s, fit);
  measure_reflexes(detection, calibration_, options_, fit);
  state_uncertainty(calibration_, options_, detection.luminance, fit);
  fit.fit_eyeball_ms = watch.lap_ms();
  previous_ = fit;
  return fit;
}

bool Tracker::fit_face(const FaceObservation& observation, double dt_s, FacePose& pose) {
  if (previous_) {
    const double frames = smoothing_width(options_, dt_s);
    const FaceSmoothing smoothing{previous_->pose, options_.smooth_rotation_deg * deg * frames,
                                  options_.smooth_across_mm * frames, options_.smooth_depth_mm * frames,
                                  options_.smooth_unit * frames};
    FaceProblem problem(calibration_.face, models_.landmark_rows, units_, calibration_.camera, observation, &smoothing);
    pose = previous_->pose;
    if (problem.residual_px(pose) < max_face_jump * observation.interocular_px) {
      levenberg(problem, pose, pose_trial_, kFaceSteps, face_workspace_);  // E1, Eq. (20)
      if (face_fitted(pose, problem.residual_px(pose), observation.interocular_px)) return true;
    }
    previous_.reset();  // a cut, or the face jumped: start afresh rather than be dragged along
  }
  FaceProblem problem(calibration_.face, models_.landmark_rows, units_, calibration_.camera, observation, nullptr);
  pose = initial_pose(calibration_.face, calibration_.camera, observation);
  levenberg(problem, pose, pose_trial_, kFreshFaceSteps, face_workspace_);
  return face_fitted(pose, problem.residual_px(pose), observation.interocular_px);
}

void Tracker::fit_eyelid(const FrameDetection& detection, int eye, double interocular_px, double dt_s, FrameFit& fit) {
  EyeFit& out = fit.eyes[eye];
  const EyeDetection& seen = detection.eyes[eye];
  if (!detection.eyes_in_view[eye]) {
    out.reason = Reason::not_in_view;
    return;
  }
  lid_frame_.assign(1, {fit.pose.rotation, fit.pose.translation, LidCurves::from(seen, head_up(detection), options_),
                        seen.lines, interocular_px});
  const LidCurves& curves = lid_frame_[0].curves;
  if (!lids_in_sight(curves, detection.luminance, options_)) {
    out.reason = unseen_eye_reason(detection.luminance, options_);
    return;
  }
  const EyeStatics& statics = calibration_.eyes[eye];
  EyelidProblem problem(models_.eyelid_rows[eye], statics.rows, calibration_.camera, options_, lid_frame_,
                        &lid_matches_);
  EyelidProblem::State& state = lids_;
  state.motion.resize(1);
  state.motion[0] = out.motion;
  if (previous_ && previous_->eyes[eye].lids_valid) {
    state.motion[0] = previous_->eyes[eye].motion;
    problem.smooth_towards(state.motion[0], options_.smooth_lid * smoothing_width(options_, dt_s));
  }
  levenberg(problem, state, lids_trial_, kEyelidSteps, lid_workspace_);  // E2, Eq. (21)
  measure_lids(statics, state.motion[0], 100 * problem.residual_px(state, 0) / interocular_px, curves, out,
               lid_matches_.head);
}

void Tracker::fit_eyeball(const FrameDetection& detection, int eye, double interocular_px, double dt_s, FrameFit& fit) {
  EyeFit& out = fit.eyes[eye];
  if (out.reason == Reason::not_in_view) return;
  const EyeStatics& statics = calibration_.eyes[eye];
  const Vec3 centre = fit.pose.rotation * statics.centre + fit.pose.translation;
  out.px_per_deg = px_per_deg(calibration_, centre);
  if (out.reason != Reason::none) return;
  const std::vector<EyeballObservation>& observations = iris_frame_;
  iris_frame_.assign(1, EyeballObservation::from(detection.eyes[eye], eye, fit.pose.rotation, fit.pose.translation,
                                                 interocular_px, options_));
  if (previous_) take_motion(detection, *previous_, calibration_, interocular_px, options_, iris_frame_[0]);
  if (!iris_in_sight(detection.eyes[eye], observations[0], options_)) {
    out.reason = hidden_iris_reason(detection.eyes[eye], out.openness, options_);
    return;
  }
  EyeballProblem::State& state = balls_;
  for (int e = 0; e < 2; ++e) state.centre[e] = calibration_.eyes[e].centre;
  state.ball = calibration_.ball;
  state.gaze.assign(1, {});
  EyeballProblem problem(calibration_.camera, options_, observations, state, false, &iris_matches_);
  if (previous_ && previous_->eyes[eye].gaze_found) {
    state.gaze[0] = previous_->eyes[eye].gaze;
    problem.smooth_towards(state.gaze[0], options_.smooth_gaze_deg * deg * smoothing_width(options_, dt_s));
  }
  // From the gaze before, a saccade into the canthus, where little of the limbus shows, ends in a false minimum that
  // every later frame would start from: the detected iris centre is the better start.
  if (iris_centre_in_sight(detection.eyes[eye], options_))
    state.gaze[0] =
        gaze_at(observations[0].points[0], centre, fit.pose.rotation, calibration_.camera, calibration_.ball);
  levenberg(problem, state, balls_trial_, kEyeballSteps, workspace_);  // E3, Eq. (22)
  measure_gaze(statics, calibration_.ball, state.gaze[0], iris_sight(detection.eyes[eye], observations[0]),
               100 * problem.residual_px(state, 0) / interocular_px, options_, out, lid_matches_.head);
  if (out.gaze_found) out.pupil_mm = pupil_mm(detection.eyes[eye], calibration_.ball.iris_radius_mm);
}

}  // namespace dmask
