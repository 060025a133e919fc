// Every problem's Jacobian against central differences of the very residuals that the solver uses, its prior's slopes
// and curvatures against its cost, and the smoothing between frames against Eqs. (17-19).
#include <random>

#include "check.hpp"
#include "detect/face68.hpp"
#include "fit/calibration.hpp"
#include "fit/levenberg.hpp"
#include "fit/motion.hpp"
#include "geometry/larger.hpp"
#include "geometry/rotation.hpp"
#include "models_dir.hpp"

using namespace dmask;

namespace {

template <class Problem>
struct Neighbours {  // a step to both sides along one unknown
  typename Problem::State above, below;
  Neighbours(const Problem& problem, const typename Problem::State& state, int unknown, double h) {
    VecX step = VecX::Zero(problem.size());
    step[unknown] = h;
    problem.plus(state, step, above);
    problem.plus(state, -step, below);
  }
};

void expect_small(const char* what, int unknown, double error, double limit) {
  if (!(error <= limit)) std::fprintf(stderr, "%s by unknown %d:\n", what, unknown);
  EXPECT_NEAR(error, 0, limit);
}

template <class Problem>
void expect_jacobian(Problem& problem, const typename Problem::State& state, double tolerance, double h = 1e-5) {
  problem.match(state);
  VecX r, above, below;
  RowsX jacobian;
  problem.residuals(state, r, &jacobian);
  for (int k = 0; k < problem.size(); ++k) {
    const Neighbours<Problem> near(problem, state, k, h);
    problem.residuals(near.above, above, nullptr);
    problem.residuals(near.below, below, nullptr);
    const VecX column = (above - below) / (2 * h);
    const double scale = 1 + column.cwiseAbs().maxCoeff();
    expect_small("residuals' derivative", k, largest_difference(column, jacobian.col(k)) / scale, tolerance);
  }
}

template <class Problem>
void expect_prior(Problem& problem, const typename Problem::State& state) {
  constexpr double h = 1e-3;  // the cost is quadratic, but for the turn's
  VecX gradient = VecX::Zero(problem.size()), curvature = VecX::Zero(problem.size());
  const double cost = problem.prior(state, &gradient, &curvature);
  EXPECT(cost == problem.prior(state, nullptr, nullptr));
  for (int k = 0; k < problem.size(); ++k) {
    const Neighbours<Problem> near(problem, state, k, h);
    const double above = problem.prior(near.above, nullptr, nullptr);
    const double below = problem.prior(near.below, nullptr, nullptr);
    const double slope = (above - below) / (2 * h), bend = (above - 2 * cost + below) / (h * h);
    expect_small("prior's slope", k, std::abs(slope - gradient[k]) / (1 + std::abs(slope)), 1e-5);
    expect_small("prior's curvature", k, std::abs(bend - curvature[k]) / (1 + std::abs(bend)), 1e-3);
  }
}

template <class Problem>
double prior_cost(const Problem& problem, const typename Problem::State& state) {
  return problem.prior(state, nullptr, nullptr);
}

const Models& models() {
  static const Models loaded = Models::load(test::models_dir(), test::models_dir());
  return loaded;
}

struct Scene {
  FitOptions options;
  Camera camera = Camera::from_hfov(512, 512, 40);
  std::mt19937 random{7};

  double normal(double sigma) { return std::normal_distribution<double>(0, sigma)(random); }
  VecX normals(Eigen::Index n, double sigma) {
    VecX v(n);
    for (double& x : v) x = normal(sigma);
    return v;
  }
  Landmark seen(const Vec2& px, double noise_px) {
    return {static_cast<float>(px.x() + normal(noise_px)), static_cast<float>(px.y() + normal(noise_px)), 0.9f};
  }
  FacePose pose() {
    FacePose p;
    p.rotation = head_rotation({normal(15), normal(8), normal(6)});
    p.translation = Vec3(normal(10), normal(10), 600);
    p.units = normals(models().face.units(), 0.2).cwiseAbs().cwiseMin(0.9).cwiseMax(0.05);  // off the bounds
    return p;
  }
  FaceObservation face() {
    FrameDetection d;
    for (Landmark& l : d.face) l = seen({256, 256}, 60);
    return FaceObservation::from(d, options);
  }
  // Lids, crease and bulge line near those of the mean eye, and a pose that shows them.
  EyelidObservation lids(Eye eye) {
    const EyelidModel& model = models().eyelid[eye];
    const EyelidRows& rows = models().eyelid_rows[eye];
    const FacePose p = pose();
    const auto see = [&](double row) {
      const Vec3 x = rows.patch.segment<3>(3 * static_cast<int>(row)) + model.centre.cast<double>();
      return seen(camera.project(p.rotation * x + p.translation), 0.7);
    };
    EyeDetection d;
    for (int k = 0; k <= 10; ++k) d.lid[k] = see(6 * k);
    for (int k = 1; k < 10; ++k) d.lid[20 - k] = see(EyelidRows::margin_samples + 6 * k);
    const int crease = 2 * EyelidRows::margin_samples, bulge = crease + rows.crease;
    for (int k = 0; k < 20; ++k) {
      d.lines[CREASE][k] = see(crease + k * (rows.crease - 1) / 19.0);
      d.lines[BULGE][k] = see(bulge + k * (rows.bulge - 1) / 19.0);
    }
    return {p.rotation, p.translation, LidCurves::from(d, Vec2(0, -1), options), d.lines, 80};
  }
  // The mean eye's iris, turned by `gaze`.
  EyeballObservation iris(Eye eye, const FacePose& p, const Gaze& gaze) {
    const Eyeball ball;
    const Mat3 frame = gaze_frame(gaze.yaw, gaze.pitch);
    EyeDetection d;
    for (int i = 0; i < 19; ++i) {
      const double angle = M_PI / 2 - 20 * deg * (i - 1), r = i == 0 ? 0 : ball.iris_radius_mm;
      const Vec3 on_globe(r * std::cos(angle), r * std::sin(angle), ball.iris_plane_mm());
      const Vec3 x = models().eyelid[eye].centre.cast<double>() + frame * on_globe;
      d.iris[i] = seen(camera.project(p.rotation * x + p.translation), 0.5);
    }
    return EyeballObservation::from(d, eye, p.rotation, p.translation, 80, options);
  }
};

struct FaceScene : Scene {
  LandmarkFace subject;
  UnitPrior units = UnitPrior::from(models().face, options);
  FaceObservation observation = face();
  FacePose now = pose();
  FaceSmoothing smoothing{now, 2 * deg, 3, 8, 0.15};

  FaceScene() {
    const SubjectFace mean = models().face.contract(models().landmark_rows.rows, VecXf::Zero(10));
    subject = {mean.neutral.cast<double>(), mean.units.cast<double>()};
    smoothing.previous.rotation = exp_so3({0.01, -0.02, 0.01}) * now.rotation;
    smoothing.previous.translation += Vec3(1, -2, 3);
    smoothing.previous.units = pose().units;
  }
  FaceProblem problem(const FaceSmoothing* smoothed) const {
    return FaceProblem(subject, models().landmark_rows, units, camera, observation, smoothed);
  }
};

TEST_CASE(the_face_has_the_derivatives_of_its_residuals) {
  FaceScene scene;
  FaceProblem problem = scene.problem(nullptr);
  expect_jacobian(problem, scene.now, 1e-5);
  expect_prior(problem, scene.now);
}

TEST_CASE(hidden_landmarks_tell_little_and_a_jaw_below_a_hidden_mouth_less) {
  const FitOptions options;
  FrameDetection bare;
  for (int i = 0; i < face68::count; ++i) bare.face[i] = {200.0f + 3 * i, 200.0f + static_cast<float>(i * i % 50), 1};
  FrameDetection masked = bare;
  for (int i = face68::eyes_end; i < face68::count; ++i) masked.face[i].confidence = 0.02f;
  masked.face[face68::nose_tip].confidence = 0.5f;
  const FaceObservation seen = FaceObservation::from(bare, options), hidden = FaceObservation::from(masked, options);
  const auto share = [&](int i) {  // of the information
    return std::pow(hidden.root_information[i].norm() / seen.root_information[i].norm(), 2);
  };
  EXPECT_NEAR(share(face68::nasion), 1, 1e-9);
  EXPECT_NEAR(share(face68::nose_tip), 1 / 16.0, 1e-6);
  EXPECT_NEAR(share(face68::eyes_end), 0.02, 1e-9);
  EXPECT_NEAR(share(3), options.hidden_jaw_information, 0.02);
  EXPECT(seen.nod_sigma == 0);
  EXPECT_NEAR(hidden.nod_sigma, options.hidden_nod_sigma_deg * deg, 0.03 * deg * options.hidden_nod_sigma_deg);
}

TEST_CASE(the_smoothed_face_has_the_derivatives_of_its_cost) {
  FaceScene scene;
  FaceProblem problem = scene.problem(&scene.smoothing);
  expect_jacobian(problem, scene.now, 1e-5);
  expect_prior(problem, scene.now);
}

TEST_CASE(the_smoothing_of_the_face_costs_what_eq_17_says) {
  FaceScene scene;
  const FaceSmoothing& s = scene.smoothing;
  const double turn = Eigen::AngleAxisd(scene.now.rotation * s.previous.rotation.transpose()).angle();
  const Vec3 moved = scene.now.translation - s.previous.translation;
  const double units = (scene.now.units - s.previous.units).squaredNorm() / std::pow(0.15, 2);
  const double expected =
      std::pow(turn / (2 * deg), 2) + moved.head<2>().squaredNorm() / 9 + std::pow(moved.z() / 8, 2) + units;
  const FaceProblem smoothed = scene.problem(&s), free = scene.problem(nullptr);
  EXPECT(expected > 1);
  EXPECT_NEAR(prior_cost(smoothed, scene.now) - prior_cost(free, scene.now), 0.5 * expected, 1e-6);
  EXPECT_NEAR(prior_cost(smoothed, s.previous) - prior_cost(free, s.previous), 0, 1e-9);
}

TEST_CASE(a_face_smoothed_tightly_stays_where_it_was) {
  FaceScene scene;
  scene.smoothing = {scene.smoothing.previous, 1e-7, 1e-7, 1e-7, 1e-7};
  FaceProblem problem = scene.problem(&scene.smoothing);
  FacePose fitted = scene.now;
  LevenbergWorkspace workspace;
  levenberg(problem, fitted, {.max_iterations = 20}, workspace);
  EXPECT(largest_difference(fitted.rotation, scene.smoothing.previous.rotation) < 1e-5);
  EXPECT(largest_difference(fitted.translation, scene.smoothing.previous.translation) < 1e-5);
  EXPECT(largest_difference(fitted.units, scene.smoothing.previous.units) < 1e-5);
}

// A frame that goes on from another one, with what its pictures say about the motion.
struct MotionScene : FaceScene {
  Calibration calibration;
  FrameFit before;
  FrameDetection detection;

  MotionScene() {
    calibration.camera = camera;
    calibration.face = subject;
    calibration.eyes[OD].centre = models().eyelid[OD].centre.cast<double>();
    before.time_s = detection.moved_since_s = 2;
    before.face_reason = Reason::none;
    before.pose = now;
    before.eyes[OD].gaze_found = true;
    before.eyes[OD].gaze = {0.1, -0.05};
    for (PointMotion& m : detection.motion) m = {0.1f, -0.2f, 400, 0, 400};
    detection.iris_motion[OD] = {0.1f, -0.2f, 400, 0, 400};
    observation.interocular_px = 250;
  }
  Vec2 then(int i) const {  // where the fit of the frame before had a landmark
    return camera.project(now.rotation * vertex(subject, i, now.units) + now.translation);
  }
};

TEST_CASE(a_face_that_hardly_moves_is_where_its_pixels_say) {
  MotionScene scene;
  const FaceObservation net = scene.observation;
  take_motion(scene.detection, scene.before, scene.calibration, scene.options, scene.observation);
  for (int i = 0; i < face68::count; ++i) {
    const Eigen::Matrix2d &root = scene.observation.root_information[i], &of_net = net.root_information[i];
    const bool moving = i >= first_moving && i < first_moving + moving_points;
    if (!moving) {
      EXPECT(scene.observation.points[i] == net.points[i]);
      EXPECT(root == of_net);
      continue;
    }
    // Two sights of a point count by what each is worth.
    const double sigma2 = std::pow(0.004 * 250, 2) + std::pow(0.3 * std::hypot(0.1, 0.2), 2) + 1 / 400.0;
    const double of_motion = 1 / sigma2, w = (of_net.transpose() * of_net)(0, 0);
    const Vec2 there = scene.then(i) + Vec2(0.1, -0.2),
               between = (w * net.points[i] + of_motion * there) / (w + of_motion);
    EXPECT_NEAR((scene.observation.points[i] - between).norm(), 0, 1e-6);
    EXPECT(largest_difference(root * root, (w + of_motion) * Eigen::Matrix2d::Identity()) < 1e-9);
  }
}

TEST_CASE(of_a_face_that_turns_and_of_another_frame_the_net_alone_says_where_it_is) {
  MotionScene turning, another;
  const FaceObservation net = turning.observation;
  for (int k = 0; k < moving_points; ++k) turning.detection.motion[k].x = k % 2 ? 9.0f : -9.0f;
  take_motion(turning.detection, turning.before, turning.calibration, turning.options, turning.observation);
  another.before.time_s = 1.9;
  take_motion(another.detection, another.before, another.calibration, another.options, another.observation);
  for (int i = face68::jaw_end; i < face68::nose_end; ++i) {
    EXPECT(another.observation.points[i] == net.points[i]);
    const double farther = (turning.then(i) - net.points[i]).norm() + 20;
    EXPECT((turning.observation.points[i] - net.points[i]).norm() < 0.02 * farther);
  }
}

TEST_CASE(an_iris_is_followed_while_it_hardly_turns_in_its_orbit) {
  const MotionScene scene;
  const auto moved = [&](const PointMotion& iris) {
    FrameDetection detection = scene.detection;
    detection.iris_motion[OD] = iris;
    EyeballObservation o;
    o.points.fill(Vec2(300, 200));
    o.root_information.fill(1 / (0.005 * 250));
    take_motion(detection, scene.before, scene.calibration, 250, scene.options, o);
    EXPECT(o.points[1] == Vec2(300, 200));
    return o;
  };
  const Vec3 pupil = scene.calibration.eyes[OD].centre + Eyeball().iris_plane_mm() * gaze_axis(0.1, -0.05);
  const Vec2 there = scene.camera.project(scene.now.rotation * pupil + scene.now.translation) + Vec2(0.1, -0.2);
  const double away = (there - Vec2(300, 200)).norm();
  const EyeballObservation still = moved(scene.detection.iris_motion[OD]);
  EXPECT((still.points[0] - there).norm() < 0.06 * away);
  EXPECT(still.root_information[0] > 3 / (0.005 * 250));
  const EyeballObservation turned = moved({4.1f, -0.2f, 400, 0, 400});
  EXPECT((turned.points[0] - Vec2(300, 200)).norm() < 0.15 * away);
  const EyeballObservation unseen = moved({});
  EXPECT(unseen.points[0] == Vec2(300, 200));
}

TEST_CASE(a_window_of_faces_has_the_derivatives_of_its_residuals) {
  Scene scene;
  const std::vector<FaceObservation> observations = {scene.face(), scene.face()};
  const UnitPrior units = UnitPrior::from(models().face, scene.options);
  FaceWindowProblem problem(models().face, models().landmark_rows, units, scene.camera, observations, 12);
  FaceWindowProblem::State state{scene.normals(12, 0.5), {scene.pose(), scene.pose()}};
  // The model's own numbers are single precision: a wider step keeps their rounding out.
  expect_jacobian(problem, state, 2e-3, 3e-3);
  expect_prior(problem, state);
}

TEST_CASE(a_window_of_faces_with_hidden_mouths_holds_the_nod_back) {
  Scene scene;
  std::vector<FaceObservation> bare = {scene.face(), scene.face()}, masked = bare;
  masked[1].nod_sigma = 8 * deg;
  const UnitPrior units = UnitPrior::from(models().face, scene.options);
  const auto window = [&](const std::vector<FaceObservation>& seen) {
    return FaceWindowProblem(models().face, models().landmark_rows, units, scene.camera, seen, 12);
  };
  const FaceWindowProblem free = window(bare), held = window(masked);
  const auto nod_cost = [&](const FaceWindowProblem::State& state) {
    return prior_cost(held, state) - prior_cost(free, state);
  };
  const auto nodding = [&](double nod, double roll) {
    FacePose pose = scene.pose();
    pose.rotation = exp_so3({0, 0, roll}) * exp_so3({nod, 0, 0}) * frontal();
    return FaceWindowProblem::State{scene.normals(12, 0.5), {scene.pose(), pose}};
  };
  for (const double roll : {0.0, 0.5 * M_PI, M_PI, -0.7})
    for (const double nod : {0.0, 0.1, -0.3})
      EXPECT_NEAR(nod_cost(nodding(nod, roll)), 0.5 * std::pow(nod / (8 * deg), 2), 1e-6);

  constexpr double h = 1e-4;
  const FaceWindowProblem::State state = nodding(0.2, 0.4);
  const auto slopes = [&](const FaceWindowProblem& problem, VecX& curvature) {
    VecX gradient = VecX::Zero(problem.size());
    curvature = VecX::Zero(problem.size());
    problem.prior(state, &gradient, &curvature);
    return gradient;
  };
  VecX curvature_held, curvature_free;
  const VecX slope = slopes(held, curvature_held) - slopes(free, curvature_free);
  const VecX curvature = curvature_held - curvature_free;
  for (int k = 0; k < held.size(); ++k) {
    const Neighbours<const FaceWindowProblem> near(held, state, k, h);
    const double expected = (nod_cost(near.above) - nod_cost(near.below)) / (2 * h);
    expect_small("nod's slope", k, std::abs(expected - slope[k]), 1e-5);
    const double nods = 0.2 / (8 * deg);  // of Gauss-Newton: the square of the residual's slope
    expect_small("nod's curvature", k, std::abs(curvature[k] - std::pow(slope[k] / nods, 2)), 1e-5);
  }
}

struct LidScene : Scene {
  const EyelidModel& model = models().eyelid[OS];
  const EyelidRows& rows = models().eyelid_rows[OS];
  std::vector<EyelidObservation> frames = {lids(OS), lids(OS)};
  EyelidProblem window{rows, model.centre.cast<double>(), camera, options, frames};
  EyelidProblem::State state{normals(model.shape.cols(), 0.3),
                             {0.4, -0.3, 0.2},
                             0.03,
                             {normals(model.motion.cols(), 0.3), normals(model.motion.cols(), 0.3)}};
  FrozenEyelid frozen = window.freeze(state);
  VecX previous = normals(model.motion.cols(), 0.5);

  // Points of the four lines that take part in the fit, of both frames.
  int line_points(EyelidProblem& problem) const {
    VecX r;
    problem.match(state);
    problem.residuals(state, r, nullptr);
    const int of_a_frame = static_cast<int>(r.size()) / 2, lines = of_a_frame - 2 * dense_points;
    int count = 0;
    for (int frame = 0; frame < 2; ++frame)
      for (int k = 0; k < lines; k += 2) count += r.segment<2>((frame + 1) * of_a_frame - lines + k).norm() > 0;
    return count;
  }
};

// A cubic would be 0.2 mm too high.
TEST_CASE(curves_of_the_lids_are_as_high_as_the_margins_at_the_pupil) {
  const EyelidRows& rows = models().eyelid_rows[OS];
  constexpr int n = EyelidRows::margin_samples;
  const auto height = [&](int lid, double x) {  // of the mean open lids, mm
    int k = 0;
    while (k < n - 2 && rows.patch[3 * (lid * n + k + 1)] < x) ++k;
    const auto at = [&](int i, int axis) { return rows.patch[3 * (lid * n + i) + axis]; };
    return at(k, 1) + (x - at(k, 0)) / (at(k + 1, 0) - at(k, 0)) * (at(k + 1, 1) - at(k, 1));
  };
  const double inner = rows.patch[0], outer = rows.patch[3 * (n - 1)];
  constexpr double px_per_mm = 10;
  EyeDetection eye;
  for (int k = 0; k <= 10; ++k) {
    const double x = inner + 0.1 * k * (outer - inner);
    const auto seen_at = [&](double y) {
      return Landmark{static_cast<float>(px_per_mm * x), static_cast<float>(-px_per_mm * y), 1};
    };
    eye.lid[k] = seen_at(height(0, x));
    if (k > 0 && k < 10) eye.lid[20 - k] = seen_at(height(1, x));
  }
  const LidCurves curves = LidCurves::from(eye, Vec2(0, -1), FitOptions{});
  for (int k = 0; k < dense_per_lid; ++k) {
    const Vec2 upper = curves.dense[k] / px_per_mm, lower = curves.dense[dense_per_lid + k] / px_per_mm;
    if (std::abs(upper.x()) < 3) EXPECT_NEAR(-upper.y(), height(0, upper.x()), 0.08);
    if (std::abs(lower.x()) < 3) EXPECT_NEAR(-lower.y(), height(1, lower.x()), 0.08);
  }
}

// The same curve with the outer canthus where its margins are apart: the canthus must not draw them together elsewhere.
TEST_CASE(an_outer_canthus_before_the_margins_join_leaves_the_curves_where_they_are) {
  EyeDetection eye;
  const auto height = [](double x) { return 60 * x * (1.25 - x); };  // px; at the canthus 15 are left
  for (int k = 0; k <= 10; ++k) {
    const float x = 20.0f * k, y = k < 10 ? static_cast<float>(height(0.1 * k)) : 0;
    eye.lid[k] = {x, -y, 1};
    if (k > 0 && k < 10) eye.lid[20 - k] = {x, y, 1};
  }
  const LidCurves curves = LidCurves::from(eye, Vec2(0, -1), FitOptions{});
  for (int k = 0; k < dense_per_lid; ++k)
    if (dense_abscissa(k) < 0.9) EXPECT_NEAR(-curves.dense[k].y(), height(dense_abscissa(k)), 0.9);
}

// `opening` of the width, with the first `limbus` points of an iris in sight.
EyeDetection slit(double opening, int limbus) {
  EyeDetection eye;
  for (int k = 0; k <= 10; ++k) {
    const double s = 0.1 * k, h = 100 * 0.5 * opening * 4 * s * (1 - s);
    eye.lid[k] = {static_cast<float>(100 * s), static_cast<float>(-h), 1};
    if (k > 0 && k < 10) eye.lid[20 - k] = {static_cast<float>(100 * s), static_cast<float>(h), 1};
  }
  for (int k = 1; k <= limbus; ++k) eye.iris[k].confidence = 0.9f;
  return eye;
}

double seen_opening(const LidCurves& curves) {
  double most = 0;
  for (int k = 0; k < dense_per_lid; ++k)
    most = std::max(most, (curves.dense[dense_per_lid + k] - curves.dense[k]).norm() / curves.width_px);
  return most;
}

TEST_CASE(a_slit_with_an_iris_in_it_is_open_and_one_without_is_the_shadow_of_lashes) {
  const FitOptions options;
  const auto curves = [&](double opening, int limbus) {
    return LidCurves::from(slit(opening, limbus), Vec2(0, -1), options);
  };
  const LidCurves with = curves(0.07, 4), without = curves(0.07, 0);
  EXPECT(!with.shut && without.shut);
  EXPECT_NEAR(seen_opening(with), 0.07, 0.003);
  EXPECT(seen_opening(without) < 1e-9);
  EXPECT(curves(0.025, 9).shut);
  EXPECT_NEAR(seen_opening(curves(0.14, 0)), 0.14, 0.003);  // wide open behind a hand, or looking far down
  // Its centre alone may be seen of an iris that looks down behind a slit, as surely as a gaze needs it.
  EyeDetection centre_alone = slit(0.07, 0);
  centre_alone.iris[0].confidence = 0.4f;
  EXPECT_NEAR(seen_opening(LidCurves::from(centre_alone, Vec2(0, -1), options)), 0.07, 0.003);
  // Or a little of its centre and a little of its limbus: of neither alone more than a shut eye has.
  EyeDetection far_down = slit(0.08, 0);
  far_down.iris[0].confidence = 0.2f;
  const double by_centre = seen_opening(LidCurves::from(far_down, Vec2(0, -1), options));
  for (int k = 1; k <= 5; ++k) far_down.iris[k].confidence = 0.35f;
  const double by_both = seen_opening(LidCurves::from(far_down, Vec2(0, -1), options));
  EXPECT(by_centre < 0.045 && by_both > 0.065);
  EyeDetection lashes = slit(0.07, 0);
  for (Landmark& point : lashes.iris) point.confidence = 0.1f;
  EXPECT(LidCurves::from(lashes, Vec2(0, -1), options).shut);
  // What is taken from an opening is known.
  EXPECT_NEAR(without.closed_by, 0.07, 0.003);
  EXPECT_NEAR(with.closed_by, 0, 1e-9);
  EXPECT(curves(0.105, 0).closed_by > 0.04 && curves(0.105, 0).closed_by < 0.065);
  double before = 0;
  for (double opening = 0.02; opening < 0.16; opening += 0.005) {  // no jump on the way
    const double now = seen_opening(curves(opening, 2));
    EXPECT(now >= before - 1e-9 && now < before + 0.03);
    before = now;
  }
}

// Points at the same shares of the way to the outer canthus lie on the model that they are of.
TEST_CASE(lids_that_end_at_the_outer_canthus_need_no_offset) {
  LidScene scene;
  constexpr int n = EyelidRows::margin_samples;
  const Vec3 centre = scene.model.centre.cast<double>();
  EyelidObservation& o = scene.frames[0];
  const auto px = [&](int row) {
    return scene.camera.project(o.rotation * (scene.rows.patch.segment<3>(3 * row) + centre) + o.translation);
  };
  for (int lid = 0; lid < 2; ++lid) {
    const Vec2 across = px(lid * n + n - 1) - px(lid * n);
    for (int k = 0; k < dense_per_lid; ++k) {
      const double s = outer_canthus_share * dense_abscissa(k);
      const auto share = [&](int row) { return (px(lid * n + row) - px(lid * n)).dot(across) / across.squaredNorm(); };
      int row = 0;
      while (row < n - 2 && share(row + 1) < s) ++row;
      const double b = (s - share(row)) / (share(row + 1) - share(row));
      o.curves.dense[lid * dense_per_lid + k] = (1 - b) * px(lid * n + row) + b * px(lid * n + row + 1);
    }
  }
  const std::vector<EyelidObservation> one = {o};
  EyelidProblem problem(scene.rows, centre, scene.camera, scene.options, one);
  EyelidProblem::State still{
      VecX::Zero(scene.model.shape.cols()), Vec3::Zero(), 0, {VecX::Zero(scene.model.motion.cols())}};
  VecX r;
  problem.match(still);
  problem.residuals(still, r, nullptr);
  EXPECT(r.head(2 * dense_points).cwiseAbs().maxCoeff() < 0.05);
}

TEST_CASE(a_window_of_eyelids_has_the_derivatives_of_its_residuals) {
  LidScene scene;
  EXPECT(scene.line_points(scene.window) > 20);
  expect_jacobian(scene.window, scene.state, 1e-5);
  expect_prior(scene.window, scene.state);
}

TEST_CASE(smoothed_eyelids_have_the_derivatives_of_their_cost) {
  LidScene scene;
  EyelidProblem tracking(scene.rows, scene.frozen, scene.camera, scene.options, scene.frames);
  tracking.smooth_towards(scene.previous, 0.7);
  EXPECT(scene.line_points(tracking) > 20);
  expect_jacobian(tracking, scene.state, 1e-5);
  expect_prior(tracking, scene.state);
}

TEST_CASE(frozen_eyelids_lie_where_those_of_the_window_lie) {
  LidScene scene;
  const EyelidProblem tracking(scene.rows, scene.frozen, scene.camera, scene.options, scene.frames);
  VecX a, b;
  scene.window.place(scene.state, 0, a);
  tracking.place(scene.state, 0, b);
  EXPECT(largest_difference(a, b) < 1e-9);
}

TEST_CASE(the_smoothing_of_the_eyelids_costs_what_eq_18_says) {
  LidScene scene;
  const EyelidProblem free(scene.rows, scene.frozen, scene.camera, scene.options, scene.frames);
  EyelidProblem smoothed(scene.rows, scene.frozen, scene.camera, scene.options, scene.frames);
  smoothed.smooth_towards(scene.previous, 0.7);
  double expected = 0;
  for (const VecX& motion : scene.state.motion) expected += (motion - scene.previous).squaredNorm() / std::pow(0.7, 2);
  EXPECT(expected > 1);
  EXPECT_NEAR(prior_cost(smoothed, scene.state) - prior_cost(free, scene.state), 0.5 * expected, 1e-9);
}

TEST_CASE(eyelids_smoothed_tightly_stay_where_they_were) {
  LidScene scene;
  EyelidProblem problem(scene.rows, scene.frozen, scene.camera, scene.options, scene.frames);
  problem.smooth_towards(scene.previous, 1e-7);
  LevenbergWorkspace workspace;
  levenberg(problem, scene.state, {.max_iterations = 20}, workspace);
  for (const VecX& motion : scene.state.motion) EXPECT(largest_difference(motion, scene.previous) < 1e-5);
}

struct IrisScene : Scene {
  FacePose head = pose();
  EyeballProblem::State state{{models().eyelid[OD].centre.cast<double>(), models().eyelid[OS].centre.cast<double>()},
                              {},
                              {{0.2, -0.1}, {-0.3, 0.15}}};
  EyeballProblem::State prior_mean = state;
  std::vector<EyeballObservation> observations = {iris(OD, head, {0.17, -0.06}), iris(OS, head, {-0.26, 0.11})};
  const Gaze previous{0.1, 0.12};

  IrisScene() {
    state.centre[OD] += Vec3(0.3, 0.2, -0.1);
    state.ball.iris_radius_mm = 6.0;
  }
  EyeballProblem statics() { return EyeballProblem(camera, options, observations, prior_mean, true); }
  EyeballProblem gazes() { return EyeballProblem(camera, options, observations, prior_mean, false); }
};

TEST_CASE(a_window_of_eyeballs_has_the_derivatives_of_its_residuals) {
  IrisScene scene;
  scene.observations[1].fixating = true;
  EyeballProblem statics = scene.statics();
  statics.keep_tilt(0.4);
  expect_jacobian(statics, scene.state, 1e-5);
  expect_prior(statics, scene.state);
}

TEST_CASE(a_long_look_aside_moves_the_globe_no_more_than_a_short_one) {
  IrisScene few, many;
  for (int k = 0; k < 7; ++k)
    for (int eye : {OD, OS}) {
      many.observations.push_back(many.observations[eye]);
      many.state.gaze.push_back(many.state.gaze[eye]);
    }
  EXPECT_NEAR(prior_cost(many.statics(), many.state), prior_cost(few.statics(), few.state), 1e-9);
}

TEST_CASE(a_fixation_draws_its_eye_alone) {
  IrisScene scene;
  const double without = prior_cost(scene.statics(), scene.state);
  scene.observations[1].fixating = true;
  EyeballProblem::State turned = scene.state;
  turned.gaze[0].yaw += 0.1;
  const double here = prior_cost(scene.statics(), scene.state), there = prior_cost(scene.statics(), turned);
  scene.observations[1].fixating = false;
  EXPECT(here > without + 1);
  EXPECT_NEAR(there - here, prior_cost(scene.statics(), turned) - without, 1e-9);
}

TEST_CASE(smoothed_gazes_have_the_derivatives_of_their_cost) {
  IrisScene scene;
  EyeballProblem gaze = scene.gazes();
  gaze.smooth_towards(scene.previous, 0.2);
  expect_jacobian(gaze, scene.state, 1e-5);
  expect_prior(gaze, scene.state);
}

TEST_CASE(the_smoothing_of_the_gaze_costs_what_eq_19_says) {
  IrisScene scene;
  EyeballProblem smoothed = scene.gazes();
  smoothed.smooth_towards(scene.previous, 0.2);
  double expected = 0;
  for (const Gaze& g : scene.state.gaze)
    expected += std::pow((g.yaw - 0.1) / 0.2, 2) + std::pow((g.pitch - 0.12) / 0.2, 2);
  EXPECT(expected > 1);
  EXPECT_NEAR(prior_cost(smoothed, scene.state) - prior_cost(scene.gazes(), scene.state), 0.5 * expected, 1e-9);
}

TEST_CASE(a_gaze_smoothed_tightly_stays_where_it_was) {
  IrisScene scene;
  EyeballProblem problem = scene.gazes();
  problem.smooth_towards(scene.previous, 1e-7);
  LevenbergWorkspace workspace;
  levenberg(problem, scene.state, {.max_iterations = 20}, workspace);
  for (const Gaze& g : scene.state.gaze) {
    EXPECT_NEAR(g.yaw, scene.previous.yaw, 1e-5);
    EXPECT_NEAR(g.pitch, scene.previous.pitch, 1e-5);
  }
}

TEST_CASE(levenberg_never_raises_the_cost) {
  LidScene scene;
  for (int trial = 0; trial < 20; ++trial) {
    scene.state.shape = scene.normals(scene.model.shape.cols(), 1);
    for (VecX& motion : scene.state.motion) motion = scene.normals(scene.model.motion.cols(), 2);
    LevenbergWorkspace workspace;
    const LevenbergStats stats = levenberg(scene.window, scene.state, {.max_iterations = 1}, workspace);
    EXPECT(stats.cost <= stats.initial_cost);
    EXPECT(scene.state.motion[0].allFinite());
  }
}

TEST_CASE(head_angles_invert_head_rotation) {
  const HeadAngles a = head_angles(head_rotation({25, -12, 7}));
  EXPECT_NEAR(a.yaw_deg, 25, 1e-9);
  EXPECT_NEAR(a.pitch_deg, -12, 1e-9);
  EXPECT_NEAR(a.roll_deg, 7, 1e-9);
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
