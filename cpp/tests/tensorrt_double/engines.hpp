// Engine files for the double: what dmask engines build would have put into the cache.
#pragma once

#include <cuda_runtime.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "cuda/tensorrt/engine_file.hpp"
#include "detect/net.hpp"
#include "geometry/check.hpp"
#include "models/sha256.hpp"

namespace dmask::test {

inline EngineKey double_key(const NetOptions& options) {
  cudaDeviceProp device{};
  if (cudaGetDeviceProperties(&device, 0) != cudaSuccess)
    throw Error("got no device, expected one to name engines for");
  return {std::filesystem::path(options.model_path).stem().string(),
          sha256_of_file(options.model_path),
          options.precision == "auto" ? "f16" : options.precision,
          "tensorrt",
          "11.2.0.7",
          gpu_part("tensorrt", device.name, device.major, device.minor)};
}

inline std::string repeated(const std::string& size, std::size_t times) {
  std::string text = size;
  for (std::size_t i = 1; i < times; ++i) text += "," + size;
  return text;
}

// An engine that runs the options' ONNX file through OpenVINO, for any shape that the file accepts.
inline void write_onnx_engine(const NetOptions& options, const std::string& folder) {
  std::ofstream file(folder + "/" + engine_file_name(double_key(options)));
  for (const TensorSpec& t : options.inputs) {
    const std::size_t rank = t.shape.size();
    file << "input " << t.name << " f32 " << repeated("-1", rank) << " " << repeated("1", rank) << " "
         << repeated("4096", rank) << "\n";
  }
  for (const TensorSpec& t : options.outputs) {
    file << "output " << t.name << " f32 " << repeated("-1", t.shape.size()) << " 1\n";
  }
  file << "onnx " << std::filesystem::absolute(options.model_path).string() << "\n";
}

}  // namespace dmask::test
