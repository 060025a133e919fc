// A caller's pictures: checked before a pixel is touched, and seen as the core sees them.
#pragma once

#include <vector>

#include "dmask/dmask.h"
#include "geometry/check.hpp"
#include "geometry/image.hpp"

namespace dmask {

struct Refusal : Error {
  Refusal(dmask_status code, const std::string& sentence) : Error(sentence), status(code) {}
  dmask_status status;
};

void require_sound(const dmask_frame& frame);      // throws Refusal
void require_sound(const dmask_picture& picture);  // throws Refusal

// Borrows what the core reads as it is; RGB is turned about in `holder`.
ImageView view_of(const dmask_frame& frame, std::vector<std::uint8_t>& holder);

void copy_into(const Image& image, const dmask_picture& picture);

}  // namespace dmask
