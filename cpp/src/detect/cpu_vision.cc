// Looks at frames on the CPU: crops, OpenVINO's nets, decoding.
#include <algorithm>

#include "detect/detector.hpp"
#include "detect/exposure.hpp"
#include "detect/heatmap.hpp"
#include "detect/lines.hpp"
#include "detect/net.hpp"
#include "detect/sharpness.hpp"
#include "detect/vision.hpp"
#include "geometry/check.hpp"
#include "geometry/nv12.hpp"
#include "geometry/stopwatch.hpp"

namespace dmask {
namespace {

constexpr int eye_planes = 3 * eye_width * eye_height;
constexpr int eye_cells = eye_map_width * eye_map_height;

// Heat maps in the layout that the CPU computes them in, and in place of the visibility what the net makes it from: the
// decoding weights it on its way through the maps, which spares the net a softmax and three changes of layout.
std::vector<TensorSpec> maps_and_evidence(const std::string& evidence, std::vector<std::int64_t> shape) {
  return {{"heatmaps", shape, true}, {evidence, shape, true}};
}

NetOptions face_options(const DetectorOptions& options) {
  NetOptions net = face_net_options(options);
  net.outputs = maps_and_evidence("/points/evidence/Conv_output_0", net.outputs[0].shape);
  return net;
}

// The same of one eye instead of two.
NetOptions one_eye(NetOptions net) {
  for (auto* tensors : {&net.inputs, &net.outputs})
    for (TensorSpec& tensor : *tensors) tensor.shape[0] = 1;
  for (NetOptions& head : net.heads) head = one_eye(head);
  return net;
}

// The three nets of the eyes as one: the features stay in the layout and the precision that they are computed in.
NetOptions eyes_options(const DetectorOptions& options) {
  NetOptions eyelid = eyelid_net_options(options), iris = iris_net_options(options);
  eyelid.outputs = maps_and_evidence("/points/evidence/Add_output_0", eyelid.outputs[0].shape);
  iris.outputs = maps_and_evidence("/evidence/Conv_output_0", iris.outputs[0].shape);
  eyelid.heads = {iris, lines_net_options(options)};
  return eyelid;
}

enum EyesOutput { lid_maps, lid_evidence, iris_maps, iris_evidence, line_edges, line_presence };

class CpuVision final : public Vision {
 public:
  explicit CpuVision(const DetectorOptions& options)
      : seeks_faces_(options.view == View::automatic || options.view == View::face),
        yunet_(yunet_options(options)),
        face_net_(make_net(face_options(options))),
        eyes_net_(make_net(eyes_options(options))) {
    if (options.view != View::face) eye_net_ = make_net(one_eye(eyes_options(options)));
  }

  void show(const ImageView& frame) override {
    if (frame.on_device)
      throw Error(
          "got a frame in GPU memory, expected one in the program's own on the CPU: use backend tensorrt, or hand "
          "over a frame in host memory");
    timings_ = {};
    if (seeks_faces_) yunet_.prepare_for(frame);
    const StageTimer timer(timings_.preprocess);
    frame_ = frame;
    if (frame.is_nv12()) {
      nv12_to_bgr(frame, converted_);
      frame_ = converted_.view();
    }
    make_thumbnail(frame_, thumbnail_);
  }

  const Thumbnail& thumbnail() const override { return thumbnail_; }

  const std::vector<FaceBox>& find_faces(const Crop& view, float min_score) override {
    const StageTimer timer(timings_.face_detector);
    return yunet_.detect(frame_, view, min_score);
  }

  const FaceLook& look_at_face(const Crop& crop) override {
    {
      const StageTimer timer(timings_.preprocess);
      sampler_.sample(frame_, crop, {}, face_net_->input(0));
      face_.sharpness = laplacian_variance(face_net_->input(0), face_px, face_px, grey_);
      face_.luminance = expose(face_net_->input(0), face_px * face_px);
    }
    const StageTimer timer(timings_.net_face);
    face_net_->infer();
    face_.spread_cells = decode_heatmaps_and_evidence(face_net_->output(0), face_net_->output(1), 68, face_map,
                                                      face_map, face_.points.data());
    return face_;
  }

  const EyeLids& look_at_lids(const std::array<Crop, 2>& crops) override {
    {
      const StageTimer timer(timings_.preprocess);
      for (const Eye eye : {OD, OS}) {
        sampler_.sample(frame_, crops[eye], {}, eyes_net_->input(0) + eye * eye_planes);
      }
    }
    const StageTimer timer(timings_.net_eyelid);
    eyes_net_->infer();
    for (const Eye eye : {OD, OS}) decode_points(*eyes_net_, eye, lid_maps, lid_evidence, eyes_.lids[eye]);
    return eyes_.lids;
  }

  const EyesLook& look_at_eyes(const std::array<Crop, 2>& crops) override {
    look_at_lids(crops);
    {
      const StageTimer timer(timings_.net_iris);
      for (const Eye eye : {OD, OS}) decode_points(*eyes_net_, eye, iris_maps, iris_evidence, eyes_.irises[eye]);
    }
    const StageTimer timer(timings_.net_lines);
    decode_eye_lines(eyes_net_->output(line_edges), eyes_net_->output(line_presence), edge_height, edge_width,
                     eyes_.lines);
    return eyes_;
  }

  const EyesLook& look_at_eye(const Crop& crop, Eye eye) override {
    if (!eye_net_) return Vision::look_at_eye(crop, eye);
    {
      const StageTimer timer(timings_.preprocess);
      sampler_.sample(frame_, crop, {}, eye_net_->input(0));
    }
    {
      const StageTimer timer(timings_.net_eyelid);
      eye_net_->infer();
      decode_points(*eye_net_, 0, lid_maps, lid_evidence, eyes_.lids[eye]);
    }
    {
      const StageTimer timer(timings_.net_iris);
      decode_points(*eye_net_, 0, iris_maps, iris_evidence, eyes_.irises[eye]);
    }
    const StageTimer timer(timings_.net_lines);
    decode_four_lines(eye_net_->output(line_edges), eye_net_->output(line_presence), edge_height, edge_width,
                      eyes_.lines[eye]);
    return eyes_;
  }

  const float* pixels(const Crop& view) override {
    const StageTimer timer(timings_.preprocess);
    pixels_.resize(static_cast<std::size_t>(3) * view.width * view.height);
    sampler_.sample(frame_, view, {}, pixels_.data());
    return pixels_.data();
  }

 private:
  template <std::size_t count>
  static void decode_points(Net& net, int row, EyesOutput maps, EyesOutput evidence,
                            std::array<Landmark, count>& points) {
    constexpr int size = count * eye_cells;
    decode_heatmaps_and_evidence(net.output(maps) + row * size, net.output(evidence) + row * size, count,
                                 eye_map_height, eye_map_width, points.data());
  }

  bool seeks_faces_;  // close-ups need no net for faces of the size of the frame
  YuNet yunet_;
  std::unique_ptr<Net> face_net_, eyes_net_, eye_net_;  // the last of close-ups
  CropSampler sampler_;
  ImageView frame_;
  Image converted_;  // of an NV12 frame
  Thumbnail thumbnail_{};
  FaceLook face_;
  EyesLook eyes_;
  std::vector<float> grey_, pixels_;
};

}  // namespace

std::unique_ptr<Vision> make_cpu_vision(const DetectorOptions& options) { return std::make_unique<CpuVision>(options); }

}  // namespace dmask
