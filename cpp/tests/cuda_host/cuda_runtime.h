// The part of the CUDA runtime that dmask uses, on the host: tests compile the very same .cu sources with g++ against
// this header instead of NVIDIA's and run them without a GPU.
//
// A block's threads are fibres, so barriers and shuffles mean what they mean on a device; blocks run one after another.
// DMASK_CUDA_HOST_SEED=n runs fibres in a shuffled order, which brings missing barriers to light. Device memory starts as
// garbage (0x7f), shared memory anew so for each block. Copies are checked against what was allocated where. Fibres are
// announced to AddressSanitizer. There is no memory model here and no notion of a GPU's speed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <tuple>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
// One section for all of it, so that it can be filled with garbage between blocks. Not inside templates.
#define __shared__ static __attribute__((section("dmask_cuda_shared")))

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct float2 {
  float x, y;
};
struct float3 {
  float x, y, z;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct uchar4 {
  unsigned char x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float3 make_float3(float x, float y, float z) { return {x, y, z}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline uchar4 make_uchar4(unsigned char x, unsigned char y, unsigned char z, unsigned char w) { return {x, y, z, w}; }

struct CUstream_st;

namespace cuda_host {

void sync_block();
int sync_block_count(int predicate);
void sync_warp();
std::uint64_t exchange(std::uint64_t value, int source_lane);  // another lane's value, of the same shuffle
unsigned ballot(int predicate);
int lane();

void run_or_capture(CUstream_st* stream, std::function<void()> work);
void run_grid(dim3 grid, dim3 block, const std::function<void()>& kernel);

void pretend_status(int status);   // what cudaGetDeviceCount answers: 0, 35 (driver too old), 100 (no device) ...
void pretend_driver(int version);  // what cudaDriverGetVersion answers: 13000, 12040 (an old one), 0 (none)

template <class T>
T shuffle(T value, int source_lane) {
  static_assert(sizeof(T) <= 8);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = exchange(bits, source_lane);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace cuda_host

// Of the running fibre.
extern dim3 threadIdx, blockIdx, blockDim, gridDim;

inline void __syncthreads() { cuda_host::sync_block(); }
inline int __syncthreads_count(int p) { return cuda_host::sync_block_count(p); }
inline int __syncthreads_or(int p) { return cuda_host::sync_block_count(p) > 0; }
inline void __syncwarp(unsigned = ~0u) { cuda_host::sync_warp(); }
inline unsigned __ballot_sync(unsigned, int p) { return cuda_host::ballot(p); }
inline int __any_sync(unsigned, int p) { return cuda_host::ballot(p) != 0; }
template <class T>
T __shfl_sync(unsigned, T v, int lane) {
  return cuda_host::shuffle(v, lane);
}
template <class T>
T __shfl_down_sync(unsigned, T v, unsigned by) {
  return cuda_host::shuffle(v, cuda_host::lane() + static_cast<int>(by));
}
template <class T>
T __shfl_up_sync(unsigned, T v, unsigned by) {
  return cuda_host::shuffle(v, cuda_host::lane() - static_cast<int>(by));
}
template <class T>
T __shfl_xor_sync(unsigned, T v, int mask) {
  return cuda_host::shuffle(v, cuda_host::lane() ^ mask);
}
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __float2int_rd(float x) { return static_cast<int>(std::floor(x)); }
inline int __float2int_rn(float x) { return static_cast<int>(std::nearbyint(x)); }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline float sinpif(float x) { return static_cast<float>(std::sin(M_PI * x)); }
inline float cospif(float x) { return static_cast<float>(std::cos(M_PI * x)); }
template <class T>
T __ldg(const T* p) {
  return *p;
}
template <class T>
T atomicAdd(T* p, T v) {
  const T old = *p;
  *p = old + v;
  return old;
}
template <class T>
T atomicMax(T* p, T v) {
  const T old = *p;
  *p = std::max(old, v);
  return old;
}
template <class T>
T atomicMin(T* p, T v) {
  const T old = *p;
  *p = std::min(old, v);
  return old;
}
template <class T>
T atomicExch(T* p, T v) {
  const T old = *p;
  *p = v;
  return old;
}
using std::max;
using std::min;

using cudaError_t = int;
using cudaStream_t = CUstream_st*;
using cudaEvent_t = struct cuda_host_event*;
using cudaGraph_t = struct cuda_host_graph*;
using cudaGraphExec_t = struct cuda_host_graph*;
enum : int { cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorInsufficientDriver = 35, cudaErrorNoDevice = 100 };
using cudaHostFn_t = void (*)(void* data);
enum cudaMemcpyKind { cudaMemcpyHostToHost, cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum cudaStreamCaptureMode {
  cudaStreamCaptureModeGlobal,
  cudaStreamCaptureModeThreadLocal,
  cudaStreamCaptureModeRelaxed
};
enum : unsigned { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2, cudaEventDefault = 0 };
struct cudaDeviceProp {
  char name[256];
  int major, minor;
  int multiProcessorCount;
  std::size_t totalGlobalMem;
};

extern "C" {  // as the real ones, so that the linker can wrap them

cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDevice(int* device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaRuntimeGetVersion(int* version);
const char* cudaGetErrorString(cudaError_t status);
const char* cudaGetErrorName(cudaError_t status);
cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();

cudaError_t cudaMalloc(void** p, std::size_t bytes);
cudaError_t cudaFree(void* p);
cudaError_t cudaMallocHost(void** p, std::size_t bytes);
cudaError_t cudaFreeHost(void* p);
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream = nullptr);
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t row_bytes, std::size_t rows, cudaMemcpyKind kind,
                              cudaStream_t stream = nullptr);
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream = nullptr);

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags = 0);
cudaError_t cudaDeviceSynchronize();
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream = nullptr);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t from, cudaEvent_t to);

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long flags = 0);
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t work, void* data);

}  // extern "C"

struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  std::size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
  void* attrs = nullptr;
  unsigned numAttrs = 0;
};

// Arguments are copied at the launch, as a device's are: a captured graph replays with them.
template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  std::tuple<Parameters...> values(std::forward<Arguments>(arguments)...);
  cuda_host::run_or_capture(config->stream, [=, grid = config->gridDim, block = config->blockDim] {
    cuda_host::run_grid(grid, block, [&] { std::apply(kernel, values); });
  });
  return cudaSuccess;
}
