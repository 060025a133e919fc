// A library that answers as TensorRT's does. An engine is a text of lines,
//   input NAME TYPE SHAPE MIN MAX      (shapes as 1,3,-1,-1; types f32 f16)
//   output NAME TYPE SHAPE SCALE       (element i = SCALE x input element i modulo its size)
//   onnx PATH                          (outputs are the net's instead, computed by OpenVINO in f32)
// DMASK_TENSORRT_DOUBLE names what shall go wrong: runtime, engine, context, enqueue, bind, or version=MAJOR.MINOR.
#include <NvInferRuntime.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <openvino/openvino.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "host_step.hpp"

using namespace nvinfer1;

namespace {

struct Tensor {
  std::string name;
  TensorIOMode mode;
  DataType type;
  std::vector<std::int64_t> shape, least, most;
  float scale = 1;
};

struct Plan {
  std::vector<Tensor> tensors;
  std::string onnx;
  const Tensor* find(const char* name) const {
    for (const Tensor& t : tensors)
      if (t.name == name) return &t;
    return nullptr;
  }
};

std::string wish() {
  const char* value = std::getenv("DMASK_TENSORRT_DOUBLE");
  return value != nullptr ? value : "";
}

std::vector<std::int64_t> numbers(const std::string& text) {
  std::vector<std::int64_t> values;
  std::stringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) values.push_back(std::stoll(part));
  return values;
}

Dims to_dims(const std::vector<std::int64_t>& shape) {
  Dims dims{static_cast<std::int32_t>(shape.size()), {}};
  std::copy(shape.begin(), shape.end(), dims.d);
  return dims;
}

class Context final : public IExecutionContext {
 public:
  Context(const Plan& plan, ILogger& logger) : plan_(plan), logger_(logger) {}

  bool setInputShape(const char* name, const Dims& dims) noexcept override {
    const Tensor* t = plan_.find(name);
    const std::vector<std::int64_t> shape(dims.d, dims.d + dims.nbDims);
    bool inside = t != nullptr && shape.size() == t->shape.size();
    for (std::size_t i = 0; inside && i < shape.size(); ++i) inside = shape[i] >= t->least[i] && shape[i] <= t->most[i];
    if (!inside) return logger_.log(ILogger::Severity::kERROR, "the shape is outside the profile"), false;
    shapes_[name] = shape;
    request_ = {};
    step_.reset();
    return true;
  }

  Dims getTensorShape(const char* name) const noexcept override {
    if (const auto set = shapes_.find(name); set != shapes_.end()) return to_dims(set->second);
    const Tensor* t = plan_.find(name);
    if (t == nullptr) return {-1, {}};
    if (!plan_.onnx.empty()) {
      prepare();
      const ov::Shape shape = request_.get_tensor(name).get_shape();
      return to_dims({shape.begin(), shape.end()});
    }
    std::vector<std::int64_t> shape = t->shape;
    for (std::int64_t& size : shape)
      if (size == -1 && !shapes_.empty()) size = shapes_.begin()->second[0];
    return to_dims(shape);
  }

  bool setTensorAddress(const char* name, void* data) noexcept override { return setInputTensorAddress(name, data); }
  bool setInputTensorAddress(const char* name, const void* data) noexcept override {
    if (wish() == "bind" || plan_.find(name) == nullptr) return false;
    addresses_[name] = const_cast<void*>(data);
    return true;
  }

  bool enqueueV3(cudaStream_t stream) noexcept override {
    if (wish() == "enqueue") {
      logger_.log(ILogger::Severity::kWARNING, "a warning");
      logger_.log(ILogger::Severity::kERROR, "a kernel failed");
      return false;
    }
    std::vector<const float*> inputs;
    std::vector<float*> outputs;
    for (const Tensor& t : plan_.tensors) {
      const auto bound = addresses_.find(t.name);
      if (bound == addresses_.end()) return false;
      auto* address = static_cast<float*>(bound->second);
      if (t.mode == TensorIOMode::kINPUT) inputs.push_back(address);
      else outputs.push_back(address);
    }
    try {
      if (!step_) make_step();
      step_->enqueue(stream, inputs, outputs);
    } catch (const std::exception& error) {
      return logger_.log(ILogger::Severity::kERROR, error.what()), false;
    }
    return true;
  }

 private:
  void make_step() {
    if (!plan_.onnx.empty()) prepare();
    std::vector<std::size_t> inputs, outputs;
    for (const Tensor& t : plan_.tensors) (t.mode == TensorIOMode::kINPUT ? inputs : outputs).push_back(size_of(t));
    step_ = std::make_unique<dmask::test::HostStep>(inputs, outputs, [this] { run(); });
  }

  std::size_t size_of(const Tensor& t) const {
    const Dims dims = getTensorShape(t.name.c_str());
    std::size_t product = 1;
    for (int i = 0; i < dims.nbDims; ++i) product *= static_cast<std::size_t>(dims.d[i]);
    return product;
  }

  void prepare() const {
    if (request_) return;
    static ov::Core core;
    const auto model = core.read_model(plan_.onnx);
    std::map<std::string, ov::PartialShape> inputs;
    for (const auto& [name, shape] : shapes_) inputs[name] = std::vector<ov::Dimension>(shape.begin(), shape.end());
    model->reshape(inputs);
    request_ =
        core.compile_model(model, "CPU", ov::hint::inference_precision(ov::element::f32), ov::inference_num_threads(1))
            .create_infer_request();
  }

  void run() const {
    std::size_t input = 0, output = 0;
    for (const Tensor& t : plan_.tensors) {
      if (t.mode != TensorIOMode::kINPUT || plan_.onnx.empty()) continue;
      std::copy_n(step_->input(input++), size_of(t), request_.get_tensor(t.name).data<float>());
    }
    if (!plan_.onnx.empty()) request_.infer();
    const Tensor& first = *std::find_if(plan_.tensors.begin(), plan_.tensors.end(),
                                        [](const Tensor& t) { return t.mode == TensorIOMode::kINPUT; });
    const std::size_t first_size = size_of(first);
    for (const Tensor& t : plan_.tensors) {
      if (t.mode != TensorIOMode::kOUTPUT) continue;
      float* out = step_->output(output++);
      const std::size_t size = size_of(t);
      if (!plan_.onnx.empty()) {
        std::copy_n(request_.get_tensor(t.name).data<float>(), size, out);
      } else {
        for (std::size_t i = 0; i < size; ++i) out[i] = t.scale * step_->input(0)[i % first_size];
      }
    }
  }

  const Plan& plan_;
  ILogger& logger_;
  std::map<std::string, std::vector<std::int64_t>> shapes_;
  std::map<std::string, void*> addresses_;
  mutable ov::InferRequest request_;
  std::unique_ptr<dmask::test::HostStep> step_;
};

class Engine final : public ICudaEngine {
 public:
  Engine(Plan plan, ILogger& logger) : plan_(std::move(plan)), logger_(logger) {}
  std::int32_t getNbIOTensors() const noexcept override { return static_cast<std::int32_t>(plan_.tensors.size()); }
  const char* getIOTensorName(std::int32_t index) const noexcept override {
    return plan_.tensors.at(index).name.c_str();
  }
  TensorIOMode getTensorIOMode(const char* name) const noexcept override {
    const Tensor* t = plan_.find(name);
    return t != nullptr ? t->mode : TensorIOMode::kNONE;
  }
  DataType getTensorDataType(const char* name) const noexcept override { return plan_.find(name)->type; }
  TensorFormat getTensorFormat(const char*) const noexcept override { return TensorFormat::kLINEAR; }
  TensorLocation getTensorLocation(const char*) const noexcept override { return TensorLocation::kDEVICE; }
  Dims getTensorShape(const char* name) const noexcept override { return to_dims(plan_.find(name)->shape); }
  Dims getProfileShape(const char* name, std::int32_t, OptProfileSelector which) const noexcept override {
    const Tensor* t = plan_.find(name);
    return to_dims(which == OptProfileSelector::kMIN ? t->least : t->most);
  }
  IExecutionContext* createExecutionContext() noexcept override {
    if (wish() == "context") return nullptr;
    return new Context(plan_, logger_);
  }

 private:
  Plan plan_;
  ILogger& logger_;
};

class Runtime final : public IRuntime {
 public:
  explicit Runtime(ILogger& logger) : logger_(logger) {}
  ICudaEngine* deserializeCudaEngine(const void* blob, std::size_t size) noexcept override {
    if (wish() == "engine") {
      logger_.log(ILogger::Severity::kERROR, "The engine cannot run on this GPU,\nwhich has compute capability 9.0.");
      return nullptr;
    }
    Plan plan;
    std::stringstream lines(std::string(static_cast<const char*>(blob), size));
    for (std::string line; std::getline(lines, line);) {
      std::stringstream words(line);
      std::string kind, name, type, shape, least, most;
      words >> kind >> name;
      if (kind == "onnx") {
        plan.onnx = name;
        continue;
      }
      words >> type >> shape;
      Tensor t{name, TensorIOMode::kOUTPUT, type == "f32" ? DataType::kFLOAT : DataType::kHALF, numbers(shape), {}, {}};
      if (kind == "input") {
        words >> least >> most;
        t.mode = TensorIOMode::kINPUT, t.least = numbers(least), t.most = numbers(most);
      } else {
        words >> t.scale;
      }
      if (kind != "input" && kind != "output") {
        return logger_.log(ILogger::Severity::kERROR, "the magic tag does not match"), nullptr;
      }
      plan.tensors.push_back(t);
    }
    return new Engine(std::move(plan), logger_);
  }

 private:
  ILogger& logger_;
};

std::int32_t version_part(int index, std::int32_t own) {
  const std::string text = wish();
  if (text.rfind("version=", 0) != 0) return own;
  std::int32_t parts[2] = {};
  std::sscanf(text.c_str(), "version=%d.%d", &parts[0], &parts[1]);
  return parts[index];
}

}  // namespace

extern "C" {
std::int32_t getInferLibMajorVersion() noexcept { return version_part(0, NV_TENSORRT_MAJOR); }
std::int32_t getInferLibMinorVersion() noexcept { return version_part(1, NV_TENSORRT_MINOR); }
std::int32_t getInferLibPatchVersion() noexcept { return NV_TENSORRT_PATCH; }
std::int32_t getInferLibBuildVersion() noexcept { return 7; }
void* createInferRuntime_INTERNAL(void* logger, std::int32_t version) noexcept {
  auto* log = static_cast<ILogger*>(logger);
  if (wish() == "runtime" || version != NV_TENSORRT_VERSION) {
    log->log(ILogger::Severity::kINTERNAL_ERROR, "the device could not be initialised");
    return nullptr;
  }
  return static_cast<IRuntime*>(new Runtime(*log));
}
}
