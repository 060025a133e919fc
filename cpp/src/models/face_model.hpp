// Bilinear face, Eq. (1): M_f = C x2 [1; w_fs] x3 [1; w_fm], with the core kept in factored form
// (mean, identity modes, motion units, and a low-rank identity-dependent part of the units).
#pragma once

#include <array>
#include <string>
#include <vector>

#include "geometry/types.hpp"
#include "models/container.hpp"

namespace dmask {

// Weights of the motion units, without the heap: they are copied many times a frame. load() refuses a larger model.
inline constexpr int max_units = 64;
using UnitWeights = Eigen::Matrix<double, Eigen::Dynamic, 1, 0, max_units, 1>;
using UnitWeightsF = Eigen::Matrix<float, Eigen::Dynamic, 1, 0, max_units, 1>;

// Any set of the model's vertices, as f32 blocks of (vertices * 3).
struct FaceRows {
  VecXf mean;                   // 3R
  Eigen::MatrixXf identity;     // 3R x K
  Eigen::MatrixXf units;        // 3R x M
  Eigen::MatrixXf interaction;  // 3R x P
};

// A subject's own blendshapes: identity contracted, never touched again per frame.
struct SubjectFace {
  VecXf neutral;          // 3R, mm
  Eigen::MatrixXf units;  // 3R x M, mm
};

// The model as it is stored: f32 = step * i16, modes one after the other.
struct FaceArrays {
  const float* mean;                                          // 3V
  const std::int16_t *identity, *units, *interaction;         // K x 3V, M x 3V, P x 3V
  const float *identity_step, *unit_step, *interaction_step;  // K, M, P
  const float* interaction_coef;                              // K x M x P
  int interactions;                                           // P
};

class FaceModel {
 public:
  static FaceModel load(const std::string& path);

  int vertices() const { return vertices_; }
  int identities() const { return identities_; }
  int units() const { return static_cast<int>(unit_names_.size()); }
  int unit(const std::string& name) const;  // throws Error when there is none
  const std::vector<std::string>& unit_names() const { return unit_names_; }
  const std::array<int, 68>& landmarks() const { return landmarks_; }
  const Eigen::MatrixXi& contour_rows() const { return contour_rows_; }  // 17 x C, nearest first
  const Triangles& triangles() const { return triangles_; }
  const Points3f& albedo() const { return albedo_; }

  FaceRows rows(const std::vector<int>& vertices) const;
  // Coefficients of the interaction modes, P x M, for identity w_fs (K).
  Eigen::MatrixXf interaction_weights(const VecXf& w_fs) const;
  // How they change with w_fs when the units stand at w_fm: P x K.
  Eigen::MatrixXf interaction_slopes(const VecXf& w_fm, int identities) const;
  SubjectFace contract(const FaceRows& rows, const VecXf& w_fs) const;
  SubjectFace contract(const VecXf& w_fs) const;  // every vertex
  FaceArrays arrays() const {
    return {mean_,      identity_q_,       unit_q_,           interaction_q_, identity_step_,
            unit_step_, interaction_step_, interaction_coef_, interactions_};
  }

 private:
  Container file_;
  int vertices_ = 0, identities_ = 0, interactions_ = 0;
  std::vector<std::string> unit_names_;
  std::array<int, 68> landmarks_{};
  Eigen::MatrixXi contour_rows_;
  Triangles triangles_;
  Points3f albedo_;
  const float* mean_ = nullptr;
  const std::int16_t *identity_q_ = nullptr, *unit_q_ = nullptr, *interaction_q_ = nullptr;
  const float *identity_step_ = nullptr, *unit_step_ = nullptr, *interaction_step_ = nullptr;
  const float* interaction_coef_ = nullptr;  // K x M x P
};

}  // namespace dmask
