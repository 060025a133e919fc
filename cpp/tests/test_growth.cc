// Sizes of eyes and faces by age: what the metric scale rests on.
#include "fit/growth.hpp"

#include <cmath>

#include "check.hpp"

using namespace dmask;

TEST_CASE(a_grown_up_is_as_ever_from_fifteen_years_on) {
  for (const double age_years : {15.0, 18.0, 40.0, 120.0}) {
    const Growth g = Growth::at(age_years);
    EXPECT(g.globe == 1 && g.hvid_mm == 11.71 && g.hvid_sd_mm == 0.42 && g.canthi_mm == 89.0 && g.canthi_sd_mm == 2.9);
  }
  EXPECT(Growth::of(FitOptions{}).globe == 1);
}

TEST_CASE(globe_iris_and_canthi_grow_with_age_and_nothing_leaps) {
  Growth before = Growth::at(0.01);
  EXPECT_NEAR(before.globe, 0.70, 0.005);
  EXPECT_NEAR(before.hvid_mm, 10.0, 0.05);
  EXPECT_NEAR(before.canthi_mm, 65.3, 0.2);
  for (double age_years = 0.02; age_years < 20; age_years += 0.01) {
    const Growth g = Growth::at(age_years);
    EXPECT(g.globe >= before.globe && g.hvid_mm >= before.hvid_mm && g.canthi_mm >= before.canthi_mm);
    EXPECT(g.globe - before.globe < 0.003 && g.hvid_mm - before.hvid_mm < 0.03 && g.canthi_mm - before.canthi_mm < 0.2);
    EXPECT(g.hvid_sd_mm > 0 && g.canthi_sd_mm > 0);
    before = g;
  }
}

TEST_CASE(the_published_means_stand_at_their_ages) {
  EXPECT_NEAR(Growth::at(1).globe * 23, 20, 1e-9);
  EXPECT_NEAR(Growth::at(3).globe * 23, 22, 1e-9);
  EXPECT_NEAR(Growth::at(5).canthi_mm / Growth::at(18).canthi_mm, 0.881, 1e-9);
  EXPECT_NEAR(Growth::at(4).hvid_mm, 11.71, 1e-9);
}

TEST_CASE(an_iris_that_was_measured_beats_the_mean_of_an_age) {
  FitOptions options;
  options.age_years = 0.5;
  options.hvid_mm = 10.2;
  const Growth g = Growth::of(options);
  EXPECT(g.hvid_mm == 10.2 && g.hvid_sd_mm < 0.2);
  EXPECT(g.globe == Growth::at(0.5).globe);
}

int main(int argc, char** argv) { return test::run(argc, argv); }
