// TensorRT's library, loaded when it is needed: a build with the runner starts where there is none.
#pragma once

#include <NvInferRuntime.h>

#include <cstdint>
#include <memory>
#include <string>

namespace dmask {

struct TensorRtLibrary {
  std::string path;     // as it was loaded
  std::string flavour;  // tensorrt | tensorrt_rtx
  std::string version;  // major.minor.patch.build
  void* (*create_runtime)(void* logger, std::int32_t version) noexcept = nullptr;
};

// $DMASK_TENSORRT_LIBRARY, else the library of the headers' major version. Throws Error where it is missing, older than
// the headers, or not TensorRT. It is never unloaded.
TensorRtLibrary load_tensorrt();

// Throws Error with TensorRT's own words. Ask for a GPU first: without one the library may crash.
std::unique_ptr<nvinfer1::IRuntime> make_runtime(const TensorRtLibrary& library);

// What TensorRT said of severity error since the last call, "" or " (TensorRT: ...)".
std::string take_tensorrt_errors();

}  // namespace dmask
