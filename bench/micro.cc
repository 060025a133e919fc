// Time of the core's parts one by one, on one thread, by google-benchmark.
//
//   dmask_micro --models DIR [--recorded FILE] [--benchmark_...]     times
//   dmask_micro --models DIR [--recorded FILE] --count COUNT [NAME]  COUNT calls of each part (or one), for callgrind
//   dmask_micro --models DIR [--recorded FILE] --list                names
//
// The landmarks that the fits work on are those that the nets find in the rendered face of 512 x 512; FILE keeps them, so
// that a profiler need not follow the nets. Under `valgrind --tool=callgrind --instr-atstart=no` each part of --count gets
// a dump of its own, with its name; see micro.py.
#include <benchmark/benchmark.h>
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else  // nothing to tell: the counts then have to come from another profiler
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#define CALLGRIND_DUMP_STATS_AT(name) static_cast<void>(name)
#endif

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "detect/face_crop.hpp"
#include "detect/heatmap.hpp"
#include "detect/lines.hpp"
#include "detect/vision.hpp"
#include "models/container.hpp"
#include "pipeline/mask_mesh.hpp"
#include "pipeline/pipeline.hpp"
#include "rendered_face.h"

namespace {

using namespace dmask;

constexpr int frame_px = 512, recorded_frames = 60, warm_up_calls = 4;

using Recording = std::vector<FrameDetection>;
static_assert(std::is_trivially_copyable_v<FrameDetection>);

Image rendered(const std::string& models, double time_s, int width, int height) {
  Image image;
  image.resize(width, height);
  if (rendered_face(models.c_str(), time_s, width, height, image.bgr.data())) std::exit(1);
  return image;
}

Recording recorded(const std::string& models, const std::string& file) {
  Recording detections(recorded_frames);
  const std::size_t bytes = detections.size() * sizeof(FrameDetection);
  if (std::FILE* f = file.empty() ? nullptr : std::fopen(file.c_str(), "rb")) {
    const std::size_t got = std::fread(static_cast<void*>(detections.data()), 1, bytes, f);
    std::fclose(f);
    if (got == bytes) return detections;
  }
  PipelineOptions options;
  options.models_dir = models;
  Pipeline pipeline(options, cpu_backend());
  for (int i = 0; i < recorded_frames; ++i)
    detections[i] = pipeline.detect(rendered(models, i / 30.0, frame_px, frame_px).view(), i / 30.0);
  if (std::FILE* f = file.empty() ? nullptr : std::fopen(file.c_str(), "wb")) {
    std::fwrite(static_cast<const void*>(detections.data()), 1, bytes, f);
    std::fclose(f);
  }
  return detections;
}

// What the parts share; none of it is measured.
struct Subject {
  Models models;
  FitOptions options;
  Recording recording;
  Calibration calibration;
  Tracker tracker;
  ReleaseRules rules;
  MaskSubject subject;
  MaskParts parts;
  std::vector<MaskFrame> frames;

  Subject(const std::string& directory, const std::string& file)
      : models(Models::load(directory, directory)),
        recording(recorded(directory, file)),
        calibration(calibrate(models, recording, options)),
        tracker(models, options),
        rules(release_rules(models, PipelineOptions{})),
        subject(release_subject(models, calibration, options, rules)),
        parts(MaskParts::of(models, subject)) {
    tracker.set_calibration(calibration);
    for (const FrameDetection& detection : recording)
      frames.push_back(release_frame(models, calibration, subject, parts, rules, tracker.fit(detection)).mask);
  }
  // The recording to and fro, times running on: no cut.
  FrameDetection next() {
    const int turn = at_ % (2 * recorded_frames - 2);
    FrameDetection detection = recording[turn < recorded_frames ? turn : 2 * recorded_frames - 2 - turn];
    detection.time_s = 2 + at_++ / 30.0;
    return detection;
  }

 private:
  int at_ = recorded_frames;
};

struct Part {
  const char* name;
  std::function<std::function<void()>()> make;  // prepares once, returns one call
};

std::vector<Part> parts(const std::string& models, const std::string& file) {
  const auto subject = [models, file] {
    static Subject instance(models, file);
    return &instance;
  };
  const auto paint = [subject, models](int width, int height) {
    Subject* s = subject();
    const auto painter = std::make_shared<MaskPainter>(s->models, s->subject);
    return [=, image = std::make_shared<Image>(), i = 0]() mutable {
      painter->paint(s->frames[i++ % recorded_frames], width, height, *image);
      benchmark::DoNotOptimize(image->bgr.data());
    };
  };
  const auto sample = [subject, models](int width, int height, bool eye) {
    FrameDetection detection = subject()->recording[0];
    const float scale = static_cast<float>(height) / frame_px, shift = 0.5f * (width - scale * frame_px);
    for (Landmark& point : detection.face) point.x = scale * point.x + shift, point.y *= scale;
    const Crop crop = eye ? eye_crop(detection.face, OD) : face_crop(detection.face);
    const auto planes = std::make_shared<std::vector<float>>(3 * crop.width * crop.height);
    return [=, image = std::make_shared<Image>(rendered(models, 0, width, height)),
            sampler = std::make_shared<CropSampler>()] {
      sampler->sample(image->view(), crop, {}, planes->data());
      benchmark::DoNotOptimize(planes->data());
    };
  };
  const auto decode = [](int count, int height, int width) {
    // One blurred peak a map, each somewhere else.
    const auto maps = std::make_shared<std::vector<float>>();
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        for (int k = 0; k < count; ++k)
          maps->push_back(8 - 0.3f * static_cast<float>(std::hypot(x - 7 * k % width, y - 5 * k % height)));
    return [=, seen = std::vector<float>(maps->size(), 2.0f), points = std::vector<Landmark>(count)]() mutable {
      benchmark::DoNotOptimize(
          decode_heatmaps_and_evidence(maps->data(), seen.data(), count, height, width, points.data()));
    };
  };

  return {
      {"three_fits",
       [=] {
         Subject* s = subject();
         return [s] { benchmark::DoNotOptimize(s->tracker.fit(s->next())); };
       }},
      {"calibrate_60_frames",
       [=] {
         Subject* s = subject();
         return [s] { benchmark::DoNotOptimize(calibrate(s->models, s->recording, s->options)); };
       }},
      {"pose_skin",
       [=] {
         Subject* s = subject();
         const auto mesh = std::make_shared<MaskMesh>(s->models, s->subject);
         Points3f camera;
         camera.setZero(mesh->vertices(), 3);
         return [=, head = VecXf(), local = VecXf(), i = 0]() mutable {
           mesh->pose(s->frames[i++ % recorded_frames], head, local, camera);
           benchmark::DoNotOptimize(camera.data());
         };
       }},
      {"paint_512x512", [=] { return std::function<void()>(paint(512, 512)); }},
      {"paint_1920x1080", [=] { return std::function<void()>(paint(1920, 1080)); }},
      {"crop_face_of_512x512", [=] { return std::function<void()>(sample(512, 512, false)); }},
      {"crop_eye_of_512x512", [=] { return std::function<void()>(sample(512, 512, true)); }},
      {"crop_face_of_1920x1080", [=] { return std::function<void()>(sample(1920, 1080, false)); }},
      {"crop_eye_of_1920x1080", [=] { return std::function<void()>(sample(1920, 1080, true)); }},
      {"decode_68_heat_maps", [=] { return std::function<void()>(decode(68, face_map, face_map)); }},
      {"decode_20_lid_heat_maps", [=] { return std::function<void()>(decode(20, eye_map_height, eye_map_width)); }},
      {"decode_line",
       [] {
         std::vector<float> edges;
         for (int y = 0; y < edge_height; ++y)
           for (int x = 0; x < edge_width; ++x)
             edges.push_back(4 - 2 * std::abs(y - 32 + 0.01f * (x - 40.0f) * (x - 40.0f)));
         return [edges] { benchmark::DoNotOptimize(decode_line(edges.data(), 3, edge_height, edge_width)); };
       }},
      {"read_face_model",
       [models] { return [models] { benchmark::DoNotOptimize(Container::read(models + "/face.dmm")); }; }},
      {"load_models", [models] { return [models] { benchmark::DoNotOptimize(Models::load(models, models)); }; }},
  };
}

int run(int argc, char** argv) {
  std::string models = std::getenv("DMASK_MODELS") ? std::getenv("DMASK_MODELS") : "", file, name;
  long calls = 0;
  bool list = false;
  std::vector<char*> others = {argv[0]};
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--models" && i + 1 < argc) models = argv[++i];
    else if (option == "--recorded" && i + 1 < argc) file = argv[++i];
    else if (option == "--list") list = true;
    else if (option == "--count" && i + 1 < argc) {
      calls = std::atol(argv[++i]);
      if (i + 1 < argc) name = argv[++i];
    } else others.push_back(argv[i]);
  }
  const std::vector<Part> all = parts(models, file);
  if (list) {
    for (const Part& part : all) std::printf("%s\n", part.name);
    return 0;
  }
  if (calls > 0) {
    for (const Part& part : all) {
      if (!name.empty() && name != part.name) continue;
      const std::function<void()> call = part.make();
      for (int i = 0; i < warm_up_calls; ++i) call();  // buffers grow, the tracker settles
      CALLGRIND_START_INSTRUMENTATION;
      for (long i = 0; i < calls; ++i) call();
      CALLGRIND_DUMP_STATS_AT(part.name);
      CALLGRIND_STOP_INSTRUMENTATION;
    }
    return 0;
  }
  int count = static_cast<int>(others.size());
  benchmark::Initialize(&count, others.data());
  if (benchmark::ReportUnrecognizedArguments(count, others.data())) return 2;
  for (const Part& part : all)
    benchmark::RegisterBenchmark(part.name, [&part](benchmark::State& state) {
      const std::function<void()> call = part.make();
      for (auto _ : state) call();
    })->Unit(benchmark::kMicrosecond);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dmask_micro: %s\n", error.what());
    return 1;
  }
}
