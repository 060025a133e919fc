#include "detect/lines.hpp"
#include "cuda_twins/twins.hpp"
#include "detect/line_rules.hpp"

namespace dmask::cuda {

void decode_lines_twin(const EdgeMaps& maps, DecodedPoint* points) {
  for (int line = 0; line < maps.lines; ++line) {
    const float* edges = maps.edges + static_cast<std::ptrdiff_t>(line) * maps.height * maps.width;
    for (const Landmark& point : decode_line(edges, maps.presence[line], maps.height, maps.width)) {
      *points++ = {(point.x + 0.5f) * line_rules::cell_px - 0.5f, (point.y + 0.5f) * line_rules::cell_px - 0.5f,
                   point.confidence, 0.0f};
    }
  }
}

}  // namespace dmask::cuda
