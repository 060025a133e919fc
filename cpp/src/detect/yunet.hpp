// YuNet face detector (Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023).
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <vector>

#include "detect/crop.hpp"
#include "detect/net.hpp"

namespace dmask {

struct FaceBox {
  float x = 0, y = 0, width = 0, height = 0;  // upright box, px of the view
  std::array<Vec2f, 5> points{};              // right eye (patient's), left eye, nose tip, right and left mouth corner
  float score = 0;                            // 0..1
};

float intersection_over_union(const FaceBox& a, const FaceBox& b);

// Stable, and without the heap that std::stable_sort takes; boxes are few.
template <class Less>
void sort_in_place(std::vector<FaceBox>& boxes, const Less& less) {
  for (auto it = boxes.begin(); it != boxes.end(); ++it)
    std::rotate(std::upper_bound(boxes.begin(), it, *it, less), it, it + 1);
}

// Keeps the best-scored of overlapping boxes, best first.
void suppress_overlaps(std::vector<FaceBox>& boxes, float max_iou);

inline constexpr PlaneFormat yunet_format = {.bgr = true, .white = 255.0f, .outside_level = 0.0f};

// The net for a view of that size: its input and its twelve maps.
NetOptions yunet_at(NetOptions net, int width, int height);
using YuNetMaps =
    std::array<const float*, 12>;  // as yunet_at() names them: cls, obj, bbox and kps, strides 8, 16, 32 each

// Faces in px of the view, best first.
void decode_yunet(const YuNetMaps& maps, int width, int height, float min_score, std::vector<FaceBox>& boxes);

// Maps of one stride: cls, obj (cells), bbox (cells x 4), kps (cells x 10); appends boxes in input pixels.
void decode_yunet(const float* cls, const float* obj, const float* bbox, const float* kps, int stride, int width,
                  int height, float min_score, std::vector<FaceBox>& boxes);

// Sides of the views in which faces are sought (the whole frame's long side) and confirmed, px.
inline constexpr int search_px = 320, fine_search_px = 640, confirmation_px = 160;

// The whole frame with its long side at `long_side_px`, a multiple of 32; a few shapes only, the rest is padded.
Crop whole_frame(const ImageView& frame, int long_side_px);

class YuNet {
 public:
  // Only model_path, backend, precision and threads of `net` are used.
  explicit YuNet(const NetOptions& net);
  // Makes the nets that frames of this size may ask for, so that none is made in the middle of a recording: it takes as
  // long as ten frames.
  void prepare_for(const ImageView& frame);

  // Faces in a view of the frame (sides multiples of 32), in pixels of the view, best first.
  const std::vector<FaceBox>& detect(const ImageView& frame, const Crop& view, float min_score);

 private:
  Net& net_of(int width, int height);

  NetOptions options_;
  std::map<std::pair<int, int>, std::unique_ptr<Net>> nets_;  // by input size
  CropSampler sampler_;
  std::vector<FaceBox> boxes_;
};

}  // namespace dmask
