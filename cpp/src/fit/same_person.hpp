// Whether a face is the patient's, by its shape: the 68 points are fitted once with the patient's identity and once with
// one of their own. Nothing is kept of a face that is compared.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "detect/recognition.hpp"
#include "fit/face_problem.hpp"
#include "fit/levenberg.hpp"
#include "fit/models.hpp"
#include "fit/options.hpp"

namespace dmask {

class SamePerson final : public Recognition {
 public:
  // Both must outlive it.
  SamePerson(const Models& models, const FitOptions& options);

  void forget() override;
  // Keeps a few of his frames, spread over all the time in which he was seen.
  void learn(const FrameDetection& patient) override;
  // The cosine between both identities, and what the patient's costs more than its own. 1 while nobody is known.
  float likeness(const FrameDetection& face) override;

 private:
  FaceWindowProblem::State fitted(const std::vector<FaceObservation>& faces, double& cost);
  double cost_as_patient(const FaceObservation& face);
  void know_patient();

  const Models& models_;
  const FitOptions& options_;
  UnitPrior units_;
  Camera camera_;
  LandmarkFace mean_;

  static constexpr int kept_frames = 6;
  std::array<FrameDetection, kept_frames> kept_;
  int kept_count_ = 0;
  long seen_ = 0, interval_ = 1;  // frames: of the patient so far, and between two that are kept
  bool known_ = false;            // identity_ and face_ are those of the kept frames
  VecX identity_;
  LandmarkFace face_;
  LevenbergWorkspace workspace_;
};

}  // namespace dmask
