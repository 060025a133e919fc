// The 32 threads of a GPU that run in step.
#pragma once

namespace dmask::cuda {

inline constexpr int warp_size = 32;
inline constexpr unsigned all_lanes = 0xffffffffu;

// The sum over the lanes, in every lane.
template <class T>
__device__ inline T warp_sum(T value) {
  for (int by = warp_size / 2; by > 0; by /= 2) value += __shfl_xor_sync(all_lanes, value, by);
  return value;
}

}  // namespace dmask::cuda
