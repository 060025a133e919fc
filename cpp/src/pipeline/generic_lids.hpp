// Lids of nobody that are as high as the patient's: the mask shows a drooping or a retracted lid, and no more of its shape.
#pragma once

#include "fit/calibration.hpp"
#include "fit/models.hpp"

namespace dmask {

class GenericLids {
 public:
  static constexpr int heights = 2;  // of the upper and the lower margin, in their middle, mm
  using Heights = Eigen::Matrix<double, heights, 1>;

  GenericLids() = default;
  GenericLids(const Models& models, int eye);

  // Over the eyeball's centre: of the patient's lids, and of the generic ones.
  static Heights heights_of(const EyeStatics& patient, const Eigen::Ref<const VecX>& motion);
  Heights heights_at(const VecX& motion) const { return rest_mm_ + by_motion_ * motion; }

  // Motions of the generic patch whose margins are so high. Of the margins' course only what differs from `rest` is let out
  // (nothing where that has no size): it tells people apart.
  LidWeights as_high_as(const Heights& mm, const LidWeights& motion, const VecX& rest) const;
  // Of lids that both lie higher by `mm`, in their middle.
  LidWeights raised_by(double mm) const { return from_heights_ * Heights(mm, mm); }
  const LidWeights& closing() const { return closing_; }  // from the half blink to the full one

 private:
  Heights rest_mm_ = Heights::Zero();
  MatX by_motion_;     // 2 x Km
  MatX from_heights_;  // Km x 2
  MatX course_;        // Km x Km: what of a motion leaves the heights as they are
  LidWeights closing_;
};

}  // namespace dmask
