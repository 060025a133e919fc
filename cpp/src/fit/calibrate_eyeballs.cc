#include <Eigen/LU>
#include <algorithm>
#include <cmath>

#include "fit/calibration_stages.hpp"
#include "fit/growth.hpp"
#include "fit/window.hpp"

namespace dmask {
namespace {

constexpr LevenbergOptions kStaticsSteps{.max_iterations = 25, .step_tolerance = 1e-4};

// Of an eye that looks far down the lids leave little of the limbus in sight: by how it is foreshortened there, recordings of
// nothing else laid the eyeball wrong by a millimetre.
void leave_out_limbus_far_down(EyeballObservation& o, const Vec3& globe, const Camera& camera,
                               const FitOptions& options) {
  const double down_deg = -gaze_at(o.points[0], globe, o.rotation, camera, Eyeball{}).pitch / deg;
  if (down_deg < options.far_down_deg) return;
  std::fill(o.root_information.begin() + 1, o.root_information.end(), 0);
}

// The irises of the frames that place the eyeballs, each with its frame's head pose.
std::vector<EyeballObservation> observe_irises(CalibrationRun& run, const Calibration& c) {
  std::vector<EyeballObservation> observations;
  for (int i : choose_gaze_frames(run.detections, run.options)) {
    const FrameDetection& d = run.detections[i];
    const FaceObservation o = FaceObservation::from(d, run.options);
    FacePose pose = initial_pose(c.face, c.camera, o);
    FaceProblem problem(c.face, run.models.landmark_rows, run.units, c.camera, o, nullptr);
    levenberg(problem, pose, {.max_iterations = 12}, run.workspace);
    for (int eye = 0; eye < 2; ++eye) {
      const EyeDetection& e = d.eyes[eye];
      if (!places_eyeball(d, eye, run.options)) continue;
      observations.push_back(
          EyeballObservation::from(e, eye, pose.rotation, pose.translation, o.interocular_px, run.options));
      observations.back().fixating = named_fixating(run.options, eye, d.time_s);
      const Vec3 globe = pose.rotation * c.eyes[eye].globe_by_lids() + pose.translation;
      leave_out_limbus_far_down(observations.back(), globe, c.camera, run.options);
    }
  }
  return observations;
}

// How much higher OD lies in the head than OS as the pictures alone say it: what a named fixation finds wrong with
// the height of one, the face's pose, is as wrong with the other's.
void keep_tilt_of_pictures(EyeballProblem& problem, CalibrationRun& run, const Calibration& c,
                           std::vector<EyeballObservation> observations, EyeballProblem::State balls) {
  const auto named = [](const EyeballObservation& o) { return o.fixating; };
  if (std::none_of(observations.begin(), observations.end(), named)) return;
  for (EyeballObservation& o : observations) o.fixating = false;
  EyeballProblem without(c.camera, run.options, observations, balls, true);
  levenberg(without, balls, kStaticsSteps, run.workspace);
  problem.keep_tilt(balls.centre[OD].y() - balls.centre[OS].y());
}

void state_uncertainty(const EyeballProblem& problem, const LevenbergWorkspace& workspace, const FitOptions& options,
                       Calibration& c) {
  const int n = problem.size();
  MatX hessian = MatX::Zero(n, n);
  hessian.selfadjointView<Eigen::Lower>().rankUpdate(workspace.jacobian.transpose());
  hessian.diagonal() += workspace.curvature;
  const MatX full = hessian.selfadjointView<Eigen::Lower>();
  const MatX covariance = full.inverse();
  // Points of one net on one face err together: twice the standard deviation that independent ones would have.
  for (int eye = 0; eye < 2; ++eye) c.eyes[eye].centre_covariance = 4 * covariance.block<3, 3>(3 * eye, 3 * eye);
  c.iris_radius_sd_mm = std::min(options.iris_radius_sigma_mm, 2 * std::sqrt(covariance(6, 6)));
}

}  // namespace

void calibrate_eyeballs(CalibrationRun& run, Calibration& c) {
  const FitOptions& options = run.options;
  const std::vector<EyeballObservation> observations = observe_irises(run, c);
  EyeballProblem::State balls;
  for (int eye = 0; eye < 2; ++eye) balls.centre[eye] = c.eyes[eye].globe_by_lids();
  const Growth growth = Growth::of(options);
  balls.ball.iris_radius_mm = 0.5 * growth.hvid_mm / growth.globe;
  balls.gaze.resize(observations.size());
  EyeballProblem problem(c.camera, options, observations, balls, true);
  const Eigen::Map<const Vec3> centre_sigma_mm(options.centre_sigma_mm.data());
  for (EyeStatics& eye : c.eyes) eye.centre_covariance = centre_sigma_mm.cwiseAbs2().asDiagonal();
  c.iris_radius_sd_mm = options.iris_radius_sigma_mm;
  if (!observations.empty()) {
    keep_tilt_of_pictures(problem, run, c, observations, balls);
    levenberg(problem, balls, kStaticsSteps, run.workspace);
    state_uncertainty(problem, run.workspace, options, c);
  } else {
    c.reason += (c.reason.empty() ? "" : "; ") +
                std::string("no open eye with a visible iris: eyeball centres are the model's");
  }
  for (int eye = 0; eye < 2; ++eye) c.eyes[eye].centre = balls.centre[eye];
  c.ball = balls.ball;
}

}  // namespace dmask
