#include <pybind11/pybind11.h>

#include "geometry/check.hpp"
#include "geometry/cpu.hpp"

namespace py = pybind11;

namespace dmask {
void bind_detect(py::module_& m);
void bind_fit(py::module_& m);
void bind_gbuffer(py::module_& m);
void bind_gpu(py::module_& m);
void bind_mask(py::module_& m);
void bind_options(py::module_& m);
void bind_pipeline(py::module_& m);
void bind_results(py::module_& m);
void bind_render(py::module_& m);
}  // namespace dmask

PYBIND11_MODULE(_core, m) {
  dmask::require_cpu();
  m.attr("__version__") = DMASK_VERSION;
  py::register_exception<dmask::Error>(m, "Error", py::module_::import("dmask.errors").attr("Error"));
  dmask::bind_detect(m);
  dmask::bind_fit(m);
  dmask::bind_render(m);
  dmask::bind_gbuffer(m);
  dmask::bind_gpu(m);
  dmask::bind_options(m);
  dmask::bind_results(m);
  dmask::bind_mask(m);
  dmask::bind_pipeline(m);
}
