#include "detect/limbus.hpp"

#include <Eigen/Cholesky>
#include <cmath>

namespace dmask {
namespace {

constexpr int count = 18;
constexpr double least_weight = 0.02;  // of a limbus point that is hidden, against 1 in full sight

// Periodic sinc for an even number of samples, `t` in samples: the band-limited interpolant.
double kernel(double t) {
  t -= count * std::round(t / count);
  if (std::abs(t) < 1e-9) return 1;
  return std::sin(M_PI * t) / (count * std::tan(M_PI * t / count));
}

}  // namespace

IrisPoints reversed_limbus(const IrisPoints& iris) {
  IrisPoints result = iris;
  for (int k = 2; k <= count; ++k) result[k] = iris[count + 2 - k];
  return result;
}

IrisPoints turned_limbus(const IrisPoints& iris, float roll_rad) {
  IrisPoints result = iris;
  const double shift = -roll_rad * count / (2 * M_PI);  // samples
  for (int k = 0; k < count; ++k) {
    double x = 0, y = 0;
    for (int j = 0; j < count; ++j) {
      const double weight = kernel(k + shift - j);
      x += weight * iris[1 + j].x;
      y += weight * iris[1 + j].y;
    }
    const double at = k + shift, below = std::floor(at);
    const auto confidence = [&](int j) { return iris[1 + ((j % count) + count) % count].confidence; };
    const int j = static_cast<int>(below);
    const float t = static_cast<float>(at - below);
    result[1 + k] = {static_cast<float>(x), static_cast<float>(y), (1 - t) * confidence(j) + t * confidence(j + 1)};
  }
  return result;
}

Landmark steadied_centre(const IrisPoints& iris) {
  // p_k = centre + u cos(20 k) + v sin(20 k), weighted least squares.
  Eigen::Matrix3d normal = Eigen::Matrix3d::Zero();
  Eigen::Matrix<double, 3, 2> right = Eigen::Matrix<double, 3, 2>::Zero();
  for (int k = 0; k < count; ++k) {
    const Landmark& point = iris[1 + k];
    const double angle = 2 * M_PI * k / count;
    const double weight = point.confidence * point.confidence + least_weight;
    const Eigen::Vector3d basis(1, std::cos(angle), std::sin(angle));
    normal += weight * basis * basis.transpose();
    right += weight * basis * Eigen::RowVector2d(point.x, point.y);
  }
  const Eigen::RowVector2d centre = normal.ldlt().solve(right).row(0);
  return {static_cast<float>(0.5 * (iris[0].x + centre.x())), static_cast<float>(0.5 * (iris[0].y + centre.y())),
          iris[0].confidence};
}

}  // namespace dmask
