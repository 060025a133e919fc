#pragma once

namespace dmask {

enum Eye { OD = 0, OS = 1 };  // patient's right, patient's left

// Of adults: the optical axis lies temporal to the line of sight by angle kappa (docs/method.md), and pupils are so far apart.
constexpr double adult_kappa_deg = 5.3, adult_pupils_mm = 63;

}  // namespace dmask
