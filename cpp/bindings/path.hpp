// Paths as the file system has them: bytes, which need not be UTF-8.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

namespace dmask {

// Of a str, bytes or os.PathLike; raises Python's own TypeError or ValueError for anything else.
inline std::string path_in(const pybind11::handle& given) {
  PyObject* bytes = nullptr;
  if (!PyUnicode_FSConverter(given.ptr(), &bytes)) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::bytes>(bytes);
}

inline pybind11::object path_out(const std::string& path) {
  return pybind11::reinterpret_steal<pybind11::object>(
      PyUnicode_DecodeFSDefaultAndSize(path.data(), static_cast<Py_ssize_t>(path.size())));
}

}  // namespace dmask
