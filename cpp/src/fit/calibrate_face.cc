#include <algorithm>
#include <cmath>

#include "detect/face68.hpp"
#include "detect/face_crop.hpp"
#include "fit/calibration_stages.hpp"
#include "fit/growth.hpp"
#include "fit/window.hpp"

namespace dmask {
namespace {

// The iris radius that a face of this size would have, mm, from the limbus' points at the head's three and nine o'clock.
// Each iris lies as far before its eyeball's centre as it does in a straight look.
double implied_iris_radius_mm(const FrameDetection& d, const FacePose& pose, const std::array<Vec3, 2>& centres_mm,
                              const Camera& camera) {
  constexpr int limbus = 18;
  const int roll = static_cast<int>(std::lround(face_roll_rad(d.face) * limbus / (2 * M_PI)));  // in points
  double best = 0;
  for (int eye = 0; eye < 2; ++eye) {
    const auto& iris = d.eyes[eye].iris;
    const double depth = (pose.rotation * centres_mm[eye] + pose.translation).z() - Eyeball{}.iris_plane_mm();
    double sum = 0, weight = 0;
    for (int upright : {4, 5, 13, 14}) {
      const int side = 1 + ((upright + roll) % limbus + limbus) % limbus;
      const double c = iris[side].confidence;
      sum += c * std::hypot(iris[side].x - iris[0].x, iris[side].y - iris[0].y);
      weight += c;
    }
    if (weight > 1.2) best = std::max(best, sum / weight * depth / camera.focal_px);
  }
  return best;
}

// One closed-form factor on shape and distance (the picture does not change) from two priors: the outer canthi,
// where they are and not a millimetre inside, where people mark them, and the iris. Both in millimetres of the fits.
void metric_scale(const Points3f& convention, const std::vector<double>& iris_radii_mm, const FitOptions& options,
                  Calibration& c) {
  // Of a close-up it is one eye's canthi that are seen, which people differ in more.
  constexpr double one_eye_sds = 2.2;
  const auto outer_canthus = [&](Eye eye) -> Vec3 {
    const int landmark = face68::lids[eye].outer;
    return c.face.neutral.segment<3>(3 * landmark) - convention.row(landmark).transpose().cast<double>();
  };
  const double canthi_mm = (outer_canthus(OS) - outer_canthus(OD)).norm();
  const Growth growth = Growth::of(options);
  const double canthi_sd_mm = (c.close_up ? one_eye_sds : 1) * growth.canthi_sd_mm;
  double information = std::pow(growth.canthi_mm / canthi_sd_mm, 2);
  double log_scale = information * std::log(growth.canthi_mm / growth.globe / canthi_mm);
  const double iris_mm = median(iris_radii_mm);
  if (iris_mm > 3 && iris_mm < 10) {
    const double iris_information = std::pow(growth.hvid_mm / growth.hvid_sd_mm, 2);
    log_scale += iris_information * std::log(0.5 * growth.hvid_mm / growth.globe / iris_mm);
    information += iris_information;
  }
  c.scale = std::exp(log_scale / information);
  c.scale_sd = 1 / std::sqrt(information);
}

// Where this person's brows sit on the bone, as a mean over the window: identity does not tell, and brows taken for
// the model's tilt the head by degrees.
void own_brows(LandmarkFace& face, const std::vector<FacePose>& poses, const std::vector<FaceObservation>& seen,
               const Camera& camera) {
  for (int i = face68::jaw_end; i < face68::brows_end; ++i) {
    Vec3 offset = Vec3::Zero();
    for (std::size_t f = 0; f < poses.size(); ++f) {
      const Vec3 x = face.neutral.segment<3>(3 * i) + face.units.middleRows<3>(3 * i) * poses[f].units;
      const Vec3 y = poses[f].rotation * x + poses[f].translation;
      const Vec2 residual = (seen[f].points[i] - camera.project(y)) * (y.z() / camera.focal_px);
      offset += poses[f].rotation.transpose() * Vec3(residual.x(), residual.y(), 0) / static_cast<double>(poses.size());
    }
    face.neutral.segment<3>(3 * i) += offset;
  }
}

// Identity, poses and units over the window, before any scale is known.
void fit_window(CalibrationRun& run, Calibration& c) {
  const Models& models = run.models;
  FaceWindowProblem window(models.face, models.landmark_rows, run.units, c.camera, run.faces,
                           run.options.identity_modes);
  FaceWindowProblem::State state;
  state.identity.setZero(std::min(run.options.identity_modes, models.face.identities()));
  const LandmarkFace mean = window.subject(state.identity);
  for (const FaceObservation& o : run.faces) {
    FacePose pose = initial_pose(mean, c.camera, o);
    FaceProblem problem(mean, models.landmark_rows, run.units, c.camera, o, nullptr);
    levenberg(problem, pose, {.max_iterations = 12}, run.workspace);
    state.frames.push_back(std::move(pose));
  }
  levenberg(window, state, {.max_iterations = 15, .step_tolerance = 3e-3}, run.workspace);
  c.identity = state.identity;
  c.face = window.subject(state.identity);
  run.poses = std::move(state.frames);
}

// By what a pixel is said to be in the plane of the eye, in which limbus and margins lie.
void known_scale(const CalibrationRun& run, const std::array<Vec3, 2>& centres_mm, Calibration& c) {
  constexpr double as_well_as = 0.01;
  const int eye = c.eyes_in_view[OD] ? OD : OS;
  std::vector<double> depths_mm;
  for (const FacePose& pose : run.poses) depths_mm.push_back((pose.rotation * centres_mm[eye] + pose.translation).z());
  const double plane_mm = run.options.mm_per_px / c.true_mm * c.camera.focal_px;
  c.scale = (plane_mm + Eyeball{}.iris_plane_mm()) / median(depths_mm);
  c.scale_sd = as_well_as;
}

void bring_to_metric_scale(CalibrationRun& run, Calibration& c) {
  const std::array<Vec3, 2> centres_mm{model_centre(run.models.eyelid[OD], c.identity, 1),
                                       model_centre(run.models.eyelid[OS], c.identity, 1)};
  std::vector<double> iris_radii;
  for (std::size_t f = 0; f < run.faces.size(); ++f) {
    const double r = implied_iris_radius_mm(run.detections[c.frames_used[f]], run.poses[f], centres_mm, c.camera);
    if (r > 0) iris_radii.push_back(r);
  }
  if (c.close_up && run.options.mm_per_px > 0) known_scale(run, centres_mm, c);
  else metric_scale(run.models.landmark_rows.convention, iris_radii, run.options, c);
  c.face.neutral *= c.scale;
  c.face.units *= c.scale;
  for (FacePose& pose : run.poses) pose.translation *= c.scale;
}

}  // namespace

void calibrate_face(CalibrationRun& run, Calibration& c) {
  constexpr double brow_weight = 0.15;  // their place is not known yet
  for (int i : c.frames_used) run.faces.push_back(FaceObservation::from(run.detections[i], run.options, brow_weight));
  fit_window(run, c);
  own_brows(c.face, run.poses, run.faces, c.camera);
  bring_to_metric_scale(run, c);
}

}  // namespace dmask
