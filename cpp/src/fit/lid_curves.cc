#include "fit/lid_curves.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <functional>

#include "detect/face_crop.hpp"

namespace dmask {
namespace {

// A cubic leaves the upper margin of an open eye 0.2 mm too high at the pupil; two more degrees leave 0.03 mm.
constexpr int lid_degree = 5;
// Before the outer canthus the lids turn towards each other so sharply that no such curve follows: the canthus, as one of
// its points, would lift the margins elsewhere.
constexpr double outer_canthus_weight = 0.04;
using Polynomial = Eigen::Matrix<double, lid_degree + 1, 1>;

// Chebyshev's polynomials on 0..1: powers of x would hardly differ from each other there.
Polynomial basis(double x) {
  Polynomial b;
  b[0] = 1;
  b[1] = 2 * x - 1;
  for (int k = 2; k <= lid_degree; ++k) b[k] = 2 * b[1] * b[k - 1] - b[k - 2];
  return b;
}

double share(double confidence, double least, double sure) {
  return std::clamp((confidence - least) / (sure - least), 0.0, 1.0);
}

// How surely an iris is seen, 0..1: its centre may be all that a slit shows of it, or some of its limbus, and of an eye that
// looks far down a little of both.
double iris_behind_slit(const EyeDetection& eye, const FitOptions& options) {
  std::array<float, 18> limbus;
  for (int k = 0; k < 18; ++k) limbus[k] = eye.iris[k + 1].confidence;
  std::partial_sort(limbus.begin(), limbus.begin() + options.slit_limbus, limbus.end(), std::greater<>());
  double points = 0;
  for (int k = 0; k < options.slit_limbus; ++k)
    points += share(limbus[k], options.shut_limbus_visibility, options.slit_limbus_visibility) / options.slit_limbus;
  const double centre = share(eye.iris[0].confidence, options.shut_iris_visibility, options.min_iris_visibility);
  return 1 - (1 - centre) * (1 - points);
}

}  // namespace

Vec2 head_up(const FrameDetection& detection) {
  const double roll = face_roll_rad(detection.face);
  return {std::sin(roll), -std::cos(roll)};
}

LidCurves LidCurves::from(const EyeDetection& eye, const Vec2& up, const FitOptions& options) {
  LidCurves curves;
  const auto point = [&](int i) { return Vec2(eye.lid[i].x, eye.lid[i].y); };
  for (const Landmark& p : eye.lid) curves.confidence += p.confidence / eye.lid.size();
  curves.inner = point(0);
  curves.outer = point(10);
  const Vec2 across = curves.outer - curves.inner;
  curves.width_px = across.norm();
  if (!(curves.width_px > 1)) return curves;
  curves.found = true;

  // x along the canthi, so that a rolled head fits too; y towards the brow, in widths.
  const Vec2 ex = across / curves.width_px;
  Vec2 ey(-ex.y(), ex.x());
  if (ey.dot(up) < 0) ey = -ey;
  std::array<Polynomial, 2> lids;
  for (int lid = 0; lid < 2; ++lid) {  // Eqs. (6, 7)
    using Normal = Eigen::Matrix<double, lid_degree + 1, lid_degree + 1>;
    Normal normal = 1e-6 * Normal::Identity();
    Polynomial rhs = Polynomial::Zero();
    const auto at = [&](int k) { return lid == 0 ? k : (20 - k) % 20; };  // inner canthus to outer canthus
    for (int k = 0; k <= 10; ++k) {
      const Vec2 d = point(at(k)) - curves.inner;
      const double x = d.dot(ex) / curves.width_px, y = d.dot(ey) / curves.width_px;
      const Polynomial row = basis(x);
      const double trust = k == 10 ? outer_canthus_weight : 1;
      const double weight = trust * std::clamp<double>(eye.lid[at(k)].confidence, 0.02, 1);
      normal += weight * row * row.transpose();
      rhs += weight * y * row;
    }
    lids[lid] = normal.ldlt().solve(rhs);
  }

  std::array<std::array<double, dense_per_lid>, 2> height;
  for (int k = 0; k < dense_per_lid; ++k) {
    const Polynomial at = basis(dense_abscissa(k));
    for (int lid = 0; lid < 2; ++lid) height[lid][k] = lids[lid].dot(at);
    curves.openness = std::max(curves.openness, height[0][k] - height[1][k]);
  }
  // Detectors stop short of a shut eye: below a threshold the lids close.
  const double iris = iris_behind_slit(eye, options);
  const double least = options.shut_openness + iris * (options.slit_shut_openness - options.shut_openness);
  const double whole = options.open_openness + iris * (options.slit_open_openness - options.open_openness);
  const double closing = std::clamp((curves.openness - least) / (whole - least), 0.0, 1.0);
  curves.shut = closing == 0;
  curves.closed_by = curves.openness * (1 - closing);
  for (int k = 0; k < dense_per_lid; ++k) {  // Eq. (8)
    const double s = dense_abscissa(k);
    double upper = height[0][k], lower = height[1][k];
    const double gap = std::max(upper - lower, 0.0) * closing;
    const double meeting = upper > lower ? lower + 0.25 * (upper - lower) : 0.5 * (upper + lower);
    upper = meeting + 0.75 * gap;
    lower = meeting - 0.25 * gap;
    curves.dense[k] = curves.inner + curves.width_px * (s * ex + upper * ey);
    curves.dense[dense_per_lid + k] = curves.inner + curves.width_px * (s * ex + lower * ey);
  }
  return curves;
}

}  // namespace dmask
