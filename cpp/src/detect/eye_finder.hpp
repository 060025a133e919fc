// Finds eyes where no face is in sight, by a net of its own: centres, canthi, and which of these is the inner one.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "detect/crop.hpp"
#include "detect/net.hpp"
#include "detect/vision.hpp"

namespace dmask {

struct FoundEye {
  Vec2f left = Vec2f::Zero(), right = Vec2f::Zero();  // canthi as they lie in the picture, frame px
  float score = 0;                                    // 0..1
  float inner_right = 0;                              // 0..1: the right one is the inner, as of an upright OD

  float width_px() const { return (right - left).norm(); }
  Vec2f centre() const { return 0.5f * (left + right); }
};

class EyeFinder {
 public:
  // Throws Error when the model is missing or is not what is expected.
  explicit EyeFinder(const DetectorOptions& options);

  // Eyes anywhere in the frame, from 1/64 of its width on, turned by up to 45 degrees; best first, two at the most. Each was
  // looked at twice, from afar and from near.
  const std::vector<FoundEye>& search(Vision& vision, const ImageView& frame);

  // The eye at this place, looked at from near, in a view `share` as wide as usual; its score is 0 where there is none.
  FoundEye look_again(Vision& vision, const FoundEye& eye, float share = 1);

  float luminance() const { return luminance_; }  // of the last view, grey levels

 private:
  void find(Vision& vision, const Crop& view, float min_score, std::vector<FoundEye>& eyes);
  bool is_new(const FoundEye& eye, const std::vector<FoundEye>& known) const;

  std::unique_ptr<Net> net_;
  std::vector<FoundEye> from_afar_, from_near_, found_;
  float luminance_ = 128;
};

}  // namespace dmask
