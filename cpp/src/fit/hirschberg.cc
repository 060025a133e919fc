#include "fit/hirschberg.hpp"

#include <algorithm>
#include <cmath>

#include "geometry/eye.hpp"
#include "geometry/rotation.hpp"

namespace dmask {
namespace {

// What is left besides: by rendered patients (bench/corneal_reflex.py), degrees, and over the pixels that a degree of the eye
// is worth; and on photographs, whose irises are seen 0.35 mm too low (bench/limbus_edge.py), in height.
constexpr double yaw_deg = 1.0, pitch_deg = 2.0, coarse_deg = 0.7, too_low_mm = 0.35;

// From where the fit expects the reflex: 14 degrees, more than it errs by. A lamp that is 27 degrees and more from the lens is
// mirrored farther off.
constexpr double farthest_mm = 1.25;

constexpr double most_sine = 0.95;  // beyond it the reflex would lie on the sclera

// Light that returns to where it came from meets the cornea at a right angle: the centre of curvature lies on the reflex' ray,
// and the optical axis goes from there through the iris' centre. Camera frame; the axis points towards the camera.
Vec3 optical_axis(const Vec2& reflex_px, const Vec3& iris_mm, double cornea_to_limbus_mm, const Camera& camera) {
  const Vec3 ray = Vec3(reflex_px.x() - camera.cx, reflex_px.y() - camera.cy, camera.focal_px).normalized();
  const Vec3 aside = (iris_mm - iris_mm.dot(ray) * ray) / cornea_to_limbus_mm;
  const double shortened = std::min(1.0, most_sine / std::max(aside.norm(), 1e-9));
  return shortened * aside - std::sqrt(1 - (shortened * aside).squaredNorm()) * ray;
}

// The one that may be the lamp's, by where the fit has the eye look; nothing where several may be, or more than were kept.
const Landmark* reflex_of_lamp(const Reflexes& reflexes, const Vec2& expected_px, double within_px) {
  const Landmark* found = nullptr;
  if (reflexes.back().confidence > 0) return nullptr;
  for (const Landmark& reflex : reflexes) {
    if (!(reflex.confidence > 0.5f && (Vec2(reflex.x, reflex.y) - expected_px).norm() <= within_px)) continue;
    if (found) return nullptr;
    found = &reflex;
  }
  return found;
}

}  // namespace

void measure_reflexes(const FrameDetection& detection, const Calibration& calibration, const FitOptions& options,
                      FrameFit& fit) {
  // A child's cornea is nearly a grown-up's, in a smaller globe, which is fitted as one of 12 mm.
  const double cornea_to_limbus_mm = adult_cornea_to_limbus_mm / calibration.true_mm;
  for (int e = 0; e < 2; ++e) {
    EyeFit& eye = fit.eyes[e];
    if (eye.reason != Reason::none || eye.px_per_deg < reflex_over_gaze * options.min_px_per_deg) continue;
    const Mat3& head = fit.pose.rotation;
    const Vec3 fitted = head * gaze_axis(eye.gaze.yaw, eye.gaze.pitch);
    const Vec3 iris_mm =
        head * calibration.eyes[e].centre + fit.pose.translation + calibration.ball.iris_plane_mm() * fitted;
    const Camera& camera = calibration.camera;
    const Vec2 expected_px = camera.project(iris_mm - cornea_to_limbus_mm * fitted);
    const double px_per_mm = camera.focal_px / iris_mm.z();
    const Landmark* reflex =
        reflex_of_lamp(detection.eyes[e].reflexes, expected_px, farthest_mm / calibration.true_mm * px_per_mm);
    if (!reflex) continue;
    const Vec3 axis = optical_axis({reflex->x, reflex->y}, iris_mm, cornea_to_limbus_mm, camera);
    const Vec3 g = head.transpose() * axis;
    eye.reflex_gaze = {std::atan2(g.x(), g.z()), std::asin(std::clamp(g.y(), -1.0, 1.0))};
    // How far the axis points past the camera rests on that distance alone.
    const double past = std::acos(std::clamp(-axis.dot(iris_mm.normalized()), -1.0, 1.0));
    const double of_both = std::hypot(cornea_to_limbus_sd_share * past, coarse_deg / eye.px_per_deg * deg);
    eye.reflex_yaw_sd = std::hypot(of_both, yaw_deg * deg);
    eye.reflex_pitch_sd = std::hypot(of_both, pitch_deg * deg, too_low_mm / adult_cornea_to_limbus_mm);
  }
}

}  // namespace dmask
