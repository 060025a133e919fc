// What is stated of a measure: a standard deviation, by what its frame shows.
//
// Nets and priors err alike in every frame of a person, which no covariance of a fit tells. So each measure has a Spread,
// fitted to what rendered patients before many cameras erred by (bench/stated_sd.py).
#pragma once

#include "fit/calibration.hpp"
#include "fit/options.hpp"
#include "fit/result.hpp"

namespace dmask {

// Fills in the standard deviations of every measure that `fit` has: of the head, of each eye, of the deviation between both.
void state_uncertainty(const Calibration& calibration, const FitOptions& options, double luminance, FrameFit& fit);

}  // namespace dmask
