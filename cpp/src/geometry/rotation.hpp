// Rotations of head and eye. Head frame (ICT): +x patient's left, +y up, +z out of the face.
#pragma once

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>

#include "geometry/types.hpp"

namespace dmask {

inline constexpr double deg = M_PI / 180.0;

inline Mat3 hat(const Vec3& w) {
  Mat3 m;
  m << 0, -w.z(), w.y(), w.z(), 0, -w.x(), -w.y(), w.x(), 0;
  return m;
}

inline Mat3 exp_so3(const Vec3& w) {
  const double angle = w.norm();
  if (angle < 1e-9) return Mat3::Identity() + hat(w);
  const Mat3 k = hat(w / angle);
  return Mat3::Identity() + std::sin(angle) * k + (1 - std::cos(angle)) * k * k;
}

inline Vec3 log_so3(const Mat3& r) {
  const Vec3 axis(r(2, 1) - r(1, 2), r(0, 2) - r(2, 0), r(1, 0) - r(0, 1));
  const double sine = 0.5 * axis.norm();
  const double angle = std::atan2(sine, 0.5 * (r.trace() - 1));
  if (sine < 1e-9) return 0.5 * axis;  // a half turn between frames does not occur
  return axis * (angle / (2 * sine));
}

// Head axes to camera axes for a frontal face.
inline Mat3 frontal() { return Vec3(1, -1, -1).asDiagonal(); }

struct HeadAngles {
  double yaw_deg, pitch_deg, roll_deg;  // + = towards the patient's left, up, patient's left side raised
};

// R = R0 R_y(yaw) R_x(-pitch) R_z(roll)
inline Mat3 head_rotation(const HeadAngles& a) {
  return frontal() * exp_so3({0, a.yaw_deg * deg, 0}) * exp_so3({-a.pitch_deg * deg, 0, 0}) *
         exp_so3({0, 0, a.roll_deg * deg});
}

inline HeadAngles head_angles(const Mat3& r) {
  const Mat3 q = frontal() * r;
  return {std::atan2(q(0, 2), q(2, 2)) / deg, std::asin(std::clamp(q(1, 2), -1.0, 1.0)) / deg,
          std::atan2(q(1, 0), q(1, 1)) / deg};
}

// Fick: the optical axis g in the head frame, yaw = atan2(g_x, g_z), pitch = asin(g_y).
inline Vec3 gaze_axis(double yaw, double pitch) {
  return {std::sin(yaw) * std::cos(pitch), std::sin(pitch), std::cos(yaw) * std::cos(pitch)};
}

// Columns: the eye's own left, up and optical axis in the head frame.
inline Mat3 gaze_frame(double yaw, double pitch) {
  Mat3 m;
  m.col(2) = gaze_axis(yaw, pitch);
  m.col(0) = Vec3(std::cos(yaw), 0, -std::sin(yaw));
  m.col(1) = m.col(2).cross(m.col(0));
  return m;
}

}  // namespace dmask
