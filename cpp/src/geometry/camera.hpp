// Pinhole camera, OpenCV axes (x right, y down, z forward), 0-based pixel centres.
#pragma once

#include <cmath>

#include "geometry/types.hpp"

namespace dmask {

struct Camera {
  double focal_px = 0;
  double cx = 0, cy = 0;
  int width = 0, height = 0;

  static Camera from_hfov(int width, int height, double hfov_deg) {
    const double half_rad = hfov_deg * M_PI / 360.0;
    return {0.5 * width / std::tan(half_rad), 0.5 * (width - 1), 0.5 * (height - 1), width, height};
  }
  Vec2 project(const Vec3& p) const { return {focal_px * p.x() / p.z() + cx, focal_px * p.y() / p.z() + cy}; }
  Eigen::Matrix<double, 2, 3> project_jacobian(const Vec3& p) const {
    const double iz = 1 / p.z();
    Eigen::Matrix<double, 2, 3> j;
    j << focal_px * iz, 0, -focal_px * p.x() * iz * iz, 0, focal_px * iz, -focal_px * p.y() * iz * iz;
    return j;
  }
};

}  // namespace dmask
