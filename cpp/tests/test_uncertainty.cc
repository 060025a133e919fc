// What is stated of a measure: what widens it, and what has none.
#include <cmath>

#include "check.hpp"
#include "fit/uncertainty.hpp"
#include "geometry/rotation.hpp"

using namespace dmask;

namespace {

Calibration calibrated(double scale_sd = 0.02, double centre_sd_mm = 0.4) {
  Calibration c;
  c.ok = true;
  c.scale_sd = scale_sd;
  for (EyeStatics& eye : c.eyes) eye.centre_covariance = centre_sd_mm * centre_sd_mm * Mat3::Identity();
  return c;
}

FrameFit open_eyes(double px_per_deg = 0.6) {
  FrameFit fit;
  fit.face_reason = Reason::none;
  fit.pose.rotation = head_rotation({0, 0, 0});
  for (EyeFit& eye : fit.eyes) {
    eye.reason = Reason::none;
    eye.px_per_deg = px_per_deg;
    eye.openness = 0.35;
    eye.mrd1_mm = 4, eye.mrd2_mm = 5, eye.pfh_mm = 9;
  }
  return fit;
}

FrameFit stated(FrameFit fit, const Calibration& c = calibrated(), double luminance = 100) {
  state_uncertainty(c, FitOptions{}, luminance, fit);
  return fit;
}

bool all_stated(const EyeFit& eye) {
  return eye.yaw_sd > 0 && eye.pitch_sd > 0 && eye.mrd1_sd_mm > 0 && eye.mrd2_sd_mm > 0 && eye.pfh_sd_mm > 0;
}

}  // namespace

TEST_CASE(every_measure_of_a_frame_is_stated_with_a_standard_deviation) {
  const FrameFit fit = stated(open_eyes());
  EXPECT(all_stated(fit.eyes[OD]) && all_stated(fit.eyes[OS]));
  EXPECT(fit.head_sd.yaw_deg > 0 && fit.head_sd.pitch_deg > 0 && fit.head_sd.roll_deg > 0);
  EXPECT(fit.deviation_sd.yaw > 0 && fit.deviation_sd.pitch > 0);
}

TEST_CASE(what_was_not_measured_is_not_stated) {
  FrameFit one = open_eyes();
  one.eyes[OD].reason = Reason::closed;
  one.eyes[OD].mrd1_mm = one.eyes[OD].mrd2_mm = NAN;
  one.eyes[OD].pfh_mm = one.eyes[OD].openness = 0;
  one = stated(one);
  EXPECT(std::isnan(one.eyes[OD].yaw_sd) && std::isnan(one.eyes[OD].mrd1_sd_mm) && one.eyes[OD].pfh_sd_mm > 0);
  EXPECT(all_stated(one.eyes[OS]));
  EXPECT(std::isnan(one.deviation_sd.yaw) && std::isnan(one.deviation_sd.pitch));

  FrameFit none = open_eyes();
  none.face_reason = Reason::lost;
  none = stated(none);
  EXPECT(std::isnan(none.head_sd.yaw_deg) && std::isnan(none.eyes[OS].yaw_sd) && std::isnan(none.eyes[OS].pfh_sd_mm));
}

TEST_CASE(lids_that_were_closed_by_the_shadow_of_lashes_are_stated_less_surely) {
  FrameFit shut = open_eyes();
  for (EyeFit& eye : shut.eyes) eye.reason = Reason::closed, eye.pfh_mm = eye.openness = 0;
  shut.eyes[OD].closed_by_mm = 2.4;
  shut = stated(shut);
  const double sure = shut.eyes[OS].pfh_sd_mm;
  EXPECT_NEAR(shut.eyes[OD].pfh_sd_mm, std::hypot(sure, 1.2), 1e-9);
  FrameFit narrow = open_eyes();
  narrow.eyes[OD].closed_by_mm = 1;
  narrow = stated(narrow);
  EXPECT(narrow.eyes[OD].mrd1_sd_mm > 1.2 * narrow.eyes[OS].mrd1_sd_mm);
  EXPECT(narrow.eyes[OD].mrd2_sd_mm > narrow.eyes[OS].mrd2_sd_mm);
}

TEST_CASE(lids_and_gaze_are_stated_less_surely_in_very_little_light) {
  const EyeFit light = stated(open_eyes()).eyes[OD], dark = stated(open_eyes(), calibrated(), 4).eyes[OD];
  EXPECT(dark.yaw_sd > 2.5 * light.yaw_sd && dark.yaw_sd < 3 * light.yaw_sd);
  EXPECT(dark.mrd1_sd_mm > 1.5 * light.mrd1_sd_mm && dark.mrd1_sd_mm < 2 * light.mrd1_sd_mm);
  EXPECT(dark.pfh_sd_mm > 1.4 * light.pfh_sd_mm);
}

TEST_CASE(a_reflex_that_neither_can_err_so_far_from_is_another_lights) {
  FrameFit fit = open_eyes();
  for (EyeFit& eye : fit.eyes) {
    eye.gaze = {13.4 * deg, 0};
    eye.reflex_gaze = {11 * deg, 1 * deg};
    eye.reflex_yaw_sd = eye.reflex_pitch_sd = 1.7 * deg;
  }
  fit.eyes[OS].reflex_gaze.yaw = 2.7 * deg;
  FrameFit high = fit;
  high.eyes[OD].reflex_gaze.pitch = -14 * deg;
  fit = stated(fit);
  EXPECT_NEAR(fit.eyes[OD].reflex_gaze.yaw, 11 * deg, 1e-12);
  EXPECT(std::isnan(fit.eyes[OS].reflex_gaze.yaw) && std::isnan(fit.eyes[OS].reflex_yaw_sd));
  EXPECT(std::isnan(stated(high).eyes[OD].reflex_gaze.pitch));
}

TEST_CASE(millimetres_carry_the_scale_of_the_whole_face) {
  const double known = stated(open_eyes(), calibrated(0)).eyes[OD].pfh_sd_mm,
               unknown = stated(open_eyes(), calibrated(0.024)).eyes[OD].pfh_sd_mm;
  EXPECT_NEAR(unknown * unknown - known * known, std::pow(0.024 * 9, 2), 1e-9);
}

TEST_CASE(a_gaze_is_stated_less_surely_where_less_is_known) {
  const EyeFit usual = stated(open_eyes()).eyes[OD];
  const auto wider = [&](const EyeFit& eye, double at_least) {
    return eye.yaw_sd > at_least * usual.yaw_sd && eye.pitch_sd > at_least * usual.pitch_sd;
  };
  EXPECT(wider(stated(open_eyes(), calibrated(0.02, 1.2)).eyes[OD], 1.2));
  FrameFit aside = open_eyes();
  aside.eyes[OD].gaze = {25 * deg, -20 * deg};
  EXPECT(wider(stated(aside).eyes[OD], 1.001));
  const FitOptions options;
  EXPECT_NEAR(stated(open_eyes(), calibrated(), options.dark_luminance - 1).eyes[OD].yaw_sd / usual.yaw_sd,
              options.dark_sd_scale, 1e-12);
  EXPECT_NEAR(stated(open_eyes(), calibrated(), 6).eyes[OD].yaw_sd / usual.yaw_sd, options.noisy_luminance / 6, 1e-12);
  EXPECT_NEAR(stated(open_eyes(), calibrated(), 0).eyes[OD].yaw_sd / usual.yaw_sd, options.most_dark_sd_scale, 1e-12);
  FrameFit half_hidden = open_eyes();
  half_hidden.eyes[OD].gaze_doubt = 1.5;
  half_hidden = stated(half_hidden);
  EXPECT_NEAR(half_hidden.eyes[OD].pitch_sd / usual.pitch_sd, 1.5, 1e-12);
  EXPECT_NEAR(half_hidden.eyes[OS].pitch_sd / usual.pitch_sd, 1, 1e-12);
  EXPECT_NEAR(half_hidden.deviation_sd.pitch / stated(open_eyes()).deviation_sd.pitch, 1.5, 1e-12);
}

int main(int argc, char** argv) { return test::run(argc, argv); }
