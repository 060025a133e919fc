// Eyeball fit, Eqs. (14-16) with the smoothing of Eq. (19): centre p_e of each eye and the common iris radius r_i
// over a window, gaze per frame.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "detect/detections.hpp"
#include "fit/options.hpp"
#include "fit/rows.hpp"
#include "fit/state.hpp"
#include "geometry/camera.hpp"
#include "models/eyeball.hpp"

namespace dmask {

struct EyeballObservation {
  int eye = OD;
  Mat3 rotation;  // head pose of the frame
  Vec3 translation;
  std::array<Vec2, 19> points;              // centre, then the limbus
  std::array<double, 19> root_information;  // 1/px; 0 = hidden
  bool fixating = false;                    // the user says that this eye looks into the camera now

  static EyeballObservation from(const EyeDetection& detection, int eye, const Mat3& rotation, const Vec3& translation,
                                 double interocular_px, const FitOptions& options);
};

// The gaze that brings the iris' centre to a pixel; `centre`: the eyeball's, camera frame, mm.
Gaze gaze_at(const Vec2& px, const Vec3& centre, const Mat3& rotation, const Camera& camera, const Eyeball& ball);

// What a problem notes at a match; handed from frame to frame it is allocated once.
struct EyeballWorkspace {
  std::vector<std::array<double, 18>> angle;  // where on the iris circle each limbus point lies
  std::vector<std::array<Vec2, 18>> normal;   // the limbus' normal there: points slide along it
};

class EyeballProblem {
 public:
  struct State {
    std::array<Vec3, 2> centre{Vec3::Zero(), Vec3::Zero()};  // p_e, head frame, mm
    Eyeball ball;
    std::vector<Gaze> gaze;  // one per observation
  };

  // With `fit_statics` the step is [p_OD | p_OS | r_i | gaze ...], else the gazes alone.
  EyeballProblem(const Camera& camera, const FitOptions& options, const std::vector<EyeballObservation>& observations,
                 const State& prior_mean, bool fit_statics, EyeballWorkspace* workspace = nullptr);
  EyeballProblem(const EyeballProblem&) = delete;
  void smooth_towards(const Gaze& gaze, double sigma) {
    previous_ = gaze;
    smooth_sigma_ = sigma;
  }  // Eq. (19)
  // With `fit_statics`: OD's centre stays about `tilt_mm` higher in the head than that of OS.
  void keep_tilt(double tilt_mm) { tilt_mm_ = tilt_mm; }

  int size() const { return statics() + 2 * static_cast<int>(observations_.size()); }
  void match(const State& state);
  void residuals(const State& state, VecX& r, RowsX* jacobian) const;
  double prior(const State& state, VecX* gradient, VecX* curvature) const;
  void plus(const State& state, const VecX& step, State& out) const;
  void active(const State&, const VecX&, std::vector<char>&) const {}

  double residual_px(const State& state, int observation) const;  // mean over the visible points

 private:
  int statics() const { return fit_statics_ ? 7 : 0; }
  void tilt(const State& state, VecX& r, RowsX* jacobian, int at) const;
  Gaze towards_camera(const State& state, const EyeballObservation& o) const;

  const Camera& camera_;
  const FitOptions& options_;
  const std::vector<EyeballObservation>& observations_;
  State prior_mean_;  // without gazes
  bool fit_statics_;
  Gaze previous_;
  double smooth_sigma_ = 0;
  std::optional<double> tilt_mm_;
  EyeballWorkspace own_;
  EyeballWorkspace& w_;
};

}  // namespace dmask
