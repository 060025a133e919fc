// OpenVINO on the CPU.
#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <openvino/op/constant.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/transpose.hpp>
#include <openvino/openvino.hpp>

#include "detect/net.hpp"
#include "geometry/check.hpp"

namespace dmask {
namespace {

// Sanitizers end a program that opens a library with RTLD_DEEPBIND, and oneTBB opens libtbbbind so as soon as OpenVINO asks for
// NUMA nodes. This is oneTBB's own switch; only programs under a sanitizer get it, and none that set it otherwise.
void spare_sanitized_programs() {
  for (const char* runtime : {"__asan_init", "__msan_init", "__tsan_init"})
    if (dlsym(RTLD_DEFAULT, runtime)) setenv("TBB_ENABLE_SANITIZERS", "1", 0);
}

ov::Core& core() {
  static ov::Core instance = [] {
    spare_sanitized_programs();
    return ov::Core();
  }();
  return instance;
}

std::string port_names(const std::vector<ov::Output<ov::Node>>& ports) {
  std::string text;
  for (const auto& port : ports) text += (text.empty() ? "" : ", ") + port.get_any_name();
  return text;
}

ov::Output<ov::Node> find_port(const std::vector<ov::Output<ov::Node>>& ports, const std::string& name,
                               const std::string& model_path) {
  for (const auto& port : ports) {
    if (port.get_names().count(name)) return port;
  }
  throw Error(model_path + " has no tensor '" + name + "' (it has " + port_names(ports) +
              "): it is another model than expected");
}

ov::PartialShape partial_shape(const std::vector<std::int64_t>& shape) {
  return ov::PartialShape(std::vector<ov::Dimension>(shape.begin(), shape.end()));
}

// The model with its inputs' shapes fixed to those of the options.
std::shared_ptr<ov::Model> read_model(const NetOptions& options) {
  std::shared_ptr<ov::Model> model;
  try {
    model = core().read_model(options.model_path);
  } catch (const std::exception& e) {
    throw Error(options.model_path + " is not a readable ONNX model: " + e.what());
  }
  std::map<ov::Output<ov::Node>, ov::PartialShape> shapes;
  for (const TensorSpec& spec : options.inputs) {
    const auto port = find_port(model->inputs(), spec.name, options.model_path);
    check(port.get_element_type() == ov::element::f32, options.model_path + ": input '" + spec.name + "' is " +
                                                           port.get_element_type().to_string() + ", expected f32");
    shapes[port] = partial_shape(spec.shape);
  }
  try {
    model->reshape(shapes);
  } catch (const std::exception& e) {
    throw Error(options.model_path + " does not accept the input " + to_string(options.inputs[0].shape) +
                ": it is another model than expected. " + e.what());
  }
  return model;
}

// Any tensor of the model by its name in the file, inner ones too.
ov::Output<ov::Node> find_tensor(ov::Model& model, const TensorSpec& spec, const std::string& model_path) {
  for (const auto& node : model.get_ordered_ops()) {
    for (const auto& port : node->outputs()) {
      if (!port.get_names().count(spec.name)) continue;
      check(port.get_partial_shape() == partial_shape(spec.shape), model_path + ": tensor '" + spec.name + "' is " +
                                                                       port.get_partial_shape().to_string() +
                                                                       ", expected " + to_string(spec.shape));
      return port;
    }
  }
  return find_port(model.outputs(), spec.name, model_path);  // says what is missing
}

void add_results(ov::Model& model, const NetOptions& options, ov::ResultVector& results) {
  for (const TensorSpec& spec : options.outputs) {
    ov::Output<ov::Node> port = find_tensor(model, spec, options.model_path);
    if (spec.channels_last) {
      const auto order = ov::op::v0::Constant::create(ov::element::i64, {4}, {0, 2, 3, 1});
      port = std::make_shared<ov::op::v1::Transpose>(port, order);
    }
    results.push_back(std::make_shared<ov::op::v0::Result>(port));
  }
}

class OpenVinoNet final : public Net {
 public:
  explicit OpenVinoNet(const NetOptions& options) {
    const std::shared_ptr<ov::Model> trunk = read_model(options);
    ov::ResultVector results;
    add_results(*trunk, options, results);
    for (const NetOptions& head : options.heads) {
      check(head.inputs.size() == 1, head.model_path + ": got " + std::to_string(head.inputs.size()) +
                                         " inputs of a head, expected 1: name the tensor that it reads");
      const std::shared_ptr<ov::Model> model = read_model(head);
      add_results(*model, head, results);
      const auto seen = find_tensor(*trunk, head.inputs[0], options.model_path);
      find_port(model->inputs(), head.inputs[0].name, head.model_path).replace(seen);
    }
    const auto model = std::make_shared<ov::Model>(results, trunk->get_parameters());
    ov::CompiledModel compiled = core().compile_model(model, "CPU", properties(options));
    if (options.precision != "auto") {
      const auto got = compiled.get_property(ov::hint::inference_precision).to_string();
      check(got == options.precision, "this CPU runs " + options.model_path + " in " + got + ", expected " +
                                          options.precision + ": choose another precision");
    }
    request_ = compiled.create_infer_request();
    for (const TensorSpec& spec : options.inputs) inputs_.push_back(request_.get_tensor(spec.name));
    for (std::size_t i = 0; i < results.size(); ++i) outputs_.push_back(request_.get_output_tensor(i));
  }

  float* input(int index) override { return inputs_.at(index).data<float>(); }
  const float* output(int index) override { return outputs_.at(index).data<float>(); }
  void infer() override { request_.infer(); }

 private:
  static ov::AnyMap properties(const NetOptions& options) {
    ov::AnyMap map = {ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY), ov::num_streams(1),
                      ov::hint::enable_cpu_pinning(false)};
    if (options.threads > 0) map.emplace(ov::inference_num_threads(options.threads));
    if (options.precision == "f32") {
      map.emplace(ov::hint::inference_precision(ov::element::f32));
    } else if (options.precision == "bf16") {
      const auto capabilities = core().get_property("CPU", ov::device::capabilities);
      check(std::count(capabilities.begin(), capabilities.end(), "BF16") > 0,
            "this CPU has no bf16: choose precision f32 or auto");
      map.emplace(ov::hint::inference_precision(ov::element::bf16));
    } else {
      check(options.precision == "auto",
            "precision is '" + options.precision + "', expected f32, bf16 or auto for openvino");
    }
    return map;
  }

  ov::InferRequest request_;
  std::vector<ov::Tensor> inputs_, outputs_;
};

}  // namespace

std::unique_ptr<Net> make_openvino_net(const NetOptions& options) { return std::make_unique<OpenVinoNet>(options); }

const char* openvino_version() { return ov::get_openvino_version().buildNumber; }

}  // namespace dmask
