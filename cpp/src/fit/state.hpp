// What the fits estimate of one frame.
#pragma once

#include "geometry/types.hpp"
#include "models/face_model.hpp"

namespace dmask {

struct FacePose {
  Mat3 rotation = Mat3::Identity();  // head to camera
  Vec3 translation = Vec3::Zero();   // mm
  UnitWeights units;                 // w_fm, in [0, 1]
};

struct Gaze {
  double yaw = 0, pitch = 0;  // rad, Fick, head frame
};

}  // namespace dmask
