#include "pipeline/eye_window.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "geometry/camera.hpp"

namespace dmask {
namespace {

// From a pixel to the window's own plane, in which it is the unit circle.
struct Window {
  float x0, y0, x_by_column, y_by_column, x_by_row, y_by_row;
  float edge_px;  // of the circle's radius
};

Window window_of(const Camera& camera, const MaskSubject& subject, const MaskFrame& frame, int eye) {
  const Mat3f rotation = frame.rotation();
  const Vec3f centre = rotation * subject.eyes[eye].centre + frame.translation;
  const Vec2 at = camera.project(centre.cast<double>());
  const float mm_per_px = centre.z() / static_cast<float>(camera.focal_px);
  const Vec2f across = Vec2f(rotation(0, 0), rotation(1, 0)) * mm_per_px / window_wide_mm;
  const Vec2f up = Vec2f(rotation(0, 1), rotation(1, 1)) * mm_per_px / window_high_mm;
  const Vec2f c = at.cast<float>();
  return {-across.dot(c), -up.dot(c), across.x(), up.x(), across.y(), up.y(), window_high_mm / mm_per_px};
}

}  // namespace

void cut_windows(const MaskSubject& subject, const MaskFrame& frame, Image& picture) {
  if (!subject.close_up || !frame.face) return;
  const Camera camera = Camera::from_hfov(picture.width, picture.height, subject.hfov_deg);
  std::vector<Window> windows;
  for (int eye = 0; eye < 2; ++eye)
    if (subject.eyes_shown[eye]) windows.push_back(window_of(camera, subject, frame, eye));
  const auto& background = RenderStyle{}.background_bgr;
  std::vector<float> seen(static_cast<std::size_t>(picture.width));
  for (int row = 0; row < picture.height; ++row) {
    std::fill(seen.begin(), seen.end(), 0.0f);
    for (const Window& w : windows) {
      const float x0 = w.x0 + w.x_by_row * static_cast<float>(row), y0 = w.y0 + w.y_by_row * static_cast<float>(row);
      for (int column = 0; column < picture.width; ++column) {
        const float x = x0 + w.x_by_column * static_cast<float>(column);
        const float y = y0 + w.y_by_column * static_cast<float>(column);
        const float inside_px = (1 - std::sqrt(x * x + y * y)) * w.edge_px + 0.5f;
        seen[column] = std::max(seen[column], std::min(inside_px, 1.0f));
      }
    }
    std::uint8_t* pixel = picture.bgr.data() + 3 * static_cast<std::size_t>(row) * picture.width;
    for (int column = 0; column < picture.width; ++column, pixel += 3) {
      const float share = seen[column];
      if (share >= 1) continue;
      for (int k = 0; k < 3; ++k) {
        const float ground = background[k];
        pixel[k] = static_cast<std::uint8_t>(std::lround(ground + share * (static_cast<float>(pixel[k]) - ground)));
      }
    }
  }
}

}  // namespace dmask
