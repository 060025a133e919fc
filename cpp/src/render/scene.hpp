// What one mask picture shows; everything in the camera frame.
#pragma once

#include <array>
#include <memory>

#include "geometry/camera.hpp"
#include "geometry/image.hpp"
#include "geometry/types.hpp"

namespace dmask {

struct Globe {
  bool visible = false;
  Vec3f centre = Vec3f::Zero();  // mm
  float radius_mm = 12.0f;
  float iris_radius_mm = 5.85f;  // of the circle on the sphere where the iris ends; 0: sclera only
  float pupil_radius_mm = 1.9f;
  Vec3f axis = Vec3f(0, 0, -1);  // unit optical axis, from the centre through the pupil
  bool measured = true;          // false: dull and grey, so that nobody takes it for an eye
};

struct MaskScene {
  Camera camera;
  const Points3f* vertices = nullptr;    // N x 3 skin, camera frame, mm
  const Triangles* triangles = nullptr;  // T x 3, counter-clockwise seen from outside in the head frame
  const Points3f* albedo = nullptr;      // N x 3 BGR 0..1, sRGB-encoded
  std::array<Globe, 2> globes;           // OD, OS
};

struct RenderStyle {
  std::array<std::uint8_t, 3> background_bgr = {236, 236, 236};
};

// Throws Error for a camera without size or focal length.
void check_camera(const Camera& camera);

// Holds the buffers: after the first call with a picture and mesh of some size, no further allocation.
class Renderer {
 public:
  Renderer();
  ~Renderer();
  Renderer(Renderer&&) noexcept;
  Renderer& operator=(Renderer&&) noexcept;

  // Draws the scene into `out`, resized to the camera's size. Vertices that are not finite or nearer than 1 mm take
  // their triangles away. Throws Error for a camera without size or focal length, arrays that do not belong together or
  // a triangle index out of range.
  void render(const MaskScene& scene, const RenderStyle& style, Image& out);

 private:
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace dmask
