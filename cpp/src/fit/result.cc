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
    case Reason::dark: return "dark";
    case Reason::out_of_range: return "out_of_range";
    case Reason::another_person: return "another_person";
    case Reason::not_in_view: return "not_in_view";
  }
  return "";
}

void set_reason(FrameFit& fit, Reason reason) {
  fit.face_reason = reason;
  for (EyeFit& eye : fit.eyes) eye.reason = reason;
}

}  // namespace dmask
