// What nets are tried with, and what they say of themselves.
#pragma once

#include <cmath>
#include <random>
#include <vector>

namespace dmask::test {

// Values without a pattern, the same ones for the same seed.
inline std::vector<float> noise(std::size_t count, float scale, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

// What a net's own visibility is: the mean of the evidence, weighted by the softmax of the map.
inline float seen_under(const float* map, const float* evidence, int cells, int stride = 1) {
  double sum = 0, seen = 0;
  for (int cell = 0; cell < cells; ++cell) {
    const double weight = std::exp(static_cast<double>(map[cell * stride]));
    sum += weight;
    seen += weight * evidence[cell * stride];
  }
  return static_cast<float>(seen / sum);
}

}  // namespace dmask::test
