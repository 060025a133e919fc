#include "fit/lid_curves.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "detect/face_crop.hpp"

namespace dmask {
namespace {

using Cubic = Eigen::Vector4d;

double value(const Cubic& c, double x) { return ((c[0] * x + c[1]) * x + c[2]) * x + c[3]; }

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
  std::array<Cubic, 2> lids;
  for (int lid = 0; lid < 2; ++lid) {  // Eqs. (6, 7)
    Eigen::Matrix4d normal = 1e-6 * Eigen::Matrix4d::Identity();
    Eigen::Vector4d rhs = Eigen::Vector4d::Zero();
    const auto at = [&](int k) { return lid == 0 ? k : (20 - k) % 20; };  // inner canthus to outer canthus
    for (int k = 0; k <= 10; ++k) {
      const Vec2 d = point(at(k)) - curves.inner;
      const double x = d.dot(ex) / curves.width_px, y = d.dot(ey) / curves.width_px;
      const Eigen::Vector4d row(x * x * x, x * x, x, 1);
      const double weight = std::clamp<double>(eye.lid[at(k)].confidence, 0.02, 1);
      normal += weight * row * row.transpose();
      rhs += weight * y * row;
    }
    lids[lid] = normal.ldlt().solve(rhs);
  }

  for (int k = 0; k < dense_per_lid; ++k) {
    const double s = dense_abscissa(k);
    curves.openness = std::max(curves.openness, value(lids[0], s) - value(lids[1], s));
  }
  const auto in_sight = [](const Landmark& p) { return p.confidence > 0.5f; };
  const auto limbus_in_sight = std::count_if(eye.iris.begin() + 1, eye.iris.end(), in_sight);
  curves.shut = curves.openness <= options.shut_openness ||
                (curves.openness <= 0.5 * (options.shut_openness + options.open_openness) && limbus_in_sight < 3);
  // Detectors stop short of a shut eye by a millimetre or two: below a threshold the lids close.
  const double range = options.open_openness - options.shut_openness;
  const double closing = curves.shut ? 0 : std::clamp((curves.openness - options.shut_openness) / range, 0.0, 1.0);
  for (int k = 0; k < dense_per_lid; ++k) {  // Eq. (8)
    const double s = dense_abscissa(k);
    double upper = value(lids[0], s), lower = value(lids[1], s);
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
