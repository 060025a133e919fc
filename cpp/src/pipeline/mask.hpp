// The mask: what release.hpp lets out of a subject and of a frame, and how it becomes a picture.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "fit/calibration.hpp"
#include "pipeline/options.hpp"
#include "render/scene.hpp"

namespace dmask {

struct MaskEye {
  VecXf shape;                         // w_es
  Vec3f centre = Vec3f::Zero();        // eyeball centre, head frame, mm
  Vec3f patch_offset = Vec3f::Zero();  // of the patch from it, mm
  float patch_roll = 0;                // rad
  float iris_radius_mm = 5.85f;
};

// Fixed for a subject; what the track file's header holds.
struct MaskSubject {
  Profile profile = Profile::clinical;
  float hfov_deg = 40;
  float scale = 1;
  bool eyebrows = true;
  bool close_up = false;  // the skin about the eyes alone
  std::array<bool, 2> eyes_shown{true, true};
  VecXf identity;  // w_fs; zero unless article
  std::array<MaskEye, 2> eyes;
};

// One frame; a row of the track file. It holds no more than the row does, so that the mask of a frame and the mask of its
// row are the same picture.
struct MaskFrame {
  bool face = false;
  Vec3f turn = Vec3f::Zero();  // of the head from straight ahead, axis times angle, head axes, rad
  Vec3f translation = Vec3f::Zero();
  UnitWeightsF units;
  // What is shown of an eye: nothing is invented of one that was not measured.
  enum class EyeLook {
    lids = 0,    // lids over a dull grey globe: no gaze was measured
    iris = 1,    // lids, globe and iris
    covered = 2  // a grey shield
  };
  struct EyeState {
    EyeLook look = EyeLook::covered;
    float yaw = 0, pitch = 0;  // rad
    LidWeightsF motion;        // w_em
  };
  std::array<EyeState, 2> eyes;

  Mat3f rotation() const;  // head axes to camera axes
  void turn_to(const Mat3f& rotation);

  static int row_size(int units, int motions) { return 7 + units + 2 * (3 + motions); }
  std::vector<float> to_row() const;
  float* write_row(float* row) const;  // the same, to row_size() numbers; returns their end
  static MaskFrame from_row(const float* row, int units, int motions);
};

struct MaskMesh;

// Turns frames of one subject into pictures. Everything that does not change is prepared once.
class Painter {
 public:
  virtual ~Painter() = default;
  // Without a face: the plain background. Throws Error for a frame made with other models.
  virtual void paint(const MaskFrame& frame, int width, int height, Image& out) = 0;
  // Vertices of the last painted face, camera frame, mm.
  virtual const Points3f& vertices() = 0;
};

// On the CPU.
class MaskPainter final : public Painter {
 public:
  MaskPainter(const Models& models, const MaskSubject& subject);
  ~MaskPainter() override;
  void paint(const MaskFrame& frame, int width, int height, Image& out) override;
  const Points3f& vertices() override { return camera_vertices_; }

 private:
  std::unique_ptr<const MaskMesh> mesh_;
  VecXf head_;   // 3N, head frame
  VecXf local_;  // 3V
  Points3f camera_vertices_;
  Renderer renderer_;
};

void paint_background(int width, int height, Image& out);

}  // namespace dmask
