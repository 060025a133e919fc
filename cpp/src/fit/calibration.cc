#include "fit/calibration.hpp"

#include <algorithm>
#include <cmath>

#include "fit/calibration_stages.hpp"
#include "fit/close_up.hpp"
#include "fit/growth.hpp"
#include "fit/validity.hpp"
#include "fit/window.hpp"
#include "geometry/check.hpp"

namespace dmask {
namespace {

bool finite(const Calibration& c) {
  bool all = std::isfinite(c.scale) && c.scale > 0 && c.identity.allFinite() && c.face.neutral.allFinite() &&
             c.face.units.allFinite() && std::isfinite(c.ball.iris_radius_mm) && std::isfinite(c.iris_radius_sd_mm) &&
             std::isfinite(c.scale_sd);
  for (const EyeStatics& e : c.eyes)
    all = all && e.shape.allFinite() && e.offset.allFinite() && std::isfinite(e.roll) && e.patch_centre.allFinite() &&
          e.centre.allFinite() && e.centre_covariance.allFinite() &&
          (e.centre_covariance.diagonal().array() >= 0).all() && e.rows.patch.allFinite() && e.rows.motion.allFinite();
  return all;
}

// Nothing but eyes without a face; with a face in any frame it is the face that is measured.
bool of_close_ups(const std::vector<FrameDetection>& detections) {
  return std::any_of(detections.begin(), detections.end(), [](const FrameDetection& d) { return d.close_up; }) &&
         std::none_of(detections.begin(), detections.end(), [](const FrameDetection& d) { return d.face_found; });
}

}  // namespace

Calibration calibrate(const Models& models, const std::vector<FrameDetection>& detections, const FitOptions& options) {
  if (!std::all_of(detections.begin(), detections.end(),
                   [](const FrameDetection& d) { return !(d.face_found || d.close_up) || valid(d); })) {
    std::vector<FrameDetection> cleaned;
    for (const FrameDetection& d : detections) cleaned.push_back(without_invalid(d));
    return calibrate(models, cleaned, options);
  }
  if (of_close_ups(detections)) {
    std::vector<FrameDetection> faces;
    for (const FrameDetection& d : detections) faces.push_back(with_mean_face(models, d));
    if (!of_close_ups(faces)) return calibrate(models, faces, options);
  }
  Calibration c;
  c.frames_used = choose_window(detections, options, c.reason);
  if (c.frames_used.empty()) return c;
  const FrameDetection& first = detections[c.frames_used.front()];
  if (first.close_up) {
    c.close_up = true;
    c.eyes_in_view = {false, false};
    for (int i : c.frames_used)
      for (int eye = 0; eye < 2; ++eye) c.eyes_in_view[eye] |= detections[i].eyes_in_view[eye];
  }
  c.camera = Camera::from_hfov(first.width, first.height, hfov_deg_of(first, options));
  c.true_mm = Growth::of(options).globe;
  CalibrationRun run{models, detections, options, UnitPrior::from(models.face, options), {}, {}, {}};
  calibrate_face(run, c);
  calibrate_lids(run, c);
  calibrate_eyeballs(run, c);
  c.rest.units.setZero(models.face.units());
  c.ok = finite(c);
  if (c.ok) calibrate_rest(run, c);  // fits every frame with what is known by now
  else c.reason = "the landmarks are not those of a face";
  return c;
}

Calibration calibration_of(const Models& models, const Subject& subject, int width, int height,
                           const FitOptions& options) {
  check(width > 0 && height > 0, "got frames of " + std::to_string(width) + " x " + std::to_string(height) +
                                     " pixels for a subject, expected at least 1 x 1");
  check(subject.identity.size() <= models.face.identities(), "got " + std::to_string(subject.identity.size()) +
                                                                 " identity weights, expected at most " +
                                                                 std::to_string(models.face.identities()));
  check(subject.scale > 0.1 && subject.scale < 10,
        "got a face's scale of " + std::to_string(subject.scale) + ", expected 0.1 to 10");
  check(subject.iris_radius_mm >= 4 && subject.iris_radius_mm <= 8,
        "got an iris radius of " + std::to_string(subject.iris_radius_mm) + " mm, expected 4 to 8");
  Calibration c;
  c.camera = Camera::from_hfov(width, height, options.hfov_deg);
  c.true_mm = Growth::of(options).globe;
  c.identity = subject.identity;
  c.scale = subject.scale;
  const SubjectFace face = models.face.contract(models.landmark_rows.rows, subject.identity.cast<float>());
  c.face = {c.scale * face.neutral.cast<double>(), c.scale * face.units.cast<double>()};
  const Eigen::Index units = models.face.units();
  check(subject.rest.units.size() == 0 || subject.rest.units.size() == units,
        "got " + std::to_string(subject.rest.units.size()) + " units at rest, expected " + std::to_string(units));
  const auto angle = [](double value) { return std::isnan(value) || std::abs(value) <= 360; };
  const Rest& r = subject.rest;
  bool possible = (r.units.size() == 0 || (r.units.array().abs() <= 1).all()) && angle(r.head.yaw_deg) &&
                  angle(r.head.pitch_deg) && angle(r.head.roll_deg) && r.distance_mm >= 0 && r.distance_mm < 1e6;
  constexpr double most_lid_weight = 20;  // motions are N(0, 1)
  for (int eye = 0; eye < 2; ++eye) {
    const Rest::Eye& e = r.eyes[eye];
    const Eigen::Index motions = models.eyelid[eye].motion.cols();
    check(e.motion.size() == 0 || e.motion.size() == motions,
          "got " + std::to_string(e.motion.size()) + " lid motions at rest, expected " + std::to_string(motions));
    possible = possible && e.openness >= 0 && e.openness < 2 && angle(e.gaze.yaw / deg) && angle(e.gaze.pitch / deg) &&
               (e.motion.array().abs() <= most_lid_weight).all();
  }
  check(possible,
        "got a rest that nobody has, expected units of 0 to 1, angles of up to 360 degrees, a distance in mm, "
        "openness of 0 to 2 and lid motions of up to 20");
  c.rest = subject.rest;
  if (subject.rest.units.size() == 0) c.rest.units.setZero(units);
  for (int eye = 0; eye < 2; ++eye) {
    const Subject::SubjectEye& known = subject.eyes[eye];
    EyeStatics& statics = c.eyes[eye];
    check(known.shape.size() == models.eyelid[eye].shape.cols(), "got " + std::to_string(known.shape.size()) +
                                                                     " eyelid shape weights, expected " +
                                                                     std::to_string(models.eyelid[eye].shape.cols()));
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
  check(finite(c), "got a subject with a number that is not finite, expected all of them to be");
  c.ok = true;
  return c;
}

}  // namespace dmask
