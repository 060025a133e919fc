// The models of face and eyelids, and which of their points the fits look at.
#pragma once

#include <array>
#include <string>

#include "fit/eyelid_problem.hpp"
#include "fit/face_problem.hpp"
#include "models/eyelid_model.hpp"
#include "models/face_model.hpp"

namespace dmask {

struct Models {
  FaceModel face;
  std::array<EyelidModel, 2> eyelid;  // OD, OS
  LandmarkRows landmark_rows;
  std::array<EyelidRows, 2> eyelid_rows;

  // Throws Error when a file is missing or is not what is expected.
  static Models load(const std::string& directory, const std::string& nets_directory);
};

}  // namespace dmask
