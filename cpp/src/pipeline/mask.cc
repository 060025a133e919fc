#include "pipeline/mask.hpp"

#include <algorithm>
#include <cmath>

#include "geometry/check.hpp"
#include "geometry/rotation.hpp"
#include "pipeline/eye_window.hpp"
#include "pipeline/mask_mesh.hpp"

namespace dmask {

Mat3f MaskFrame::rotation() const { return (frontal() * exp_so3(turn.cast<double>())).cast<float>(); }

void MaskFrame::turn_to(const Mat3f& rotation) {
  turn = log_so3((frontal() * rotation.cast<double>()).eval()).cast<float>();
}

float* MaskFrame::write_row(float* row) const {
  *row++ = face ? 1.0f : 0.0f;
  for (int a = 0; a < 3; ++a) *row++ = turn[a];
  for (int a = 0; a < 3; ++a) *row++ = translation[a];
  row = std::copy_n(units.data(), units.size(), row);
  for (const EyeState& e : eyes) {
    *row++ = static_cast<float>(e.look);
    *row++ = e.yaw;
    *row++ = e.pitch;
    row = std::copy_n(e.motion.data(), e.motion.size(), row);
  }
  return row;
}

std::vector<float> MaskFrame::to_row() const {
  std::vector<float> row(row_size(static_cast<int>(units.size()), static_cast<int>(eyes[OD].motion.size())));
  write_row(row.data());
  return row;
}

MaskFrame MaskFrame::from_row(const float* row, int units, int motions) {
  MaskFrame frame;
  for (int i = 0; i < row_size(units, motions); ++i)
    check(std::isfinite(row[i]), "the track holds a number that is not finite: the file is damaged");
  frame.face = *row++ > 0.5f;
  frame.turn = {row[0], row[1], row[2]};
  frame.translation = {row[3], row[4], row[5]};
  row += 6;
  frame.units = Eigen::Map<const VecXf>(row, units);
  row += units;
  for (EyeState& e : frame.eyes) {
    check(row[0] == 0 || row[0] == 1 || row[0] == 2,
          "the track shows an eye in the way " + std::to_string(row[0]) + ", expected 0, 1 or 2: the file is damaged");
    e.look = static_cast<EyeLook>(static_cast<int>(row[0]));
    e.yaw = row[1];
    e.pitch = row[2];
    e.motion = Eigen::Map<const VecXf>(row + 3, motions);
    row += 3 + motions;
  }
  return frame;
}

MaskPainter::MaskPainter(const Models& models, const MaskSubject& subject)
    : mesh_(std::make_unique<MaskMesh>(models, subject)) {
  camera_vertices_.setZero(mesh_->vertices(), 3);
}
MaskPainter::~MaskPainter() = default;

void MaskPainter::paint(const MaskFrame& frame, int width, int height, Image& out) {
  if (!frame.face) return paint_background(width, height, out);
  mesh_->check_frame(frame);
  mesh_->pose(frame, head_, local_, camera_vertices_);
  MaskScene scene;
  scene.camera = Camera::from_hfov(width, height, mesh_->subject.hfov_deg);
  scene.vertices = &camera_vertices_;
  scene.triangles = &mesh_->triangles;
  scene.albedo = &mesh_->albedo;
  scene.globes = mask_globes(mesh_->subject, frame);
  renderer_.render(scene, RenderStyle{}, out);
  cut_windows(mesh_->subject, frame, out);
}

void paint_background(int width, int height, Image& out) {
  check_camera(Camera::from_hfov(width, height, 40));
  out.resize(width, height);
  for (std::size_t i = 0; i < out.bgr.size(); ++i) out.bgr[i] = RenderStyle{}.background_bgr[i % 3];
}

}  // namespace dmask
