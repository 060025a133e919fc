// Decoding, crops, lines and orders of the detectors, on synthetic input.
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "detect/chosen_person.hpp"
#include "detect/crop.hpp"
#include "detect/detector.hpp"
#include "detect/exposure.hpp"
#include "detect/face68.hpp"
#include "detect/face_crop.hpp"
#include "detect/face_lids.hpp"
#include "detect/face_motion.hpp"
#include "detect/face_score.hpp"
#include "detect/heatmap.hpp"
#include "detect/limbus.hpp"
#include "detect/lines.hpp"
#include "detect/net.hpp"
#include "detect/steady_crop.hpp"
#include "detect/vision.hpp"
#include "detect/yunet.hpp"
#include "geometry/check.hpp"
#include "geometry/larger.hpp"
#include "geometry/nv12.hpp"
#include "net_values.hpp"

using namespace dmask;
using test::noise;
using test::seen_under;

namespace {

TEST_CASE(heatmap_decode_inverts_a_gaussian) {
  const int width = 40, height = 32;
  const double places[][2] = {{20.0, 16.0}, {7.3, 9.8}, {31.55, 24.2}};
  std::vector<float> maps(3 * height * width);
  for (int k = 0; k < 3; ++k) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const double d2 = std::pow(x - places[k][0], 2) + std::pow(y - places[k][1], 2);
        maps[(k * height + y) * width + x] = static_cast<float>(-d2 / (2 * 1.2 * 1.2)) + 3.0f;
      }
    }
  }
  const float visibility[3] = {0.0f, 100.0f, -100.0f};
  Landmark points[3];
  decode_heatmaps(maps.data(), visibility, 3, height, width, points);
  for (int k = 0; k < 3; ++k) {
    EXPECT_NEAR((points[k].x + 0.5) / 4 - 0.5, places[k][0], 0.05);
    EXPECT_NEAR((points[k].y + 0.5) / 4 - 0.5, places[k][1], 0.05);
  }
  EXPECT_NEAR(points[0].confidence, 0.5, 1e-6);
  EXPECT_NEAR(points[1].confidence, 1.0, 1e-6);
  EXPECT_NEAR(points[2].confidence, 0.0, 1e-6);
}

TEST_CASE(maps_with_channels_last_and_evidence_decode_as_heat_maps_and_visibility) {
  const int width = 40, height = 32, cells = width * height;
  for (const int count : {8, 19, 20, 68}) {
    const auto maps = noise(count * cells, 6.0f, count), evidence = noise(count * cells, 3.0f, count + 1);
    std::vector<float> last(maps.size()), evidence_last(maps.size()), visibility(count);
    for (int k = 0; k < count; ++k) {
      for (int cell = 0; cell < cells; ++cell) {
        last[cell * count + k] = maps[k * cells + cell];
        evidence_last[cell * count + k] = evidence[k * cells + cell];
      }
      visibility[k] = seen_under(&maps[k * cells], &evidence[k * cells], cells);
    }
    std::vector<Landmark> want(count), got(count);
    const float spread = decode_heatmaps(maps.data(), visibility.data(), count, height, width, want.data());
    EXPECT_NEAR(decode_heatmaps_and_evidence(last.data(), evidence_last.data(), count, height, width, got.data()),
                spread, 1e-4);
    for (int k = 0; k < count; ++k) {
      EXPECT_NEAR(got[k].x, want[k].x, 1e-3);
      EXPECT_NEAR(got[k].y, want[k].y, 1e-3);
      EXPECT_NEAR(got[k].confidence, want[k].confidence, 1e-5);
    }
  }
  std::string message;
  try {
    Landmark points[3];
    decode_heatmaps_and_evidence(nullptr, nullptr, 3, height, width, points);
  } catch (const Error& error) {
    message = error.what();
  }
  EXPECT(message.find("got 3 heat maps, expected at least 8") != std::string::npos);
}

// Blue rises to the right, green downwards, red is constant.
std::vector<std::uint8_t> gradient(int width, int height, int channels) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(width) * height * channels, 255);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      std::uint8_t* p = &pixels[(static_cast<std::size_t>(y) * width + x) * channels];
      p[0] = static_cast<std::uint8_t>(x);
      if (channels == 1) continue;
      p[1] = static_cast<std::uint8_t>(y);
      p[2] = 77;
    }
  }
  return pixels;
}

TEST_CASE(crop_samples_the_gradient_where_its_geometry_says) {
  const int size = 256, columns = 64, rows = 48, plane = rows * columns;
  for (const int channels : {3, 4}) {
    const auto pixels = gradient(size, size, channels);
    const ImageView frame{pixels.data(), size, size, channels, size * channels};
    CropSampler sampler;
    std::vector<float> planes(3 * plane);
    for (const float crop_width_px : {30.0f, 64.0f, 90.0f, 150.0f}) {
      for (const float roll_rad : {0.0f, 0.4f, -2.0f}) {
        for (const bool mirrored : {false, true}) {
          const Crop crop{{127.3f, 129.6f}, crop_width_px, roll_rad, mirrored, columns, rows};
          sampler.sample(frame, crop, {.white = 255.0f}, planes.data());
          for (const int y : {3, 24, 45}) {
            for (const int x : {2, 30, 60}) {
              const Vec2f at = crop.to_frame(static_cast<float>(x), static_cast<float>(y));
              const int i = y * columns + x;
              EXPECT_NEAR(planes[2 * plane + i], at.x(), 2e-3);
              EXPECT_NEAR(planes[plane + i], at.y(), 2e-3);
              EXPECT_NEAR(planes[i], 77, 1e-3);
              const Vec2f back = crop.to_crop(at);
              EXPECT_NEAR(back.x(), x, 1e-3);
              EXPECT_NEAR(back.y(), y, 1e-3);
            }
          }
        }
      }
    }
  }
}

TEST_CASE(crop_averages_the_area_when_it_shrinks) {
  const int size = 512;  // one-pixel checkerboard
  std::vector<std::uint8_t> pixels(size * size);
  for (int i = 0; i < size * size; ++i) pixels[i] = ((i / size + i % size) % 2) ? 255 : 0;
  const ImageView frame{pixels.data(), size, size, 1, size};
  CropSampler sampler;
  std::vector<float> planes(3 * 128 * 128);
  for (const float width_px : {256.0f, 300.0f, 500.0f}) {
    sampler.sample(frame, {{255.5f, 255.5f}, width_px, 0.0f, false, 128, 128}, {}, planes.data());
    for (const int i : {40 * 128 + 50, 64 * 128 + 64}) EXPECT_NEAR(planes[i], 0.5, 0.06);
  }
}

TEST_CASE(crop_replicates_the_border) {
  const auto pixels = gradient(64, 48, 3);
  const ImageView frame{pixels.data(), 64, 48, 3, 64 * 3};
  CropSampler sampler;
  std::vector<float> planes(3 * 128 * 128);
  const Crop crop{{63.0f, 47.0f}, 128.0f, 0.0f, false, 128, 128};
  sampler.sample(frame, crop, {.white = 255.0f}, planes.data());
  const int corner = 127 * 128 + 127;
  EXPECT_NEAR(planes[2 * 128 * 128 + corner], 63, 1e-3);
  EXPECT_NEAR(planes[128 * 128 + corner], 47, 1e-3);
  EXPECT_NEAR(planes[corner], 77, 1e-3);
  sampler.sample(frame, crop, {.white = 255.0f, .outside_level = 5.0f}, planes.data());
  EXPECT_NEAR(planes[corner], 5, 1e-3);
}

TEST_CASE(a_crop_with_a_gain_is_brighter_up_to_white) {
  std::vector<std::uint8_t> pixels(48 * 48 * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 37 % 120);
  const ImageView view{pixels.data(), 48, 48, 3, 48 * 3};
  Crop crop{{23.3f, 24.1f}, 31.0f, 0.3f, true, 24, 20};
  std::vector<float> plain(3 * 24 * 20), bright(plain.size());
  CropSampler sampler;
  sampler.sample(view, crop, {.white = 255.0f}, plain.data());
  crop.gain = 4;
  sampler.sample(view, crop, {.white = 255.0f}, bright.data());
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_NEAR(bright[i], std::min(4 * plain[i], 255.0f), 1e-4);
  crop.gain = NAN;
  EXPECT(!crop.valid());
}

TEST_CASE(a_dark_face_is_brightened_to_the_least_light_and_a_light_one_stays_to_the_bit) {
  const int pixels = 128 * 128;
  std::vector<float> planes(3 * pixels);
  for (std::size_t i = 0; i < planes.size(); ++i) planes[i] = static_cast<float>(i % 31) / 30;
  std::vector<float> light = planes, dark = planes, black(planes.size());
  EXPECT_NEAR(expose(light.data(), pixels), 127.5, 0.1);
  EXPECT(light == planes);
  for (float& value : dark) value *= 0.1f;
  EXPECT_NEAR(expose(dark.data(), pixels), 12.75, 0.01);
  EXPECT_NEAR(expose(dark.data(), pixels), dim_luminance, 0.01);
  EXPECT(expose(black.data(), pixels) == 0 && black == std::vector<float>(planes.size()));
  EXPECT(exposure_gain(0) == most_gain && exposure_gain(40) == 1 && exposure_gain(255) == 1);
}

TEST_CASE(how_light_a_face_is_does_not_depend_on_where_its_pixels_lie) {
  const int pixels = 128 * 128;
  const std::vector<float> planes = noise(3 * pixels, 0.1f, 5);
  std::vector<float> memory(planes.size() + 16);
  std::vector<float> told;
  for (int first = 0; first < 16; ++first) {
    std::copy(planes.begin(), planes.end(), memory.begin() + first);
    told.push_back(mean_level(memory.data() + first, pixels));
    for (float& value : memory) value = std::abs(value);
    told.push_back(expose(memory.data() + first, pixels));
  }
  for (std::size_t k = 2; k < told.size(); ++k) EXPECT(told[k] == told[k - 2]);
}

TEST_CASE(face_crop_is_the_turned_bounding_square) {
  FacePoints points{};
  for (int i = 0; i < 68; ++i) {  // an upright face of 100 x 120 px around (300, 200)
    points[i] = {300 + 50 * std::cos(0.3f * i), 200 + 60 * std::sin(0.3f * i), 1};
  }
  for (int i = 36; i < 42; ++i) points[i] = {280, 190, 1};
  for (int i = 42; i < 48; ++i) points[i] = {320, 190, 1};
  for (int i = 48; i < 60; ++i) points[i] = {300, 230, 1};
  const Crop upright = face_crop(points);
  EXPECT_NEAR(upright.roll_rad, 0, 1e-5);
  const float turn = 0.5f, c = std::cos(turn), s = std::sin(turn);
  FacePoints turned = points;
  for (auto& p : turned) p = {c * (p.x - 300) - s * (p.y - 200) + 300, s * (p.x - 300) + c * (p.y - 200) + 200, 1};
  const Crop rolled = face_crop(turned);
  EXPECT_NEAR(rolled.roll_rad, turn, 1e-4);
  EXPECT_NEAR(rolled.width_px, upright.width_px, 1e-2);
  const Vec2f middle(300, 200);
  EXPECT_NEAR((rolled.to_frame(10, 20) - middle).norm(), (upright.to_frame(10, 20) - middle).norm(), 0.05);
}

// The 68 points with so many of them in sight.
FacePoints with_visible(int visible) {
  FacePoints points{};
  for (int i = 0; i < face68::count; ++i) points[i].confidence = i < visible ? 0.98f : 0.05f;
  return points;
}

TEST_CASE(a_masked_face_scores_as_a_face_and_a_turned_one_does_not) {
  const DetectorOptions options;
  EXPECT(face_score(with_visible(68), 1.9f) > 0.95f);
  EXPECT(face_score(with_visible(30), 2.3f) > options.min_new_face_score);  // a mask over nose and mouth
  EXPECT(face_score(with_visible(12), 2.3f) < options.min_new_face_score);
  EXPECT(face_score(with_visible(68), 4.6f) < 0.1f);  // upside down the maps are wide
  FacePoints odd = with_visible(68);
  odd[3].confidence = NAN;
  EXPECT(face_score(odd, 1.9f) > 0.95f);  // one point less
  EXPECT(!(face_score(odd, NAN) >= 0));
}

// A face of 96 px between the eyes in a picture without an edge, whose skin and irises move as told.
struct MovingFace {
  Vec2f skin = Vec2f::Zero(), iris = Vec2f::Zero();
  float light = 0, contrast = 40;
  FrameDetection detection;

  explicit MovingFace(double time_s) {
    detection.time_s = time_s;
    detection.track = 1;
    for (int i = 0; i < face68::count; ++i)
      detection.face[i] = {300.0f + 3 * static_cast<float>(i % 7 - 3), 230.0f + 2 * static_cast<float>(i % 5), 1};
    detection.face[face68::nasion] = {300, 205, 1};
    detection.face[face68::chin] = {300, 330, 1};
    for (const Eye eye : {OD, OS}) {
      const float x = eye == OD ? 252.0f : 348.0f, y = 210;
      const auto& lid = face68::lids[eye];
      detection.face[lid.inner] = {x + (eye == OD ? 18.0f : -18.0f), y, 1};
      detection.face[lid.outer] = {x - (eye == OD ? 18.0f : -18.0f), y, 1};
      EyeDetection& e = detection.eyes[eye];
      for (int k = 0; k < 20; ++k) {
        const float angle = static_cast<float>(M_PI * k / 10);
        e.lid[k] = {x - 18 * std::cos(angle), y - 8 * std::sin(angle), 1};
      }
      e.iris[0] = {x, y, 1};
      for (int k = 1; k < 19; ++k) {
        const float angle = static_cast<float>(M_PI * (k - 1) / 9);
        e.iris[k] = {x + 9 * std::sin(angle), y - 9 * std::cos(angle), 1};
      }
    }
  }

  void moved_by(const Vec2f& of_skin, const Vec2f& of_iris) {
    skin = of_skin, iris = of_iris;
    for (Landmark& p : detection.face) p.x += of_skin.x() + 0.4f, p.y += of_skin.y() - 0.3f;  // as a net errs
    for (EyeDetection& e : detection.eyes)
      for (Landmark& p : e.iris) p.x += of_iris.x() - 0.3f, p.y += of_iris.y() + 0.4f;
  }

  float grey(const Vec2f& at) const {
    const auto texture = [](const Vec2f& p) {
      return std::sin(0.31f * p.x() + 0.17f * p.y()) + std::sin(0.23f * p.y() - 0.11f * p.x()) + std::sin(0.4f * p.y());
    };
    for (const float x : {252.0f, 348.0f}) {
      const Vec2f eye = at - Vec2f(x, 210), turned = eye - iris;
      const bool open = eye.cwiseQuotient(Vec2f(18, 8)).norm() < 1, reflex = (eye - Vec2f(3, -2)).norm() < 1.5f;
      if (open && reflex) return 250;
      if (open && turned.norm() < 9) return 60 + light + 0.25f * contrast * texture(2 * turned);
      if (open) return 150 + light;
    }
    return 120 + light + contrast * texture(at - skin);
  }

  void measure(FaceMotion& motion) {
    const Crop view = motion.view(detection.face);
    const std::size_t plane = static_cast<std::size_t>(view.width) * view.height;
    std::vector<float> rgb(3 * plane);
    for (int y = 0, at = 0; y < view.height; ++y)
      for (int x = 0; x < view.width; ++x, ++at)
        for (int k = 0; k < 3; ++k)
          rgb[k * plane + at] = grey(view.to_frame(static_cast<float>(x), static_cast<float>(y))) / 255;
    motion.measure(view, rgb.data(), detection);
  }
};

bool known(const PointMotion& m) { return m.information_xx > 0 && m.information_yy > 0; }

TEST_CASE(points_of_a_face_move_as_its_pixels_do) {
  FaceMotion motion;
  MovingFace before(1.0), now(1.04);
  before.measure(motion);
  EXPECT(std::isnan(before.detection.moved_since_s));
  now.moved_by({1.37f, -0.61f}, {0.45f, 0.2f});
  now.light = 9;  // a lamp that flickers is no motion
  now.measure(motion);
  EXPECT(now.detection.moved_since_s == 1.0);
  int followed = 0;
  for (const PointMotion& m : now.detection.motion) {
    if (!known(m)) continue;
    ++followed;
    EXPECT_NEAR(m.x, 1.37, 0.05);
    EXPECT_NEAR(m.y, -0.61, 0.05);
  }
  EXPECT(followed >= 15);
  for (const PointMotion& m : now.detection.iris_motion) {
    EXPECT(known(m));
    EXPECT_NEAR(m.x, 0.45, 0.1);  // the cornea's reflex and the lids stay
    EXPECT_NEAR(m.y, 0.2, 0.15);
  }
}

TEST_CASE(no_motion_is_known_without_a_frame_before_a_pattern_or_a_point_in_sight) {
  FaceMotion motion;
  const auto followed = [&](MovingFace& face) {
    face.measure(motion);
    int count = 0;
    for (const PointMotion& m : face.detection.motion) count += known(m);
    return count;
  };
  MovingFace first(1.0), second(1.1), other(1.2), again(1.3), forgotten(1.4), smooth(1.5), hidden(1.6), leaping(1.7);
  EXPECT(followed(first) == 0);
  EXPECT(followed(second) > 0);
  other.detection.track = 2;
  EXPECT(followed(other) == 0);
  EXPECT(std::isnan(other.detection.moved_since_s));
  again.detection.track = 2;
  EXPECT(followed(again) > 0);
  motion.forget();
  forgotten.detection.track = 2;
  EXPECT(followed(forgotten) == 0);
  smooth.detection.track = hidden.detection.track = leaping.detection.track = 2;
  smooth.contrast = 0;
  EXPECT(followed(smooth) == 0);  // its pixels are not those of the frame before
  for (Landmark& p : hidden.detection.face) p.confidence = 0.2f;
  EXPECT(followed(hidden) == 0);
  leaping.detection.face[30].x = NAN;
  EXPECT(followed(leaping) == 0);  // the points before were not in sight
}

TEST_CASE(eye_crops_see_the_inner_canthus_left) {
  FacePoints points{};
  points[36] = {100, 200, 1};
  points[39] = {140, 205, 1};
  points[42] = {180, 206, 1};
  points[45] = {220, 201, 1};
  for (const Eye eye : {OD, OS}) {
    const Crop crop = eye_crop(points, eye);
    const Landmark& inner = points[eye == OD ? 39 : 42];
    const Landmark& outer = points[eye == OD ? 36 : 45];
    const Vec2f a = crop.to_crop({inner.x, inner.y}), b = crop.to_crop({outer.x, outer.y});
    EXPECT_NEAR(a.x(), 79.5 - 0.5 * 160 / 1.75, 0.01);
    EXPECT_NEAR(b.x(), 79.5 + 0.5 * 160 / 1.75, 0.01);
    EXPECT_NEAR(a.y(), 63.5, 0.01);
    EXPECT_NEAR(b.y(), 63.5, 0.01);
  }
}

TEST_CASE(line_decode_finds_a_line_and_its_ends) {
  const int width = 80, height = 64;
  const auto line = [](double x) { return 30 + 0.008 * (x - 40) * (x - 40); };
  std::vector<float> edges(width * height);
  for (int x = 0; x < width; ++x) {
    const bool drawn = x >= 15 && x <= 65 && x != 35;  // with a small gap
    for (int y = 0; y < height; ++y) {
      const double p = 0.97 * std::exp(-std::pow(y - line(x), 2) / (2 * 0.7 * 0.7));  // as in training
      edges[y * width + x] = drawn ? static_cast<float>(std::log((p + 1e-4) / (1 - p))) : -8.0f;
    }
  }
  for (int x = 50; x <= 51; ++x) edges[10 * width + x] = 9;  // something brighter far from the line
  const auto points = decode_line(edges.data(), 3.0f, height, width);
  EXPECT_NEAR(points[0].x, 15, 1e-3);
  EXPECT_NEAR(points[19].x, 65, 1e-3);
  double longest = 0, shortest = 1e9;
  for (int k = 0; k < 20; ++k) {
    EXPECT_NEAR(points[k].y, line(points[k].x), 0.15);
    if (k == 0) continue;
    const double step = std::hypot(points[k].x - points[k - 1].x, points[k].y - points[k - 1].y);
    longest = larger(longest, step);
    shortest = -larger(-shortest, -step);
  }
  EXPECT_NEAR(longest, shortest, 0.05);
  EXPECT_NEAR(points[2].confidence, sigmoid(3.0f) * 0.9, 0.1);
  EXPECT_NEAR(decode_line(edges.data(), -6.0f, height, width)[2].confidence, 0, 0.01);

  std::vector<float> nothing(width * height, -8.0f);
  for (int x = 0; x < width; ++x) nothing[25 * width + x] = -4.0f;  // a hint at row 25
  for (const Landmark& point : decode_line(nothing.data(), 3.0f, height, width)) {
    EXPECT_NEAR(point.y, 25, 1);
    EXPECT(point.confidence < 0.05f);
  }
}

TEST_CASE(lids_seen_close_up_place_the_lid_points_of_the_face) {
  std::array<Landmark, 20> lid;
  for (int k = 0; k < 20; ++k) {  // an OD eye: inner canthus right, margins 10 px above and 6 px below
    const double t = k <= 10 ? k / 10.0 : (20 - k) / 10.0;
    const double height = k <= 10 ? -10 : 6;
    lid[k] = {static_cast<float>(150 - 50 * t), static_cast<float>(100 + height * 4 * t * (1 - t)), 0.9f};
  }
  std::array<Landmark, 68> face{};
  for (const int i : {37, 38, 40, 41}) face[i] = {i == 37 || i == 41 ? 115.0f : 135.0f, 100, 0.7f};
  face[36] = {98, 102, 0.7f};
  face[39] = {153, 99, 0.7f};
  face[45] = {300, 300, 0.7f};
  const auto before = face;
  take_lids(lid, OD, face);
  EXPECT_NEAR(face[36].x, 100, 1e-4);
  EXPECT_NEAR(face[39].x, 150, 1e-4);
  EXPECT_NEAR(face[37].confidence, 0.7, 1e-6);
  EXPECT(face[37].y < 95 && face[38].y < 95 && face[40].y > 103 && face[41].y > 103);
  EXPECT_NEAR(face[45].x, 300, 1e-6);  // the other eye stays
  for (Landmark& point : lid) point.confidence = 0.2f;
  face = before;
  take_lids(lid, OD, face);
  for (int i = 0; i < 68; ++i) EXPECT_NEAR(face[i].y, before[i].y, 1e-6);
}

TEST_CASE(a_held_crop_ignores_noise_and_follows_motion) {
  Crop last;
  last.centre = {100, 80};
  last.width_px = 200;
  last.roll_rad = 3.1f;  // near the turn's seam
  Crop wanted = last;
  wanted.centre += Vec2f(4, -3);  // 2.5 %
  wanted.width_px *= 1.04f;
  wanted.roll_rad = -3.15f;  // 0.03 rad on
  Crop crop = held(last, wanted);
  EXPECT_NEAR((crop.centre - last.centre).norm(), 0, 1e-4);
  EXPECT_NEAR(crop.width_px, 200, 1e-3);
  EXPECT_NEAR(crop.roll_rad, 3.1, 1e-4);
  wanted.centre = last.centre + Vec2f(50, 0);
  wanted.width_px = 300;
  wanted.roll_rad = 2.6f;
  crop = held(last, wanted);
  EXPECT_NEAR(crop.centre.x(), 144, 1e-3);  // all but 3 % of the width
  EXPECT_NEAR(crop.width_px, 300 / 1.05, 1e-3);
  EXPECT_NEAR(crop.roll_rad, 2.65, 1e-4);
}

TEST_CASE(an_eyes_crop_is_centred_on_the_lids_own_canthi) {
  std::array<Landmark, 20> lid{};
  lid[10] = {100, 112, 0.9f};  // OD: outer canthus left in the picture
  lid[0] = {160, 106, 0.9f};
  Crop by_face;
  by_face.centre = {130, 104};
  by_face.width_px = 105;
  const Crop crop = lid_crop(lid, OD, by_face);
  EXPECT_NEAR(crop.centre.x(), 130, 1e-4);
  EXPECT_NEAR(crop.centre.y(), 109, 1e-4);
  EXPECT_NEAR(crop.roll_rad, std::atan2(-6.0, 60.0), 1e-5);
  EXPECT_NEAR(crop.width_px, 105, 1e-4);
  Crop moved = by_face;
  moved.centre += Vec2f(10, 0);
  moved.width_px *= 2;
  EXPECT_NEAR(carried(by_face, crop, moved).centre.y(), 114, 1e-3);  // twice as large, twice as far
  lid[0].confidence = 0.2f;
  EXPECT_NEAR(lid_crop(lid, OD, by_face).centre.y(), 104, 1e-4);
  lid[0] = {160, 150, 0.9f};  // far off
  EXPECT_NEAR(lid_crop(lid, OD, by_face).centre.y(), 104, 1e-4);
}

IrisPoints circle(double clock_rad, double direction) {
  IrisPoints iris;
  iris[0] = {100, 90, 1};
  for (int k = 0; k < 18; ++k) {
    const double angle = clock_rad + direction * k * M_PI / 9;  // clockwise from 12 o'clock
    iris[1 + k] = {static_cast<float>(100 + 20 * std::sin(angle)), static_cast<float>(90 - 15 * std::cos(angle)), 1};
  }
  return iris;
}

TEST_CASE(limbus_starts_at_twelve_of_the_picture) {
  const IrisPoints wanted = circle(0, 1);
  for (const float roll_rad : {0.0f, 0.2f, -0.7f, 2.0f}) {
    const IrisPoints turned = turned_limbus(circle(roll_rad, 1), roll_rad);
    for (int k = 0; k < 19; ++k) {
      EXPECT_NEAR(turned[k].x, wanted[k].x, 1e-3);
      EXPECT_NEAR(turned[k].y, wanted[k].y, 1e-3);
      EXPECT_NEAR(turned[k].confidence, 1, 1e-6);
    }
  }
  const IrisPoints reversed = reversed_limbus(circle(0, -1));
  for (int k = 0; k < 19; ++k) EXPECT_NEAR(reversed[k].x, wanted[k].x, 1e-4);
}

TEST_CASE(the_limbus_steadies_the_centre) {
  IrisPoints iris = circle(0.3, 1);
  iris[0] = {103, 88, 0.8f};
  for (int k = 1; k <= 5; ++k) iris[k] = {iris[k].x, iris[k].y + 4, 0};  // under the lid: guessed wrongly
  const Landmark centre = steadied_centre(iris);
  EXPECT_NEAR(centre.x, 101.5, 0.1);
  EXPECT_NEAR(centre.y, 89, 0.15);
  EXPECT_NEAR(centre.confidence, 0.8, 1e-6);
}

TEST_CASE(mirrored_points_change_sides) {
  using face68::mirrored;
  for (int i = 0; i < 68; ++i) EXPECT(mirrored[mirrored[i]] == i);
  EXPECT(mirrored[36] == 45 && mirrored[39] == 42 && mirrored[37] == 44 && mirrored[40] == 47);
  EXPECT(mirrored[0] == 16 && mirrored[8] == 8 && mirrored[48] == 54 && mirrored[60] == 64);
}

TEST_CASE(the_patient_is_chosen_by_size_or_place_over_the_looks) {
  const Vec2f middle(500, 300);
  const std::vector<FacePlace> faces = {{{100, 300}, 90}, {{520, 300}, 120}, {{900, 300}, 60}};
  const auto first = [&](Person which) { return ChosenPerson(which).look(faces, middle).value_or(-1); };
  EXPECT(first(Person::largest) == 1 && first(Person::smallest) == 2 && first(Person::centre) == 1);
  EXPECT(first(Person::left) == 0 && first(Person::right) == 2);
  EXPECT(first(Person::n1) == 1 && first(Person::n2) == 0 && first(Person::n3) == 2 && first(Person::n4) == -1);
  EXPECT(!ChosenPerson(Person::largest).look({}, middle));

  // Means over the looks, in whatever order the faces come; who was hardly there does not count.
  ChosenPerson largest(Person::largest);
  EXPECT(largest.look({{{100, 300}, 90}}, middle) == 0);
  EXPECT(largest.look({{{102, 300}, 90}}, middle) == 0);
  EXPECT(largest.look({{{700, 300}, 200}, {{103, 301}, 91}}, middle) == 1);  // in one look of three
  EXPECT(largest.look({{{702, 300}, 200}, {{103, 301}, 91}}, middle) == 0);  // in two of four
  EXPECT(largest.look({{{700, 300}, 200}, {{103, 301}, 91}}, middle) == 0);
  EXPECT(!largest.look({{{103, 301}, 91}}, middle));  // in three of six, and not in sight
  largest.start();
  EXPECT(largest.look({{{103, 301}, 91}}, middle) == 0);
}

TEST_CASE(overlapping_boxes_are_suppressed) {
  const auto box = [](float x, float score) {
    FaceBox b;
    b.x = x;
    b.width = b.height = 100;
    b.score = score;
    return b;
  };
  std::vector<FaceBox> boxes = {box(0, 0.7f), box(20, 0.9f), box(300, 0.8f), box(90, 0.65f)};
  suppress_overlaps(boxes, 0.3f);
  EXPECT(boxes.size() == 3);
  EXPECT_NEAR(boxes[0].score, 0.9, 1e-6);
  EXPECT_NEAR(boxes[1].score, 0.8, 1e-6);
  EXPECT_NEAR(boxes[2].x, 90, 1e-6);
}

TEST_CASE(yunet_decodes_cells) {
  const int width = 64, height = 32, cells = (width / 16) * (height / 16);
  std::vector<float> cls(cells, 0), obj(cells, 0), bbox(4 * cells, 0), kps(10 * cells, 0);
  cls[6] = 0.9f;  // row 1, column 2
  obj[6] = 0.4f;
  bbox[24] = 0.5f;
  bbox[26] = std::log(2.0f);
  kps[60] = 0.25f;
  std::vector<FaceBox> boxes;
  decode_yunet(cls.data(), obj.data(), bbox.data(), kps.data(), 16, width, height, 0.5f, boxes);
  EXPECT(boxes.size() == 1);
  EXPECT_NEAR(boxes[0].score, 0.6, 1e-6);
  EXPECT_NEAR(boxes[0].width, 32, 1e-4);
  EXPECT_NEAR(boxes[0].x, 40 - 16, 1e-4);
  EXPECT_NEAR(boxes[0].y, 16 - 8, 1e-4);
  EXPECT_NEAR(boxes[0].points[0].x(), 36, 1e-4);
}

TEST_CASE(nv12_colours_are_those_of_the_recommendations) {
  struct Case {
    YuvMatrix matrix;
    bool full_range;
    int y, cb, cr, blue, green, red;
  };
  const Case cases[] = {
      {YuvMatrix::bt601, false, 81, 90, 240, 0, 0, 254},       {YuvMatrix::bt601, false, 145, 54, 34, 1, 255, 0},
      {YuvMatrix::bt601, true, 76, 85, 255, 0, 0, 254},        {YuvMatrix::bt601, true, 29, 255, 107, 254, 0, 0},
      {YuvMatrix::bt709, false, 63, 102, 240, 1, 0, 255},      {YuvMatrix::bt709, false, 173, 42, 26, 0, 255, 0},
      {YuvMatrix::bt709, true, 54, 99, 255, 0, 0, 254},        {YuvMatrix::bt709, false, 126, 128, 128, 128, 128, 128},
      {YuvMatrix::bt709, false, 240, 128, 128, 255, 255, 255}, {YuvMatrix::bt709, false, 2, 128, 128, 0, 0, 0},
      {YuvMatrix::bt709, true, 2, 128, 128, 2, 2, 2},
  };
  for (const Case& c : cases) {
    const std::uint8_t luma[4] = {static_cast<std::uint8_t>(c.y), static_cast<std::uint8_t>(c.y),
                                  static_cast<std::uint8_t>(c.y), static_cast<std::uint8_t>(c.y)};
    const std::uint8_t chroma[2] = {static_cast<std::uint8_t>(c.cb), static_cast<std::uint8_t>(c.cr)};
    ImageView frame{luma, 2, 2, 1, 2, chroma, 2, c.matrix, c.full_range};
    Image bgr;
    nv12_to_bgr(frame, bgr);
    for (int i = 0; i < 4; ++i) {
      EXPECT_NEAR(bgr.bgr[3 * i], c.blue, 1);
      EXPECT_NEAR(bgr.bgr[3 * i + 1], c.green, 1);
      EXPECT_NEAR(bgr.bgr[3 * i + 2], c.red, 1);
    }
  }
}

TEST_CASE(nv12_chroma_is_shared_by_four_pixels_of_an_odd_frame) {
  const int width = 5, height = 3, stride = 8, chroma_stride = 10;
  std::vector<std::uint8_t> luma(stride * height, 100), chroma(chroma_stride * 2, 128);
  chroma[chroma_stride + 4] = 200;  // Cb of the corner, which one pixel alone has
  chroma[3] = 60;                   // Cr of columns 2 and 3, rows 0 and 1
  ImageView frame{luma.data(), width, height, 1, stride, chroma.data(), chroma_stride, YuvMatrix::bt709, true};
  Image bgr;
  nv12_to_bgr(frame, bgr);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const std::uint8_t* pixel = &bgr.bgr[(y * width + x) * 3];
      EXPECT((pixel[0] > 200) == (x == 4 && y == 2));
      EXPECT((pixel[2] < 50) == ((x == 2 || x == 3) && y < 2));
      if (x < 2) EXPECT(pixel[0] == 100 && pixel[1] == 100 && pixel[2] == 100);
    }
  }
}

TEST_CASE(lids_are_doubted_where_the_face_net_calls_the_eye_hidden) {
  std::array<Landmark, 68> face{};
  const auto doubted = [&](float of_face, float of_lids) {
    for (Landmark& point : face) point.confidence = 1;
    for (int i = 36; i < 42; ++i) face[i].confidence = of_face;
    std::array<Landmark, 20> lid{};
    for (Landmark& point : lid) point.confidence = of_lids;
    doubt_lids(face, OD, lid);
    return lid[3].confidence;
  };
  EXPECT_NEAR(doubted(1.0f, 0.9f), 0.9f, 1e-6f);
  EXPECT_NEAR(doubted(0.5f, 0.9f), 0.9f, 1e-6f);
  EXPECT(doubted(0.2f, 0.6f) < 0.5f);
  EXPECT(doubted(0.2f, 0.95f) > 0.5f);
  EXPECT(doubted(0.0f, 1.0f) < 0.5f);
  EXPECT(doubted(0.1f, 0.8f) < doubted(0.3f, 0.8f));
}

TEST_CASE(a_missing_model_is_an_error_that_names_it) {
  std::string message;
  try {
    make_net({.model_path = "nowhere/face68.onnx"});
  } catch (const Error& error) {
    message = error.what();
  }
  EXPECT(message.find("nowhere/face68.onnx") != std::string::npos);
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
