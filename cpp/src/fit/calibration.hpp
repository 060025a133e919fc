// What is fixed for a subject, from a window of several good frames: identity, metric scale, eyelid shape and
// placement, eyeball statics. Never from one unlucky blink.
#pragma once

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "detect/detections.hpp"
#include "fit/eyeball_problem.hpp"
#include "fit/eyelid_problem.hpp"
#include "fit/face_problem.hpp"
#include "fit/models.hpp"
#include "fit/options.hpp"
#include "geometry/rotation.hpp"

namespace dmask {

struct EyeStatics {
  VecX shape;                        // w_es
  LidWeights closing;                // w_em from this shape's half blink to its full one
  Vec3 offset = Vec3::Zero();        // of the patch from the identity's eyeball centre, mm
  double roll = 0;                   // of the patch, rad
  Vec3 patch_centre = Vec3::Zero();  // the identity's eyeball centre, head frame, mm
  Vec3 centre = Vec3::Zero();        // p_e, head frame, mm
  Mat3 centre_covariance = Mat3::Identity();
  FrozenEyelid rows;

  Vec3 globe_by_lids() const { return patch_centre + offset; }  // where the patch has the eyeball's centre
};

// How the patient is most of the time: what is let out of his motion is against it.
struct Rest {
  UnitWeights units;               // w_fm; of no size: all zero
  HeadAngles head{NAN, NAN, NAN};  // NaN: it was never measured
  double distance_mm = 0;          // from the camera, true; 0: not known
  bool small = false;              // an eye has too few pixels for its numbers, at the median
  struct Eye {
    double openness = 0;  // aperture / width of the open lids; 0: they were never seen open
    VecX motion;          // w_em of the open lids; of no size: the same
    Gaze gaze{NAN, NAN};  // NaN: it was never measured
  };
  std::array<Eye, 2> eyes;
};

struct Calibration {
  bool ok = false;
  bool close_up = false;  // of eyes without a face
  std::array<bool, 2> eyes_in_view{true, true};
  std::string reason;            // what the window had to do without, or why there is none
  std::vector<int> frames_used;  // indices into the detections given
  Camera camera;
  VecX identity;        // w_fs
  double true_mm = 1;   // of a millimetre of the fits: Growth::globe
  double scale = 1;     // on the face model's millimetres
  double scale_sd = 0;  // a share of it
  LandmarkFace face;    // scaled
  std::array<EyeStatics, 2> eyes;
  Eyeball ball;
  double iris_radius_sd_mm = 0;
  Rest rest;
};

// A subject known from an earlier visit or made up: what a calibration would find.
struct Subject {
  VecX identity;  // w_fs
  double scale = 1;
  double iris_radius_mm = 5.85;
  struct SubjectEye {
    VecX shape;                  // w_es
    Vec3 offset = Vec3::Zero();  // mm
    double roll = 0;             // rad
    Vec3 centre = Vec3::Zero();  // p_e, head frame, mm
  };
  std::array<SubjectEye, 2> eyes;
  Rest rest;
};

// Throws Error for numbers that no patient can have, or as many as the models do not take.
Calibration calibration_of(const Models& models, const Subject& subject, int width, int height,
                           const FitOptions& options);

Calibration calibrate(const Models& models, const std::vector<FrameDetection>& detections, const FitOptions& options);

}  // namespace dmask
