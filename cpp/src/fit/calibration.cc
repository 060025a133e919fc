#include "fit/calibration.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "fit/levenberg.hpp"
#include "fit/sound.hpp"
#include "geometry/check.hpp"
#include "geometry/rotation.hpp"
#include "models/container.hpp"

namespace dmask {
namespace {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

// 0 for a frontal face, grows as the nose nears one of the outer canthi.
double asymmetry(const FrameDetection& d) {
  const auto distance = [&](int i) { return std::hypot(d.face[30].x - d.face[i].x, d.face[30].y - d.face[i].y) + 1e-3; };
  return std::abs(std::log(distance(36) / distance(45)));
}

// Takes the candidate farthest from those taken, again and again.
template <class Distance>
std::vector<int> spread(const std::vector<int>& candidates, int count, Distance distance) {
  if (static_cast<int>(candidates.size()) <= count) return candidates;
  std::vector<int> taken = {candidates[candidates.size() / 2]};
  std::vector<double> nearest(candidates.size(), 1e30);
  while (static_cast<int>(taken.size()) < count) {
    std::size_t best = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      nearest[i] = std::min(nearest[i], distance(candidates[i], taken.back()));
      if (nearest[i] > nearest[best]) best = i;
    }
    taken.push_back(candidates[best]);
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

// The iris radius that a face of this size would have, mm, from the limbus' points at three and nine o'clock.
double implied_iris_radius_mm(const FrameDetection& d, const FacePose& pose, const LandmarkFace& face, const Camera& camera) {
  double best = 0;
  for (int eye = 0; eye < 2; ++eye) {
    const auto& iris = d.eyes[eye].iris;
    const int canthus = eye == OD ? 36 : 42;
    const Vec3 x = 0.5 * (face.neutral.segment<3>(3 * canthus) + face.neutral.segment<3>(3 * (canthus + 3)));
    const double depth = (pose.rotation * x + pose.translation).z();
    double sum = 0, weight = 0;
    for (int side : {5, 6, 14, 15}) {
      const double c = iris[side].confidence;
      sum += c * std::hypot(iris[side].x - iris[0].x, iris[side].y - iris[0].y);
      weight += c;
    }
    if (weight > 1.2) best = std::max(best, sum / weight * depth / camera.focal_px);
  }
  return best;
}

// One closed-form factor on shape and distance (the picture does not change) from two priors: the outer canthi
// and the iris.
double metric_scale(const Calibration& c, const std::vector<double>& iris_radii_mm, const FitOptions& options) {
  const double canthi_mm = (c.face.neutral.segment<3>(3 * 45) - c.face.neutral.segment<3>(3 * 36)).norm();
  double information = std::pow(options.canthi_mm / options.canthi_sd_mm, 2);
  double log_scale = information * std::log(options.canthi_mm / canthi_mm);
  const double iris_mm = median(iris_radii_mm);
  if (iris_mm > 3 && iris_mm < 10) {
    const double iris_information = std::pow(options.hvid_mm / options.hvid_sd_mm, 2);
    log_scale += iris_information * std::log(0.5 * options.hvid_mm / iris_mm);
    information += iris_information;
  }
  return std::exp(log_scale / information);
}

// The eyeball's centre that the face model gives this identity, head frame, mm.
Vec3 model_centre(const EyelidModel& model, const VecX& identity, double scale) {
  const Eigen::Index k = identity.size();
  return scale * (model.centre.cast<double>() + model.centre_from_identity.leftCols(k).cast<double>() * identity);
}

// Where this person's brows sit on the bone, as a mean over the window: identity does not tell, and brows taken for
// the model's tilt the head by degrees.
void own_brows(LandmarkFace& face, const std::vector<FacePose>& poses, const std::vector<FaceObservation>& seen, const Camera& camera) {
  for (int i = 17; i < 27; ++i) {
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

LidWeights closing_of(const EyelidModel& model, const VecX& shape) {
  const VecXf w_es = shape.cast<float>();
  return (model.blink_full(w_es) - model.blink_mid(w_es)).cast<double>();
}

// Whether enough of the limbus is in sight to place the eyeball by.
bool iris_in_sight(const EyeDetection& eye) {
  int visible = 0;
  for (int i = 1; i < 19; ++i) visible += eye.iris[i].confidence > 0.5f;
  return visible >= 6 && eye.iris[0].confidence > 0.4f;
}

bool finite(const Calibration& c) {
  bool all = std::isfinite(c.scale) && c.scale > 0 && c.identity.allFinite() && c.face.neutral.allFinite() && c.face.units.allFinite() &&
             std::isfinite(c.ball.iris_radius_mm) && std::isfinite(c.iris_radius_sd_mm);
  for (const EyeStatics& e : c.eyes)
    all = all && e.shape.allFinite() && e.offset.allFinite() && std::isfinite(e.roll) && e.patch_centre.allFinite() && e.centre.allFinite() &&
          e.centre_covariance.allFinite() && (e.centre_covariance.diagonal().array() >= 0).all() && e.rows.patch.allFinite() &&
          e.rows.motion.allFinite();
  return all;
}

bool named_fixating(const FitOptions& options, int eye, double time_s) {
  const Fixation& f = options.fixation;
  return f.eye[eye] && time_s >= f.from_s && time_s <= f.to_s;
}

}  // namespace

Models Models::load(const std::string& directory, const std::string& nets_directory) {
  Models m;
  m.face = FaceModel::load(directory + "/face.dmm");
  const Container convention = Container::read(nets_directory + "/landmarks.dmm");
  m.landmark_rows = LandmarkRows::from(
      m.face, Eigen::Map<const Points3f>(convention.numbers("offset_mm", {68, 3}), 68, 3));
  for (int eye = 0; eye < 2; ++eye) {
    m.eyelid[eye] = EyelidModel::load(directory + "/eyelid.dmm", static_cast<Eye>(eye));
    m.eyelid[eye].check_with(m.face, directory + "/eyelid.dmm");
    m.eyelid_rows[eye] = EyelidRows::from(m.eyelid[eye]);
  }
  return m;
}

std::vector<int> choose_window(const std::vector<FrameDetection>& detections, const FitOptions& options,
                               std::string& reason) {
  struct Quality {
    bool frontal, open, sharp;
  };
  std::vector<double> sharpness;
  for (const FrameDetection& d : detections)
    if (d.face_found) sharpness.push_back(d.sharpness);
  const double typical = median(sharpness);
  std::vector<Quality> quality(detections.size());
  for (std::size_t i = 0; i < detections.size(); ++i) {
    const FrameDetection& d = detections[i];
    if (!d.face_found) continue;
    const LidCurves od = LidCurves::from(d.eyes[OD], options), os = LidCurves::from(d.eyes[OS], options);
    // The better eye decides: the other may droop, and that is what is to be measured.
    const double openness = std::max(od.openness, os.openness);
    quality[i] = {asymmetry(d) < 0.3, openness > 0.18 && openness < 0.45, d.sharpness >= 0.5 * typical};
  }
  const char* shortfalls[] = {"", "no sharp frame with open eyes and a frontal face: blurred ones taken",
                              "no frontal frame with open eyes: turned ones taken", "no frame with open eyes: lids uncertain"};
  for (int relaxed = 0; relaxed < 4; ++relaxed) {
    std::vector<int> candidates;
    for (std::size_t i = 0; i < detections.size(); ++i)
      if (detections[i].face_found && (quality[i].sharp || relaxed >= 1) && (quality[i].frontal || relaxed >= 2) &&
          (quality[i].open || relaxed >= 3))
        candidates.push_back(static_cast<int>(i));
    if (candidates.empty()) continue;
    reason = shortfalls[relaxed];
    return spread(candidates, options.window_frames, [](int a, int b) { return std::abs(static_cast<double>(a - b)); });
  }
  reason = "no frame shows a face";
  return {};
}

Calibration calibrate(const Models& models, const std::vector<FrameDetection>& detections, const FitOptions& options) {
  if (!std::all_of(detections.begin(), detections.end(), [](const FrameDetection& d) { return !d.face_found || sound(d); })) {
    std::vector<FrameDetection> cleaned;
    for (const FrameDetection& d : detections) cleaned.push_back(without_unsound(d));
    return calibrate(models, cleaned, options);
  }
  Calibration c;
  c.frames_used = choose_window(detections, options, c.reason);
  if (c.frames_used.empty()) return c;
  const FrameDetection& first = detections[c.frames_used.front()];
  c.camera = Camera::from_hfov(first.width, first.height, options.hfov_deg);
  LevenbergWorkspace workspace;
  const UnitPrior units = UnitPrior::from(models.face, options);

  // Face: identity and every frame's pose and motion together, Eq. (3).
  std::vector<FaceObservation> faces;
  for (int i : c.frames_used) faces.push_back(FaceObservation::from(detections[i], options, 0.15));
  FaceWindowProblem window(models.face, models.landmark_rows, units, c.camera, faces, options.identity_modes);
  FaceWindowProblem::State state;
  state.identity.setZero(std::min(options.identity_modes, models.face.identities()));
  const LandmarkFace mean = window.subject(state.identity);
  for (const FaceObservation& o : faces) {
    FacePose pose = initial_pose(mean, c.camera, o);
    FaceProblem problem(mean, models.landmark_rows, units, c.camera, o, nullptr);
    levenberg(problem, pose, {.max_iterations = 12}, workspace);
    state.frames.push_back(std::move(pose));
  }
  levenberg(window, state, {.max_iterations = 15, .step_tolerance = 3e-3}, workspace);
  c.identity = state.identity;
  c.face = window.subject(state.identity);

  own_brows(c.face, state.frames, faces, c.camera);

  std::vector<double> iris_radii;
  for (std::size_t f = 0; f < faces.size(); ++f) {
    const double r = implied_iris_radius_mm(detections[c.frames_used[f]], state.frames[f], c.face, c.camera);
    if (r > 0) iris_radii.push_back(r);
  }
  c.scale = metric_scale(c, iris_radii, options);
  c.face.neutral *= c.scale;
  c.face.units *= c.scale;
  for (FacePose& pose : state.frames) pose.translation *= c.scale;

  // Eyelids: shape, placement and every frame's motion together, Eq. (12).
  for (int eye = 0; eye < 2; ++eye) {
    EyeStatics& statics = c.eyes[eye];
    const EyelidModel& model = models.eyelid[eye];
    statics.patch_centre = model_centre(model, c.identity, c.scale);
    std::vector<EyelidObservation> frames;
    for (std::size_t f = 0; f < faces.size(); ++f) {
      const EyeDetection& e = detections[c.frames_used[f]].eyes[eye];
      const LidCurves curves = LidCurves::from(e, options);
      if (curves.found && curves.confidence > options.min_visibility)
        frames.push_back({state.frames[f].rotation, state.frames[f].translation, curves, e.lines, faces[f].interocular_px});
    }
    EyelidProblem problem(models.eyelid_rows[eye], statics.patch_centre, c.camera, options, frames);
    EyelidProblem::State lids;
    lids.shape.setZero(model.shape.cols());
    lids.motion.assign(frames.size(), VecX::Zero(model.motion.cols()));
    if (!frames.empty()) levenberg(problem, lids, {.max_iterations = 25, .step_tolerance = 3e-3, .robust_scale = 4}, workspace);
    statics.shape = lids.shape;
    statics.closing = closing_of(model, statics.shape);
    statics.offset = lids.offset;
    statics.roll = lids.roll;
    statics.rows = problem.freeze(lids);
  }

  // Eyeballs: centres and iris radius over frames that differ in gaze, Eq. (16).
  std::vector<int> candidates;
  for (std::size_t i = 0; i < detections.size(); ++i) {
    const FrameDetection& d = detections[i];
    if (!d.face_found || asymmetry(d) > 0.6) continue;
    for (int eye = 0; eye < 2; ++eye) {
      if (LidCurves::from(d.eyes[eye], options).openness < 0.15 || !iris_in_sight(d.eyes[eye])) continue;
      candidates.push_back(static_cast<int>(i));
      break;
    }
  }
  const auto iris_place = [&](int i) {  // in units of the palpebral width
    Vec2 sum = Vec2::Zero();
    for (const EyeDetection& e : detections[i].eyes) {
      const Vec2 inner(e.lid[0].x, e.lid[0].y), outer(e.lid[10].x, e.lid[10].y), iris(e.iris[0].x, e.iris[0].y);
      sum += (iris - 0.5 * (inner + outer)) / std::max((outer - inner).norm(), 1.0);
    }
    return sum;
  };
  const auto differ = [&](int a, int b) { return (iris_place(a) - iris_place(b)).norm() + 1e-4 * std::abs(a - b); };
  std::vector<int> chosen = spread(candidates, options.gaze_frames, differ);
  std::vector<int> named;  // frames of a fixation count whatever they look like
  for (int i : candidates)
    if (named_fixating(options, OD, detections[i].time_s) || named_fixating(options, OS, detections[i].time_s)) named.push_back(i);
  for (int i : spread(named, options.gaze_frames / 2, differ))
    if (std::find(chosen.begin(), chosen.end(), i) == chosen.end()) chosen.push_back(i);
  std::vector<EyeballObservation> observations;
  for (int i : chosen) {
    const FaceObservation o = FaceObservation::from(detections[i], options);
    FacePose pose = initial_pose(c.face, c.camera, o);
    FaceProblem problem(c.face, models.landmark_rows, units, c.camera, o, nullptr);
    levenberg(problem, pose, {.max_iterations = 12}, workspace);
    for (int eye = 0; eye < 2; ++eye) {
      const EyeDetection& e = detections[i].eyes[eye];
      if (LidCurves::from(e, options).openness < 0.15 || !iris_in_sight(e)) continue;
      observations.push_back(EyeballObservation::from(e, eye, pose.rotation, pose.translation, o.interocular_px, options));
      observations.back().fixating = named_fixating(options, eye, detections[i].time_s);
    }
  }
  EyeballProblem::State balls;
  for (int eye = 0; eye < 2; ++eye) balls.centre[eye] = c.eyes[eye].patch_centre + c.eyes[eye].offset;
  balls.ball.iris_radius_mm = 0.5 * options.hvid_mm;
  balls.gaze.resize(observations.size());
  EyeballProblem problem(c.camera, options, observations, balls, true);
  for (int eye = 0; eye < 2; ++eye)
    c.eyes[eye].centre_covariance =
        Vec3(std::pow(options.centre_sigma_mm, 2), std::pow(options.centre_sigma_mm, 2), std::pow(options.centre_depth_sigma_mm, 2)).asDiagonal();
  c.iris_radius_sd_mm = options.iris_radius_sigma_mm;
  if (!observations.empty()) {
    levenberg(problem, balls, {.max_iterations = 25, .step_tolerance = 1e-4}, workspace);
    const int n = problem.size();
    MatX hessian = MatX::Zero(n, n);
    hessian.selfadjointView<Eigen::Lower>().rankUpdate(workspace.jacobian.transpose());
    hessian.diagonal() += workspace.curvature;
    const MatX full = hessian.selfadjointView<Eigen::Lower>();
    const MatX covariance = full.inverse();
    // Points of one net on one face err together: twice the standard deviation that independent ones would have.
    for (int eye = 0; eye < 2; ++eye)
      c.eyes[eye].centre_covariance = 4 * covariance.block<3, 3>(3 * eye, 3 * eye);
    c.iris_radius_sd_mm = std::min(options.iris_radius_sigma_mm, 2 * std::sqrt(covariance(6, 6)));
  } else {
    c.reason += (c.reason.empty() ? "" : "; ") + std::string("no open eye with a visible iris: eyeball centres are the model's");
  }
  for (int eye = 0; eye < 2; ++eye) c.eyes[eye].centre = balls.centre[eye];
  c.ball = balls.ball;
  c.ok = finite(c);
  if (!c.ok) c.reason = "the landmarks are not those of a face";
  return c;
}

Calibration calibration_of(const Models& models, const Subject& subject, int width, int height, const FitOptions& options) {
  Calibration c;
  c.camera = Camera::from_hfov(width, height, options.hfov_deg);
  c.identity = subject.identity;
  c.scale = subject.scale;
  const SubjectFace face = models.face.contract(models.landmark_rows.rows, subject.identity.cast<float>());
  c.face = {c.scale * face.neutral.cast<double>(), c.scale * face.units.cast<double>()};
  for (int eye = 0; eye < 2; ++eye) {
    const Subject::SubjectEye& known = subject.eyes[eye];
    EyeStatics& statics = c.eyes[eye];
    check(known.shape.size() == models.eyelid[eye].shape.cols(),
          "got " + std::to_string(known.shape.size()) + " eyelid shape weights, expected " + std::to_string(models.eyelid[eye].shape.cols()));
    statics.shape = known.shape;
    statics.closing = closing_of(models.eyelid[eye], statics.shape);
    statics.offset = known.offset;
    statics.roll = known.roll;
    statics.patch_centre = model_centre(models.eyelid[eye], c.identity, c.scale);
    statics.centre = known.centre;
    statics.centre_covariance.setZero();
    const std::vector<EyelidObservation> none;
    const EyelidProblem problem(models.eyelid_rows[eye], statics.patch_centre, c.camera, options, none);
    statics.rows = problem.freeze({known.shape, known.offset, known.roll, {}});
  }
  c.ball.iris_radius_mm = subject.iris_radius_mm;
  c.ok = true;
  return c;
}

}  // namespace dmask
