#include "tiny.hpp"

#include "geometry/rotation.hpp"
#include "models/eyeball.hpp"

namespace fuzz {

using namespace dmask;

const Folder& model_folder() {
  static const Folder folder;
  static const bool filled = [] {
    for (const char* name : {"face.dmm", "eyelid.dmm", "landmarks.dmm"})
      write_bytes(folder.file(name), file_bytes(seed(name)));
    for (const char* name :
         {"face68.onnx", "eyelid.onnx", "iris.onnx", "lines.onnx", "face_detection_yunet_2023mar.onnx"})
      write_bytes(folder.file(name), {0});
    return true;
  }();
  (void)filled;
  return folder;
}

const Models& models() {
  static const Models loaded = Models::load(model_folder().path(), model_folder().path());
  return loaded;
}

FrameDetection seen_face(double yaw_deg, double time_s) {
  FrameDetection d;
  d.time_s = time_s;
  d.width = 640;
  d.height = 480;
  d.face_found = true;
  d.track = 1;
  d.face_score = 0.95f;
  d.sharpness = 100;
  const Camera camera = Camera::from_hfov(d.width, d.height, 40);
  const Mat3 rotation = head_rotation({yaw_deg, 0, 0});
  const Vec3 translation = Vec3(0, 0, 600) - rotation * Vec3(0, 0, 40);
  const auto point = [&](const Vec3& head) {
    const Vec2 p = camera.project(rotation * head + translation);
    return Landmark{static_cast<float>(p.x()), static_cast<float>(p.y()), 0.95f};
  };
  const LandmarkRows& rows = models().landmark_rows;
  for (int i = 0; i < 68; ++i) d.face[i] = point(rows.rows.mean.segment<3>(3 * i).cast<double>());
  constexpr int margin = EyelidRows::margin_samples;
  for (int eye = 0; eye < 2; ++eye) {
    const EyelidRows& lids = models().eyelid_rows[eye];
    const Vec3 centre = models().eyelid[eye].centre.cast<double>();
    const auto row = [&](int r) { return point(lids.patch.segment<3>(3 * r) + centre); };
    EyeDetection& e = d.eyes[eye];
    for (int k = 0; k <= 10; ++k) e.lid[k] = row(k * (margin - 1) / 10);
    for (int k = 1; k < 10; ++k) e.lid[20 - k] = row(margin + k * (margin - 1) / 10);
    const Eyeball ball;
    for (int k = 0; k < 19; ++k) {
      const double angle = M_PI / 2 + (k - 1) * M_PI / 9, r = k == 0 ? 0 : ball.iris_radius_mm;
      e.iris[k] = point(centre + Vec3(r * std::cos(angle), r * std::sin(angle), ball.iris_plane_mm()));
    }
    const int first[] = {2 * margin, 0, margin, 2 * margin + lids.crease},
              count[] = {lids.crease, margin, margin, lids.bulge};
    for (int line = 0; line < 4; ++line)
      for (int k = 0; k < 20; ++k) e.lines[line][k] = row(first[line] + k * (count[line] - 1) / 19);
  }
  return d;
}

}  // namespace fuzz
