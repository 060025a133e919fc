// Made-up subjects with known truth, and what detectors would say about them, for the fits on a GPU.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "cuda/fits/fit_input.hpp"
#include "fit/tracker.hpp"
#include "geometry/rotation.hpp"
#include "models_dir.hpp"

namespace dmask::test {

inline const Models& loaded_models() {
  static const Models models = Models::load(models_dir(), models_dir());
  return models;
}

struct Truth {
  FacePose pose;
  std::array<VecX, 2> motion;
  std::array<Gaze, 2> gaze;
};

// Subjects and what detectors would say about them.
struct Scene {
  const Models& models = loaded_models();
  FitOptions options;
  cuda::FitSizes sizes = cuda::FitSizes::from(models);
  std::mt19937 random{11};
  std::vector<Calibration> subjects;
  std::vector<std::array<VecXf, 2>> shapes;

  Scene() {
    for (int s = 0; s < 2; ++s) add_subject();
  }
  double normal(double sigma) { return std::normal_distribution<double>(0, sigma)(random); }
  VecX normals(Eigen::Index n, double sigma) {
    VecX v(n);
    for (double& x : v) x = normal(sigma);
    return v;
  }
  void add_subject() {
    Subject subject;
    subject.identity = normals(50, 0.5);
    subject.scale = 1 + normal(0.03);
    for (int eye = 0; eye < 2; ++eye) {
      Subject::SubjectEye& e = subject.eyes[eye];
      e.shape = normals(models.eyelid[eye].shape.cols(), 0.4);
      e.offset = Vec3(normal(0.5), normal(0.5), normal(0.2));
      e.roll = normal(0.03);
      e.centre =
          subject.scale * (models.eyelid[eye].centre.cast<double>() +
                           models.eyelid[eye].centre_from_identity.leftCols(50).cast<double>() * subject.identity);
    }
    const int width = subjects.empty() ? 640 : 1920;
    subjects.push_back(calibration_of(models, subject, width, width * 9 / 16, options));
  }
  Truth truth() {
    Truth t;
    t.pose.rotation = head_rotation({normal(12), normal(7), normal(5)});
    t.pose.translation = Vec3(normal(15), normal(10), 550 + normal(30));
    t.pose.units = normals(sizes.units, 0.15).cwiseAbs().cwiseMin(0.9);
    for (int eye = 0; eye < 2; ++eye) {
      t.motion[eye] = normals(sizes.motions, 0.4);
      t.gaze[eye] = {normal(0.2), normal(0.1)};
    }
    return t;
  }
  FrameDetection detect(const Calibration& c, const Truth& t, double noise_px) {
    FrameDetection d;
    d.width = c.camera.width, d.height = c.camera.height, d.face_found = true;
    const auto see = [&](const Vec3& x, float confidence) {
      const Vec2 p = c.camera.project(t.pose.rotation * x + t.pose.translation);
      return Landmark{static_cast<float>(p.x() + normal(noise_px)), static_cast<float>(p.y() + normal(noise_px)),
                      confidence};
    };
    const std::array<int, 68> row = visible_rows(c.face, models.landmark_rows, t.pose, c.camera);
    for (int i = 0; i < 68; ++i)
      d.face[i] =
          see(c.face.neutral.segment<3>(3 * row[i]) + c.face.units.middleRows<3>(3 * row[i]) * t.pose.units, 0.9f);
    for (int eye = 0; eye < 2; ++eye) {
      const EyeStatics& s = c.eyes[eye];
      const VecX head = s.rows.patch + s.rows.motion * t.motion[eye];
      const auto at = [&](double r) {
        const int i = std::min(static_cast<int>(r), sizes.eyelid_rows - 2);
        return Vec3((1 - (r - i)) * head.segment<3>(3 * i) + (r - i) * head.segment<3>(3 * i + 3));
      };
      EyeDetection& e = d.eyes[eye];
      for (int k = 0; k <= 10; ++k) e.lid[k] = see(at(6 * k), 0.9f);
      for (int k = 1; k < 10; ++k) e.lid[20 - k] = see(at(61 + 6 * k), 0.8f);
      const int bulge = 122 + sizes.crease;
      for (int k = 0; k < 20; ++k) {
        e.lines[CREASE][k] = see(at(122 + k * (sizes.crease - 1) / 19.0), 0.9f);
        e.lines[BULGE][k] = see(at(bulge + k * (sizes.eyelid_rows - 1 - bulge) / 19.0), 0.7f);
      }
      const Mat3 frame = gaze_frame(t.gaze[eye].yaw, t.gaze[eye].pitch);
      e.reflexes[0] = see(s.centre + frame * Vec3(0, 0, c.ball.iris_plane_mm() - adult_cornea_to_limbus_mm), 1);
      for (int i = 0; i < 19; ++i) {
        const double angle = M_PI / 2 - 20 * deg * (i - 1), r = i == 0 ? 0 : c.ball.iris_radius_mm;
        e.iris[i] = see(s.centre + frame * Vec3(r * std::cos(angle), r * std::sin(angle), c.ball.iris_plane_mm()),
                        i > 0 && i < 5 ? 0.2f : 0.9f);
      }
    }
    return d;
  }
  // Noise, shut lids, an outlier, points and lines that are not seen.
  FrameDetection hard(int kind, const Calibration& c, Truth& t) {
    if (kind == 1)
      for (int eye = 0; eye < 2; ++eye)
        t.motion[eye] = models.eyelid[eye].blink_full(c.eyes[eye].shape.cast<float>()).cast<double>();
    FrameDetection d = detect(c, t, 0.002 * c.camera.width);
    if (kind == 2)
      d.face[40].x += 0.05f * static_cast<float>(c.camera.width),
          d.eyes[OD].lid[4].y -= 0.03f * static_cast<float>(c.camera.width);
    if (kind == 3) {
      for (int i = 0; i < 8; ++i) d.face[i].confidence = 0;
      for (Landmark& l : d.eyes[OS].lines[CREASE]) l.confidence = 0;
      for (Landmark& l : d.eyes[OS].lid) l.confidence = 0.1f;  // covered
    }
    return d;
  }
};

}  // namespace dmask::test
