// What a fitted eye says: opening and margins in mm, gaze, and whether they count.
#pragma once

#include "fit/calibration.hpp"
#include "fit/lid_curves.hpp"
#include "fit/result.hpp"
#include "fit/validity.hpp"

namespace dmask {

// How fine the picture of an eyeball is; centre: camera frame, mm.
double px_per_deg(const Calibration& calibration, const Vec3& centre);

// How far apart the lips are along the head's y, as detected: the fit's own keep a gap that no unit closes.
LipGaps lip_gaps_mm(const FrameDetection& detection, const FacePose& pose, const Calibration& calibration);

// `head` is scratch: the lid rows at this motion, head frame, mm.

// Takes the motion of the lids over where it counts, with openness, reason and the palpebral fissure. `curves`: as detected.
void measure_lids(const EyeStatics& statics, const Eigen::Ref<const VecX>& motion, double residual_pct,
                  const LidCurves& curves, EyeFit& out, VecX& head);

// After measure_lids(): takes the gaze over where it counts, with margin distances.
void measure_gaze(const EyeStatics& statics, const Eyeball& ball, const Gaze& gaze, const IrisSight& sight,
                  double residual_pct, const FitOptions& options, EyeFit& out, VecX& head);

}  // namespace dmask
