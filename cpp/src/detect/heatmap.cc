#include "detect/heatmap.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "detect/net_sizes.hpp"
#include "geometry/check.hpp"

namespace dmask {

float sigmoid(float logit) { return 1.0f / (1.0f + std::exp(-logit)); }

float decode_heatmaps(const float* heatmaps, const float* visibility, int count, int height, int width,
                      Landmark* landmarks) {
  constexpr int max_width = 128;
  using Row = Eigen::Array<float, Eigen::Dynamic, 1, 0, max_width, 1>;  // without the heap
  if (width > max_width)
    throw Error("got a heat map of " + std::to_string(width) + " columns, expected at most " +
                std::to_string(max_width));
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
    landmarks[k].x = (x + 0.5f) * heatmap_cell_px - 0.5f;
    landmarks[k].y = (y + 0.5f) * heatmap_cell_px - 0.5f;
    landmarks[k].confidence = sigmoid(visibility[k]);
    const float variance = (column_sum * (across - x).square()).sum() / sum + sum_yy / sum - y * y;
    spread += std::sqrt(std::max(0.0f, variance)) / static_cast<float>(count);
  }
  return spread;
}

float decode_heatmaps_and_evidence(const float* heatmaps, const float* evidence, int count, int height, int width,
                                   Landmark* landmarks) {
  constexpr int lanes = 8;
  using Lanes = Eigen::Array<float, lanes, 1>;
  if (count < lanes)
    throw Error("got " + std::to_string(count) + " heat maps, expected at least " + std::to_string(lanes));
  const std::ptrdiff_t cells = static_cast<std::ptrdiff_t>(height) * width;
  const float middle_x = 0.5f * (width - 1), middle_y = 0.5f * (height - 1);  // moments about it lose less in float
  float spread = 0;
  for (int done = 0; done < count; done += lanes) {
    const int first = std::min(done, count - lanes);  // the last ones overlap those before
    const auto at = [&](const float* maps, std::ptrdiff_t cell) {
      return Eigen::Map<const Lanes>(maps + cell * count + first);
    };
    Lanes top = at(heatmaps, 0);
    for (std::ptrdiff_t cell = 1; cell < cells; ++cell) top = top.max(at(heatmaps, cell));
    Lanes sum = Lanes::Zero(), sum_x = sum, sum_y = sum, sum_xx_yy = sum, seen = sum;
    std::ptrdiff_t cell = 0;
    for (int row = 0; row < height; ++row) {
      const float y = row - middle_y;
      Lanes row_sum = Lanes::Zero();
      for (int column = 0; column < width; ++column, ++cell) {
        const float x = column - middle_x;
        const Lanes weight = (at(heatmaps, cell) - top).exp();
        row_sum += weight;
        sum_x += x * weight;
        sum_xx_yy += x * x * weight;
        seen += weight * at(evidence, cell);
      }
      sum += row_sum;
      sum_y += y * row_sum;
      sum_xx_yy += y * y * row_sum;
    }
    const Lanes x = sum_x / sum, y = sum_y / sum;
    const Lanes deviation = (sum_xx_yy / sum - x.square() - y.square()).max(0.0f).sqrt();
    for (int i = done - first; i < lanes; ++i) {
      Landmark& landmark = landmarks[first + i];
      landmark.x = (x[i] + middle_x + 0.5f) * heatmap_cell_px - 0.5f;
      landmark.y = (y[i] + middle_y + 0.5f) * heatmap_cell_px - 0.5f;
      landmark.confidence = sigmoid(seen[i] / sum[i]);
      spread += deviation[i] / static_cast<float>(count);
    }
  }
  return spread;
}

}  // namespace dmask
