// Vector types. Lengths are millimetres, angles radians unless a name says otherwise.
#pragma once

#include <Eigen/Core>

#include "geometry/eye.hpp"

namespace dmask {

using Vec2f = Eigen::Vector2f;
using Vec3f = Eigen::Vector3f;
using Mat3f = Eigen::Matrix3f;
using Vec2 = Eigen::Vector2d;
using Vec3 = Eigen::Vector3d;
using Mat3 = Eigen::Matrix3d;
using Vec3i = Eigen::Vector3i;
using VecX = Eigen::VectorXd;
using MatX = Eigen::MatrixXd;
using VecXf = Eigen::VectorXf;

// N x 3 rows in memory, as numpy has them.
using Points3f = Eigen::Matrix<float, Eigen::Dynamic, 3, Eigen::RowMajor>;
using Triangles = Eigen::Matrix<int, Eigen::Dynamic, 3, Eigen::RowMajor>;

}  // namespace dmask
