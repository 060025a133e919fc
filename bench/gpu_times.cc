// Times on a card, a JSON object a line:
//   gpu_times paint [WIDTH HEIGHT PICTURES]   a mask: paint() with its picture on the host, the GPU's own time of that, and
//                                             of it without the download; the CPU's painter on one thread beside it
//   gpu_times fits [FRAMES]                   a frame's fits in batches of that many, the CPU's solver beside it
// Models are found in DMASK_MODELS. Medians, in ms.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda/fits/batch_check.hpp"
#include "cuda/gpu.hpp"
#include "cuda/runtime/status.hpp"
#include "fit_scene.hpp"
#include "geometry/check.hpp"
#include "geometry/rotation.hpp"
#include "geometry/stopwatch.hpp"
#include "gpu_clock.hpp"
#include "pipeline/mask.hpp"

using namespace dmask;

namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

MaskSubject subject(const Models& models) {
  MaskSubject s;
  s.identity.setZero(10);
  for (int eye = 0; eye < 2; ++eye) {
    s.eyes[eye].shape.setConstant(models.eyelid[eye].shape.cols(), 0.3f);
    s.eyes[eye].centre = models.eyelid[eye].centre;
  }
  return s;
}

// A head that turns from side to side, before the camera's middle.
std::vector<MaskFrame> turning_head(const Models& models) {
  std::vector<MaskFrame> frames(16);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    MaskFrame& f = frames[i];
    f.face = true;
    f.turn_to(head_rotation({static_cast<double>(i) - 8, 0, 0}).cast<float>());
    f.translation = Vec3f(0, 0, 480);
    f.units.setZero(models.face.units());
    for (int eye = 0; eye < 2; ++eye) {
      f.eyes[eye].look = MaskFrame::EyeLook::iris;
      f.eyes[eye].yaw = 0.2f;
      f.eyes[eye].motion = 0.3f * models.eyelid[eye].named("blink_mid");
    }
  }
  return frames;
}

template <class Time>
double median_of(int pictures, Time&& time_ms) {
  std::vector<double> ms;
  for (int i = 0; i < pictures; ++i) ms.push_back(time_ms(i));
  return median(std::move(ms));
}

void time_painting(const Models& models, int width, int height, int pictures) {
  const std::vector<MaskFrame> frames = turning_head(models);
  Image out;
  const auto paint = [&](Painter& painter, int i) { painter.paint(frames[i % frames.size()], width, height, out); };
  const auto wall_ms = [&](Painter& painter, int i) {
    const Stopwatch watch;
    paint(painter, i);
    return watch.ms();
  };
  constexpr int unmeasured = 20;  // kernels are loaded, the graph is captured, clocks rise
  const auto gpu_ms = [&](Painter& painter) {
    bench::GpuClock clock;
    return median_of(pictures, [&](int i) {
      paint(painter, i);
      return clock.ms();
    });
  };
  const auto painter = cuda::make_gpu_painter(models, subject(models));
  for (int i = 0; i < unmeasured; ++i) paint(*painter, i);
  const double painted_ms = median_of(pictures, [&](int i) { return wall_ms(*painter, i); });
  const double whole_ms = gpu_ms(*painter);
  const bench::WithoutDownloads left_out;
  const auto blind = cuda::make_gpu_painter(models, subject(models));  // its graph is captured without the download
  for (int i = 0; i < unmeasured; ++i) paint(*blind, i);
  const double kernels_ms = gpu_ms(*blind);
  MaskPainter cpu(models, subject(models));
  paint(cpu, 0);
  const double cpu_ms = median_of(std::max(1, pictures / 10), [&](int i) { return wall_ms(cpu, i); });
  std::printf(
      "{\"paint\": \"%d x %d\", \"painted_ms\": %.4f, \"gpu_ms\": %.4f, \"without_download_ms\": %.4f, \"cpu_ms\": "
      "%.3f, "
      "\"pictures\": %d}\n",
      width, height, painted_ms, whole_ms, kernels_ms, cpu_ms, pictures);
}

void time_fits(int frames) {
  test::Scene scene;
  test::Truth truth = scene.truth();
  std::vector<FrameDetection> detections;
  for (int f = 0; f < frames; ++f) {
    truth.pose.rotation = exp_so3({0.001 * std::cos(0.1 * f), 0.0015 * std::sin(0.1 * f), 0}) * truth.pose.rotation;
    test::Truth now = truth;
    detections.push_back(scene.hard(0, scene.subjects[0], now));
    detections.back().time_s = f / 30.0;
  }
  std::vector<double> gpu, cpu;
  int others = 0;  // of which the batch says another reason than the CPU's tracker
  for (int i = 0; i < 3; ++i) {
    const cuda::BatchComparison c = cuda::compare_batch_fit(scene.models, scene.options, scene.subjects[0], detections);
    gpu.push_back(c.batch_ms), cpu.push_back(c.tracker_ms);
    others = c.reasons;
  }
  std::printf("{\"fits\": %d, \"frame_ms\": %.4f, \"cpu_ms\": %.4f, \"other_reasons\": %d}\n", frames, median(gpu),
              median(cpu), others);
}

int usage() {
  std::fprintf(stderr, "usage: gpu_times paint [WIDTH HEIGHT PICTURES] | fits [FRAMES]\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string what = argc > 1 ? argv[1] : "";
  const cuda::Status card = cuda::status();
  check(card.problem.empty(), "got no card to time: " + card.problem);
  if (what == "paint" && argc == 5) {
    time_painting(test::loaded_models(), std::atoi(argv[2]), std::atoi(argv[3]), std::max(1, std::atoi(argv[4])));
  } else if (what == "paint" && argc == 2) {
    for (const auto& [width, height] : {std::pair{512, 512}, {1280, 720}, {1920, 1080}, {3840, 2160}})
      time_painting(test::loaded_models(), width, height, 300);
  } else if (what == "fits" && argc == 3) {
    time_fits(std::max(1, std::atoi(argv[2])));
  } else if (what == "fits" && argc == 2) {
    for (const int frames : {1, 8, 32, 128, 512, 2048}) time_fits(frames);
  } else {
    return usage();
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "gpu_times: %s\n", error.what());
  return 1;
}
