// The test harness: cases register themselves, checks say what they got, the program counts both.
//
//   TEST_CASE(a_crop_replicates_the_border) {
//     EXPECT(boxes.size() == 3);
//     EXPECT_NEAR(corner, 63, 1e-3);
//   }
//   int main(int argc, char** argv) { return dmask::test::run(argc, argv); }
//
// `program WORD` runs the cases whose names contain WORD. A case without a check fails, and so does a run without
// a case. What is not a number fails every comparison, `!=` too, and stands for no truth; larger() of geometry/larger.hpp
// keeps it on the way there. Only inside a condition, as in !(x > 3), it cannot be seen.
#pragma once

#include <cmath>
#include <cstdio>
#include <exception>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

namespace dmask::test {

struct Case {
  const char* name;
  void (*body)();
};
inline std::vector<Case> cases;  // NOLINT: registered before main
inline long checks = 0, failed_checks = 0;

struct Registration {
  Registration(const char* name, void (*body)()) { cases.push_back({name, body}); }
};

template <class T>
std::string text_of(const T& value) {
  std::ostringstream out;
  out.precision(9);
  if constexpr (std::is_enum_v<T>) out << static_cast<long long>(value);
  else if constexpr (std::is_integral_v<T> && sizeof(T) == 1) out << static_cast<int>(value);
  else if constexpr (requires { out << value; }) out << value;
  else out << "(a value without a text)";
  return out.str();
}

// What a condition came to, and the values it compared where it failed.
struct Verdict {
  Verdict(bool holds, std::string compared = "") : ok(holds), values(std::move(compared)) {}
  explicit operator bool() const { return ok; }
  bool ok;
  std::string values;
};

template <class T>
bool is_number(const T& value) {
  if constexpr (std::is_floating_point_v<T>) return !std::isnan(value);
  else return true;
}

template <class L>
struct LeftSide {
  const L& left;
  explicit operator bool() const { return is_number(left) && static_cast<bool>(left); }
  operator Verdict() const { return {is_number(left) && static_cast<bool>(left), ", got " + text_of(left)}; }
#define DMASK_TEST_COMPARISON(op)                                            \
  template <class R>                                                         \
  Verdict operator op(const R& right) const {                                \
    if (is_number(left) && is_number(right) && left op right) return true;   \
    return {false, ", got " + text_of(left) + " " #op " " + text_of(right)}; \
  }
  DMASK_TEST_COMPARISON(==)
  DMASK_TEST_COMPARISON(!=)
  DMASK_TEST_COMPARISON(<)
  DMASK_TEST_COMPARISON(<=)
  DMASK_TEST_COMPARISON(>)
  DMASK_TEST_COMPARISON(>=)
#undef DMASK_TEST_COMPARISON
};

struct Decompose {  // `Decompose{} << a == b` keeps both sides
  template <class L>
  LeftSide<L> operator<<(const L& left) const {
    return {left};
  }
};

inline void expect(const Verdict& verdict, const char* condition, const char* file, int line) {
  ++checks;
  if (verdict.ok) return;
  ++failed_checks;
  std::fprintf(stderr, "%s:%d: expected %s%s\n", file, line, condition, verdict.values.c_str());
}

inline void expect_near(double got, double want, double tolerance, const char* what, const char* file, int line) {
  ++checks;
  if (std::abs(got - want) <= tolerance && std::isfinite(tolerance)) return;
  ++failed_checks;
  std::fprintf(stderr, "%s:%d: got %s = %.9g, expected %.9g within %.3g\n", file, line, what, got, want, tolerance);
}

inline bool passes(const Case& c) {
  const long checks_before = checks, failed_before = failed_checks;
  bool returned = false;
  try {
    c.body();
    returned = true;
    if (checks == checks_before) std::fprintf(stderr, "%s: got no check, expected one at least\n", c.name);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: got the exception '%s', expected none\n", c.name, error.what());
  }
  const bool ok = returned && checks > checks_before && failed_checks == failed_before;
  if (!ok) std::fprintf(stderr, "%s failed\n", c.name);
  return ok;
}

// The exit status of the program.
inline int run(int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "";
  int passed = 0, failed = 0;
  for (const Case& c : cases)
    if (std::string(c.name).find(word) != std::string::npos) ++(passes(c) ? passed : failed);
  if (passed + failed == 0) std::fprintf(stderr, "got no case, expected one whose name contains '%s'\n", word.c_str());
  std::printf("%ld checks, %ld of them failed\n", checks, failed_checks);
  std::printf("%d passed, %d failed\n", passed, failed);
  return passed > 0 && failed == 0 ? 0 : 1;
}

}  // namespace dmask::test

#define TEST_CASE(name)                                                    \
  static void name();                                                      \
  static const dmask::test::Registration registration_##name(#name, name); \
  static void name()
#define EXPECT(...) dmask::test::expect(dmask::test::Decompose{} << __VA_ARGS__, #__VA_ARGS__, __FILE__, __LINE__)
#define EXPECT_NEAR(got, want, tolerance) dmask::test::expect_near((got), (want), (tolerance), #got, __FILE__, __LINE__)
