// Eight numbers at a time, with the compiler's vector extensions.
#pragma once

#include <cstdint>
#include <cstring>

#include <Eigen/Core>  // and, with AVX, its intrinsics

namespace dmask {

using f32x8 = float __attribute__((vector_size(32)));
using i32x8 = std::int32_t __attribute__((vector_size(32)));
using u32x8 = std::uint32_t __attribute__((vector_size(32)));
using f32x4 = float __attribute__((vector_size(16)));
using i32x4 = std::int32_t __attribute__((vector_size(16)));

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
inline i32x4 ceil(const f32x4& x) {
  const i32x4 cut = __builtin_convertvector(x, i32x4);
  return cut - (__builtin_convertvector(cut, f32x4) < x);  // a true comparison is -1
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

inline float sum(const f32x8& x) {
  return ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7]));
}

}  // namespace dmask
