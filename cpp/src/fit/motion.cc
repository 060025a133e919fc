#include "fit/motion.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>

#include "fit/calibration.hpp"

namespace dmask {
namespace {

using Mat2 = Eigen::Matrix2d;

Mat2 information(const PointMotion& m) {
  Mat2 a;
  a << m.information_xx, m.information_xy, m.information_xy, m.information_yy;
  return a;
}

bool known(const PointMotion& m) { return m.information_xx > 0 && information(m).determinant() > 0; }

// How the face moves as a whole, and how far its points differ from it: what a turn, or a mistake, brings.
struct WholeMotion {
  Vec2 mean = Vec2::Zero();
  double spread_px = 0;
  int points = 0;

  explicit WholeMotion(const FrameDetection& detection) {
    for (const PointMotion& m : detection.motion)
      if (known(m)) mean += Vec2(m.x, m.y), ++points;
    if (points == 0) return;
    mean /= points;
    for (const PointMotion& m : detection.motion)
      if (known(m)) spread_px += (Vec2(m.x, m.y) - mean).squaredNorm() / points;
    spread_px = std::sqrt(spread_px);
  }
};

// Of a positive definite matrix.
Mat2 symmetric_root(const Mat2& a) {
  const double root = std::sqrt(a.determinant());
  return (a + root * Mat2::Identity()) / std::sqrt(a.trace() + 2 * root);
}

}  // namespace

void take_motion(const FrameDetection& detection, const FrameFit& before, const Calibration& calibration,
                 const FitOptions& options, FaceObservation& observation) {
  if (detection.moved_since_s != before.time_s || before.face_reason != Reason::none) return;
  const WholeMotion whole(detection);
  const double sigma_px = std::hypot(0.01 * options.motion_sigma_pct * observation.interocular_px,
                                     options.motion_slip * whole.mean.norm(), options.turn_slip * whole.spread_px);
  for (int k = 0; k < moving_points; ++k) {
    const PointMotion& motion = detection.motion[k];
    if (!known(motion)) continue;
    const Mat2 of_motion = (information(motion).inverse() + sigma_px * sigma_px * Mat2::Identity()).inverse();
    const int i = first_moving + k;
    const Vec3 then = before.pose.rotation * vertex(calibration.face, i, before.pose.units) + before.pose.translation;
    const Vec2 there = calibration.camera.project(then) + Vec2(motion.x, motion.y);
    const Mat2 root = observation.root_information[i], of_net = root.transpose() * root, both = of_net + of_motion;
    observation.points[i] = both.inverse() * (of_net * observation.points[i] + of_motion * there);
    observation.root_information[i] = symmetric_root(both);
  }
}

void take_motion(const FrameDetection& detection, const FrameFit& before, const Calibration& calibration,
                 double interocular_px, const FitOptions& options, EyeballObservation& observation) {
  const PointMotion& motion = detection.iris_motion[observation.eye];
  const EyeFit& eye = before.eyes[observation.eye];
  if (detection.moved_since_s != before.time_s || !known(motion) || !eye.gaze_found) return;
  const WholeMotion whole(detection);
  if (whole.points == 0) return;
  // In its orbit an eye is followed as far as it hardly turns: reflections and lids do not turn with it, lids less than
  // all up and down.
  const Vec2 moved(motion.x, motion.y), turned = moved - whole.mean;
  const Vec2 up = Vec2(before.pose.rotation(0, 1), before.pose.rotation(1, 1)).normalized();
  const double lifted_px = up.dot(turned), aside_px = up.x() * turned.y() - up.y() * turned.x();
  const double sigma_px = std::hypot(0.01 * options.iris_motion_sigma_pct * interocular_px,
                                     options.iris_slip * aside_px, options.iris_lid_slip * lifted_px);
  const double least = information(motion).selfadjointView<Eigen::Lower>().eigenvalues().minCoeff();
  const double of_motion = 1 / (1 / std::max(least, 1e-12) + sigma_px * sigma_px);
  const Vec3 then = calibration.eyes[observation.eye].centre +
                    calibration.ball.iris_plane_mm() * gaze_axis(eye.gaze.yaw, eye.gaze.pitch);
  const Vec2 there = calibration.camera.project(before.pose.rotation * then + before.pose.translation) + moved;
  const double root = observation.root_information[0], both = root * root + of_motion;
  observation.points[0] = (root * root * observation.points[0] + of_motion * there) / both;
  observation.root_information[0] = std::sqrt(both);
}

}  // namespace dmask
