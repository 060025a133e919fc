// What a frame costs the heap once the last calibration is done; the inference library's own allocations do not count.
#include <vector>

#include "allocations.hpp"
#include "check.hpp"
#include "models_dir.hpp"
#include "pipeline/pipeline.hpp"
#include "rendered_face.h"

namespace {

using namespace dmask;
using dmask::test::allocations;
using dmask::test::Counted;

constexpr int width = 640, height = 480, clip_frames = 60, warm_up_frames = 170, counted_frames = 90;

long counted(auto&& work) {
  const long before = allocations.ours;
  {
    const Counted scope;
    work();
  }
  return allocations.ours - before;
}

TEST_CASE(a_frame_of_a_calibrated_patient_costs_the_heap_nothing) {
  const std::string models = test::models_dir();
  std::vector<std::vector<std::uint8_t>> clip(clip_frames, std::vector<std::uint8_t>(3 * width * height));
  for (int i = 0; i < clip_frames; ++i)
    EXPECT(rendered_face(models.c_str(), 1 + i / 30.0, width, height, clip[i].data()) == 0);  // with a blink

  PipelineOptions options;
  options.models_dir = models;
  options.lamp = Lamp::camera;  // reflexes are looked for, too
  Pipeline pipeline(options, cpu_backend());
  Tracker tracker(pipeline.models(), pipeline.fit_options());
  FrameDetection detection;
  FrameResult result;
  FrameFit fitted;
  Image mask;
  int closed = 0;
  long detect = 0, fit = 0, parameters = 0, of_small = 0, paint = 0;
  Calibration small;
  const ReleaseRules rules = release_rules(pipeline.models(), PipelineOptions{});
  MaskParts parts;
  for (int i = 0; i < warm_up_frames + counted_frames; ++i) {
    const int turn = i % (2 * clip_frames - 2);
    const ImageView frame{clip[turn < clip_frames ? turn : 2 * clip_frames - 2 - turn].data(), width, height, 3,
                          3 * width};
    if (i == warm_up_frames - 2 * clip_frames) {
      tracker.set_calibration(pipeline.unreleased_calibration());
      parts = MaskParts::of(pipeline.models(), pipeline.subject());
      small = pipeline.unreleased_calibration();
      small.rest.small = true;
    }
    if (i < warm_up_frames) {
      result = pipeline.follow(frame, i / 30.0, detection);
      pipeline.render(result, width, height, mask);
      tracker.fit(detection);
      continue;
    }
    detect += counted([&] { detection = pipeline.detect(frame, i / 30.0); });
    fit += counted([&] { fitted = tracker.fit(detection); });
    parameters += counted([&] {
      result =
          release_frame(pipeline.models(), pipeline.unreleased_calibration(), pipeline.subject(), parts, rules, fitted);
    });
    of_small += counted([&] { release_frame(pipeline.models(), small, pipeline.subject(), parts, rules, fitted); });
    paint += counted([&] { pipeline.render(result, width, height, mask); });
    EXPECT(fitted.face_reason == Reason::none);
    closed += fitted.eyes[OD].reason == Reason::closed;
  }
  const long inference = allocations.theirs;
  std::printf("allocations a frame: detector %.2f, fits %.2f, parameters %.2f, mask %.2f; inference library %.1f\n",
              1.0 * detect / counted_frames, 1.0 * fit / counted_frames, 1.0 * parameters / counted_frames,
              1.0 * paint / counted_frames, 1.0 * inference / counted_frames);
  EXPECT(inference > 0);  // or the count would miss the library's end
  EXPECT(closed > 0);     // blinks are counted too
  EXPECT(fit == 0);
  EXPECT(parameters == 0);
  EXPECT(of_small == 0);
  EXPECT(detect == 0);
  EXPECT(paint == 0);
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
