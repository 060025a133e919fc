// The looks on the CPU: crops, OpenVINO's nets, decoding.
#include <algorithm>

#include "detect/detector.hpp"
#include "detect/heatmap.hpp"
#include "detect/lines.hpp"
#include "detect/net.hpp"
#include "detect/sharpness.hpp"
#include "detect/stopwatch.hpp"
#include "detect/vision.hpp"
#include "geometry/check.hpp"
#include "geometry/nv12.hpp"

namespace dmask {
namespace {

constexpr int eye_planes = 3 * eye_width * eye_height;
constexpr int eye_cells = eye_map_width * eye_map_height;

class CpuVision final : public Vision {
 public:
  explicit CpuVision(const DetectorOptions& options)
      : yunet_(yunet_options(options)),
        face_net_(make_net(face_net_options(options))),
        eyelid_net_(make_net(eyelid_net_options(options))),
        iris_net_(make_net(iris_net_options(options))),
        lines_net_(make_net(lines_net_options(options))) {}

  void show(const ImageView& frame) override {
    timings_ = {};
    yunet_.prepare_for(frame);
    const Stopwatch watch(timings_.preprocess);
    if (frame.on_device)
      throw Error("got a frame in GPU memory, expected one in the program's own on the CPU: use backend tensorrt, or hand "
                  "over a frame in host memory");
    frame_ = frame;
    if (frame.is_nv12()) {
      nv12_to_bgr(frame, converted_);
      frame_ = converted_.view();
    }
    make_thumbnail(frame_, thumbnail_);
  }

  const Thumbnail& thumbnail() const override { return thumbnail_; }

  const std::vector<FaceBox>& find_faces(const Crop& view, float min_score) override {
    const Stopwatch watch(timings_.face_detector);
    return yunet_.detect(frame_, view, min_score);
  }

  const FaceLook& look_at_face(const Crop& crop) override {
    {
      const Stopwatch watch(timings_.preprocess);
      sampler_.sample(frame_, crop, {}, face_net_->input(0));
      face_.sharpness = laplacian_variance(face_net_->input(0), face_px, face_px, grey_);
    }
    const Stopwatch watch(timings_.net_face);
    face_net_->infer();
    face_.spread_cells = decode_heatmaps(face_net_->output(0), face_net_->output(1), 68, face_map, face_map,
                                         face_.points.data());
    return face_;
  }

  const EyeLids& look_at_lids(const std::array<Crop, 2>& crops) override {
    {
      const Stopwatch watch(timings_.preprocess);
      for (const Eye eye : {OD, OS}) {
        sampler_.sample(frame_, crops[eye], {}, eyelid_net_->input(0) + eye * eye_planes);
      }
    }
    const Stopwatch watch(timings_.net_eyelid);
    eyelid_net_->infer();
    for (const Eye eye : {OD, OS}) {
      decode_heatmaps(eyelid_net_->output(0) + eye * 20 * eye_cells, eyelid_net_->output(1) + eye * 20, 20,
                      eye_map_height, eye_map_width, eyes_.lids[eye].data());
    }
    return eyes_.lids;
  }

  const EyesLook& look_at_eyes(const std::array<Crop, 2>& crops) override {
    look_at_lids(crops);
    // The other two nets read what the eyelid net has seen.
    for (Net* net : {iris_net_.get(), lines_net_.get()}) {
      std::copy_n(eyelid_net_->output(2), 2 * eye_features * eye_cells, net->input(0));
    }
    find_irises();
    find_lines();
    return eyes_;
  }

 private:
  void find_irises() {
    const Stopwatch watch(timings_.net_iris);
    iris_net_->infer();
    for (const Eye eye : {OD, OS}) {
      decode_heatmaps(iris_net_->output(0) + eye * 19 * eye_cells, iris_net_->output(1) + eye * 19, 19,
                      eye_map_height, eye_map_width, eyes_.irises[eye].data());
    }
  }

  void find_lines() {
    const Stopwatch watch(timings_.net_lines);
    lines_net_->infer();
    decode_eye_lines(lines_net_->output(0), lines_net_->output(1), edge_height, edge_width, eyes_.lines);
  }

  YuNet yunet_;
  std::unique_ptr<Net> face_net_, eyelid_net_, iris_net_, lines_net_;
  CropSampler sampler_;
  ImageView frame_;
  Image converted_;  // of an NV12 frame
  Thumbnail thumbnail_{};
  FaceLook face_;
  EyesLook eyes_;
  std::vector<float> grey_;
};

}  // namespace

std::unique_ptr<Vision> make_cpu_vision(const DetectorOptions& options) { return std::make_unique<CpuVision>(options); }

}  // namespace dmask
