// Settings of the three fits. Every sigma is one standard deviation.
#pragma once

#include <array>
#include <cmath>

#include "geometry/eye.hpp"

namespace dmask {

struct Fixation {
  bool eye[2] = {false, false};  // OD, OS look into the camera ...
  double from_s = 0, to_s = 0;   // ... during this time
};

struct FitOptions {
  double hfov_deg = 40.0;   // horizontal field of view of the camera
  double mm_per_px = 0;     // of a close-up, in the plane of the eye; 0: not known
  double hvid_mm = 11.71;   // horizontal visible iris diameter; this very one stands for not measured
  double age_years = 18.0;  // of the patient: Growth says what follows from it
  Fixation fixation;        // acts only where the user names it
  bool eyebrows = true;     // Eqs. (23, 24)

  // Face, in % of the interocular distance or relative to it.
  double landmark_sigma_pct = 2.5;
  // What the motion of points since the frame before tells, in % of the interocular distance, and in shares of the motion: of
  // the face as a whole, of what its points differ by, of the iris against the face. It holds a net's points still over
  // some ten frames of a face that is still, and over none of one that turns: the head's shape is not known well enough.
  double motion_sigma_pct = 0.4, motion_slip = 0.3, turn_slip = 8.0;
  double iris_motion_sigma_pct = 0.07, iris_slip = 1.0, iris_lid_slip = 5.0;
  double hidden_jaw_information =
      0.5;                            // share that the jaw's landmarks keep where the mouth is hidden: on a mask's edge
  double hidden_nod_sigma_deg = 8.0;  // of a window's heads whose mouth is hidden
  double unit_sigma = 0.25;           // named units in [0, 1]
  double eye_look_sigma = 0.02;       // eyeLook* units: the eyelid model does their work
  int identity_modes = 50;
  int window_frames = 6;  // frames fitted jointly for identity and eyelid shape
  int gaze_frames = 24;   // frames fitted jointly for the eyeball statics

  // Eyelids.
  double lid_sigma_pct = 1.0;       // of 18 independent points; 100 dense ones carry no more
  double lid_shape_sigma = 0.7;     // of w_es
  double window_information = 2.0;  // frames that a window is worth: what a net gets wrong, it gets wrong in all
  double line_sigma_pct = 1.5;      // semantic lines, Eq. (10)
  double patch_offset_sigma_mm = 1.5;
  double patch_depth_sigma_mm = 0.5;
  double patch_roll_sigma_deg = 3.0;
  // Aperture / width at which lids are shut, and above which they are taken as they are detected: where no limbus is seen
  // between them, what looks like an opening is the shadow of lashes; where it is seen, even a slit is one.
  double shut_openness = 0.09, open_openness = 0.12;
  double slit_shut_openness = 0.03, slit_open_openness = 0.05;
  int slit_limbus = 3;  // of 18 points in sight, from which on the iris is seen
  // What shut eyes reach of confidence in an iris' centre and in its limbus, and from where on the limbus is seen.
  double shut_iris_visibility = 0.1, shut_limbus_visibility = 0.2, slit_limbus_visibility = 0.5;

  // Eyeballs.
  double iris_sigma_pct = 0.5;
  double limbus_information = 4.0;  // independent points that the 18 of the limbus amount to
  double iris_radius_sigma_mm = 0.21;
  // p_e against the patch, sideways, up and in depth. As a camera sees people, limbi place it worse sideways than the lids do,
  // and better in height.
  std::array<double, 3> centre_sigma_mm{0.7, 1.0, 0.3};
  double centre_tilt_sigma_mm = 0.3;      // OD's height less that of OS, where a fixation is named
  double gaze_prior_deg = 40.0;           // keeps a lost iris inside the orbit
  double fixation_sigma_deg = 2.5;        // of a named fixation; angle kappa is not known
  double kappa_deg = adult_kappa_deg;     // optical axis temporal to the line of sight
  double min_px_per_deg = 0.25;           // below it: low_resolution
  double max_eyeball_residual_pct = 2.0;  // above it the fit did not find the iris: lost
  double max_yaw_deg = 50.0;              // to where gaze was found linear; beyond it: out_of_range
  double max_pitch_deg = 40.0;
  // From here on a canthus may hide the limbus, and the angle folds back: out_of_range without min_limbus of its points.
  double far_gaze_deg = 30.0;
  int min_limbus = 4;  // of 18 points: as many do for a gaze whose iris centre is hidden
  // Down there the lower lid hides the pupil by and by, and the angle stays at 30 to 35 degrees: of rendered eyes that look
  // 45 degrees down and more the iris' centre is less sure than min in 83 % (with the upper lid up in 98 %), of those that
  // look 35 down and less in none (bench/far_down.py). Below sure they err by more than is stated for others.
  double far_down_deg = 20.0;
  double min_far_down_visibility = 0.72, sure_far_down_visibility = 0.85;
  double far_down_sd_scale = 1.5;
  double min_lid_visibility = 0.5;    // mean confidence of the lids below which an eye counts as covered
  double min_iris_visibility = 0.35;  // confidence of the iris' centre below which it counts as hidden

  // Little light. In rendered faces of 14 mixtures of light (1 to 100 %) and noise the confidence of the lids tells what the
  // noise has done to lids and gaze alike: from 0.95 on they err as in full light (fissure 1.2 mm, gaze 6 degrees at the
  // 95th percentile), between 0.8 and 0.9 by 2 to 3 mm and 10 degrees.
  double dark_luminance = 20;         // of a face, grey levels: below it what is unsure counts as dark
  double min_dark_visibility = 0.95;  // mean confidence of the lids that it then takes
  double dark_sd_scale = 1.3;  // of a stated gaze: at 30 degrees aside it errs by up to 2.4 of the usual deviations
  // Below this luminance noise counts for more, in proportion: at 3 to 5 grey levels gaze errs by up to 4 of them.
  double noisy_luminance = 13.8, most_dark_sd_scale = 2.875;
  double black_luminance = 8;  // of a frame: below it a face that is not found is not called absent

  // Smoothing, Eqs. (17-19), per 1/30 s; grows with the square root of the frame interval.
  double smoothing_scale = 1.0;  // on all of the below; large = none
  double smooth_rotation_deg = 2.0;
  double smooth_across_mm = 3.0;
  double smooth_depth_mm = 8.0;
  double smooth_unit = 0.15;
  double smooth_lid = 1.0;
  double smooth_gaze_deg = 10.0;
  double max_gap_s = 0.5;  // a longer gap starts afresh
};

// How much wider the smoothing's sigmas are after this time: those of a random walk grow with its root.
inline double smoothing_width(const FitOptions& options, double dt_s) {
  return options.smoothing_scale * std::sqrt(dt_s * 30);
}

}  // namespace dmask
