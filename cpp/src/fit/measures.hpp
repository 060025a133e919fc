// What a fitted eye says: opening and margins in mm, uncertainty of the gaze.
#pragma once

#include "fit/tracker.hpp"

namespace dmask {

// `head` is scratch: the lid rows at this motion, head frame, mm.

// From the motion: openness, reason (closed or none) and the palpebral fissure. `shut`: as detected.
void measure_lids(const EyeStatics& statics, bool shut, EyeFit& out, VecX& head);

// From gaze and motion: standard deviations and margin distances. `information`: JtWJ of yaw and pitch, 1/rad^2.
void measure_gaze(const EyeStatics& statics, const Eyeball& ball, const Eigen::Matrix2d& information, EyeFit& out, VecX& head);

}  // namespace dmask
