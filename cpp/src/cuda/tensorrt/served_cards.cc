#include "cuda/tensorrt/served_cards.hpp"

namespace dmask {
namespace {

// What TensorRT for RTX names in its refusal: 7.5 with an engine of its own, the others with a portable one.
bool rtx_serves(int major, int minor) {
  const int capability = 10 * major + minor;
  return capability == 75 || capability == 80 || capability == 86 || capability == 89 || major >= 12;
}

}  // namespace

std::string card_problem(const std::string& flavour, const std::string& card, int major, int minor) {
  if (flavour != "tensorrt_rtx" || rtx_serves(major, minor)) return "";
  return "TensorRT for RTX does not run on " + card + ": got compute capability " + std::to_string(major) + "." +
         std::to_string(minor) +
         ", expected 7.5, 8.0, 8.6, 8.9 or 12.0 and later; for this card build dmask with the " +
         "headers of TensorRT itself (TensorRT_INCLUDE_DIR)";
}

}  // namespace dmask
