#include "fit/growth.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace dmask {
namespace {

struct Knot {
  double age_years, value, sd;
};

// Axial length over that of a grown-up: 0.70 at birth (Taylor and Hoyt's Pediatric Ophthalmology, chapter 4); 20, 22 and
// 23 mm at 1, 3 and 13 years (Fledelius and Christensen 1996).
constexpr std::array globe_share{Knot{0, 0.70, 0}, Knot{1, 20.0 / 23, 0}, Knot{3, 22.0 / 23, 0}, Knot{13, 1, 0}};

// 1.7 mm less at birth (Taylor and Hoyt, chapter 6), spread as in 64 newborns (Olowu, 0.59 mm); grown within about a year
// (Augusteyn et al. 2012); independent of age from 4 years on (Jiang et al. 2017, 5970 children); grown up 11.71 with a
// standard deviation of 0.42 mm (Rüfer et al. 2005).
constexpr std::array iris_mm{Knot{0, 10.0, 0.59}, Knot{1, 11.5, 0.5}, Knot{4, 11.71, 0.42}};

// 65.3 with 5.8 mm in 69 newborns (Moon et al. 2012); 85.9 and 88.1 % of a grown-up's at 1 and 5 years, mature by 15
// (Farkas et al. 1992, 1594 people of 1 to 18 years), spread by as large a share.
constexpr double grown_canthi_mm = 89.0, grown_canthi_sd_mm = 2.9;
constexpr std::array outer_canthi_mm{Knot{0, 65.3, 5.8}, Knot{1, 0.859 * grown_canthi_mm, 0.859 * grown_canthi_sd_mm},
                                     Knot{5, 0.881 * grown_canthi_mm, 0.881 * grown_canthi_sd_mm},
                                     Knot{15, grown_canthi_mm, grown_canthi_sd_mm}};

constexpr double measured_hvid_sd_mm = 0.1;  // a measured iris is known better than the mean of an age

// Between two of the ages in proportion.
template <std::size_t N>
Knot at_age(const std::array<Knot, N>& knots, double age_years) {
  const auto after = std::find_if(knots.begin(), knots.end(), [&](const Knot& k) { return k.age_years > age_years; });
  if (after == knots.begin()) return knots.front();
  if (after == knots.end()) return knots.back();
  const Knot& before = *std::prev(after);
  const double u = (age_years - before.age_years) / (after->age_years - before.age_years);
  return {age_years, before.value + u * (after->value - before.value), before.sd + u * (after->sd - before.sd)};
}

}  // namespace

Growth Growth::at(double age_years) {
  const Knot iris = at_age(iris_mm, age_years), canthi = at_age(outer_canthi_mm, age_years);
  return {at_age(globe_share, age_years).value, iris.value, iris.sd, canthi.value, canthi.sd};
}

Growth Growth::of(const FitOptions& options) {
  Growth growth = at(options.age_years);
  if (options.hvid_mm != FitOptions{}.hvid_mm) {
    growth.hvid_mm = options.hvid_mm;
    growth.hvid_sd_mm = measured_hvid_sd_mm;
  }
  return growth;
}

}  // namespace dmask
