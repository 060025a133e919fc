// The mask on the GPU: a subject is uploaded once, a frame's few hundred numbers go there and its picture comes back.
#pragma once

#include "cuda/mask/kernels.hpp"
#include "cuda/runtime/device.hpp"
#include "pipeline/mask.hpp"
#include "pipeline/mask_mesh.hpp"

namespace dmask::cuda {

class GpuPainter final : public Painter {
 public:
  GpuPainter(const Models& models, const MaskSubject& subject);
  void paint(const MaskFrame& frame, int width, int height, Image& out) override;
  const Points3f& vertices() override;  // downloads them

 private:
  struct Patch {
    DeviceBuffer<float> base, motion, brow, blend;
    DeviceBuffer<std::uint8_t> on_globe, inner_edge;
  };
  void upload_subject();
  void resize(int width, int height);
  void write_parameters(const MaskFrame& frame, const Camera& camera);
  void enqueue();  // from the parameters to the picture

  const MaskMesh mesh_;
  const int units_, motions_, triangle_count_;
  Stream stream_;

  // Of the subject.
  DeviceBuffer<float> neutral_, unit_, albedo_;
  DeviceBuffer<int> brow_unit_, patch_vertex_, triangle_vertex_, first_, around_;
  std::array<Patch, 2> patches_;

  // Of a frame.
  PinnedBuffer<MaskView> view_;
  PinnedBuffer<float> weights_;
  DeviceBuffer<MaskView> device_view_;
  DeviceBuffer<float> device_weights_;
  DeviceBuffer<Position> position_;
  DeviceBuffer<raster::ScreenVertex> screen_;
  DeviceBuffer<Colour> colour_;
  DeviceBuffer<ScreenTriangle> triangle_;
  DeviceBuffer<TriangleBox> box_;
  DeviceBuffer<std::uint8_t> back_;

  // Of a picture size.
  int width_ = 0, height_ = 0;
  Graph graph_;
  DeviceBuffer<int> bin_list_, bin_count_;
  DeviceBuffer<float> inv_depth_;
  DeviceBuffer<std::uint32_t> pixel_, sampled_;
  DeviceBuffer<std::uint8_t> seen_, bgr_;
  DeviceBuffer<LightSum> sum_;
  PinnedBuffer<std::uint8_t> picture_;

  PinnedBuffer<Position> host_position_;
  Points3f vertices_;
};

}  // namespace dmask::cuda
