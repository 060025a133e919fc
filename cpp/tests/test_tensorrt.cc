// What every build says of TensorRT, with the runner or without it, with a GPU or without one.
#include <cstdlib>

#include "check.hpp"
#include "cuda/tensorrt/device_net.hpp"
#include "cuda/tensorrt/status.hpp"
#include "detect/net.hpp"
#include "geometry/check.hpp"
#include "models_dir.hpp"

using namespace dmask;

namespace {

TEST_CASE(a_net_that_cannot_be_run_is_an_error_with_a_way_out) {
  static char nowhere[] = "DMASK_ENGINES=/nowhere";
  putenv(nowhere);  // setenv is not on every system
  NetOptions options;
  options.model_path = test::models_dir() + "/iris.onnx";
  std::string sentence;
  try {
    make_tensorrt_net(options);
  } catch (const Error& error) {
    sentence = error.what();
  }
  std::printf("%s\n", sentence.c_str());
  const auto says = [&](const char* part) { return sentence.find(part) != std::string::npos; };
  EXPECT(says("--backend cpu") || says("dmask engines build") || says("DMASK_TENSORRT_LIBRARY"));
}

TEST_CASE(the_status_has_a_problem_or_a_version) {
  const TensorRtStatus status = tensorrt_status();
  EXPECT(status.problem.empty() == !status.version.empty());
  EXPECT(status.built || !status.problem.empty());
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
