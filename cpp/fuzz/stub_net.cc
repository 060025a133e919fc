#include "stub_net.hpp"

#include <limits>
#include <numeric>
#include <random>

#include "detect/net.hpp"
#include "tiny.hpp"

namespace dmask {
namespace {

class StubNet final : public Net {
 public:
  explicit StubNet(const NetOptions& options) : inputs_(options.inputs), outputs_(options.outputs) {
    for (const NetOptions& head : options.heads)
      outputs_.insert(outputs_.end(), head.outputs.begin(), head.outputs.end());
    for (const TensorSpec& spec : inputs_) in_.emplace_back(items(spec));
    for (const TensorSpec& spec : outputs_) out_.emplace_back(items(spec));
  }
  float* input(int index) override { return in_.at(index).data(); }
  const float* output(int index) override { return out_.at(index).data(); }

  void infer() override {
    for (std::size_t k = 0; k < out_.size(); ++k) fill(outputs_[k], out_[k]);
    if (fuzz::net_mood == fuzz::NetMood::sound) return;
    std::mt19937 random(fuzz::net_noise++);
    for (std::vector<float>& values : out_) {
      if (fuzz::net_mood == fuzz::NetMood::blind) {
        std::fill(values.begin(), values.end(), -20.0f);
        continue;
      }
      for (int n = static_cast<int>(random() % 40); n > 0; --n) {
        float& value = values[random() % values.size()];
        if (fuzz::net_mood == fuzz::NetMood::noisy) value = static_cast<float>(random() % 2000) / 100 - 10;
        else
          value = std::array{std::numeric_limits<float>::quiet_NaN(),
                             std::numeric_limits<float>::infinity(),
                             -std::numeric_limits<float>::infinity(),
                             3e38f,
                             88.0f,
                             1e9f}[random() % 6];
      }
    }
  }

 private:
  static std::size_t items(const TensorSpec& spec) {
    return std::accumulate(spec.shape.begin(), spec.shape.end(), std::size_t{1},
                           [](std::size_t n, std::int64_t d) { return n * static_cast<std::size_t>(d); });
  }

  // One face, its points in the places where the crops expect them.
  static void fill(const TensorSpec& spec, std::vector<float>& out) {
    static const FrameDetection seen = fuzz::seen_face();
    const bool judgement =
        spec.name == "visibility" || spec.name == "presence" || spec.name.find("/evidence/") != std::string::npos;
    std::fill(out.begin(), out.end(), judgement ? 4.0f : 0.0f);
    if (spec.name == "heatmaps") {
      const int count = static_cast<int>(spec.shape[1]), height = static_cast<int>(spec.shape[2]),
                width = static_cast<int>(spec.shape[3]);
      for (int b = 0; b < spec.shape[0]; ++b) {
        const Landmark* points = count == 68   ? seen.face.data()
                                 : count == 20 ? seen.eyes[OS].lid.data()
                                               : seen.eyes[OS].iris.data();
        const Landmark &left = count == 68 ? seen.face[0] : seen.eyes[OS].lid[0],
                       &right = count == 68 ? seen.face[16] : seen.eyes[OS].lid[10];
        const float scale = width / (1.6f * (right.x - left.x)), middle_x = 0.5f * (left.x + right.x),
                    middle_y = count == 68 ? seen.face[30].y : left.y;
        for (int k = 0; k < count; ++k) {
          const int x = std::clamp(static_cast<int>(scale * (points[k].x - middle_x) + 0.5f * width), 0, width - 1);
          const int y = std::clamp(static_cast<int>(scale * (points[k].y - middle_y) + 0.5f * height), 0, height - 1);
          const std::size_t cell = static_cast<std::size_t>(y) * width + x,
                            cells = static_cast<std::size_t>(height) * width;
          out[b * count * cells + (spec.channels_last ? cell * count + k : k * cells + cell)] = 12;
        }
      }
    } else if (spec.name == "edges") {
      const int height = static_cast<int>(spec.shape[2]), width = static_cast<int>(spec.shape[3]);
      std::fill(out.begin(), out.end(), -6.0f);
      for (int map = 0; map < spec.shape[0] * spec.shape[1]; ++map)
        for (int x = 8; x < width - 8; ++x)
          out[(static_cast<std::size_t>(map) * height + 16 + 10 * (map % 4)) * width + x] = 4;
    } else if (spec.name == "cls_32" || spec.name == "obj_32") {
      out[out.size() / 2] = 0.9f;
    } else if (spec.name == "bbox_32") {
      out[out.size() / 8 * 4 + 2] = out[out.size() / 8 * 4 + 3] = 1.5f;
    } else if (spec.name == "kps_32") {
      constexpr float face[10] = {-1, -1, 1, -1, 0, 0, -0.8f, 1, 0.8f, 1};
      std::copy_n(face, 10, out.data() + out.size() / 20 * 10);
    }
  }

  std::vector<TensorSpec> inputs_, outputs_;
  std::vector<std::vector<float>> in_, out_;
};

}  // namespace

std::unique_ptr<Net> make_openvino_net(const NetOptions& options) { return std::make_unique<StubNet>(options); }

}  // namespace dmask
