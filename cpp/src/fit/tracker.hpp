// The three fits of one frame, E1, E2, E3 of Eqs. (20-22), each started from the frame before.
#pragma once

#include <array>
#include <optional>

#include "detect/detections.hpp"
#include "fit/calibration.hpp"
#include "fit/levenberg.hpp"
#include "fit/options.hpp"
#include "fit/result.hpp"

namespace dmask {

// Steps from the frame before; a face that starts afresh takes more. They end where the last one gained next to nothing:
// the cost is in variances of the landmarks.
inline constexpr LevenbergOptions kFaceSteps{.max_iterations = 4, .step_tolerance = 2e-3, .gain_tolerance = 0.1};
inline constexpr LevenbergOptions kFreshFaceSteps{.max_iterations = 15};
inline constexpr LevenbergOptions kEyelidSteps{
    .max_iterations = 5, .step_tolerance = 1e-2, .gain_tolerance = 0.03, .robust_scale = 4};
inline constexpr LevenbergOptions kEyeballSteps{.max_iterations = 8, .step_tolerance = 1e-4, .gain_tolerance = 0.01};

class Tracker {
 public:
  // Both must outlive the tracker.
  Tracker(const Models& models, const FitOptions& options);
  void set_calibration(const Calibration& calibration);  // one that is not ok: nothing is fitted
  FrameFit fit(const FrameDetection& detection);

 private:
  bool fit_face(const FaceObservation& observation, double dt_s, FacePose& pose);
  void fit_eyelid(const FrameDetection& detection, int eye, double interocular_px, double dt_s, FrameFit& fit);
  void fit_eyeball(const FrameDetection& detection, int eye, double interocular_px, double dt_s, FrameFit& fit);

  const Models& models_;
  const FitOptions& options_;
  Calibration calibration_;
  UnitPrior units_;
  std::optional<FrameFit> previous_;
  int track_ = 0;
  // Scratch that keeps its memory from frame to frame: each fit has its own, for their sizes differ.
  LevenbergWorkspace face_workspace_, lid_workspace_, workspace_;  // the last one of the eyeballs
  FacePose pose_trial_;
  std::vector<EyelidObservation> lid_frame_;
  EyelidProblem::State lids_, lids_trial_;
  EyelidWorkspace lid_matches_;
  std::vector<EyeballObservation> iris_frame_;
  EyeballProblem::State balls_, balls_trial_;
  EyeballWorkspace iris_matches_;
};

}  // namespace dmask
