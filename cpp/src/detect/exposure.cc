#include "detect/exposure.hpp"

#include <Eigen/Core>

#include "detect/grey_level.hpp"

namespace dmask {

float expose(float* rgb, int pixels) {
  using Plane = Eigen::Map<Eigen::ArrayXf>;
  const auto mean = [=](int plane) { return Plane(rgb + plane * pixels, pixels).mean(); };
  const float luminance = grey_level(mean(0), mean(1), mean(2));
  const float gain = exposure_gain(luminance);
  if (gain > 1) Plane(rgb, 3 * pixels) = (gain * Plane(rgb, 3 * pixels)).min(1.0f);
  return luminance;
}

}  // namespace dmask
