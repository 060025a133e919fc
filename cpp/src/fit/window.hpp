// Which frames a calibration looks at.
#pragma once

#include <string>
#include <vector>

#include "detect/detections.hpp"
#include "fit/options.hpp"

namespace dmask {

// The frames for identity and lids: frontal, eyes open by absolute openness, sharp, spread over time.
// `reason` tells which of these no frame could give.
std::vector<int> choose_window(const std::vector<FrameDetection>& detections, const FitOptions& options,
                               std::string& reason);

// The frames for the eyeballs: no far turn of the head, an eye whose iris is seen, gazes that differ; and frames of a
// named fixation, whatever they look like.
std::vector<int> choose_gaze_frames(const std::vector<FrameDetection>& detections, const FitOptions& options);

// Whether the user says that this eye looks into the camera at this time.
bool named_fixating(const FitOptions& options, int eye, double time_s);

// Whether the eye is open enough, and enough of the limbus in sight, to place the eyeball by.
bool places_eyeball(const FrameDetection& detection, int eye, const FitOptions& options);

double median(std::vector<double> values);  // 0 of none

}  // namespace dmask
