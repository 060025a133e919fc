#include "fit/close_up.hpp"

#include <cmath>
#include <complex>
#include <vector>

#include "fit/calibration_stages.hpp"
#include "geometry/rotation.hpp"

namespace dmask {
namespace {

using Complex = std::complex<double>;  // x right, y down

struct Pair {
  Vec3 head_mm;
  Complex picture_px;
};

Complex flat(const Vec3& head) { return {head.x(), -head.y()}; }
Complex flat(const Landmark& p) { return {p.x, p.y}; }

// The mean face's canthi against those in the picture, of the eyes that are there.
std::vector<Pair> canthi(const Models& models, const FrameDetection& detection) {
  constexpr int last = EyelidRows::margin_samples - 1;
  std::vector<Pair> pairs;
  for (int eye = 0; eye < 2; ++eye) {
    if (!detection.eyes_in_view[eye]) continue;
    const Vec3 centre = model_centre(models.eyelid[eye], VecX::Zero(0), 1);
    const VecX& patch = models.eyelid_rows[eye].patch;
    const auto& lid = detection.eyes[eye].lid;
    pairs.push_back({centre + patch.segment<3>(0), flat(lid[0])});
    pairs.push_back({centre + patch.segment<3>(3 * last), flat(lid[10])});
  }
  return pairs;
}

// Of the polygon through the rim's points.
double area(const std::array<Landmark, 19>& points) {
  double twice = 0;
  for (int k = 1; k < 19; ++k) {
    const Landmark &a = points[k], &b = points[k == 18 ? 1 : k + 1];
    twice += static_cast<double>(a.x) * b.y - static_cast<double>(b.x) * a.y;
  }
  return 0.5 * std::abs(twice);
}

}  // namespace

FrameDetection with_mean_face(const Models& models, FrameDetection detection) {
  if (!detection.close_up || detection.face_found) return detection;
  const std::vector<Pair> pairs = canthi(models, detection);
  if (pairs.empty()) return detection;
  Vec3 middle_mm = Vec3::Zero();
  Complex middle_px = 0;
  const double share = 1 / static_cast<double>(pairs.size());
  for (const Pair& p : pairs) middle_mm += share * p.head_mm, middle_px += share * p.picture_px;
  Complex product = 0;
  double norm = 0;
  for (const Pair& p : pairs) {
    const Complex away = flat(p.head_mm - middle_mm);
    product += std::conj(away) * (p.picture_px - middle_px);
    norm += std::norm(away);
  }
  const Complex similarity = product / norm;  // scale and turn, by least squares
  if (!(std::abs(similarity) > 0)) return detection;

  const Camera camera = Camera::from_hfov(detection.width, detection.height, close_up_hfov_deg);
  const Mat3 rotation = head_rotation({0, 0, -std::arg(similarity) / deg});
  const double depth_mm = camera.focal_px / std::abs(similarity);
  const Vec3 place_mm((middle_px.real() - camera.cx) / std::abs(similarity),
                      (middle_px.imag() - camera.cy) / std::abs(similarity), depth_mm);
  for (int i = 0; i < 68; ++i) {
    const Vec3 head_mm = models.landmark_rows.rows.mean.segment<3>(3 * i).cast<double>();
    const Vec2 at = camera.project(rotation * (head_mm - middle_mm) + place_mm);
    detection.face[i] = {static_cast<float>(at.x()), static_cast<float>(at.y()), 1.0f};
  }
  detection.face_found = true;
  return detection;
}

double pupil_mm(const EyeDetection& eye, double iris_radius_mm) {
  constexpr float least_confidence = 0.5f;
  if (!(eye.pupil[0].confidence >= least_confidence)) return NAN;
  const double ratio = std::sqrt(area(eye.pupil) / area(eye.iris));
  return ratio > 0 && ratio < 1 ? 2 * iris_radius_mm * ratio : NAN;
}

}  // namespace dmask
