// Eyes without a face: outlines from the net's maps, the face that stands in, what is let out, and the mask's windows.
#include <algorithm>
#include <cmath>
#include <vector>

#include "check.hpp"
#include "detect/eye_regions.hpp"
#include "fit/calibration_stages.hpp"
#include "fit/close_up.hpp"
#include "geometry/rotation.hpp"
#include "models_dir.hpp"
#include "pipeline/eye_window.hpp"
#include "pipeline/pipeline.hpp"

using namespace dmask;

namespace {

const Models& models() {
  static const Models loaded = Models::load(test::models_dir(), test::models_dir());
  return loaded;
}

Vec2f turned(const Vec2f& p, float rad) { return Eigen::Rotation2Df(rad) * p; }

// ---- A lens of globe with an iris and a pupil, as maps and as rough points.

struct Drawn {
  Vec2f centre{320, 240};
  float half_px = 150;  // between the canthi
  float high_px = 50;
  float turn_rad = 0;
  Vec2f iris{30, -4};  // from the centre, along and across
  float iris_px = 62, pupil_px = 24;

  Vec2f own(const Vec2f& frame) const { return turned(frame - centre, -turn_rad); }
  Vec2f shown(const Vec2f& own_px) const { return centre + turned(own_px, turn_rad); }
  float margin(float x) const { return high_px * (1 - x * x / (half_px * half_px)); }

  // Points as far off as nets may have them.
  EyeDetection roughly(float off_px) const {
    EyeDetection eye;
    for (int k = 0; k < 20; ++k) {
      const float x = -half_px + 2 * half_px * static_cast<float>(k <= 10 ? k : 20 - k) / 10;
      const float y = k == 0 || k == 10 ? 0 : (k < 10 ? -1.0f : 1.0f) * (margin(x) + off_px);
      const Vec2f p = shown({x, y});
      eye.lid[k] = {p.x(), p.y(), 0.7f};
    }
    for (int k = 0; k < 19; ++k) {
      const float angle = static_cast<float>((k - 1) * 20 * deg);
      const float r = k == 0 ? 0 : iris_px + off_px;
      const Vec2f p = shown(iris + Vec2f(0.5f * off_px, -0.5f * off_px) + r * Vec2f(std::sin(angle), -std::cos(angle)));
      eye.iris[k] = {p.x(), p.y(), 0.6f};
    }
    return eye;
  }
};

struct Maps {
  std::vector<float> values;
  RegionMaps maps;

  Maps(const Drawn& eye, const Crop& crop, bool pupil = true) {
    constexpr int pixels = regions_width * regions_height;
    values.resize(3 * pixels);
    maps.crop = crop;
    maps.globe = values.data();
    maps.iris = values.data() + pixels;
    maps.pupil = values.data() + 2 * pixels;
    for (int j = 0; j < regions_height; ++j)
      for (int i = 0; i < regions_width; ++i) {
        const Vec2f p = eye.own(crop.to_frame(static_cast<float>(i), static_cast<float>(j)));
        const float inside = std::abs(p.x()) < eye.half_px ? eye.margin(p.x()) - std::abs(p.y()) : -20;
        const float from_iris = (p - eye.iris).norm();
        const auto logit = [](float px) { return std::clamp(0.4f * px, -8.0f, 8.0f); };
        const int at = j * regions_width + i;
        values[at] = logit(inside);
        values[pixels + at] = logit(std::min(inside, eye.iris_px - from_iris));
        values[2 * pixels + at] = pupil ? logit(std::min(inside, eye.pupil_px - from_iris)) : -8.0f;
      }
  }
};

Vec2f point(const Landmark& p) { return {p.x, p.y}; }

TEST_CASE(margins_limbus_and_pupil_follow_the_maps) {
  for (const float turn_deg : {0.0f, 20.0f, -40.0f}) {
    Drawn drawn;
    drawn.turn_rad = turn_deg * static_cast<float>(deg);
    EyeDetection eye = drawn.roughly(6);
    const Maps seen(drawn, regions_crop(eye));
    take_regions(seen.maps, eye);
    for (int k = 2; k < 19; ++k) {
      if (k >= 9 && k <= 11) continue;  // at the canthus a lens is thinner than a pixel
      const Vec2f own = drawn.own(point(eye.lid[k]));
      EXPECT_NEAR(std::abs(own.y()), drawn.margin(own.x()), 1.2);
    }
    EXPECT_NEAR((drawn.own(point(eye.iris[0])) - drawn.iris).norm(), 0, 1.5);
    EXPECT_NEAR((drawn.own(point(eye.pupil[0])) - drawn.iris).norm(), 0, 1.0);
    for (int k = 1; k < 19; ++k) {
      EXPECT_NEAR((drawn.own(point(eye.iris[k])) - drawn.iris).norm(), drawn.iris_px, 2.5);
      EXPECT_NEAR((drawn.own(point(eye.pupil[k])) - drawn.iris).norm(), drawn.pupil_px, 1.2);
    }
    EXPECT(eye.pupil[0].confidence > 0.9f);
    // Twelve o'clock is the picture's, however the eye is turned.
    EXPECT_NEAR(point(eye.iris[1]).x() - point(eye.iris[0]).x(), 0, 2.0);
    EXPECT(point(eye.iris[1]).y() < point(eye.iris[0]).y());
  }
}

TEST_CASE(the_outline_is_that_of_the_globe_in_sight) {
  const Drawn drawn;
  EyeDetection eye = drawn.roughly(4);
  const Maps seen(drawn, regions_crop(eye));
  take_regions(seen.maps, eye);
  double area = 0;
  for (int k = 0; k < 40; ++k) {
    const Landmark &a = eye.globe[k], &b = eye.globe[(k + 1) % 40];
    area += 0.5 * (static_cast<double>(a.x) * b.y - static_cast<double>(b.x) * a.y);
    EXPECT(a.confidence > 0.5f);
  }
  const double parabolas = 8.0 / 3 * drawn.half_px * drawn.high_px;
  EXPECT_NEAR(std::abs(area) / parabolas, 1, 0.02);
}

TEST_CASE(a_pupil_that_is_not_told_from_the_iris_is_not_invented) {
  const Drawn drawn;
  EyeDetection eye = drawn.roughly(4);
  const Maps seen(drawn, regions_crop(eye), false);
  take_regions(seen.maps, eye);
  EXPECT(eye.pupil[0].confidence == 0);
  EXPECT(std::isnan(pupil_mm(eye, 5.85)));
}

TEST_CASE(maps_that_show_nothing_change_nothing) {
  const Drawn drawn;
  const EyeDetection before = drawn.roughly(4);
  EyeDetection eye = before;
  Drawn elsewhere = drawn;
  elsewhere.centre = {2000, 2000};
  const Maps seen(elsewhere, regions_crop(eye));
  take_regions(seen.maps, eye);
  for (int k = 0; k < 20; ++k) EXPECT((point(eye.lid[k]) - point(before.lid[k])).norm() == 0);
  for (int k = 0; k < 19; ++k) EXPECT((point(eye.iris[k]) - point(before.iris[k])).norm() == 0);
  for (const Landmark& p : eye.globe) EXPECT(p.confidence == 0);
}

TEST_CASE(the_pupil_is_measured_through_the_iris) {
  const Drawn drawn;
  EyeDetection eye = drawn.roughly(2);
  const Maps seen(drawn, regions_crop(eye));
  take_regions(seen.maps, eye);
  EXPECT_NEAR(pupil_mm(eye, 5.85), 2 * 5.85 * drawn.pupil_px / drawn.iris_px, 0.15);
}

// ---- The face that stands in.

// What a close-up of these eyes would be, of a head turned in the picture alone.
FrameDetection close_up_of(const std::array<bool, 2>& in_view, double roll_deg, double px_per_mm) {
  FrameDetection d;
  d.width = 1280;
  d.height = 720;
  d.close_up = true;
  d.eyes_in_view = in_view;
  d.track = 1;
  const Mat3 rotation = head_rotation({0, 0, roll_deg});
  constexpr int last = EyelidRows::margin_samples - 1;
  const int shown = in_view[OD] ? OD : OS;
  const Vec3 middle =
      in_view[OD] && in_view[OS] ? Vec3::Zero() : model_centre(models().eyelid[shown], VecX::Zero(0), 1);
  const auto put = [&](Landmark& p, const Vec3& head_mm) {
    const Vec3 at = rotation * (head_mm - Vec3(middle.x(), middle.y(), 0)) * px_per_mm;
    p = {static_cast<float>(639.5 + at.x()), static_cast<float>(359.5 + at.y()), 0.95f};
  };
  for (int eye = 0; eye < 2; ++eye) {
    if (!in_view[eye]) continue;
    const Vec3 centre = model_centre(models().eyelid[eye], VecX::Zero(0), 1);
    const VecX& patch = models().eyelid_rows[eye].patch;
    const auto sample = [&](int lid, double share) {
      const double at = share * last;
      const int i = std::min(static_cast<int>(at), last - 1);
      const auto row = [&](int k) { return Vec3(patch.segment<3>(3 * (lid * (last + 1) + k))); };
      return Vec3(centre + row(i) + (at - i) * (row(i + 1) - row(i)));
    };
    for (int k = 0; k <= 10; ++k) put(d.eyes[eye].lid[k], sample(0, 0.1 * k));
    for (int k = 11; k < 20; ++k) put(d.eyes[eye].lid[k], sample(1, 0.1 * (20 - k)));
    const Vec3 pupil = centre + Vec3(0, 0, Eyeball{}.iris_plane_mm());
    put(d.eyes[eye].iris[0], pupil);
    for (int k = 1; k < 19; ++k) {
      const double angle = (k - 1) * 20 * deg + roll_deg * deg;
      put(d.eyes[eye].iris[k], pupil + 5.85 * Vec3(std::sin(angle), std::cos(angle), 0));
    }
  }
  return d;
}

TEST_CASE(the_mean_face_lies_where_the_canthi_have_it) {
  for (const std::array<bool, 2> in_view : {std::array{true, false}, std::array{false, true}, std::array{true, true}})
    for (const double roll_deg : {0.0, 25.0, -40.0}) {
      const FrameDetection d = with_mean_face(models(), close_up_of(in_view, roll_deg, 12));
      EXPECT(d.face_found && d.close_up);
      const Vec2f od(d.face[36].x, d.face[36].y), os(d.face[45].x, d.face[45].y);
      const Vec2f across = os - od;
      // A head whose left side is raised has its left eye higher in the picture.
      EXPECT_NEAR(std::atan2(-across.y(), across.x()) / deg, roll_deg, 1.5);
    }
}

TEST_CASE(a_face_is_left_as_it_was_seen) {
  FrameDetection face;
  face.face_found = true;
  face.face[0] = {1, 2, 0.5f};
  EXPECT(with_mean_face(models(), face).face[0].x == 1);
  EXPECT(!with_mean_face(models(), FrameDetection{}).face_found);
}

FitOptions fit_options(double mm_per_px = 0) {
  FitOptions options;
  options.mm_per_px = mm_per_px;
  return options;
}

TEST_CASE(lids_of_a_close_up_are_measured_in_true_millimetres) {
  const FrameDetection d = close_up_of({true, false}, 15, 14);
  const Calibration c = calibrate(models(), {d}, fit_options(1 / 14.0));
  EXPECT(c.ok && c.close_up);
  EXPECT(c.eyes_in_view[OD] && !c.eyes_in_view[OS]);
  const FitOptions options = fit_options(1 / 14.0);
  Tracker tracker(models(), options);
  tracker.set_calibration(c);
  const FrameFit fit = tracker.fit(d);
  EXPECT(fit.close_up && fit.eyes[OS].reason == Reason::not_in_view);
  EXPECT(fit.eyes[OD].reason == Reason::none);
  // Before the pupil, which is before the eyeball's centre.
  const VecX& patch = models().eyelid_rows[OD].patch;
  constexpr int n = EyelidRows::margin_samples;
  double nearest[2] = {1e9, 1e9}, height_mm[2] = {};
  for (int lid = 0; lid < 2; ++lid)
    for (int i = 0; i < n; ++i)
      if (const double x = std::abs(patch[3 * (lid * n + i)]); x < nearest[lid]) {
        nearest[lid] = x;
        height_mm[lid] = patch[3 * (lid * n + i) + 1];
      }
  EXPECT_NEAR(fit.eyes[OD].pfh_mm, height_mm[0] - height_mm[1], 0.4);
}

TEST_CASE(a_pixel_that_is_said_to_be_larger_makes_all_larger) {
  const FrameDetection d = close_up_of({false, true}, 0, 14);
  double fissure_mm[2];
  for (const int k : {0, 1}) {
    const FitOptions options = fit_options((k + 4) / 4.0 / 14.0);
    Tracker tracker(models(), options);
    tracker.set_calibration(calibrate(models(), {d}, options));
    fissure_mm[k] = tracker.fit(d).eyes[OS].pfh_mm;
  }
  EXPECT_NEAR(fissure_mm[1] / fissure_mm[0], 1.25, 0.04);
}

TEST_CASE(with_a_face_in_any_frame_close_ups_do_not_count) {
  FrameDetection face = with_mean_face(models(), close_up_of({true, true}, 0, 5));
  face.close_up = false;
  const Calibration c = calibrate(models(), {close_up_of({true, false}, 0, 14), face}, fit_options());
  EXPECT(c.ok && !c.close_up);
  EXPECT(c.frames_used == std::vector<int>{1});
}

// ---- What is let out.

struct Run {
  PipelineOptions options;
  std::unique_ptr<Pipeline> pipeline;
  FrameResult result;

  Run(const FrameDetection& d, Profile profile, bool lamp_known = true) {
    options.models_dir = test::models_dir();
    options.profile = profile;
    options.backend = BackendKind::cpu;
    pipeline = std::make_unique<Pipeline>(options, cpu_backend());
    FrameDetection seen = d;
    seen.side_known = lamp_known;
    pipeline->calibrate({seen});
    result = pipeline->fit(seen);
  }
};

TEST_CASE(of_a_close_up_neither_head_nor_absolute_angles_are_let_out) {
  for (const Profile profile : {Profile::clinical, Profile::article, Profile::strict}) {
    const FrameResult r = Run(close_up_of({true, false}, 10, 14), profile).result;
    EXPECT(r.close_up && r.face_reason == Reason::no_face);
    EXPECT(std::isnan(r.head.yaw_deg) && std::isnan(r.head_mm.x()) && r.distance == Distance::unknown);
    EXPECT(r.laterality == Laterality::od);
    EXPECT(r.eyes[OD].reason == Reason::none);
    EXPECT_NEAR(r.eyes[OD].yaw_deg, 0, 0.5);  // it rests there
    EXPECT(r.eyes[OS].reason == Reason::not_in_view && std::isnan(r.eyes[OS].openness));
    EXPECT(std::isfinite(r.eyes[OD].pfh_mm) == (profile != Profile::strict));
    EXPECT(r.mask.face);
  }
}

TEST_CASE(an_eye_that_nobody_can_name_stands_under_od) {
  const FrameResult r = Run(close_up_of({false, true}, 0, 14), Profile::clinical, false).result;
  EXPECT(r.laterality == Laterality::none);
  EXPECT(r.eyes[OD].reason == Reason::none && r.eyes[OS].reason == Reason::not_in_view);
  EXPECT(r.mask.eyes[OS].look == MaskFrame::EyeLook::iris);  // it is drawn as it looks
}

TEST_CASE(the_mask_of_a_close_up_shows_the_skin_about_its_eye_alone) {
  Run run(close_up_of({true, false}, 0, 14), Profile::clinical);
  Image mask;
  run.pipeline->render(run.result, 1280, 720, mask);
  const auto at = [&](int x, int y) { return mask.bgr[3 * (static_cast<std::size_t>(y) * 1280 + x)]; };
  const std::uint8_t ground = RenderStyle{}.background_bgr[0];
  for (const auto& [x, y] : {std::pair{2, 2}, {1277, 2}, {2, 717}, {1277, 717}}) EXPECT(at(x, y) == ground);
  EXPECT(at(640, 360) != ground);
  int skin = 0;
  for (std::size_t i = 0; i < mask.bgr.size(); i += 3) skin += mask.bgr[i] != ground;
  EXPECT(skin > 1280 * 720 / 4);
}

TEST_CASE(a_track_keeps_which_eyes_are_shown) {
  Run run(close_up_of({false, true}, 0, 14), Profile::clinical);
  EXPECT(run.pipeline->subject().close_up);
  EXPECT(!run.pipeline->subject().eyes_shown[OD] && run.pipeline->subject().eyes_shown[OS]);
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
