#include "cuda/mask/gpu_painter.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "cuda/gpu.hpp"
#include "geometry/camera.hpp"
#include "geometry/check.hpp"
#include "pipeline/eye_window.hpp"

namespace dmask::cuda {
namespace {

template <class T>
void send(const T* host, Eigen::Index count, DeviceBuffer<T>& device, const Stream& stream) {
  device.reserve(static_cast<std::size_t>(count));
  if (count > 0) upload(host, static_cast<std::size_t>(count), device.get(), stream.get());
}

void send(const std::vector<char>& flags, DeviceBuffer<std::uint8_t>& device, const Stream& stream) {
  send(reinterpret_cast<const std::uint8_t*>(flags.data()), static_cast<Eigen::Index>(flags.size()), device, stream);
}

void copy(const Vec3f& from, float* to) { std::copy_n(from.data(), 3, to); }

}  // namespace

GpuPainter::GpuPainter(const Models& models, const MaskSubject& subject)
    : mesh_(models, subject),
      units_(static_cast<int>(mesh_.face.units.cols())),
      motions_(static_cast<int>(mesh_.patches[OD].motion.cols())),
      triangle_count_(static_cast<int>(mesh_.triangles.rows())) {
  upload_subject();
  const auto vertices = static_cast<std::size_t>(mesh_.vertices()),
             triangles = static_cast<std::size_t>(triangle_count_);
  view_.reserve(1);
  weights_.reserve(static_cast<std::size_t>(units_ + 2 * motions_));
  device_view_.reserve(view_.size());
  device_weights_.reserve(weights_.size());
  position_.reserve(vertices);
  screen_.reserve(vertices);
  colour_.reserve(vertices);
  triangle_.reserve(triangles);
  box_.reserve(triangles);
  back_.reserve(triangles);
  host_position_.reserve(vertices);
  vertices_.setZero(mesh_.vertices(), 3);
}

void GpuPainter::upload_subject() {
  const int vertices = mesh_.vertices();
  send(mesh_.face.neutral.data(), mesh_.face.neutral.size(), neutral_, stream_);
  send(mesh_.face.units.data(), mesh_.face.units.size(), unit_, stream_);
  send(mesh_.albedo.data(), mesh_.albedo.size(), albedo_, stream_);
  send(mesh_.brow_units.data(), static_cast<Eigen::Index>(mesh_.brow_units.size()), brow_unit_, stream_);
  send(mesh_.triangles.data(), mesh_.triangles.size(), triangle_vertex_, stream_);

  std::vector<int> patch_vertex(vertices, -1);
  for (int eye = 0; eye < 2; ++eye) {
    const MaskMesh::EyePatch& patch = mesh_.patches[eye];
    Patch& device = patches_[eye];
    send(patch.base.data(), patch.base.size(), device.base, stream_);
    send(patch.motion.data(), patch.motion.size(), device.motion, stream_);
    send(patch.brow.data(), patch.brow.size(), device.brow, stream_);
    send(patch.blend.data(), patch.blend.size(), device.blend, stream_);
    send(patch.on_globe, device.on_globe, stream_);
    send(patch.inner_edge, device.inner_edge, stream_);
    for (std::size_t v = 0; v < patch.vertex.size(); ++v) {
      int& place = patch_vertex[patch.vertex[v]];
      check(place < 0, "two eyelid vertices take the place of one vertex of the face: the GPU's mask expects one each");
      place = 2 * static_cast<int>(v) + eye;
    }
  }
  send(patch_vertex.data(), vertices, patch_vertex_, stream_);

  std::vector<int> first(vertices + 1, 0), around(static_cast<std::size_t>(mesh_.triangles.size()));
  const int* index = mesh_.triangles.data();
  for (Eigen::Index i = 0; i < mesh_.triangles.size(); ++i) ++first[index[i] + 1];
  for (int v = 0; v < vertices; ++v) first[v + 1] += first[v];
  std::vector<int> next(first.begin(), first.end() - 1);
  for (int i = 0; i < 3 * triangle_count_; ++i) around[next[index[i]]++] = i / 3;
  send(first.data(), vertices + 1, first_, stream_);
  send(around.data(), static_cast<Eigen::Index>(around.size()), around_, stream_);
  stream_.wait();
}

void GpuPainter::resize(int width, int height) {
  graph_.clear();
  width_ = width, height_ = height;
  const auto pixels = static_cast<std::size_t>(width) * height;
  const auto bins = static_cast<std::size_t>(bins_along(width)) * bins_along(height);
  bin_list_.reserve(bins * triangle_count_);
  bin_count_.reserve(2 * bins);
  inv_depth_.reserve(pixels);
  pixel_.reserve(pixels);
  sampled_.reserve(pixels);
  seen_.reserve(2 * pixels);
  sum_.reserve(pixels);
  bgr_.reserve(3 * pixels);
  picture_.reserve(3 * pixels);
}

void GpuPainter::write_parameters(const MaskFrame& frame, const Camera& camera) {
  MaskView& view = *view_.get();
  const Mat3f rotation = frame.rotation();
  for (int row = 0; row < 3; ++row) copy(rotation.row(row), view.rotation + 3 * row);
  copy(frame.translation, view.translation);
  view.focal_px = static_cast<float>(camera.focal_px);
  view.cx = static_cast<float>(camera.cx);
  view.cy = static_cast<float>(camera.cy);
  const std::array<Globe, 2> globes = mask_globes(mesh_.subject, frame);
  for (int eye = 0; eye < 2; ++eye) view.globes[eye] = view_globe(globes[eye], camera);
  std::copy_n(frame.units.data(), units_, weights_.get());
  for (int eye = 0; eye < 2; ++eye)
    std::copy_n(frame.eyes[eye].motion.data(), motions_, weights_.get() + units_ + eye * motions_);
}

void GpuPainter::enqueue() {
  StreamHandle stream = stream_.get();
  upload(view_.get(), 1, device_view_.get(), stream);
  upload(weights_.get(), weights_.size(), device_weights_.get(), stream);

  PoseArguments pose{mesh_.vertices(),
                     mesh_.face_vertices(),
                     units_,
                     motions_,
                     static_cast<int>(mesh_.brow_units.size()),
                     neutral_.get(),
                     unit_.get(),
                     brow_unit_.get(),
                     patch_vertex_.get(),
                     {},
                     device_view_.get(),
                     device_weights_.get()};
  for (int eye = 0; eye < 2; ++eye) {
    const MaskEye& own = mesh_.subject.eyes[eye];
    const Patch& from = patches_[eye];
    PatchArrays& to = pose.patches[eye];
    to = {from.base.get(),
          from.motion.get(),
          from.brow.get(),
          from.blend.get(),
          from.on_globe.get(),
          from.inner_edge.get(),
          static_cast<int>(mesh_.patches[eye].vertex.size()),
          std::cos(own.patch_roll),
          std::sin(own.patch_roll),
          {},
          {}};
    copy(own.patch_offset, to.offset);
    copy(own.centre, to.centre);
  }
  pose_mask(pose, position_.get(), screen_.get(), stream);
  shade_skin({mesh_.vertices(), triangle_vertex_.get(), first_.get(), around_.get(), albedo_.get(), position_.get()},
             colour_.get(), stream);
  set_up_triangles({triangle_count_, width_, height_, triangle_vertex_.get(), screen_.get(), colour_.get()},
                   {triangle_.get(), box_.get(), back_.get()}, stream);
  bin_triangles({triangle_count_, width_, height_, box_.get(), back_.get()}, {bin_list_.get(), bin_count_.get()},
                stream);

  const auto [blue, green, red] = RenderStyle{}.background_bgr;
  const DrawArguments draw{triangle_count_,
                           width_,
                           height_,
                           triangle_.get(),
                           box_.get(),
                           bin_list_.get(),
                           bin_count_.get(),
                           device_view_.get(),
                           static_cast<std::uint32_t>(blue | green << 8 | red << 16)};
  const PixelArrays pixels{inv_depth_.get(), pixel_.get()};
  const SampleArrays samples{sampled_.get(), seen_.get(), sum_.get()};
  draw_mask(draw, pixels, stream);
  sample_mask(draw, pixels, samples, stream);
  resolve_mask({width_, height_, device_view_.get(), samples}, bgr_.get(), stream);
  download(bgr_.get(), 3 * static_cast<std::size_t>(width_) * height_, picture_.get(), stream);
}

void GpuPainter::paint(const MaskFrame& frame, int width, int height, Image& out) {
  if (!frame.face) return paint_background(width, height, out);
  mesh_.check_frame(frame);
  const Camera camera = Camera::from_hfov(width, height, mesh_.subject.hfov_deg);
  check_camera(camera);
  if (width != width_ || height != height_) resize(width, height);
  write_parameters(frame, camera);
  if (graph_.captured()) {
    graph_.launch(stream_);
    stream_.wait();
  } else {  // kernels are loaded by the plain run, which a capture does not allow
    enqueue();
    stream_.wait();
    graph_.capture(stream_, [&] { enqueue(); });
  }
  out.resize(width, height);
  std::copy_n(picture_.get(), out.bgr.size(), out.bgr.data());
  cut_windows(mesh_.subject, frame, out);
}

const Points3f& GpuPainter::vertices() {
  if (width_ == 0) return vertices_;  // nothing was painted
  download(position_.get(), static_cast<std::size_t>(mesh_.vertices()), host_position_.get(), stream_.get());
  stream_.wait();
  for (int v = 0; v < mesh_.vertices(); ++v) {
    const Position& p = host_position_.get()[v];
    vertices_.row(v) << p.x, p.y, p.z;
  }
  return vertices_;
}

std::unique_ptr<Painter> make_gpu_painter(const Models& models, const MaskSubject& subject) {
  return std::make_unique<GpuPainter>(models, subject);
}

}  // namespace dmask::cuda
