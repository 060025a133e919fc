#include "fit/measures.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>

#include "geometry/rotation.hpp"

namespace dmask {
namespace {

// Height of one margin over the head's x, mm.
double margin_height(const VecX& head, int lid, double x_mm) {
  constexpr int n = EyelidRows::margin_samples;
  const auto point = [&](int i) { return Vec3(head.segment<3>(3 * (lid * n + i))); };
  const double toward = point(n - 1).x() > point(0).x() ? 1 : -1;
  int i = 0;
  while (i < n - 2 && toward * point(i + 1).x() < toward * x_mm) ++i;
  const Vec3 a = point(i), b = point(i + 1);
  const double run = b.x() - a.x();
  const double u = std::abs(run) > 1e-9 ? std::clamp((x_mm - a.x()) / run, 0.0, 1.0) : 0;
  return a.y() + u * (b.y() - a.y());
}

}  // namespace

void measure_lids(const EyeStatics& statics, bool shut, EyeFit& out, VecX& head) {
  statics.rows.place(out.motion, head);
  constexpr int n = EyelidRows::margin_samples;
  const Vec3 inner = head.segment<3>(0), outer = head.segment<3>(3 * (n - 1));
  double aperture_mm = 0;
  for (int k = 0; k < dense_per_lid; ++k) {
    const double x = inner.x() + dense_abscissa(k) * (outer.x() - inner.x());
    aperture_mm = std::max(aperture_mm, margin_height(head, 0, x) - margin_height(head, 1, x));
  }
  out.openness = aperture_mm / (outer - inner).norm();
  if (shut) out.openness = 0;
  out.reason = out.openness == 0 ? Reason::closed : Reason::none;

  const double x_mm = statics.centre.x();
  out.pfh_mm = out.openness == 0 ? 0 : margin_height(head, 0, x_mm) - margin_height(head, 1, x_mm);
}

void measure_gaze(const EyeStatics& statics, const Eyeball& ball, const Eigen::Matrix2d& information, EyeFit& out, VecX& head) {
  // This frame's noise, and the constant that an error of p_e leaves in every frame: 1 mm sideways is 5 degrees.
  const Eigen::Matrix2d frame_covariance = (information + Eigen::Matrix2d::Identity() * 1e-6).inverse();
  const double plane_mm = ball.iris_plane_mm();
  const double static_yaw = std::sqrt(statics.centre_covariance(0, 0)) / (plane_mm * std::max(std::cos(out.gaze.yaw), 0.3));
  const double static_pitch = std::sqrt(statics.centre_covariance(1, 1)) / (plane_mm * std::max(std::cos(out.gaze.pitch), 0.3));
  out.yaw_sd = std::sqrt(frame_covariance(0, 0) + static_yaw * static_yaw);
  out.pitch_sd = std::sqrt(frame_covariance(1, 1) + static_pitch * static_pitch);

  // MRD along the head's y, at the pupil.
  const Vec3 pupil = statics.centre + plane_mm * gaze_axis(out.gaze.yaw, out.gaze.pitch);
  statics.rows.place(out.motion, head);
  out.mrd1_mm = margin_height(head, 0, pupil.x()) - pupil.y();
  out.mrd2_mm = pupil.y() - margin_height(head, 1, pupil.x());
  out.pfh_mm = out.mrd1_mm + out.mrd2_mm;
}

}  // namespace dmask
