// Launches of the kernels that fit many frames at once. Pointers are device memory. A launch returns at once; its results
// are there when the stream is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/runtime/stream.hpp"

namespace dmask::cuda {

// --- subject.cu: a subject's own blendshapes, as models/face_model.hpp -----------------------------------------------
// No fit calls it yet: its one caller is its test.

struct FaceBasis {                                     // the model as it is stored: f32 = step x i16
  const float* mean;                                   // 3V
  const std::int16_t *identity, *units, *interaction;  // K x 3V, M x 3V, P x 3V
  const float *identity_step, *unit_step, *interaction_step;
  const float* interaction_coef;             // K x M x P
  int values;                                // 3V
  int identities, unit_count, interactions;  // K, M, P
};
struct ContractedFaces {
  float* weights;  // subjects x P x M, scratch
  float* neutral;  // subjects x 3V, mm
  float* units;    // subjects x M x 3V, mm
};
// identity: subjects x identity_modes, which may be fewer than K.
void contract_faces(const FaceBasis& basis, const float* identity, int identity_modes, int subjects,
                    const ContractedFaces& faces, StreamHandle stream);

// --- fit: many fits at once, each the whole damped loop of fit/levenberg.hpp in a block or a warp, as fit/ -----------

// What the kernels' shared memory is laid out for.
inline constexpr int max_fit_units = 53, max_fit_candidates = 24, max_fit_motions = 19, max_eyelid_rows = 160;

struct FitSteps {  // LevenbergOptions
  int max_iterations;
  float damping, step_tolerance, gain_tolerance, robust_scale;
};
struct FitPose {
  double rotation[9];     // head to camera, row by row
  double translation[3];  // mm
};
enum FitStatus : int { fit_lost = 0, fit_afresh = 1, fit_from_previous = 2 };
struct FitOutcome {
  int status;  // FitStatus; not lost: a result is there
  int iterations, converged;
  float cost, residual_px;
};
// A linearised problem as the damped loop sees it: robust weights applied, priors added. Any of the pointers may be null.
struct Linearised {
  int* rows;         // problems x points: the model rows compared
  float* residuals;  // problems x points x 2
  float* jacobian;   // problems x points x 2 x unknowns
  float* hessian;    // problems x unknowns x unknowns
  float* gradient;   // problems x unknowns
  double* cost;      // problems
};

// Pixels are counted from the principal point: a float holds them to 3e-5 px then.
struct FaceSubjects {
  const float* neutral;              // subjects x 3R, mm
  const float* units;                // subjects x M x 3R, mm
  const float* focal_px;             // subjects
  const float* unit_sigma;           // M
  int rows, candidates, unit_count;  // R = 68 + 17 x candidates, M <= max_fit_units
};
struct FaceSmooth {  // Eq. (17); rotation_sigma 0: no previous frame
  FitPose previous;
  float rotation_sigma, across_sigma_mm, depth_sigma_mm, unit_sigma;
};
struct FaceFits {
  FaceSubjects subjects;
  const int* subject;             // problems; -1: nothing to fit
  const float* points;            // problems x 68 x 2, px
  const float* root_information;  // problems x 68 x 3: xx, xy, yy, 1/px
  const float* interocular_px;    // problems
  const FaceSmooth* smoothing;    // problems; null: afresh from `start` where no earlier launch succeeded
  const float* previous_units;    // problems x M
  const FitPose* start;           // problems
  float jump, gate;               // mean residuals, in interocular distances: a start too far off, a fit that is lost
  FitSteps steps;
  int problems;
};
struct FaceResults {
  FitPose* pose;        // problems
  float* units;         // problems x M
  FitOutcome* outcome;  // problems
};
void fit_faces(const FaceFits& fits, const FaceResults& results, StreamHandle stream);
// At the poses and units of `at`; unknowns: 6 + M, points: 68.
void linearise_faces(const FaceFits& fits, const FaceResults& at, const Linearised& out, StreamHandle stream);

// Two eyes a frame: eye e of frame f is problem 2f + e.
struct EyelidSubjects {
  const float* patch;         // subjects x 2 x 3R, head frame, mm
  const float* motion;        // subjects x 2 x Km x 3R
  const float* focal_px;      // subjects
  int rows, crease, motions;  // R <= max_eyelid_rows: 61 samples a margin, crease, bulge; Km <= max_fit_motions
};
struct EyelidSeen {
  int seen;            // 0: covered, nothing to fit
  float dense_weight;  // of a dense point, 1/px
  float line_weight;   // of a line's point of confidence 1, 1/px
  float smooth_sigma;  // Eq. (18); 0: none
};
struct EyelidFits {
  EyelidSubjects subjects;
  const int* subject;            // frames
  const FitPose* pose;           // frames
  const FitOutcome* face;        // frames: a previous state counts where the face was fitted from its own
  const EyelidSeen* seen;        // problems
  const float* dense;            // problems x 100 x 2, px
  const float* lines;            // problems x (crease, bulge) x 20 x (x, y, confidence)
  const float* previous_motion;  // problems x Km
  FitSteps steps;
  int frames;
};
struct EyelidResults {
  float* motion;        // problems x Km
  FitOutcome* outcome;  // problems
};
void fit_eyelids(const EyelidFits& fits, const EyelidResults& results, StreamHandle stream);
// At the motions of `at`; unknowns: Km, points: 100 + R - 122.
void linearise_eyelids(const EyelidFits& fits, const EyelidResults& at, const Linearised& out, StreamHandle stream);

struct EyeballSubject {
  float centre[2][3];  // OD, OS, head frame, mm
  float radius_mm, iris_radius_mm, focal_px;
};
struct EyeballSeen {
  int seen;            // 0: covered, nothing to fit
  int start_at_iris;   // 1: the detected iris centre is the start, 0: the previous gaze or straight ahead
  float smooth_sigma;  // Eq. (19), rad; 0: none
};
struct GazeAngles {
  float yaw, pitch;  // rad
};
struct EyeballFits {
  const EyeballSubject* subjects;
  const int* subject;             // frames
  const FitPose* pose;            // frames
  const FitOutcome* face;         // frames
  const EyeballSeen* seen;        // problems
  const float* points;            // problems x 19 x 2, px
  const float* root_information;  // problems x 19, 1/px
  const GazeAngles* previous;     // problems
  float gaze_prior_sigma;         // rad
  FitSteps steps;
  int frames;
};
struct EyeballResults {
  GazeAngles* gaze;     // problems
  FitOutcome* outcome;  // problems
};
void fit_eyeballs(const EyeballFits& fits, const EyeballResults& results, StreamHandle stream);

}  // namespace dmask::cuda
