#include "cuda/tensorrt/library.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "cuda/tensorrt/status.hpp"
#include "geometry/check.hpp"

namespace dmask {
namespace {

// TensorRT for RTX counts its versions from 1, TensorRT is at 10 and later. Their classes differ: what was built with
// the headers of one runs with its library alone.
constexpr bool rtx = NV_TENSORRT_MAJOR < 5;
constexpr const char* flavour = rtx ? "tensorrt_rtx" : "tensorrt";
constexpr const char* product = rtx ? "TensorRT for RTX " : "TensorRT ";

std::string header_version() {
  return std::to_string(NV_TENSORRT_MAJOR) + "." + std::to_string(NV_TENSORRT_MINOR) + "." +
         std::to_string(NV_TENSORRT_PATCH);
}

std::string wanted_library() {
  if (const char* named = std::getenv("DMASK_TENSORRT_LIBRARY"); named != nullptr && *named != '\0') return named;
  return (rtx ? "libtensorrt_rtx.so." : "libnvinfer.so.") + std::to_string(NV_TENSORRT_MAJOR);
}

template <class Function>
Function* symbol(void* library, const std::string& path, const char* name) {
  void* address = dlsym(library, name);
  check(address != nullptr, path + " has no function " + name + ": expected the library of " + product +
                                header_version() + " or later; correct DMASK_TENSORRT_LIBRARY");
  return reinterpret_cast<Function*>(address);
}

// One for the process: TensorRT keeps the first that it is given.
class Logger final : public nvinfer1::ILogger {
 public:
  void log(Severity severity, const char* message) noexcept override {
    if (severity != Severity::kERROR && severity != Severity::kINTERNAL_ERROR) return;
    const std::lock_guard lock(mutex_);
    if (errors_.size() >= most_characters) return;
    std::string line = message;
    std::replace(line.begin(), line.end(), '\n', ' ');
    errors_ += (errors_.empty() ? "" : "; ") + line;
  }
  std::string take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(errors_, {});
  }

 private:
  static constexpr std::size_t most_characters = 2000;
  std::mutex mutex_;
  std::string errors_;
};

Logger& logger() {
  static Logger* const instance = new Logger;  // outlives whatever TensorRT keeps until the end
  return *instance;
}

}  // namespace

TensorRtLibrary load_tensorrt() {
  TensorRtLibrary library;
  library.path = wanted_library();
  library.flavour = flavour;
  void* handle = dlopen(library.path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    throw Error(std::string(product) + header_version() + " is not on this machine: " + dlerror() +
                "; install it, or set DMASK_TENSORRT_LIBRARY to the library's path (the Python packages keep it in "
                "site-packages/" +
                flavour + "_libs)");
  }
  const auto number = [&](const char* name) { return symbol<std::int32_t() noexcept>(handle, library.path, name)(); };
  const int major = number("getInferLibMajorVersion"), minor = number("getInferLibMinorVersion"),
            patch = number("getInferLibPatchVersion"), build = number("getInferLibBuildVersion");
  library.version =
      std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch) + "." + std::to_string(build);
  // A later minor version runs what was built with an earlier one's headers.
  check(major == NV_TENSORRT_MAJOR && minor >= NV_TENSORRT_MINOR,
        library.path + " is " + product + library.version + ", expected " + std::to_string(NV_TENSORRT_MAJOR) + "." +
            std::to_string(NV_TENSORRT_MINOR) +
            " or a later one of the same major version: install that, or build "
            "dmask with the headers of this one");
  library.create_runtime =
      symbol<void*(void*, std::int32_t) noexcept>(handle, library.path, "createInferRuntime_INTERNAL");
  return library;
}

std::unique_ptr<nvinfer1::IRuntime> make_runtime(const TensorRtLibrary& library) {
  take_tensorrt_errors();
  std::unique_ptr<nvinfer1::IRuntime> runtime(
      static_cast<nvinfer1::IRuntime*>(library.create_runtime(&logger(), NV_TENSORRT_VERSION)));
  check(runtime != nullptr, library.path + " gave no runtime" + take_tensorrt_errors() +
                                ": expected a driver and a GPU that TensorRT " + library.version +
                                " supports; see dmask doctor");
  return runtime;
}

std::string take_tensorrt_errors() {
  const std::string errors = logger().take();
  return errors.empty() ? "" : " (TensorRT: " + errors + ")";
}

TensorRtStatus tensorrt_status() {
  TensorRtStatus status;
  status.built = true;
  status.header_version = header_version();
  status.flavour = flavour;
  try {
    const TensorRtLibrary library = load_tensorrt();
    status.library = library.path;
    status.version = library.version;
  } catch (const std::exception& error) {
    status.problem = error.what();
  }
  return status;
}

}  // namespace dmask
