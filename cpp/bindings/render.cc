#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>
#include <string>

#include "geometry/check.hpp"
#include "one_at_a_time.hpp"
#include "render/scene.hpp"

namespace py = pybind11;

namespace dmask {
namespace {

template <class T>
using Rows = py::array_t<T, py::array::c_style | py::array::forcecast>;

template <class T, class Matrix>
void copy_rows(const Rows<T>& from, const char* name, Matrix& to) {
  check(from.ndim() == 2 && from.shape(1) == 3,
        std::string(name) + " has " + std::to_string(from.ndim()) + " dimensions" +
            (from.ndim() == 2 ? " and " + std::to_string(from.shape(1)) + " columns" : "") +
            ", expected a two-dimensional array of 3 columns");
  to.resize(from.shape(0), 3);
  std::memcpy(to.data(), from.data(), sizeof(T) * static_cast<std::size_t>(from.size()));
}

// A renderer with the scene it borrows.
class PyRenderer {
 public:
  py::array_t<std::uint8_t> render(const Rows<float>& vertices, const Rows<int>& triangles, const Rows<float>& albedo,
                                   double focal_px, double cx, double cy, int width, int height,
                                   const std::vector<Globe>& globes, std::array<std::uint8_t, 3> background_bgr) {
    const Turns::Turn turn(turns_, "Renderer");
    copy_rows(vertices, "vertices", vertices_);
    copy_rows(triangles, "triangles", triangles_);
    copy_rows(albedo, "albedo", albedo_);
    check(globes.size() <= 2, "got " + std::to_string(globes.size()) + " globes, expected at most two, OD and OS");
    MaskScene scene{{focal_px, cx, cy, width, height}, &vertices_, &triangles_, &albedo_, {}};
    std::copy(globes.begin(), globes.end(), scene.globes.begin());
    {
      py::gil_scoped_release release;
      renderer_.render(scene, {background_bgr}, picture_);
    }
    py::array_t<std::uint8_t> out({height, width, 3});
    std::memcpy(out.mutable_data(), picture_.bgr.data(), picture_.bgr.size());
    return out;
  }

 private:
  Turns turns_;
  Renderer renderer_;
  Points3f vertices_, albedo_;
  Triangles triangles_;
  Image picture_;
};

Globe make_globe(std::array<float, 3> centre, std::array<float, 3> axis, float radius_mm, float iris_radius_mm,
                 float pupil_radius_mm, bool visible) {
  return {visible,         {centre[0], centre[1], centre[2]}, radius_mm, iris_radius_mm,
          pupil_radius_mm, {axis[0], axis[1], axis[2]}};
}

}  // namespace

void bind_render(py::module_& m) {
  py::class_<Globe>(m, "Globe", "An eyeball in the camera frame: centre in mm, axis from it through the pupil.")
      .def(py::init(&make_globe), py::arg("centre"), py::arg("axis"), py::kw_only(), py::arg("radius_mm") = 12.0f,
           py::arg("iris_radius_mm") = 5.85f, py::arg("pupil_radius_mm") = 1.9f, py::arg("visible") = true);

  py::class_<PyRenderer>(m, "Renderer",
                         "Draws masks; keeps its buffers from picture to picture. For one thread at a time.")
      .def(py::init<>())
      .def("render_scene", &PyRenderer::render, py::arg("vertices"), py::arg("triangles"), py::arg("albedo"),
           py::kw_only(), py::arg("focal_px"), py::arg("cx"), py::arg("cy"), py::arg("width"), py::arg("height"),
           py::arg("globes") = std::vector<Globe>{}, py::arg("background_bgr") = RenderStyle{}.background_bgr,
           "vertices (N,3) float32 mm, camera frame; triangles (T,3) int32, counter-clockwise from outside;\n"
           "albedo (N,3) BGR 0..1, sRGB-encoded; globes: up to two, OD then OS. Returns (height,width,3) uint8 BGR.\n"
           "Not finite or nearer than 1 mm: a vertex takes its triangles away. Raises Error (a ValueError) for wrong\n"
           "shapes, an index outside the vertices or a camera without size.");
}

}  // namespace dmask
