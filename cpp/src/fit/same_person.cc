#include "fit/same_person.hpp"

#include <algorithm>
#include <cmath>

#include "fit/validity.hpp"

namespace dmask {
namespace {

constexpr double cost_weight = 0.2;  // against the cosine: measured on people in several recordings
constexpr LevenbergOptions kPoseSteps{.max_iterations = 20};
constexpr LevenbergOptions kIdentitySteps{.max_iterations = 15, .step_tolerance = 3e-3};

}  // namespace

SamePerson::SamePerson(const Models& models, const FitOptions& options)
    : models_(models), options_(options), units_(UnitPrior::from(models.face, options)) {
  const SubjectFace mean = models.face.contract(models.landmark_rows.rows, VecXf::Zero(options.identity_modes));
  mean_ = {mean.neutral.cast<double>(), mean.units.cast<double>()};
}

void SamePerson::forget() {
  kept_count_ = 0;
  seen_ = 0;
  interval_ = 1;
  known_ = false;
}

void SamePerson::learn(const FrameDetection& patient) {
  if (seen_++ % interval_ != 0 || !valid(patient)) return;
  if (kept_count_ == kept_frames) {  // every other one stays
    for (int i = 0; 2 * i < kept_frames; ++i) kept_[i] = kept_[2 * i];
    kept_count_ = kept_frames / 2;
    interval_ *= 2;
  }
  kept_[kept_count_++] = patient;
  known_ = false;
}

float SamePerson::likeness(const FrameDetection& face) {
  if (kept_count_ == 0) return 1;
  if (!valid(face)) return 0;
  know_patient();
  camera_ = Camera::from_hfov(face.width, face.height, options_.hfov_deg);
  const std::vector<FaceObservation> faces{FaceObservation::from(face, options_)};
  double own_cost = 0;
  const VecX own = fitted(faces, own_cost).identity;
  const double cosine = own.dot(identity_) / std::max(own.norm() * identity_.norm(), 1e-9);
  const double value =
      cosine + cost_weight * std::log(std::max(own_cost, 1e-9) / std::max(cost_as_patient(faces[0]), 1e-9));
  return std::isfinite(value) ? static_cast<float>(value) : 0;
}

// Identity and poses of some frames of one person.
FaceWindowProblem::State SamePerson::fitted(const std::vector<FaceObservation>& faces, double& cost) {
  FaceWindowProblem window(models_.face, models_.landmark_rows, units_, camera_, faces, options_.identity_modes);
  FaceWindowProblem::State state;
  state.identity.setZero(std::min(options_.identity_modes, models_.face.identities()));
  for (const FaceObservation& face : faces) {
    FacePose pose = initial_pose(mean_, camera_, face);
    FaceProblem problem(mean_, models_.landmark_rows, units_, camera_, face, nullptr);
    levenberg(problem, pose, kPoseSteps, workspace_);
    state.frames.push_back(std::move(pose));
  }
  cost = levenberg(window, state, kIdentitySteps, workspace_).cost;
  return state;
}

double SamePerson::cost_as_patient(const FaceObservation& face) {
  FacePose pose = initial_pose(face_, camera_, face);
  FaceProblem problem(face_, models_.landmark_rows, units_, camera_, face, nullptr);
  return levenberg(problem, pose, kPoseSteps, workspace_).cost;
}

void SamePerson::know_patient() {
  if (known_) return;
  camera_ = Camera::from_hfov(kept_[0].width, kept_[0].height, options_.hfov_deg);
  std::vector<FaceObservation> faces;
  for (int i = 0; i < kept_count_; ++i) faces.push_back(FaceObservation::from(kept_[i], options_));
  double cost = 0;
  const FaceWindowProblem::State state = fitted(faces, cost);
  identity_ = state.identity;
  const SubjectFace face = models_.face.contract(models_.landmark_rows.rows, identity_.cast<float>());
  face_ = {face.neutral.cast<double>(), face.units.cast<double>()};
  known_ = true;
}

}  // namespace dmask
