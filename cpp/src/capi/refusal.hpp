// A call that is not carried out, with the status that says so.
#pragma once

#include <string>

#include "dmask/dmask.h"
#include "geometry/check.hpp"

namespace dmask {

struct Refusal : Error {
  Refusal(dmask_status code, const std::string& sentence) : Error(sentence), status(code) {}
  dmask_status status;
};

}  // namespace dmask
