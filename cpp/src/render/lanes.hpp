// Eight numbers at a time, with the compiler's vector extensions.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include <Eigen/Core>  // and, with AVX, its intrinsics

namespace dmask {

using f32x8 = float __attribute__((vector_size(32)));
using i32x8 = std::int32_t __attribute__((vector_size(32)));
using u32x8 = std::uint32_t __attribute__((vector_size(32)));
using f64x8 = double __attribute__((vector_size(64)));

constexpr f32x8 kLane = {0, 1, 2, 3, 4, 5, 6, 7};

template <class Lanes>
Lanes load(const void* p) {
  Lanes lanes;
  std::memcpy(&lanes, p, sizeof lanes);
  return lanes;
}

template <class Lanes>
void store(void* p, const Lanes& lanes) {
  std::memcpy(p, &lanes, sizeof lanes);
}

inline f32x8 all(float value) { return f32x8{} + value; }

// Bit i set where lane i of a comparison is true.
inline unsigned bits(const i32x8& mask) {
#if defined(__AVX__)
  return static_cast<unsigned>(_mm256_movemask_ps(reinterpret_cast<__m256>(mask)));
#else
  unsigned result = 0;
  for (int i = 0; i < 8; ++i) result |= static_cast<unsigned>(mask[i] & 1) << i;
  return result;
#endif
}

inline bool any(const i32x8& mask) { return bits(mask) != 0; }

template <class Lanes>
Lanes max(const Lanes& a, const Lanes& b) {
  return a > b ? a : b;
}
template <class Lanes>
Lanes min(const Lanes& a, const Lanes& b) {
  return a < b ? a : b;
}
inline i32x8 ceil(const f32x8& x) {
  const i32x8 cut = __builtin_convertvector(x, i32x8);
  return cut - (__builtin_convertvector(cut, f32x8) < x);  // a true comparison is -1
}
inline i32x8 floor(const f32x8& x) {
  const i32x8 cut = __builtin_convertvector(x, i32x8);
  return cut + (__builtin_convertvector(cut, f32x8) > x);
}
// a b - c d as in scalars.hpp.
inline f32x8 cross(const f32x8& a, const f32x8& b, const f32x8& c, const f32x8& d) {
  const f64x8 ab = __builtin_convertvector(a, f64x8) * __builtin_convertvector(b, f64x8);
  const f64x8 cd = __builtin_convertvector(c, f64x8) * __builtin_convertvector(d, f64x8);
  return __builtin_convertvector(ab - cd, f32x8);
}
inline f32x8 clamp01(const f32x8& x) { return min(max(x, f32x8{}), all(1)); }  // NaN gives 0
inline f32x8 abs(const f32x8& x) { return max(x, -x); }

inline f32x8 sqrt(const f32x8& x) {
  Eigen::Array<float, 8, 1> a;
  std::memcpy(a.data(), &x, sizeof x);
  a = a.sqrt();
  return load<f32x8>(a.data());
}

inline f32x8 smoothstep(float from, float to, const f32x8& x) {
  const f32x8 t = clamp01((x - from) / (to - from));
  return t * t * (3.0f - 2.0f * t);
}

// Rows become columns.
template <class Lanes>
[[gnu::always_inline]] inline void transpose(std::array<Lanes, 8>& rows) {
  std::array<Lanes, 8> pairs, fours;
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    pairs[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int i = 0; i < 8; i += 4) {
    for (int k = 0; k < 2; ++k) {
      fours[i + 2 * k] = __builtin_shufflevector(pairs[i + k], pairs[i + k + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      fours[i + 2 * k + 1] = __builtin_shufflevector(pairs[i + k], pairs[i + k + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
  for (int i = 0; i < 4; ++i) {
    rows[i] = __builtin_shufflevector(fours[i], fours[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    rows[i + 4] = __builtin_shufflevector(fours[i], fours[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

inline float sum(const f32x8& x) { return ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7])); }

}  // namespace dmask
