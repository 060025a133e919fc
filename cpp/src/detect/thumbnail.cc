#include "detect/thumbnail.hpp"

namespace dmask {

void make_thumbnail(const ImageView& frame, Thumbnail& thumbnail) {
  constexpr int samples = thumbnail_samples;
  for (int j = 0; j < thumbnail_px; ++j) {
    for (int i = 0; i < thumbnail_px; ++i) {
      int sum = 0;
      for (int b = 0; b < samples; ++b) {
        const int y = (2 * (j * samples + b) + 1) * frame.height / (2 * thumbnail_px * samples);
        const std::uint8_t* row = frame.row(y);
        for (int a = 0; a < samples; ++a) {
          const int x = (2 * (i * samples + a) + 1) * frame.width / (2 * thumbnail_px * samples);
          sum += row[static_cast<std::ptrdiff_t>(x) * frame.channels + (frame.channels > 1 ? 1 : 0)];  // green
        }
      }
      thumbnail[j * thumbnail_px + i] = static_cast<float>(sum) / (samples * samples);
    }
  }
}

}  // namespace dmask
