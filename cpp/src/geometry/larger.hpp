// The worst of many differences, for comparisons with a limit.
#pragma once

#include <Eigen/Core>
#include <cmath>

namespace dmask {

// std::max and std::fmax pass over what is not a number. This keeps it, and every limit refuses it.
inline double larger(double a, double b) { return a > b || std::isnan(a) ? a : b; }

// The largest entry of |a - b|.
template <class A, class B>
double largest_difference(const Eigen::MatrixBase<A>& a, const Eigen::MatrixBase<B>& b) {
  return static_cast<double>((a - b).cwiseAbs().template maxCoeff<Eigen::PropagateNaN>());
}

}  // namespace dmask
