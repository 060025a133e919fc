// Subjects and frames as the fits' kernels take them: packed into one block of memory, which is uploaded in one piece.
#pragma once

#include <cstddef>

#include "cuda/fits/kernels.hpp"
#include "fit/tracker.hpp"

namespace dmask::cuda {

struct FitSizes {
  int rows, candidates, units;                 // of the face
  int eyelid_rows, crease, motions;            // of an eyelid
  static FitSizes from(const Models& models);  // throws Error where the kernels are laid out for less
};

// One subject's arrays, wherever they lie.
struct SubjectInput {
  float *neutral, *units, *patch, *motion;  // 3R, M x 3R; 2 x 3R, 2 x Km x 3R
  float* focal_px;
  EyeballSubject* eyeballs;
};
void pack_subject(const Calibration& calibration, const FitSizes& sizes, const SubjectInput& to);

// The arrays of a batch, laid out one behind the other from `memory`; with null, `bytes` alone has a meaning.
struct FrameInput {
  int* subject;
  float *points, *root_information, *interocular_px;
  FaceSmooth* smoothing;
  float* previous_units;
  FitPose* start;
  EyelidSeen* lids;
  float *dense, *lines, *previous_motion;
  EyeballSeen* eyeballs;
  float *iris, *iris_information;
  GazeAngles* previous_gaze;
  std::size_t bytes;
  static FrameInput at(void* memory, int frames, const FitSizes& sizes);
};
// What comes back, laid out likewise.
struct FrameOutput {
  FitPose* pose;
  float* units;
  FitOutcome *face, *lids, *eyeballs;
  float* motion;
  GazeAngles* gaze;
  std::size_t bytes;
  static FrameOutput at(void* memory, int frames, const FitSizes& sizes);
};

// Frame `at` of the batch: what the Tracker would fit to. `previous`: the frame before, or null to start afresh.
// Smoothing needs it to be 0 to options.max_gap_s earlier. The curves of both eyes' lids are handed back.
std::array<LidCurves, 2> pack_frame(const FrameDetection& detection, const Calibration& calibration, int subject,
                                    const FrameFit* previous, const FitOptions& options, const FitSizes& sizes, int at,
                                    const FrameInput& to);

// The kernels' arguments with the Tracker's settings.
struct SubjectArrays {
  const float *neutral, *units, *patch, *motion, *focal_px, *unit_sigma;
  const EyeballSubject* eyeballs;
};
FaceFits face_fits(const FitSizes& sizes, const SubjectArrays& subjects, const FrameInput& in, int frames,
                   bool from_previous);
EyelidFits eyelid_fits(const FitSizes& sizes, const SubjectArrays& subjects, const FrameInput& in,
                       const FrameOutput& out, int frames);
EyeballFits eyeball_fits(const SubjectArrays& subjects, const FrameInput& in, const FrameOutput& out, int frames,
                         const FitOptions& options);

}  // namespace dmask::cuda
