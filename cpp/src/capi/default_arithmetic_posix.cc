#include "capi/default_arithmetic.hpp"

namespace dmask {

DefaultArithmetic::DefaultArithmetic() {
  std::fegetenv(&callers_);
  std::fesetenv(FE_DFL_ENV);
}

DefaultArithmetic::~DefaultArithmetic() { std::fesetenv(&callers_); }

}  // namespace dmask
