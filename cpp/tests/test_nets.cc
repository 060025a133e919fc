// The nets themselves, as OpenVINO runs them.
#include <algorithm>
#include <string>
#include <vector>

#include "check.hpp"
#include "detect/detector.hpp"
#include "detect/net.hpp"
#include "detect/vision.hpp"
#include "geometry/check.hpp"
#include "models_dir.hpp"
#include "net_values.hpp"

using namespace dmask;
using test::noise;
using test::seen_under;

namespace {

TEST_CASE(a_frame_that_the_cpu_cannot_read_is_an_error_that_says_so) {
  DetectorOptions options;
  options.model_dir = test::models_dir();
  Detector detector(options);
  const std::vector<std::uint8_t> pixels(32 * 32 * 3, 90);
  const auto message_of = [&detector](const ImageView& frame) -> std::string {
    try {
      detector.detect(frame, 0);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  ImageView on_device{pixels.data(), 32, 32, 3, 96};
  EXPECT(message_of(on_device).empty());
  on_device.on_device = true;
  EXPECT(message_of(on_device).find("GPU memory") != std::string::npos);
  EXPECT(message_of({pixels.data(), 32, 32, 1, 32, pixels.data(), 32}).empty());
  EXPECT(message_of({pixels.data(), 32, 32, 1, 32, pixels.data(), 30}).find("chroma") != std::string::npos);
  EXPECT(message_of({pixels.data(), 32, 32, 3, 96, pixels.data(), 32}).find("luma") != std::string::npos);
}

// Its head as one with a trunk, inner tensors and another layout are what the files give by themselves.
TEST_CASE(nets_that_run_as_one_give_what_each_gives_alone) {
  const DetectorOptions options{.model_dir = test::models_dir(), .precision = "f32"};
  const NetOptions trunk = eyelid_net_options(options), head = iris_net_options(options);
  const auto alone = make_net(trunk), head_alone = make_net(head);
  NetOptions joined = trunk;
  joined.outputs = {trunk.outputs[0], {"/points/evidence/Add_output_0", trunk.outputs[0].shape}};
  joined.heads = {head};
  joined.heads[0].outputs = {{"heatmaps", head.outputs[0].shape, true}, head.outputs[1]};
  const auto as_one = make_net(joined);

  const auto picture = noise(2 * 3 * eye_height * eye_width, 0.3f, 7);
  for (Net* net : {alone.get(), as_one.get()}) {
    std::copy(picture.begin(), picture.end(), net->input(0));
    net->infer();
  }
  std::copy_n(alone->output(2), 2 * eye_features * eye_map_height * eye_map_width, head_alone->input(0));
  head_alone->infer();

  constexpr int cells = eye_map_height * eye_map_width;
  for (int k = 0; k < 2 * 20; ++k) {
    for (int cell = 0; cell < cells; ++cell)
      EXPECT_NEAR(as_one->output(0)[k * cells + cell], alone->output(0)[k * cells + cell], 1e-3);
    EXPECT_NEAR(seen_under(as_one->output(0) + k * cells, as_one->output(1) + k * cells, cells), alone->output(1)[k],
                1e-3);
  }
  for (int eye = 0; eye < 2; ++eye) {
    for (int k = 0; k < 19; ++k) {
      const float* map = head_alone->output(0) + (eye * 19 + k) * cells;
      const float* last = as_one->output(2) + eye * 19 * cells + k;
      for (int cell = 0; cell < cells; ++cell) EXPECT_NEAR(last[cell * 19], map[cell], 1e-3);
      EXPECT_NEAR(as_one->output(3)[eye * 19 + k], head_alone->output(1)[eye * 19 + k], 1e-3);
    }
  }
}

TEST_CASE(tensors_that_a_net_does_not_have_are_errors_that_name_them) {
  const DetectorOptions options{.model_dir = test::models_dir(), .precision = "f32"};
  const auto message_of = [](const NetOptions& net) -> std::string {
    try {
      make_net(net);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  NetOptions unknown = face_net_options(options), misshapen = unknown, foreign = unknown;
  unknown.outputs = {{"/points/proof/Conv_output_0", {1, 68, 32, 32}}};
  EXPECT(message_of(unknown).find("face68.onnx has no tensor '/points/proof/Conv_output_0'") != std::string::npos);
  misshapen.outputs[0].shape[1] = 20;
  EXPECT(message_of(misshapen).find("face68.onnx: tensor 'heatmaps' is") != std::string::npos);
  foreign.heads = {iris_net_options(options)};
  EXPECT(message_of(foreign).find("face68.onnx has no tensor 'features'") != std::string::npos);
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
