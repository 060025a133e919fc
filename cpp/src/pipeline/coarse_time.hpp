// What leaves, held over steps of time: how a lid closes or an eye jumps is as personal as a face.
#pragma once

#include <limits>

#include "pipeline/release.hpp"

namespace dmask {

// Sample and hold: within a step every frame repeats the step's first one, but for its own time stamp.
class CoarseTime {
 public:
  explicit CoarseTime(double step_s) : step_s_(step_s) {}  // 0: nothing is held

  const FrameResult& hold(const FrameResult& fresh);
  void reset() { begun_s_ = std::numeric_limits<double>::quiet_NaN(); }  // another patient, or another calibration

 private:
  double step_s_;
  double begun_s_ = std::numeric_limits<double>::quiet_NaN();  // NaN: the next frame begins the first step
  FrameResult held_;
};

}  // namespace dmask
