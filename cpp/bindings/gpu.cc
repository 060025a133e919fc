#include <pybind11/pybind11.h>

#include "cuda/runtime/status.hpp"
#include "cuda/tensorrt/engine_file.hpp"
#include "cuda/tensorrt/served_cards.hpp"
#include "cuda/tensorrt/status.hpp"

namespace py = pybind11;

namespace dmask {

void bind_gpu(py::module_& m) {
  m.def(
      "gpu_status",
      [] {
        const cuda::Status s = cuda::status();
        py::dict status;
        status["built"] = s.built;
        status["devices"] = s.devices;
        status["device"] = s.device;
        status["driver_version"] = s.driver_version;
        status["runtime_version"] = s.runtime_version;
        status["problem"] = s.problem;
        return status;
      },
      "Whether this build has the CUDA kernels and this machine a GPU for them; versions as 13000 for 13.0, 0 where\n"
      "unknown; `problem` is empty where a GPU can be used.");
  m.def(
      "tensorrt_status",
      [] {
        const TensorRtStatus s = tensorrt_status();
        py::dict status;
        status["built"] = s.built;
        status["header_version"] = s.header_version;
        status["library"] = s.library;
        status["flavour"] = s.flavour;
        status["version"] = s.version;
        status["problem"] = s.problem;
        return status;
      },
      "Whether this build has the TensorRT runner and this machine a library for it; `problem` is empty if so.");
  m.def(
      "engine_file_name",
      [](const std::string& model, const std::string& sha256, const std::string& precision, const std::string& flavour,
         const std::string& version,
         const std::string& gpu) { return engine_file_name({model, sha256, precision, flavour, version, gpu}); },
      py::arg("model"), py::arg("sha256"), py::arg("precision"), py::arg("flavour"), py::arg("version"), py::arg("gpu"),
      "Name of an engine in the cache.");
  m.def("gpu_part", &gpu_part, py::arg("flavour"), py::arg("name"), py::arg("major"), py::arg("minor"),
        "The GPU's part of that name.");
  m.def("card_problem", &card_problem, py::arg("flavour"), py::arg("card"), py::arg("major"), py::arg("minor"),
        "Why a flavour of TensorRT does not serve a card of this compute capability; empty where it may.");
  m.def("engine_folder", &engine_folder, "Where engines are kept: $DMASK_ENGINES, else the user's cache.");
}

}  // namespace dmask
