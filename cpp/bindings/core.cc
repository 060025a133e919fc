#include <pybind11/gil_safe_call_once.h>
#include <pybind11/pybind11.h>

#include <exception>
#include <stdexcept>
#include <string>

#include "geometry/check.hpp"
#include "geometry/cpu.hpp"
#include "path.hpp"

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

namespace {

// dmask.Error, whatever path the sentence holds: pybind11's own translator takes every sentence for UTF-8.
void translate_errors(py::module_& m) {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> type;
  type.call_once_and_store_result([&] {
    return py::object(py::exception<dmask::Error>(m, "Error", py::module_::import("dmask.errors").attr("Error")));
  });
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const dmask::Error& error) {
      PyErr_SetObject(type.get_stored().ptr(), dmask::path_out(error.what()).ptr());
    } catch (const py::builtin_exception&) {
      throw;                                     // a type of Python's
    } catch (const std::runtime_error& error) {  // of the inference library, in as many lines as it has layers
      std::string what = error.what();
      if (what.find("bad_alloc") != std::string::npos) return PyErr_SetNone(PyExc_MemoryError);
      what.erase(what.find_last_not_of(" \n") + 1);
      what.erase(0, what.find_last_of('\n') + 1);
      what = "the inference library failed (" + what + "); expected it to work: see `dmask doctor`";
      PyErr_SetObject(type.get_stored().ptr(), dmask::path_out(what).ptr());
    }
  });
}

}  // namespace

PYBIND11_MODULE(_core, m) {
  dmask::require_cpu();
  m.attr("__version__") = DMASK_VERSION;
  translate_errors(m);
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
