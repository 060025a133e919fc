#include <xmmintrin.h>

#include "capi/default_arithmetic.hpp"

namespace dmask {

// The environment of mingw-w64 is that of the x87 unit alone: what SSE and AVX go by is a register of its own.
DefaultArithmetic::DefaultArithmetic() {
  std::fegetenv(&callers_);
  callers_mxcsr_ = _mm_getcsr();
  std::fesetenv(FE_DFL_ENV);
  constexpr unsigned usual = 0x1f80;  // to the nearest, no traps, denormals kept
  _mm_setcsr(usual);
}

DefaultArithmetic::~DefaultArithmetic() {
  std::fesetenv(&callers_);
  _mm_setcsr(callers_mxcsr_);
}

}  // namespace dmask
