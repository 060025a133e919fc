// The mask's kernels against their twins, and the whole of it against the CPU's picture of the shipped models.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "cuda/gpu.hpp"
#include "cuda/mask/gpu_painter.hpp"
#include "cuda_twins/twins.hpp"
#include "device_allocations.hpp"
#include "geometry/check.hpp"
#include "geometry/larger.hpp"
#include "geometry/rotation.hpp"
#include "models_dir.hpp"

using namespace dmask;
using namespace dmask::cuda;

namespace {

const Models& models() {
  static const Models loaded = Models::load(test::models_dir(), test::models_dir());
  return loaded;
}

MaskSubject subject() {
  MaskSubject s;
  s.identity.setZero(10);
  for (int eye = 0; eye < 2; ++eye) {
    s.eyes[eye].shape.setConstant(models().eyelid[eye].shape.cols(), 0.3f);
    s.eyes[eye].centre = models().eyelid[eye].centre;
    s.eyes[eye].patch_offset = {0.3f, -0.2f, 0.1f};
    s.eyes[eye].patch_roll = 0.04f;
  }
  return s;
}

MaskFrame frame_at(double yaw_deg, double pitch_deg, double roll_deg, const Vec3f& translation) {
  MaskFrame f;
  f.face = true;
  f.turn_to(head_rotation({yaw_deg, pitch_deg, roll_deg}).cast<float>());
  f.translation = translation;
  f.units.setZero(models().face.units());
  for (int u = 0; u < f.units.size(); ++u) f.units[u] = u % 6 == 0 ? 0.4f : u % 6 == 1 ? 5e-4f : 0.0f;
  for (int eye = 0; eye < 2; ++eye) {
    f.eyes[eye].look = MaskFrame::EyeLook::iris;
    f.eyes[eye].yaw = 0.2f;
    f.eyes[eye].pitch = -0.1f;
    f.eyes[eye].motion = 0.3f * models().eyelid[eye].named("blink_mid");
  }
  return f;
}

MaskFrame with_closed_eyes(MaskFrame f) {
  for (int eye = 0; eye < 2; ++eye) {
    f.eyes[eye].look = MaskFrame::EyeLook::lids;
    f.eyes[eye].motion = models().eyelid[eye].named("blink_full");
  }
  return f;
}

MaskFrame with_open_mouth(MaskFrame f) {
  f.units.setZero();
  f.units[models().face.unit("jawOpen")] = 0.5f;
  for (const char* name : {"mouthUpperUp_L", "mouthUpperUp_R", "mouthSmile_L", "mouthSmile_R"})
    f.units[models().face.unit(name)] = 0.5f;
  return f;
}

// `share_pct`: of pixels that differ by more than two grey levels in some channel.
struct Difference {
  double share_pct = 0, mean = 0, worst = 0;
};

Difference between(const Image& a, const Image& b) {
  Difference d;
  if (a.width != b.width || a.height != b.height || a.bgr.size() != b.bgr.size()) return {100, 255, 255};
  for (std::size_t i = 0; i < a.bgr.size(); i += 3) {
    int most = 0;
    for (int c = 0; c < 3; ++c) {
      const int off = std::abs(a.bgr[i + c] - b.bgr[i + c]);
      most = std::max(most, off);
      d.mean += off;
    }
    d.share_pct += most > 2;
    d.worst = larger(d.worst, most);
  }
  d.share_pct *= 300.0 / static_cast<double>(a.bgr.size());
  d.mean /= static_cast<double>(a.bgr.size());
  return d;
}

void expect_same_picture(const char* what, const MaskFrame& frame, int width, int height) {
  static MaskPainter cpu(models(), subject());
  static const std::unique_ptr<Painter> gpu = make_gpu_painter(models(), subject());
  Image want, got;
  cpu.paint(frame, width, height, want);
  gpu->paint(frame, width, height, got);
  const Difference d = between(want, got);
  const double vertices_mm = frame.face ? largest_difference(cpu.vertices(), gpu->vertices()) : 0;
  std::printf("%s, %d x %d: %.4f %% of pixels off by more than 2, mean %.5f, worst %.0f; vertices %.2g mm\n", what,
              width, height, d.share_pct, d.mean, d.worst, vertices_mm);
  EXPECT(d.share_pct < 0.1);
  EXPECT(d.mean < 0.02 || (width * height == 1 && d.worst <= 1));
  EXPECT(vertices_mm < 1e-3);
}

TEST_CASE(pictures_are_those_of_the_cpu) {
  const Vec3f ahead(0, 0, 520);
  expect_same_picture("ahead", frame_at(0, 0, 0, ahead), 512, 512);
  expect_same_picture("turned", frame_at(40, -10, 8, ahead), 333, 251);
  expect_same_picture("turned the other way", frame_at(-60, 15, -12, ahead), 140, 150);
  expect_same_picture("closed eyes", with_closed_eyes(frame_at(10, 5, 0, ahead)), 161, 143);
  expect_same_picture("an open mouth", with_open_mouth(frame_at(0, 0, 0, Vec3f(0, -60, 260))), 300, 200);
  expect_same_picture("an open mouth from aside", with_open_mouth(frame_at(-50, 20, 0, Vec3f(0, -60, 260))), 150, 140);
  expect_same_picture("beyond the frame", frame_at(-15, 0, 20, Vec3f(60, -30, 160)), 150, 110);
  expect_same_picture("an eye at the upper edge", frame_at(0, 0, 0, Vec3f(0, -40, 200)), 160, 120);
  expect_same_picture("reaching the lens", frame_at(0, 0, 0, Vec3f(0, 0, 60)), 96, 64);
  expect_same_picture("beside the frame", frame_at(0, 0, 0, Vec3f(2000, 0, 500)), 96, 64);
  expect_same_picture("one pixel", frame_at(0, 0, 0, ahead), 1, 1);
  MaskFrame none = frame_at(0, 0, 0, ahead);
  none.face = false;
  expect_same_picture("no face", none, 64, 48);
}

TEST_CASE(runs_are_equal_to_the_bit_in_any_order_of_threads) {
  const MaskFrame frame = frame_at(25, 0, 0, Vec3f(0, 0, 420));
  Image first, again;
  const char* before = std::getenv("DMASK_CUDA_HOST_SEED");
  const std::string kept = before != nullptr ? before : "1";
  make_gpu_painter(models(), subject())->paint(frame, 120, 90, first);
  for (const char* seed : {"1", "23"}) {
    setenv("DMASK_CUDA_HOST_SEED", seed, 1);
    make_gpu_painter(models(), subject())->paint(frame, 120, 90, again);
    EXPECT(first.bgr == again.bgr);
  }
  setenv("DMASK_CUDA_HOST_SEED", kept.c_str(), 1);
}

TEST_CASE(pictures_repeat_and_nothing_is_allocated_for_a_size_seen_before) {
  const std::unique_ptr<Painter> painter = make_gpu_painter(models(), subject());
  const MaskFrame one = frame_at(0, 0, 0, Vec3f(0, 0, 480)),
                  other = with_closed_eyes(frame_at(30, 0, 0, Vec3f(9, 0, 450)));
  Image plain, between_them, replayed;
  painter->paint(one, 96, 80, plain);
  const long before = test::device_allocations();
  painter->paint(other, 96, 80, between_them);
  painter->paint(one, 96, 80, replayed);
  EXPECT(plain.bgr == replayed.bgr);
  EXPECT(plain.bgr != between_them.bgr);
  painter->paint(other, 60, 44, between_them);  // smaller: buffers are kept
  painter->paint(one, 96, 80, replayed);
  EXPECT(plain.bgr == replayed.bgr);
  EXPECT(test::device_allocations() == before);
}

// An array on the device.
template <class T>
class OnDevice {
 public:
  OnDevice(std::vector<T> host, const Stream& stream) : buffer_(host.size()), host_(std::move(host)), stream_(stream) {
    upload(host_.data(), host_.size(), buffer_.get(), stream.get());
  }
  T* get() const { return buffer_.get(); }
  const std::vector<T>& back() {
    download(buffer_.get(), host_.size(), host_.data(), stream_.get());
    stream_.wait();
    return host_;
  }

 private:
  DeviceBuffer<T> buffer_;
  std::vector<T> host_;
  const Stream& stream_;
};

template <class T>
double worst(const std::vector<T>& a, const std::vector<T>& b) {  // of structs of floats
  static_assert(sizeof(T) % sizeof(float) == 0);
  const auto *x = reinterpret_cast<const float*>(a.data()), *y = reinterpret_cast<const float*>(b.data());
  double most = 0;
  for (std::size_t i = 0; i < a.size() * sizeof(T) / sizeof(float); ++i)
    most = larger(most, std::abs(x[i] - y[i]) / (1 + std::abs(y[i])));
  return most;
}

template <class T>
double share_of_others(const std::vector<T>& a, const std::vector<T>& b) {
  double others = 0;
  for (std::size_t i = 0; i < a.size(); ++i) others += a[i] != b[i];
  return others / static_cast<double>(a.size());
}

// A random mesh before two globes, and what each kernel's twin makes of it: a kernel is given what the twins made of the
// stages before it.
struct TwinScene {
  static constexpr int face = 200, own = 30, vertices = face + 10, units = 5, motions = 3, brows = 2, triangles = 1500;
  static constexpr int width = 150, height = 70, pixels = width * height, bins = 2;
  static constexpr std::uint32_t grey = 0xececec;
  struct Patch {
    std::vector<float> base, motion, brow, blend;
    std::vector<std::uint8_t> on_globe, inner_edge;
  };

  TwinScene() {
    make_view();
    make_patches();
    pose_mask_twin(pose, position.data(), screen.data());
    posed_position = position;
    posed_screen = screen;
    make_mesh();
    shade_skin_twin({vertices, vertex.data(), first.data(), incident.data(), albedo.data(), position.data()},
                    colour.data());
    set_up_triangles_twin({triangles, width, height, vertex.data(), screen.data(), colour.data()},
                          {triangle.data(), box.data(), back.data()});
    bin_triangles_twin({triangles, width, height, box.data(), back.data()}, {list.data(), count.data()});
    draw_mask_twin(draw(), {inv_depth.data(), pixel.data()});
    sample_mask_twin(draw(), {inv_depth.data(), pixel.data()}, {sampled.data(), seen.data(), sum.data()});
  }
  TwinScene(const TwinScene&) = delete;  // `pose` points into it

  DrawArguments draw() const {
    return {triangles, width, height, triangle.data(), box.data(), list.data(), count.data(), &view, grey};
  }

  std::mt19937 random{7};
  std::uniform_real_distribution<float> around{-60, 60}, near{-9, 9}, tone{0, 1}, small{-1, 1};
  std::vector<float> neutral = numbers(3 * face, around), unit = numbers(3 * face * units, small);
  std::vector<float> weights = numbers(units + 2 * motions, small);
  std::vector<int> brow_unit = {0, 3}, patch_vertex = std::vector<int>(vertices, -1);
  MaskView view{{1, 0, 0, 0, -1, 0, 0, 0, -1}, {2, 3, 300}, 200, 74.5f, 34.5f, {}};
  std::array<Patch, 2> patch;
  PoseArguments pose{};
  std::vector<Position> position{vertices}, posed_position;  // with a vertex that is nowhere, and as it was posed
  std::vector<raster::ScreenVertex> screen{vertices}, posed_screen;
  std::vector<int> vertex = std::vector<int>(3 * triangles), first = std::vector<int>(vertices + 1), incident;
  std::vector<float> albedo;
  std::vector<Colour> colour{vertices};
  std::vector<ScreenTriangle> triangle{triangles};
  std::vector<TriangleBox> box{triangles};
  std::vector<std::uint8_t> back = std::vector<std::uint8_t>(triangles);
  std::vector<int> list = std::vector<int>(bins * triangles), count = std::vector<int>(2 * bins);
  std::vector<float> inv_depth = std::vector<float>(pixels);
  std::vector<std::uint32_t> pixel = std::vector<std::uint32_t>(pixels), sampled = pixel;
  std::vector<std::uint8_t> seen = std::vector<std::uint8_t>(2 * pixels);
  std::vector<LightSum> sum = std::vector<LightSum>(pixels, LightSum{0, 0, 0});

 private:
  std::vector<float> numbers(int how_many, std::uniform_real_distribution<float>& from) {
    std::vector<float> v(static_cast<std::size_t>(how_many));
    for (float& x : v) x = from(random);
    return v;
  }

  void make_view() {
    const Camera camera{200, 74.5, 34.5, width, height};
    Globe globe;
    globe.visible = true;
    for (int eye = 0; eye < 2; ++eye) {
      // They overlap, and reach the upper edge.
      globe.centre = Vec3f(eye == OD ? -35.0f : -20.0f, -20, 262 - 4.0f * eye);
      globe.radius_mm = 14;
      globe.axis = Vec3f(0.2f, 0.1f, -1);
      view.globes[eye] = view_globe(globe, camera);
    }
  }

  void make_patches() {
    weights[1] = 5e-4f;
    for (int v = 0; v < own; ++v) patch_vertex[3 * v] = 2 * v;                              // OD, within the face
    for (int v = 0; v < own; ++v) patch_vertex[v < 10 ? face + v : 3 * v + 1] = 2 * v + 1;  // OS, some added
    pose.vertices = vertices, pose.face_vertices = face;
    pose.units = units, pose.motions = motions, pose.brow_units = brows;
    pose.neutral = neutral.data(), pose.unit = unit.data(), pose.weights = weights.data();
    pose.brow_unit = brow_unit.data(), pose.patch_vertex = patch_vertex.data();
    pose.view = &view;
    for (int eye = 0; eye < 2; ++eye) {
      Patch& p = patch[eye];
      p.base = numbers(3 * own, near);
      p.motion = numbers(3 * own * motions, small);
      p.brow = numbers(3 * own * brows, small);
      p.blend = numbers(own, tone);
      p.on_globe.resize(own), p.inner_edge.resize(own);
      for (int v = 0; v < own; ++v) p.on_globe[v] = v % 3 == 0, p.inner_edge[v] = v % 3 == 1;
      PatchArrays& a = pose.patches[eye];
      a = {p.base.data(),
           p.motion.data(),
           p.brow.data(),
           p.blend.data(),
           p.on_globe.data(),
           p.inner_edge.data(),
           own,
           0.995f,
           0.0999f,
           {0.3f, 0.2f, 0.1f},
           {eye == OD ? -30.0f : 30.0f, 10, 40}};
    }
  }

  void make_mesh() {
    position[17] = {0, 0, 0, 0};  // a vertex that is nowhere takes its triangles away
    screen[17] = {};
    std::uniform_int_distribution<int> pick(0, vertices - 1);
    for (int t = 0; t < triangles; ++t) {  // small ones, of both sides
      vertex[3 * t] = pick(random);
      for (int k = 1; k < 3; ++k) vertex[3 * t + k] = (vertex[3 * t] + k * (1 + pick(random) % 7)) % vertices;
    }
    for (int v = 0; v < vertices; ++v) {
      first[v] = static_cast<int>(incident.size());
      for (int i = 0; i < 3 * triangles; ++i)
        if (vertex[i] == v) incident.push_back(i / 3);
    }
    first[vertices] = static_cast<int>(incident.size());
    albedo = numbers(3 * vertices, tone);
  }
};

const TwinScene& scene() {
  static const TwinScene made;
  return made;
}

// What the drawing kernels read, on the device.
struct DrawnOnDevice {
  explicit DrawnOnDevice(const Stream& stream)
      : triangle(scene().triangle, stream),
        box(scene().box, stream),
        list(scene().list, stream),
        count(scene().count, stream),
        view({scene().view}, stream) {}
  DrawArguments arguments() const {
    using S = TwinScene;
    return {S::triangles, S::width, S::height, triangle.get(), box.get(), list.get(), count.get(), view.get(), S::grey};
  }
  OnDevice<ScreenTriangle> triangle;
  OnDevice<TriangleBox> box;
  OnDevice<int> list, count;
  OnDevice<MaskView> view;
};

TEST_CASE(posing_is_its_twin) {
  const TwinScene& s = scene();
  Stream stream;
  OnDevice neutral(s.neutral, stream), unit(s.unit, stream), weights(s.weights, stream);
  OnDevice brow_unit(s.brow_unit, stream), patch_vertex(s.patch_vertex, stream);
  OnDevice view(std::vector<MaskView>{s.view}, stream);
  OnDevice position(std::vector<Position>(s.vertices), stream);
  OnDevice screen(std::vector<raster::ScreenVertex>(s.vertices), stream);
  PoseArguments args = s.pose;
  args.neutral = neutral.get(), args.unit = unit.get(), args.weights = weights.get(), args.view = view.get();
  args.brow_unit = brow_unit.get(), args.patch_vertex = patch_vertex.get();
  std::vector<std::unique_ptr<OnDevice<float>>> numbers;  // they live until the kernel has run
  std::vector<std::unique_ptr<OnDevice<std::uint8_t>>> marks;
  const auto put = [&](auto& kept, const auto& host, auto& pointer) {
    kept.push_back(std::make_unique<typename std::decay_t<decltype(kept)>::value_type::element_type>(host, stream));
    pointer = kept.back()->get();
  };
  for (int eye = 0; eye < 2; ++eye) {
    const TwinScene::Patch& p = s.patch[eye];
    PatchArrays& a = args.patches[eye];
    put(numbers, p.base, a.base), put(numbers, p.motion, a.motion);
    put(numbers, p.brow, a.brow), put(numbers, p.blend, a.blend);
    put(marks, p.on_globe, a.on_globe), put(marks, p.inner_edge, a.inner_edge);
  }
  pose_mask(args, position.get(), screen.get(), stream.get());
  const double off_mm = worst(position.back(), s.posed_position), off_px = worst(screen.back(), s.posed_screen);
  std::printf("pose_mask: %.2g, in the picture %.2g (relative)\n", off_mm, off_px);
  EXPECT(off_mm < 1e-5);
  EXPECT(off_px < 1e-5);
}

TEST_CASE(shading_is_its_twin) {
  const TwinScene& s = scene();
  Stream stream;
  OnDevice vertex(s.vertex, stream), first(s.first, stream), incident(s.incident, stream);
  OnDevice albedo(s.albedo, stream);
  OnDevice position(s.position, stream);
  OnDevice colour(std::vector<Colour>(s.vertices), stream);
  shade_skin({s.vertices, vertex.get(), first.get(), incident.get(), albedo.get(), position.get()}, colour.get(),
             stream.get());
  const double off = worst(colour.back(), s.colour);
  std::printf("shade_skin: %.2g (relative)\n", off);
  EXPECT(off < 1e-4);
}

TEST_CASE(setting_up_triangles_is_its_twin) {
  const TwinScene& s = scene();
  Stream stream;
  OnDevice vertex(s.vertex, stream);
  OnDevice screen(s.screen, stream);
  OnDevice colour(s.colour, stream);
  OnDevice triangle(std::vector<ScreenTriangle>(s.triangles), stream);
  OnDevice box(std::vector<TriangleBox>(s.triangles), stream);
  OnDevice back(std::vector<std::uint8_t>(s.triangles), stream);
  set_up_triangles({s.triangles, s.width, s.height, vertex.get(), screen.get(), colour.get()},
                   {triangle.get(), box.get(), back.get()}, stream.get());
  std::vector<ScreenTriangle> got = triangle.back();
  int drawn = 0, backs = 0;
  for (int t = 0; t < s.triangles; ++t) {
    const bool shown = s.box[t].x0 < s.box[t].x1;
    drawn += shown, backs += shown && s.back[t];
    if (!shown) got[t] = s.triangle[t];  // never written, never read
  }
  EXPECT(drawn > s.triangles / 2 && backs > s.triangles / 8);
  EXPECT(worst(got, s.triangle) < 1e-6);
  EXPECT(std::memcmp(box.back().data(), s.box.data(), sizeof(TriangleBox) * s.triangles) == 0);
  EXPECT(back.back() == s.back);
}

TEST_CASE(binning_triangles_is_its_twin) {
  const TwinScene& s = scene();
  Stream stream;
  OnDevice box(s.box, stream);
  OnDevice back(s.back, stream);
  constexpr int untouched = -1;
  OnDevice list(std::vector<int>(s.list.size(), untouched), stream), count(std::vector<int>(s.count.size()), stream);
  bin_triangles({s.triangles, s.width, s.height, box.get(), back.get()}, {list.get(), count.get()}, stream.get());
  EXPECT(count.back() == s.count);
  EXPECT(s.count[0] > 0 && s.count[1] > 0);
  for (int bin = 0; bin < s.bins; ++bin) {
    const auto* got = list.back().data() + bin * s.triangles;
    const auto* expected = s.list.data() + bin * s.triangles;
    const int fronts = s.count[2 * bin], backs = s.count[2 * bin + 1];
    EXPECT(std::equal(expected, expected + fronts, got));
    EXPECT(std::equal(expected + s.triangles - backs, expected + s.triangles, got + s.triangles - backs));
    EXPECT(std::count(got + fronts, got + s.triangles - backs, untouched) == s.triangles - fronts - backs);
  }
}

TEST_CASE(drawing_is_its_twin) {
  const TwinScene& s = scene();
  Stream stream;
  const DrawnOnDevice drawn(stream);
  OnDevice inv_depth(std::vector<float>(s.pixels), stream);
  OnDevice pixel(std::vector<std::uint32_t>(s.pixels), stream);
  draw_mask(drawn.arguments(), {inv_depth.get(), pixel.get()}, stream.get());
  const double others = share_of_others(pixel.back(), s.pixel), depth = worst(inv_depth.back(), s.inv_depth);
  std::printf("draw_mask: %.3g %% other pixels, depth %.2g (relative)\n", 100 * others, depth);
  EXPECT(others < 2e-3);
  EXPECT(depth < 1e-3);
}

TEST_CASE(sampling_is_its_twin) {
  const TwinScene& s = scene();
  Stream stream;
  const DrawnOnDevice drawn(stream);
  OnDevice inv_depth(s.inv_depth, stream);
  OnDevice pixel(s.pixel, stream);
  OnDevice sampled(std::vector<std::uint32_t>(s.pixels), stream);
  OnDevice seen(std::vector<std::uint8_t>(2 * s.pixels), stream);
  OnDevice sum(std::vector<LightSum>(s.pixels, LightSum{0, 0, 0}), stream);
  sample_mask(drawn.arguments(), {inv_depth.get(), pixel.get()}, {sampled.get(), seen.get(), sum.get()}, stream.get());
  const double others = share_of_others(sampled.back(), s.sampled), seen_others = share_of_others(seen.back(), s.seen);
  std::printf("sample_mask: %.3g %% other pixels, %.3g %% other samples of eyeballs\n", 100 * others,
              100 * seen_others);
  EXPECT(others < 2e-3);
  EXPECT(seen_others < 2e-3);
}

TEST_CASE(resolving_is_its_twin) {
  const TwinScene& s = scene();
  std::vector<std::uint32_t> sampled_host = s.sampled;
  std::vector<std::uint8_t> seen_host = s.seen, expected(3 * s.pixels);
  std::vector<LightSum> sum_host = s.sum;
  resolve_mask_twin({s.width, s.height, &s.view, {sampled_host.data(), seen_host.data(), sum_host.data()}},
                    expected.data());
  Stream stream;
  OnDevice sampled(s.sampled, stream);
  OnDevice seen(s.seen, stream);
  OnDevice sum(s.sum, stream);
  OnDevice view(std::vector<MaskView>{s.view}, stream);
  OnDevice bgr(std::vector<std::uint8_t>(3 * s.pixels), stream);
  resolve_mask({s.width, s.height, view.get(), {sampled.get(), seen.get(), sum.get()}}, bgr.get(), stream.get());
  const std::vector<std::uint8_t>& got = bgr.back();
  int most = 0, eyeballs = 0;
  for (int i = 0; i < 3 * s.pixels; ++i) most = std::max(most, std::abs(got[i] - expected[i]));
  for (const std::uint32_t c : s.sampled) eyeballs += (c & globe_flag) != 0;
  std::printf("resolve_mask: %d grey levels; %d pixels see an eyeball\n", most, eyeballs);
  EXPECT(most <= 1);
  EXPECT(eyeballs > 100);
}

TEST_CASE(frames_of_other_models_are_errors) {
  const std::unique_ptr<Painter> painter = make_gpu_painter(models(), subject());
  const auto throws = [&](const MaskFrame& frame, int width, int height) {
    Image out;
    try {
      painter->paint(frame, width, height, out);
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  MaskFrame frame = frame_at(0, 0, 0, Vec3f(0, 0, 500));
  EXPECT(throws(frame, 0, 10));
  EXPECT(throws(frame, 10, 20000));
  frame.units.conservativeResize(7);
  EXPECT(throws(frame, 10, 10));
  frame = frame_at(0, 0, 0, Vec3f(0, 0, 500));
  frame.eyes[OS].motion.conservativeResize(2);
  EXPECT(throws(frame, 10, 10));
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
