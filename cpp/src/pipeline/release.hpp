// What a privacy profile lets out of a patient. It is decided here and nowhere else: pictures, tables, tracks, the C interface
// and Python hand out what these functions return.
//
//   clinical  generic face, lids and irises; head and eye movements, motion of the eyes' surroundings against the face at rest,
//             heights of the lids in mm
//   article   the patient's own fitted face, lids and eyeballs, all motion as it was fitted, place and size in the picture
//   strict    as clinical, but of the lids the openness alone, and of all of it the motion against rest: where head, eyes and lids
//             rest comes in steps
//
// Of clinical and strict the distance leaves as near, intermediate or far. What serves the machine that has the recording
// (place of the head, pixels a degree, residuals) is in Diagnostics, which identify.
// What the nets see of a frame (FrameDetection) are the patient's own points in every profile: for display on the spot.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "detect/view.hpp"
#include "fit/calibration.hpp"
#include "fit/tracker.hpp"
#include "geometry/rotation.hpp"
#include "pipeline/distance.hpp"
#include "pipeline/generic_lids.hpp"
#include "pipeline/mask.hpp"
#include "pipeline/options.hpp"
#include "pipeline/release_rules.hpp"
#include "pipeline/released_motion.hpp"

namespace dmask {

// One eye; NaN: not measured in this frame, or withheld.
struct EyeMeasures {
  Reason reason = Reason::no_face;        // none: its gaze is valid
  double yaw_deg = NAN, pitch_deg = NAN;  // optical axis in the head (Fick)
  double yaw_sd_deg = NAN, pitch_sd_deg = NAN;
  double reflex_yaw_deg = NAN, reflex_pitch_deg = NAN;  // by the corneal reflex
  double reflex_yaw_sd_deg = NAN, reflex_pitch_sd_deg = NAN;
  double mrd1_mm = NAN, mrd2_mm = NAN, pfh_mm = NAN;
  double mrd1_sd_mm = NAN, mrd2_sd_mm = NAN, pfh_sd_mm = NAN;
  double pupil_mm = NAN;  // diameter, as the cornea shows it; of close-ups
  double openness = NAN;  // aperture / width between the canthi
  double px_per_deg = NAN;
  double eyeball_residual_pct = NAN, eyelid_residual_pct = NAN;
};

struct FrameResult {
  double time_s = 0;
  // Eyes without a face: their angles are against where they rest, in the picture, and of a head nothing is known.
  bool close_up = false;
  Laterality laterality = Laterality::none;  // where it is not known a single eye stands under OD
  Reason face_reason = Reason::no_face;      // none: the face is valid
  HeadAngles head{NAN, NAN, NAN}, head_sd{NAN, NAN, NAN};
  Vec3 head_mm = Vec3::Constant(NAN);  // midpoint of both eyeball centres, camera frame
  Distance distance = Distance::unknown;
  std::array<EyeMeasures, 2> eyes;
  double deviation_yaw_sd_deg = NAN, deviation_pitch_sd_deg = NAN;  // of OS - OD
  MaskFrame mask;
};

// What serves the machine that has the recording, and identifies the patient. NaN: not measured.
struct Diagnostics {
  Vec3 head_mm = Vec3::Constant(NAN);  // midpoint of both eyeball centres, camera frame, in the patient's own scale
  struct Eye {
    double px_per_deg = NAN, eyeball_residual_pct = NAN, eyelid_residual_pct = NAN;
  };
  std::array<Eye, 2> eyes;
};
Diagnostics diagnose(const Calibration& calibration, const FrameFit& fit);

// NaN: withheld, or there is no calibration.
struct CalibrationSummary {
  bool ok = false;
  std::string reason;            // what the window had to do without, or why there is none
  std::vector<int> frames_used;  // indices into the detections given
  double scale = NAN;            // of the face, on the model's millimetres
  double iris_radius_mm = NAN, iris_radius_sd_mm = NAN;
  std::array<Vec3, 2> eye_centre_sd_mm{Vec3::Constant(NAN), Vec3::Constant(NAN)};  // sideways, up, out of the face
};

// The face, lids and eyeballs that masks are drawn with.
MaskSubject release_subject(const Models& models, const Calibration& calibration, const FitOptions& options,
                            const ReleaseRules& rules);

// The lips of the face that is drawn: another face's gap is not the patient's.
struct MaskLips {
  LipGaps gap_mm{};                 // at rest
  std::array<VecXf, 3> by_unit_mm;  // M
  int mouth_close = 0;              // the unit that brings them together

  static MaskLips of(const Models& models, const MaskSubject& subject);
  void close(const LipGaps& seen_mm, UnitWeightsF& units) const;  // no farther apart than they were seen
};

// What is prepared once for the frames of one subject.
struct MaskParts {
  MaskLips lips;
  std::array<GenericLids, 2> lids;
  std::array<std::array<GenericLids::Heights, openness_classes.size()>, 2> rest_mm;  // of each class, an eye

  static MaskParts of(const Models& models, const MaskSubject& subject);
};

// `subject` is what the same calibration released, `parts` are its own; without a calibration the frame has no face to draw.
FrameResult release_frame(const Models& models, const Calibration& calibration, const MaskSubject& subject,
                          const MaskParts& parts, const ReleaseRules& rules, const FrameFit& fit);

CalibrationSummary release_calibration(const Calibration& calibration, Profile profile);

// The options that may stand beside results: no folder of this machine, no setting of the fits; nothing: withheld.
std::vector<std::pair<std::string, std::optional<OptionValue>>> release_options(const PipelineOptions& options);

}  // namespace dmask
