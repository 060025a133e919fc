// The whole way from frames to masks on a GPU, with a double of TensorRT that runs the shipped nets, against the CPU
// backend; and which of the two is chosen.
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "check.hpp"
#include "cuda/choose_backend.hpp"
#include "cuda/runtime/status.hpp"
#include "detect/detector.hpp"
#include "detect/vision.hpp"
#include "device_allocations.hpp"
#include "geometry/check.hpp"
#include "geometry/larger.hpp"
#include "models_dir.hpp"
#include "pipeline/pipeline.hpp"
#include "rendered_face.h"
#include "tensorrt_double/engines.hpp"

using namespace dmask;

namespace {

constexpr int width = 288, height = 304;

DetectorOptions nets() {
  DetectorOptions o;
  o.model_dir = test::models_dir();
  o.precision = "f32";
  return o;
}

PipelineOptions options(BackendKind backend) {
  PipelineOptions o;
  o.models_dir = test::models_dir();
  o.backend = backend;
  o.precision = Precision::f32;
  return o;
}

// The cache that the runner looks into, empty or with every engine.
std::filesystem::path engine_cache(bool filled) {
  const auto folder = std::filesystem::temp_directory_path() / ("dmask-engines-" + std::to_string(getpid()));
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  setenv("DMASK_ENGINES", folder.c_str(), 1);
  if (filled) {
    NetOptions yunet = yunet_options(nets());
    yunet.inputs = {{"input", {1, 3, 320, 320}}};
    for (const char* name : {"cls_", "obj_", "bbox_", "kps_"})
      for (const int stride : {8, 16, 32})
        yunet.outputs.push_back({name + std::to_string(stride), {1, (320 / stride) * (320 / stride), 1}});
    for (const NetOptions& net : {yunet, face_net_options(nets()), eyelid_net_options(nets()), iris_net_options(nets()),
                                  lines_net_options(nets())})
      test::write_onnx_engine(net, folder);
  }
  return folder;
}

TEST_CASE(tensorrt_is_taken_where_nothing_is_missing) {
  engine_cache(true);
  const Backend chosen = choose_backend(options(BackendKind::automatic));
  EXPECT(chosen.name == "tensorrt");
  EXPECT(chosen.reason.find(cuda::status().device) != std::string::npos);
  EXPECT(choose_backend(options(BackendKind::tensorrt)).name == "tensorrt");
  EXPECT(choose_backend(options(BackendKind::cpu)).name == "cpu");
}

TEST_CASE(missing_engines_are_the_reason_or_the_error) {
  engine_cache(false);
  const Backend chosen = choose_backend(options(BackendKind::automatic));
  EXPECT(chosen.name == "cpu");
  EXPECT(chosen.reason.find("dmask engines build") != std::string::npos);
  std::string said;
  try {
    choose_backend(options(BackendKind::tensorrt));
  } catch (const Error& error) {
    said = error.what();
  }
  EXPECT(said.find("dmask engines build") != std::string::npos && said.find("--backend cpu") != std::string::npos);
}

TEST_CASE(an_engine_that_the_card_cannot_run_is_the_reason_or_the_error) {
  engine_cache(true);
  setenv("DMASK_TENSORRT_DOUBLE", "engine", 1);
  const Backend chosen = choose_backend(options(BackendKind::automatic));
  EXPECT(chosen.name == "cpu");
  EXPECT(chosen.reason.find("The engine cannot run on this GPU, which has compute capability 9.0.") !=
         std::string::npos);
  EXPECT(chosen.reason.find('\n') == std::string::npos);
  std::string said;
  try {
    choose_backend(options(BackendKind::tensorrt));
  } catch (const Error& error) {
    said = error.what();
  }
  unsetenv("DMASK_TENSORRT_DOUBLE");
  EXPECT(said.find("cannot run on this GPU") != std::string::npos && said.find("--backend cpu") != std::string::npos);
}

struct Worst {
  double landmark_px = 0, head_deg = 0, gaze_deg = 0, fissure_mm = 0, mask_mean = 0;
  int measured = 0, other_crops = 0;
};

void compare(const FrameResult& got, const FrameResult& want, const FrameFit& fitted, const FrameFit& expected,
             Worst& worst) {
  EXPECT(got.face_reason == want.face_reason);
  worst.head_deg = larger(worst.head_deg, std::abs(got.head.yaw_deg - want.head.yaw_deg));
  worst.head_deg = larger(worst.head_deg, std::abs(got.head.pitch_deg - want.head.pitch_deg));
  for (int eye = 0; eye < 2; ++eye) {
    const EyeFit &a = fitted.eyes[eye], &b = expected.eyes[eye];
    EXPECT(a.reason == b.reason);
    EXPECT(a.gaze_found == b.gaze_found);
    if (b.gaze_found) {
      ++worst.measured;
      worst.gaze_deg = larger(worst.gaze_deg, std::hypot(a.gaze.yaw - b.gaze.yaw, a.gaze.pitch - b.gaze.pitch) / deg);
    }
    if (std::isfinite(a.pfh_mm) || std::isfinite(b.pfh_mm))
      worst.fissure_mm = larger(worst.fissure_mm, std::abs(a.pfh_mm - b.pfh_mm));
  }
}

// A first look, steady frames, a confirmation by the face detector, a black frame and the face again.
TEST_CASE(frames_become_the_same_masks_as_on_the_cpu) {
  engine_cache(true);
  const PipelineOptions on_gpu = options(BackendKind::tensorrt);
  Pipeline gpu(on_gpu, choose_backend(on_gpu)), cpu(options(BackendKind::cpu), cpu_backend());
  EXPECT(gpu.backend().name == "tensorrt" && cpu.backend().name == "cpu");
  std::vector<std::uint8_t> bgr(width * height * 3);
  Worst worst;
  long allocations = 0;
  constexpr int frames = 20, black = 17;
  for (int f = 0; f < frames; ++f) {
    EXPECT(rendered_face(test::models_dir().c_str(), 0.5 + f / 30.0, width, height, bgr.data()) == 0);
    if (f == black) std::fill(bgr.begin(), bgr.end(), 0);
    const ImageView view{bgr.data(), width, height, 3, width * 3};
    FrameDetection seen_gpu, seen_cpu;
    const FrameResult got = gpu.follow(view, f / 30.0, seen_gpu), want = cpu.follow(view, f / 30.0, seen_cpu);
    EXPECT(seen_gpu.face_found == seen_cpu.face_found && seen_cpu.face_found == (f != black));
    double px = 0;
    for (int i = 0; i < 68; ++i)
      px = larger(px, std::hypot(seen_gpu.face[i].x - seen_cpu.face[i].x, seen_gpu.face[i].y - seen_cpu.face[i].y));
    // A crop at the edge of its hysteresis may be taken again by one backend and not by the other.
    if (px > 0.05) ++worst.other_crops;
    else worst.landmark_px = larger(worst.landmark_px, px);
    EXPECT(px < 0.5);
    if (seen_cpu.face_found) compare(got, want, gpu.unreleased_fit(), cpu.unreleased_fit(), worst);
    if (f % 8 == 0 || f == black) {  // drawing takes the emulation a second
      Image mask_gpu, mask_cpu;
      gpu.render(got, width, height, mask_gpu);
      cpu.render(want, width, height, mask_cpu);
      double sum = 0;
      for (std::size_t i = 0; i < mask_cpu.bgr.size(); ++i) sum += std::abs(mask_gpu.bgr[i] - mask_cpu.bgr[i]);
      worst.mask_mean = larger(worst.mask_mean, sum / static_cast<double>(mask_cpu.bgr.size()));
    }
    if (f == 9) allocations = test::device_allocations();
    if (f == 13) EXPECT(test::device_allocations() == allocations);  // the next face calibrates again
  }
  std::printf(
      "pipeline: landmarks %.2g px, head %.2g deg, gaze %.2g deg, fissure %.2g mm, mask %.2g levels, %d eyes, %d other "
      "crops\n",
      worst.landmark_px, worst.head_deg, worst.gaze_deg, worst.fissure_mm, worst.mask_mean, worst.measured,
      worst.other_crops);
  EXPECT(worst.other_crops <= 1);
  EXPECT(worst.head_deg < 0.05 && worst.gaze_deg < 0.3 && worst.fissure_mm < 0.05);
  EXPECT(worst.mask_mean < 0.2);
  EXPECT(worst.measured > 10);
}

}  // namespace

int main(int argc, char** argv) {
  const int status = test::run(argc, argv);
  std::filesystem::remove_all(engine_folder());
  return status;
}
