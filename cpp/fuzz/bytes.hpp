// Choices out of a fuzzer's bytes. When these run out every choice is the first one.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

namespace fuzz {

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  bool empty() const { return at_ >= size_; }
  template <class T>
  T next() {
    T value{};
    const std::size_t n = std::min(sizeof(T), size_ - std::min(at_, size_));
    std::memcpy(&value, data_ + at_, n);
    at_ += n;
    return value;
  }
  // low .. high, both possible
  int between(int low, int high) {
    const unsigned range = static_cast<unsigned>(high - low) + 1;
    return low + static_cast<int>((range <= 256 ? next<std::uint8_t>() : next<std::uint32_t>()) % range);
  }
  bool one_in(int n) { return between(0, n - 1) == n - 1; }
  // What arithmetic trips over, or any bits at all.
  double number() {
    constexpr double odd[] = {0,   -0.0, 1,    -1,   1e-300, 1e-30, 1e-6, 0.5,   100,   1e4,
                              1e6, 1e9,  -1e9, 3e18, 1e30,   -1e30, 3e38, 1e300, -1e300};
    const int choice = between(0, 31);
    if (choice < static_cast<int>(std::size(odd))) return odd[choice];
    if (choice == 19) return std::numeric_limits<double>::quiet_NaN();
    if (choice == 20) return std::numeric_limits<double>::infinity();
    if (choice == 21) return -std::numeric_limits<double>::infinity();
    if (choice < 26) return next<float>();
    return next<std::int16_t>() / 64.0;
  }
  std::int64_t whole() {
    constexpr std::int64_t odd[] = {0,      1,       -1,        2,         3,         15,       16,    17,
                                    64,     127,     128,       255,       256,       65535,    65536, 99999,
                                    100000, 1 << 24, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    const int choice = between(0, 31);
    if (choice < static_cast<int>(std::size(odd))) return odd[choice];
    return choice < 28 ? next<std::int8_t>() : next<std::int64_t>();
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_, at_ = 0;
};

// What must hold whatever comes in.
inline void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// An error is one sentence in one line.
inline void require_sentence(const std::string& text) {
  bool plain = text.size() >= 10 && text.size() < 1000;
  for (const char c : text) plain = plain && static_cast<unsigned char>(c) >= 32 && c != 127;
  if (!plain) std::fprintf(stderr, "got the error '%s'\n", text.c_str());
  require(plain, "an error is one line of plain text");
}

}  // namespace fuzz
