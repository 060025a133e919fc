// Face fit, Eqs. (2-4) with the smoothing of Eq. (17): identity w_fs over a window, motion w_fm and pose per frame.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "detect/detections.hpp"
#include "fit/options.hpp"
#include "fit/rows.hpp"
#include "fit/state.hpp"
#include "geometry/camera.hpp"
#include "models/face_model.hpp"

namespace dmask {

// The 68 landmarks of one frame with their square-root information (1/px).
struct FaceObservation {
  std::array<Vec2, 68> points;
  std::array<Eigen::Matrix2d, 68> root_information;
  double interocular_px = 0;  // of detect/face_crop.hpp
  double nod_sigma = 0;       // of the head's nod where the mouth is hidden, rad; 0: nothing is taken of it

  static constexpr double brow_weight = 0.5;
  static FaceObservation from(const FrameDetection& detection, const FitOptions& options, double brows = brow_weight);
};

// Which rows of the face model the fit looks at: the 68 landmarks, then the contour's candidates.
struct LandmarkRows {
  FaceRows rows;
  int candidates = 0;   // a jaw landmark
  Points3f convention;  // where people put each landmark against the model's vertex, head frame, mm

  static LandmarkRows from(const FaceModel& model, const Points3f& convention);
  int jaw_row(int landmark, int candidate) const { return 68 + landmark * candidates + candidate; }
};

struct LandmarkFace {  // a subject's rows
  VecX neutral;        // 3 rows
  RowsX units;         // 3 rows x M
};

// Where a row is with these units, head frame, mm.
Vec3 vertex(const LandmarkFace& face, int row, const UnitWeights& units);

struct FaceSmoothing {  // Eq. (17)
  FacePose previous;
  double rotation_sigma = 0, across_sigma_mm = 0, depth_sigma_mm = 0, unit_sigma = 0;
};

// Priors and bounds of the named units.
struct UnitPrior {
  VecX sigma;
  static UnitPrior from(const FaceModel& model, const FitOptions& options);
};

class FaceProblem {
 public:
  using State = FacePose;

  FaceProblem(const LandmarkFace& face, const LandmarkRows& rows, const UnitPrior& units, const Camera& camera,
              const FaceObservation& observation, const FaceSmoothing* smoothing);
  int size() const { return 6 + static_cast<int>(units_.sigma.size()); }
  void match(const State& state);
  void residuals(const State& state, VecX& r, RowsX* jacobian) const;
  double prior(const State& state, VecX* gradient, VecX* curvature) const;
  void plus(const State& state, const VecX& step, State& out) const;
  void active(const State& state, const VecX& gradient, std::vector<char>& fixed) const;
  // Mean distance of the landmarks inside the face that count, px.
  double residual_px(const State& state) const;

 private:
  const LandmarkFace& face_;
  const LandmarkRows& rows_;
  const UnitPrior& units_;
  const Camera& camera_;
  const FaceObservation& observation_;
  const FaceSmoothing* smoothing_;
  std::array<int, 68> row_;  // the model row of each landmark; the jaw's slide along the contour
};

// Identity and several frames at once; the step is [z | frame 0 | frame 1 | ...].
class FaceWindowProblem {
 public:
  struct State {
    VecX identity;  // z
    std::vector<FacePose> frames;
  };

  FaceWindowProblem(const FaceModel& model, const LandmarkRows& rows, const UnitPrior& units, const Camera& camera,
                    const std::vector<FaceObservation>& observations, int identity_modes);
  int size() const { return identity_modes_ + frame_size() * static_cast<int>(observations_.size()); }
  void match(const State& state);
  void residuals(const State& state, VecX& r, RowsX* jacobian) const;
  double prior(const State& state, VecX* gradient, VecX* curvature) const;
  void plus(const State& state, const VecX& step, State& out) const;
  void active(const State& state, const VecX& gradient, std::vector<char>& fixed) const;
  LandmarkFace subject(const VecX& identity) const;

 private:
  int frame_size() const { return 6 + static_cast<int>(units_.sigma.size()); }
  const FaceModel& model_;
  const LandmarkRows& rows_;
  const UnitPrior& units_;
  const Camera& camera_;
  const std::vector<FaceObservation>& observations_;
  int identity_modes_;
  MatX identity_;                         // 3 rows x identity modes
  MatX interaction_;                      // 3 rows x interaction modes
  std::vector<std::array<int, 68>> row_;  // per frame
};

// The model row that each of the 68 landmarks shows at this pose: the jaw is a silhouette and slides.
std::array<int, 68> visible_rows(const LandmarkFace& face, const LandmarkRows& rows, const FacePose& pose,
                                 const Camera& camera);

// A pose from the canthi, to start from.
FacePose initial_pose(const LandmarkFace& face, const Camera& camera, const FaceObservation& observation);

}  // namespace dmask
