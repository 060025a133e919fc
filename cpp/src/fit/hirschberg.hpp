// The gaze by the reflex of a lamp beside the lens (Hirschberg's test), which needs neither the eyeball's place nor a fixation.
#pragma once

#include "detect/detections.hpp"
#include "fit/calibration.hpp"
#include "fit/result.hpp"

namespace dmask {

// Sets reflex_gaze and its standard deviations, of the eyes whose gaze is valid and whose reflex was found.
void measure_reflexes(const FrameDetection& detection, const Calibration& calibration, FrameFit& fit);

}  // namespace dmask
