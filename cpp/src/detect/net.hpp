// A neural net behind named, shape-checked float tensors. One file per backend implements it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace dmask {

struct TensorSpec {
  std::string name;
  std::vector<std::int64_t> shape;  // full shape; the batch is fixed when the net is loaded
  bool channels_last = false;       // the output (N,C,H,W) is handed over as (N,H,W,C), as the CPU computes it (CPU)
};

struct NetOptions {
  std::string model_path;           // ONNX file
  std::string precision = "auto";   // f32 | bf16 (CPU) | f16 (GPU) | auto (what the device does fastest)
  int threads = 1;                  // CPU threads, 0: all
  std::vector<TensorSpec> inputs;   // expected; another name or shape is an error
  std::vector<TensorSpec> outputs;  // any tensors of the file (CPU); what they do not need is not computed
  std::vector<NetOptions> heads;    // nets whose one input is a tensor of this one; they run as one with it (CPU)
};

class Net {
 public:
  virtual ~Net() = default;
  // Buffers in C order, in the order of the options, the heads' outputs last; valid as long as the net.
  virtual float* input(int index) = 0;
  virtual const float* output(int index) = 0;
  virtual void infer() = 0;
};

// Throws Error naming the file when it is missing, unreadable, or not of the expected signature.
std::unique_ptr<Net> make_net(const NetOptions& options);

std::unique_ptr<Net> make_openvino_net(const NetOptions& options);
const char* openvino_version();  // "not in this build" where there is none

std::string to_string(const std::vector<std::int64_t>& shape);

}  // namespace dmask
