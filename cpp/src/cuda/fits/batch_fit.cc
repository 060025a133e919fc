#include "cuda/fits/batch_fit.hpp"

#include <algorithm>
#include <string>

#include "cuda/fits/fit_input.hpp"
#include "cuda/fits/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda/runtime/status.hpp"
#include "fit/hirschberg.hpp"
#include "fit/measures.hpp"
#include "fit/uncertainty.hpp"
#include "fit/validity.hpp"
#include "geometry/check.hpp"
#include "geometry/rotation.hpp"

namespace dmask::cuda {
namespace {

// Keeps what it holds: a copy into larger memory.
template <class T>
void grow(DeviceBuffer<T>& buffer, std::size_t used, std::size_t count, StreamHandle stream) {
  if (count <= buffer.size()) return;
  DeviceBuffer<T> larger(std::max(count, 2 * buffer.size()));
  if (used > 0)
    check_cuda(cudaMemcpyAsync(larger.get(), buffer.get(), used * sizeof(T), cudaMemcpyDeviceToDevice, stream),
               "moving subjects");
  check_cuda(cudaStreamSynchronize(stream), "moving subjects");
  buffer = std::move(larger);
}

}  // namespace

struct BatchFit::Device {
  FitSizes sizes;
  Stream stream;
  DeviceBuffer<float> neutral, units, patch, motion, focal_px, unit_sigma;
  DeviceBuffer<EyeballSubject> eyeballs;
  DeviceBuffer<std::byte> input, output;
  PinnedBuffer<std::byte> host_input, host_output;
  Graph graph;
  int captured_frames = 0;

  SubjectArrays subjects() const {
    return {neutral.get(), units.get(), patch.get(), motion.get(), focal_px.get(), unit_sigma.get(), eyeballs.get()};
  }
  void enqueue(int frames, const FitOptions& options) {
    const FrameInput in = FrameInput::at(input.get(), frames, sizes);
    const FrameOutput out = FrameOutput::at(output.get(), frames, sizes);
    upload(host_input.get(), in.bytes, input.get(), stream.get());
    for (const bool from_previous : {true, false})
      fit_faces(face_fits(sizes, subjects(), in, frames, from_previous), {out.pose, out.units, out.face},
                stream.get());                                                                           // E1
    fit_eyelids(eyelid_fits(sizes, subjects(), in, out, frames), {out.motion, out.lids}, stream.get());  // E2
    fit_eyeballs(eyeball_fits(subjects(), in, out, frames, options), {out.gaze, out.eyeballs},
                 stream.get());  // E3
    download(output.get(), out.bytes, host_output.get(), stream.get());
  }
};

BatchFit::BatchFit(const Models& models, const FitOptions& options) : models_(models), options_(options) {
  const Status gpu = status();
  check(gpu.devices > 0, "a batch is fitted on a GPU: " + gpu.problem);
  device_ = std::make_unique<Device>();
  device_->sizes = FitSizes::from(models);
  const VecXf sigma = UnitPrior::from(models.face, options).sigma.cast<float>();
  device_->unit_sigma.reserve(sigma.size());
  upload(sigma.data(), sigma.size(), device_->unit_sigma.get(), device_->stream.get());
  device_->stream.wait();
}

BatchFit::~BatchFit() = default;

int BatchFit::add_subject(const Calibration& calibration) {
  Device& d = *device_;
  const StreamHandle stream = d.stream.get();
  const std::size_t n = subjects_.size(), face = 3 * static_cast<std::size_t>(d.sizes.rows),
                    patch = 6 * static_cast<std::size_t>(d.sizes.eyelid_rows);
  std::vector<float> neutral(face), units(face * d.sizes.units), rows(patch), motion(patch * d.sizes.motions);
  float focal_px = 0;
  EyeballSubject eyeballs{};
  pack_subject(calibration, d.sizes, {neutral.data(), units.data(), rows.data(), motion.data(), &focal_px, &eyeballs});
  const auto append = [&](auto& buffer, const auto* values, std::size_t count) {
    grow(buffer, n * count, (n + 1) * count, stream);
    upload(values, count, buffer.get() + n * count, stream);
  };
  append(d.neutral, neutral.data(), neutral.size());
  append(d.units, units.data(), units.size());
  append(d.patch, rows.data(), rows.size());
  append(d.motion, motion.data(), motion.size());
  append(d.focal_px, &focal_px, 1);
  append(d.eyeballs, &eyeballs, 1);
  d.stream.wait();
  d.graph.clear();  // it holds the old addresses
  subjects_.push_back(calibration);
  return static_cast<int>(n);
}

void BatchFit::fit(const std::vector<Item>& items, std::vector<FrameFit>& results) {
  Device& d = *device_;
  const int frames = static_cast<int>(items.size());
  results.resize(frames);
  if (frames == 0) return;
  const std::size_t in_bytes = FrameInput::at(nullptr, frames, d.sizes).bytes,
                    out_bytes = FrameOutput::at(nullptr, frames, d.sizes).bytes;
  if (in_bytes > d.input.size() || out_bytes > d.output.size()) d.graph.clear();
  d.input.reserve(in_bytes), d.host_input.reserve(in_bytes);
  d.output.reserve(out_bytes), d.host_output.reserve(out_bytes);
  curves_.resize(frames);
  const FrameInput in = FrameInput::at(d.host_input.get(), frames, d.sizes);
  for (int f = 0; f < frames; ++f) {
    const Item& item = items[f];
    check(item.detection != nullptr && item.subject >= 0 && item.subject < static_cast<int>(subjects_.size()),
          "item " + std::to_string(f) + " of the batch names subject " + std::to_string(item.subject) + " of " +
              std::to_string(subjects_.size()) + " or has no detection; add the subject first");
    const FrameDetection& seen = *item.detection;
    const bool cleaned = seen.face_found && !valid(seen);
    curves_[f] = pack_frame(cleaned ? without_invalid(seen) : seen, subjects_[item.subject], item.subject,
                            item.previous, options_, d.sizes, f, in);
  }
  if (!d.graph.captured() || d.captured_frames != frames) {
    d.graph.capture(d.stream, [&] { d.enqueue(frames, options_); });
    d.captured_frames = frames;
  }
  d.graph.launch(d.stream);
  d.stream.wait();

  const FrameOutput out = FrameOutput::at(d.host_output.get(), frames, d.sizes);
  for (int f = 0; f < frames; ++f) {
    results[f].time_s = items[f].detection->time_s;
    const double luminance = items[f].detection->luminance;
    take_face(in, out, f, luminance, results[f]);
    if (results[f].face_reason == Reason::none)
      results[f].lip_gaps_mm = lip_gaps_mm(*items[f].detection, results[f].pose, subjects_[items[f].subject]);
    for (int eye = 0; eye < 2; ++eye)
      take_eye(in, out, f, items[f].detection->eyes[eye], eye, luminance, subjects_[items[f].subject], results[f]);
    measure_reflexes(*items[f].detection, subjects_[items[f].subject], options_, results[f]);
    state_uncertainty(subjects_[items[f].subject], options_, luminance, results[f]);
    if (items[f].detection->another_person) set_reason(results[f], Reason::another_person);
  }
}

void BatchFit::take_face(const FrameInput& in, const FrameOutput& out, int f, double luminance, FrameFit& fit) const {
  const FitSizes& sizes = device_->sizes;
  fit.face_reason = in.subject[f] < 0                ? no_face_reason(luminance, options_)
                    : out.face[f].status == fit_lost ? lost_face_reason(luminance, options_)
                                                     : Reason::none;
  for (EyeFit& eye : fit.eyes) {
    eye = {};
    eye.motion.setZero(sizes.motions);
    eye.reason = fit.face_reason;
  }
  if (fit.face_reason != Reason::none) {
    fit.pose.rotation.setIdentity();
    fit.pose.translation.setZero();
    fit.pose.units.setZero(sizes.units);
    return;
  }
  using RowMajor3 = Eigen::Matrix<double, 3, 3, Eigen::RowMajor>;
  fit.pose.rotation =
      Eigen::Quaterniond(Mat3(Eigen::Map<const RowMajor3>(out.pose[f].rotation))).normalized().toRotationMatrix();
  fit.pose.translation = Eigen::Map<const Vec3>(out.pose[f].translation);
  fit.pose.units =
      Eigen::Map<const VecXf>(out.units + static_cast<std::ptrdiff_t>(f) * sizes.units, sizes.units).cast<double>();
}

void BatchFit::take_eye(const FrameInput& in, const FrameOutput& out, int f, const EyeDetection& seen, int e,
                        double luminance, const Calibration& calibration, FrameFit& fit) {
  if (fit.face_reason != Reason::none) return;
  EyeFit& eye = fit.eyes[e];
  const EyeStatics& statics = calibration.eyes[e];
  const std::ptrdiff_t p = 2 * f + e;
  const double interocular_px = in.interocular_px[f];
  eye.px_per_deg = px_per_deg(calibration, fit.pose.rotation * statics.centre + fit.pose.translation);
  eye.reason = unseen_eye_reason(luminance, options_);
  if (!in.lids[p].seen) return;
  const int motions = device_->sizes.motions;
  const VecX motion = Eigen::Map<const VecXf>(out.motion + p * motions, motions).cast<double>();
  measure_lids(statics, motion, 100 * out.lids[p].residual_px / interocular_px, curves_[f][e], eye, head_);
  if (eye.reason != Reason::none) return;
  if (!in.eyeballs[p].seen) {
    eye.reason = hidden_iris_reason(seen, eye.openness, options_);
    return;
  }
  const float* limbus = in.iris_information + 19 * p + 1;
  const auto limbus_points = static_cast<int>(std::count_if(limbus, limbus + 18, [](float i) { return i > 0; }));
  measure_gaze(statics, calibration.ball, {out.gaze[p].yaw, out.gaze[p].pitch},
               {limbus_points, seen.iris[0].confidence}, 100 * out.eyeballs[p].residual_px / interocular_px, options_,
               eye, head_);
}

}  // namespace dmask::cuda
