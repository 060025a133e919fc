// Every door out of the core and its C interface, under every profile: what may not leave is not there, what may is.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "check.hpp"
#include "dmask/dmask.h"
#include "geometry/larger.hpp"
#include "models_dir.hpp"
#include "pipeline/coarse_time.hpp"
#include "pipeline/mask_mesh.hpp"
#include "pipeline/own_limits.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/released_motion.hpp"
#include "rendered_face.h"

using namespace dmask;

namespace {

constexpr int width = 640, height = 480, frames = 16;  // the last calibration but one is at the 15th
constexpr double measured_hvid_mm = 12.34;

const std::vector<std::uint8_t>& frame_pixels(int i) {
  static std::vector<std::vector<std::uint8_t>> made(frames);
  if (made[i].empty()) {
    made[i].resize(std::size_t{3} * width * height);
    check(rendered_face(test::models_dir().c_str(), i / 30.0, width, height, made[i].data()) == 0,
          "a frame could not be rendered");
  }
  return made[i];
}

PipelineOptions options_for(Profile profile) {
  PipelineOptions options;
  options.models_dir = test::models_dir();
  options.profile = profile;
  options.backend = BackendKind::cpu;
  set_option(options, "hvid_mm", measured_hvid_mm);
  return options;
}

struct Followed {
  explicit Followed(Profile profile) : pipeline(options_for(profile), cpu_backend()) {
    FrameDetection detection;
    for (int i = 0; i < frames; ++i)
      result = pipeline.follow({frame_pixels(i).data(), width, height, 3, 3 * width}, i / 30.0, detection);
  }
  Pipeline pipeline;
  FrameResult result;
};

const Followed& followed(Profile profile) {
  static const Followed all[] = {Followed(Profile::clinical), Followed(Profile::article), Followed(Profile::strict)};
  return all[static_cast<int>(profile)];
}

constexpr Profile profiles[] = {Profile::clinical, Profile::article, Profile::strict};

// How far lid motions are from those that a generic eye's opening and shutting can be, and its lids' going with the gaze.
double beyond_openness(const Models& models, int eye, const LidWeightsF& motion) {
  MatX path(motion.size(), 4);
  path.col(3) = GenericLids(models, eye).raised_by(1);
  int column = 0;
  for (const char* name : {"blink_mid", "blink_full", "upper_retract"})
    path.col(column++) = models.eyelid[eye].named(name).cast<double>();
  const VecX m = motion.cast<double>();
  return (path * path.colPivHouseholderQr().solve(m) - m).norm();
}

TEST_CASE(a_frame_holds_what_its_profile_lets_out) {
  for (const Profile profile : profiles) {
    const Followed& f = followed(profile);
    const bool strict = profile == Profile::strict;
    EXPECT(f.result.face_reason == Reason::none);
    const bool article = profile == Profile::article;
    EXPECT(std::isfinite(f.result.head.yaw_deg) && f.result.head_mm.allFinite() == article);
    EXPECT(f.result.distance == Distance::near);
    const Diagnostics known = f.pipeline.unreleased_diagnostics();  // there is something to withhold
    EXPECT(known.head_mm.allFinite());
    for (int eye = 0; eye < 2; ++eye) {
      const EyeMeasures& e = f.result.eyes[eye];
      EXPECT(e.reason == Reason::none);
      EXPECT(std::isfinite(f.pipeline.unreleased_fit().eyes[eye].mrd1_mm));  // there is something to withhold
      EXPECT(std::isnan(e.mrd1_mm) == strict);
      EXPECT(std::isnan(e.mrd2_mm) == strict);
      EXPECT(std::isnan(e.pfh_mm) == strict);
      EXPECT(std::isfinite(e.openness) && std::isfinite(e.yaw_deg) && std::isfinite(e.pitch_sd_deg));
      EXPECT(std::isfinite(known.eyes[eye].px_per_deg) && std::isfinite(known.eyes[eye].eyeball_residual_pct) &&
             std::isfinite(known.eyes[eye].eyelid_residual_pct));
      for (const double value : {e.px_per_deg, e.eyeball_residual_pct, e.eyelid_residual_pct})
        EXPECT(std::isfinite(value) == article);
      const double beyond = beyond_openness(f.pipeline.models(), eye, f.result.mask.eyes[eye].motion);
      EXPECT(strict ? beyond < 1e-4 : beyond >= 1e-4);
    }
  }
}

TEST_CASE(a_gaze_by_the_reflex_is_let_out_as_its_profile_has_it) {
  for (const Profile profile : profiles) {
    const Followed& f = followed(profile);
    FrameFit fit = f.pipeline.unreleased_fit();
    fit.eyes[OS].reflex_gaze = {0.2, -0.1};
    fit.eyes[OS].reflex_yaw_sd = 0.03, fit.eyes[OS].reflex_pitch_sd = 0.07;
    const auto released = [&](double px_per_deg, Framing framing) {
      PipelineOptions options = options_for(profile);
      options.framing = framing;
      fit.eyes[OS].px_per_deg = px_per_deg;
      return release_frame(f.pipeline.models(), f.pipeline.unreleased_calibration(), f.pipeline.subject(),
                           MaskParts::of(f.pipeline.models(), f.pipeline.subject()),
                           release_rules(f.pipeline.models(), options), fit)
          .eyes[OS];
    };
    const EyeMeasures eye = released(0.8, Framing::automatic);
    if (profile == Profile::strict) {
      EXPECT(std::isnan(eye.reflex_yaw_deg) && std::isnan(eye.reflex_pitch_deg) && std::isnan(eye.reflex_yaw_sd_deg) &&
             std::isnan(eye.reflex_pitch_sd_deg));
      continue;
    }
    EXPECT_NEAR(eye.reflex_yaw_deg, 0.2 / deg, 1e-9);
    EXPECT_NEAR(eye.reflex_pitch_deg, -0.1 / deg, 1e-9);
    EXPECT(eye.reflex_yaw_sd_deg >= 0.03 / deg && eye.reflex_yaw_sd_deg < 0.03 / deg + 0.25);
    EXPECT(eye.reflex_pitch_sd_deg >= 0.07 / deg && eye.reflex_pitch_sd_deg < 0.07 / deg + 0.25);
    // Beside the face's size in the picture the limit is the patient's own.
    if (profile == Profile::clinical) EXPECT(std::isnan(released(0.5, Framing::input).reflex_yaw_deg));
    fit.eyes[OS].reason = Reason::closed;
    EXPECT(std::isnan(released(0.8, Framing::automatic).reflex_yaw_deg));
  }
}

// Two faces of other people in the same motion: what a profile lets out of their faces is one and the same.
TEST_CASE(the_face_in_the_mask_is_where_and_as_large_as_everybody_s) {
  for (const Profile profile : {Profile::clinical, Profile::strict}) {
    const Followed& f = followed(profile);
    Calibration other = f.pipeline.unreleased_calibration();
    FrameFit fit = f.pipeline.unreleased_fit();
    const auto released = [&](const Calibration& calibration) {
      const ReleaseRules rules = release_rules(f.pipeline.models(), options_for(profile));
      const MaskSubject subject = release_subject(f.pipeline.models(), calibration, FitOptions{}, rules);
      return release_frame(f.pipeline.models(), calibration, subject, MaskParts::of(f.pipeline.models(), subject),
                           rules, fit)
          .mask;
    };
    const MaskFrame mask = released(other);
    other.scale *= 1.2;
    other.identity.setConstant(0.7);
    for (EyeStatics& e : other.eyes) e.centre += Vec3(e.centre.x() > 0 ? 3 : -3, 1, 2);
    fit.pose.translation += Vec3(40, -30, 200);
    const MaskFrame again = released(other);
    EXPECT(mask.turn == again.turn && mask.translation == again.translation);
  }
}

TEST_CASE(units_are_let_out_against_the_face_at_rest_and_where_they_are_asked_for) {
  const Followed& f = followed(Profile::clinical);
  const Calibration& own = f.pipeline.unreleased_calibration();
  FrameFit fit = f.pipeline.unreleased_fit();
  EXPECT(own.rest.units.norm() > 0.05);  // the rendered mouth is open all the time
  const Models& models = f.pipeline.models();
  const auto units = [&](Profile profile, Keep keep) {
    PipelineOptions options = options_for(profile);
    options.keep = keep;
    const ReleaseRules rules = release_rules(models, options);
    const MaskSubject subject = release_subject(models, own, FitOptions{}, rules);
    return release_frame(models, own, subject, MaskParts::of(models, subject), rules, fit).mask.units;
  };
  fit.pose.units = own.rest.units;
  for (const Keep keep : {Keep::eyes, Keep::jaw, Keep::nose}) EXPECT(units(Profile::clinical, keep).isZero(0));
  fit.pose.units.array() += 0.25;
  const UnitWeightsF eyes = units(Profile::clinical, Keep::eyes), jaw = units(Profile::strict, Keep::jaw);
  for (const char* name : {"browDown_L", "browInnerUp_R", "eyeSquint_L", "cheekSquint_R"})
    EXPECT_NEAR(eyes[models.face.unit(name)], 0.25, 1e-6);
  for (const char* name : {"mouthSmile_L", "jawOpen", "noseSneer_R", "cheekPuff_L"})
    EXPECT(eyes[models.face.unit(name)] == 0);
  EXPECT_NEAR(jaw[models.face.unit("jawOpen")], 0.25, 1e-6);
  EXPECT(jaw[models.face.unit("mouthSmile_L")] == 0);
  EXPECT((units(Profile::article, Keep::eyes) - fit.pose.units.cast<float>()).head(4).norm() < 1e-6);
}

// Two people who move alike, of whom one holds head, eyes and lids otherwise.
TEST_CASE(strict_tells_movement_and_not_where_somebody_rests) {
  const Followed& f = followed(Profile::strict);
  const ReleaseRules rules = release_rules(f.pipeline.models(), options_for(Profile::strict));
  Rest rest = f.pipeline.unreleased_calibration().rest;
  FrameFit fit = f.pipeline.unreleased_fit();
  rest.head = {2, -3, 1};
  rest.distance_mm = 480;
  for (int eye = 0; eye < 2; ++eye) {
    const double temporal = eye == OD ? -1 : 1;
    rest.eyes[eye] = {0.3, VecX{}, {temporal * 1.5 * deg, 1 * deg}};
    fit.eyes[eye].gaze = {(temporal * 1.5 + 12) * deg, 6 * deg};
    fit.eyes[eye].openness = 0.15;
  }
  fit.pose.rotation = head_rotation({12, -8, 3});
  const FrameFit one = released_motion(rest, rules, rules.rest, fit);

  rest.head = {-4, 5, -6};
  rest.distance_mm = 420;
  for (int eye = 0; eye < 2; ++eye) {
    rest.eyes[eye].openness = 0.4;
    rest.eyes[eye].gaze = {rest.eyes[eye].gaze.yaw + (eye == OD ? -2 : 1) * deg, -3 * deg};
    fit.eyes[eye].gaze = {rest.eyes[eye].gaze.yaw + 12 * deg, rest.eyes[eye].gaze.pitch + 5 * deg};
    fit.eyes[eye].openness = 0.2;
  }
  fit.pose.rotation = head_rotation({6, 0, -4});
  const FrameFit other = released_motion(rest, rules, rules.rest, fit);
  EXPECT((one.pose.rotation - other.pose.rotation).norm() < 1e-9);
  for (int eye = 0; eye < 2; ++eye) {
    EXPECT_NEAR(one.eyes[eye].gaze.yaw, other.eyes[eye].gaze.yaw, 1e-9);
    EXPECT_NEAR(one.eyes[eye].gaze.pitch, other.eyes[eye].gaze.pitch, 1e-9);
    EXPECT_NEAR(one.eyes[eye].openness, other.eyes[eye].openness, 1e-9);
  }
  EXPECT_NEAR(0.5 * (one.eyes[OD].gaze.yaw + one.eyes[OS].gaze.yaw), 12 * deg, 1e-9);
  EXPECT_NEAR(head_angles(one.pose.rotation).yaw_deg, 10, 1e-9);
}

TEST_CASE(strict_tells_a_squint_a_turned_head_and_an_eye_that_does_not_move_along) {
  const Followed& f = followed(Profile::strict);
  const ReleaseRules rules = release_rules(f.pipeline.models(), options_for(Profile::strict));
  Rest rest = f.pipeline.unreleased_calibration().rest;
  FrameFit fit = f.pipeline.unreleased_fit();
  rest.head = {28, 0, 17};
  rest.distance_mm = 600;
  for (int eye = 0; eye < 2; ++eye) {
    rest.eyes[eye].gaze = {(eye == OS ? 25 : 0) * deg, (eye == OS ? 14 : 0) * deg};
    fit.eyes[eye].gaze = rest.eyes[eye].gaze;
  }
  fit.eyes[OD].gaze.yaw += 20 * deg;  // and the left eye stays
  fit.pose.rotation = head_rotation(rest.head);
  const FrameFit told = released_motion(rest, rules, rules.rest, fit);
  const HeadAngles head = head_angles(told.pose.rotation);
  EXPECT_NEAR(head.yaw_deg, 30, 1e-9);
  EXPECT_NEAR(head.roll_deg, 15, 1e-9);
  const double apart = (told.eyes[OS].gaze.yaw - told.eyes[OD].gaze.yaw) / deg + 20;  // at rest
  EXPECT(apart > 15 && apart < 27);
  EXPECT_NEAR((told.eyes[OS].gaze.pitch - told.eyes[OD].gaze.pitch) / deg, 15, 1e-9);
  // Of the other profiles nothing of it is touched.
  for (const Profile profile : {Profile::clinical, Profile::article}) {
    const ReleaseRules theirs = release_rules(f.pipeline.models(), options_for(profile));
    const FrameFit same = released_motion(rest, theirs, theirs.rest, fit);
    EXPECT(same.pose.rotation == fit.pose.rotation && same.eyes[OS].gaze.yaw == fit.eyes[OS].gaze.yaw);
  }
}

// Lids that rest lower on one side are shown to, in whole millimetres; how high both are is not.
TEST_CASE(of_lids_too_small_to_be_measured_the_mask_tells_what_one_differs_from_the_other) {
  const Followed& f = followed(Profile::clinical);
  const Models& models = f.pipeline.models();
  const MaskParts parts = MaskParts::of(models, f.pipeline.subject());
  const ReleaseRules rules = release_rules(models, options_for(Profile::clinical));
  Calibration own = f.pipeline.unreleased_calibration();
  FrameFit fit = f.pipeline.unreleased_fit();
  own.rest.small = true;
  const auto shown_mm = [&](double od_closes, double os_closes, double frame_closes) {
    for (int eye = 0; eye < 2; ++eye) {
      const LidWeights full = models.eyelid[eye].named("blink_full").cast<double>();
      own.rest.eyes[eye].motion = (eye == OD ? od_closes : os_closes) * full;
      own.rest.eyes[eye].openness = 0.3;
      fit.eyes[eye].motion = own.rest.eyes[eye].motion + frame_closes * full;
      fit.eyes[eye].reason = Reason::low_resolution;
      fit.eyes[eye].lids_valid = true;
    }
    const MaskFrame mask = release_frame(models, own, f.pipeline.subject(), parts, rules, fit).mask;
    std::array<GenericLids::Heights, 2> mm;
    for (int eye = 0; eye < 2; ++eye) mm[eye] = parts.lids[eye].heights_at(mask.eyes[eye].motion.cast<double>());
    return mm;
  };
  const auto straight = shown_mm(0, 0, 0), both = shown_mm(0.2, 0.2, 0), right = shown_mm(0.4, 0, 0);
  for (int eye = 0; eye < 2; ++eye)
    EXPECT((both[eye] - straight[eye]).cwiseAbs().maxCoeff() < 0.6);  // of a lid 2 mm lower: what steps of a side leave
  const double lower_mm = (right[OS] - right[OD])[0] - (straight[OS] - straight[OD])[0];
  EXPECT(lower_mm > 2 && lower_mm < 6);
  const auto half_shut = shown_mm(0, 0, 0.5);
  EXPECT(half_shut[OD][0] < straight[OD][0] - 2);
}

TEST_CASE(the_rest_of_a_recording_is_its_median) {
  const Rest& rest = followed(Profile::clinical).pipeline.unreleased_calibration().rest;
  EXPECT(std::abs(rest.head.yaw_deg) < 8 && std::abs(rest.head.roll_deg) < 4);
  EXPECT(rest.distance_mm > 300 && rest.distance_mm < 700);
  for (int eye = 0; eye < 2; ++eye)
    EXPECT(rest.eyes[eye].openness > 0.1 && std::abs(rest.eyes[eye].gaze.yaw) < 20 * deg);
}

TEST_CASE(a_single_frame_has_no_motion_of_the_face) {
  const Followed& f = followed(Profile::clinical);
  Pipeline still(options_for(Profile::clinical), cpu_backend());
  FrameDetection detection;
  const FrameResult result = still.follow({frame_pixels(3).data(), width, height, 3, 3 * width}, 0, detection);
  EXPECT(result.face_reason == Reason::none && f.result.face_reason == Reason::none);
  EXPECT(still.unreleased_fit().pose.units.norm() > 0.05 && result.mask.units.isZero(0));
}

TEST_CASE(an_eye_that_is_not_valid_has_no_numbers_of_its_gaze) {
  const Followed& f = followed(Profile::article);
  FrameFit fit = f.pipeline.unreleased_fit();
  fit.eyes[OD].reason = Reason::covered;
  const FrameResult result =
      release_frame(f.pipeline.models(), f.pipeline.unreleased_calibration(), f.pipeline.subject(),
                    MaskParts::of(f.pipeline.models(), f.pipeline.subject()),
                    release_rules(f.pipeline.models(), options_for(Profile::article)), fit);
  const EyeMeasures &od = result.eyes[OD], &os = result.eyes[OS];
  for (const double value : {od.yaw_deg, od.pitch_deg, od.yaw_sd_deg, od.pitch_sd_deg, od.eyeball_residual_pct})
    EXPECT(std::isnan(value));
  for (const double value : {od.openness, od.mrd1_mm, od.eyelid_residual_pct, os.yaw_deg, os.eyeball_residual_pct})
    EXPECT(std::isfinite(value));
}

TEST_CASE(a_mask_shows_no_finding_in_an_eye_that_was_not_measured) {
  using EyeLook = MaskFrame::EyeLook;
  for (const Profile profile : profiles) {
    const Followed& f = followed(profile);
    const MaskParts parts = MaskParts::of(f.pipeline.models(), f.pipeline.subject());
    const ReleaseRules rules = release_rules(f.pipeline.models(), options_for(profile));
    FrameFit fit = f.pipeline.unreleased_fit();
    fit.eyes[OD].gaze_found = false;
    fit.eyes[OS].gaze_found = fit.eyes[OS].lids_valid = false;
    const auto released = [&](const FrameFit& of) {
      return release_frame(f.pipeline.models(), f.pipeline.unreleased_calibration(), f.pipeline.subject(), parts, rules,
                           of)
          .mask.eyes;
    };
    for (const MaskFrame::EyeState& eye : released(f.pipeline.unreleased_fit())) EXPECT(eye.look == EyeLook::iris);
    EXPECT(released(fit)[OD].look == EyeLook::lids && !released(fit)[OD].motion.isZero(0));
    EXPECT(released(fit)[OS].look == EyeLook::covered && released(fit)[OS].motion.isZero(0));
    for (const MaskFrame::EyeState& eye : released(fit)) EXPECT(eye.yaw == 0 && eye.pitch == 0);
  }
}

TEST_CASE(lips_that_touch_in_the_landmarks_touch_in_the_mask) {
  const Models& models = followed(Profile::clinical).pipeline.models();
  for (const Profile profile : profiles) {
    const MaskLips lips = MaskLips::of(models, followed(profile).pipeline.subject());
    UnitWeightsF parted = UnitWeightsF::Zero(models.face.units());
    parted[models.face.unit("jawOpen")] = 0.2f;
    const auto gap_mm = [&](const UnitWeightsF& units, int pair) {
      return lips.gap_mm[pair] + lips.by_unit_mm[pair].dot(units);
    };
    UnitWeightsF shut = parted, open = parted, unknown = parted;
    lips.close({0.4, 0.6, 0.5}, shut);
    lips.close({4, 5, 4}, open);
    lips.close({NAN, NAN, NAN}, unknown);
    for (int pair = 0; pair < 3; ++pair) {
      EXPECT(gap_mm(parted, pair) > 5);
      EXPECT(gap_mm(shut, pair) < 0.01 && gap_mm(shut, pair) > -1);
      EXPECT(gap_mm(open, pair) < 5.01 && gap_mm(open, pair) > 3);
      EXPECT(gap_mm(unknown, pair) == gap_mm(parted, pair));
    }
  }
}

TEST_CASE(a_subject_is_generic_but_for_what_its_profile_lets_out) {
  for (const Profile profile : profiles) {
    const Pipeline& pipeline = followed(profile).pipeline;
    const MaskSubject& subject = pipeline.subject();
    const Calibration& own = pipeline.unreleased_calibration();
    const bool article = profile == Profile::article;
    EXPECT(own.identity.norm() > 0.1 && std::abs(own.scale - 1) > 1e-6);
    EXPECT(subject.profile == profile);
    EXPECT((subject.identity == VecXf(own.identity.cast<float>())) == article);
    EXPECT(subject.identity.isZero(0) == !article);
    EXPECT(subject.scale == (article ? static_cast<float>(own.scale) : 1.0f));
    for (int eye = 0; eye < 2; ++eye) {
      const MaskEye& e = subject.eyes[eye];
      EXPECT(own.eyes[eye].shape.norm() > 0.01);
      EXPECT((e.centre == pipeline.models().eyelid[eye].centre) == !article);
      EXPECT((e.shape == VecXf(own.eyes[eye].shape.cast<float>())) == article);
      EXPECT(e.shape.isZero(0) == !article);
      EXPECT((e.patch_offset.isZero(0) && e.patch_roll == 0) == !article);
      EXPECT((e.iris_radius_mm == MaskEye{}.iris_radius_mm) == !article);
    }
  }
}

TEST_CASE(a_calibration_tells_what_its_profile_lets_out) {
  for (const Profile profile : profiles) {
    const CalibrationSummary c = followed(profile).pipeline.calibration();
    EXPECT(c.ok && !c.frames_used.empty());
    EXPECT(std::isfinite(c.scale) == (profile == Profile::article));
    EXPECT(std::isfinite(c.iris_radius_mm) == (profile == Profile::article));
    EXPECT(std::isfinite(c.iris_radius_sd_mm) == (profile == Profile::article));
    for (const Vec3& sd : c.eye_centre_sd_mm) EXPECT(sd.allFinite() == (profile == Profile::article));
  }
  const CalibrationSummary none = release_calibration({}, Profile::article);
  EXPECT(!none.ok && std::isnan(none.scale) && std::isnan(none.iris_radius_mm) &&
         !none.eye_centre_sd_mm[OD].allFinite());
}

TEST_CASE(options_beside_results_name_no_folder_and_no_withheld_measure) {
  for (const Profile profile : profiles) {
    bool profile_there = false, hvid_there = false;
    for (const auto& [name, value] : release_options(options_for(profile))) {
      profile_there |= name == "profile" && value == OptionValue(std::string(name_of(profile)));
      hvid_there |= name == "hvid_mm" && value == OptionValue(measured_hvid_mm);
      EXPECT(name != "models_dir");
      EXPECT(value || ((name == "hvid_mm" || name == "age_years") && profile == Profile::strict));
    }
    EXPECT(profile_there);
    EXPECT(hvid_there == (profile != Profile::strict));
  }
}

PipelineOptions coarse_strict() {
  PipelineOptions options = options_for(Profile::strict);
  options.coarse_time = Coarse::on;
  return options;
}

// How a person holds the head, how far his eyes are from straight, how he squints: none of it is to be told from steps.
TEST_CASE(strict_in_coarse_time_lets_out_directions_and_no_angles) {
  const Followed& f = followed(Profile::strict);
  const Models& models = f.pipeline.models();
  const Calibration& own = f.pipeline.unreleased_calibration();
  const ReleaseRules rules = release_rules(models, coarse_strict());
  const MaskParts parts = MaskParts::of(models, f.pipeline.subject());
  FrameFit fit = f.pipeline.unreleased_fit();
  const auto look = [&](HeadAngles head, double od_deg, double os_deg, double up_deg) {
    fit.pose.rotation = head_rotation(head);
    fit.eyes[OD].gaze = {od_deg * deg, up_deg * deg};
    fit.eyes[OS].gaze = {os_deg * deg, up_deg * deg};
    return release_frame(models, own, f.pipeline.subject(), parts, rules, fit);
  };
  const auto eyes_look = [](const FrameResult& r, double od_deg, double os_deg, double up_deg) {
    const auto is = [](double found, double expected) { return std::abs(found - expected) < 1e-3; };
    return is(r.eyes[OD].yaw_deg, od_deg) && is(r.eyes[OS].yaw_deg, os_deg) && is(r.eyes[OD].pitch_deg, up_deg) &&
           is(r.eyes[OS].pitch_deg, up_deg) && is(r.mask.eyes[OD].yaw / deg, od_deg) &&
           is(r.mask.eyes[OS].yaw / deg, os_deg) && is(r.mask.eyes[OS].pitch / deg, up_deg);
  };
  const FrameResult straight = look({0, 0, 0}, 0, 0, 0), nearly = look({-6, 8, 3}, -4, 7, -8);
  EXPECT(eyes_look(straight, 0, 0, 0) && eyes_look(nearly, 0, 0, 0));
  EXPECT(straight.head.yaw_deg == nearly.head.yaw_deg && straight.mask.turn == nearly.mask.turn);
  EXPECT((straight.mask.translation - nearly.mask.translation).norm() < 1e-4);
  const FrameResult left = look({17, -16, 0}, 19, 24, 21);
  EXPECT(eyes_look(left, 30, 30, 30));
  EXPECT_NEAR(left.head.yaw_deg, 30, 1e-3);
  EXPECT_NEAR(left.head.pitch_deg, -30, 1e-3);
  EXPECT(eyes_look(look({0, 0, 0}, -9, 8, 0), -15, 15, 0));  // a squint that nobody overlooks
  fit.eyes[OS].gaze_found = false;
  EXPECT_NEAR(look({0, 0, 0}, 17, 0, 0).eyes[OD].yaw_deg, 30, 1e-3);
  for (const EyeMeasures& eye : straight.eyes)
    for (const double sd_deg : {eye.yaw_sd_deg, eye.pitch_sd_deg})
      EXPECT(sd_deg > 14.999 && std::abs(sd_deg / 15 - std::round(sd_deg / 15)) < 1e-6);
}

TEST_CASE(strict_in_coarse_time_lets_out_lids_that_are_open_half_shut_or_shut) {
  const Followed& f = followed(Profile::strict);
  Calibration own = f.pipeline.unreleased_calibration();
  FrameFit fit = f.pipeline.unreleased_fit();
  const ReleaseRules rules = release_rules(f.pipeline.models(), coarse_strict());
  const MaskParts parts = MaskParts::of(f.pipeline.models(), f.pipeline.subject());
  const auto openness = [&](double rest, double share) {
    own.rest.eyes[OD].openness = rest;
    fit.eyes[OD].openness = rest * share;
    return release_frame(f.pipeline.models(), own, f.pipeline.subject(), parts, rules, fit).eyes[OD].openness;
  };
  for (const double rest : {0.25, 0.32, 0.40}) {  // nobody's own
    for (const double share : {0.8, 1.0, 1.2}) EXPECT_NEAR(openness(rest, share), 0.32, 1e-9);
    for (const double share : {0.3, 0.5, 0.7}) EXPECT_NEAR(openness(rest, share), 0.16, 1e-9);
    for (const double share : {0.0, 0.1, 0.2}) EXPECT(openness(rest, share) == 0);
  }
  EXPECT(openness(0.1, 1) < 0.2 && openness(0.6, 1) > 0.5);  // drooping, retracted
}

TEST_CASE(strict_in_coarse_time_lets_out_no_motion_of_the_face_that_is_not_asked_for) {
  const Followed& f = followed(Profile::strict);
  const Models& models = f.pipeline.models();
  const Calibration& own = f.pipeline.unreleased_calibration();
  FrameFit fit = f.pipeline.unreleased_fit();
  fit.pose.units = own.rest.units.array() + 0.4;
  const auto units = [&](Keep keep) {
    PipelineOptions options = coarse_strict();
    options.keep = keep;
    return release_frame(models, own, f.pipeline.subject(), MaskParts::of(models, f.pipeline.subject()),
                         release_rules(models, options), fit)
        .mask.units;
  };
  EXPECT(units(Keep::eyes).isZero(0));
  EXPECT_NEAR(units(Keep::all)[models.face.unit("browInnerUp_L")], 0.4, 1e-6);
}

// Whether two frames tell the same, but for when.
bool same_but_for_time(const FrameResult& a, const FrameResult& b) {
  const auto same = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  bool all = a.face_reason == b.face_reason && a.distance == b.distance && a.mask.to_row() == b.mask.to_row();
  all = all && same(a.head.yaw_deg, b.head.yaw_deg) && same(a.head.pitch_deg, b.head.pitch_deg) &&
        same(a.head.roll_deg, b.head.roll_deg) && same(a.head_sd.yaw_deg, b.head_sd.yaw_deg) &&
        same(a.head_sd.pitch_deg, b.head_sd.pitch_deg) && same(a.head_sd.roll_deg, b.head_sd.roll_deg) &&
        same(a.deviation_yaw_sd_deg, b.deviation_yaw_sd_deg) &&
        same(a.deviation_pitch_sd_deg, b.deviation_pitch_sd_deg);
  for (int axis = 0; axis < 3; ++axis) all = all && same(a.head_mm[axis], b.head_mm[axis]);
  for (int eye = 0; eye < 2; ++eye) {
    const EyeMeasures &x = a.eyes[eye], &y = b.eyes[eye];
    all = all && x.reason == y.reason && same(x.yaw_deg, y.yaw_deg) && same(x.pitch_deg, y.pitch_deg) &&
          same(x.yaw_sd_deg, y.yaw_sd_deg) && same(x.pitch_sd_deg, y.pitch_sd_deg) &&
          same(x.reflex_yaw_deg, y.reflex_yaw_deg) && same(x.reflex_pitch_deg, y.reflex_pitch_deg) &&
          same(x.reflex_yaw_sd_deg, y.reflex_yaw_sd_deg) && same(x.reflex_pitch_sd_deg, y.reflex_pitch_sd_deg) &&
          same(x.mrd1_mm, y.mrd1_mm) && same(x.mrd2_mm, y.mrd2_mm) && same(x.pfh_mm, y.pfh_mm) &&
          same(x.mrd1_sd_mm, y.mrd1_sd_mm) && same(x.mrd2_sd_mm, y.mrd2_sd_mm) && same(x.pfh_sd_mm, y.pfh_sd_mm) &&
          same(x.openness, y.openness) && same(x.px_per_deg, y.px_per_deg) &&
          same(x.eyeball_residual_pct, y.eyeball_residual_pct) && same(x.eyelid_residual_pct, y.eyelid_residual_pct);
  }
  return all;
}

TEST_CASE(a_step_repeats_its_first_frame_and_times_stay) {
  CoarseTime coarse(0.25);
  FrameResult fresh;
  const auto held_yaw = [&](double time_s, double yaw_deg) {
    fresh.time_s = time_s;
    fresh.head.yaw_deg = yaw_deg;
    const FrameResult& held = coarse.hold(fresh);
    EXPECT(held.time_s == time_s);
    return held.head.yaw_deg;
  };
  const double begins_s = 3.7;  // steps count from the first frame
  for (int i = 0; i < 40; ++i) EXPECT(held_yaw(begins_s + i / 20.0, i) == i - i % 5);
  EXPECT(held_yaw(begins_s + 60.1, 50) == 50);  // after a gap
  EXPECT(held_yaw(begins_s + 60.2, 51) == 50);
  EXPECT(held_yaw(begins_s + 60.36, 52) == 52);
  for (int i = 0; i < 9; ++i)
    EXPECT(held_yaw(begins_s + 60.36, 53 + i) == 52);  // a clock that stands tells nothing more
  EXPECT(held_yaw(begins_s + 60.3, 53) == 52);
  EXPECT(held_yaw(begins_s, 54) == 54);
  EXPECT(held_yaw(begins_s + 0.1, 55) == 54);
  coarse.reset();
  EXPECT(held_yaw(begins_s + 0.2, 56) == 56);
  CoarseTime none(0);
  for (int i = 0; i < 9; ++i) {
    fresh.time_s = i / 30.0;
    fresh.head.yaw_deg = i;
    EXPECT(none.hold(fresh).head.yaw_deg == i);
  }
}

TEST_CASE(coarse_time_holds_all_that_leaves_and_nothing_of_what_is_summed) {
  for (const Profile profile : {Profile::clinical, Profile::article}) {
    PipelineOptions options = options_for(profile);
    options.live_calibration = false;
    options.coarse_time = Coarse::on;
    Pipeline coarse(options, cpu_backend());
    options.coarse_time = Coarse::off;
    Pipeline fine(options, cpu_backend());
    EXPECT(coarse.holds() && !fine.holds());
    std::vector<FrameDetection> seen;
    for (int i = 0; i < frames; ++i)
      seen.push_back(fine.detect({frame_pixels(i).data(), width, height, 3, 3 * width}, i / 30.0));
    EXPECT(fine.calibrate(seen).ok && coarse.calibrate(seen).ok);
    FrameResult first;
    int moved = 0;
    for (int i = 0; i < frames; ++i) {
      const FrameResult measured = fine.fit(seen[i]), held = coarse.fit(seen[i]);
      if (i == 0) first = measured;  // all are within the first two seconds
      EXPECT(same_but_for_time(held, first) && held.time_s == measured.time_s);
      EXPECT(same_but_for_time(coarse.unreleased_moment(), measured));
      EXPECT(same_but_for_time(fine.unreleased_moment(), measured));
      moved += !same_but_for_time(held, measured);
    }
    EXPECT(moved >= frames - 4);
    EXPECT(coarse.calibrate(seen).ok);  // another calibration begins another step
    const FrameResult again = coarse.fit(seen[frames - 1]);
    EXPECT(same_but_for_time(again, coarse.unreleased_moment()));
    coarse.reset();
    EXPECT(coarse.unreleased_moment().face_reason == Reason::no_face);
  }
}

// ---- The C interface.

void append(std::int32_t, const char* text, void* user) { *static_cast<std::string*>(user) += text; }

struct Handle {
  explicit Handle(Profile profile, std::int32_t coarse_time = DMASK_COARSE_TIME_OFF) {
    dmask_options options;
    dmask_default_options(&options, sizeof options);
    const std::string folder = test::models_dir();
    options.models_dir = folder.c_str();
    options.profile = static_cast<std::int32_t>(profile);
    options.coarse_time = coarse_time;
    options.backend = DMASK_BACKEND_CPU;
    options.patient.hvid_mm = measured_hvid_mm;
    options.log = append;
    options.log_user = &told;
    char error[DMASK_TEXT_BYTES];
    check(dmask_create(&options, &p, error, sizeof error) == DMASK_OK, error);
    measures.struct_size = sizeof measures;
    for (int i = 0; i < frames; ++i) {
      dmask_frame frame{};
      frame.struct_size = sizeof frame;
      frame.format = DMASK_FORMAT_BGR;
      frame.width = width;
      frame.height = height;
      frame.data = frame_pixels(i).data();
      frame.stride = 3 * width;
      frame.time_s = i / 30.0;
      check(dmask_process(p, &frame, &measures) == DMASK_OK, dmask_last_error(p));
    }
    std::vector<std::uint8_t> pixels(std::size_t{3} * width * height);
    dmask_picture picture{sizeof picture, DMASK_FORMAT_BGR, width, height, pixels.data(), 3 * width};
    check(dmask_render(p, &picture) == DMASK_OK, dmask_last_error(p));
  }
  ~Handle() { dmask_destroy(p); }

  std::string told;
  dmask_pipeline* p = nullptr;
  dmask_measures measures{};
};

TEST_CASE(the_c_interface_hands_out_what_the_core_released) {
  for (const Profile profile : profiles) {
    const Handle handle(profile);
    const Followed& f = followed(profile);
    // Two links of the same sources may contract their products differently.
    const auto same = [](double a, double b) {
      return std::abs(a - b) <= 1e-5 * (1 + std::abs(b)) || (std::isnan(a) && std::isnan(b));
    };

    EXPECT(same(handle.measures.head_yaw_deg, f.result.head.yaw_deg) &&
           same(handle.measures.head_z_mm, f.result.head_mm.z()));
    const dmask_measures& told = handle.measures;
    EXPECT(std::isfinite(told.head_yaw_sd_deg) && same(told.head_yaw_sd_deg, f.result.head_sd.yaw_deg) &&
           same(told.head_pitch_sd_deg, f.result.head_sd.pitch_deg) &&
           same(told.head_roll_sd_deg, f.result.head_sd.roll_deg));
    EXPECT(std::isfinite(told.deviation_yaw_sd_deg) && same(told.deviation_yaw_sd_deg, f.result.deviation_yaw_sd_deg) &&
           same(told.deviation_pitch_sd_deg, f.result.deviation_pitch_sd_deg));
    for (int eye = 0; eye < 2; ++eye) {
      const dmask_eye_measures& e = handle.measures.eyes[eye];
      const EyeMeasures& want = f.result.eyes[eye];
      EXPECT(e.valid == 1 && same(e.yaw_deg, want.yaw_deg) && same(e.pitch_deg, want.pitch_deg));
      EXPECT(same(e.yaw_sd_deg, want.yaw_sd_deg) && same(e.pitch_sd_deg, want.pitch_sd_deg));
      EXPECT(same(e.reflex_yaw_deg, want.reflex_yaw_deg) && same(e.reflex_pitch_deg, want.reflex_pitch_deg) &&
             same(e.reflex_yaw_sd_deg, want.reflex_yaw_sd_deg) &&
             same(e.reflex_pitch_sd_deg, want.reflex_pitch_sd_deg));
      EXPECT(same(e.mrd1_sd_mm, want.mrd1_sd_mm) && same(e.mrd2_sd_mm, want.mrd2_sd_mm) &&
             same(e.pfh_sd_mm, want.pfh_sd_mm) && std::isnan(e.pfh_sd_mm) == (profile == Profile::strict));
      EXPECT(same(e.mrd1_mm, want.mrd1_mm) && same(e.mrd2_mm, want.mrd2_mm) && same(e.pfh_mm, want.pfh_mm));
      EXPECT(std::isnan(e.mrd1_mm) == (profile == Profile::strict));
      EXPECT(same(e.openness, want.openness) && same(e.px_per_deg, want.px_per_deg));
      EXPECT(same(e.eyeball_residual_pct, want.eyeball_residual_pct) &&
             same(e.eyelid_residual_pct, want.eyelid_residual_pct));
    }

    dmask_calibration calibration{};
    calibration.struct_size = sizeof calibration;
    EXPECT(dmask_get_calibration(handle.p, &calibration) == DMASK_OK);
    const CalibrationSummary c = f.pipeline.calibration();
    EXPECT(calibration.ok == 1 && calibration.frames_used == static_cast<std::int32_t>(c.frames_used.size()));
    EXPECT(same(calibration.scale, c.scale) && same(calibration.iris_radius_mm, c.iris_radius_mm));
    EXPECT(same(calibration.iris_radius_sd_mm, c.iris_radius_sd_mm));
    for (int eye = 0; eye < 2; ++eye)
      for (int a = 0; a < 3; ++a) EXPECT(same(calibration.eye_centre_sd_mm[eye][a], c.eye_centre_sd_mm[eye][a]));

    std::vector<float> row(static_cast<std::size_t>(dmask_parameter_count(handle.p)));
    EXPECT(dmask_get_parameters(handle.p, row.data(), static_cast<std::int32_t>(row.size())) == DMASK_OK);
    const std::vector<float> want_row = f.result.mask.to_row();
    EXPECT(row.size() == want_row.size());
    for (std::size_t i = 0; i < row.size(); ++i) EXPECT(same(row[i], want_row[i]));

    // Vertices are those of the released subject and frame: nothing of the patient's own came in on the way.
    std::vector<float> xyz(static_cast<std::size_t>(dmask_vertex_count(handle.p)) * 3);
    EXPECT(dmask_get_vertices(handle.p, xyz.data(), dmask_vertex_count(handle.p)) == DMASK_OK);
    const MaskMesh mesh(f.pipeline.models(), f.pipeline.subject());
    VecXf head, local;
    Points3f camera;
    camera.setZero(mesh.vertices(), 3);
    mesh.pose(f.result.mask, head, local, camera);
    EXPECT(xyz.size() == static_cast<std::size_t>(camera.size()));
    EXPECT(largest_difference(Eigen::Map<const Points3f>(xyz.data(), camera.rows(), 3), camera) < 1e-2);

    EXPECT(handle.told.find("calibrated with") != std::string::npos);
    EXPECT(handle.told.find("mm") == std::string::npos);
  }
}

TEST_CASE(the_c_interface_holds_in_coarse_time) {
  const Handle fine(Profile::clinical, DMASK_COARSE_TIME_OFF), coarse(Profile::clinical, DMASK_COARSE_TIME_ON);
  // Its last calibration is at the 15th frame, where a step begins: the 16th repeats that one.
  EXPECT(coarse.measures.time_s == fine.measures.time_s && coarse.measures.face_valid == 1);
  EXPECT(coarse.measures.head_yaw_deg != fine.measures.head_yaw_deg);
  EXPECT_NEAR(coarse.measures.head_yaw_deg, fine.measures.head_yaw_deg, 5);
}

// Where a known limit is crossed the distance is known; with the face's size in the picture it would be the patient's own measures.
TEST_CASE(a_face_in_its_place_tells_no_limit_that_is_known) {
  for (const Profile profile : {Profile::clinical, Profile::strict}) {
    const Followed& f = followed(profile);
    PipelineOptions options = options_for(profile);
    options.framing = Framing::input;
    const ReleaseRules in_place = release_rules(f.pipeline.models(), options);
    const ReleaseRules canonical = release_rules(f.pipeline.models(), options_for(profile));
    const MaskParts parts = MaskParts::of(f.pipeline.models(), f.pipeline.subject());
    Calibration own = f.pipeline.unreleased_calibration();
    FrameFit fit = f.pipeline.unreleased_fit();
    EXPECT(fit.eyes[OD].reason == Reason::none);
    const auto largest_too_small = [&](const ReleaseRules& rules) {
      double low = 0.2, high = 0.4;
      for (int k = 0; k < 40; ++k) {
        fit.eyes[OD].px_per_deg = 0.5 * (low + high);
        const FrameResult r = release_frame(f.pipeline.models(), own, f.pipeline.subject(), parts, rules, fit);
        (r.eyes[OD].reason == Reason::low_resolution ? low : high) = fit.eyes[OD].px_per_deg;
      }
      return high;
    };
    const auto nearest_not_near_mm = [&](const ReleaseRules& rules) {
      double low = 300, high = 800;
      for (int k = 0; k < 40; ++k) {
        fit.pose.translation *= 0.5 * (low + high) / fit.pose.translation.norm();
        const FrameResult r = release_frame(f.pipeline.models(), own, f.pipeline.subject(), parts, rules, fit);
        (r.distance == Distance::near ? low : high) = fit.pose.translation.norm();
      }
      return high;
    };
    std::vector<double> px_per_deg, near;
    for (int person = 0; person < 12; ++person) {
      own.identity[0] = 0.1 * person;
      px_per_deg.push_back(largest_too_small(in_place));
      EXPECT(px_per_deg.back() >= 0.25 && px_per_deg.back() <= 0.3125);  // never what was not measured
      EXPECT(largest_too_small(in_place) == px_per_deg.back());          // the same each time
      near.push_back(nearest_not_near_mm(in_place));
    }
    const auto spread = [](const std::vector<double>& values) {
      const auto [least, most] = std::minmax_element(values.begin(), values.end());
      return *most / *least;
    };
    EXPECT(spread(px_per_deg) > 1.1 && spread(near) > 1.1);
    EXPECT(largest_too_small(canonical) < 0.21);  // there the fit has said it
  }
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
