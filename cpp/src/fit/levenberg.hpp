// One damped Gauss-Newton loop for all fits.
//
// A problem offers
//   using State;                        what is estimated
//   int size() const;                   length of a step
//   void match(const State&);           correspondences, held fixed until the next call
//   void residuals(const State&, VecX& r, RowsX* jacobian) const;
//                                       whitened 2-D residuals, stacked; jacobian: rows x size(), or null
//   double prior(const State&, VecX* gradient, VecX* curvature) const;
//                                       quadratic priors: returns half their sum of squares and adds to both
//   void plus(const State&, const VecX& step, State& out) const;
//   void active(const State&, const VecX& gradient, std::vector<char>& fixed) const;
//                                       marks unknowns held at a bound
// The tests difference the same residuals() that the solver uses.
#pragma once

#include <Eigen/Cholesky>
#include <cmath>
#include <utility>
#include <vector>

#include "fit/rows.hpp"

namespace dmask {

struct LevenbergOptions {
  int max_iterations = 10;
  double damping = 1e-4;         // start, relative to the diagonal
  double step_tolerance = 1e-4;  // largest |step| at which it stops, units of the state
  double gain_tolerance = 0;     // decrease of the cost below which it stops too
  double robust_scale = 3.0;     // pseudo-Huber, in standard deviations of a 2-D residual
};

struct LevenbergStats {
  int iterations = 0;
  double initial_cost = 0, cost = 0;
  bool converged = false;
};

struct LevenbergWorkspace {
  VecX r, gradient, curvature, step, trial_r;
  RowsX jacobian;
  MatX hessian, damped;
  std::vector<char> fixed;
};

// One quadratic prior on one unknown: returns half its square; adds slope and curvature where they are asked for.
inline double prior_term(double value, double mean, double sigma, int at, VecX* gradient, VecX* curvature) {
  const double e = (value - mean) / sigma;
  if (gradient) {
    (*gradient)[at] += e / sigma;
    (*curvature)[at] += 1 / (sigma * sigma);
  }
  return 0.5 * e * e;
}

// Half the robust sum of squares over 2-D residuals.
inline double robust_cost(const VecX& r, double scale) {
  const double c2 = scale * scale;
  double cost = 0;
  for (Eigen::Index i = 0; i + 1 < r.size(); i += 2) {
    const double q2 = r[i] * r[i] + r[i + 1] * r[i + 1];
    cost += c2 * (std::sqrt(1 + q2 / c2) - 1);
  }
  return cost;
}

// `trial` is scratch. With the same workspace, trial and sizes as before nothing is allocated.
template <class Problem>
LevenbergStats levenberg(Problem& problem, typename Problem::State& state, typename Problem::State& trial,
                         const LevenbergOptions& options, LevenbergWorkspace& w) {
  LevenbergStats stats;
  double damping = options.damping;
  const int n = problem.size();
  for (int k = 0; k < options.max_iterations; ++k) {
    problem.match(state);
    problem.residuals(state, w.r, &w.jacobian);
    const double c2 = options.robust_scale * options.robust_scale;
    double cost = robust_cost(w.r, options.robust_scale);
    for (Eigen::Index i = 0; i + 1 < w.r.size(); i += 2) {
      const double q2 = w.r[i] * w.r[i] + w.r[i + 1] * w.r[i + 1];
      const double root_weight = 1 / std::sqrt(std::sqrt(1 + q2 / c2));
      w.r.segment<2>(i) *= root_weight;
      w.jacobian.middleRows<2>(i) *= root_weight;
    }
    w.gradient.noalias() = w.jacobian.transpose() * w.r;
    w.curvature.setZero(n);
    cost += problem.prior(state, &w.gradient, &w.curvature);
    if (k == 0) stats.initial_cost = cost;
    stats.cost = cost;
    ++stats.iterations;

    w.hessian.setZero(n, n);
    w.hessian.template selfadjointView<Eigen::Lower>().rankUpdate(w.jacobian.transpose());
    w.hessian.diagonal() += w.curvature;
    w.fixed.assign(n, 0);
    problem.active(state, w.gradient, w.fixed);
    for (int i = 0; i < n; ++i) {
      if (!w.fixed[i]) continue;
      w.hessian.row(i).head(i).setZero();
      w.hessian.col(i).tail(n - i).setZero();
      w.hessian(i, i) = 1;
      w.gradient[i] = 0;
    }

    bool better = false;
    for (int attempt = 0; attempt < 8 && !better; ++attempt) {
      w.damped = w.hessian;
      w.damped.diagonal() *= 1 + damping;
      w.damped.diagonal().array() += 1e-12;
      Eigen::LLT<Eigen::Ref<MatX>> cholesky(w.damped);
      if (cholesky.info() == Eigen::Success) {
        w.step = -w.gradient;
        cholesky.solveInPlace(w.step);
        problem.plus(state, w.step, trial);
        problem.residuals(trial, w.trial_r, nullptr);
        const double trial_cost = robust_cost(w.trial_r, options.robust_scale) + problem.prior(trial, nullptr, nullptr);
        if (trial_cost < cost || w.step.cwiseAbs().maxCoeff() < options.step_tolerance) {
          better = trial_cost <= cost;
          if (better) {
            std::swap(state, trial);
            stats.cost = trial_cost;
          } else {
            stats.converged = true;
          }
          break;
        }
      }
      damping = std::max(damping * 8, 1e-3);
    }
    if (better) damping = std::max(damping / 4, 1e-6);
    // A step gains a small part of what the one before it has gained.
    const bool small = w.step.cwiseAbs().maxCoeff() < options.step_tolerance;
    if (!better || small || cost - stats.cost < options.gain_tolerance) {
      stats.converged = true;
      break;
    }
  }
  return stats;
}

template <class Problem>
LevenbergStats levenberg(Problem& problem, typename Problem::State& state, const LevenbergOptions& options,
                         LevenbergWorkspace& w) {
  typename Problem::State trial;
  return levenberg(problem, state, trial, options, w);
}

}  // namespace dmask
