// What the motion of points since the frame before says about where they are now: a second sight of each beside the net's.
#pragma once

#include "detect/detections.hpp"
#include "fit/eyeball_problem.hpp"
#include "fit/face_problem.hpp"
#include "fit/options.hpp"
#include "fit/result.hpp"

namespace dmask {

struct Calibration;

// Brows and nose, where they have moved to from the fit of the frame before. Nothing changes where `detection` has not
// measured it since then.
void take_motion(const FrameDetection& detection, const FrameFit& before, const Calibration& calibration,
                 const FitOptions& options, FaceObservation& observation);

// The iris' centre, the same.
void take_motion(const FrameDetection& detection, const FrameFit& before, const Calibration& calibration,
                 double interocular_px, const FitOptions& options, EyeballObservation& observation);

}  // namespace dmask
