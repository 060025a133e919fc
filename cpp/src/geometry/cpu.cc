#include "geometry/cpu.hpp"

#include "geometry/check.hpp"

namespace dmask {

void require_cpu() {
#if defined(DMASK_X86_64_V3)
  check(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"),
        "this CPU has no AVX2 and FMA, which this build expects: rebuild with -DDMASK_X86_64_V3=OFF");
#endif
}

}  // namespace dmask
