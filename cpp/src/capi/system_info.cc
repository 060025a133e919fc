#include <cstdio>

#include "cuda/runtime/status.hpp"
#include "detect/net.hpp"
#include "dmask/dmask.h"

namespace {

struct SystemInfo {
  char text[DMASK_TEXT_BYTES] = "dmask";

  SystemInfo() noexcept {
    try {
      const auto cuda = dmask::cuda::status();
      std::snprintf(text, sizeof text,
                    "dmask %s; compiled for %s; cpu: avx2 %d, avx512f %d, avx512bf16 %d; OpenVINO %s; CUDA: %s",
                    dmask_version_text(),
#if defined(DMASK_X86_64_V3)
                    "x86-64-v3",
#else
                    "any CPU of its kind",
#endif
#if defined(__x86_64__)
                    __builtin_cpu_supports("avx2") != 0, __builtin_cpu_supports("avx512f") != 0,
                    __builtin_cpu_supports("avx512bf16") != 0,
#else
                    0, 0, 0,
#endif
                    dmask::openvino_version(),
                    !cuda.built    ? "not in this build"
                    : cuda.devices ? cuda.device.c_str()
                                   : "no device");
    } catch (...) {  // what is known so far has to do
    }
  }
};

}  // namespace

extern "C" DMASK_API const char* dmask_system_info(void) {
  static const SystemInfo info;
  return info.text;
}
