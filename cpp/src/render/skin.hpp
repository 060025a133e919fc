// The colour of a skin vertex. Written once for a number F: float, or f32x8 on the CPU.
#pragma once

#include "render/lighting.hpp"

namespace dmask {

// How much a vertex darkens or brightens as it lies below or above its neighbours by a mesh spacing.
constexpr float kCreaseDarkening = 7.0f, kRidgeBrightening = 2.0f;

// `sum`: of its triangles' cross products; `hollow`: of it and the way to the middle of the neighbours; `tone`: encoded
// albedo. Gives encoded 0..1.
template <class F>
DMASK_HOST_DEVICE inline Bgr<F> skin_colour(Normal<F> sum, const F& hollow, const Bgr<F>& tone) {
  const F zero{};
  const F length2 = sum.x * sum.x + sum.y * sum.y + sum.z * sum.z;
  const F inv_length = 1.0f / max(sqrt(length2), F(zero + 1e-12f));
  const Normal<F> normal{sum.x * inv_length, sum.y * inv_length, sum.z * inv_length};
  // Creases lie below their surroundings: less light gets there. In units of the mesh spacing (a vertex's normal has
  // the length of about twelve triangle areas).
  const F spacing = max(sqrt(F(sqrt(length2) * 0.17f)), F(zero + 1e-6f));
  const F depth = hollow * inv_length / spacing;
  const F open = depth > zero ? max(F(1.0f / (1.0f + kCreaseDarkening * depth)), F(zero + 0.5f))
                              : min(F(1.0f - kRidgeBrightening * depth), F(zero + 1.12f));
  // The smooth normal of a visible point may look away, as on the rim of a lid tucked under: lit as a side.
  const F z = min(normal.z, zero), length_seen2 = 1.0f + z * z - normal.z * normal.z;
  const F inv_seen = 1.0f / max(sqrt(max(length_seen2, zero)), F(zero + 0.1f));
  // Hollows are redder: light that gets out of them met skin more than once.
  const Light<F> l = light(Normal<F>{normal.x * inv_seen, normal.y * inv_seen, z * inv_seen});
  const F blue = srgb_decode(clamp01(tone.b)) * l.diffuse * open;
  const F green_tone = srgb_decode(clamp01(tone.g)), gloss = 0.14f * green_tone * l.specular * open;
  const F red = srgb_decode(clamp01(tone.r)) * l.diffuse_red * sqrt(open);
  const F green = green_tone * l.diffuse * open;
  return {srgb_encode(F(blue + gloss)), srgb_encode(F(green + gloss)), srgb_encode(F(red + gloss))};
}

}  // namespace dmask
