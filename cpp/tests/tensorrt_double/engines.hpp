// Engine files for the double: what trt_engines/build_engines.py would have put into the cache.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "detect/net.hpp"
#include "detect/tensorrt/engine_file.hpp"
#include "models/sha256.hpp"

namespace dmask::test {

inline EngineKey double_key(const NetOptions& options) {
  return {std::filesystem::path(options.model_path).stem().string(), sha256_of_file(options.model_path),
          options.precision == "auto" ? "f16" : options.precision, "tensorrt", "11.2.0.7",
          gpu_part("tensorrt", "host emulation", 7, 5)};
}

inline std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : ",") + std::to_string(size);
  return text;
}

// An engine that runs the options' ONNX file through OpenVINO, for exactly these shapes.
inline void write_onnx_engine(const NetOptions& options, const std::string& folder) {
  std::ofstream file(folder + "/" + engine_file_name(double_key(options)));
  for (const TensorSpec& t : options.inputs) {
    const std::string shape = shape_text(t.shape);
    file << "input " << t.name << " f32 " << shape << " " << shape << " " << shape << "\n";
  }
  for (const TensorSpec& t : options.outputs) file << "output " << t.name << " f32 " << shape_text(t.shape) << " 1\n";
  file << "onnx " << std::filesystem::absolute(options.model_path).string() << "\n";
}

}  // namespace dmask::test
