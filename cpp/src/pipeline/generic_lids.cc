#include "pipeline/generic_lids.hpp"

#include <Eigen/Cholesky>

#include "fit/calibration_stages.hpp"

namespace dmask {
namespace {

constexpr double height_sigma_mm = 0.1;  // against motions of N(0, 1): heights may differ by as much

// The row of y in the middle of a margin, the upper one first.
constexpr int row_of(int margin) {
  return 3 * (margin * EyelidRows::margin_samples + EyelidRows::margin_samples / 2) + 1;
}

}  // namespace

GenericLids::GenericLids(const Models& models, int eye)
    : closing_(closing_of(models.eyelid[eye], VecX::Zero(models.eyelid[eye].shape.cols()))) {
  const EyelidRows& rows = models.eyelid_rows[eye];
  by_motion_.resize(heights, rows.motion.cols());
  for (int k = 0; k < heights; ++k) {
    rest_mm_[k] = rows.patch[row_of(k)];
    by_motion_.row(k) = rows.motion.row(row_of(k));
  }
  MatX spread = by_motion_ * by_motion_.transpose();
  spread.diagonal().array() += height_sigma_mm * height_sigma_mm;
  from_heights_ = by_motion_.transpose() * spread.llt().solve(MatX::Identity(heights, heights));
  course_ = MatX::Identity(rows.motion.cols(), rows.motion.cols()) - from_heights_ * by_motion_;
}

GenericLids::Heights GenericLids::heights_of(const EyeStatics& patient, const Eigen::Ref<const VecX>& motion) {
  Heights y;
  for (int k = 0; k < heights; ++k) {
    const int row = row_of(k);
    y[k] = patient.rows.patch[row] + patient.rows.motion.row(row).dot(motion) - patient.centre.y();
  }
  return y;
}

LidWeights GenericLids::as_high_as(const Heights& mm, const LidWeights& motion, const VecX& rest) const {
  LidWeights shown = from_heights_ * (mm - rest_mm_);
  if (rest.size() == 0) return shown;
  const LidWeights moved = motion - rest;
  shown.noalias() += course_ * moved;  // a temporary would be an allocation
  return shown;
}

}  // namespace dmask
