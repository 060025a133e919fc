// Lids of nobody that are as high as the patient's: the mask shows a drooping or a retracted lid, and no more of its shape.
#pragma once

#include "fit/calibration.hpp"
#include "fit/models.hpp"

namespace dmask {

class GenericLids {
 public:
  GenericLids() = default;
  GenericLids(const Models& models, int eye);

  // Motions of the generic patch whose margins are, in their middle, as high above the eyeball's centre as the patient's;
  // heights are rounded to `step_mm`, 0 leaves them. Of the margins' course only what differs from `rest` is let out (nothing
  // where that has no size): it tells people apart.
  LidWeights as_high_as(const EyeStatics& patient, const LidWeights& motion, const VecX& rest, double step_mm) const;
  // Of lids that both lie higher by `mm`, in their middle.
  LidWeights raised_by(double mm) const { return from_heights_ * Heights(mm, mm); }
  const LidWeights& closing() const { return closing_; }  // from the half blink to the full one

 private:
  static constexpr int heights = 2;  // of the upper and the lower margin
  using Heights = Eigen::Matrix<double, heights, 1>;
  Heights rest_mm_ = Heights::Zero();
  MatX from_heights_;  // Km x 2
  MatX course_;        // Km x Km: what of a motion leaves the heights as they are
  LidWeights closing_;
};

}  // namespace dmask
