// How the mask is lit: a soft key light from the upper left of the camera, a fill from its right, light from above and
// below all around. In linear light; normals in the camera frame (y down, z away).
//
// Written once for a number F: float, or f32x8 on the CPU.
#pragma once

#include "geometry/host_device.hpp"
#include "render/numbers.hpp"

namespace dmask {

template <class F>
struct Bgr {
  F b, g, r;
};

template <class F>
struct Normal {
  F x, y, z;
  DMASK_HOST_DEVICE F dot(float dx, float dy, float dz) const { return x * dx + y * dy + z * dz; }
};

template <class F>
struct Light {
  F diffuse;      // blue and green
  F diffuse_red;  // red light travels farther under skin: a softer, warmer terminator
  F specular;
};

template <class F>
DMASK_HOST_DEVICE inline Light<F> light(const Normal<F>& n) {
  const F zero{};
  const F key = n.dot(-0.40f, -0.58f, -0.71f), fill = n.dot(0.72f, -0.08f, -0.69f);
  const F ambient = 0.25f - 0.11f * n.y;
  const F around = 0.22f * max(fill, zero) + ambient;
  const auto wrapped = [&](float by) { return 0.78f * max((key + by) * (1.0f / (1.0f + by)), zero); };
  F gloss = max(n.dot(-0.216f, -0.314f, -0.925f), zero);  // half-way between key light and camera
  gloss *= gloss;
  gloss *= gloss;
  gloss *= gloss;
  gloss *= gloss;
  return {wrapped(0.15f) + around, wrapped(0.35f) + around, gloss * gloss};
}

// sRGB transfer functions by least squares, within half a grey level above 0.05; 0..1.
template <class F>
DMASK_HOST_DEVICE inline F srgb_decode(const F& s) {
  return s * (0.0160f + s * (0.6683f + s * 0.3157f));
}
template <class F>
DMASK_HOST_DEVICE inline F srgb_encode(const F& linear) {
  const F l = clamp01(linear), root = sqrt(l);
  return clamp01(F(0.815331f * root + 0.314092f * sqrt(root) - 0.049365f * l - 0.080058f));
}

}  // namespace dmask
