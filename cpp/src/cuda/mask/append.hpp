// A block's threads write what they found one after the other, in the order of the items and not of the threads' speed.
// Include from kernels alone.
#pragma once

#include "cuda/mask/kernels.hpp"
#include "cuda/runtime/device.hpp"

namespace dmask::cuda {
namespace {

constexpr int append_threads = 256, append_each = 4;
constexpr int append_items = append_threads * append_each;  // a call

// Item k * 256 + thread of `append_items` is `value[k]`, wanted if bit k is set: goes to list[0], list[step], ...
// Returns how many were. To be called by all threads; they may read the list afterwards.
__device__ int append_in_order(unsigned wanted, const int (&value)[append_each], int* list, int step) {
  constexpr int warps = append_threads / 32;
  __shared__ int found[append_each * warps];
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
  unsigned lanes[append_each];
  for (int k = 0; k < append_each; ++k) {
    lanes[k] = __ballot_sync(0xffffffffu, static_cast<int>(wanted >> k & 1u));
    if (lane == 0) found[k * warps + warp] = __popc(lanes[k]);
  }
  __syncthreads();
  int total = 0, start[append_each];
  for (int k = 0; k < append_each; ++k) {
    start[k] = 0;
    for (int w = 0; w < warps; ++w) {
      if (w == warp) start[k] = total;
      total += found[k * warps + w];
    }
  }
  for (int k = 0; k < append_each; ++k)
    if (wanted >> k & 1u) list[step * (start[k] + __popc(lanes[k] & ((1u << lane) - 1u)))] = value[k];
  __syncthreads();
  return total;
}

}  // namespace
}  // namespace dmask::cuda
