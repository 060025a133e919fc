// A subject's skin as it is drawn: the dense face with its eyelid patches, prepared once and posed each frame.
#pragma once

#include <array>
#include <vector>

#include "geometry/camera.hpp"
#include "models/face_model.hpp"
#include "pipeline/mask.hpp"
#include "pipeline/mask_shape.hpp"
#include "render/scene.hpp"

namespace dmask {

// Motion units by what they move: of each only the blocks of rows that it changes, for most of a face stands still.
struct UnitBlocks {
  static constexpr int block_rows = 24;     // eight vertices
  static constexpr float least_mm = 1e-4f;  // blocks that move less are left out
  std::vector<int> first_block;             // of each unit, and the end of the last
  std::vector<int> first_row;               // of each block
  std::vector<Eigen::Matrix<float, block_rows, 1>> moved_mm;

  static UnitBlocks from(const Eigen::MatrixXf& units);  // 3N x M
  void add(int unit, float weight, VecXf& head) const;
};

struct MaskMesh {
  MaskMesh(const Models& models, const MaskSubject& subject);  // throws Error when they do not belong together

  struct EyePatch {
    VecXf base;                    // 3V template with the subject's shape
    Eigen::MatrixXf motion;        // 3V x Km
    Eigen::MatrixXf brow;          // 3V x brow units, Eqs. (23, 24)
    VecXf blend;                   // V: 1 patch .. 0 face
    std::vector<int> vertex;       // V: where each vertex goes in the mesh; those of the face come first there
    std::vector<char> on_globe;    // V: skin that has to stay outside the globe
    std::vector<char> inner_edge;  // V: the lids' innermost vertices, inside it
  };
  MaskSubject subject;
  SubjectFace face;
  UnitBlocks unit_blocks;           // of face.units
  std::array<EyePatch, 2> patches;  // OD, OS
  std::vector<int> brow_units;
  Triangles triangles;
  Points3f albedo;

  int face_vertices() const { return static_cast<int>(face.neutral.size() / 3); }
  int vertices() const { return static_cast<int>(albedo.rows()); }
  void check_frame(const MaskFrame& frame) const;  // throws Error when it was made with other models

  // Vertices in the camera frame, mm; `head` and `local` are room for what comes before.
  void pose(const MaskFrame& frame, VecXf& head, VecXf& local, Points3f& camera) const;
};

// Where a frame's eyeballs are and look, camera frame.
std::array<Globe, 2> mask_globes(const MaskSubject& subject, const MaskFrame& frame);

}  // namespace dmask
