// The smallest test harness that names what failed.
#pragma once

#include <cmath>
#include <cstdio>

namespace dmask::test {

inline int failures = 0;

inline void expect(bool ok, const char* what, const char* file, int line) {
  if (ok) return;
  ++failures;
  std::fprintf(stderr, "%s:%d: expected %s\n", file, line, what);
}

inline void expect_near(double got, double want, double tolerance, const char* what, const char* file, int line) {
  if (std::abs(got - want) <= tolerance) return;
  ++failures;
  std::fprintf(stderr, "%s:%d: %s is %.9g, expected %.9g within %.3g\n", file, line, what, got, want, tolerance);
}

inline int report(int tests) {
  std::printf("%d passed, %d failed\n", tests - (failures > 0), failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace dmask::test

#define EXPECT(condition) dmask::test::expect((condition), #condition, __FILE__, __LINE__)
#define EXPECT_NEAR(got, want, tolerance) \
  dmask::test::expect_near((got), (want), (tolerance), #got, __FILE__, __LINE__)
