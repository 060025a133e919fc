// How the mask is lit: a soft key light from the upper left of the camera, a fill from its right, light from above and
// below all around. In linear light, eight points at a time; normals in the camera frame (y down, z away).
#pragma once

#include "render/lanes.hpp"

namespace dmask {

struct Bgr8 {
  f32x8 b, g, r;
};

struct Normal8 {
  f32x8 x, y, z;
  f32x8 dot(float dx, float dy, float dz) const { return x * dx + y * dy + z * dz; }
};

struct Light8 {
  f32x8 diffuse;      // blue and green
  f32x8 diffuse_red;  // red light travels farther under skin: a softer, warmer terminator
  f32x8 specular;
};

inline Light8 light(const Normal8& n) {
  const f32x8 key = n.dot(-0.40f, -0.58f, -0.71f), fill = n.dot(0.72f, -0.08f, -0.69f);
  const f32x8 ambient = 0.25f - 0.11f * n.y;
  const f32x8 around = 0.22f * max(fill, all(0)) + ambient;
  const auto wrapped = [&](float by) { return 0.78f * max((key + by) * (1.0f / (1.0f + by)), all(0)); };
  f32x8 gloss = max(n.dot(-0.216f, -0.314f, -0.925f), all(0));  // half-way between key light and camera
  gloss *= gloss;
  gloss *= gloss;
  gloss *= gloss;
  gloss *= gloss;
  return {wrapped(0.15f) + around, wrapped(0.35f) + around, gloss * gloss};
}

// sRGB transfer functions by least squares, within half a grey level above 0.05; 0..1.
inline f32x8 srgb_decode(const f32x8& s) { return s * (0.0160f + s * (0.6683f + s * 0.3157f)); }
inline f32x8 srgb_encode(const f32x8& linear) {
  const f32x8 l = clamp01(linear), root = sqrt(l);
  return clamp01(0.815331f * root + 0.314092f * sqrt(root) - 0.049365f * l - 0.080058f);
}

// 8 bit BGRx pixels from encoded 0..1.
inline u32x8 pack(const Bgr8& c) {
  const auto byte = [](const f32x8& x) { return __builtin_convertvector(clamp01(x) * 255.0f + 0.5f, i32x8); };
  return reinterpret_cast<u32x8>(byte(c.b) | byte(c.g) << 8 | byte(c.r) << 16);
}

}  // namespace dmask
