// Outputs of nets as none should give them, and crops of absurd geometry.
#include "detect/crop.hpp"
#include "detect/face_crop.hpp"
#include "detect/face_lids.hpp"
#include "detect/heatmap.hpp"
#include "detect/limbus.hpp"
#include "detect/lines.hpp"
#include "detect/steady_crop.hpp"
#include "detect/yunet.hpp"
#include "geometry/check.hpp"
#include "tiny.hpp"

using namespace dmask;

namespace {

float number(fuzz::Bytes& bytes) {
  const double v = bytes.number();
  return std::abs(v) > 3.4e38 ? std::numeric_limits<float>::infinity() : static_cast<float>(v);
}

std::vector<float> map_of(fuzz::Bytes& bytes, int cells) {
  std::vector<float> map(cells, number(bytes));
  for (int k = bytes.between(0, 12); k > 0; --k) map[bytes.next<std::uint32_t>() % cells] = number(bytes);
  return map;
}

template <std::size_t count>
std::array<Landmark, count> points_of(fuzz::Bytes& bytes, const std::array<Landmark, count>& sound) {
  std::array<Landmark, count> points = sound;
  for (int k = bytes.between(0, 6); k > 0; --k)
    points[bytes.between(0, count - 1)] = {number(bytes), number(bytes), number(bytes)};
  return points;
}

Crop crop_of(fuzz::Bytes& bytes) {
  Crop crop;
  crop.width = bytes.between(1, 40);
  crop.height = bytes.between(1, 40);
  crop.centre = bytes.one_in(2) ? Vec2f(number(bytes), number(bytes)) : Vec2f(20, 20);
  crop.width_px = bytes.one_in(2) ? number(bytes) : 30;
  crop.roll_rad = bytes.one_in(2) ? number(bytes) : 0;
  crop.mirrored = bytes.one_in(2);
  crop.gain = bytes.one_in(2) ? number(bytes) : 1;
  return crop;
}

void sample(fuzz::Bytes& bytes, const Crop& crop) {
  static CropSampler sampler;
  const int width = bytes.between(1, 40), height = bytes.between(1, 40),
            channels = std::array{1, 3, 4}[bytes.between(0, 2)];
  const bool upside_down = bytes.one_in(4);
  const std::vector<std::uint8_t> pixels(static_cast<std::size_t>(width) * height * channels, 99);
  ImageView view{pixels.data(), width, height, channels, static_cast<std::ptrdiff_t>(width) * channels};
  if (upside_down) view = {pixels.data() + (height - 1) * view.stride, width, height, channels, -view.stride};
  std::vector<float> planes(3u * crop.width * crop.height);
  try {
    sampler.sample(view, crop,
                   {.bgr = bytes.one_in(2), .white = 255.0f, .outside_level = bytes.one_in(2) ? 0.0f : -1.0f},
                   planes.data());
  } catch (const Error& e) {
    fuzz::require(!crop.valid(), "a valid crop is taken");
    return fuzz::require_sentence(e.what());
  }
  for (const float v : planes) fuzz::require(v >= -0.01f && v <= 255.01f, "a crop's pixels are grey levels");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Bytes bytes(data, size);
  const FrameDetection sound = fuzz::seen_face();
  try {
    switch (bytes.between(0, 7)) {
      case 0: {
        constexpr int count = 9, height = 8, width = 10;
        const std::vector<float> maps = map_of(bytes, count * height * width), visibility = map_of(bytes, count);
        std::array<Landmark, count> points;
        decode_heatmaps(maps.data(), visibility.data(), count, height, width, points.data());
        decode_heatmaps_and_evidence(maps.data(), maps.data(), count, height, width, points.data());
        break;
      }
      case 1: {
        const int height = std::array{64, 16, 5}[bytes.between(0, 2)],
                  width = std::array{80, 20, 16}[bytes.between(0, 2)];
        const std::vector<float> edges = map_of(bytes, height * width);
        decode_line(edges.data(), number(bytes), height, width);
        break;
      }
      case 2: {
        const IrisPoints iris = points_of(bytes, sound.eyes[OD].iris);
        turned_limbus(reversed_limbus(iris), static_cast<float>(bytes.next<std::int16_t>()) / 300);
        steadied_centre(iris);
        break;
      }
      case 3: {
        const auto lid = points_of(bytes, sound.eyes[OS].lid);
        FacePoints face = points_of(bytes, sound.face);
        take_lids(lid, OS, face);
        const Crop eye = eye_crop(face, OS);
        const Crop crop = held(eye, lid_crop(lid, OS, carried(crop_of(bytes), eye, crop_of(bytes))));
        bounding_box(face, crop);
        break;
      }
      case 4: {
        constexpr int side = 64, stride = 8, cells = side * side / stride / stride;
        std::vector<FaceBox> boxes;
        const std::vector<float> cls = map_of(bytes, cells), obj = map_of(bytes, cells), box = map_of(bytes, 4 * cells),
                                 points = map_of(bytes, 10 * cells);
        decode_yunet(cls.data(), obj.data(), box.data(), points.data(), stride, side, side, 0.5f, boxes);
        suppress_overlaps(boxes, 0.3f);
        for (std::size_t k = 0; k < std::min<std::size_t>(boxes.size(), 2); ++k) {
          Crop crop = crop_of(bytes).inner(face_crop(boxes[k]));
          crop.width = crop.height = 16;
          sample(bytes, crop);
        }
        break;
      }
      case 5: {
        Crop crop = face_crop(points_of(bytes, sound.face));
        crop.width = crop.height = 16;
        sample(bytes, crop);
        break;
      }
      default: sample(bytes, crop_of(bytes));
    }
  } catch (const Error& e) {
    fuzz::require_sentence(e.what());
  }
  return 0;
}
