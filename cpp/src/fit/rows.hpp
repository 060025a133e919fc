// What the fits read and write a landmark at a time: matrices whose rows lie together in memory.
#pragma once

#include "geometry/types.hpp"

namespace dmask {

using RowsX = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace dmask
