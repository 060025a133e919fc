// The looks on the GPU against those on the CPU. The nets are the shipped ones, run by OpenVINO within the GPU's stream.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "check.hpp"
#include "cuda/looks/gpu_vision.hpp"
#include "cuda/runtime/device.hpp"
#include "detect/detector.hpp"
#include "detect/exposure.hpp"
#include "detect/net.hpp"
#include "detect/vision.hpp"
#include "device_allocations.hpp"
#include "geometry/check.hpp"
#include "geometry/larger.hpp"
#include "host_step.hpp"
#include "models_dir.hpp"

using namespace dmask;
using namespace dmask::cuda;

namespace {

// A DeviceNet that may be captured, as TensorRT's.
class DoubleOfNet final : public DeviceNet {
 public:
  explicit DoubleOfNet(NetOptions options) {
    net_ = make_net(options);
    for (const TensorSpec& spec : options.inputs) inputs_.emplace_back(values(spec));
    for (const TensorSpec& spec : options.outputs) outputs_.emplace_back(values(spec));
    for (const auto& input : inputs_) reads_.push_back(input.get());
    for (const auto& output : outputs_) writes_.push_back(output.get());
    step_ = std::make_unique<test::HostStep>(sizes(inputs_), sizes(outputs_), [this] { run(); });
  }

  float* input(int index) override { return inputs_.at(index).get(); }
  const float* output(int index) override { return outputs_.at(index).get(); }
  void read_input_from(int index, const float* device) override { reads_.at(index) = device; }
  void enqueue(CUstream_st* stream) override { step_->enqueue(stream, reads_, writes_); }

 private:
  void run() {
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      std::copy_n(step_->input(i), inputs_[i].size(), net_->input(static_cast<int>(i)));
    net_->infer();
    for (std::size_t i = 0; i < outputs_.size(); ++i)
      std::copy_n(net_->output(static_cast<int>(i)), outputs_[i].size(), step_->output(i));
  }
  static std::vector<std::size_t> sizes(const std::vector<DeviceBuffer<float>>& buffers) {
    std::vector<std::size_t> counts;
    for (const auto& buffer : buffers) counts.push_back(buffer.size());
    return counts;
  }
  static std::size_t values(const TensorSpec& spec) {
    std::size_t count = 1;
    for (const std::int64_t size : spec.shape) count *= static_cast<std::size_t>(size);
    return count;
  }

  std::unique_ptr<Net> net_;
  std::vector<DeviceBuffer<float>> inputs_, outputs_;
  std::vector<const float*> reads_;
  std::vector<float*> writes_;
  std::unique_ptr<test::HostStep> step_;
};

DetectorOptions options() {
  DetectorOptions o;
  o.model_dir = test::models_dir();
  o.precision = "f32";
  return o;
}

std::unique_ptr<Vision> gpu_vision() {
  return make_gpu_vision(options(), [](const NetOptions& net) { return std::make_unique<DoubleOfNet>(net); });
}

// A drawn face, `size` px wide, with dark eyes, brows, nose and mouth on a grey ground.
std::vector<std::uint8_t> drawn_face(int width, int height, double centre_x, double centre_y, double size) {
  struct Ellipse {
    double x, y, a, b, blue, green, red;  // in face widths
  };
  std::vector<Ellipse> ellipses = {
      {0, 0, 0.5, 0.68, 130, 160, 205}, {0, 0.1, 0.06, 0.14, 105, 135, 180}, {0, 0.38, 0.2, 0.05, 80, 70, 160}};
  for (const double side : {-1.0, 1.0}) {
    ellipses.push_back({0.21 * side, -0.26, 0.13, 0.025, 40, 50, 60});
    ellipses.push_back({0.21 * side, -0.13, 0.1, 0.045, 235, 235, 240});
    ellipses.push_back({0.21 * side, -0.13, 0.042, 0.042, 60, 90, 70});
    ellipses.push_back({0.21 * side, -0.13, 0.018, 0.018, 10, 10, 10});
  }
  std::vector<std::uint8_t> bgr(static_cast<std::size_t>(width) * height * 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      double level[3] = {90.0 + 40.0 * x / width, 100, 110.0 - 30.0 * y / height};
      for (const Ellipse& e : ellipses) {
        const double u = ((x - centre_x) / size - e.x) / e.a, v = ((y - centre_y) / size - e.y) / e.b;
        const double r = std::sqrt(u * u + v * v), edge = std::fmin(e.a, e.b) * size;  // px
        const double cover = std::fmin(1.0, std::fmax(0.0, (1 - r) * edge + 0.5));
        const double colour[3] = {e.blue, e.green, e.red};
        for (int c = 0; c < 3; ++c) level[c] += cover * (colour[c] - level[c]);
      }
      std::uint8_t* pixel = &bgr[(static_cast<std::size_t>(y) * width + x) * 3];
      for (int c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>(level[c] + (x * 7 + y * 13) % 3);
    }
  }
  return bgr;
}

struct Worst {
  double px = 0, confidence = 0, spread_cells = 0, sharpness = 0, pixel = 0;

  template <class Points>
  void add(const Points& got, const Points& want) {
    for (std::size_t i = 0; i < got.size(); ++i) {
      px = larger(px, std::hypot(got[i].x - want[i].x, got[i].y - want[i].y));
      confidence = larger(confidence, std::abs(got[i].confidence - want[i].confidence));
    }
  }
  void add(const EyeLids& got, const EyeLids& want) {
    for (int eye = 0; eye < 2; ++eye) add(got[eye], want[eye]);
  }
  void add(const EyesLook& got, const EyesLook& want) {
    add(got.lids, want.lids);
    for (int eye = 0; eye < 2; ++eye) {
      add(got.irises[eye], want.irises[eye]);
      for (int line = 0; line < 4; ++line) add(got.lines[eye][line], want.lines[eye][line]);
    }
  }
};

Crop face_place(double x, double y, double size) {
  return {
      {static_cast<float>(x), static_cast<float>(y)}, static_cast<float>(1.5 * size), 0.05f, false, face_px, face_px};
}

std::array<Crop, 2> eye_places(double x, double y, double size) {
  std::array<Crop, 2> crops;
  for (const int eye : {0, 1}) {
    crops[eye] = {{static_cast<float>(x + (eye ? 0.21 : -0.21) * size), static_cast<float>(y - 0.13 * size)},
                  static_cast<float>(0.35 * size),
                  0.04f,
                  eye == 0,
                  eye_width,
                  eye_height};
  }
  return crops;
}

TEST_CASE(looks_are_the_cpus_frame_after_frame_without_allocating) {
  const auto cpu = make_cpu_vision(options()), gpu = gpu_vision();
  const int width = 320, height = 240;
  Worst worst;
  long allocations = 0;
  for (int frame = 0; frame < 4; ++frame) {  // plainly, recorded, and replayed twice
    const double x = 150 + 7 * frame, y = 125 - 3 * frame, size = 130 - 9 * frame;
    auto bgr = drawn_face(width, height, x, y, size);
    if (frame % 2 == 1) {  // in the dark, where the crops are brightened
      for (std::uint8_t& level : bgr) level = static_cast<std::uint8_t>(level / 8);
    }
    const ImageView view{bgr.data(), width, height, 3, width * 3};
    if (frame == 3) allocations = test::device_allocations();
    cpu->show(view);
    gpu->show(view);
    EXPECT(gpu->thumbnail() == cpu->thumbnail());
    const FaceLook& want = cpu->look_at_face(face_place(x, y, size));
    const FaceLook& got = gpu->look_at_face(face_place(x, y, size));
    worst.add(got.points, want.points);
    worst.spread_cells = larger(worst.spread_cells, std::abs(got.spread_cells - want.spread_cells));
    worst.sharpness = larger(worst.sharpness, std::abs(got.sharpness / want.sharpness - 1));
    EXPECT_NEAR(got.luminance, want.luminance, 1e-3);
    EXPECT((want.luminance < dim_luminance) == (frame % 2 == 1));
    auto crops = eye_places(x, y, size);
    for (Crop& crop : crops) crop.gain = exposure_gain(want.luminance);
    if (frame == 0) worst.add(gpu->look_at_lids(crops), cpu->look_at_lids(crops));
    worst.add(gpu->look_at_eyes(crops), cpu->look_at_eyes(crops));
    const Crop whole{{160, 120}, 416, 0, false, 208, 208};
    const float *want_pixels = cpu->pixels(whole), *got_pixels = gpu->pixels(whole);
    for (int i = 0; i < 3 * 208 * 208; ++i) worst.pixel = larger(worst.pixel, std::abs(got_pixels[i] - want_pixels[i]));
  }
  EXPECT(test::device_allocations() == allocations);
  std::printf("looks: %.2g px, confidence %.2g, spread %.2g cells, sharpness %.2g relative\n", worst.px,
              worst.confidence, worst.spread_cells, worst.sharpness);
  EXPECT(worst.px < 0.05);
  EXPECT(worst.confidence < 1e-3);
  EXPECT(worst.spread_cells < 1e-2);
  EXPECT(worst.sharpness < 1e-3);
  EXPECT(worst.pixel < 1e-5);
}

TEST_CASE(a_frame_in_device_memory_is_read_where_it_lies) {
  const auto gpu = gpu_vision();
  const int width = 160, height = 120;
  const auto bgr = drawn_face(width, height, 80, 62, 70);
  // The face's luma with hardly any colour, as NV12.
  std::vector<std::uint8_t> nv12(static_cast<std::size_t>(width) * height * 3 / 2, 128);
  for (int i = 0; i < width * height; ++i) nv12[i] = bgr[3 * i + 1];
  for (int i = 0; i < width * height / 2; ++i) nv12[width * height + i] = static_cast<std::uint8_t>(120 + i % 17);
  ImageView host{nv12.data(), width, height, 1, width};
  host.chroma = nv12.data() + width * height;
  host.chroma_stride = width;
  Stream stream;
  DeviceBuffer<std::uint8_t> pixels(nv12.size());
  upload(nv12.data(), nv12.size(), pixels.get(), stream.get());
  stream.wait();
  ImageView device = host;
  device.data = pixels.get();
  device.chroma = pixels.get() + width * height;
  device.on_device = true;

  gpu->show(host);
  const FaceLook from_host = gpu->look_at_face(face_place(80, 62, 70));
  const Thumbnail thumbnail = gpu->thumbnail();
  gpu->show(device);
  const FaceLook from_device = gpu->look_at_face(face_place(80, 62, 70));
  EXPECT(thumbnail == gpu->thumbnail());
  for (int i = 0; i < 68; ++i) EXPECT(from_host.points[i].x == from_device.points[i].x);

  const auto cpu = make_cpu_vision(options());
  cpu->show(host);
  Worst worst;
  worst.add(from_device.points, cpu->look_at_face(face_place(80, 62, 70)).points);
  EXPECT(worst.px < 0.05);
  std::string message;
  try {
    cpu->show(device);
  } catch (const Error& error) {
    message = error.what();
  }
  EXPECT(message.find("GPU memory") != std::string::npos);
}

TEST_CASE(faces_are_found_where_the_cpu_finds_them) {
  const auto cpu = make_cpu_vision(options()), gpu = gpu_vision();
  const int width = 320, height = 240;
  const auto bgr = drawn_face(width, height, 150, 120, 100);
  const ImageView view{bgr.data(), width, height, 3, width * 3};
  cpu->show(view);
  gpu->show(view);
  Crop close = {{150.0f, 120.0f}, 300.0f, 0.0f, false, 160, 160};
  const float min_score = 0.01f;  // whatever it takes the drawing for
  const auto want = cpu->find_faces(close, min_score);
  const auto got = gpu->find_faces(close, min_score);
  EXPECT(!want.empty());
  EXPECT(got.size() == want.size());
  for (std::size_t i = 0; i < std::min(got.size(), want.size()); ++i) {
    EXPECT_NEAR(got[i].x, want[i].x, 0.05);
    EXPECT_NEAR(got[i].width, want[i].width, 0.05);
    EXPECT_NEAR(got[i].points[2].y(), want[i].points[2].y(), 0.05);
    EXPECT_NEAR(got[i].score, want[i].score, 1e-3);
  }
  if (!want.empty()) std::printf("find_faces: %zu, best score %.3f\n", want.size(), want[0].score);
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
