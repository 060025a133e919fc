// Checks that say what was got, what was expected and what to do.
#pragma once

#include <stdexcept>
#include <string>

namespace dmask {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void check(bool ok, const std::string& sentence) {
  if (!ok) throw Error(sentence);
}

}  // namespace dmask
