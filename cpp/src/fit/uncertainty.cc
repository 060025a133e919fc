#include "fit/uncertainty.hpp"

#include <algorithm>
#include <cmath>

#include "geometry/rotation.hpp"

namespace dmask {
namespace {

// Variance of one measure, a sum of squares: degrees, or millimetres.
struct Spread {
  double always;  // whatever the frame shows
  double coarse;  // over the pixels that a degree of the eye is worth
  double turned;  // times the sine of the head's turn
  double aside;   // times the sine of how far the eye looks aside
  double narrow;  // times how far the lids are narrower than usual, a share
  double placed;  // times what the calibration says of the eyeball's place, as an angle
};

// Printed by bench/stated_sd.py.
// clang-format off
constexpr Spread of_yaw{0.6, 0.34, 5.43, 3.46, 3.84, 0.204};
constexpr Spread of_pitch{0.6, 0.462, 3.12, 2.81, 4.07, 0.207};
constexpr Spread of_mrd1{0.198, 0.0574, 0.952, 0.448, 0.732, 0};
constexpr Spread of_mrd2{0.169, 0.0628, 0.615, 0.358, 0.792, 0};
constexpr Spread of_pfh{0.252, 0.0764, 1.34, 0.317, 0.347, 0};
constexpr Spread of_head_yaw{0.692, 0.014, 2.69, 0, 0, 0};
constexpr Spread of_head_pitch{1.82, 0.11, 0.00727, 0, 0, 0};
constexpr Spread of_head_roll{0.208, 0.0461, 0.805, 0, 0, 0};
constexpr Spread of_apart{0.849, 0.401, 6.3, 4.6, 5.13, 0.237};  // OS - OD, yaw
constexpr Spread of_height{0.849, 0.423, 4.72, 2.99, 2.91, 0.0727};  // OS - OD, pitch
// clang-format on

struct Sight {
  double px_per_deg = 1, turned = 0, aside = 0;  // sines of the angles
  double narrow = 0, placed_deg = 0;
};

double sd(const Spread& s, const Sight& sight) {
  const double terms[] = {s.always,
                          s.coarse / sight.px_per_deg,
                          s.turned * sight.turned,
                          s.aside * sight.aside,
                          s.narrow * sight.narrow,
                          s.placed * sight.placed_deg};
  double variance = 0;
  for (const double term : terms) variance += term * term;
  return std::sqrt(variance);
}

// The sine of the angle between the face and the camera's axis; a head that lies is not turned.
double sine_of_turn(const Mat3& rotation) { return std::hypot(rotation(0, 2), rotation(1, 2)); }

// What an error of the eyeball's place makes of an angle, which every frame has: 1 mm sideways is 5 degrees.
double placed_deg(const Calibration& c, int eye, int axis, double angle) {
  const double sd_mm = std::sqrt(c.eyes[eye].centre_covariance(axis, axis));
  return sd_mm / (c.ball.iris_plane_mm() * std::max(std::cos(angle), 0.3)) / deg;
}

constexpr double usual_openness = 0.3;

void state_lids(const Calibration& c, const Sight& sight, double dark, EyeFit& eye) {
  // Another scale of the whole face, which no picture tells, makes all of its millimetres larger.
  const auto stated = [&](const Spread& spread, double mm) {
    return std::isfinite(mm) ? std::hypot(dark * sd(spread, sight), c.scale_sd * mm) : NAN;
  };
  // What was taken for the shadow of lashes may have been open; three quarters of it belong to the upper lid.
  const double hidden_mm = 0.5 * eye.closed_by_mm;
  eye.mrd1_sd_mm = std::hypot(stated(of_mrd1, eye.mrd1_mm), 0.75 * hidden_mm);
  eye.mrd2_sd_mm = std::hypot(stated(of_mrd2, eye.mrd2_mm), 0.25 * hidden_mm);
  eye.pfh_sd_mm = std::hypot(stated(of_pfh, eye.pfh_mm), hidden_mm);
}

// Another light's, or a spot of the iris: what is farther from the fit than both may err together is not the lamp's.
void leave_out_stray_reflex(EyeFit& eye) {
  constexpr double most_sds = 3;
  const auto strays = [](double a, double b, double sd_a, double sd_b) {
    return std::abs(a - b) > most_sds * std::hypot(sd_a, sd_b);
  };
  if (strays(eye.reflex_gaze.yaw, eye.gaze.yaw, eye.reflex_yaw_sd, eye.yaw_sd) ||
      strays(eye.reflex_gaze.pitch, eye.gaze.pitch, eye.reflex_pitch_sd, eye.pitch_sd)) {
    eye.reflex_gaze = {NAN, NAN};
    eye.reflex_yaw_sd = eye.reflex_pitch_sd = NAN;
  }
}

}  // namespace

void state_uncertainty(const Calibration& c, const FitOptions& options, double luminance, FrameFit& fit) {
  if (fit.face_reason != Reason::none) return;
  Sight head;
  head.px_per_deg = std::isnan(fit.eyes[OD].px_per_deg)   ? fit.eyes[OS].px_per_deg
                    : std::isnan(fit.eyes[OS].px_per_deg) ? fit.eyes[OD].px_per_deg
                                                          : 0.5 * (fit.eyes[OD].px_per_deg + fit.eyes[OS].px_per_deg);
  head.turned = sine_of_turn(fit.pose.rotation);
  fit.head_sd = {sd(of_head_yaw, head), sd(of_head_pitch, head), sd(of_head_roll, head)};

  // Little light draws irises that look aside to the middle: a gaze is stated less surely there, and lids half as much so.
  const double noisy = options.noisy_luminance / std::max(luminance, 1.0);
  const double dark =
      luminance < options.dark_luminance ? std::clamp(noisy, options.dark_sd_scale, options.most_dark_sd_scale) : 1;
  Sight yaw_of_both = head, pitch_of_both = head;
  double doubt_of_both = 1;
  bool both = true;
  for (int e = 0; e < 2; ++e) {
    EyeFit& eye = fit.eyes[e];
    Sight sight = head;
    sight.px_per_deg = eye.px_per_deg;
    if (eye.openness > 0) sight.narrow = std::max(1 - eye.openness / usual_openness, 0.0);
    both = both && eye.reason == Reason::none;
    if (eye.reason == Reason::none) {
      sight.aside = std::sin(std::hypot(eye.gaze.yaw, eye.gaze.pitch));
      Sight yaw = sight, pitch = sight;
      yaw.placed_deg = placed_deg(c, e, 0, eye.gaze.yaw);
      pitch.placed_deg = placed_deg(c, e, 1, eye.gaze.pitch);
      const double doubt = dark * eye.gaze_doubt;
      eye.yaw_sd = doubt * sd(of_yaw, yaw) * deg;
      eye.pitch_sd = doubt * sd(of_pitch, pitch) * deg;
      eye.reflex_yaw_sd *= doubt;
      eye.reflex_pitch_sd *= doubt;
      leave_out_stray_reflex(eye);
      yaw_of_both.aside = pitch_of_both.aside = std::max(yaw_of_both.aside, sight.aside);
      yaw_of_both.placed_deg = std::hypot(yaw_of_both.placed_deg, yaw.placed_deg);
      pitch_of_both.placed_deg = std::hypot(pitch_of_both.placed_deg, pitch.placed_deg);
      yaw_of_both.narrow = pitch_of_both.narrow = std::max(yaw_of_both.narrow, sight.narrow);
      doubt_of_both = std::max(doubt_of_both, doubt);
    }
    state_lids(c, sight, std::sqrt(dark), eye);
  }
  if (both)
    fit.deviation_sd = {doubt_of_both * sd(of_apart, yaw_of_both) * deg,
                        doubt_of_both * sd(of_height, pitch_of_both) * deg};
}

}  // namespace dmask
