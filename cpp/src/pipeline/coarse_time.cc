#include "pipeline/coarse_time.hpp"

#include <cmath>

namespace dmask {

const FrameResult& CoarseTime::hold(const FrameResult& fresh) {
  constexpr double early_s = 1e-6;  // a frame that is due at the step's beginning, and rounded
  const double time_s = fresh.time_s;
  const bool goes_on = std::isfinite(step_) && time_s > last_s_;
  if (!goes_on) first_s_ = time_s;
  const double step = step_s_ > 0 ? std::floor((time_s - first_s_ + early_s) / step_s_) : time_s;
  if (!goes_on || !(step == step_)) held_ = fresh;
  step_ = step;
  last_s_ = time_s;
  held_.time_s = time_s;
  return held_;
}

}  // namespace dmask
