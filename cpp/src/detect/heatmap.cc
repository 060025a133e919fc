#include "detect/heatmap.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "geometry/check.hpp"

namespace dmask {

float sigmoid(float logit) { return 1.0f / (1.0f + std::exp(-logit)); }

float decode_heatmaps(const float* heatmaps, const float* visibility, int count, int height, int width,
                     Landmark* landmarks) {
  constexpr float cell_px = 4.0f;
  constexpr int max_width = 128;
  using Row = Eigen::Array<float, Eigen::Dynamic, 1, 0, max_width, 1>;  // without the heap
  if (width > max_width)
    throw Error("got a heat map of " + std::to_string(width) + " columns, expected at most " + std::to_string(max_width));
  const Row across = Row::LinSpaced(width, 0.0f, static_cast<float>(width - 1));
  Row row(width), column_sum(width);
  float spread = 0;
  for (int k = 0; k < count; ++k) {
    const float* map = heatmaps + static_cast<std::ptrdiff_t>(k) * height * width;
    const float top = Eigen::Map<const Eigen::ArrayXf>(map, height * width).maxCoeff();
    column_sum.setZero();
    float sum_y = 0, sum_yy = 0;
    for (int y = 0; y < height; ++y) {
      row = (Eigen::Map<const Eigen::ArrayXf>(map + y * width, width) - top).exp();
      column_sum += row;
      const float row_sum = row.sum();
      sum_y += y * row_sum;
      sum_yy += static_cast<float>(y * y) * row_sum;
    }
    const float sum = column_sum.sum();
    const float x = (column_sum * across).sum() / sum, y = sum_y / sum;
    landmarks[k].x = (x + 0.5f) * cell_px - 0.5f;
    landmarks[k].y = (y + 0.5f) * cell_px - 0.5f;
    landmarks[k].confidence = sigmoid(visibility[k]);
    const float variance = (column_sum * (across - x).square()).sum() / sum + sum_yy / sum - y * y;
    spread += std::sqrt(std::max(0.0f, variance)) / static_cast<float>(count);
  }
  return spread;
}

}  // namespace dmask
