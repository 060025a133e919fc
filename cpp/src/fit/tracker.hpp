// The three fits of one frame, E1, E2, E3 of Eqs. (20-22), each started from the frame before.
#pragma once

#include <array>
#include <optional>

#include "detect/detections.hpp"
#include "fit/calibration.hpp"
#include "fit/levenberg.hpp"
#include "fit/options.hpp"

namespace dmask {

enum class Reason { none, closed, covered, low_resolution, lost, no_face };
const char* reason_text(Reason reason);  // "" for none

// NaN stands for "not measured".
struct EyeFit {
  Reason reason = Reason::no_face;  // none = gaze valid
  Gaze gaze;
  bool gaze_found = false;              // also below the resolution at which it counts as measured: the mask shows it
  double yaw_sd = NAN, pitch_sd = NAN;  // rad, the constant part from p_e included
  LidWeights motion;                    // w_em
  bool lids_valid = false;
  double openness = NAN;                // aperture / width between the canthi
  double mrd1_mm = NAN, mrd2_mm = NAN, pfh_mm = NAN;
  double px_per_deg = NAN;
  double eyeball_residual_pct = NAN, eyelid_residual_pct = NAN;  // Eqs. (25-29), this frame's ARE
};

struct FrameFit {
  double time_s = 0;
  Reason face_reason = Reason::no_face;  // none = face valid
  FacePose pose;
  std::array<EyeFit, 2> eyes;
  double fit_face_ms = 0, fit_eyelid_ms = 0, fit_eyeball_ms = 0;
};

// Steps from the frame before; a face that starts afresh takes more. They end where the last one gained next to nothing:
// the cost is in variances of the landmarks.
inline constexpr LevenbergOptions kFaceSteps{.max_iterations = 4, .step_tolerance = 2e-3, .gain_tolerance = 0.1};
inline constexpr LevenbergOptions kFreshFaceSteps{.max_iterations = 15};
inline constexpr LevenbergOptions kEyelidSteps{
    .max_iterations = 5, .step_tolerance = 1e-2, .gain_tolerance = 0.1, .robust_scale = 4};
inline constexpr LevenbergOptions kEyeballSteps{.max_iterations = 8, .step_tolerance = 1e-4, .gain_tolerance = 0.01};

class Tracker {
 public:
  // Both must outlive the tracker.
  Tracker(const Models& models, const FitOptions& options);
  void set_calibration(const Calibration& calibration);
  void reset() { previous_.reset(); }  // at cuts
  FrameFit fit(const FrameDetection& detection);

 private:
  bool fit_face(const FrameDetection& detection, const FaceObservation& observation, double dt_s, FacePose& pose);
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
