#include "fit/validity.hpp"

#include <algorithm>
#include <cmath>

#include "geometry/rotation.hpp"

namespace dmask {
namespace {

bool valid(const PointMotion& m) {
  return std::abs(m.x) <= 1e6f && std::abs(m.y) <= 1e6f && std::abs(m.information_xx) <= 1e9f &&
         std::abs(m.information_xy) <= 1e9f && std::abs(m.information_yy) <= 1e9f;
}

template <class Points>
bool all_valid(const Points& points) {
  return std::all_of(points.begin(), points.end(), [](const auto& p) { return valid(p); });
}

bool valid(const EyeDetection& eye) {
  return all_valid(eye.lid) && all_valid(eye.iris) && all_valid(eye.pupil) && all_valid(eye.globe) &&
         all_valid(eye.reflexes) &&
         std::all_of(eye.lines.begin(), eye.lines.end(), [](const auto& line) { return all_valid(line); });
}

}  // namespace

bool valid(const Landmark& p) {
  return std::abs(p.x) <= 1e6f && std::abs(p.y) <= 1e6f && p.confidence >= -0.01f && p.confidence <= 1.01f;
}

bool valid(const FrameDetection& d) {
  return d.width > 0 && d.height > 0 && std::isfinite(d.time_s) && std::isfinite(d.sharpness) &&
         std::isfinite(d.luminance) && all_valid(d.motion) && all_valid(d.iris_motion) && all_valid(d.face) &&
         valid(d.eyes[OD]) && valid(d.eyes[OS]);
}

FrameDetection without_invalid(FrameDetection d) {
  d.face_found = d.face_found && d.width > 0 && d.height > 0 && std::isfinite(d.time_s) && all_valid(d.face);
  d.close_up = d.close_up && d.width > 0 && d.height > 0 && std::isfinite(d.time_s);
  if (d.close_up && !all_valid(d.face)) d.face = {};
  if (!std::isfinite(d.sharpness)) d.sharpness = 0;
  if (!std::isfinite(d.luminance)) d.luminance = FrameDetection{}.luminance;
  const auto drop_invalid = [](PointMotion& motion) {
    if (!valid(motion)) motion = {};
  };
  std::for_each(d.motion.begin(), d.motion.end(), drop_invalid);
  std::for_each(d.iris_motion.begin(), d.iris_motion.end(), drop_invalid);
  for (EyeDetection& eye : d.eyes) {
    if (!all_valid(eye.lid)) eye.lid = {};
    if (!all_valid(eye.iris)) eye.iris = {};
    if (!all_valid(eye.pupil)) eye.pupil = {};
    if (!all_valid(eye.globe)) eye.globe = {};
    if (!all_valid(eye.reflexes)) eye.reflexes = {};
    for (auto& line : eye.lines)
      if (!all_valid(line)) line = {};
  }
  return d;
}

bool lids_in_sight(const LidCurves& curves, double luminance, const FitOptions& options) {
  const bool is_dark = luminance < options.dark_luminance;
  return curves.found && curves.confidence >= (is_dark ? options.min_dark_visibility : options.min_lid_visibility);
}

Reason unseen_eye_reason(double luminance, const FitOptions& options) {
  return luminance < options.dark_luminance ? Reason::dark : Reason::covered;
}

Reason no_face_reason(double luminance, const FitOptions& options) {
  return luminance < options.black_luminance ? Reason::dark : Reason::no_face;
}

Reason lost_face_reason(double luminance, const FitOptions& options) {
  return luminance < options.dark_luminance ? Reason::dark : Reason::lost;
}

bool iris_centre_in_sight(const EyeDetection& eye, const FitOptions& options) {
  return eye.iris[0].confidence >= options.min_iris_visibility;
}

IrisSight iris_sight(const EyeDetection& eye, const EyeballObservation& observation) {
  const auto& limbus = observation.root_information;
  return {static_cast<int>(
              std::count_if(limbus.begin() + 1, limbus.end(), [](double information) { return information > 0; })),
          eye.iris[0].confidence};
}

bool iris_in_sight(const EyeDetection& eye, const EyeballObservation& observation, const FitOptions& options) {
  return iris_centre_in_sight(eye, options) || iris_sight(eye, observation).limbus_points >= options.min_limbus;
}

bool goes_on(const FrameFit& earlier, double time_s, const FitOptions& options) {
  const double dt_s = time_s - earlier.time_s;
  return earlier.face_reason == Reason::none && dt_s > 0 && dt_s <= options.max_gap_s;
}

bool face_fitted(const FacePose& pose, double residual_px, double interocular_px) {
  return pose.translation.allFinite() && residual_px < max_face_residual * interocular_px;
}

Reason lids_reason(double residual_pct, double openness) {
  // The residual is no number where a head is turned until its lids lie in the camera's plane.
  if (!std::isfinite(residual_pct) || !std::isfinite(openness)) return Reason::lost;
  return openness == 0 ? Reason::closed : Reason::none;
}

Reason hidden_iris_reason(const EyeDetection& eye, double openness, const FitOptions& options) {
  const bool looked_for = all_valid(eye.iris) && std::any_of(eye.iris.begin(), eye.iris.end(),
                                                             [](const Landmark& p) { return p.confidence > 0; });
  return looked_for && openness >= options.open_openness ? Reason::out_of_range : Reason::covered;
}

bool half_hidden_below(const Gaze& gaze, const IrisSight& sight, double of, const FitOptions& options) {
  return gaze.pitch < -options.far_down_deg * deg && !(sight.centre_confidence >= of);
}

Reason gaze_reason(double residual_pct, double px_per_deg, const Gaze& gaze, const IrisSight& sight,
                   const FitOptions& options) {
  if (!(residual_pct <= options.max_eyeball_residual_pct)) return Reason::lost;
  const double yaw_deg = std::abs(gaze.yaw) / deg, pitch_deg = std::abs(gaze.pitch) / deg;
  if (!(yaw_deg <= options.max_yaw_deg && pitch_deg <= options.max_pitch_deg)) return Reason::out_of_range;
  if (std::hypot(yaw_deg, pitch_deg) > options.far_gaze_deg && sight.limbus_points < options.min_limbus)
    return Reason::out_of_range;
  if (half_hidden_below(gaze, sight, options.min_far_down_visibility, options)) return Reason::out_of_range;
  return px_per_deg >= options.min_px_per_deg ? Reason::none : Reason::low_resolution;
}

}  // namespace dmask
