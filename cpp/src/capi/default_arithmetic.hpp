// The default floating-point environment during a call: a caller's traps, rounding or flushed denormals neither stop the
// fit nor change its numbers.
#pragma once

#include <cfenv>

namespace dmask {

class DefaultArithmetic {
 public:
  DefaultArithmetic();
  ~DefaultArithmetic();
  DefaultArithmetic(const DefaultArithmetic&) = delete;

 private:
  std::fenv_t callers_;
  unsigned callers_mxcsr_ = 0;  // where fenv_t leaves it out
};

}  // namespace dmask
