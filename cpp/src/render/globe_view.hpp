// An eyeball as one camera sees it: plain numbers, for the CPU and the GPU.
#pragma once

#include "render/edges.hpp"

namespace dmask {

struct Camera;
struct Globe;

struct GlobeView {
  struct Axis {
    float x = 0, y = 0, z = 0;
  };
  raster::PixelRect box;  // around the globe, within the picture; empty: nothing to draw
  Axis centre;            // mm
  Axis axis, sight;       // unit: optical axis, from the camera to the centre
  Axis highlight;         // unit normal where it sits
  float radius_mm = 0, iris_mm = 0, pupil_mm = 0, mm_per_px = 0;
  float iris_plane_mm = 0;  // from the centre
  float towards = 0;        // cosine between axis and sight, not nearer to 0 than -0.2
  float has_iris = 0;       // 1, or 0 if the iris is not to be drawn
  float is_grey = 0;        // 1: it stands for what was not measured
  float inv_focal = 0, cx = 0, cy = 0;
};

// An empty box if the globe is not visible, not finite or reaches the camera.
GlobeView view_globe(const Globe& globe, const Camera& camera);

}  // namespace dmask
