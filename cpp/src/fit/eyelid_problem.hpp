// Eyelid fit of one eye, Eqs. (9-13) with the smoothing of Eq. (18): shape w_es, a rigid offset and roll of the
// patch over a window, motion w_em per frame.
#pragma once

#include <array>
#include <vector>

#include "detect/detections.hpp"
#include "fit/lid_curves.hpp"
#include "fit/options.hpp"
#include "fit/rows.hpp"
#include "geometry/camera.hpp"
#include "models/eyelid_model.hpp"

namespace dmask {

// Points of the patch that the fit looks at: both margins as splines from inner to outer canthus
// (the mesh's margin vertices lie up to 2 mm apart), then the crease's and the bulge line's vertices.
struct EyelidRows {
  static constexpr int margin_samples = 61;  // a lid
  int crease = 0, bulge = 0;                 // vertices of each line
  VecX patch;                                // 3 rows
  RowsX shape;                               // 3 rows x Ks
  RowsX motion;                              // 3 rows x Km

  static EyelidRows from(const EyelidModel& model);
  int rows() const { return 2 * margin_samples + crease + bulge; }
};

// Landmarks' worth of information that the 100 dense points of an eye carry together, and the vertices of its lines.
inline constexpr double dense_information = 18, line_information = 9;

// A subject's own rows in the head frame: shape and placement folded in, only the motion left.
struct FrozenEyelid {
  VecX patch;    // 3 rows
  RowsX motion;  // 3 rows x Km

  void place(const LidWeights& w_em, VecX& head) const;  // 3 rows, head frame, mm
};

struct EyelidObservation {
  Mat3 rotation;  // head pose of the frame
  Vec3 translation;
  LidCurves curves;
  std::array<std::array<Landmark, 20>, 4> lines;
  double interocular_px = 0;
};

// What a problem notes at a match; handed from frame to frame it is allocated once.
struct EyelidWorkspace {
  struct Between {  // a point between two margin samples
    int row = 0;
    double fraction = 0;
  };
  struct OnLine {  // closest point of a detected line
    Vec2 point, normal;
    double weight = 0;
  };
  std::vector<std::array<Between, dense_points>> dense;
  std::vector<std::vector<OnLine>> on_line;
  VecX previous, head;
  std::vector<Vec2> px;
  RowsX basis;
};

class EyelidProblem {
 public:
  struct State {
    VecX shape;  // w_es
    Vec3 offset = Vec3::Zero();
    double roll = 0;
    std::vector<VecX> motion;  // w_em per frame
  };

  // Over a window; the step is [shape | offset | roll | motion of each frame]. `centre`: the eyeball's place
  // in the face model for this identity, head frame, mm.
  EyelidProblem(const EyelidRows& rows, const Vec3& centre, const Camera& camera, const FitOptions& options,
                const std::vector<EyelidObservation>& frames);
  // Per frame, shape and placement known; the step is the motion alone.
  EyelidProblem(const EyelidRows& rows, const FrozenEyelid& frozen, const Camera& camera, const FitOptions& options,
                const std::vector<EyelidObservation>& frames, EyelidWorkspace* workspace = nullptr);
  EyelidProblem(const EyelidProblem&) = delete;
  void smooth_towards(const Eigen::Ref<const VecX>& motion, double sigma) {
    w_.previous = motion;
    smooth_sigma_ = sigma;
  }  // Eq. (18)
  FrozenEyelid freeze(const State& state) const;

  int size() const { return shared() + motions() * static_cast<int>(frames_.size()); }
  void match(const State& state);
  void residuals(const State& state, VecX& r, RowsX* jacobian) const;
  double prior(const State& state, VecX* gradient, VecX* curvature) const;
  void plus(const State& state, const VecX& step, State& out) const;
  void active(const State&, const VecX&, std::vector<char>&) const {}

  // The rows of frame f in the head frame, mm.
  void place(const State& state, int f, VecX& head) const;
  // Mean distance of the 100 dense pairs, px, for frame f at the last match.
  double residual_px(const State& state, int f) const;

 private:
  EyelidProblem(const EyelidRows& rows, const Vec3& centre, const FrozenEyelid* frozen, const Camera& camera,
                const FitOptions& options, const std::vector<EyelidObservation>& frames, EyelidWorkspace* workspace);
  int motions() const { return static_cast<int>(rows_.motion.cols()); }
  int shapes() const { return static_cast<int>(rows_.shape.cols()); }
  int shared() const { return frozen_ ? 0 : shapes() + 4; }
  int line_rows() const { return rows_.rows() - 2 * EyelidRows::margin_samples; }

  const EyelidRows& rows_;
  Vec3 centre_;
  const Camera& camera_;
  const FitOptions& options_;
  const std::vector<EyelidObservation>& frames_;
  const FrozenEyelid* frozen_ = nullptr;  // null over a window
  double smooth_sigma_ = 0;               // 0: not smoothed
  EyelidWorkspace own_;
  EyelidWorkspace& w_;
};

}  // namespace dmask
