// The stages of a calibration, in their order. Each fills its part of the calibration.
#pragma once

#include <vector>

#include "fit/calibration.hpp"
#include "fit/levenberg.hpp"

namespace dmask {

struct CalibrationRun {  // what the stages share
  const Models& models;
  const std::vector<FrameDetection>& detections;
  const FitOptions& options;
  UnitPrior units;
  LevenbergWorkspace workspace;
  // Of the window's frames, from the stage of the face on: what is seen, and the poses in metric scale.
  std::vector<FaceObservation> faces;
  std::vector<FacePose> poses;
};

// Identity and every frame's pose and motion together, Eqs. (2, 3); the brows' place; metric scale.
void calibrate_face(CalibrationRun& run, Calibration& calibration);

// Of each eye: the patch's shape and place and every frame's motion together, Eqs. (9, 10).
void calibrate_lids(CalibrationRun& run, Calibration& calibration);

// Eyeball centres and iris radius over frames that differ in gaze, Eq. (15).
void calibrate_eyeballs(CalibrationRun& run, Calibration& calibration);

// The units at which the face rests: identity modes do not show all of a face, and what they leave stays in the units.
void calibrate_rest(CalibrationRun& run, Calibration& calibration);

// The eyeball's centre that the face model gives this identity, head frame, mm.
Vec3 model_centre(const EyelidModel& model, const VecX& identity, double scale);

// w_em from this shape's half blink to its full one.
LidWeights closing_of(const EyelidModel& model, const VecX& shape);

}  // namespace dmask
