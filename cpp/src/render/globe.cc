#include "render/globe_view.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "render/scene.hpp"

namespace dmask {
namespace {

// Pixels whose ray may meet the sphere along one image axis: tangents from the camera in that plane.
std::array<float, 2> extent(float offset_mm, float depth_mm, float radius_mm, float focal_px, float principal_px) {
  const float direction = std::atan2(offset_mm, depth_mm);
  const float half = std::asin(std::min(1.0f, radius_mm / std::hypot(offset_mm, depth_mm)));
  const auto pixel = [&](float angle) { return principal_px + focal_px * std::tan(std::clamp(angle, -1.55f, 1.55f)); };
  return {pixel(direction - half), pixel(direction + half)};
}

}  // namespace

GlobeView view_globe(const Globe& globe, const Camera& camera) {
  const Vec3f& centre = globe.centre;
  GlobeView view;
  view.radius_mm = globe.radius_mm;
  view.iris_mm = globe.iris_radius_mm;
  view.pupil_mm = globe.pupil_radius_mm;
  const float focal_px = static_cast<float>(camera.focal_px);
  view.inv_focal = 1.0f / focal_px;
  view.cx = static_cast<float>(camera.cx);
  view.cy = static_cast<float>(camera.cy);
  const bool drawable = globe.visible && centre.allFinite() && globe.axis.allFinite() && view.radius_mm > 0 &&
                        view.iris_mm < view.radius_mm && centre.norm() < 1e6f && globe.axis.norm() > 0 &&
                        centre.z() - view.radius_mm > raster::kNearMm && std::isfinite(view.iris_mm + view.pupil_mm);
  if (!drawable) return view;
  const Vec3f axis = globe.axis.normalized(), sight = centre.normalized();
  view.has_iris = view.iris_mm > 0 ? 1.0f : 0.0f;
  view.is_grey = globe.measured ? 0.0f : 1.0f;
  view.mm_per_px = centre.z() * view.inv_focal;
  const auto x = extent(centre.x(), centre.z(), view.radius_mm, focal_px, view.cx);
  const auto y = extent(centre.y(), centre.z(), view.radius_mm, focal_px, view.cy);
  const auto pixel = [](float v, int size) { return static_cast<int>(std::clamp(v, 0.0f, static_cast<float>(size))); };
  view.box = {pixel(x[0] - 1, camera.width), pixel(y[0] - 1, camera.height), pixel(x[1] + 2, camera.width),
              pixel(y[1] + 2, camera.height)};
  // Beside the pupil, always at the same place of the iris: it is an ornament, not the corneal reflex of a light.
  const Vec3f up_left(-0.70f, -0.71f, 0);
  const Vec3f across = (up_left - up_left.dot(axis) * axis).normalized();
  const float sine = std::min(0.58f * view.iris_mm / view.radius_mm, 0.9f);
  const Vec3f highlight = sine * across + std::sqrt(1 - sine * sine) * axis;
  const auto numbers = [](const Vec3f& v) { return GlobeView::Axis{v.x(), v.y(), v.z()}; };
  view.centre = numbers(centre);
  view.axis = numbers(axis);
  view.sight = numbers(sight);
  view.highlight = numbers(highlight);
  view.iris_plane_mm = std::sqrt(view.radius_mm * view.radius_mm - view.iris_mm * view.iris_mm);
  view.towards = std::min(axis.dot(sight), -0.2f);
  return view;
}

}  // namespace dmask
