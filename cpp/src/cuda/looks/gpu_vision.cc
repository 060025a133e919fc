// Looks at frames on a GPU: the frame is uploaded once, crops, nets and decoding stay there, points come back. Each look is
// recorded as a graph, which reads the frame's description and the crops' placements from memory that is filled anew.
#include "cuda/looks/gpu_vision.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "cuda/gpu.hpp"
#include "cuda/looks/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda/runtime/status.hpp"
#include "detect/detector.hpp"
#include "detect/line_rules.hpp"
#include "detect/net.hpp"
#include "detect/vision.hpp"
#include "geometry/check.hpp"
#include "geometry/stopwatch.hpp"

namespace dmask::cuda {
namespace {

constexpr int face_points = 68, lid_points = 20, iris_points = 19, eye_lines = 2 * 4;

// Work that is done plainly once, as TensorRT asks for, then recorded, then replayed.
class RepeatedWork {
 public:
  template <class Work>
  void run(const Stream& stream, Work&& work) {
    if (!std::exchange(done_once_, true)) return work();
    if (!graph_.captured()) graph_.capture(stream, work);
    graph_.launch(stream);
  }

 private:
  bool done_once_ = false;
  Graph graph_;
};

// Results of a look as they lie in device memory and come back in one copy.
struct FaceResult {
  DecodedPoint points[face_points];
  float sharpness, luminance;
};
struct EyesResult {
  DecodedPoint lids[2 * lid_points], irises[2 * iris_points], lines[eye_lines * line_rules::point_count];
};

template <class T>
struct Result {
  DeviceBuffer<T> device{1};
  PinnedBuffer<T> host{1};

  void download(StreamHandle stream) { cuda::download(device.get(), 1, host.get(), stream); }
};

template <class Points>
void take(const DecodedPoint* from, Points& points) {
  for (Landmark& point : points) {
    point = {from->x, from->y, from->confidence};
    ++from;
  }
}

template <class Groups>
void take_each(const DecodedPoint* from, Groups& groups) {
  for (auto& points : groups) {
    take(from, points);
    from += points.size();
  }
}

class GpuVision final : public Vision {
 public:
  GpuVision(const DetectorOptions& options, MakeDeviceNet make_net)
      : make_net_(std::move(make_net)),
        yunet_options_(yunet_options(options)),
        face_net_(make_net_(face_net_options(options))),
        eyelid_net_(make_net_(eyelid_net_options(options))),
        iris_net_(make_net_(iris_net_options(options))),
        lines_net_(make_net_(lines_net_options(options))) {
    iris_net_->read_input_from(0, eyelid_net_->output(2));
    lines_net_->read_input_from(0, eyelid_net_->output(2));
    yunet_at_size(320, 320);  // a missing engine is said now
  }

  void show(const ImageView& frame) override {
    timings_ = {};
    const StageTimer timer(timings_.preprocess);
    *frame_.get() = frame.on_device ? frame : uploaded(frame);
    upload(frame_.get(), 1, device_frame_.get(), stream_.get());
    make_thumbnail(device_frame_.get(), device_thumbnail_.get(), stream_.get());
    download(device_thumbnail_.get(), device_thumbnail_.size(), host_thumbnail_.get(), stream_.get());
    stream_.wait();
    std::copy_n(host_thumbnail_.get(), thumbnail_.size(), thumbnail_.begin());
  }

  const Thumbnail& thumbnail() const override { return thumbnail_; }

  const std::vector<FaceBox>& find_faces(const Crop& view, float min_score) override {
    const StageTimer timer(timings_.face_detector);
    YuNetAtSize& yunet = yunet_at_size(view.width, view.height);
    placements_.get()[0] = place(view);
    sample(1, view.width, view.height, yunet_format, yunet.net->input(0));
    yunet.net->enqueue(stream_.get());
    maps_.reserve(yunet.values);
    YuNetMaps maps;
    float* map = maps_.get();
    for (std::size_t i = 0; i < maps.size(); map += yunet.map_values[i++]) {
      maps[i] = map;
      download(yunet.net->output(static_cast<int>(i)), yunet.map_values[i], map, stream_.get());
    }
    stream_.wait();
    decode_yunet(maps, view.width, view.height, min_score, boxes_);
    return boxes_;
  }

  const FaceLook& look_at_face(const Crop& crop) override {
    const StageTimer timer(timings_.net_face);
    placements_.get()[0] = place(crop);
    face_work_.run(stream_, [this] {
      FaceResult* result = face_result_.device.get();
      sample(1, face_px, face_px, {}, face_net_->input(0));
      laplacian_variance({face_net_->input(0), face_px, face_px}, &result->sharpness, stream_.get());
      expose(face_net_->input(0), face_px * face_px, &result->luminance, stream_.get());
      face_net_->enqueue(stream_.get());
      decode_heatmaps({face_net_->output(0), face_net_->output(1), face_points, face_map, face_map}, result->points,
                      stream_.get());
      face_result_.download(stream_.get());
    });
    stream_.wait();
    const FaceResult& result = *face_result_.host.get();
    take(result.points, face_.points);
    face_.spread_cells = 0;
    for (const DecodedPoint& point : result.points) face_.spread_cells += point.spread / face_points;
    face_.sharpness = result.sharpness;
    face_.luminance = result.luminance;
    return face_;
  }

  const EyeLids& look_at_lids(const std::array<Crop, 2>& crops) override {
    const StageTimer timer(timings_.net_eyelid);
    for (const Eye eye : {OD, OS}) placements_.get()[eye] = place(crops[eye]);
    find_lids();
    eyes_result_.download(stream_.get());
    stream_.wait();
    take_each(eyes_result_.host.get()->lids, eyes_.lids);
    return eyes_.lids;
  }

  const EyesLook& look_at_eyes(const std::array<Crop, 2>& crops) override {
    const StageTimer timer(timings_.net_eyelid);
    for (const Eye eye : {OD, OS}) placements_.get()[eye] = place(crops[eye]);
    eyes_work_.run(stream_, [this] {
      find_lids();
      eyelid_done_.record(stream_);
      eyelid_done_.make_wait(lines_stream_);  // the lines beside the irises
      EyesResult* result = eyes_result_.device.get();
      lines_net_->enqueue(lines_stream_.get());
      decode_lines({lines_net_->output(0), lines_net_->output(1), eye_lines, edge_height, edge_width}, result->lines,
                   lines_stream_.get());
      lines_done_.record(lines_stream_);
      iris_net_->enqueue(stream_.get());
      decode_heatmaps({iris_net_->output(0), iris_net_->output(1), 2 * iris_points, eye_map_height, eye_map_width},
                      result->irises, stream_.get());
      lines_done_.make_wait(stream_);
      eyes_result_.download(stream_.get());
    });
    stream_.wait();
    const EyesResult& result = *eyes_result_.host.get();
    take_each(result.lids, eyes_.lids);
    take_each(result.irises, eyes_.irises);
    for (int eye = 0; eye < 2; ++eye)
      take_each(result.lines + eye * eye_lines / 2 * line_rules::point_count, eyes_.lines[eye]);
    return eyes_;
  }

  const float* pixels(const Crop& view) override {
    const StageTimer timer(timings_.preprocess);
    const std::size_t values = static_cast<std::size_t>(3) * view.width * view.height;
    device_planes_.reserve(values);
    planes_.reserve(values);
    placements_.get()[0] = place(view);
    sample(1, view.width, view.height, {}, device_planes_.get());
    download(device_planes_.get(), values, planes_.get(), stream_.get());
    stream_.wait();
    return planes_.get();
  }

 private:
  struct YuNetAtSize {
    std::unique_ptr<DeviceNet> net;
    std::array<std::size_t, 12> map_values{};
    std::size_t values = 0;
  };

  YuNetAtSize& yunet_at_size(int width, int height) {
    YuNetAtSize& yunet = yunets_[{width, height}];
    if (yunet.net) return yunet;
    const NetOptions options = yunet_at(yunet_options_, width, height);
    yunet.values = 0;
    for (std::size_t i = 0; i < yunet.map_values.size(); ++i) {
      yunet.map_values[i] = 1;
      for (const std::int64_t size : options.outputs[i].shape) yunet.map_values[i] *= static_cast<std::size_t>(size);
      yunet.values += yunet.map_values[i];
    }
    yunet.net = make_net_(options);
    return yunet;
  }

  // A host frame's copy in device memory, its rows without gaps.
  ImageView uploaded(const ImageView& frame) {
    const std::size_t row_bytes = static_cast<std::size_t>(frame.width) * frame.channels;
    const std::size_t chroma_row_bytes = frame.is_nv12() ? (frame.width + 1) / 2 * 2 : 0;
    const int chroma_rows = frame.is_nv12() ? (frame.height + 1) / 2 : 0;
    const std::size_t bytes = row_bytes * frame.height, all_bytes = bytes + chroma_row_bytes * chroma_rows;
    staging_.reserve(all_bytes);
    pixels_.reserve(all_bytes);
    std::uint8_t* to = staging_.get();
    for (int y = 0; y < frame.height; ++y, to += row_bytes) std::copy_n(frame.row(y), row_bytes, to);
    for (int y = 0; y < chroma_rows; ++y, to += chroma_row_bytes) {
      std::copy_n(frame.chroma + y * frame.chroma_stride, chroma_row_bytes, to);
    }
    upload(staging_.get(), all_bytes, pixels_.get(), stream_.get());
    ImageView copy = frame;
    copy.data = pixels_.get();
    copy.stride = static_cast<std::ptrdiff_t>(row_bytes);
    copy.chroma = frame.is_nv12() ? pixels_.get() + bytes : nullptr;
    copy.chroma_stride = static_cast<std::ptrdiff_t>(chroma_row_bytes);
    copy.on_device = true;
    return copy;
  }

  // The first `count` placements.
  void sample(int count, int width, int height, const PlaneFormat& format, float* planes) {
    upload(placements_.get(), static_cast<std::size_t>(count), device_placements_.get(), stream_.get());
    sample_crops({device_frame_.get(), device_placements_.get(), count, width, height, format}, planes, stream_.get());
  }

  void find_lids() {
    sample(2, eye_width, eye_height, {}, eyelid_net_->input(0));
    eyelid_net_->enqueue(stream_.get());
    decode_heatmaps({eyelid_net_->output(0), eyelid_net_->output(1), 2 * lid_points, eye_map_height, eye_map_width},
                    eyes_result_.device.get()->lids, stream_.get());
  }

  Stream stream_, lines_stream_;
  Event eyelid_done_, lines_done_;
  MakeDeviceNet make_net_;
  NetOptions yunet_options_;
  std::map<std::pair<int, int>, YuNetAtSize> yunets_;  // by input size
  std::unique_ptr<DeviceNet> face_net_, eyelid_net_, iris_net_, lines_net_;
  PinnedBuffer<std::uint8_t> staging_;
  DeviceBuffer<std::uint8_t> pixels_;
  PinnedBuffer<ImageView> frame_{1};
  DeviceBuffer<ImageView> device_frame_{1};
  PinnedBuffer<CropPlacement> placements_{2};
  DeviceBuffer<CropPlacement> device_placements_{2};
  DeviceBuffer<float> device_thumbnail_{thumbnail_px * thumbnail_px};
  PinnedBuffer<float> host_thumbnail_{thumbnail_px * thumbnail_px};
  Result<FaceResult> face_result_;
  Result<EyesResult> eyes_result_;
  PinnedBuffer<float> maps_;  // YuNet's
  DeviceBuffer<float> device_planes_;
  PinnedBuffer<float> planes_;  // of pixels()
  RepeatedWork face_work_, eyes_work_;
  Thumbnail thumbnail_{};
  FaceLook face_;
  EyesLook eyes_;
  std::vector<FaceBox> boxes_;
};

}  // namespace

std::unique_ptr<Vision> make_gpu_vision(const DetectorOptions& options, MakeDeviceNet make_net) {
  return std::make_unique<GpuVision>(options, std::move(make_net));
}

std::unique_ptr<Vision> make_gpu_vision(const DetectorOptions& options) {
  const Status gpu = status();
  check(gpu.devices > 0, "backend tensorrt was asked for, but " + gpu.problem + "; or use --backend cpu");
  return make_gpu_vision(options, make_tensorrt_net);
}

}  // namespace dmask::cuda
