// A frame's motion against how the patient is most of the time. Where somebody holds head and eyes, how far apart his optical axes
// are, how wide his lids are open and what of his face the units have to show are his own, and stay with him from day to day.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>

#include "fit/calibration.hpp"
#include "fit/result.hpp"
#include "pipeline/release_rules.hpp"

namespace dmask {

// The same frame as `rules` let it be told, at rest in `steps`. Units are against those at rest, and 0 where they are not let out. Head, gaze and
// openness are as they were measured, or they rest in steps and classes and move from there as they were measured, or they come in
// steps.
FrameFit released_motion(const Rest& rest, const ReleaseRules& rules, const ReleaseRules::Steps& steps,
                         const FrameFit& fit);

inline double to_step(double value, double step) { return std::round(value / step) * step; }
// What is stated is no smaller than it is. A step of 0: as it is.
inline double up_to_step(double sd, double step) { return step > 0 ? std::ceil(sd / step) * step : sd; }
inline constexpr std::array head_parts{&HeadAngles::yaw_deg, &HeadAngles::pitch_deg, &HeadAngles::roll_deg};

// Of lids that are shown in classes: narrow, usual, wide.
inline constexpr std::array openness_classes{0.12, 0.32, 0.55};
// The one of lids that rest as open as that; narrow for 0, never seen open.
std::size_t openness_class(double rest);

}  // namespace dmask
