// What the three fits say about one frame.
#pragma once

#include <array>
#include <cmath>

#include "detect/view.hpp"
#include "fit/state.hpp"
#include "geometry/rotation.hpp"
#include "models/eyelid_model.hpp"

namespace dmask {

enum class Reason {
  none,
  closed,
  covered,
  low_resolution,
  lost,
  no_face,
  dark,
  out_of_range,
  another_person,
  not_in_view
};
const char* reason_text(Reason reason);  // "" for none

// NaN stands for "not measured".
struct EyeFit {
  Reason reason = Reason::no_face;  // none = gaze valid
  Gaze gaze;
  double gaze_doubt = 1;                // times the usual standard deviation
  bool gaze_found = false;              // also below the resolution at which it counts as measured: the mask shows it
  double yaw_sd = NAN, pitch_sd = NAN;  // rad, the constant part from p_e included
  Gaze reflex_gaze{NAN, NAN};           // by the lamp that the cornea mirrors; needs no p_e
  double reflex_yaw_sd = NAN, reflex_pitch_sd = NAN;  // rad
  LidWeights motion;                                  // w_em
  bool lids_valid = false;
  double openness = NAN;    // aperture / width between the canthi
  double closed_by_mm = 0;  // what of the opening was taken for the shadow of lashes
  double mrd1_mm = NAN, mrd2_mm = NAN, pfh_mm = NAN;
  double mrd1_sd_mm = NAN, mrd2_sd_mm = NAN, pfh_sd_mm = NAN;
  double pupil_mm = NAN;  // diameter, as the cornea shows it
  double px_per_deg = NAN;
  double eyeball_residual_pct = NAN, eyelid_residual_pct = NAN;  // Eqs. (25-29), this frame's ARE
};

using LipGaps = std::array<double, 3>;  // mm, of face68::inner_lips

struct FrameFit {
  double time_s = 0;
  bool close_up = false;  // the pose is that of a face which stands in
  std::array<bool, 2> eyes_in_view{true, true};
  Laterality laterality = Laterality::none;
  Reason face_reason = Reason::no_face;  // none = face valid
  FacePose pose;
  HeadAngles head_sd{NAN, NAN, NAN};  // of the pose's angles
  Gaze deviation_sd{NAN, NAN};        // of OS - OD, where both gazes are valid
  LipGaps lip_gaps_mm{NAN, NAN, NAN};
  std::array<EyeFit, 2> eyes;
  double fit_face_ms = 0, fit_eyelid_ms = 0, fit_eyeball_ms = 0;
};

// Of a frame of which nothing is measured: its face and both eyes have this reason.
void set_reason(FrameFit& fit, Reason reason);

}  // namespace dmask
