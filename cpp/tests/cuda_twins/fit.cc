// The fits' twins: the production problems and levenberg(), in double, on the same numbers.
#include <algorithm>
#include <cmath>
#include <vector>

#include "cuda_twins/twins.hpp"
#include "fit/eyeball_problem.hpp"
#include "fit/eyelid_problem.hpp"
#include "fit/face_problem.hpp"
#include "fit/levenberg.hpp"
#include "geometry/rotation.hpp"

namespace dmask::cuda {
namespace {

using RowMajor3 = Eigen::Matrix<double, 3, 3, Eigen::RowMajor>;

Mat3 rotation(const FitPose& pose) { return Eigen::Map<const RowMajor3>(pose.rotation); }
Vec3 translation(const FitPose& pose) { return Eigen::Map<const Vec3>(pose.translation); }
VecX doubles(const float* p, Eigen::Index n) { return Eigen::Map<const VecXf>(p, n).cast<double>(); }
MatX doubles(const float* p, Eigen::Index rows, Eigen::Index columns) {
  return Eigen::Map<const Eigen::MatrixXf>(p, rows, columns).cast<double>();
}

LevenbergOptions options_of(const FitSteps& s) {
  return {s.max_iterations, s.damping, s.step_tolerance, s.gain_tolerance, s.robust_scale};
}

void tell(FitOutcome& outcome, const LevenbergStats& stats, double residual_px) {
  outcome.iterations = stats.iterations;
  outcome.converged = stats.converged;
  outcome.cost = static_cast<float>(stats.cost);
  outcome.residual_px = static_cast<float>(residual_px);
}

// What levenberg() has at hand before its step.
template <class Problem, class State>
void linearise(Problem& problem, const State& state, const FitSteps& steps, std::ptrdiff_t at, const Linearised& out) {
  VecX r;
  RowsX jacobian;
  problem.match(state);
  problem.residuals(state, r, &jacobian);
  const double c2 = steps.robust_scale * static_cast<double>(steps.robust_scale);
  double cost = robust_cost(r, steps.robust_scale);
  for (Eigen::Index i = 0; i + 1 < r.size(); i += 2) {
    const double root_weight = std::pow(1 + r.segment<2>(i).squaredNorm() / c2, -0.25);
    r.segment<2>(i) *= root_weight;
    jacobian.middleRows<2>(i) *= root_weight;
  }
  const Eigen::Index n = problem.size();
  VecX gradient = jacobian.transpose() * r, curvature = VecX::Zero(n);
  cost += problem.prior(state, &gradient, &curvature);
  MatX hessian = jacobian.transpose() * jacobian;
  hessian.diagonal() += curvature;
  std::vector<char> fixed(n, 0);
  problem.active(state, gradient, fixed);
  for (Eigen::Index i = 0; i < n; ++i) {
    if (!fixed[i]) continue;
    hessian.row(i).setZero();
    hessian.col(i).setZero();
    hessian(i, i) = 1;
    gradient[i] = 0;
  }
  const auto put = [&](float* to, const auto& values) {
    if (to != nullptr)
      Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
          to + at * values.size(), values.rows(), values.cols()) = values.template cast<float>();
  };
  put(out.residuals, r);
  put(out.jacobian, jacobian);
  put(out.hessian, hessian);
  put(out.gradient, gradient);
  if (out.cost != nullptr) out.cost[at] = cost;
}

// One face problem and what it refers to.
struct FaceTwin {
  LandmarkFace face;
  LandmarkRows rows;
  UnitPrior prior;
  Camera camera;
  FaceObservation observation;
  FaceSmoothing smoothing;
  FaceProblem problem;

  FaceTwin(const FaceFits& fits, int p)
      : camera{fits.subjects.focal_px[fits.subject[p]]},
        problem(face, rows, prior, camera, observation, fits.smoothing != nullptr ? &smoothing : nullptr) {
    const FaceSubjects& all = fits.subjects;
    const std::ptrdiff_t subject = fits.subject[p], values = 3 * all.rows;
    face.neutral = doubles(all.neutral + subject * values, values);
    face.units = doubles(all.units + subject * values * all.unit_count, values, all.unit_count);
    rows.candidates = all.candidates;
    prior.sigma = doubles(all.unit_sigma, all.unit_count);
    for (int i = 0; i < 68; ++i) {
      observation.points[i] = doubles(fits.points + (p * 68 + i) * 2, 2);
      const float* w = fits.root_information + (p * 68 + i) * 3;
      observation.root_information[i] << w[0], w[1], w[1], w[2];
    }
    observation.interocular_px = fits.interocular_px[p];
    if (fits.smoothing == nullptr) return;
    const FaceSmooth& s = fits.smoothing[p];
    smoothing = {{rotation(s.previous), translation(s.previous),
                  doubles(fits.previous_units + p * all.unit_count, all.unit_count)},
                 s.rotation_sigma,
                 s.across_sigma_mm,
                 s.depth_sigma_mm,
                 s.unit_sigma};
  }
};

struct EyelidTwin {
  EyelidRows rows;
  FrozenEyelid frozen;
  Camera camera;
  FitOptions options;
  std::vector<EyelidObservation> frames;
  EyelidProblem::State state;

  EyelidTwin(const EyelidFits& fits, int p) {
    const EyelidSubjects& all = fits.subjects;
    const std::ptrdiff_t subject = fits.subject[p / 2], eye = 2 * subject + p % 2, values = 3 * all.rows;
    rows.crease = all.crease;
    rows.bulge = all.rows - 2 * EyelidRows::margin_samples - all.crease;
    frozen = {doubles(all.patch + eye * values, values),
              doubles(all.motion + eye * values * all.motions, values, all.motions)};
    rows.motion = frozen.motion;
    camera.focal_px = all.focal_px[subject];
    // The settings that these weights came from.
    EyelidObservation o{rotation(fits.pose[p / 2]), translation(fits.pose[p / 2]), {}, {}, 100};
    options.lid_sigma_pct = std::sqrt(18.0 / dense_points) / fits.seen[p].dense_weight;
    options.line_sigma_pct = std::sqrt(9.0 / (rows.crease + rows.bulge)) / fits.seen[p].line_weight;
    for (int k = 0; k < dense_points; ++k) o.curves.dense[k] = doubles(fits.dense + (p * dense_points + k) * 2, 2);
    for (int line = 0; line < 2; ++line)
      for (int k = 0; k < 20; ++k) {
        const float* l = fits.lines + ((p * 2 + line) * 20 + k) * 3;
        o.lines[line == 0 ? CREASE : BULGE][k] = {l[0], l[1], l[2]};
      }
    frames = {o};
    state.motion = {VecX::Zero(all.motions)};
  }
  bool smooth(const EyelidFits& fits, int p) const {
    return fits.seen[p].smooth_sigma > 0 && fits.face[p / 2].status == fit_from_previous;
  }
  EyelidProblem problem() const { return EyelidProblem(rows, frozen, camera, options, frames); }
  void smooth(const EyelidFits& fits, int p, EyelidProblem& problem) const {
    if (smooth(fits, p))
      problem.smooth_towards(doubles(fits.previous_motion + p * fits.subjects.motions, fits.subjects.motions),
                             fits.seen[p].smooth_sigma);
  }
};

}  // namespace

void fit_faces_twin(const FaceFits& fits, const FaceResults& results) {
  LevenbergWorkspace workspace;
  const bool from_previous = fits.smoothing != nullptr;
  for (int p = 0; p < fits.problems; ++p) {
    FitOutcome& outcome = results.outcome[p];
    if (fits.subject[p] < 0) {
      outcome = {};
      continue;
    }
    if (from_previous ? !(fits.smoothing[p].rotation_sigma > 0) : outcome.status == fit_from_previous) {
      if (from_previous) outcome = {};
      continue;
    }
    outcome = {};
    FaceTwin twin(fits, p);
    FacePose pose = twin.smoothing.previous;
    if (!from_previous)
      pose = {rotation(fits.start[p]), translation(fits.start[p]), VecX::Zero(fits.subjects.unit_count)};
    twin.problem.match(pose);
    if (!from_previous || twin.problem.residual_px(pose) < fits.jump * fits.interocular_px[p]) {
      const LevenbergStats stats = levenberg(twin.problem, pose, options_of(fits.steps), workspace);
      tell(outcome, stats, twin.problem.residual_px(pose));
      if (outcome.residual_px < fits.gate * fits.interocular_px[p])
        outcome.status = from_previous ? fit_from_previous : fit_afresh;
    }
    Eigen::Map<RowMajor3>(results.pose[p].rotation) = pose.rotation;
    Eigen::Map<Vec3>(results.pose[p].translation) = pose.translation;
    Eigen::Map<VecXf>(results.units + p * fits.subjects.unit_count, fits.subjects.unit_count) =
        pose.units.cast<float>();
  }
}

void linearise_faces_twin(const FaceFits& fits, const FaceResults& at, const Linearised& out) {
  for (int p = 0; p < fits.problems; ++p) {
    FaceTwin twin(fits, p);
    const FacePose pose{rotation(at.pose[p]), translation(at.pose[p]),
                        doubles(at.units + p * fits.subjects.unit_count, fits.subjects.unit_count)};
    linearise(twin.problem, pose, fits.steps, p, out);
    if (out.rows == nullptr) continue;
    const std::array<int, 68> rows = visible_rows(twin.face, twin.rows, pose, twin.camera);
    std::copy(rows.begin(), rows.end(), out.rows + p * 68);
  }
}

void fit_eyelids_twin(const EyelidFits& fits, const EyelidResults& results) {
  LevenbergWorkspace workspace;
  const int motions = fits.subjects.motions;
  for (int p = 0; p < 2 * fits.frames; ++p) {
    Eigen::Map<VecXf> motion(results.motion + p * motions, motions);
    motion.setZero();
    results.outcome[p] = {};
    if (!fits.seen[p].seen || fits.face[p / 2].status == fit_lost) continue;
    EyelidTwin twin(fits, p);
    EyelidProblem problem = twin.problem();
    twin.smooth(fits, p, problem);
    const bool smooth = twin.smooth(fits, p);
    if (smooth) twin.state.motion[0] = doubles(fits.previous_motion + p * motions, motions);
    const LevenbergStats stats = levenberg(problem, twin.state, options_of(fits.steps), workspace);
    tell(results.outcome[p], stats, problem.residual_px(twin.state, 0));
    results.outcome[p].status = smooth ? fit_from_previous : fit_afresh;
    motion = twin.state.motion[0].cast<float>();
  }
}

void linearise_eyelids_twin(const EyelidFits& fits, const EyelidResults& at, const Linearised& out) {
  for (int p = 0; p < 2 * fits.frames; ++p) {
    EyelidTwin twin(fits, p);
    EyelidProblem problem = twin.problem();
    twin.smooth(fits, p, problem);
    twin.state.motion[0] = doubles(at.motion + p * fits.subjects.motions, fits.subjects.motions);
    linearise(problem, twin.state, fits.steps, p, out);
  }
}

void fit_eyeballs_twin(const EyeballFits& fits, const EyeballResults& results) {
  LevenbergWorkspace workspace;
  for (int p = 0; p < 2 * fits.frames; ++p) {
    results.outcome[p] = {};
    results.gaze[p] = {0, 0};
    if (!fits.seen[p].seen || fits.face[p / 2].status == fit_lost) continue;
    const EyeballSubject& subject = fits.subjects[fits.subject[p / 2]];
    const FitPose& pose = fits.pose[p / 2];
    const Camera camera{subject.focal_px};
    FitOptions options;
    options.gaze_prior_deg = fits.gaze_prior_sigma / deg;
    std::vector<EyeballObservation> observations(1);
    EyeballObservation& o = observations[0];
    o.eye = p % 2;
    o.rotation = rotation(pose);
    o.translation = translation(pose);
    for (int i = 0; i < 19; ++i) {
      o.points[i] = doubles(fits.points + (p * 19 + i) * 2, 2);
      o.root_information[i] = fits.root_information[p * 19 + i];
    }
    EyeballProblem::State state;
    for (int eye = 0; eye < 2; ++eye) state.centre[eye] = doubles(subject.centre[eye], 3);
    state.ball = {subject.radius_mm, subject.iris_radius_mm};
    state.gaze.resize(1);
    EyeballProblem problem(camera, options, observations, state, false);
    const bool smooth = fits.seen[p].smooth_sigma > 0 && fits.face[p / 2].status == fit_from_previous;
    const Gaze previous = smooth ? Gaze{fits.previous[p].yaw, fits.previous[p].pitch} : Gaze{};
    if (smooth) problem.smooth_towards(previous, fits.seen[p].smooth_sigma);
    state.gaze[0] = previous;
    if (fits.seen[p].start_at_iris)
      state.gaze[0] =
          gaze_at(o.points[0], o.rotation * state.centre[o.eye] + o.translation, o.rotation, camera, state.ball);
    const LevenbergStats stats = levenberg(problem, state, options_of(fits.steps), workspace);
    tell(results.outcome[p], stats, problem.residual_px(state, 0));
    results.outcome[p].status = smooth ? fit_from_previous : fit_afresh;
    results.gaze[p] = {static_cast<float>(state.gaze[0].yaw), static_cast<float>(state.gaze[0].pitch)};
  }
}

}  // namespace dmask::cuda
