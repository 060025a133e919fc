// Stands in for the inference library: a net that says what the fuzzer wants.
#pragma once

#include <cstdint>

namespace fuzz {

enum class NetMood { sound, noisy, hostile, blind };
inline NetMood net_mood = NetMood::sound;
inline std::uint32_t net_noise = 0;  // where the noise starts

}  // namespace fuzz
