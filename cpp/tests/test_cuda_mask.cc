// The mask's kernels under emulation against their twins, and the whole of it against the CPU's picture of the shipped
// models.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "cuda/gpu.hpp"
#include "cuda/mask/gpu_painter.hpp"
#include "cuda_twins/twins.hpp"
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
    f.eyes[eye].gaze = true;
    f.eyes[eye].yaw = 0.2f;
    f.eyes[eye].pitch = -0.1f;
    f.eyes[eye].motion = 0.3f * models().eyelid[eye].named("blink_mid");
  }
  return f;
}

MaskFrame with_closed_eyes(MaskFrame f) {
  for (int eye = 0; eye < 2; ++eye) {
    f.eyes[eye].gaze = false;
    f.eyes[eye].motion = models().eyelid[eye].named("blink_full");
  }
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
  const long before = cuda_host::allocations();
  painter->paint(other, 96, 80, between_them);
  painter->paint(one, 96, 80, replayed);
  EXPECT(plain.bgr == replayed.bgr);
  EXPECT(plain.bgr != between_them.bgr);
  painter->paint(other, 60, 44, between_them);  // smaller: buffers are kept
  painter->paint(one, 96, 80, replayed);
  EXPECT(plain.bgr == replayed.bgr);
  EXPECT(cuda_host::allocations() == before);
}

// A random mesh before two globes, through every kernel: each is given what the twins made of the stage before.
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

TEST_CASE(kernels_are_their_twins) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> around(-60, 60), tone(0, 1), small(-1, 1);
  constexpr int face = 200, own = 30, vertices = face + 10, units = 5, motions = 3, brows = 2, triangles = 1500;
  constexpr int width = 150, height = 70, pixels = width * height, bins = 2;
  const auto numbers = [&](int count, auto& from) {
    std::vector<float> v(static_cast<std::size_t>(count));
    for (float& x : v) x = from(random);
    return v;
  };
  Stream stream;
  const auto device = [&](const auto& v) { return OnDevice(v, stream); };

  const std::vector<float> neutral = numbers(3 * face, around), unit = numbers(3 * face * units, small);
  std::vector<float> weights = numbers(units + 2 * motions, small);
  weights[1] = 5e-4f;
  const std::vector<int> brow_unit = {0, 3};
  std::vector<int> patch_vertex(vertices, -1);
  for (int v = 0; v < own; ++v) patch_vertex[3 * v] = 2 * v;                      // OD, within the face
  for (int v = 0; v < own; ++v) patch_vertex[v < 10 ? face + v : 3 * v + 1] = 2 * v + 1;  // OS, some added
  Camera camera{200, 74.5, 34.5, width, height};
  MaskView view{{1, 0, 0, 0, -1, 0, 0, 0, -1}, {2, 3, 300}, 200, 74.5f, 34.5f, {}};
  Globe globe;
  globe.visible = true;
  for (int eye = 0; eye < 2; ++eye) {
    globe.centre = Vec3f(eye == OD ? -35.0f : -20.0f, -20, 262 - 4.0f * eye);  // they overlap, and reach the upper edge
    globe.radius_mm = 14;
    globe.axis = Vec3f(0.2f, 0.1f, -1);
    view.globes[eye] = view_globe(globe, camera);
  }

  struct Patch {
    std::vector<float> base, motion, brow, blend;
    std::vector<std::uint8_t> on_globe, inner_edge;
  };
  std::vector<Patch> patch(2);
  PoseArguments pose{vertices,
                     face,
                     units,
                     motions,
                     brows,
                     neutral.data(),
                     unit.data(),
                     brow_unit.data(),
                     patch_vertex.data(),
                     {},
                     &view,
                     weights.data()};
  for (int eye = 0; eye < 2; ++eye) {
    Patch& p = patch[eye];
    std::uniform_real_distribution<float> near(-9, 9);
    p = {numbers(3 * own, near), numbers(3 * own * motions, small), numbers(3 * own * brows, small),
         numbers(own, tone),     std::vector<std::uint8_t>(own),    std::vector<std::uint8_t>(own)};
    for (int v = 0; v < own; ++v) p.on_globe[v] = v % 3 == 0, p.inner_edge[v] = v % 3 == 1;
    pose.patches[eye] = {p.base.data(),
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
  std::vector<Position> position(vertices), nowhere(vertices);
  std::vector<raster::ScreenVertex> screen(vertices);
  pose_mask_twin(pose, position.data(), screen.data());
  auto view_d = device(std::vector<MaskView>{view});
  auto position_d = device(nowhere);
  auto screen_d = device(std::vector<raster::ScreenVertex>(vertices));
  {
    auto neutral_d = device(neutral), unit_d = device(unit), weights_d = device(weights);
    auto brow_unit_d = device(brow_unit), patch_vertex_d = device(patch_vertex);
    auto base0 = device(patch[0].base), base1 = device(patch[1].base), motion0 = device(patch[0].motion),
         motion1 = device(patch[1].motion);
    auto brow0 = device(patch[0].brow), brow1 = device(patch[1].brow), blend0 = device(patch[0].blend),
         blend1 = device(patch[1].blend);
    auto on0 = device(patch[0].on_globe), on1 = device(patch[1].on_globe);
    auto in0 = device(patch[0].inner_edge), in1 = device(patch[1].inner_edge);
    PoseArguments args = pose;
    args.neutral = neutral_d.get(), args.unit = unit_d.get(), args.weights = weights_d.get(), args.view = view_d.get();
    args.brow_unit = brow_unit_d.get(), args.patch_vertex = patch_vertex_d.get();
    PatchArrays &a = args.patches[0], &b = args.patches[1];
    a.base = base0.get(), a.motion = motion0.get(), a.brow = brow0.get(), a.blend = blend0.get();
    b.base = base1.get(), b.motion = motion1.get(), b.brow = brow1.get(), b.blend = blend1.get();
    a.on_globe = on0.get(), a.inner_edge = in0.get(), b.on_globe = on1.get(), b.inner_edge = in1.get();
    pose_mask(args, position_d.get(), screen_d.get(), stream.get());
    const double off_mm = worst(position_d.back(), position), off_px = worst(screen_d.back(), screen);
    std::printf("pose_mask: %.2g, in the picture %.2g (relative)\n", off_mm, off_px);
    EXPECT(off_mm < 1e-5);
    EXPECT(off_px < 1e-5);
  }

  // A vertex that is nowhere takes its triangles away.
  position[17] = {0, 0, 0, 0};
  screen[17] = {};
  std::uniform_int_distribution<int> pick(0, vertices - 1);
  std::vector<int> vertex(3 * triangles), first(vertices + 1), incident;
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
  const std::vector<float> albedo = numbers(3 * vertices, tone);
  std::vector<Colour> colour(vertices);
  auto vertex_d = device(vertex);
  auto position_in = device(position);
  auto screen_in = device(screen);
  shade_skin_twin({vertices, vertex.data(), first.data(), incident.data(), albedo.data(), position.data()},
                  colour.data());
  {
    auto first_d = device(first), incident_d = device(incident);
    auto albedo_d = device(albedo);
    auto colour_d = device(std::vector<Colour>(vertices));
    shade_skin({vertices, vertex_d.get(), first_d.get(), incident_d.get(), albedo_d.get(), position_in.get()},
               colour_d.get(), stream.get());
    const double off = worst(colour_d.back(), colour);
    std::printf("shade_skin: %.2g (relative)\n", off);
    EXPECT(off < 1e-4);
  }

  std::vector<ScreenTriangle> triangle(triangles);
  std::vector<TriangleBox> box(triangles);
  std::vector<std::uint8_t> back(triangles);
  set_up_triangles_twin({triangles, width, height, vertex.data(), screen.data(), colour.data()},
                        {triangle.data(), box.data(), back.data()});
  auto triangle_d = device(triangle);
  auto box_d = device(box);
  auto back_d = device(back);
  {
    auto colour_d = device(colour);
    auto fresh = device(std::vector<ScreenTriangle>(triangles));
    auto fresh_box = device(std::vector<TriangleBox>(triangles));
    auto fresh_back = device(std::vector<std::uint8_t>(triangles));
    set_up_triangles({triangles, width, height, vertex_d.get(), screen_in.get(), colour_d.get()},
                     {fresh.get(), fresh_box.get(), fresh_back.get()}, stream.get());
    std::vector<ScreenTriangle> got = fresh.back();
    int drawn = 0, backs = 0;
    for (int t = 0; t < triangles; ++t) {
      const bool shown = box[t].x0 < box[t].x1;
      drawn += shown, backs += shown && back[t];
      if (!shown) got[t] = triangle[t];  // never written, never read
    }
    EXPECT(drawn > triangles / 2 && backs > triangles / 8);
    EXPECT(worst(got, triangle) < 1e-6);
    EXPECT(std::memcmp(fresh_box.back().data(), box.data(), sizeof(TriangleBox) * triangles) == 0);
    EXPECT(fresh_back.back() == back);
  }

  std::vector<int> list(bins * triangles), count(2 * bins);
  bin_triangles_twin({triangles, width, height, box.data(), back.data()}, {list.data(), count.data()});
  auto list_d = device(list);
  auto count_d = device(count);
  {
    auto fresh = device(list);
    auto fresh_count = device(std::vector<int>(2 * bins));
    bin_triangles({triangles, width, height, box_d.get(), back_d.get()}, {fresh.get(), fresh_count.get()},
                  stream.get());
    EXPECT(fresh.back() == list);
    EXPECT(fresh_count.back() == count);
  }

  const std::uint32_t grey = 0xececec;
  const DrawArguments draw{triangles,    width, height, triangle.data(), box.data(), list.data(),
                           count.data(), &view, grey};
  const DrawArguments draw_d{triangles,     width,        height, triangle_d.get(), box_d.get(), list_d.get(),
                             count_d.get(), view_d.get(), grey};
  std::vector<float> inv_depth(pixels);
  std::vector<std::uint32_t> pixel(pixels);
  draw_mask_twin(draw, {inv_depth.data(), pixel.data()});
  auto inv_depth_d = device(inv_depth);
  auto pixel_d = device(pixel);
  {
    auto fresh_depth = device(std::vector<float>(pixels));
    auto fresh = device(std::vector<std::uint32_t>(pixels));
    draw_mask(draw_d, {fresh_depth.get(), fresh.get()}, stream.get());
    const double others = share_of_others(fresh.back(), pixel), depth = worst(fresh_depth.back(), inv_depth);
    std::printf("draw_mask: %.3g %% other pixels, depth %.2g (relative)\n", 100 * others, depth);
    EXPECT(others < 2e-3);
    EXPECT(depth < 1e-3);
  }

  std::vector<std::uint32_t> sampled(pixels);
  std::vector<std::uint8_t> seen(2 * pixels);
  std::vector<LightSum> sum(pixels, LightSum{0, 0, 0});
  sample_mask_twin(draw, {inv_depth.data(), pixel.data()}, {sampled.data(), seen.data(), sum.data()});
  {
    auto fresh = device(std::vector<std::uint32_t>(pixels));
    auto fresh_seen = device(std::vector<std::uint8_t>(2 * pixels));
    auto fresh_sum = device(std::vector<LightSum>(pixels, LightSum{0, 0, 0}));
    sample_mask(draw_d, {inv_depth_d.get(), pixel_d.get()}, {fresh.get(), fresh_seen.get(), fresh_sum.get()},
                stream.get());
    const double others = share_of_others(fresh.back(), sampled),
                 seen_others = share_of_others(fresh_seen.back(), seen);
    std::printf("sample_mask: %.3g %% other pixels, %.3g %% other samples of eyeballs\n", 100 * others,
                100 * seen_others);
    EXPECT(others < 2e-3);
    EXPECT(seen_others < 2e-3);
  }

  std::vector<std::uint8_t> bgr(3 * pixels);
  resolve_mask_twin({width, height, &view, {sampled.data(), seen.data(), sum.data()}}, bgr.data());
  {
    auto sampled_d = device(sampled);
    auto seen_d = device(seen);
    auto sum_d = device(sum);
    auto fresh = device(std::vector<std::uint8_t>(3 * pixels));
    resolve_mask({width, height, view_d.get(), {sampled_d.get(), seen_d.get(), sum_d.get()}}, fresh.get(),
                 stream.get());
    const std::vector<std::uint8_t>& got = fresh.back();
    int most = 0, eyeballs = 0;
    for (int i = 0; i < 3 * pixels; ++i) most = std::max(most, std::abs(got[i] - bgr[i]));
    for (const std::uint32_t c : sampled) eyeballs += (c & globe_flag) != 0;
    std::printf("resolve_mask: %d grey levels; %d pixels see an eyeball\n", most, eyeballs);
    EXPECT(most <= 1);
    EXPECT(eyeballs > 100);
  }
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
