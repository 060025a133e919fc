// What a TensorRT engine file is called and where it is kept; Python asks here.
#pragma once

#include <string>

namespace dmask {

// What an engine was built from, for which GPU, and with what.
struct EngineKey {
  std::string model;      // stem of the ONNX file
  std::string sha256;     // of the ONNX file
  std::string precision;  // f32 | f16
  std::string flavour;    // tensorrt | tensorrt_rtx
  std::string version;    // of the library, all four numbers
  std::string gpu;        // see gpu_part
};

std::string engine_file_name(const EngineKey& key);

// The GPU's part of a key: an engine of TensorRT is for one GPU, one of TensorRT for RTX for many.
std::string gpu_part(const std::string& flavour, const std::string& gpu_name, int major, int minor);

std::string engine_folder();  // $DMASK_ENGINES, else the user's cache

// Path of the engine. Throws Error saying what was found instead and how to build it.
std::string find_engine(const EngineKey& key, const std::string& folder);

}  // namespace dmask
