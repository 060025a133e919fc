// The corneal reflex: where it is found in a picture of an eye, and the gaze that follows from it.
#include <cmath>
#include <vector>

#include "check.hpp"
#include "detect/corneal_reflex.hpp"
#include "fit/hirschberg.hpp"
#include "geometry/rotation.hpp"

using namespace dmask;

namespace {

constexpr float iris_radius_px = 20;
const Vec2f iris_centre(150.3f, 99.6f);

Vec2f turned(const Vec2f& p, float rad) { return Eigen::Rotation2Df(rad) * p; }

// `turn_rad`: of the head in the picture, clockwise.
EyeDetection open_eye(float lid_half_px = 16, float turn_rad = 0) {
  EyeDetection eye;
  for (int k = 0; k < 20; ++k) {
    const float angle = static_cast<float>(M_PI) * (1 + 0.1f * static_cast<float>(k));
    const Vec2f p = iris_centre + turned({45 * std::cos(angle), lid_half_px * std::sin(angle)}, turn_rad);
    eye.lid[k] = {p.x(), p.y(), 0.9f};
  }
  eye.iris[0] = {iris_centre.x(), iris_centre.y(), 0.9f};
  for (int k = 1; k < 19; ++k) {
    const float angle = static_cast<float>((k - 1) * 20 * deg);
    eye.iris[k] = {iris_centre.x() + iris_radius_px * std::sin(angle),
                   iris_centre.y() - iris_radius_px * std::cos(angle), 0.9f};
  }
  return eye;
}

struct Bright {
  Vec2f centre;  // against the iris'
  float radius_px, level;
};

// The view's planes: a dark iris in a white eye between lids, and what it mirrors.
Reflexes found(const EyeDetection& eye, const std::vector<Bright>& mirrored, float noise = 0) {
  const Crop view = reflex_view(eye);
  const int pixels = view.width * view.height;
  std::vector<float> rgb(3 * pixels);
  for (int y = 0; y < view.height; ++y)
    for (int x = 0; x < view.width; ++x) {
      const Vec2f p = view.to_frame(static_cast<float>(x), static_cast<float>(y)) - iris_centre;
      float level = p.norm() < iris_radius_px ? 0.2f : 0.8f;
      level += noise * std::sin(12.9f * p.x()) * std::sin(7.3f * p.y());
      for (const Bright& b : mirrored)
        level = std::max(level, b.level * std::clamp(b.radius_px + 0.5f - (p - b.centre).norm(), 0.0f, 1.0f));
      for (int c = 0; c < 3; ++c) rgb[c * pixels + y * view.width + x] = level;
    }
  return find_reflexes(eye, view, rgb.data());
}

int count(const Reflexes& reflexes) {
  int n = 0;
  for (const Landmark& reflex : reflexes) n += reflex.confidence > 0;
  return n;
}

}  // namespace

TEST_CASE(a_spot_on_the_iris_is_found_where_it_is) {
  for (const Vec2f at : {Vec2f(3.2f, -1.7f), Vec2f(-9.4f, 4.1f), Vec2f(0, 0)}) {
    const Reflexes reflexes = found(open_eye(), {{at, 1.6f, 1}}, 0.05f);
    EXPECT(count(reflexes) == 1);
    EXPECT_NEAR(reflexes[0].x, iris_centre.x() + at.x(), 0.15);
    EXPECT_NEAR(reflexes[0].y, iris_centre.y() + at.y(), 0.15);
  }
}

TEST_CASE(windows_lids_the_sclera_and_the_pattern_of_the_iris_are_no_spots) {
  EXPECT(count(found(open_eye(), {}, 0.07f)) == 0);
  EXPECT(count(found(open_eye(), {{{2, 0}, 8, 1}})) == 0);                             // as wide as a window
  EXPECT(count(found(open_eye(), {{{0, -14.5f}, 1.6f, 1}})) == 0);                     // on the lid's edge
  EXPECT(count(found(open_eye(), {{{18.5f, 0}, 1.6f, 1}})) == 0);                      // on the limbus
  EXPECT(count(found(open_eye(), {{{3, 0}, 1.6f, 0.3f}})) == 0);                       // hardly brighter than the iris
  EXPECT(count(found(open_eye(1), {{{0, 0}, 1.6f, 1}})) == 0);                         // hardly an opening
  EXPECT(count(found(open_eye(), {{{3, 0}, 1.6f, 1}, {{-7, 0}, 1.6f, 0.45f}})) == 1);  // half as high: the iris' own
}

TEST_CASE(tears_along_the_lids_of_a_head_that_lies_are_no_spots) {
  for (const float turn : {0.0f, 0.8f, 1.5708f, 3.1416f}) {
    EXPECT(count(found(open_eye(16, turn), {{turned({0, -14.5f}, turn), 1.6f, 1}})) == 0);
    EXPECT(count(found(open_eye(16, turn), {{turned({8, -5}, turn), 1.6f, 1}})) == 1);
  }
}

TEST_CASE(two_lamps_are_two_spots_and_an_iris_that_is_not_known_is_not_looked_at) {
  const Reflexes both = found(open_eye(), {{{-6, 1}, 1.6f, 0.9f}, {{6, 1}, 1.6f, 1}});
  EXPECT(count(both) == 2 && both[0].x > iris_centre.x() && both[1].x < iris_centre.x());  // the brighter first
  EyeDetection hidden = open_eye(), tiny = open_eye(), no_number = open_eye();
  hidden.iris[0].confidence = 0.2f;
  for (Landmark& p : tiny.iris) p.x = iris_centre.x() + 0.1f * (p.x - iris_centre.x()), p.y = iris_centre.y();
  no_number.iris[0].x = NAN;
  for (const EyeDetection& eye : {hidden, tiny, no_number}) EXPECT(!reflex_view(eye).valid());
}

namespace {

// An eye that looks along `gaze` in a turned head, and a lamp beside the lens.
struct Scene {
  Calibration calibration;
  FrameFit fit;
  FrameDetection detection;
  Gaze truth;

  explicit Scene(const Gaze& gaze, const Vec3& misplaced_mm = Vec3::Zero()) : truth(gaze) {
    calibration.ok = true;
    calibration.camera = Camera::from_hfov(1280, 960, 40);
    fit.face_reason = Reason::none;
    fit.pose.rotation = head_rotation({12, -7, 4});
    fit.pose.translation = Vec3(30, -20, 520);
    for (int e = 0; e < 2; ++e) {
      const Vec3 centre(e == OD ? -31 : 31, 2, -4);
      const Vec3 axis = gaze_axis(gaze.yaw, gaze.pitch);
      const double plane_mm = calibration.ball.iris_plane_mm();
      const Vec3 iris = in_camera(centre + plane_mm * axis);
      const Vec3 cornea = in_camera(centre + (plane_mm - adult_cornea_to_limbus_mm) * axis);
      // The light that comes back to the camera has gone along the line to the cornea's centre of curvature.
      const Vec2 seen = calibration.camera.project(cornea);
      detection.eyes[e].reflexes[0] = {static_cast<float>(seen.x()), static_cast<float>(seen.y()), 1};
      calibration.eyes[e].centre = centre + misplaced_mm;
      fit.eyes[e].reason = Reason::none;
      fit.eyes[e].px_per_deg = 0.8;
      fit.eyes[e].gaze = fitted(calibration.eyes[e].centre, calibration.camera.project(iris));
    }
  }
  // The gaze that shows an iris there.
  Gaze fitted(const Vec3& centre, const Vec2& iris_px) const {
    Gaze gaze;
    Vec2 aim = iris_px;
    for (int k = 0; k < 20; ++k) {
      gaze = gaze_at(aim, in_camera(centre), fit.pose.rotation, calibration.camera, calibration.ball);
      const Vec3 shown = centre + calibration.ball.iris_plane_mm() * gaze_axis(gaze.yaw, gaze.pitch);
      aim += iris_px - calibration.camera.project(in_camera(shown));
    }
    return gaze;
  }
  Vec3 in_camera(const Vec3& head_mm) const { return fit.pose.rotation * head_mm + fit.pose.translation; }
  const FrameFit& measured() {
    measure_reflexes(detection, calibration, FitOptions{}, fit);
    return fit;
  }
};

}  // namespace

TEST_CASE(the_reflex_tells_the_gaze_of_an_eyeball_that_is_laid_wrong) {
  for (const Gaze gaze : {Gaze{0, 0}, Gaze{0.3, -0.1}, Gaze{-0.25, 0.2}}) {
    Scene scene(gaze, {0.9, -0.6, 0});
    const FrameFit& fit = scene.measured();
    for (const EyeFit& eye : fit.eyes) {
      EXPECT(std::abs(eye.gaze.yaw - gaze.yaw) > 3.5 * deg);  // what the fit makes of it
      EXPECT_NEAR(eye.reflex_gaze.yaw / deg, gaze.yaw / deg, 0.2);
      EXPECT_NEAR(eye.reflex_gaze.pitch / deg, gaze.pitch / deg, 0.2);
      EXPECT(eye.reflex_yaw_sd > 1 * deg && eye.reflex_yaw_sd < 5 * deg);
      EXPECT(eye.reflex_pitch_sd > eye.reflex_yaw_sd);
    }
  }
}

TEST_CASE(a_childs_smaller_globe_has_a_cornea_as_large) {
  Scene scene({0.3, 0});
  scene.calibration.true_mm = 0.8;  // the fits see the head enlarged
  const double plane_mm = scene.calibration.ball.iris_plane_mm();
  const Vec3 axis = gaze_axis(scene.truth.yaw, scene.truth.pitch);
  const Vec3 cornea = scene.in_camera(scene.calibration.eyes[OS].centre +
                                      (plane_mm - adult_cornea_to_limbus_mm / scene.calibration.true_mm) * axis);
  const Vec2 seen = scene.calibration.camera.project(cornea);
  scene.detection.eyes[OS].reflexes[0] = {static_cast<float>(seen.x()), static_cast<float>(seen.y()), 1};
  EXPECT_NEAR(scene.measured().eyes[OS].reflex_gaze.yaw, 0.3, 0.2 * deg);
}

TEST_CASE(how_surely_the_reflex_tells_falls_with_how_far_the_eye_looks_past_the_camera_and_with_few_pixels) {
  Scene straight({0, 0}), aside({0.5, 0}), coarse({0, 0});
  for (EyeFit& eye : coarse.fit.eyes) eye.px_per_deg = 0.55;
  const double usual = straight.measured().eyes[OS].reflex_yaw_sd;
  EXPECT(aside.measured().eyes[OS].reflex_yaw_sd > 1.3 * usual);
  EXPECT(coarse.measured().eyes[OS].reflex_yaw_sd > 1.02 * usual);
}

TEST_CASE(no_reflex_is_taken_that_may_be_another_lamp_s) {
  const auto told = [](Scene& scene) { return std::isfinite(scene.measured().eyes[OD].reflex_gaze.yaw); };
  Scene one({0.1, 0}), none({0.1, 0}), far_off({0.1, 0}), two({0.1, 0}), with_window({0.1, 0}), coarse({0.1, 0}),
      shut({0.1, 0});
  Scene no_number({0.1, 0});
  no_number.detection.eyes[OD].reflexes[0].x = NAN;
  EXPECT(!told(no_number));
  Scene crowded({0.1, 0});  // more spots than are kept, any of which may be it
  for (Landmark& reflex : crowded.detection.eyes[OD].reflexes)
    if (reflex.confidence == 0) reflex = {10, 10, 1};
  EXPECT(!told(crowded));
  Reflexes& absent = none.detection.eyes[OD].reflexes;
  absent[0].confidence = 0;
  far_off.detection.eyes[OD].reflexes[0].x += 8;
  two.detection.eyes[OD].reflexes[1] = two.detection.eyes[OD].reflexes[0];
  two.detection.eyes[OD].reflexes[1].x += 2;
  with_window.detection.eyes[OD].reflexes[1] = with_window.detection.eyes[OD].reflexes[0];
  with_window.detection.eyes[OD].reflexes[1].y -= 9;
  coarse.fit.eyes[OD].px_per_deg = 0.4;
  shut.fit.eyes[OD].reason = Reason::closed;
  EXPECT(told(one) && told(with_window));
  EXPECT(!told(none) && !told(far_off) && !told(two) && !told(coarse) && !told(shut));
}

int main(int argc, char** argv) { return test::run(argc, argv); }
