// The heat-map kernel against its twin, and graphs that are replayed.
#include <cmath>
#include <random>
#include <vector>

#include "check.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda_twins/twins.hpp"
#include "device_allocations.hpp"
#include "geometry/larger.hpp"

using namespace dmask;
using namespace dmask::cuda;

namespace {

TEST_CASE(heatmaps_are_decoded_as_on_the_cpu) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const int maps = 39, height = 32, width = 40;
  std::vector<float> logits(static_cast<std::size_t>(maps) * height * width), visibility(maps);
  for (float& v : logits) v = 2 * normal(random);
  for (float& v : visibility) v = 3 * normal(random);
  for (int k = 0; k < maps; ++k) logits[(k * height + k % height) * width + k] += 12.0f;
  std::vector<DecodedPoint> want(maps), got(maps);
  decode_heatmaps_twin({logits.data(), visibility.data(), maps, height, width}, want.data());

  Stream stream;
  DeviceBuffer<float> device_logits(logits.size()), device_visibility(maps);
  DeviceBuffer<DecodedPoint> device_points(maps);
  upload(logits.data(), logits.size(), device_logits.get(), stream.get());
  upload(visibility.data(), visibility.size(), device_visibility.get(), stream.get());
  decode_heatmaps({device_logits.get(), device_visibility.get(), maps, height, width}, device_points.get(),
                  stream.get());
  download(device_points.get(), got.size(), got.data(), stream.get());
  stream.wait();
  double worst_px = 0, worst_confidence = 0, worst_spread = 0;
  for (int k = 0; k < maps; ++k) {
    worst_px = larger(worst_px, std::hypot(got[k].x - want[k].x, got[k].y - want[k].y));
    worst_confidence = larger(worst_confidence, std::abs(got[k].confidence - want[k].confidence));
    worst_spread = larger(worst_spread, std::abs(got[k].spread - want[k].spread));
  }
  std::printf("decode_heatmaps: %.2g px, confidence %.2g, spread %.2g cells\n", worst_px, worst_confidence,
              worst_spread);
  EXPECT(worst_px < 1e-3);
  EXPECT(worst_confidence < 1e-6);
  EXPECT(worst_spread < 1e-3);
}

TEST_CASE(a_captured_graph_replays_on_new_data) {
  Stream stream;
  const int cells = 32 * 32;
  DeviceBuffer<float> logits(cells), visibility(1);
  DeviceBuffer<DecodedPoint> point(1);
  PinnedBuffer<float> host(cells);
  PinnedBuffer<DecodedPoint> result(1);
  const float zero = 0;
  upload(&zero, 1, visibility.get(), stream.get());
  Graph graph;
  graph.capture(stream, [&] {
    upload(host.get(), cells, logits.get(), stream.get());
    decode_heatmaps({logits.get(), visibility.get(), 1, 32, 32}, point.get(), stream.get());
    download(point.get(), 1, result.get(), stream.get());
  });
  const long allocations = test::device_allocations();
  for (const int x : {3, 17, 30}) {
    for (int i = 0; i < cells; ++i) host.get()[i] = i == 8 * 32 + x ? 50.0f : 0.0f;
    graph.launch(stream);
    stream.wait();
    EXPECT_NEAR(result.get()->x, (x + 0.5) * 4 - 0.5, 1e-3);
    EXPECT_NEAR(result.get()->y, 8.5 * 4 - 0.5, 1e-3);
  }
  EXPECT(test::device_allocations() == allocations);
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
