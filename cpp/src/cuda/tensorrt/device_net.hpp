// A net whose tensors live in device memory, so that nothing passes through the host between crop, nets and decoding.
#pragma once

#include <memory>
#include <string>

struct CUstream_st;  // a CUDA stream, without CUDA's headers

namespace dmask {

struct NetOptions;

class DeviceNet {
 public:
  virtual ~DeviceNet() = default;
  // Device memory in C order, in the order of the options, valid as long as the net.
  virtual float* input(int index) = 0;
  virtual const float* output(int index) = 0;
  // Takes an input straight from another net's output of the same shape, instead of from a buffer of its own.
  virtual void read_input_from(int index, const float* device) = 0;
  // Returns at once; may be captured in a graph after one plain call.
  virtual void enqueue(CUstream_st* stream) = 0;
};

// Path of the engine for this net on this machine. Throws Error where a GPU, the library or the engine is missing.
std::string tensorrt_engine(const NetOptions& options);

// Opens that engine and lets it go again. Throws Error where TensorRT refuses it, as on a card that it does not serve.
void try_tensorrt_engine(const NetOptions& options);

// Throws Error where a GPU, the library, an engine for this GPU, or a tensor of the expected name, shape and type is
// missing.
std::unique_ptr<DeviceNet> make_tensorrt_net(const NetOptions& options);

}  // namespace dmask
