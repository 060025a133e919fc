// Linear eyelid patch of one eye, Eq. (5): M_e = M_e0 + sum w_es M_es + sum w_em M_em, in the frame of its
// eyeball (mm, head axes). Stored for OS; OD is its mirror image.
#pragma once

#include <string>
#include <vector>

#include "geometry/types.hpp"

namespace dmask {

// Weights of the lid motion w_em, without the heap. load() refuses a larger model.
inline constexpr int max_lid_motions = 32;
using LidWeights = Eigen::Matrix<double, Eigen::Dynamic, 1, 0, max_lid_motions, 1>;
using LidWeightsF = Eigen::Matrix<float, Eigen::Dynamic, 1, 0, max_lid_motions, 1>;

class FaceModel;

struct EyelidModel {
  VecXf patch;             // 3V template, mm
  Eigen::MatrixXf shape;   // 3V x Ks, w_es ~ N(0,1)
  Eigen::MatrixXf motion;  // 3V x Km, w_em ~ N(0,1)
  Triangles triangles;
  std::vector<int> face_vertex;  // V: the face vertex replaced, -1 for added ones
  VecXf blend;                   // V: 1 patch .. 0 face
  std::vector<char> inner_edge;  // V: the lids' innermost vertices, inside the globe: they close every slit
  VecXf brow_region;             // V: 0..1
  Points3f albedo;               // V x 3 BGR
  std::vector<int> upper_margin, lower_margin, crease, bulge;  // vertex chains from inner to outer
  Vec3f centre = Vec3f::Zero();                                // mean eyeball centre, head frame, mm
  Eigen::MatrixXf centre_from_identity;                        // 3 x K
  std::vector<std::string> named_motion_names;
  Eigen::MatrixXf named_in_motion;                              // Km x Kn
  Eigen::MatrixXf blink_mid_from_shape, blink_full_from_shape;  // Km x Ks: what a blink needs more for a shape

  int vertices() const { return static_cast<int>(blend.size()); }
  // Half and full blink of a subject with eyelid shape w_es (Ks).
  VecXf blink_mid(const VecXf& w_es) const { return named("blink_mid") + blink_mid_from_shape * w_es; }
  VecXf blink_full(const VecXf& w_es) const { return named("blink_full") + blink_full_from_shape * w_es; }
  VecXf named(const std::string& name) const;  // its motion weights (Km); throws Error when there is none

  static EyelidModel load(const std::string& path, Eye eye);
  // Throws Error, naming `path`, unless this patch belongs to that face.
  void check_with(const FaceModel& face, const std::string& path) const;
};

}  // namespace dmask
