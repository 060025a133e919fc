// How far points of a face have moved since the frame before, by the pictures themselves, which tremble less than a net's points.
#pragma once

#include <vector>

#include "detect/crop.hpp"
#include "detect/detections.hpp"

namespace dmask {

class FaceMotion {
 public:
  void forget() { known_ = false; }

  // Where pixels are asked for: upright, of the frame's own pixels or of whole blocks of them, so that no two frames are
  // sampled differently.
  Crop view(const std::array<Landmark, 68>& face) const;

  // Takes up a frame and tells the motion since the one before, if that was of the same face. rgb: 3 planes of `view`, 0..1.
  void measure(const Crop& view, const float* rgb, FrameDetection& detection);

 private:
  struct Picture {
    Crop view;
    std::vector<float> grey;  // levels, 0..255
    FrameDetection seen;
  };
  PointMotion follow_face(int point);
  PointMotion follow_iris(Eye eye);
  PointMotion follow(const Landmark& from, const Landmark& to, int half);

  Picture before_, now_;
  bool known_ = false;
  std::vector<float> weights_, patch_;  // scratch: of a patch's pixels; the patch around it, then itself and its slopes
};

}  // namespace dmask
