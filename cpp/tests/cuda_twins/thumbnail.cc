#include <algorithm>

#include "cuda_twins/twins.hpp"
#include "detect/thumbnail.hpp"
#include "geometry/nv12.hpp"

namespace dmask::cuda {

void make_thumbnail_twin(const ImageView* frame, float* thumbnail) {
  Image converted;
  if (frame->is_nv12()) nv12_to_bgr(*frame, converted);
  Thumbnail cells;
  dmask::make_thumbnail(frame->is_nv12() ? converted.view() : *frame, cells);
  std::copy(cells.begin(), cells.end(), thumbnail);
}

}  // namespace dmask::cuda
