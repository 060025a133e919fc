// What a ray meets at an eyeball and what it sees there.
// Written once for a number F: float, or f32x8 on the CPU.
#pragma once

#include "render/globe_view.hpp"
#include "render/lighting.hpp"

namespace dmask {

// Linear albedo BGR.
struct Tone {
  float b, g, r;
};

template <class F>
DMASK_HOST_DEVICE inline Bgr<F> mix(const Bgr<F>& from, const Tone& to, const F& share) {
  return {from.b + share * (to.b - from.b), from.g + share * (to.g - from.g), from.r + share * (to.r - from.r)};
}

template <class F>
struct GlobeHit {
  decltype(F{} < F{}) hit;
  F inv_z;  // 1/mm, a little behind the surface
  Normal<F> normal;
};

template <class F>
DMASK_HOST_DEVICE inline GlobeHit<F> intersect(const GlobeView& globe, const F& x_px, const F& y_px) {
  // The skin is drawn in front where it dips this far into the globe: lids are fitted to a fraction of a millimetre.
  constexpr float lid_may_dip_mm = 0.3f;
  const F zero{};
  const F dx = (x_px - globe.cx) * globe.inv_focal, dy = (y_px - globe.cy) * globe.inv_focal;  // ray (dx, dy, 1)
  const F inv_dd = 1.0f / (dx * dx + dy * dy + 1.0f);
  const F nearest = (dx * globe.centre.x + dy * globe.centre.y + globe.centre.z) * inv_dd;  // ray parameter = depth
  const F qx = nearest * dx - globe.centre.x, qy = nearest * dy - globe.centre.y, qz = nearest - globe.centre.z;
  const F miss2 = qx * qx + qy * qy + qz * qz;
  const F half_chord = sqrt(max(globe.radius_mm * globe.radius_mm - miss2, zero) * inv_dd);
  const float inner_mm = globe.radius_mm > lid_may_dip_mm ? globe.radius_mm - lid_may_dip_mm : 0.0f;
  const F half_inner = sqrt(max(inner_mm * inner_mm - miss2, zero) * inv_dd);
  const float inv_radius = 1.0f / globe.radius_mm;
  return {miss2 < globe.radius_mm * globe.radius_mm,
          1.0f / (nearest - half_inner),
          {(qx - half_chord * dx) * inv_radius, (qy - half_chord * dy) * inv_radius, (qz - half_chord) * inv_radius}};
}

// Encoded colour; `below_lid_mm` is how far under the upper lid's edge the point lies, for the lid's shadow.
template <class F>
DMASK_HOST_DEVICE inline Bgr<F> globe_colour(const GlobeView& globe, const Normal<F>& n, float below_lid_mm) {
  constexpr Tone sclera = {0.66f, 0.67f, 0.71f}, sclera_rim = {0.36f, 0.35f, 0.50f};
  constexpr Tone iris_tone = {0.030f, 0.040f, 0.052f}, iris_inner = {0.020f, 0.030f, 0.042f};
  constexpr Tone limbus = {0.030f, 0.033f, 0.038f}, pupil_tone = {0.0035f, 0.0035f, 0.0035f};
  constexpr Tone grey = {0.20f, 0.20f, 0.20f};
  const F zero{};
  const F cosine = n.dot(globe.axis.x, globe.axis.y, globe.axis.z);
  const F off_axis_mm = globe.radius_mm * sqrt(max(1.0f - cosine * cosine, zero));
  const F rho = cosine > zero ? off_axis_mm : F(zero + 2 * globe.radius_mm);  // not the far side of the axis
  const float blur_mm = 0.10f + 0.3f * globe.mm_per_px;
  // The pupil lies in the iris plane, not on the sphere: the line of sight goes on to that plane.
  const F beyond = (globe.iris_plane_mm - globe.radius_mm * cosine) * (1.0f / globe.towards);
  const F hit2 = globe.radius_mm * globe.radius_mm +
                 beyond * (2.0f * globe.radius_mm * n.dot(globe.sight.x, globe.sight.y, globe.sight.z) + beyond);
  const F flat =
      cosine > zero ? sqrt(max(hit2 - globe.iris_plane_mm * globe.iris_plane_mm, zero)) : F(zero + 2 * globe.radius_mm);

  const F facing = -n.z;
  Bgr<F> c{zero + sclera.b, zero + sclera.g, zero + sclera.r};
  c = mix(c, sclera_rim, 1.0f - smoothstep(0.30f, 0.85f, facing));
  c = mix(c, grey, F(zero + globe.is_grey));
  Bgr<F> iris{zero + iris_tone.b, zero + iris_tone.g, zero + iris_tone.r};
  iris = mix(iris, iris_inner, 1.0f - smoothstep(globe.pupil_mm, 0.62f * globe.iris_mm, flat));
  iris = mix(iris, limbus, 0.9f * smoothstep(0.80f * globe.iris_mm, 0.97f * globe.iris_mm, rho));
  const F pupil = 1.0f - smoothstep(globe.pupil_mm - blur_mm, globe.pupil_mm + blur_mm, flat);
  iris = mix(iris, pupil_tone, pupil);
  const F in_iris = globe.has_iris * (1.0f - smoothstep(globe.iris_mm - blur_mm, globe.iris_mm + blur_mm, rho));
  c = {c.b + in_iris * (iris.b - c.b), c.g + in_iris * (iris.g - c.g), c.r + in_iris * (iris.r - c.r)};

  const float near_lid = 1.0f / (1.0f + below_lid_mm * below_lid_mm * 0.7f);
  const Light<F> l = light(n);
  const F shade = (0.25f + 0.75f * l.diffuse) * (1.0f - 0.62f * near_lid);
  const F off_glint = 1.0f - n.dot(globe.highlight.x, globe.highlight.y, globe.highlight.z);
  const F glint_mm = globe.radius_mm * sqrt(max(2.0f * off_glint, zero));
  const float glint_radius_mm = 0.09f * globe.iris_mm;
  const F glint = globe.has_iris * 0.75f * (1.0f - near_lid) *
                  (1.0f - smoothstep(glint_radius_mm - 0.5f * blur_mm, glint_radius_mm + blur_mm, glint_mm));
  return {srgb_encode(c.b * shade + glint), srgb_encode(c.g * shade + glint), srgb_encode(c.r * shade + glint)};
}

}  // namespace dmask
