// A recording fitted frame by frame on the CPU and all at once on the GPU: how far apart, and how long each takes.
#pragma once

#include <vector>

#include "fit/tracker.hpp"

namespace dmask::cuda {

struct BatchComparison {  // largest differences over frames and eyes that both have; NaN: one alone has a fissure
  int frames = 0;         // with a face
  int reasons = 0;        // faces and eyes of which the two say something else
  double head_deg = 0, head_mm = 0, unit = 0, gaze_deg = 0, fissure_mm = 0;
  double tracker_ms = 0, batch_ms = 0;  // a frame; the batch's after a first one of the same size
};

// Every frame starts from what the Tracker made of the frame before. Throws Error where no GPU can be used.
BatchComparison compare_batch_fit(const Models& models, const FitOptions& options, const Calibration& calibration,
                                  const std::vector<FrameDetection>& detections);

}  // namespace dmask::cuda
