// The eyeball as an analytic sphere: where rays meet it and what they see.
#pragma once

#include "geometry/camera.hpp"
#include "render/lighting.hpp"
#include "render/raster.hpp"
#include "render/scene.hpp"

namespace dmask {

class GlobeView {
 public:
  GlobeView() = default;
  // Nothing to draw (an empty box) if the globe is not visible, not finite or reaches the camera.
  GlobeView(const Globe& globe, const Camera& camera);

  const raster::PixelRect& box() const { return box_; }  // around the globe, within the picture
  float mm_per_px() const { return mm_per_px_; }

  struct Hit {
    i32x8 hit;
    f32x8 inv_z;  // 1/mm, a little behind the surface
    Normal8 normal;
  };
  Hit intersect(const f32x8& x_px, const f32x8& y_px) const;

  // Encoded colour; `below_lid_mm` is how far under the upper lid's edge the point lies, for the lid's shadow.
  Bgr8 colour(const Normal8& normal, float below_lid_mm) const;

 private:
  raster::PixelRect box_;
  Vec3f centre_, axis_, highlight_;  // highlight: unit normal where it sits
  float radius_mm_ = 0, iris_mm_ = 0, pupil_mm_ = 0, mm_per_px_ = 0;
  float has_iris_ = 0;  // 1, or 0 if the iris is not to be drawn
  float inv_focal_ = 0, cx_ = 0, cy_ = 0;
};

}  // namespace dmask
