// Of a close-up's mask the skin about the eyes alone is seen, through an oval window each.
#pragma once

#include "pipeline/mask.hpp"

namespace dmask {

// Half axes of the window about an eyeball's centre, along the head's x and y.
inline constexpr float window_wide_mm = 31, window_high_mm = 23;

// Puts the plain background about the windows of a painted close-up; a face stays as it is.
void cut_windows(const MaskSubject& subject, const MaskFrame& frame, Image& picture);

}  // namespace dmask
