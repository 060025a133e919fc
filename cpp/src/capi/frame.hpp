// A caller's pictures: checked before a pixel is touched, and seen as the core sees them.
#pragma once

#include <vector>

#include "capi/refusal.hpp"
#include "geometry/image.hpp"

namespace dmask {

void require_valid(const dmask_frame& frame);      // throws Refusal
void require_valid(const dmask_picture& picture);  // throws Refusal

// Borrows what the core reads as it is; other formats, or their chroma, are converted into `holder`, which only grows.
ImageView view_of(const dmask_frame& frame, std::vector<std::uint8_t>& holder);

void copy_into(const Image& image, const dmask_picture& picture);

}  // namespace dmask
