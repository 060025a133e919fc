#include "detect/eye_regions.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "detect/heatmap.hpp"
#include "detect/limbus.hpp"

namespace dmask {
namespace {

constexpr int columns = regions_width, rows = regions_height;
constexpr float crop_canthi = 1.75f;  // as eye_crop() has it
constexpr float step_px = 0.5f;       // of a walk through a map
constexpr float most_moved = 0.12f;   // of the width between the canthi: how far a margin's point may go
constexpr float most_gap_px = 4.0f;   // of a reflex or a lash, which ends no opening
constexpr float behind_px = 3.0f;     // a limbus is seen where there is globe behind it
constexpr int rim_points = 18;
constexpr int least_rim = 5;  // points of a rim in sight that tell an ellipse
constexpr float least_pupil_px2 = 48.0f;

float at(const float* map, const Vec2f& px) {
  const float x = std::clamp(px.x(), 0.0f, static_cast<float>(columns - 1));
  const float y = std::clamp(px.y(), 0.0f, static_cast<float>(rows - 1));
  const int i = std::min(static_cast<int>(x), columns - 2), j = std::min(static_cast<int>(y), rows - 2);
  const float a = x - static_cast<float>(i), b = y - static_cast<float>(j);
  const float* p = map + j * columns + i;
  const float top = p[0] + (p[1] - p[0]) * a, bottom = p[columns] + (p[columns + 1] - p[columns]) * a;
  return top + (bottom - top) * b;
}

bool inside(const Vec2f& px) { return px.x() >= 0 && px.y() >= 0 && px.x() <= columns - 1 && px.y() <= rows - 1; }

Vec2f point(const Landmark& p) { return {p.x, p.y}; }

void put(Landmark& to, const Vec2f& p, float confidence) { to = {p.x(), p.y(), confidence}; }

Vec2f in_crop(const RegionMaps& maps, const Landmark& p) { return maps.crop.to_crop(point(p)); }
Vec2f in_frame(const RegionMaps& maps, const Vec2f& px) { return maps.crop.to_frame(px.x(), px.y()); }

// ---- Lids.

struct Opening {
  float from = 0, to = 0;  // along the walk, where the globe begins and ends
  float surely = 0;        // mean probability in between
  bool found = false;
};

// The longest way through globe along a line; reflexes and lashes do not end it.
Opening opening_along(const float* globe, const Vec2f& start, const Vec2f& direction, float length) {
  Opening best, now;
  float last_inside = 0, before = -1e3f, sum = 0;
  int count = 0;
  const auto close = [&] {
    if (!now.found) return;
    now.to = last_inside;
    now.surely = sum / static_cast<float>(std::max(count, 1));
    if (!best.found || now.to - now.from > best.to - best.from) best = now;
    now = {};
    sum = 0;
    count = 0;
  };
  for (float s = 0; s <= length; s += step_px) {
    const Vec2f p = start + s * direction;
    const float value = inside(p) ? at(globe, p) : -1e3f;
    if (value > 0) {
      if (!now.found) {
        now.found = true;
        now.from = s - (before > -1e2f ? step_px * value / (value - before) : 0);
      }
      last_inside = s;
      sum += sigmoid(value);
      ++count;
    } else {
      if (now.found && before > 0) last_inside = s - step_px * value / std::min(value - before, -1e-6f);
      if (now.found && s - last_inside > most_gap_px) close();
    }
    before = value;
  }
  close();
  return best;
}

// Lines across an eye, from brow to cheek, each by its place between the canthi.
struct Across {
  Vec2f inner = Vec2f::Zero(), along = Vec2f::Zero(), down = Vec2f::Zero();  // px of the crop; unit vectors
  float width = 0, reach = 0;

  static Across of(const RegionMaps& maps, const EyeDetection& eye) {
    Across a;
    a.inner = in_crop(maps, eye.lid[0]);
    const Vec2f outer = in_crop(maps, eye.lid[10]);
    a.width = (outer - a.inner).norm();
    a.along = (outer - a.inner) / a.width;
    a.down = {-a.along.y(), a.along.x()};
    if (a.down.dot(in_crop(maps, eye.lid[15]) - in_crop(maps, eye.lid[5])) < 0) a.down = -a.down;
    a.reach = 0.6f * a.width;
    return a;
  }
  Vec2f foot(float x) const { return inner + x * along; }
  Vec2f at(float x, float walked) const { return foot(x) + (walked - reach) * down; }
  Opening opening(const float* globe, float x) const {
    return opening_along(globe, foot(x) - reach * down, down, 2 * reach);
  }
};

void take_margins(const RegionMaps& maps, const Across& across, EyeDetection& eye) {
  for (int k = 1; k < 20; ++k) {
    if (k == 10) continue;
    Landmark& margin = eye.lid[k];
    const Vec2f before = in_crop(maps, margin);
    const float x = (before - across.inner).dot(across.along);
    const Opening opening = across.opening(maps.globe, x);
    if (!opening.found) continue;
    const Vec2f border = across.at(x, k < 10 ? opening.from : opening.to);
    if ((border - before).norm() > most_moved * across.width) continue;
    put(margin, in_frame(maps, border), std::max(margin.confidence, opening.surely));
  }
}

void take_globe(const RegionMaps& maps, const Across& across, EyeDetection& eye) {
  constexpr int lid_points = 20;
  constexpr float beyond = 0.2f;      // of the width, on either side of the canthi
  constexpr float most_break = 0.1f;  // of the width, without globe between two parts of it
  // The longest stretch of lines that cross the globe.
  float from = 0, to = 0, now_from = 0, now_to = 0;
  bool inside_now = false;
  for (float x = -beyond * across.width; x <= (1 + beyond) * across.width; x += 4 * step_px) {
    if (!across.opening(maps.globe, x).found) continue;
    if (!inside_now || x - now_to > most_break * across.width) now_from = x;
    inside_now = true;
    now_to = x;
    if (now_to - now_from > to - from) from = now_from, to = now_to;
  }
  if (!(to > from)) return;
  for (int k = 0; k < lid_points; ++k) {
    const float x = from + (to - from) * static_cast<float>(k) / (lid_points - 1);
    Opening opening = across.opening(maps.globe, x);
    if (!opening.found) continue;
    put(eye.globe[k], in_frame(maps, across.at(x, opening.from)), opening.surely);
    put(eye.globe[2 * lid_points - 1 - k], in_frame(maps, across.at(x, opening.to)), opening.surely);
  }
  // A line that met no globe lies between two that did.
  for (int k = 1; k < 2 * lid_points; ++k)
    if (eye.globe[k].confidence == 0) eye.globe[k] = eye.globe[k - 1];
}

// ---- Rims of iris and pupil.

// r(angle) = r + a cos 2 angle + b sin 2 angle about a centre: an ellipse that is nearly a circle.
struct Rim {
  Vec2f centre = Vec2f::Zero();
  float radius = 0, a = 0, b = 0;

  float at(float angle) const { return radius + a * std::cos(2 * angle) + b * std::sin(2 * angle); }
  Vec2f point(float angle) const { return centre + at(angle) * Vec2f(std::cos(angle), std::sin(angle)); }
};

float angle_of(int k) { return static_cast<float>(M_PI) * (2.0f * static_cast<float>(k) / rim_points - 0.5f); }

struct RimSight {
  std::array<float, rim_points> away{};  // of the border seen, from the rim
  std::array<bool, rim_points> seen{};
  int count = 0;
};

// Where the map ends along the rays of a rim, if `behind` goes on there.
RimSight borders_of(const float* map, const float* behind, const Rim& rim) {
  RimSight sight;
  for (int k = 0; k < rim_points; ++k) {
    const float angle = angle_of(k), expected = rim.at(angle);
    const Vec2f ray(std::cos(angle), std::sin(angle));
    float before = -1, border = -1;
    for (float r = 0.4f * expected; r <= 1.5f * expected + 4; r += step_px) {
      const Vec2f p = rim.centre + r * ray;
      if (!inside(p)) break;
      const float value = at(map, p);
      if (before > 0 && value <= 0) border = r - step_px * value / (value - before);
      before = value;
    }
    if (border < 0) continue;
    const Vec2f beyond = rim.centre + (border + behind_px) * ray, just = rim.centre + border * ray;
    if (!inside(beyond) || at(behind, beyond) <= 0 || at(behind, just) <= 0) continue;
    sight.away[k] = border - expected;
    sight.seen[k] = true;
    ++sight.count;
  }
  return sight;
}

// Least squares towards the borders that are seen; a few of them move the rim little.
bool fit_rim(const float* map, const float* behind, Rim& rim, RimSight& sight) {
  using Vec5 = Eigen::Matrix<float, 5, 1>;
  using Mat5 = Eigen::Matrix<float, 5, 5>;
  constexpr int passes = 4;
  constexpr float seen_sd = 1.2f;  // px
  for (int pass = 0; pass < passes; ++pass) {
    sight = borders_of(map, behind, rim);
    if (sight.count < least_rim) return false;
    const float r = rim.radius;
    Vec5 sd;
    sd << 0.2f * r, 0.2f * r, 0.2f * r, 0.05f * r, 0.05f * r;
    Mat5 normal = sd.cwiseInverse().cwiseAbs2().asDiagonal();
    Vec5 right = Vec5::Zero();
    right[3] = -rim.a / (sd[3] * sd[3]);
    right[4] = -rim.b / (sd[4] * sd[4]);
    const float tolerance = pass == 0 ? 1e9f : std::max(3.0f, 0.12f * r);
    for (int k = 0; k < rim_points; ++k) {
      if (!sight.seen[k] || std::abs(sight.away[k]) > tolerance) continue;
      const float angle = angle_of(k);
      Vec5 row;
      row << std::cos(angle), std::sin(angle), 1, std::cos(2 * angle), std::sin(2 * angle);
      normal += row * row.transpose() / (seen_sd * seen_sd);
      right += row * sight.away[k] / (seen_sd * seen_sd);
    }
    const Vec5 step = normal.ldlt().solve(right);
    if (!step.allFinite()) return false;
    rim.centre += step.head<2>();
    rim.radius += step[2];
    rim.a += step[3];
    rim.b += step[4];
    if (!(rim.radius > 2) || !inside(rim.centre)) return false;
  }
  return true;
}

// In the picture from 12 o'clock on, clockwise; the crop may be turned.
void put_rim(const RegionMaps& maps, const Rim& rim, const RimSight& sight, float centre_confidence,
             IrisPoints& points) {
  IrisPoints found;
  put(found[0], in_frame(maps, rim.centre), centre_confidence);
  for (int k = 0; k < rim_points; ++k)
    put(found[k + 1], in_frame(maps, rim.point(angle_of(k))), sight.seen[k] ? 0.95f : 0.05f);
  points = turned_limbus(found, maps.crop.roll_rad);
}

// Share of a disc about the rim's centre in which the map is above zero.
float share_inside(const float* map, const Rim& rim, float of_radius) {
  int inside_count = 0, count = 0;
  const float reach = of_radius * rim.radius;
  for (float y = -reach; y <= reach; ++y)
    for (float x = -reach; x <= reach; ++x) {
      if (x * x + y * y > reach * reach || !inside(rim.centre + Vec2f(x, y))) continue;
      ++count;
      inside_count += at(map, rim.centre + Vec2f(x, y)) > 0;
    }
  return count > 0 ? static_cast<float>(inside_count) / static_cast<float>(count) : 0;
}

bool take_iris(const RegionMaps& maps, EyeDetection& eye, Rim& rim) {
  Vec2f centre = Vec2f::Zero();
  for (int k = 1; k <= rim_points; ++k) centre += in_crop(maps, eye.iris[k]) / rim_points;
  float radius = 0;
  for (int k = 1; k <= rim_points; ++k) radius += (in_crop(maps, eye.iris[k]) - centre).norm() / rim_points;
  if (!(radius > 4) || !inside(centre)) return false;
  rim = {centre, radius, 0, 0};
  RimSight sight;
  if (!fit_rim(maps.iris, maps.globe, rim, sight)) return false;
  const float seen = share_inside(maps.iris, rim, 0.35f);
  put_rim(maps, rim, sight, std::max(seen, 0.3f * eye.iris[0].confidence), eye.iris);
  return true;
}

void take_pupil(const RegionMaps& maps, const Rim& iris, EyeDetection& eye) {
  Vec2f sum = Vec2f::Zero();
  float pixels = 0;
  for (int j = 0; j < rows; ++j)
    for (int i = 0; i < columns; ++i) {
      const Vec2f p(static_cast<float>(i), static_cast<float>(j));
      if (!(maps.pupil[j * columns + i] > 0) || (p - iris.centre).norm() > iris.radius) continue;
      sum += p;
      ++pixels;
    }
  if (pixels < least_pupil_px2) return;
  Rim rim{sum / pixels, std::sqrt(pixels / static_cast<float>(M_PI)), 0, 0};
  RimSight sight;
  if (!fit_rim(maps.pupil, maps.iris, rim, sight) || rim.radius > 0.95f * iris.radius) return;
  const float around = std::min(1.0f, static_cast<float>(sight.count) / (0.5f * rim_points));
  put_rim(maps, rim, sight, share_inside(maps.pupil, rim, 0.9f) * around, eye.pupil);
}

}  // namespace

Crop regions_crop(const EyeDetection& eye) {
  const Vec2f inner = point(eye.lid[0]), outer = point(eye.lid[10]);
  Vec2f along = outer - inner;
  if (along.x() < 0) along = -along;
  Crop crop;
  crop.width = regions_width;
  crop.height = regions_height;
  crop.centre = 0.5f * (inner + outer);
  crop.width_px = crop_canthi * along.norm();
  crop.roll_rad = std::atan2(along.y(), along.x());
  return crop;
}

void take_regions(const RegionMaps& maps, EyeDetection& eye) {
  const Across across = Across::of(maps, eye);
  if (!(across.width > 8)) return;
  take_margins(maps, across, eye);
  take_globe(maps, across, eye);
  Rim iris;
  if (take_iris(maps, eye, iris)) take_pupil(maps, iris, eye);
}

EyeRegions::EyeRegions(const DetectorOptions& options) : net_(make_net(regions_net_options(options))) {}

RegionMaps EyeRegions::look(Vision& vision, const EyeDetection& eye, float gain) {
  RegionMaps maps;
  maps.crop = regions_crop(eye);
  maps.crop.gain = gain;
  if (!maps.crop.valid()) return maps;
  constexpr int pixels = regions_width * regions_height;
  std::copy_n(vision.pixels(maps.crop), 3 * pixels, net_->input(0));
  net_->infer();
  maps.globe = net_->output(0);
  maps.iris = maps.globe + pixels;
  maps.pupil = maps.iris + pixels;
  return maps;
}

}  // namespace dmask
