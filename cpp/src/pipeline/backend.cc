#include "pipeline/backend.hpp"

#include <utility>

namespace dmask {

Backend cpu_backend(std::string reason) {
  return {"cpu", std::move(reason), make_cpu_vision, [](const Models& models, const MaskSubject& subject) {
            return std::make_unique<MaskPainter>(models, subject);
          }};
}

}  // namespace dmask
