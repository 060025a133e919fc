// Every problem's Jacobian against central differences of the very residuals that the solver uses, and its prior's
// gradient against its cost.
#include <cstdlib>
#include <random>

#include "check.hpp"
#include "fit/calibration.hpp"
#include "fit/levenberg.hpp"
#include "geometry/rotation.hpp"

using namespace dmask;

namespace {

template <class Problem>
void expect_derivatives(Problem& problem, const typename Problem::State& state, double tolerance, double h = 1e-5) {
  problem.match(state);
  VecX r, plus, minus;
  RowsX jacobian;
  problem.residuals(state, r, &jacobian);
  VecX gradient = VecX::Zero(problem.size()), curvature = VecX::Zero(problem.size());
  problem.prior(state, &gradient, &curvature);
  double worst = 0, worst_prior = 0;
  for (int k = 0; k < problem.size(); ++k) {
    VecX step = VecX::Zero(problem.size());
    step[k] = h;
    typename Problem::State above, below;
    problem.plus(state, step, above);
    problem.plus(state, -step, below);
    problem.residuals(above, plus, nullptr);
    problem.residuals(below, minus, nullptr);
    const VecX column = (plus - minus) / (2 * h);
    const double scale = 1 + column.cwiseAbs().maxCoeff();
    worst = std::max(worst, (column - jacobian.col(k)).cwiseAbs().maxCoeff() / scale);
    const double slope = (problem.prior(above, nullptr, nullptr) - problem.prior(below, nullptr, nullptr)) / (2 * h);
    worst_prior = std::max(worst_prior, std::abs(slope - gradient[k]) / (1 + std::abs(slope)));
  }
  EXPECT_NEAR(worst, 0, tolerance);
  EXPECT_NEAR(worst_prior, 0, 1e-4);
}

struct Scene {
  Models models = Models::load(std::getenv("DMASK_MODELS"), std::getenv("DMASK_MODELS"));
  FitOptions options;
  Camera camera = Camera::from_hfov(512, 512, 40);
  std::mt19937 random{7};

  double normal(double sigma) { return std::normal_distribution<double>(0, sigma)(random); }
  VecX normals(Eigen::Index n, double sigma) {
    VecX v(n);
    for (double& x : v) x = normal(sigma);
    return v;
  }
  FacePose pose() {
    FacePose p;
    p.rotation = head_rotation({normal(15), normal(8), normal(6)});
    p.translation = Vec3(normal(10), normal(10), 600);
    p.units = normals(models.face.units(), 0.2).cwiseAbs().cwiseMin(0.9).cwiseMax(0.05);
    return p;
  }
  FaceObservation observe() {
    FrameDetection d;
    for (Landmark& l : d.face) l = {static_cast<float>(256 + normal(60)), static_cast<float>(256 + normal(60)), 0.9f};
    return FaceObservation::from(d, options);
  }
};

void face_jacobian_matches_central_differences(Scene& scene) {
  const FaceObservation observation = scene.observe();
  const SubjectFace mean = scene.models.face.contract(scene.models.landmark_rows.rows, VecXf::Zero(10));
  const LandmarkFace face{mean.neutral.cast<double>(), mean.units.cast<double>()};
  const UnitPrior units = UnitPrior::from(scene.models.face, scene.options);
  const FacePose pose = scene.pose();
  FacePose previous = pose;
  previous.rotation = exp_so3({0.01, -0.02, 0.01}) * previous.rotation;
  previous.translation += Vec3(1, -2, 3);
  const FaceSmoothing smoothing{previous, 2 * deg, 3, 8, 0.15};
  FaceProblem problem(face, scene.models.landmark_rows, units, scene.camera, observation, &smoothing);
  // The smoothing of the rotation takes log's derivative as identity: exact to first order in the turn.
  problem.match(pose);
  FaceProblem free(face, scene.models.landmark_rows, units, scene.camera, observation, nullptr);
  expect_derivatives(free, pose, 1e-5);
}

void face_window_jacobian_matches_central_differences(Scene& scene) {
  const std::vector<FaceObservation> observations = {scene.observe(), scene.observe()};
  const UnitPrior units = UnitPrior::from(scene.models.face, scene.options);
  FaceWindowProblem problem(scene.models.face, scene.models.landmark_rows, units, scene.camera, observations, 12);
  FaceWindowProblem::State state{scene.normals(12, 0.5), {scene.pose(), scene.pose()}};
  // The model's own numbers are single precision: a wider step keeps their rounding out.
  expect_derivatives(problem, state, 2e-3, 3e-3);
}

EyelidObservation lids(Scene& scene) {
  EyeDetection eye;
  for (int k = 0; k < 20; ++k) {
    const double angle = k <= 10 ? M_PI * k / 10 : M_PI * (k - 20) / 10;
    eye.lid[k] = {static_cast<float>(230 - 40 * std::cos(angle)), static_cast<float>(250 - 12 * std::sin(angle)), 0.9f};
  }
  for (int line = 0; line < 4; ++line)
    for (int k = 0; k < 20; ++k)
      eye.lines[line][k] = {static_cast<float>(190 + 4 * k), static_cast<float>(line == CREASE ? 225 : 275), 0.9f};
  const FacePose pose = scene.pose();
  return {pose.rotation, pose.translation, LidCurves::from(eye, scene.options), eye.lines, 80};
}

void eyelid_jacobian_matches_central_differences(Scene& scene) {
  const std::vector<EyelidObservation> frames = {lids(scene), lids(scene)};
  const EyelidModel& model = scene.models.eyelid[OS];
  EyelidProblem window(scene.models.eyelid_rows[OS], model.centre.cast<double>(), scene.camera, scene.options, frames);
  EyelidProblem::State state;
  state.shape = scene.normals(model.shape.cols(), 0.3);
  state.offset = Vec3(0.4, -0.3, 0.2);
  state.roll = 0.03;
  state.motion = {scene.normals(model.motion.cols(), 0.3), scene.normals(model.motion.cols(), 0.3)};
  expect_derivatives(window, state, 1e-5);

  const FrozenEyelid frozen = window.freeze(state);
  EyelidProblem tracking(scene.models.eyelid_rows[OS], frozen, scene.camera, scene.options, frames);
  tracking.smooth_towards(state.motion[1], 0.7);
  expect_derivatives(tracking, state, 1e-5);
  VecX a, b;
  window.place(state, 0, a);
  tracking.place(state, 0, b);
  EXPECT_NEAR((a - b).cwiseAbs().maxCoeff(), 0, 1e-9);
}

void eyeball_jacobian_matches_central_differences(Scene& scene) {
  EyeDetection eye;
  for (int i = 0; i < 19; ++i) {
    const double angle = M_PI * 20 * (i - 1) / 180;
    eye.iris[i] = {static_cast<float>(250 + (i ? 9 * std::sin(angle) : 0)), static_cast<float>(255 - (i ? 8 * std::cos(angle) : 0)), 0.9f};
  }
  const FacePose pose = scene.pose();
  std::vector<EyeballObservation> observations;
  for (int e = 0; e < 2; ++e)
    observations.push_back(EyeballObservation::from(eye, e, pose.rotation, pose.translation, 80, scene.options));
  EyeballProblem::State state;
  state.centre = {scene.models.eyelid[OD].centre.cast<double>(), scene.models.eyelid[OS].centre.cast<double>()};
  state.gaze = {{0.2, -0.1}, {-0.3, 0.15}};
  EyeballProblem statics(scene.camera, scene.options, observations, state, true);
  state.centre[0] += Vec3(0.3, 0.2, -0.1);
  state.ball.iris_radius_mm = 6.0;
  expect_derivatives(statics, state, 1e-5);
  EyeballProblem gaze(scene.camera, scene.options, observations, state, false);
  gaze.smooth_towards({0.1, 0.1}, 0.2);
  expect_derivatives(gaze, state, 1e-5);
}

void levenberg_never_raises_the_cost(Scene& scene) {
  for (int trial = 0; trial < 20; ++trial) {
    const std::vector<EyelidObservation> frames = {lids(scene)};
    const EyelidModel& model = scene.models.eyelid[OD];
    EyelidProblem window(scene.models.eyelid_rows[OD], model.centre.cast<double>(), scene.camera, scene.options, frames);
    EyelidProblem::State state;
    state.shape = scene.normals(model.shape.cols(), 1);
    state.motion = {scene.normals(model.motion.cols(), 2)};
    LevenbergWorkspace workspace;
    const LevenbergStats stats = levenberg(window, state, {.max_iterations = 1}, workspace);
    EXPECT(stats.cost <= stats.initial_cost);
    EXPECT(state.motion[0].allFinite());
  }
}

void head_angles_invert_head_rotation() {
  const HeadAngles a = head_angles(head_rotation({25, -12, 7}));
  EXPECT_NEAR(a.yaw_deg, 25, 1e-9);
  EXPECT_NEAR(a.pitch_deg, -12, 1e-9);
  EXPECT_NEAR(a.roll_deg, 7, 1e-9);
}

}  // namespace

int main() {
  Scene scene;
  face_jacobian_matches_central_differences(scene);
  face_window_jacobian_matches_central_differences(scene);
  eyelid_jacobian_matches_central_differences(scene);
  eyeball_jacobian_matches_central_differences(scene);
  levenberg_never_raises_the_cost(scene);
  head_angles_invert_head_rotation();
  return dmask::test::report(6);
}
