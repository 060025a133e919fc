// Detected lids as curves: one polynomial a lid, Eqs. (6, 7), sampled densely, Eq. (8).
#pragma once

#include <array>

#include "detect/detections.hpp"
#include "fit/options.hpp"

namespace dmask {

inline constexpr int dense_per_lid = 50;  // 100 an eye
inline constexpr int dense_points = 2 * dense_per_lid;

// Abscissa of dense point k along the line through the canthi, inner 0 to outer 1.
inline double dense_abscissa(int k) { return (k + 0.5) / dense_per_lid; }

struct LidCurves {
  bool found = false;
  Vec2 inner = Vec2::Zero(), outer = Vec2::Zero();  // canthi, px
  std::array<Vec2, dense_points> dense;             // upper lid inner to outer, then lower lid inner to outer
  double width_px = 0;
  bool shut = false;      // no opening, or a narrow one without an iris in it: the shadow of lashes
  double openness = 0;    // largest aperture / width between the canthi, as detected
  double closed_by = 0;   // what of it was taken for the shadow of lashes
  double confidence = 0;  // mean over the lid points

  // `up`: from chin to brow in the picture, see head_up().
  static LidCurves from(const EyeDetection& eye, const Vec2& up, const FitOptions& options);
};

// Where the head points in the picture, a unit vector: a head may lie on its side, or upside down.
Vec2 head_up(const FrameDetection& detection);

}  // namespace dmask
