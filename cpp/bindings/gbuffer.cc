#include "render/gbuffer.hpp"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstring>
#include <stdexcept>
#include <string>

namespace py = pybind11;

namespace dmask {
namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

void check_shape(const py::array& array, const char* name, py::ssize_t columns) {
  if (array.ndim() == 2 && array.shape(1) == columns) return;
  throw std::invalid_argument(std::string(name) + " has to be (n, " + std::to_string(columns) + ")");
}

py::tuple gbuffer(const Array<float>& vertices_px, const Array<float>& depth_mm, const Array<int>& triangles, int width,
                  int height, const py::object& attributes) {
  check_shape(vertices_px, "vertices_px", 2);
  check_shape(triangles, "triangles", 3);
  const auto vertices = vertices_px.shape(0);
  if (depth_mm.ndim() != 1 || depth_mm.shape(0) != vertices)
    throw std::invalid_argument("depth has to be (n,), one value a vertex");
  if (width <= 0 || height <= 0) throw std::invalid_argument("width and height have to be positive");
  const GBuffer drawn = draw_gbuffer(vertices_px.data(), depth_mm.data(), static_cast<int>(vertices), triangles.data(),
                                     static_cast<int>(triangles.shape(0)), width, height);
  py::array_t<int> triangle({height, width});
  py::array_t<float> depth({height, width});
  py::array_t<float> barycentric({height, width, 2});
  std::memcpy(triangle.mutable_data(), drawn.triangle.data(), drawn.triangle.size() * sizeof(int));
  std::memcpy(depth.mutable_data(), drawn.depth_mm.data(), drawn.depth_mm.size() * sizeof(float));
  std::memcpy(barycentric.mutable_data(), drawn.barycentric.data(), drawn.barycentric.size() * sizeof(float));
  if (attributes.is_none()) return py::make_tuple(triangle, barycentric, depth);

  const auto values = attributes.cast<Array<float>>();
  if (values.ndim() != 2 || values.shape(0) != vertices)
    throw std::invalid_argument("attributes have to be (n, channels), one row a vertex");
  const int channels = static_cast<int>(values.shape(1));
  py::array_t<float> surface({height, width, channels});
  std::memset(surface.mutable_data(), 0, surface.nbytes());
  interpolate(drawn, triangles.data(), values.data(), channels, surface.mutable_data());
  return py::make_tuple(triangle, barycentric, depth, surface);
}

}  // namespace

void bind_gbuffer(py::module_& m) {
  m.def("gbuffer", &gbuffer, py::arg("vertices_px"), py::arg("depth"), py::arg("triangles"), py::arg("width"),
        py::arg("height"), py::arg("attributes") = py::none(),
        "Draw a triangle mesh with a z-buffer. vertices_px (N,2), depth (N) mm, triangles (T,3).\n"
        "Returns tri_id int32 (H,W), -1 = nothing; bary float32 (H,W,2), of vertices 0 and 1, perspective-correct;\n"
        "depth float32 (H,W), inf = nothing; and with `attributes` (N,C) their values (H,W,C), 0 = nothing.\n"
        "Raises ValueError for wrong shapes and indices.");
}

}  // namespace dmask
