#include "cuda/fits/fit_input.hpp"

#include <algorithm>
#include <cmath>

#include "fit/motion.hpp"
#include "fit/validity.hpp"
#include "geometry/check.hpp"
#include "geometry/rotation.hpp"

namespace dmask::cuda {
namespace {

using RowMajor3 = Eigen::Matrix<double, 3, 3, Eigen::RowMajor>;

FitSteps steps_of(const LevenbergOptions& o) {
  return {o.max_iterations, static_cast<float>(o.damping), static_cast<float>(o.step_tolerance),
          static_cast<float>(o.gain_tolerance), static_cast<float>(o.robust_scale)};
}

// Hands out arrays one behind the other.
class Layout {
 public:
  explicit Layout(void* memory) : base_(static_cast<std::byte*>(memory)) {}
  template <class T>
  void take(T*& array, std::size_t count) {
    array = base_ == nullptr ? nullptr : reinterpret_cast<T*>(base_ + bytes_);
    bytes_ += (count * sizeof(T) + 255) / 256 * 256;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* base_;
  std::size_t bytes_ = 0;
};

template <class Values>
void put(const Values& values, float* to) {
  Eigen::Map<Eigen::MatrixXf>(to, values.rows(), values.cols()) = values.template cast<float>();
}

FitPose pose_of(const FacePose& pose) {
  FitPose out;
  Eigen::Map<RowMajor3>(out.rotation) = pose.rotation;
  Eigen::Map<Vec3>(out.translation) = pose.translation;
  return out;
}

}  // namespace

FitSizes FitSizes::from(const Models& models) {
  FitSizes s;
  s.candidates = models.landmark_rows.candidates;
  s.rows = static_cast<int>(models.landmark_rows.rows.mean.size() / 3);
  s.units = models.face.units();
  s.eyelid_rows = models.eyelid_rows[OD].rows();
  s.crease = models.eyelid_rows[OD].crease;
  s.motions = static_cast<int>(models.eyelid_rows[OD].motion.cols());
  check(s.units <= max_fit_units && s.motions <= max_fit_motions && s.eyelid_rows <= max_eyelid_rows &&
            s.candidates <= max_fit_candidates,
        "the models have " + std::to_string(s.units) + " units, " + std::to_string(s.motions) + " lid motions, " +
            std::to_string(s.eyelid_rows) + " lid rows and " + std::to_string(s.candidates) +
            " jaw candidates, the GPU fits take " + std::to_string(max_fit_units) + ", " +
            std::to_string(max_fit_motions) + ", " + std::to_string(max_eyelid_rows) + " and " +
            std::to_string(max_fit_candidates) + " at most; fit on the CPU");
  return s;
}

void pack_subject(const Calibration& c, const FitSizes& sizes, const SubjectInput& to) {
  check(c.ok, "the subject has no calibration (" + c.reason + "); calibrate it before it is fitted in a batch");
  put(c.face.neutral, to.neutral);
  put(c.face.units, to.units);
  const std::ptrdiff_t values = 3 * sizes.eyelid_rows;
  for (int eye = 0; eye < 2; ++eye) {
    put(c.eyes[eye].rows.patch, to.patch + eye * values);
    put(c.eyes[eye].rows.motion, to.motion + eye * values * sizes.motions);
    put(c.eyes[eye].centre, to.eyeballs->centre[eye]);
  }
  *to.focal_px = to.eyeballs->focal_px = static_cast<float>(c.camera.focal_px);
  to.eyeballs->radius_mm = static_cast<float>(c.ball.radius_mm);
  to.eyeballs->iris_radius_mm = static_cast<float>(c.ball.iris_radius_mm);
}

FrameInput FrameInput::at(void* memory, int frames, const FitSizes& sizes) {
  FrameInput in;
  Layout layout(memory);
  const std::size_t n = static_cast<std::size_t>(frames), eyes = 2 * n;
  layout.take(in.subject, n);
  layout.take(in.points, n * 68 * 2);
  layout.take(in.root_information, n * 68 * 3);
  layout.take(in.interocular_px, n);
  layout.take(in.smoothing, n);
  layout.take(in.previous_units, n * sizes.units);
  layout.take(in.start, n);
  layout.take(in.lids, eyes);
  layout.take(in.dense, eyes * dense_points * 2);
  layout.take(in.lines, eyes * 2 * 20 * 3);
  layout.take(in.previous_motion, eyes * sizes.motions);
  layout.take(in.eyeballs, eyes);
  layout.take(in.iris, eyes * 19 * 2);
  layout.take(in.iris_information, eyes * 19);
  layout.take(in.previous_gaze, eyes);
  in.bytes = layout.bytes();
  return in;
}

FrameOutput FrameOutput::at(void* memory, int frames, const FitSizes& sizes) {
  FrameOutput out;
  Layout layout(memory);
  const std::size_t n = static_cast<std::size_t>(frames), eyes = 2 * n;
  layout.take(out.pose, n);
  layout.take(out.units, n * sizes.units);
  layout.take(out.face, n);
  layout.take(out.lids, eyes);
  layout.take(out.eyeballs, eyes);
  layout.take(out.motion, eyes * sizes.motions);
  layout.take(out.gaze, eyes);
  out.bytes = layout.bytes();
  return out;
}

std::array<LidCurves, 2> pack_frame(const FrameDetection& detection, const Calibration& calibration, int subject,
                                    const FrameFit* previous, const FitOptions& options, const FitSizes& sizes, int at,
                                    const FrameInput& to) {
  std::array<LidCurves, 2> curves;
  to.subject[at] = -1;
  to.smoothing[at] = {};
  for (int eye = 0; eye < 2; ++eye) to.lids[2 * at + eye] = {}, to.eyeballs[2 * at + eye] = {};
  if (!detection.face_found) return curves;
  to.subject[at] = subject;
  const bool smooth = previous != nullptr && goes_on(*previous, detection.time_s, options);
  const double walk = smooth ? smoothing_width(options, detection.time_s - previous->time_s) : 0;
  const Camera& camera = calibration.camera;
  const Vec2 principal(camera.cx, camera.cy);
  const auto put_point = [&](const Vec2& p, float* out) { put(Vec2(p - principal), out); };

  FaceObservation face = FaceObservation::from(detection, options);
  if (smooth) take_motion(detection, *previous, calibration, options, face);
  for (int i = 0; i < 68; ++i) {
    put_point(face.points[i], to.points + (at * 68 + i) * 2);
    const Eigen::Matrix2d& w = face.root_information[i];
    put(Vec3(w(0, 0), w(0, 1), w(1, 1)), to.root_information + (at * 68 + i) * 3);
  }
  to.interocular_px[at] = static_cast<float>(face.interocular_px);
  to.start[at] = pose_of(initial_pose(calibration.face, camera, face));
  if (smooth) {
    to.smoothing[at] = {pose_of(previous->pose), static_cast<float>(options.smooth_rotation_deg * deg * walk),
                        static_cast<float>(options.smooth_across_mm * walk),
                        static_cast<float>(options.smooth_depth_mm * walk),
                        static_cast<float>(options.smooth_unit * walk)};
    put(previous->pose.units, to.previous_units + static_cast<std::ptrdiff_t>(at) * sizes.units);
  }

  for (int eye = 0; eye < 2; ++eye) {
    const EyeDetection& seen = detection.eyes[eye];
    const std::ptrdiff_t p = 2 * at + eye;
    curves[eye] = LidCurves::from(seen, head_up(detection), options);
    if (!lids_in_sight(curves[eye], detection.luminance, options)) continue;  // covered, or dark
    EyelidSeen& lids = to.lids[p];
    lids.seen = 1;
    lids.dense_weight = static_cast<float>(std::sqrt(dense_information / dense_points) /
                                           (0.01 * options.lid_sigma_pct * face.interocular_px));
    const int line_rows = sizes.eyelid_rows - 2 * EyelidRows::margin_samples;
    lids.line_weight = static_cast<float>(std::sqrt(line_information / line_rows) /
                                          (0.01 * options.line_sigma_pct * face.interocular_px));
    for (int k = 0; k < dense_points; ++k) put_point(curves[eye].dense[k], to.dense + (p * dense_points + k) * 2);
    for (int line = 0; line < 2; ++line)
      for (int k = 0; k < 20; ++k) {
        const Landmark& l = seen.lines[line == 0 ? CREASE : BULGE][k];
        float* out = to.lines + ((p * 2 + line) * 20 + k) * 3;
        put_point(Vec2(l.x, l.y), out);
        out[2] = l.confidence;
      }
    if (smooth && previous->eyes[eye].lids_valid) {
      lids.smooth_sigma = static_cast<float>(options.smooth_lid * walk);
      put(previous->eyes[eye].motion, to.previous_motion + p * sizes.motions);
    }

    EyeballObservation iris =
        EyeballObservation::from(seen, eye, Mat3::Identity(), Vec3::Zero(), face.interocular_px, options);
    if (smooth) take_motion(detection, *previous, calibration, face.interocular_px, options, iris);
    for (int i = 0; i < 19; ++i) {
      put_point(iris.points[i], to.iris + (p * 19 + i) * 2);
      to.iris_information[p * 19 + i] = static_cast<float>(iris.root_information[i]);
    }
    EyeballSeen& ball = to.eyeballs[p];
    ball.start_at_iris = iris_centre_in_sight(seen, options);
    ball.seen = iris_in_sight(seen, iris, options);
    if (smooth && previous->eyes[eye].gaze_found) {
      ball.smooth_sigma = static_cast<float>(options.smooth_gaze_deg * deg * walk);
      to.previous_gaze[p] = {static_cast<float>(previous->eyes[eye].gaze.yaw),
                             static_cast<float>(previous->eyes[eye].gaze.pitch)};
    }
  }
  return curves;
}

FaceFits face_fits(const FitSizes& sizes, const SubjectArrays& s, const FrameInput& in, int frames,
                   bool from_previous) {
  FaceFits fits{};
  fits.subjects = {s.neutral, s.units, s.focal_px, s.unit_sigma, sizes.rows, sizes.candidates, sizes.units};
  fits.subject = in.subject;
  fits.points = in.points;
  fits.root_information = in.root_information;
  fits.interocular_px = in.interocular_px;
  fits.smoothing = from_previous ? in.smoothing : nullptr;
  fits.previous_units = in.previous_units;
  fits.start = in.start;
  fits.jump = static_cast<float>(max_face_jump);
  fits.gate = static_cast<float>(max_face_residual);
  fits.steps = steps_of(from_previous ? kFaceSteps : kFreshFaceSteps);
  fits.problems = frames;
  return fits;
}

EyelidFits eyelid_fits(const FitSizes& sizes, const SubjectArrays& s, const FrameInput& in, const FrameOutput& out,
                       int frames) {
  return {{s.patch, s.motion, s.focal_px, sizes.eyelid_rows, sizes.crease, sizes.motions},
          in.subject,
          out.pose,
          out.face,
          in.lids,
          in.dense,
          in.lines,
          in.previous_motion,
          steps_of(kEyelidSteps),
          frames};
}

EyeballFits eyeball_fits(const SubjectArrays& s, const FrameInput& in, const FrameOutput& out, int frames,
                         const FitOptions& options) {
  return {s.eyeballs,
          in.subject,
          out.pose,
          out.face,
          in.eyeballs,
          in.iris,
          in.iris_information,
          in.previous_gaze,
          static_cast<float>(options.gaze_prior_deg * deg),
          steps_of(kEyeballSteps),
          frames};
}

}  // namespace dmask::cuda
