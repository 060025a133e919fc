#include "detect/placed_eye.hpp"

#include "detect/limbus.hpp"

namespace dmask {

void keep_in_sight(const ImageView& frame, Landmark& p) {
  const bool inside = p.x >= -0.5f && p.y >= -0.5f && p.x <= frame.width - 0.5f && p.y <= frame.height - 0.5f;
  if (!inside) p.confidence = 0;
}

void to_frame(const ImageView& frame, const Crop& crop, Landmark& point) {
  const Vec2f p = crop.to_frame(point.x, point.y);
  point.x = p.x();
  point.y = p.y();
  keep_in_sight(frame, point);
}

EyeDetection placed_eye(const EyesLook& look, Eye eye, const Crop& crop, const ImageView& frame) {
  EyeDetection found;
  found.lid = look.lids[eye];
  for (Landmark& point : found.lid) to_frame(frame, crop, point);

  IrisPoints iris = look.irises[eye];
  iris[0] = steadied_centre(iris);
  for (Landmark& point : iris) to_frame(frame, crop, point);
  if (crop.mirrored) iris = reversed_limbus(iris);
  found.iris = turned_limbus(iris, crop.roll_rad);

  found.lines = look.lines[eye];
  for (auto& line : found.lines) {
    for (Landmark& point : line) to_frame(frame, crop, point);
  }
  return found;
}

}  // namespace dmask
