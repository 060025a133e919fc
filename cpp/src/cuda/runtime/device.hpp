// Device memory, streams and captured graphs that release themselves. Include from files of this folder alone.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <utility>

#include "cuda/runtime/stream.hpp"

namespace dmask::cuda {

// Throws Error naming what failed.
void check_cuda(cudaError_t status, const char* what);

class Stream {
 public:
  Stream() { check_cuda(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking), "making a stream"); }
  ~Stream() { cudaStreamDestroy(handle_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  StreamHandle get() const { return handle_; }
  void wait() const { check_cuda(cudaStreamSynchronize(handle_), "waiting for the GPU"); }

 private:
  cudaStream_t handle_ = nullptr;
};

// Orders streams, and measures: ms from another event.
class Event {
 public:
  Event() { check_cuda(cudaEventCreateWithFlags(&handle_, cudaEventDefault), "making an event"); }
  ~Event() { cudaEventDestroy(handle_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(const Stream& stream) { check_cuda(cudaEventRecord(handle_, stream.get()), "recording an event"); }
  void make_wait(const Stream& stream) const {
    check_cuda(cudaStreamWaitEvent(stream.get(), handle_, 0), "ordering streams");
  }
  float ms_since(const Event& start) const {
    float ms = 0;
    check_cuda(cudaEventElapsedTime(&ms, start.handle_, handle_), "reading a timer");
    return ms;
  }

 private:
  cudaEvent_t handle_ = nullptr;
};

// Grows and never shrinks: in a steady state nothing is allocated.
template <class T, cudaError_t (*allocate)(void**, std::size_t), cudaError_t (*release)(void*)>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t count) { reserve(count); }
  ~Buffer() { release(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  void reserve(std::size_t count) {  // what it held is lost when it grows
    if (count <= size_) return;
    release(data_);
    data_ = nullptr;
    size_ = 0;
    void* p = nullptr;
    check_cuda(allocate(&p, count * sizeof(T)), "allocating GPU memory");
    data_ = static_cast<T*>(p);
    size_ = count;
  }
  T* get() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

template <class T>
using DeviceBuffer = Buffer<T, &cudaMalloc, &cudaFree>;
template <class T>
using PinnedBuffer = Buffer<T, &cudaMallocHost, &cudaFreeHost>;  // host memory that copies run beside kernels from

template <class T>
void upload(const T* host, std::size_t count, T* device, StreamHandle stream) {
  check_cuda(cudaMemcpyAsync(device, host, count * sizeof(T), cudaMemcpyHostToDevice, stream), "copying to the GPU");
}
template <class T>
void download(const T* device, std::size_t count, T* host, StreamHandle stream) {
  check_cuda(cudaMemcpyAsync(host, device, count * sizeof(T), cudaMemcpyDeviceToHost, stream), "copying from the GPU");
}

// Work recorded once and replayed with one call. What it reads and writes stays where it was at the capture.
class Graph {
 public:
  Graph() = default;
  ~Graph() { clear(); }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  bool captured() const { return exec_ != nullptr; }
  // Where the work throws, the capture ends with it: the stream can be used again.
  template <class Work>
  void capture(const Stream& stream, Work&& work) {
    clear();
    check_cuda(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "starting a capture");
    cudaGraph_t graph = nullptr;
    try {
      work();
    } catch (...) {
      cudaStreamEndCapture(stream.get(), &graph);  // what it says would hide what went wrong
      if (graph != nullptr) cudaGraphDestroy(graph);
      cudaGetLastError();  // it would be reported again by the next call
      throw;
    }
    check_cuda(cudaStreamEndCapture(stream.get(), &graph), "ending a capture");
    const cudaError_t status = cudaGraphInstantiate(&exec_, graph, 0);
    cudaGraphDestroy(graph);
    check_cuda(status, "preparing a captured graph");
  }
  void launch(const Stream& stream) const {
    check_cuda(cudaGraphLaunch(exec_, stream.get()), "launching a captured graph");
  }
  void clear() {
    if (exec_ != nullptr) cudaGraphExecDestroy(exec_);
    exec_ = nullptr;
  }

 private:
  cudaGraphExec_t exec_ = nullptr;
};

// Launches a kernel; its arguments are converted to the kernel's own types.
template <class... Parameters, class... Arguments>
void launch(StreamHandle stream, dim3 grid, dim3 block, void (*kernel)(Parameters...), Arguments&&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.stream = stream;
  check_cuda(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...), "launching a kernel");
}

inline unsigned blocks_for(std::size_t items, unsigned threads) {
  return static_cast<unsigned>((items + threads - 1) / threads);
}

}  // namespace dmask::cuda
