// The mask renderer on scenes small enough to know what they look like.
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <random>
#include <vector>

#include "check.hpp"
#include "geometry/check.hpp"
#include "geometry/larger.hpp"
#include "render/lanes.hpp"
#include "render/raster.hpp"
#include "render/scene.hpp"

namespace {
std::size_t allocations = 0;
}
void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* p = std::malloc(bytes > 0 ? bytes : 1)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  ++allocations;
  const auto a = static_cast<std::size_t>(alignment);
  std::size_t room = bytes + a;
  void* whole = std::malloc(sizeof whole + room);  // Windows has no std::aligned_alloc
  if (!whole) throw std::bad_alloc();
  void* p = static_cast<void**>(whole) + 1;
  std::align(a, bytes, p, room);
  static_cast<void**>(p)[-1] = whole;
  return p;
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept {
  if (p) std::free(static_cast<void**>(p)[-1]);
}
void operator delete(void* p, std::size_t, std::align_val_t alignment) noexcept { operator delete(p, alignment); }

using namespace dmask;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

struct Mesh {
  Points3f vertices, albedo;
  Triangles triangles;

  MaskScene scene(int width, int height, double focal_px) const {
    MaskScene s;
    s.camera = {focal_px, 0.5 * (width - 1), 0.5 * (height - 1), width, height};
    s.vertices = &vertices;
    s.triangles = &triangles;
    s.albedo = &albedo;
    return s;
  }
};

// A rectangle facing the camera, x and y in mm at depth z.
void add_rectangle(Mesh& m, float x0, float y0, float x1, float y1, float z, const Vec3f& bgr) {
  const auto n = static_cast<int>(m.vertices.rows()), t = static_cast<int>(m.triangles.rows());
  m.vertices.conservativeResize(n + 4, 3);
  m.vertices.bottomRows(4) << x0, y0, z, x1, y0, z, x1, y1, z, x0, y1, z;
  m.albedo.conservativeResize(n + 4, 3);
  m.albedo.bottomRows(4).rowwise() = bgr.transpose();
  m.triangles.conservativeResize(t + 2, 3);
  m.triangles.bottomRows(2) << n, n + 2, n + 1, n, n + 3, n + 2;
}

Mesh random_mesh(std::mt19937& random, int vertices, int triangles, float spread_mm) {
  std::uniform_real_distribution<float> around(-spread_mm, spread_mm), tone(0, 1);
  std::uniform_int_distribution<int> pick(0, vertices - 1);
  Mesh m;
  m.vertices.resize(vertices, 3);
  m.albedo.resize(vertices, 3);
  m.triangles.resize(triangles, 3);
  for (int i = 0; i < vertices; ++i) {
    m.vertices.row(i) = Vec3f(around(random), around(random), 300 + around(random));
    m.albedo.row(i) = Vec3f(tone(random), tone(random), tone(random));
  }
  for (int i = 0; i < triangles; ++i)
    for (int k = 0; k < 3; ++k) m.triangles(i, k) = pick(random);
  return m;
}

Globe globe_at(const Vec3f& centre, const Vec3f& axis) {
  Globe g;
  g.visible = true;
  g.centre = centre;
  g.axis = axis.normalized();
  return g;
}

std::array<int, 3> at(const Image& image, int x, int y) {
  const std::uint8_t* p = image.bgr.data() + 3 * (static_cast<std::size_t>(y) * image.width + x);
  return {p[0], p[1], p[2]};
}

bool is_background(const Image& image, int x, int y) { return at(image, x, y) == std::array<int, 3>{236, 236, 236}; }
bool is_reddish(const Image& image, int x, int y) { return at(image, x, y)[2] > at(image, x, y)[0] + 40; }
bool is_bluish(const Image& image, int x, int y) { return at(image, x, y)[0] > at(image, x, y)[2] + 40; }
const Vec3f kRed(0.1f, 0.1f, 0.8f), kBlue(0.8f, 0.1f, 0.1f);

TEST_CASE(triangles_sharing_edges_cover_every_pixel_once) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> off(-5, 5);
  for (int round = 0; round < 200; ++round) {
    raster::ScreenVertex v[5][5];
    for (int i = 0; i < 5; ++i) {
      for (int j = 0; j < 5; ++j) {
        v[i][j] = {-20 + 26.0f * j, -20 + 26.0f * i, 0.01f};
        if (i % 4 == 0 || j % 4 == 0) continue;
        v[i][j].x += off(random);
        v[i][j].y += off(random);
        if (round % 2) v[i][j].x = std::round(v[i][j].x), v[i][j].y = std::round(v[i][j].y);  // edges through centres
      }
    }
    std::vector<int> drawn(64 * 64, 0);
    for (int i = 0; i < 4; ++i) {
      for (int j = 0; j < 4; ++j) {
        for (int half = 0; half < 2; ++half) {
          raster::TriangleSetup t;
          if (!raster::setup(v[i][j], half ? v[i + 1][j + 1] : v[i + 1][j], half ? v[i][j + 1] : v[i + 1][j + 1],
                             {0, 0, 64, 64}, t))
            continue;
          raster::for_each_pixel(t, [&](int x, int y, const Vec3f&) { ++drawn[64 * y + x]; });
        }
      }
    }
    EXPECT(std::count(drawn.begin(), drawn.end(), 1) == 64 * 64);
  }
}

TEST_CASE(rows_become_columns) {
  std::array<f32x8, 8> rows;
  for (int i = 0; i < 8; ++i) rows[i] = 10.0f * static_cast<float>(i) + kLane;
  transpose(rows);
  for (int i = 0; i < 8; ++i)
    for (int k = 0; k < 8; ++k) EXPECT(rows[i][k] == static_cast<float>(10 * k + i));
}

// 64 x 64 pixels and some more around them, five vertices each way moved by up to `off_px`, all at one depth.
Mesh jittered_grid(std::mt19937& random, float off_px, bool whole_px, const Vec3f& bgr) {
  std::uniform_real_distribution<float> off(-off_px, off_px);
  Mesh m;
  m.vertices.resize(25, 3);
  m.albedo = bgr.transpose().replicate(25, 1);
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 5; ++j) {
      const bool inner = i % 4 != 0 && j % 4 != 0;
      float x = -20 + 26.0f * j + inner * off(random), y = -20 + 26.0f * i + inner * off(random);
      if (whole_px) x = std::round(x), y = std::round(y);
      m.vertices.row(5 * i + j) << x - 31.5f, y - 31.5f, 100;  // at a focal length of 100 px
    }
  }
  m.triangles.resize(32, 3);
  for (int i = 0, t = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) {
      const int v = 5 * i + j;
      m.triangles.row(t++) << v, v + 5, v + 1;
      m.triangles.row(t++) << v + 1, v + 5, v + 6;
    }
  }
  return m;
}

TEST_CASE(a_mesh_is_drawn_without_gaps) {
  std::mt19937 random(2);
  Renderer renderer;
  Image out;
  for (int round = 0; round < 50; ++round) {
    const Mesh m = jittered_grid(random, 5, round % 2 == 1, Vec3f::Constant(0.5f));
    renderer.render(m.scene(64, 64, 100), {}, out);
    for (int c = 0; c < 3; ++c) {
      int least = 255, most = 0;
      for (std::size_t k = c; k < out.bgr.size(); k += 3)
        least = std::min<int>(least, out.bgr[k]), most = std::max<int>(most, out.bgr[k]);
      EXPECT(most - least <= 1);
      EXPECT(most < 200);  // the background is 236
    }
  }
}

TEST_CASE(thin_triangles_stay_between_their_vertices_colours) {
  std::mt19937 random(3);
  Renderer renderer;
  Image all_red, all_blue, mixed;
  for (int round = 0; round < 50; ++round) {
    Mesh m = jittered_grid(random, 0, false, kRed);
    std::uniform_real_distribution<float> off(-1e-3f, 1e-3f);
    for (int i = 0; i < 5; ++i)  // two strips of triangles a thousandth of a pixel wide
      for (int j : {1, 3}) m.vertices(5 * i + j, 0) = m.vertices(5 * i + j - 1, 0) + off(random);
    renderer.render(m.scene(64, 64, 100), {}, all_red);
    for (int v = 0; v < 25; ++v) m.albedo.row(v) = kBlue.transpose();
    renderer.render(m.scene(64, 64, 100), {}, all_blue);
    for (int v = 0; v < 25; ++v) m.albedo.row(v) = (random() % 2 ? kBlue : kRed).transpose();
    renderer.render(m.scene(64, 64, 100), {}, mixed);
    for (std::size_t k = 0; k < mixed.bgr.size(); ++k) {
      const auto [least, most] = std::minmax(all_red.bgr[k], all_blue.bgr[k]);
      EXPECT(mixed.bgr[k] + 2 >= least && mixed.bgr[k] <= most + 2);
    }
  }
}

TEST_CASE(barycentric_coordinates_give_back_the_pixel) {
  const raster::ScreenVertex a{3.2f, 4.1f, 0.01f}, b{7.7f, 58.3f, 0.02f}, c{51.4f, 33.6f, 0.005f};
  raster::TriangleSetup t;
  EXPECT(raster::setup(a, b, c, {0, 0, 64, 64}, t));
  double worst = 0;
  raster::for_each_pixel(t, [&](int x, int y, const Vec3f& w) {
    worst = larger(worst, std::abs(w[0] * a.x + w[1] * b.x + w[2] * c.x - x));
    worst = larger(worst, std::abs(w[0] * a.y + w[1] * b.y + w[2] * c.y - y));
  });
  EXPECT_NEAR(worst, 0, 1e-3);
}

TEST_CASE(empty_scene_is_background) {
  Mesh m;
  m.vertices.resize(0, 3);
  m.albedo.resize(0, 3);
  m.triangles.resize(0, 3);
  Image out;
  Renderer().render(m.scene(17, 9, 20), {{10, 20, 30}}, out);
  EXPECT(out.width == 17 && out.height == 9);
  bool plain = true;
  for (int y = 0; y < 9; ++y)
    for (int x = 0; x < 17; ++x) plain &= at(out, x, y) == std::array<int, 3>{10, 20, 30};
  EXPECT(plain);
}

TEST_CASE(the_nearer_surface_hides_the_farther) {
  for (const bool near_first : {true, false}) {
    Mesh m;
    add_rectangle(m, -20, -20, 20, 20, near_first ? 90 : 100, near_first ? kRed : kBlue);
    add_rectangle(m, -20, -20, 20, 20, near_first ? 100 : 90, near_first ? kBlue : kRed);
    Image out;
    Renderer().render(m.scene(64, 64, 100), {}, out);
    EXPECT(is_reddish(out, 32, 32));
  }
}

TEST_CASE(the_back_of_a_surface_is_dark_and_hides_the_background) {
  Mesh m;
  add_rectangle(m, -20, -20, 20, 20, 100, kRed);
  m.triangles.col(1).swap(m.triangles.col(2));
  Image out;
  Renderer().render(m.scene(64, 64, 100), {}, out);
  const auto middle = at(out, 32, 32);
  EXPECT(middle[0] < 60 && middle[1] < 60 && middle[2] < 60);
}

TEST_CASE(an_edge_is_as_grey_as_its_pixel_is_covered) {
  for (const float covered : {0.125f, 0.25f, 0.5f, 0.75f, 0.875f}) {
    Mesh m;  // black up to `covered` of pixel 32; 100 px a 100 mm: 1 mm a pixel, pixel 31.5 at 0
    add_rectangle(m, -20, -20, covered, 20, 100, Vec3f::Zero());
    Image out;
    Renderer().render(m.scene(64, 64, 100), {}, out);
    const auto light = [](int v) { return v * v; };
    const double dark = light(at(out, 25, 32)[1]), bright = light(236);
    EXPECT_NEAR((bright - light(at(out, 32, 32)[1])) / (bright - dark), covered, 0.07);
    EXPECT(is_background(out, 33, 32));
  }
}

TEST_CASE(the_pupil_is_where_the_axis_points) {
  for (const double yaw_deg : {-30.0, 0.0, 20.0}) {
    for (const double pitch_deg : {-15.0, 0.0, 25.0}) {
      const double yaw = yaw_deg * M_PI / 180, pitch = pitch_deg * M_PI / 180;
      const Vec3f axis(static_cast<float>(std::cos(pitch) * std::sin(yaw)), static_cast<float>(std::sin(pitch)),
                       static_cast<float>(-std::cos(pitch) * std::cos(yaw)));
      Mesh m;
      add_rectangle(m, 100, 100, 101, 101, 100, kRed);
      MaskScene scene = m.scene(256, 256, 3000);
      const Vec3f centre(2, -3, 500);
      scene.globes[OS] = globe_at(centre, axis);
      Image out;
      Renderer().render(scene, {}, out);
      double weight = 0, sum_x = 0, sum_y = 0;
      for (int y = 0; y < 256; ++y) {
        for (int x = 0; x < 256; ++x) {
          const auto c = at(out, x, y);
          const double dark = std::max(0, 25 - (c[0] + c[1] + c[2]) / 3);
          weight += dark;
          sum_x += dark * x;
          sum_y += dark * y;
        }
      }
      const float rise = std::sqrt(12.0f * 12.0f - 5.85f * 5.85f);  // it lies in the iris plane
      const Vec2 expected = scene.camera.project((centre + rise * scene.globes[OS].axis).cast<double>());
      EXPECT_NEAR(sum_x / weight, expected.x(), 0.4);
      EXPECT_NEAR(sum_y / weight, expected.y(), 0.4);
    }
  }
}

TEST_CASE(the_limbus_is_at_the_iris_radius) {
  Mesh m;
  add_rectangle(m, 100, 100, 101, 101, 100, kRed);
  for (const float iris_mm : {5.2f, 5.85f, 6.4f}) {
    MaskScene scene = m.scene(256, 256, 3000);
    scene.globes[OD] = globe_at(Vec3f(0, 0, 500), Vec3f(0, 0, -1));
    scene.globes[OD].iris_radius_mm = iris_mm;
    Image out;
    Renderer().render(scene, {}, out);
    const double expected_px = 3000 * iris_mm / (500 - std::sqrt(144 - iris_mm * iris_mm));
    const int row = 127;  // half a pixel off the middle
    const double dark = at(out, 127 + static_cast<int>(expected_px) - 3, row)[1];
    const double white = at(out, 127 + static_cast<int>(expected_px) + 5, row)[1];
    EXPECT(white > dark + 60);
    int x = 127 + static_cast<int>(expected_px) - 3;
    while (at(out, x, row)[1] < 0.5 * (dark + white)) ++x;
    const double before = at(out, x - 1, row)[1], after = at(out, x, row)[1];
    const double crossing = x - 1 + (0.5 * (dark + white) - before) / (after - before);
    EXPECT_NEAR(crossing - 127.5, expected_px, 0.5);
  }
}

// Its middle fills the middle of the picture, 128 x 128 px.
Image picture_of_a_globe_without_iris(bool measured) {
  Mesh m;
  add_rectangle(m, 100, 100, 101, 101, 100, kRed);
  MaskScene scene = m.scene(128, 128, 1500);
  scene.globes[OD] = globe_at(Vec3f(0, 0, 500), Vec3f(0, 0, -1));
  scene.globes[OD].iris_radius_mm = scene.globes[OD].pupil_radius_mm = 0;
  scene.globes[OD].measured = measured;
  Image out;
  Renderer().render(scene, {}, out);
  return out;
}

TEST_CASE(a_globe_without_iris_is_white_all_over) {
  const Image out = picture_of_a_globe_without_iris(true);
  int darkest = 255;
  for (int y = 54; y < 74; ++y)
    for (int x = 54; x < 74; ++x) darkest = std::min(darkest, at(out, x, y)[1]);
  EXPECT(darkest > 150);
}

TEST_CASE(a_globe_that_stands_for_nothing_measured_is_grey_all_over) {
  const Image out = picture_of_a_globe_without_iris(false);
  for (int y = 54; y < 74; ++y)
    for (int x = 54; x < 74; ++x) {
      const auto [b, g, r] = at(out, x, y);
      EXPECT(b == g && g == r && g > 40 && g < 150);
    }
}

TEST_CASE(skin_covers_the_globe_unless_it_lies_well_inside) {
  const Vec3f centre(0, 0, 500);
  for (const auto& [inside_mm, covered] : {std::pair{-2.0f, true}, {0.0f, true}, {0.3f, true}, {3.0f, false}}) {
    Mesh m;
    add_rectangle(m, -3, -3, 3, 3, 500 - 12 + inside_mm, kRed);
    MaskScene scene = m.scene(128, 128, 3000);
    scene.globes[OD] = globe_at(centre, Vec3f(0, 0, -1));
    Image out;
    Renderer().render(scene, {}, out);
    EXPECT(is_reddish(out, 64, 64) == covered);
    EXPECT(!is_reddish(out, 64, 100) && !is_background(out, 64, 100));
  }
}

TEST_CASE(the_upper_lid_shades_the_globe_below_it) {
  Mesh m;
  add_rectangle(m, -20, -20, 20, -4, 485, kRed);  // y down: covers the upper third
  MaskScene scene = m.scene(256, 256, 3000);
  scene.globes[OD] = globe_at(Vec3f(0, 0, 500), Vec3f(0, 0, -1));
  scene.globes[OD].iris_radius_mm = 0;
  Image out;
  Renderer().render(scene, {}, out);
  const int edge = 127 - static_cast<int>(4 * 3000 / 485.0);
  EXPECT(is_reddish(out, 128, edge - 4));
  EXPECT(at(out, 128, edge + 2)[1] + 20 < at(out, 128, edge + 20)[1]);
}

TEST_CASE(pictures_repeat_whatever_came_between) {
  std::mt19937 random(2);
  const Mesh first = random_mesh(random, 300, 500, 80), other = random_mesh(random, 50, 900, 200);
  MaskScene scene = first.scene(200, 150, 250);
  scene.globes[OD] = globe_at(Vec3f(-30, 0, 250), Vec3f(0.1f, 0, -1));
  scene.globes[OS] = globe_at(Vec3f(30, 0, 250), Vec3f(-0.1f, 0, -1));
  Renderer renderer;
  Image a, b, between;
  renderer.render(scene, {}, a);
  renderer.render(other.scene(333, 77, 100), {}, between);
  renderer.render(scene, {}, b);
  EXPECT(a.bgr == b.bgr);
  Renderer().render(scene, {}, between);
  EXPECT(a.bgr == between.bgr);
}

TEST_CASE(nothing_is_allocated_after_the_first_picture) {
  std::mt19937 random(3);
  Mesh m = random_mesh(random, 400, 700, 100);
  MaskScene scene = m.scene(160, 120, 200);
  scene.globes[OD] = globe_at(Vec3f(0, 0, 250), Vec3f(0, 0, -1));
  Renderer renderer;
  Image out;
  renderer.render(scene, {}, out);
  const std::size_t before = allocations;
  for (int i = 0; i < 5; ++i) {
    m.vertices.array() *= 0.97f;
    renderer.render(scene, {}, out);
  }
  EXPECT(allocations == before);
}

TEST_CASE(any_vertices_are_drawn_or_left_out) {
  std::mt19937 random(4);
  std::uniform_int_distribution<int> chance(0, 19), size(1, 90);
  const float odd[] = {kNan, kInf, -kInf, 0.0f, -5.0f, 1.0f, 1.0001f, 1e-30f, 1e30f, -1e30f, 3e38f, 1e7f};
  std::uniform_int_distribution<int> which(0, static_cast<int>(std::size(odd)) - 1);
  Renderer renderer;
  Image out;
  for (int round = 0; round < 400; ++round) {
    Mesh m = random_mesh(random, 60, 90, round % 3 == 0 ? 600.0f : 100.0f);
    if (round % 2)
      for (int i = 0; i < m.vertices.size(); ++i)
        if (chance(random) == 0) m.vertices.data()[i] = odd[which(random)];
    if (round % 5 == 0) m.albedo(7, 1) = kNan, m.albedo(8, 0) = -kInf, m.albedo(9, 2) = 1e30f;
    MaskScene scene = m.scene(size(random), size(random), 100);
    if (round % 7 == 0) scene.camera.cx = -1e5;
    for (Globe& g : scene.globes) {
      g = globe_at(m.vertices.row(5), m.vertices.row(6));
      if (round % 4 == 0) g.radius_mm = 250;
    }
    renderer.render(scene, {}, out);
    EXPECT(out.bgr.size() == static_cast<std::size_t>(out.width) * out.height * 3);
  }
}

TEST_CASE(a_vertex_that_is_not_finite_takes_only_its_triangles_away) {
  Mesh m;
  add_rectangle(m, -20, -20, -2, 20, 100, kRed);
  add_rectangle(m, 2, -20, 20, 20, 100, kBlue);
  m.vertices(0, 1) = kNan;  // both triangles of the first
  Image out;
  Renderer().render(m.scene(64, 64, 100), {}, out);
  EXPECT(is_background(out, 20, 32));
  EXPECT(is_bluish(out, 43, 32));
}

TEST_CASE(large_pictures_work) {
  Mesh m;
  add_rectangle(m, -100, -100, 100, 100, 100, kRed);
  Image out;
  Renderer().render(m.scene(3840, 2160, 1000), {}, out);
  EXPECT(is_reddish(out, 1920, 1080));
  EXPECT(is_background(out, 10, 1080));
}

template <class Scene>
bool throws(const Scene& scene) {
  Image out;
  try {
    Renderer().render(scene, {}, out);
  } catch (const Error&) {
    return true;
  }
  return false;
}

TEST_CASE(wrong_scenes_are_errors) {
  Mesh m;
  add_rectangle(m, -2, -2, 2, 2, 100, kRed);
  EXPECT(!throws(m.scene(8, 8, 10)));
  EXPECT(throws(m.scene(0, 8, 10)));
  EXPECT(throws(m.scene(8, 8, 0)));
  EXPECT(throws(m.scene(8, 8, std::nan(""))));
  m.triangles(1, 2) = 4;
  EXPECT(throws(m.scene(8, 8, 10)));
  m.triangles(1, 2) = -1;
  EXPECT(throws(m.scene(8, 8, 10)));
  m.triangles(1, 2) = 0;
  m.albedo.conservativeResize(3, 3);
  EXPECT(throws(m.scene(8, 8, 10)));
  MaskScene nothing = m.scene(8, 8, 10);
  nothing.vertices = nullptr;
  EXPECT(throws(nothing));
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
