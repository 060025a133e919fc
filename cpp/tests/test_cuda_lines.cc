// The decoder of edge maps against its twin.
#include <cmath>
#include <random>
#include <vector>

#include "check.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda_twins/twins.hpp"
#include "detect/line_rules.hpp"
#include "geometry/larger.hpp"

using namespace dmask;
using namespace dmask::cuda;

namespace {

constexpr int width = 80, height = 64, map_cells = width * height;

// Parabolas with gaps and something brighter beside them, faint ones, short ones, and none at all.
std::vector<float> edge_maps(int lines, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> unit(0, 1);
  std::vector<float> edges(static_cast<std::size_t>(lines) * map_cells);
  for (int line = 0; line < lines; ++line) {
    float* map = edges.data() + static_cast<std::size_t>(line) * map_cells;
    const double level = 15 + 30 * unit(random), bend = 0.02 * (unit(random) - 0.5), tilt = 0.3 * (unit(random) - 0.5);
    const int kind = line % 4;  // 0 clear, 1 faint, 2 short, 3 absent
    const int first = kind == 2 ? 36 : 5 + static_cast<int>(10 * unit(random));
    const int last = kind == 2 ? 41 : 79 - static_cast<int>(12 * unit(random));
    const int gap = 30 + static_cast<int>(10 * unit(random));
    for (int x = 0; x < width; ++x) {
      const double at = level + tilt * (x - 40) + bend * (x - 40) * (x - 40);
      const bool drawn = kind != 3 && x >= first && x <= last && (x < gap || x > gap + 2);
      for (int y = 0; y < height; ++y) {
        const double p = drawn ? (kind == 1 ? 0.4 : 0.95) * std::exp(-(y - at) * (y - at)) : 0;
        map[y * width + x] = static_cast<float>(std::log((p + 1e-4) / (1 - p)) + 0.6 * (unit(random) - 0.5));
      }
    }
    for (int x = 50; x <= 51; ++x) map[3 * width + x] = 9;
  }
  return edges;
}

TEST_CASE(lines_are_decoded_as_on_the_cpu) {
  const int lines = 24;
  const auto edges = edge_maps(lines, 11);
  std::vector<float> presence(lines);
  for (int line = 0; line < lines; ++line) presence[line] = 4.0f - 0.2f * static_cast<float>(line);
  std::vector<DecodedPoint> want(lines * line_rules::point_count), got(want.size());
  decode_lines_twin({edges.data(), presence.data(), lines, height, width}, want.data());

  Stream stream;
  DeviceBuffer<float> device_edges(edges.size()), device_presence(presence.size());
  DeviceBuffer<DecodedPoint> device_points(want.size());
  upload(edges.data(), edges.size(), device_edges.get(), stream.get());
  upload(presence.data(), presence.size(), device_presence.get(), stream.get());
  decode_lines({device_edges.get(), device_presence.get(), lines, height, width}, device_points.get(), stream.get());
  download(device_points.get(), got.size(), got.data(), stream.get());
  stream.wait();
  double worst_px = 0, worst_confidence = 0;
  int sure = 0, guessed = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    worst_px = larger(worst_px, std::hypot(got[i].x - want[i].x, got[i].y - want[i].y));
    worst_confidence = larger(worst_confidence, std::abs(got[i].confidence - want[i].confidence));
    sure += want[i].confidence > 0.5f;
    guessed += want[i].confidence < 0.1f;
  }
  std::printf("decode_lines: %.2g px, confidence %.2g; %d points sure, %d guessed\n", worst_px, worst_confidence, sure,
              guessed);
  EXPECT(worst_px < 1e-2);
  EXPECT(worst_confidence < 1e-4);
  EXPECT(sure > 80 && guessed > 80);  // both ways were taken
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
