#include "cuda/tensorrt/engine_file.hpp"

#include <cctype>
#include <cstdlib>
#include <filesystem>

#include "geometry/check.hpp"

namespace dmask {
namespace {

constexpr int recipe = 1;  // to be raised when conversion or profiles change: older engines no longer fit
constexpr int hash_digits = 16;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// Another engine of the same model, to name the difference; empty without one.
std::string nearest(const EngineKey& key, const std::string& folder) {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(key.model + "-") && name.ends_with(".engine")) return name;
  }
  return "";
}

}  // namespace

std::string engine_file_name(const EngineKey& key) {
  return key.model + "-" + key.sha256.substr(0, hash_digits) + "-" + key.precision + "-r" + std::to_string(recipe) +
         "-" + key.flavour + "-" + key.version + "-" + key.gpu + ".engine";
}

std::string gpu_part(const std::string& flavour, const std::string& gpu_name, int major, int minor) {
  const std::string capability = "sm" + std::to_string(major) + std::to_string(minor);
  if (flavour == "tensorrt_rtx") return capability == "sm75" ? capability : "portable";
  std::string part;
  for (const unsigned char c : gpu_name) {
    if (c < 128 && std::isalnum(c)) {
      part += static_cast<char>(std::tolower(c));
    } else if (!part.empty() && part.back() != '_') {
      part += '_';
    }
  }
  if (!part.empty() && part.back() == '_') part.pop_back();
  return part + "_" + capability;
}

std::string engine_folder() {
  if (const std::string named = environment("DMASK_ENGINES"); !named.empty()) return named;
  std::string cache = environment("XDG_CACHE_HOME");
  if (cache.empty()) cache = environment("HOME") + "/.cache";
  return cache + "/dmask/engines";
}

std::string find_engine(const EngineKey& key, const std::string& folder) {
  const std::string name = engine_file_name(key), path = folder + "/" + name;
  if (std::filesystem::is_regular_file(path)) return path;
  const std::string other = nearest(key, folder);
  throw Error("no TensorRT engine of " + key.model + ".onnx in " + folder + ": got " +
              (other.empty() ? "none" : other + ", which is of another model, precision, GPU or TensorRT version") +
              ", expected " + name + "; build it with dmask engines build --weights all --precision " + key.precision);
}

}  // namespace dmask
