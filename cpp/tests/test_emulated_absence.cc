// What is said where there is no driver or no GPU. Only the emulation can pretend that.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "check.hpp"
#include "cuda/choose_backend.hpp"
#include "cuda/gpu.hpp"
#include "cuda/runtime/status.hpp"
#include "cuda/tensorrt/device_net.hpp"
#include "cuda_runtime.h"
#include "detect/detector.hpp"
#include "detect/vision.hpp"
#include "geometry/check.hpp"
#include "models_dir.hpp"
#include "pipeline/pipeline.hpp"
#include "tensorrt_double/engines.hpp"

using namespace dmask;

namespace {

struct Pretend {  // for a scope
  explicit Pretend(int status, int driver = 13000) {
    cuda_host::pretend_status(status);
    cuda_host::pretend_driver(driver);
  }
  ~Pretend() {
    cuda_host::pretend_status(cudaSuccess);
    cuda_host::pretend_driver(13000);
  }
};

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

bool has(const std::string& sentence, const std::string& part) { return sentence.find(part) != std::string::npos; }

PipelineOptions options(BackendKind backend) {
  PipelineOptions o;
  o.models_dir = test::models_dir();
  o.backend = backend;
  return o;
}

TEST_CASE(a_missing_driver_or_device_is_a_sentence) {
  const auto problem = [](int status, int driver) {
    const Pretend pretend(status, driver);
    EXPECT(cuda::status().devices == 0);
    return cuda::status().problem;
  };
  EXPECT(problem(cudaErrorInsufficientDriver, 0) ==
         "no NVIDIA driver is here, expected one for CUDA 13: install version 580 or later");
  EXPECT(problem(cudaErrorInsufficientDriver, 12040) ==
         "the NVIDIA driver is for CUDA 12.4, expected one for CUDA 13: install version 580 or later");
  EXPECT(problem(cudaErrorNoDevice, 13000) == "no NVIDIA GPU is visible to this process");
  EXPECT(has(problem(999, 13000), "(999)"));
  EXPECT(cuda::status().devices == 1 && cuda::status().problem.empty());
}

TEST_CASE(it_is_said_before_anything_else_is_asked_for) {
  DetectorOptions nets;
  nets.model_dir = test::models_dir();
  const Pretend pretend(cudaErrorNoDevice);
  EXPECT(has(error_of([&] { cuda::make_gpu_vision(nets); }), "no NVIDIA GPU"));
}

TEST_CASE(tensorrt_is_not_called) {
  setenv("DMASK_TENSORRT_DOUBLE", "runtime", 1);  // what it would fail with
  NetOptions net;
  net.model_path = test::models_dir() + "/iris.onnx";
  {
    const Pretend pretend(cudaErrorInsufficientDriver);
    const std::string said = error_of([&] { make_tensorrt_net(net); });
    EXPECT(has(said, "needs an NVIDIA GPU") && has(said, "driver"));
  }
  {
    const Pretend pretend(cudaErrorNoDevice);
    const std::string said = error_of([&] { make_tensorrt_net(net); });
    EXPECT(has(said, "needs an NVIDIA GPU") && has(said, "no NVIDIA GPU is visible") && has(said, "--backend cpu"));
  }
  unsetenv("DMASK_TENSORRT_DOUBLE");
}

TEST_CASE(auto_goes_on_with_the_cpu_and_tensorrt_is_an_error) {
  for (const auto& [status, word] :
       {std::pair{cudaErrorNoDevice, "no NVIDIA GPU"}, {cudaErrorInsufficientDriver, "driver"}}) {
    const Pretend pretend(status);
    const Backend chosen = choose_backend(options(BackendKind::automatic));
    EXPECT(chosen.name == "cpu" && has(chosen.reason, word));
    const std::string said = error_of([] { choose_backend(options(BackendKind::tensorrt)); });
    EXPECT(has(said, word) && has(said, "--backend cpu"));
  }
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
