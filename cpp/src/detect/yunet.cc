#include "detect/yunet.hpp"

#include <algorithm>
#include <cmath>

#include "geometry/check.hpp"

namespace dmask {
namespace {

constexpr int strides[] = {8, 16, 32};
constexpr float max_iou = 0.3f;

}  // namespace

float intersection_over_union(const FaceBox& a, const FaceBox& b) {
  const float w = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const float h = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  if (w <= 0 || h <= 0) return 0;
  return w * h / (a.width * a.height + b.width * b.height - w * h);
}

void suppress_overlaps(std::vector<FaceBox>& boxes, float max_iou) {
  sort_in_place(boxes, [](const FaceBox& a, const FaceBox& b) { return a.score > b.score; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    bool free = true;
    for (std::size_t j = 0; free && j < kept; ++j) free = intersection_over_union(boxes[i], boxes[j]) <= max_iou;
    if (free) boxes[kept++] = boxes[i];
  }
  boxes.resize(kept);
}

void decode_yunet(const float* cls, const float* obj, const float* bbox, const float* kps, int stride, int width,
                  int height, float min_score, std::vector<FaceBox>& boxes) {
  const int columns = width / stride, rows = height / stride;
  for (int r = 0, i = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c, ++i) {
      const float score = std::sqrt(std::clamp(cls[i], 0.0f, 1.0f) * std::clamp(obj[i], 0.0f, 1.0f));
      if (!(score >= min_score)) continue;  // not a number neither
      const float* b = bbox + 4 * i;
      FaceBox box;
      box.score = score;
      box.width = std::exp(b[2]) * stride;
      box.height = std::exp(b[3]) * stride;
      box.x = (c + b[0]) * stride - 0.5f * box.width;
      box.y = (r + b[1]) * stride - 0.5f * box.height;
      for (int k = 0; k < 5; ++k) {
        box.points[k] = Vec2f(c + kps[10 * i + 2 * k], r + kps[10 * i + 2 * k + 1]) * stride;
      }
      const float farthest = 16.0f * static_cast<float>(std::max(width, height));
      bool valid =
          box.width <= farthest && box.height <= farthest && std::abs(box.x) <= farthest && std::abs(box.y) <= farthest;
      for (const Vec2f& point : box.points)
        valid = valid && std::abs(point.x()) <= farthest && std::abs(point.y()) <= farthest;
      if (valid) boxes.push_back(box);
    }
  }
}

NetOptions yunet_at(NetOptions net, int width, int height) {
  net.inputs = {{"input", {1, 3, height, width}}};
  net.outputs.clear();
  for (const auto& [name, depth] : {std::pair{"cls_", 1}, {"obj_", 1}, {"bbox_", 4}, {"kps_", 10}}) {
    for (const int stride : strides) {
      net.outputs.push_back({name + std::to_string(stride), {1, (width / stride) * (height / stride), depth}});
    }
  }
  return net;
}

void decode_yunet(const YuNetMaps& maps, int width, int height, float min_score, std::vector<FaceBox>& boxes) {
  boxes.clear();
  for (int i = 0; i < 3; ++i) {
    decode_yunet(maps[i], maps[3 + i], maps[6 + i], maps[9 + i], strides[i], width, height, min_score, boxes);
  }
  suppress_overlaps(boxes, max_iou);
}

Crop whole_frame(const ImageView& frame, int long_side_px) {
  const float aspect = static_cast<float>(std::min(frame.width, frame.height)) / std::max(frame.width, frame.height);
  int short_side = long_side_px;
  for (const float fraction : {0.8f, 0.6f}) {
    if (aspect <= fraction) short_side = (static_cast<int>(long_side_px * fraction) + 31) / 32 * 32;
  }
  Crop view;
  view.width = frame.width >= frame.height ? long_side_px : short_side;
  view.height = frame.width >= frame.height ? short_side : long_side_px;
  view.centre = Vec2f(0.5f * (frame.width - 1), 0.5f * (frame.height - 1));
  view.width_px = static_cast<float>(std::max(frame.width, frame.height)) / long_side_px * view.width;
  return view;
}

YuNet::YuNet(const NetOptions& net) : options_(net) {
  net_of(search_px, search_px);
  net_of(confirmation_px, confirmation_px);
}

void YuNet::prepare_for(const ImageView& frame) {
  for (const int long_side_px : {search_px, fine_search_px}) {
    const Crop view = whole_frame(frame, long_side_px);
    net_of(view.width, view.height);
  }
}

Net& YuNet::net_of(int width, int height) {
  auto& net = nets_[{width, height}];
  if (!net) net = make_net(yunet_at(options_, width, height));
  return *net;
}

const std::vector<FaceBox>& YuNet::detect(const ImageView& frame, const Crop& view, float min_score) {
  Net& net = net_of(view.width, view.height);
  sampler_.sample(frame, view, yunet_format, net.input(0));
  net.infer();
  YuNetMaps maps;
  for (std::size_t i = 0; i < maps.size(); ++i) maps[i] = net.output(static_cast<int>(i));
  decode_yunet(maps, view.width, view.height, min_score, boxes_);
  return boxes_;
}

}  // namespace dmask
