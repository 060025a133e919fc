#pragma once

namespace dmask {

enum Eye { OD = 0, OS = 1 };  // patient's right, patient's left

// Of adults: the optical axis lies temporal to the line of sight by angle kappa (docs/method.md), and pupils are so far apart.
constexpr double adult_kappa_deg = 5.3, adult_pupils_mm = 63;

// From the centre of the cornea's curvature to the limbus' plane: Barry and Backes 1997, ten people, 11 degrees of gaze for
// each mm between reflex and limbus' centre. Between people that ratio differs by a tenth (Hasebe et al. 1998).
constexpr double adult_cornea_to_limbus_mm = 5.24, cornea_to_limbus_sd_share = 0.1;

// Where detectors and people see the opening end, of the way from where the model's margins join at the inner canthus to
// where they join at the outer one: behind it the lids lie on each other (median of 40 rendered patients).
constexpr double outer_canthus_share = 0.948;

}  // namespace dmask
