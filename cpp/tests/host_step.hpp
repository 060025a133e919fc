// Work of the CPU inside a stream on what lies in device memory, as a net of the CPU is run where TensorRT's would run:
// its inputs come down, the work is done, its outputs go up. All of it can be captured in a graph.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace dmask::test {

class HostStep {
 public:
  // Floats of each input and of each output. The step has to outlive what is enqueued of it.
  HostStep(const std::vector<std::size_t>& inputs, const std::vector<std::size_t>& outputs, std::function<void()> work)
      : work_(std::move(work)) {
    for (const std::size_t count : inputs) inputs_.emplace_back(count);
    for (const std::size_t count : outputs) outputs_.emplace_back(count);
  }
  HostStep(const HostStep&) = delete;
  HostStep& operator=(const HostStep&) = delete;

  // For the work, and for it alone.
  const float* input(std::size_t i) const { return inputs_.at(i).host.get(); }
  float* output(std::size_t i) const { return outputs_.at(i).host.get(); }

  void enqueue(cudaStream_t stream, const std::vector<const float*>& device_inputs,
               const std::vector<float*>& device_outputs) {
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      copy(inputs_[i].host.get(), device_inputs.at(i), inputs_[i].bytes, cudaMemcpyDeviceToHost, stream);
    check(cudaLaunchHostFunc(stream, [](void* work) { (*static_cast<std::function<void()>*>(work))(); }, &work_));
    for (std::size_t i = 0; i < outputs_.size(); ++i)
      copy(device_outputs.at(i), outputs_[i].host.get(), outputs_[i].bytes, cudaMemcpyHostToDevice, stream);
  }

 private:
  // Pinned: from other memory a copy to the device takes what is there when it is asked for, before the work is done.
  struct Pinned {
    explicit Pinned(std::size_t count) : bytes(count * sizeof(float)) {
      void* p = nullptr;
      check(cudaMallocHost(&p, bytes));
      host.reset(static_cast<float*>(p));
    }
    struct Release {
      void operator()(float* p) const { cudaFreeHost(p); }
    };
    std::size_t bytes;
    std::unique_ptr<float, Release> host;
  };

  static void check(cudaError_t status) {
    if (status != cudaSuccess) throw std::runtime_error(cudaGetErrorString(status));
  }
  static void copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
    check(cudaMemcpyAsync(to, from, bytes, kind, stream));
  }

  std::function<void()> work_;
  std::vector<Pinned> inputs_, outputs_;
};

}  // namespace dmask::test
