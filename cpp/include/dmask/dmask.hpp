// dmask.h for C++20: ownership and exceptions. Header only, so no C++ type crosses the library's boundary.
//
//   dmask::Options options;
//   options.hfov_deg = 22;
//   dmask::Pipeline pipeline(options);
//   dmask_measures measures = pipeline.process(dmask::frame(pixels, width, height, DMASK_FORMAT_BGR, time_s));
//   pipeline.render(dmask::picture(mask, width, height, DMASK_FORMAT_BGR));
//
// Everything dmask.h says about threads, memory and real time holds here too.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "dmask/dmask.h"

namespace dmask {
inline namespace abi {

struct Failure : std::runtime_error {
  Failure(std::int32_t status_, const std::string& sentence)
      : std::runtime_error(sentence), status(static_cast<dmask_status>(status_)) {}
  dmask_status status;
};

struct Options : dmask_options {
  Options() {
    dmask_default_options(this, sizeof(dmask_options));
    version = DMASK_VERSION_NUMBER;
  }
};

inline int bytes_per_pixel(dmask_format format) {  // of the first plane
  switch (format) {
    case DMASK_FORMAT_GREY:
    case DMASK_FORMAT_NV12:
    case DMASK_FORMAT_I420: return 1;
    case DMASK_FORMAT_GREY16:
    case DMASK_FORMAT_YUYV: return 2;
    case DMASK_FORMAT_BGRA: return 4;
    default: return 3;
  }
}

// Rows side by side unless a stride in bytes is given. Throws Failure when the span does not hold them, chroma included.
inline std::int64_t stride_of(std::size_t bytes, int width, int height, dmask_format format, std::int64_t stride) {
  const std::int64_t row = std::int64_t{width} * bytes_per_pixel(format);
  if (stride == 0) stride = row;
  std::int64_t least = stride * (height - 1) + row;
  if (format == DMASK_FORMAT_NV12) least += stride * (height / 2);
  if (format == DMASK_FORMAT_I420) least = stride * height + stride / 2 * (height - 1) + width / 2;
  if (width < 1 || height < 1 || stride < row || static_cast<std::int64_t>(bytes) < least)
    throw Failure(DMASK_BAD_ARGUMENT, "got " + std::to_string(bytes) + " bytes for a picture of " +
                                          std::to_string(width) + " x " + std::to_string(height) +
                                          " pixels with a stride of " + std::to_string(stride) +
                                          ", expected at least " + std::to_string(least));
  return stride;
}

// Planes of chroma right behind the luma. What a format has beside it is set in what comes back: `yuv`, `bits` of GREY16.
inline dmask_frame frame(std::span<const std::uint8_t> pixels, int width, int height, dmask_format format,
                         double time_s, std::int64_t stride = 0) {
  dmask_frame f{};
  f.struct_size = sizeof f;
  f.format = format;
  f.width = width;
  f.height = height;
  f.data = pixels.data();
  f.stride = stride_of(pixels.size(), width, height, format, stride);
  f.time_s = time_s;
  return f;
}

inline dmask_picture picture(std::span<std::uint8_t> pixels, int width, int height, dmask_format format,
                             std::int64_t stride = 0) {
  return {sizeof(dmask_picture),
          format,
          width,
          height,
          pixels.data(),
          stride_of(pixels.size(), width, height, format, stride)};
}

class Pipeline {
 public:
  // Throws Failure with the sentence, as every function below.
  explicit Pipeline(const Options& options = {}) {
    char error[DMASK_TEXT_BYTES];
    dmask_pipeline* handle = nullptr;
    const std::int32_t status = dmask_create(&options, &handle, error, sizeof error);
    if (status != DMASK_OK) throw Failure(status, error);
    handle_.reset(handle);
  }

  dmask_measures process(const dmask_frame& frame) {
    auto measures = sized<dmask_measures>();
    require(dmask_process(handle_.get(), &frame, &measures));
    return measures;
  }
  void render(dmask_picture picture) { require(dmask_render(handle_.get(), &picture)); }
  dmask_landmarks landmarks() { return filled<dmask_landmarks>(dmask_get_landmarks); }
  dmask_diagnostics diagnostics() { return filled<dmask_diagnostics>(dmask_get_diagnostics); }
  dmask_timings timings() { return filled<dmask_timings>(dmask_get_timings); }
  dmask_calibration calibration() { return filled<dmask_calibration>(dmask_get_calibration); }

  // Sizes never change; `values` has to be parameter_count() long, and so on.
  int parameter_count() const { return dmask_parameter_count(handle_.get()); }
  std::string_view parameter_name(int index) const {
    const char* name = dmask_parameter_name(handle_.get(), index);
    return name ? name : "";
  }
  void parameters(std::span<float> values) {
    require(dmask_get_parameters(handle_.get(), values.data(), count(values, 1)));
  }
  int vertex_count() const { return dmask_vertex_count(handle_.get()); }
  int triangle_count() const { return dmask_triangle_count(handle_.get()); }
  void vertices(std::span<float> xyz_mm) {
    require(dmask_get_vertices(handle_.get(), xyz_mm.data(), count(xyz_mm, 3)));
  }
  void triangles(std::span<std::int32_t> indices) {
    require(dmask_get_triangles(handle_.get(), indices.data(), count(indices, 3)));
  }

  void calibrate() { require(dmask_calibrate(handle_.get())); }
  void reset() { require(dmask_reset(handle_.get(), nullptr)); }
  void reset(const dmask_patient& patient) { require(dmask_reset(handle_.get(), &patient)); }

  dmask_pipeline* handle() { return handle_.get(); }  // for the C functions; remains this object's

 private:
  struct Destroy {
    void operator()(dmask_pipeline* handle) const { dmask_destroy(handle); }
  };
  template <class Struct>
  static Struct sized() {
    Struct s{};
    s.struct_size = sizeof(Struct);
    return s;
  }
  template <class Struct>
  Struct filled(std::int32_t (*get)(dmask_pipeline*, Struct*)) {
    auto s = sized<Struct>();
    require(get(handle_.get(), &s));
    return s;
  }
  template <class T>
  static std::int32_t count(std::span<T> values, std::size_t each) {
    return static_cast<std::int32_t>(values.size() / each);
  }
  void require(std::int32_t status) const {
    if (status == DMASK_OK) return;
    const char* text = status == DMASK_BUSY ? dmask_status_text(status) : dmask_last_error(handle_.get());
    throw Failure(status, text);
  }

  std::unique_ptr<dmask_pipeline, Destroy> handle_;
};

}  // namespace abi
}  // namespace dmask
