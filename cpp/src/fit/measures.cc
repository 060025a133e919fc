#include "fit/measures.hpp"

#include <algorithm>
#include <cmath>

#include "detect/face68.hpp"
#include "fit/validity.hpp"
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

// Between the margins over the head's x: lids that cross by what the fit leaves have no fissure, not a negative one.
double fissure_mm(const VecX& head, double x_mm) {
  return std::max(margin_height(head, 0, x_mm) - margin_height(head, 1, x_mm), 0.0);
}

}  // namespace

double px_per_deg(const Calibration& calibration, const Vec3& centre) {
  return calibration.camera.focal_px / centre.z() * calibration.ball.radius_mm * deg;
}

LipGaps lip_gaps_mm(const FrameDetection& detection, const FacePose& pose, const Calibration& calibration) {
  const Vec2 down = -pose.rotation.col(1).head<2>();  // the head's y in the picture, foreshortened
  LipGaps gaps;
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    const auto [upper, lower] = face68::inner_lips[i];
    const Landmark &a = detection.face[upper], &b = detection.face[lower];
    const double depth_mm = (pose.rotation * calibration.face.neutral.segment<3>(3 * upper) + pose.translation).z();
    const double mm_per_px = depth_mm / calibration.camera.focal_px;
    gaps[i] = Vec2(b.x - a.x, b.y - a.y).dot(down) * mm_per_px / std::max(down.squaredNorm(), 0.1);
  }
  return gaps;
}

void measure_lids(const EyeStatics& statics, const Eigen::Ref<const VecX>& motion, double residual_pct,
                  const LidCurves& curves, EyeFit& out, VecX& head) {
  out.motion = motion;
  statics.rows.place(out.motion, head);
  constexpr int n = EyelidRows::margin_samples;
  const Vec3 inner = head.segment<3>(0), outer = head.segment<3>(3 * (n - 1));
  double aperture_mm = 0;
  for (int k = 0; k < dense_per_lid; ++k) {
    const double x = inner.x() + dense_abscissa(k) * (outer.x() - inner.x());
    aperture_mm = std::max(aperture_mm, margin_height(head, 0, x) - margin_height(head, 1, x));
  }
  const double width_mm = (outer - inner).norm();
  const double openness = curves.shut ? 0 : aperture_mm / width_mm;
  out.reason = lids_reason(residual_pct, openness);
  if (out.reason == Reason::lost) {
    out.motion.setZero();
    return;
  }
  out.eyelid_residual_pct = residual_pct;
  out.openness = openness;
  out.closed_by_mm = curves.closed_by * width_mm;
  out.lids_valid = true;
  const double x_mm = statics.centre.x();
  out.pfh_mm = out.openness == 0 ? 0 : fissure_mm(head, x_mm);
}

void measure_gaze(const EyeStatics& statics, const Eyeball& ball, const Gaze& gaze, const IrisSight& sight,
                  double residual_pct, const FitOptions& options, EyeFit& out, VecX& head) {
  out.eyeball_residual_pct = std::isfinite(residual_pct) ? residual_pct : NAN;
  out.reason = gaze_reason(residual_pct, out.px_per_deg, gaze, sight, options);
  if (out.reason == Reason::lost || out.reason == Reason::out_of_range) return;
  out.gaze = gaze;
  out.gaze_found = true;
  if (out.reason != Reason::none) return;  // too coarse for a number

  out.gaze_doubt =
      half_hidden_below(gaze, sight, options.sure_far_down_visibility, options) ? options.far_down_sd_scale : 1;

  // MRD along the head's y, at the pupil.
  const Vec3 pupil = statics.centre + ball.iris_plane_mm() * gaze_axis(out.gaze.yaw, out.gaze.pitch);
  statics.rows.place(out.motion, head);
  out.mrd1_mm = margin_height(head, 0, pupil.x()) - pupil.y();
  out.mrd2_mm = pupil.y() - margin_height(head, 1, pupil.x());
  out.pfh_mm = fissure_mm(head, pupil.x());  // MRD1 + MRD2
}

}  // namespace dmask
