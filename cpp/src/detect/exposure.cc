#include "detect/exposure.hpp"

#include <Eigen/Core>

#include "detect/grey_level.hpp"

namespace dmask {

float mean_level(const float* levels, int count) {
  return static_cast<float>(Eigen::Map<const Eigen::ArrayXf>(levels, count).cast<double>().mean());
}

float expose(float* rgb, int pixels) {
  using Plane = Eigen::Map<Eigen::ArrayXf>;
  const auto mean = [=](int plane) { return mean_level(rgb + plane * pixels, pixels); };
  const float luminance = grey_level(mean(0), mean(1), mean(2));
  const float gain = exposure_gain(luminance);
  if (gain > 1) Plane(rgb, 3 * pixels) = (gain * Plane(rgb, 3 * pixels)).min(1.0f);
  return luminance;
}

}  // namespace dmask
