#include "pipeline/coarse_time.hpp"

#include <cmath>

namespace dmask {

const FrameResult& CoarseTime::hold(const FrameResult& fresh) {
  constexpr double early_s = 1e-6;  // a frame that is due at the step's end, and rounded
  // A clock that stands lets nothing more out, and one that runs back as much as one that runs on.
  if (!(std::abs(fresh.time_s - begun_s_) < step_s_ - early_s)) {
    held_ = fresh;
    begun_s_ = fresh.time_s;
  }
  held_.time_s = fresh.time_s;
  return held_;
}

}  // namespace dmask
