// Limits that are a patient's own. Where a reason or a class of distance comes and goes, what it is decided by is known to be at
// its limit: beside the face's place and size in the picture, a known limit would tell his interocular distance to tenths of a
// millimetre.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>

#include "fit/calibration.hpp"
#include "fit/options.hpp"
#include "pipeline/distance.hpp"

namespace dmask {

struct OwnLimits {
  double min_px_per_deg;
  double distance_scale;  // of the distances at which near and intermediate end

  // Drawn by what nobody has who has not the recording, and the same each time that it is run.
  static OwnLimits of(const Calibration& calibration) {
    constexpr double most_raised = 0.25, most_scaled = 0.15;
    std::uint64_t seed = 0;
    for (const double weight : calibration.identity) {
      std::uint64_t bits;
      std::memcpy(&bits, &weight, sizeof bits);
      seed = (seed ^ bits) * 0x100000001b3ULL;
    }
    std::mt19937_64 random(seed);
    const auto share = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
    const double raised = 1 + most_raised * share();
    return {raised * FitOptions{}.min_px_per_deg, 1 + most_scaled * (2 * share() - 1)};
  }

  Distance distance_at(double mm) const { return dmask::distance_at(mm / distance_scale); }
};

}  // namespace dmask
