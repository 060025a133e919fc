// What counts as seen and as measured, by either way to fit: at the limits, and for what is not a number.
#include <cmath>
#include <limits>

#include "check.hpp"
#include "fit/measures.hpp"
#include "fit/validity.hpp"
#include "geometry/rotation.hpp"

using namespace dmask;

namespace {

constexpr float nan_f = std::numeric_limits<float>::quiet_NaN(), infinite_f = std::numeric_limits<float>::infinity();
constexpr double nan_d = std::numeric_limits<double>::quiet_NaN(), infinite_d = std::numeric_limits<double>::infinity();

FrameDetection detected_face() {
  FrameDetection d;
  d.width = 640, d.height = 480;
  d.face_found = true;
  d.sharpness = 50;
  for (Landmark& p : d.face) p = {300, 200, 0.9f};
  for (EyeDetection& eye : d.eyes) {
    for (Landmark& p : eye.lid) p = {250, 200, 0.8f};
    for (Landmark& p : eye.iris) p = {255, 200, 0.8f};
    for (auto& line : eye.lines)
      for (Landmark& p : line) p = {255, 190, 0.7f};
  }
  return d;
}

// Lids 30 mm long, 10 mm apart, on rows that one motion moves apart.
EyeStatics open_eye() {
  constexpr int n = EyelidRows::margin_samples;
  EyeStatics statics;
  statics.centre = {15, 0, -12};
  statics.rows.patch.setZero(3 * 2 * n);
  statics.rows.motion.setZero(3 * 2 * n, 1);
  for (int lid = 0; lid < 2; ++lid) {
    for (int i = 0; i < n; ++i) {
      const int row = 3 * (lid * n + i);
      statics.rows.patch[row] = 30.0 * i / (n - 1);
      statics.rows.patch[row + 1] = lid == 0 ? 5 : -5;
      statics.rows.motion(row + 1, 0) = lid == 0 ? 1 : -1;
    }
  }
  return statics;
}

EyeFit with_lids(double residual_pct, double motion = 0, bool shut = false) {
  EyeFit fit;
  fit.motion.setZero(1);
  fit.px_per_deg = 0.4;
  VecX head;
  LidCurves curves;
  curves.shut = shut;
  measure_lids(open_eye(), VecX::Constant(1, motion), residual_pct, curves, fit, head);
  return fit;
}

EyeFit with_gaze(double residual_pct, double px_per_deg = 0.4, const Gaze& gaze = {0.1, -0.05}) {
  EyeFit fit = with_lids(1);
  fit.px_per_deg = px_per_deg;
  VecX head;
  measure_gaze(open_eye(), {}, gaze, IrisSight{}, residual_pct, FitOptions{}, fit, head);
  return fit;
}

}  // namespace

TEST_CASE(a_landmark_is_finite_near_the_picture_and_has_a_confidence) {
  EXPECT(valid(Landmark{12, -40, 0.5f}));
  EXPECT(valid(Landmark{0, 0, 1.005f}) && valid(Landmark{0, 0, -0.005f}));
  EXPECT(valid(Landmark{-1e6f, 1e6f, 1}));
  for (const float bad : {nan_f, infinite_f, -infinite_f, 2e6f}) {
    EXPECT(!valid(Landmark{bad, 0, 0.5f}));
    EXPECT(!valid(Landmark{0, bad, 0.5f}));
    EXPECT(!valid(Landmark{0, 0, bad}));
  }
  EXPECT(!valid(Landmark{0, 0, 1.1f}) && !valid(Landmark{0, 0, -0.1f}));
}

TEST_CASE(what_is_invalid_in_a_detection_counts_as_hidden) {
  const FrameDetection whole = detected_face();
  EXPECT(valid(whole));
  FrameDetection d = whole;
  d.eyes[OS].lid[3].x = nan_f;
  d.eyes[OD].iris[0].confidence = nan_f;
  d.eyes[OS].lines[CREASE][7].y = infinite_f;
  d.eyes[OS].reflexes[0] = {3, nan_f, 1};
  d.eyes[OD].reflexes[0] = {3, 4, 1};
  EXPECT(!valid(d));
  const FrameDetection cleaned = without_invalid(d);
  EXPECT(valid(cleaned) && cleaned.face_found);
  EXPECT(cleaned.eyes[OS].lid[0].confidence == 0 && cleaned.eyes[OD].lid[0].confidence > 0);
  EXPECT(cleaned.eyes[OD].iris[5].confidence == 0 && cleaned.eyes[OS].iris[5].confidence > 0);
  EXPECT(cleaned.eyes[OS].reflexes[0].confidence == 0 && cleaned.eyes[OD].reflexes[0].confidence > 0);
  EXPECT(cleaned.eyes[OS].lines[CREASE][0].confidence == 0 && cleaned.eyes[OS].lines[BULGE][0].confidence > 0);
}

TEST_CASE(a_face_with_an_invalid_point_or_time_is_no_face) {
  FrameDetection point = detected_face(), time = detected_face(), size = detected_face(), blurred = detected_face();
  point.face[30].y = nan_f;
  time.time_s = nan_d;
  size.width = 0;
  blurred.sharpness = nan_f;
  for (const FrameDetection& d : {point, time, size}) {
    EXPECT(!valid(d));
    EXPECT(!without_invalid(d).face_found);
  }
  EXPECT(!valid(blurred) && without_invalid(blurred).face_found && without_invalid(blurred).sharpness == 0);
  FrameDetection unlit = detected_face();
  unlit.luminance = nan_f;
  EXPECT(!valid(unlit) && without_invalid(unlit).face_found &&
         without_invalid(unlit).luminance == FrameDetection{}.luminance);
}

TEST_CASE(lids_and_iris_are_in_sight_from_a_confidence_on) {
  const FitOptions options;
  LidCurves curves;
  curves.found = true;
  curves.confidence = options.min_lid_visibility;
  constexpr double lit = 128;
  EXPECT(lids_in_sight(curves, lit, options));
  for (const double low : {std::nextafter(options.min_lid_visibility, 0.0), 0.0, nan_d}) {
    curves.confidence = low;
    EXPECT(!lids_in_sight(curves, lit, options));
  }
  curves.confidence = 1;
  curves.found = false;
  EXPECT(!lids_in_sight(curves, lit, options));

  EyeDetection eye;
  EyeballObservation observation{};
  EXPECT(!iris_in_sight(eye, observation, options));
  for (int k = 0; k < 3; ++k) observation.root_information[1 + 5 * k] = 1;
  EXPECT(!iris_in_sight(eye, observation, options));
  observation.root_information[18] = nan_d;
  EXPECT(!iris_in_sight(eye, observation, options));
  observation.root_information[18] = 0.1;  // four points of the limbus
  EXPECT(iris_in_sight(eye, observation, options) && !iris_centre_in_sight(eye, options));
  eye.iris[0].confidence = 0.4f;
  EXPECT(iris_in_sight(eye, EyeballObservation{}, options) && iris_centre_in_sight(eye, options));
  eye.iris[0].confidence = nan_f;
  EXPECT(!iris_in_sight(eye, EyeballObservation{}, options));
}

TEST_CASE(in_little_light_lids_have_to_be_sure_and_what_is_not_seen_is_dark) {
  const FitOptions options;
  const double dim = std::nextafter(options.dark_luminance, 0.0), black = std::nextafter(options.black_luminance, 0.0);
  LidCurves curves;
  curves.found = true;
  curves.confidence = options.min_dark_visibility;
  EXPECT(lids_in_sight(curves, dim, options));
  curves.confidence = std::nextafter(options.min_dark_visibility, 0.0);
  EXPECT(!lids_in_sight(curves, dim, options) && lids_in_sight(curves, options.dark_luminance, options));

  EXPECT(unseen_eye_reason(dim, options) == Reason::dark);
  EXPECT(unseen_eye_reason(options.dark_luminance, options) == Reason::covered);
  EXPECT(lost_face_reason(dim, options) == Reason::dark && lost_face_reason(128, options) == Reason::lost);
  EXPECT(no_face_reason(black, options) == Reason::dark && no_face_reason(dim, options) == Reason::no_face);
  EXPECT(no_face_reason(0, options) == Reason::dark);
}

TEST_CASE(a_frame_goes_on_from_a_fitted_one_shortly_before) {
  const FitOptions options;
  FrameFit earlier;
  earlier.time_s = 2;
  earlier.face_reason = Reason::none;
  EXPECT(goes_on(earlier, 2.04, options));
  EXPECT(goes_on(earlier, 2 + options.max_gap_s, options));
  for (const double other : {2.0, 1.9, 2.01 + options.max_gap_s, nan_d, infinite_d})
    EXPECT(!goes_on(earlier, other, options));
  for (const Reason reason : {Reason::lost, Reason::no_face}) {
    earlier.face_reason = reason;
    EXPECT(!goes_on(earlier, 2.04, options));
  }
}

TEST_CASE(a_face_is_fitted_up_to_a_residual) {
  const FacePose pose;
  EXPECT(face_fitted(pose, 0.11 * 60, 60));
  for (const double residual : {max_face_residual * 60, 100.0, nan_d, infinite_d})
    EXPECT(!face_fitted(pose, residual, 60));
  EXPECT(!face_fitted(pose, 1, nan_d));
  FacePose away = pose;
  away.translation.z() = infinite_d;
  EXPECT(!face_fitted(away, 1, 60));
}

TEST_CASE(lids_are_lost_where_residual_or_openness_is_no_number) {
  EXPECT(lids_reason(1, 0.3) == Reason::none);
  EXPECT(lids_reason(50, 0.3) == Reason::none);  // badly fitted lids are lids
  EXPECT(lids_reason(1, 0) == Reason::closed);
  for (const double bad : {nan_d, infinite_d}) {
    EXPECT(lids_reason(bad, 0.3) == Reason::lost);
    EXPECT(lids_reason(1, bad) == Reason::lost);
    EXPECT(lids_reason(bad, 0) == Reason::lost);
  }
}

TEST_CASE(a_gaze_is_lost_then_too_coarse_then_measured) {
  const FitOptions options;
  const double residual = options.max_eyeball_residual_pct, fine = options.min_px_per_deg;
  const auto reason = [&](double residual_pct, double px_per_deg) {
    return gaze_reason(residual_pct, px_per_deg, {0.1, -0.05}, {}, options);
  };
  EXPECT(reason(residual, fine) == Reason::none);
  EXPECT(reason(residual, std::nextafter(fine, 0.0)) == Reason::low_resolution);
  for (const double bad : {std::nextafter(residual, 9.0), nan_d, infinite_d}) EXPECT(reason(bad, fine) == Reason::lost);
  EXPECT(reason(residual, nan_d) == Reason::low_resolution);
  EXPECT(reason(nan_d, nan_d) == Reason::lost);
}

TEST_CASE(a_pupil_that_the_lower_lid_hides_tells_no_downgaze) {
  const FitOptions options;
  const auto reason = [&](double pitch_deg, double confidence) {
    return gaze_reason(1, 0.4, {0, pitch_deg * deg}, {18, confidence}, options);
  };
  EXPECT(reason(-21, 0.71) == Reason::out_of_range && reason(-21, nan_d) == Reason::out_of_range);
  EXPECT(reason(-21, 0.73) == Reason::none && reason(-19, 0.4) == Reason::none && reason(21, 0.4) == Reason::none);
  const auto doubt = [](double confidence) {
    EyeFit fit;
    fit.motion.setZero(1);
    fit.px_per_deg = 0.4;
    VecX head;
    measure_gaze(open_eye(), {}, {0, -25 * deg}, {18, confidence}, 1, FitOptions{}, fit, head);
    return fit.gaze_doubt;
  };
  EXPECT(doubt(0.8) == options.far_down_sd_scale && doubt(0.9) == 1);
}

TEST_CASE(a_gaze_too_far_aside_is_out_of_range_and_sooner_with_the_limbus_in_the_canthus) {
  const FitOptions options;
  const auto reason = [&](double yaw_deg, double pitch_deg, int limbus_points) {
    return gaze_reason(1, 0.4, {yaw_deg * deg, pitch_deg * deg}, {limbus_points, 1}, options);
  };
  for (const double side : {-1.0, 1.0}) {
    EXPECT(reason(side * 49.9, 0, 4) == Reason::none && reason(0, side * 39.9, 4) == Reason::none);
    EXPECT(reason(side * 50.1, 0, 18) == Reason::out_of_range && reason(0, side * 40.1, 18) == Reason::out_of_range);
    EXPECT(reason(side * 31, 0, 3) == Reason::out_of_range && reason(side * 22, side * 22, 3) == Reason::out_of_range);
    EXPECT(reason(side * 29, 0, 0) == Reason::none);
  }
  EXPECT(reason(nan_d, 0, 18) == Reason::out_of_range && reason(0, nan_d, 18) == Reason::out_of_range);
  EyeDetection eye;
  const auto hidden = [&](double openness) { return hidden_iris_reason(eye, openness, options); };
  EXPECT(hidden(options.open_openness) == Reason::covered);  // nothing is known of its iris
  eye.iris[7].confidence = 0.01f;
  EXPECT(hidden(options.open_openness) == Reason::out_of_range);
  EXPECT(hidden(std::nextafter(options.open_openness, 0.0)) == Reason::covered);
  EXPECT(hidden(nan_d) == Reason::covered);
  eye.iris[7].x = nan_f;
  EXPECT(hidden(options.open_openness) == Reason::covered);
}

TEST_CASE(fitted_lids_give_their_measures_and_lost_ones_none) {
  const EyeFit open = with_lids(1.5, 1);
  EXPECT(open.reason == Reason::none && open.lids_valid);
  EXPECT_NEAR(open.pfh_mm, 12, 1e-9);
  EXPECT_NEAR(open.openness, 0.4, 1e-9);
  EXPECT_NEAR(open.motion[0], 1, 0);
  EXPECT_NEAR(open.eyelid_residual_pct, 1.5, 0);

  const EyeFit shut = with_lids(1.5, 1, true);
  EXPECT(shut.reason == Reason::closed && shut.lids_valid && shut.openness == 0 && shut.pfh_mm == 0);

  for (const EyeFit& lost : {with_lids(nan_d, 1), with_lids(infinite_d, 1), with_lids(1.5, infinite_d)}) {
    EXPECT(lost.reason == Reason::lost && !lost.lids_valid);
    EXPECT(lost.motion[0] == 0);
    EXPECT(std::isnan(lost.pfh_mm) && std::isnan(lost.openness) && std::isnan(lost.eyelid_residual_pct));
  }
}

TEST_CASE(a_fitted_gaze_gives_its_measures_and_a_lost_one_none) {
  const EyeFit seen = with_gaze(1);
  EXPECT(seen.reason == Reason::none && seen.gaze_found);
  EXPECT_NEAR(seen.gaze.yaw, 0.1, 0);
  EXPECT_NEAR(seen.mrd1_mm + seen.mrd2_mm, seen.pfh_mm, 1e-12);
  EXPECT(std::isfinite(seen.mrd1_mm));

  const EyeFit coarse = with_gaze(1, 0.1);
  EXPECT(coarse.reason == Reason::low_resolution && coarse.gaze_found);
  EXPECT(std::isnan(coarse.mrd1_mm));

  const EyeFit far = with_gaze(1, 0.4, {55 * deg, 0});
  EXPECT(far.reason == Reason::out_of_range && !far.gaze_found && far.gaze.yaw == 0 && std::isnan(far.mrd1_mm));

  for (const double residual : {3.0, nan_d, infinite_d}) {
    const EyeFit lost = with_gaze(residual);
    EXPECT(lost.reason == Reason::lost && !lost.gaze_found && lost.gaze.yaw == 0);
    EXPECT(std::isnan(lost.mrd1_mm));
    EXPECT(!std::isinf(lost.eyeball_residual_pct));
  }
}

TEST_CASE(lids_that_cross_at_the_pupil_have_no_fissure_and_not_a_negative_one) {
  constexpr int n = EyelidRows::margin_samples;
  EyeStatics statics = open_eye();
  for (int i = n / 2 - 8; i <= n / 2 + 8; ++i) {  // around the pupil, and open towards the canthi
    statics.rows.patch[3 * i + 1] = -0.2;
    statics.rows.patch[3 * (n + i) + 1] = 0.2;
  }
  EyeFit fit;
  fit.motion.setZero(1);
  fit.px_per_deg = 0.4;
  VecX head;
  measure_lids(statics, VecX::Zero(1), 1, LidCurves{}, fit, head);
  EXPECT(fit.lids_valid && fit.openness > 0.2 && fit.pfh_mm == 0);
  measure_gaze(statics, {}, {0, 0}, IrisSight{}, 1, FitOptions{}, fit, head);
  EXPECT_NEAR(fit.mrd1_mm + fit.mrd2_mm, -0.4, 1e-9);  // margins are signed
  EXPECT(fit.pfh_mm == 0);
}

int main(int argc, char** argv) { return test::run(argc, argv); }
