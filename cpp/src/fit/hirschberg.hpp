// The gaze by the reflex of a lamp beside the lens (Hirschberg's test), which needs neither the eyeball's place nor a fixation.
#pragma once

#include "detect/detections.hpp"
#include "fit/calibration.hpp"
#include "fit/result.hpp"

namespace dmask {

// How many times the pixels of a gaze one by the reflex takes: in fewer the iris' centre errs by more than the fit does.
inline constexpr double reflex_over_gaze = 2;

// Sets reflex_gaze and its standard deviations, of the eyes whose gaze is valid and whose reflex was found.
void measure_reflexes(const FrameDetection& detection, const Calibration& calibration, const FitOptions& options,
                      FrameFit& fit);

}  // namespace dmask
