#include "render/globe.hpp"

namespace dmask {
namespace {

// The skin is drawn in front where it dips this far into the globe: lids are fitted to a fraction of a millimetre.
constexpr float kLidMayDipMm = 0.3f;

// Linear albedo BGR.
struct Tone {
  float b, g, r;
};
constexpr Tone kSclera = {0.66f, 0.67f, 0.71f}, kScleraRim = {0.36f, 0.35f, 0.50f};
constexpr Tone kIris = {0.030f, 0.040f, 0.052f}, kIrisInner = {0.020f, 0.030f, 0.042f};
constexpr Tone kLimbus = {0.030f, 0.033f, 0.038f}, kPupil = {0.0035f, 0.0035f, 0.0035f};

Bgr8 mix(const Bgr8& from, const Tone& to, const f32x8& share) {
  return {from.b + share * (to.b - from.b), from.g + share * (to.g - from.g), from.r + share * (to.r - from.r)};
}

// Pixels whose ray may meet the sphere along one image axis: tangents from the camera in that plane.
std::array<float, 2> extent(float offset_mm, float depth_mm, float radius_mm, float focal_px, float principal_px) {
  const float direction = std::atan2(offset_mm, depth_mm);
  const float half = std::asin(std::min(1.0f, radius_mm / std::hypot(offset_mm, depth_mm)));
  const auto pixel = [&](float angle) { return principal_px + focal_px * std::tan(std::clamp(angle, -1.55f, 1.55f)); };
  return {pixel(direction - half), pixel(direction + half)};
}

}  // namespace

GlobeView::GlobeView(const Globe& globe, const Camera& camera)
    : centre_(globe.centre), radius_mm_(globe.radius_mm), iris_mm_(globe.iris_radius_mm),
      pupil_mm_(globe.pupil_radius_mm) {
  const float focal_px = static_cast<float>(camera.focal_px);
  inv_focal_ = 1.0f / focal_px;
  cx_ = static_cast<float>(camera.cx);
  cy_ = static_cast<float>(camera.cy);
  const bool drawable = globe.visible && centre_.allFinite() && globe.axis.allFinite() && radius_mm_ > 0 &&
                        iris_mm_ < radius_mm_ && centre_.norm() < 1e6f && globe.axis.norm() > 0 &&
                        centre_.z() - radius_mm_ > raster::kNearMm && std::isfinite(iris_mm_ + pupil_mm_);
  if (!drawable) return;
  axis_ = globe.axis.normalized();
  has_iris_ = iris_mm_ > 0 ? 1.0f : 0.0f;
  mm_per_px_ = centre_.z() * inv_focal_;
  const auto x = extent(centre_.x(), centre_.z(), radius_mm_, focal_px, cx_);
  const auto y = extent(centre_.y(), centre_.z(), radius_mm_, focal_px, cy_);
  const auto pixel = [](float v, int size) {
    return static_cast<int>(std::clamp(v, 0.0f, static_cast<float>(size)));
  };
  box_ = {pixel(x[0] - 1, camera.width), pixel(y[0] - 1, camera.height), pixel(x[1] + 2, camera.width),
          pixel(y[1] + 2, camera.height)};
  // Beside the pupil, always at the same place of the iris: it is an ornament, not the corneal reflex of a light.
  const Vec3f up_left(-0.70f, -0.71f, 0);
  const Vec3f across = (up_left - up_left.dot(axis_) * axis_).normalized();
  const float sine = std::min(0.58f * iris_mm_ / radius_mm_, 0.9f);
  highlight_ = sine * across + std::sqrt(1 - sine * sine) * axis_;
}

GlobeView::Hit GlobeView::intersect(const f32x8& x_px, const f32x8& y_px) const {
  const f32x8 dx = (x_px - cx_) * inv_focal_, dy = (y_px - cy_) * inv_focal_;  // ray (dx, dy, 1)
  const f32x8 inv_dd = 1.0f / (dx * dx + dy * dy + 1.0f);
  const f32x8 nearest = (dx * centre_.x() + dy * centre_.y() + centre_.z()) * inv_dd;  // ray parameter = depth
  const f32x8 qx = nearest * dx - centre_.x(), qy = nearest * dy - centre_.y(), qz = nearest - centre_.z();
  const f32x8 miss2 = qx * qx + qy * qy + qz * qz;
  const f32x8 half_chord = sqrt(max(radius_mm_ * radius_mm_ - miss2, all(0)) * inv_dd);
  const float inner_mm = std::max(radius_mm_ - kLidMayDipMm, 0.0f);
  const f32x8 half_inner = sqrt(max(inner_mm * inner_mm - miss2, all(0)) * inv_dd);
  const float inv_radius = 1.0f / radius_mm_;
  return {miss2 < radius_mm_ * radius_mm_,
          1.0f / (nearest - half_inner),
          {(qx - half_chord * dx) * inv_radius, (qy - half_chord * dy) * inv_radius, (qz - half_chord) * inv_radius}};
}

Bgr8 GlobeView::colour(const Normal8& n, float below_lid_mm) const {
  const f32x8 cosine = n.dot(axis_.x(), axis_.y(), axis_.z());
  const f32x8 off_axis_mm = radius_mm_ * sqrt(max(1.0f - cosine * cosine, all(0)));
  const f32x8 rho = cosine > 0 ? off_axis_mm : all(2 * radius_mm_);  // not the far side of the axis
  const float blur_mm = 0.10f + 0.3f * mm_per_px_;
  // The pupil lies in the iris plane, not on the sphere: the line of sight goes on to that plane.
  const Vec3f sight = centre_.normalized();
  const float plane_mm = std::sqrt(radius_mm_ * radius_mm_ - iris_mm_ * iris_mm_);
  const float towards = std::min(axis_.dot(sight), -0.2f);
  const f32x8 beyond = (plane_mm - radius_mm_ * cosine) * (1.0f / towards);
  const f32x8 hit2 = radius_mm_ * radius_mm_ + beyond * (2.0f * radius_mm_ * n.dot(sight.x(), sight.y(), sight.z()) + beyond);
  const f32x8 flat = cosine > 0 ? sqrt(max(hit2 - plane_mm * plane_mm, all(0))) : all(2 * radius_mm_);

  const f32x8 facing = -n.z;
  Bgr8 c{all(kSclera.b), all(kSclera.g), all(kSclera.r)};
  c = mix(c, kScleraRim, 1.0f - smoothstep(0.30f, 0.85f, facing));
  Bgr8 iris{all(kIris.b), all(kIris.g), all(kIris.r)};
  iris = mix(iris, kIrisInner, 1.0f - smoothstep(pupil_mm_, 0.62f * iris_mm_, flat));
  iris = mix(iris, kLimbus, 0.9f * smoothstep(0.80f * iris_mm_, 0.97f * iris_mm_, rho));
  const f32x8 pupil = 1.0f - smoothstep(pupil_mm_ - blur_mm, pupil_mm_ + blur_mm, flat);
  iris = mix(iris, kPupil, pupil);
  const f32x8 in_iris = has_iris_ * (1.0f - smoothstep(iris_mm_ - blur_mm, iris_mm_ + blur_mm, rho));
  c = {c.b + in_iris * (iris.b - c.b), c.g + in_iris * (iris.g - c.g), c.r + in_iris * (iris.r - c.r)};

  const float near_lid = 1.0f / (1.0f + below_lid_mm * below_lid_mm * 0.7f);
  const Light8 l = light(n);
  const f32x8 shade = (0.25f + 0.75f * l.diffuse) * (1.0f - 0.62f * near_lid);
  const f32x8 off_glint = 1.0f - n.dot(highlight_.x(), highlight_.y(), highlight_.z());
  const f32x8 glint_mm = radius_mm_ * sqrt(max(2.0f * off_glint, all(0)));
  const float glint_radius_mm = 0.09f * iris_mm_;
  const f32x8 glint = has_iris_ * 0.75f * (1.0f - near_lid) *
                      (1.0f - smoothstep(glint_radius_mm - 0.5f * blur_mm, glint_radius_mm + blur_mm, glint_mm));
  return {srgb_encode(c.b * shade + glint), srgb_encode(c.g * shade + glint), srgb_encode(c.r * shade + glint)};
}

}  // namespace dmask
