// How large eyes and faces are at an age: what the metric scale rests on.
#pragma once

#include "fit/options.hpp"

namespace dmask {

// Every globe is fitted as one of 12 mm, which the lids of all ages cover alike: `globe` are the true millimetres of one
// of the fits. What is let out is true.
struct Growth {
  double globe = 1;                // radius of the globe, a share of a grown-up's
  double hvid_mm, hvid_sd_mm;      // horizontal visible iris diameter
  double canthi_mm, canthi_sd_mm;  // between the outer canthi

  static Growth at(double age_years);
  static Growth of(const FitOptions& options);  // with the patient's own iris where it was measured
};

}  // namespace dmask
