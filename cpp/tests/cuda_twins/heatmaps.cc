#include "cuda_twins/twins.hpp"
#include "detect/heatmap.hpp"

namespace dmask::cuda {

void decode_heatmaps_twin(const Heatmaps& maps, DecodedPoint* points) {
  for (int k = 0; k < maps.maps; ++k) {
    Landmark point;
    points[k].spread = dmask::decode_heatmaps(maps.logits + static_cast<std::ptrdiff_t>(k) * maps.height * maps.width,
                                              maps.visibility + k, 1, maps.height, maps.width, &point);
    points[k].x = point.x;
    points[k].y = point.y;
    points[k].confidence = point.confidence;
  }
}

}  // namespace dmask::cuda
