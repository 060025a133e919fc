#include "fit/result.hpp"

namespace dmask {

const char* reason_text(Reason reason) {
  switch (reason) {
    case Reason::none: return "";
    case Reason::closed: return "closed";
    case Reason::covered: return "covered";
    case Reason::low_resolution: return "low_resolution";
    case Reason::lost: return "lost";
    case Reason::no_face: return "no_face";
  }
  return "";
}

}  // namespace dmask
