// Crops, sharpness and thumbnails of frames of every format: kernels against their twins.
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda_twins/twins.hpp"
#include "detect/crop.hpp"
#include "detect/thumbnail.hpp"
#include "geometry/larger.hpp"

using namespace dmask;
using namespace dmask::cuda;

namespace {

// A picture with edges and noise; rows are padded and start with a margin, so that a wrong stride shows.
struct TestFrame {
  std::vector<std::uint8_t> luma, chroma;
  ImageView view;

  TestFrame(int width, int height, int channels, bool nv12, unsigned seed) {
    std::mt19937 random(seed);
    const auto fill = [&random](std::vector<std::uint8_t>& bytes, int row_bytes, int stride, int rows) {
      bytes.assign(static_cast<std::size_t>(stride) * rows, 0xee);
      for (int y = 0; y < rows; ++y) {
        for (int x = 0; x < row_bytes; ++x) {
          const int level = 100 + (x / 7 % 2) * 60 - (y / 5 % 3) * 30 + static_cast<int>(random() % 60);
          bytes[static_cast<std::size_t>(y) * stride + x] = static_cast<std::uint8_t>(level);
        }
      }
    };
    const int stride = width * channels + 13;
    fill(luma, width * channels, stride, height);
    view = {luma.data(), width, height, channels, stride};
    if (!nv12) return;
    const int pairs = (width + 1) / 2 * 2;
    fill(chroma, pairs, pairs + 6, (height + 1) / 2);
    view.chroma = chroma.data();
    view.chroma_stride = pairs + 6;
  }
};

// The frame and what describes it in device memory.
struct DeviceFrame {
  DeviceBuffer<std::uint8_t> luma, chroma;
  DeviceBuffer<ImageView> view{1};

  DeviceFrame(const TestFrame& frame, const Stream& stream) {
    luma.reserve(frame.luma.size());
    upload(frame.luma.data(), frame.luma.size(), luma.get(), stream.get());
    ImageView copy = frame.view;
    copy.data = luma.get();
    copy.on_device = true;
    if (copy.is_nv12()) {
      chroma.reserve(frame.chroma.size());
      upload(frame.chroma.data(), frame.chroma.size(), chroma.get(), stream.get());
      copy.chroma = chroma.get();
    }
    upload(&copy, 1, view.get(), stream.get());
  }
};

std::vector<TestFrame> frames(int width, int height) {
  std::vector<TestFrame> all;
  for (const int channels : {1, 3, 4}) all.emplace_back(width, height, channels, false, 7u + channels);
  for (const YuvMatrix matrix : {YuvMatrix::bt601, YuvMatrix::bt709}) {
    for (const bool full_range : {false, true}) {
      all.emplace_back(width, height, 1, true, 20u);
      all.back().view.matrix = matrix;
      all.back().view.full_range = full_range;
    }
  }
  return all;
}

std::string name_of(const ImageView& frame) {
  if (!frame.is_nv12()) return std::to_string(frame.channels) + " channels";
  return std::string("NV12 ") + (frame.matrix == YuvMatrix::bt601 ? "601" : "709") + (frame.full_range ? " full" : "");
}

double worst_difference(const TestFrame& frame, const std::vector<Crop>& crops, const PlaneFormat& format) {
  std::vector<CropPlacement> placements;
  for (const Crop& crop : crops) placements.push_back(place(crop));
  const int count = static_cast<int>(crops.size()), width = crops[0].width, height = crops[0].height;
  const std::size_t values = static_cast<std::size_t>(3) * count * width * height;
  std::vector<float> want(values), got(values);
  sample_crops_twin({&frame.view, placements.data(), count, width, height, format}, want.data());

  Stream stream;
  const DeviceFrame device(frame, stream);
  DeviceBuffer<CropPlacement> device_placements(placements.size());
  DeviceBuffer<float> planes(values);
  upload(placements.data(), placements.size(), device_placements.get(), stream.get());
  sample_crops({device.view.get(), device_placements.get(), count, width, height, format}, planes.get(), stream.get());
  download(planes.get(), values, got.data(), stream.get());
  stream.wait();
  double worst = 0;
  for (std::size_t i = 0; i < values; ++i) worst = larger(worst, std::abs(got[i] - want[i]));
  return worst * 255 / format.white;
}

constexpr double max_levels = 0.02;  // grey levels; a turned crop's place is rounded differently with and without FMA

TEST_CASE(crops_are_the_cpus_in_every_format) {
  const int width = 141, height = 107;  // odd: the last chroma sample is shared by fewer pixels
  std::vector<Crop> crops;
  for (const float width_px : {12.0f, 25.0f, 36.0f, 61.0f, 90.0f}) {  // enlarged, 1:1, four samples, shrunk 2.4 and 3.6
    for (const float roll_rad : {0.0f, 0.5f, -2.2f}) {
      crops.push_back({{70.3f, 52.8f}, width_px, roll_rad, crops.size() % 2 == 1, 25, 19});
    }
  }
  crops.push_back({{2.0f, 104.0f}, 80.0f, 0.3f, false, 25, 19});        // over a corner
  crops.push_back({{150.0f, -20.0f}, 60.0f, 1.0f, true, 25, 19});       // its middle outside
  crops.push_back({{70.3f, 52.8f}, 36.0f, 0.5f, false, 25, 19, 2.7f});  // brightened
  double worst = 0;
  for (const TestFrame& frame : frames(width, height)) {
    for (const PlaneFormat& format :
         {PlaneFormat{}, PlaneFormat{.bgr = true, .white = 255.0f, .outside_level = 0.0f}}) {
      const double levels = worst_difference(frame, crops, format);
      if (levels > max_levels) std::fprintf(stderr, "%s:\n", name_of(frame.view).c_str());
      EXPECT(levels <= max_levels);
      worst = larger(worst, levels);
    }
  }
  std::printf("sample_crops: %.2g grey levels\n", worst);
}

TEST_CASE(a_face_crop_of_a_camera_frame_is_the_cpus) {
  const TestFrame frame(1280, 720, 3, false, 3);
  const double levels = worst_difference(frame, {{{640.0f, 355.5f}, 437.0f, 0.21f, false, 128, 128}}, {});
  std::printf("sample_crops, face: %.2g grey levels\n", levels);
  EXPECT(levels <= max_levels);
}

TEST_CASE(a_recorded_crop_sees_the_next_frame_and_the_next_place) {
  const TestFrame first(64, 48, 3, false, 1), second(40, 56, 1, true, 2);
  Stream stream;
  const DeviceFrame device_first(first, stream), device_second(second, stream);
  const int width = 16, height = 12, values = 3 * width * height;
  PinnedBuffer<ImageView> shown(1);
  PinnedBuffer<CropPlacement> placement(1);
  DeviceBuffer<ImageView> device_shown(1);
  DeviceBuffer<CropPlacement> device_placement(1);
  DeviceBuffer<float> planes(values);
  PinnedBuffer<float> got(values);
  Graph graph;
  graph.capture(stream, [&] {
    upload(shown.get(), 1, device_shown.get(), stream.get());
    upload(placement.get(), 1, device_placement.get(), stream.get());
    sample_crops({device_shown.get(), device_placement.get(), 1, width, height, {}}, planes.get(), stream.get());
    download(planes.get(), values, got.get(), stream.get());
  });
  std::vector<float> want(values);
  for (const bool use_first : {true, false}) {
    const TestFrame& frame = use_first ? first : second;
    download((use_first ? device_first : device_second).view.get(), 1, shown.get(), stream.get());
    *placement.get() = place({{20.0f, 25.0f}, use_first ? 11.0f : 33.0f, 0.4f, false, width, height});
    graph.launch(stream);
    stream.wait();
    sample_crops_twin({&frame.view, placement.get(), 1, width, height, {}}, want.data());
    double worst = 0;
    for (int i = 0; i < values; ++i) worst = larger(worst, 255 * std::abs(got.get()[i] - want[i]));
    EXPECT(worst <= max_levels);
  }
}

TEST_CASE(sharpness_is_the_cpus) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> level(0.0f, 1.0f);
  Stream stream;
  DeviceBuffer<float> variance(1);
  double worst = 0;
  for (const auto& [width, height] : {std::pair{128, 128}, {37, 21}, {3, 3}}) {
    for (const float contrast : {1.0f, 0.02f}) {
      std::vector<float> planes(static_cast<std::size_t>(3) * width * height);
      for (float& value : planes) value = 0.5f + contrast * (level(random) - 0.5f);
      float want = 0, got = 0;
      laplacian_variance_twin({planes.data(), width, height}, &want);
      DeviceBuffer<float> device(planes.size());
      upload(planes.data(), planes.size(), device.get(), stream.get());
      laplacian_variance({device.get(), width, height}, variance.get(), stream.get());
      download(variance.get(), 1, &got, stream.get());
      stream.wait();
      worst = larger(worst, std::abs(got - want) / (want + 1e-3));
    }
  }
  std::printf("laplacian_variance: %.2g relative\n", worst);
  EXPECT(worst < 1e-4);
}

TEST_CASE(a_dark_face_is_brightened_as_on_the_cpu_and_a_light_one_left) {
  const int pixels = 128 * 128;
  Stream stream;
  DeviceBuffer<float> device(3 * pixels), device_luminance(1);
  for (const float light : {1.0f, 0.2f, 0.05f, 0.0f}) {
    const TestFrame frame(128, 128, 3, false, 7);
    const ImageView view = frame.view;
    std::vector<float> planes(3 * pixels), got(3 * pixels);
    CropSampler().sample(view, {{63.5f, 63.5f}, 128.0f, 0.0f, false, 128, 128}, {}, planes.data());
    for (float& value : planes) value *= light;
    const std::vector<float> before = planes;
    upload(planes.data(), planes.size(), device.get(), stream.get());
    float want = 0, luminance = 0;
    expose_twin(planes.data(), pixels, &want);
    expose(device.get(), pixels, device_luminance.get(), stream.get());
    download(device.get(), got.size(), got.data(), stream.get());
    download(device_luminance.get(), 1, &luminance, stream.get());
    stream.wait();
    EXPECT_NEAR(luminance, want, 1e-3);
    if (light == 1) EXPECT(want > 40 && got == before && planes == before);
    double worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) worst = larger(worst, 255 * std::abs(got[i] - planes[i]));
    EXPECT(worst < 0.01);
  }
}

TEST_CASE(thumbnails_are_the_cpus_to_the_bit) {
  Stream stream;
  DeviceBuffer<float> device_cells(thumbnail_px * thumbnail_px);
  for (const TestFrame& frame : frames(141, 107)) {
    Thumbnail want{}, got{};
    make_thumbnail_twin(&frame.view, want.data());
    const DeviceFrame device(frame, stream);
    make_thumbnail(device.view.get(), device_cells.get(), stream.get());
    download(device_cells.get(), got.size(), got.data(), stream.get());
    stream.wait();
    EXPECT(got == want);
  }
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
