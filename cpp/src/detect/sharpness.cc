#include "detect/sharpness.hpp"

#include <Eigen/Core>

#include "detect/grey_level.hpp"

namespace dmask {

float laplacian_variance(const float* rgb, int width, int height, std::vector<float>& grey) {
  const int plane = width * height, inner = width - 2;
  using Row = Eigen::Map<const Eigen::ArrayXf>;
  grey.resize(plane);
  Eigen::Map<Eigen::ArrayXf>(grey.data(), plane) =
      grey_level(Row(rgb, plane), Row(rgb + plane, plane), Row(rgb + 2 * plane, plane));
  double sum = 0, sum_squares = 0;
  for (int y = 1; y < height - 1; ++y) {
    const float* here = grey.data() + y * width + 1;
    const auto laplacian = Row(here - 1, inner) + Row(here + 1, inner) + Row(here - width, inner) +
                           Row(here + width, inner) - 4 * Row(here, inner);
    sum += laplacian.sum();
    sum_squares += laplacian.square().sum();
  }
  const double count = static_cast<double>(inner) * (height - 2);
  return static_cast<float>(sum_squares / count - (sum / count) * (sum / count));
}

}  // namespace dmask
