#include "detect/face_crop.hpp"

#include <algorithm>
#include <cmath>

#include "detect/face68.hpp"
#include "detect/net_sizes.hpp"

namespace dmask {
namespace {

constexpr float face_margin = 1.3f;
constexpr float eye_crop_canthi = 1.75f;
constexpr float min_eye_ratio = 0.8f;  // of the other eye's canthal distance: a turned head shortens the far eye
constexpr float min_own_axis = 0.35f;  // below this the other eye's axis is steadier

// Rows: centre x and y from the mean of the five points, log side; columns: 1, the five points, centre and size of
// YuNet's box. All turned upright and in units of the face axis. Fitted by bench/fit_yunet_crop.py: on held-out
// pictures 2.7 % (centre) and 3.4 % (size) median error.
constexpr int feature_count = 15;
constexpr float crop_regression[3][feature_count] = {
    {0.02412f, 0.04240f, -0.07530f, 0.05239f, 0.07976f, -0.49969f, 0.01105f, 0.20161f, 0.03184f, 0.20329f, -0.04736f,
     0.82734f, -0.05965f, 0.01789f, -0.03530f},
    {-0.10142f, 0.05272f, 0.03840f, -0.00468f, -0.04336f, 0.06745f, -0.10487f, -0.28576f, 0.09999f, 0.17027f, 0.00985f,
     0.04601f, 0.41163f, -0.07629f, 0.13588f},
    {-0.50257f, -0.01350f, 0.03878f, -0.01531f, 0.02098f, 0.09321f, -0.12315f, 0.08739f, -0.00534f, -0.15179f, 0.06873f,
     0.06561f, 0.21968f, 0.48805f, 0.30489f},
};

Vec2f mean_point(const FacePoints& points, int first, int last) {
  Vec2f sum = Vec2f::Zero();
  for (int i = first; i <= last; ++i) sum += Vec2f(points[i].x, points[i].y);
  return sum / static_cast<float>(last - first + 1);
}

// Rightwards through the face in the picture: between the eyes, steadied by the way down to the mouth, which remains
// when a turned head brings the eyes together.
Vec2f face_axis(const Vec2f& left_eye, const Vec2f& right_eye, const Vec2f& mouth) {
  const Vec2f down = mouth - 0.5f * (left_eye + right_eye);
  return right_eye - left_eye + Vec2f(down.y(), -down.x());
}

Vec2f turned(const Vec2f& v, float angle_rad) {
  const float c = std::cos(angle_rad), s = std::sin(angle_rad);
  return {c * v.x() - s * v.y(), s * v.x() + c * v.y()};
}

}  // namespace

float face_roll_rad(const FacePoints& points) {
  constexpr int od = face68::nose_end, os = od + 6, mouth = face68::eyes_end;  // where their points begin
  const Vec2f axis = face_axis(mean_point(points, od, os - 1), mean_point(points, os, mouth - 1),
                               mean_point(points, mouth, face68::outer_lips_end - 1));
  return std::atan2(axis.y(), axis.x());
}

Crop face_crop(const FacePoints& points) {
  Crop crop;
  crop.roll_rad = face_roll_rad(points);
  Vec2f low = Vec2f::Constant(1e30f), high = Vec2f::Constant(-1e30f);
  for (const Landmark& point : points) {
    const Vec2f p = turned({point.x, point.y}, -crop.roll_rad);
    low = low.cwiseMin(p);
    high = high.cwiseMax(p);
  }
  crop.centre = turned(0.5f * (low + high), crop.roll_rad);
  crop.width_px = face_margin * (high - low).maxCoeff();
  return crop;
}

Crop face_crop(const FaceBox& box) {
  const auto& p = box.points;
  const Vec2f axis = face_axis(p[0], p[1], 0.5f * (p[3] + p[4]));
  const float scale = std::max(axis.norm(), 1e-3f);
  Crop crop;
  crop.roll_rad = std::atan2(axis.y(), axis.x());
  const Vec2f origin = 0.2f * (p[0] + p[1] + p[2] + p[3] + p[4]);
  const auto normalised = [&](const Vec2f& v) -> Vec2f { return turned(v - origin, -crop.roll_rad) / scale; };
  Eigen::Matrix<float, feature_count, 1> features;
  features[0] = 1;
  for (int k = 0; k < 5; ++k) features.segment<2>(1 + 2 * k) = normalised(p[k]);
  features.segment<2>(11) = normalised({box.x + 0.5f * box.width, box.y + 0.5f * box.height});
  features[13] = box.width / scale;
  features[14] = box.height / scale;
  using Regression = Eigen::Matrix<float, 3, feature_count, Eigen::RowMajor>;
  const Vec3f target = Eigen::Map<const Regression>(crop_regression[0]) * features;
  crop.centre = origin + turned(target.head<2>() * scale, crop.roll_rad);
  crop.width_px = scale * std::exp(target[2]);
  return crop;
}

Crop eye_crop(const FacePoints& points, Eye eye) {
  const auto left = [&points](Eye e) { return points[e == OD ? face68::lids[e].outer : face68::lids[e].inner]; };
  const auto right = [&points](Eye e) { return points[e == OD ? face68::lids[e].inner : face68::lids[e].outer]; };
  const auto axis_of = [&](Eye e) { return Vec2f(right(e).x - left(e).x, right(e).y - left(e).y); };  // in the picture
  const Landmark from = left(eye), to = right(eye);
  const Vec2f own = axis_of(eye), other = axis_of(eye == OD ? OS : OD);
  const Vec2f axis = own.norm() < min_own_axis * other.norm() ? other : own;
  Crop crop;
  crop.width = eye_width;
  crop.height = eye_height;
  crop.centre = 0.5f * Vec2f(from.x + to.x, from.y + to.y);
  crop.roll_rad = std::atan2(axis.y(), axis.x());
  crop.width_px = std::max(2.0f, eye_crop_canthi * std::max(own.norm(), min_eye_ratio * other.norm()));
  crop.mirrored = eye == OD;
  return crop;
}

FaceBox bounding_box(const FacePoints& points, const Crop& view) {
  Vec2f low = Vec2f::Constant(1e30f), high = Vec2f::Constant(-1e30f);
  for (const Landmark& point : points) {
    const Vec2f p = view.to_crop({point.x, point.y});
    low = low.cwiseMin(p);
    high = high.cwiseMax(p);
  }
  FaceBox box;
  box.x = low.x();
  box.y = low.y();
  box.width = high.x() - low.x();
  box.height = high.y() - low.y();
  return box;
}

double interocular_px(const FacePoints& points) {
  const auto at = [&](int i) { return Vec2(points[i].x, points[i].y); };
  const auto middle = [&](Eye e) -> Vec2 { return 0.5 * (at(face68::lids[e].inner) + at(face68::lids[e].outer)); };
  const Vec2 od = middle(OD), os = middle(OS);
  return std::max({(od - os).norm(), 0.5 * (at(face68::nasion) - at(face68::chin)).norm(), 1.0});
}

float face_width_px(const FacePoints& points) { return face_crop(points).width_px / face_margin; }

}  // namespace dmask
