// TensorRT on an NVIDIA GPU.
#include <NvInferRuntime.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "cuda/runtime/device.hpp"
#include "cuda/runtime/status.hpp"
#include "cuda/tensorrt/device_net.hpp"
#include "cuda/tensorrt/engine_file.hpp"
#include "cuda/tensorrt/library.hpp"
#include "detect/net.hpp"
#include "geometry/check.hpp"
#include "models/sha256.hpp"

namespace dmask {
namespace {

constexpr int most_dimensions = 8;  // of TensorRT
constexpr const char* rebuild = "build it again with dmask engines build";

std::vector<std::int64_t> to_shape(const nvinfer1::Dims& dims) { return {dims.d, dims.d + std::max(dims.nbDims, 0)}; }

nvinfer1::Dims to_dims(const std::vector<std::int64_t>& shape) {
  nvinfer1::Dims dims{};
  dims.nbDims = static_cast<std::int32_t>(shape.size());
  std::copy(shape.begin(), shape.end(), dims.d);
  return dims;
}

std::size_t count(const std::vector<std::int64_t>& shape) {
  std::size_t product = 1;
  for (const std::int64_t size : shape) product *= static_cast<std::size_t>(size);
  return product;
}

std::string precision_of(const NetOptions& options) {
  if (options.precision == "auto") return "f16";
  check(options.precision == "f32" || options.precision == "f16",
        "precision is '" + options.precision + "', expected f32, f16 or auto (f16) for tensorrt");
  return options.precision;
}

std::string engine_path(const NetOptions& options, const TensorRtLibrary& library) {
  int device = 0;
  cuda::check_cuda(cudaGetDevice(&device), "asking for the device");
  cudaDeviceProp gpu{};
  cuda::check_cuda(cudaGetDeviceProperties(&gpu, device), "asking for the device's properties");
  return find_engine({std::filesystem::path(options.model_path).stem().string(), sha256_of_file(options.model_path),
                      precision_of(options), library.flavour, library.version,
                      gpu_part(library.flavour, gpu.name, gpu.major, gpu.minor)},
                     engine_folder());
}

// A file of the cache as TensorRT takes it; its runtime has to live as long.
std::unique_ptr<nvinfer1::ICudaEngine> open_engine(nvinfer1::IRuntime& runtime, const std::string& path,
                                                   const TensorRtLibrary& library) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> blob{std::istreambuf_iterator<char>(file), {}};
  check(!blob.empty(), path + " is empty or cannot be read: delete it and " + rebuild);
  std::unique_ptr<nvinfer1::ICudaEngine> engine(runtime.deserializeCudaEngine(blob.data(), blob.size()));
  check(engine != nullptr, path + " is not an engine for TensorRT " + library.version + " on this GPU" +
                               take_tensorrt_errors() + ": delete it and " + rebuild);
  return engine;
}

class TensorRtNet final : public DeviceNet {
 public:
  explicit TensorRtNet(const NetOptions& options)
      : library_(load_tensorrt()),
        path_(engine_path(options, library_)),
        runtime_(make_runtime(library_)),
        engine_(open_engine(*runtime_, path_, library_)) {
    context_.reset(engine_->createExecutionContext());
    check(context_ != nullptr, "TensorRT cannot run " + path_ + take_tensorrt_errors() +
                                   ": expected enough free GPU memory; close what else uses the GPU, or try "
                                   "--backend cpu");
    for (const TensorSpec& spec : options.inputs) add_input(spec);
    for (const TensorSpec& spec : options.outputs) add_output(spec);
    const int expected = static_cast<int>(options.inputs.size() + options.outputs.size());
    check(engine_->getNbIOTensors() == expected, path_ + " has the tensors " + tensor_names() + ", expected " +
                                                     std::to_string(expected) +
                                                     " of them: it is another model than expected");
  }

  float* input(int index) override {
    float* own = inputs_.at(index).memory.get();
    check(own != nullptr, path_ + ": input '" + inputs_.at(index).name +
                              "' is read from another net, expected one with a buffer to fill");
    return own;
  }
  const float* output(int index) override { return outputs_.at(index).memory.get(); }

  void read_input_from(int index, const float* device) override {
    Tensor& tensor = inputs_.at(index);
    expect_bound(context_->setInputTensorAddress(tensor.name.c_str(), device), tensor.name);
    tensor.memory = {};
  }

  void enqueue(CUstream_st* stream) override {
    if (context_->enqueueV3(stream)) return;
    throw Error("TensorRT failed to run " + path_ + take_tensorrt_errors() +
                ": see dmask doctor, or try --backend cpu");
  }

 private:
  struct Tensor {
    std::string name;
    cuda::DeviceBuffer<float> memory;
  };

  void add_input(const TensorSpec& spec) {
    check_tensor(spec, nvinfer1::TensorIOMode::kINPUT, "input");
    const char* name = spec.name.c_str();
    if (!context_->setInputShape(name, to_dims(spec.shape))) {
      const auto bound = [&](nvinfer1::OptProfileSelector which) {
        return to_string(to_shape(engine_->getProfileShape(name, 0, which)));
      };
      throw Error(path_ + ": input '" + spec.name + "' takes " + bound(nvinfer1::OptProfileSelector::kMIN) + " to " +
                  bound(nvinfer1::OptProfileSelector::kMAX) + ", got " + to_string(spec.shape) +
                  take_tensorrt_errors() + ": change its sizes in dmask/engines/manifest.toml and build it again");
    }
    inputs_.push_back({spec.name, cuda::DeviceBuffer<float>(count(spec.shape))});
    expect_bound(context_->setInputTensorAddress(name, inputs_.back().memory.get()), spec.name);
  }

  void add_output(const TensorSpec& spec) {
    check_tensor(spec, nvinfer1::TensorIOMode::kOUTPUT, "output");
    const std::vector<std::int64_t> shape = to_shape(context_->getTensorShape(spec.name.c_str()));
    check(shape == spec.shape, path_ + ": output '" + spec.name + "' is " + to_string(shape) + ", expected " +
                                   to_string(spec.shape) + ": it is another model than expected");
    outputs_.push_back({spec.name, cuda::DeviceBuffer<float>(count(shape))});
    expect_bound(context_->setTensorAddress(spec.name.c_str(), outputs_.back().memory.get()), spec.name);
  }

  void check_tensor(const TensorSpec& spec, nvinfer1::TensorIOMode mode, const std::string& role) {
    const char* name = spec.name.c_str();
    check(engine_->getTensorIOMode(name) == mode, path_ + " has no " + role + " '" + spec.name + "' (it has " +
                                                      tensor_names() + "): it is another model than expected");
    check(engine_->getTensorDataType(name) == nvinfer1::DataType::kFLOAT,
          path_ + ": " + role + " '" + spec.name + "' is not f32, which is expected: delete it and " + rebuild);
    check(engine_->getTensorLocation(name) == nvinfer1::TensorLocation::kDEVICE &&
              engine_->getTensorFormat(name) == nvinfer1::TensorFormat::kLINEAR,
          path_ + ": " + role + " '" + spec.name + "' is not plain device memory, which is expected: delete it and " +
              rebuild);
    const std::vector<std::int64_t> shape = to_shape(engine_->getTensorShape(name));  // -1: varies
    bool fits = shape.size() == spec.shape.size() && spec.shape.size() <= most_dimensions;
    for (std::size_t i = 0; fits && i < shape.size(); ++i) fits = shape[i] == -1 || shape[i] == spec.shape[i];
    check(fits, path_ + ": " + role + " '" + spec.name + "' is " + to_string(shape) + ", expected " +
                    to_string(spec.shape) + ": it is another model than expected");
  }

  void expect_bound(bool bound, const std::string& name) {
    check(bound, path_ + ": TensorRT refuses memory for the tensor '" + name + "'" + take_tensorrt_errors() +
                     ": expected to be given it; report this with what dmask doctor prints");
  }

  std::string tensor_names() const {
    std::string names;
    for (int i = 0; i < engine_->getNbIOTensors(); ++i) {
      names += (i ? ", " : "") + std::string(engine_->getIOTensorName(i));
    }
    return names;
  }

  TensorRtLibrary library_;
  std::string path_;
  // Released in the opposite order: memory, context, engine, runtime.
  std::unique_ptr<nvinfer1::IRuntime> runtime_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
  std::vector<Tensor> inputs_, outputs_;
};

}  // namespace

std::string tensorrt_engine(const NetOptions& options) { return engine_path(options, load_tensorrt()); }

void try_tensorrt_engine(const NetOptions& options) {
  const TensorRtLibrary library = load_tensorrt();
  const std::unique_ptr<nvinfer1::IRuntime> runtime = make_runtime(library);
  open_engine(*runtime, engine_path(options, library), library);
}

std::unique_ptr<DeviceNet> make_tensorrt_net(const NetOptions& options) {
  const cuda::Status gpu = cuda::status();  // first: without a driver TensorRT may crash
  check(gpu.devices > 0, "TensorRT needs an NVIDIA GPU: " + gpu.problem + "; or use --backend cpu");
  return std::make_unique<TensorRtNet>(options);
}

}  // namespace dmask
