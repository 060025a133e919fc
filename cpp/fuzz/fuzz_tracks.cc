// Track files with changed fields under a checksum that fits again, and mask parameters that are finite but absurd.
#include "geometry/check.hpp"
#include "pipeline/track.hpp"
#include "tiny.hpp"

using namespace dmask;

namespace {

void require_whole(const Track& track) {
  fuzz::require(track.frames() > 0 && track.rows.size() == static_cast<std::size_t>(track.frames()) * track.row_size,
                "a row a frame");
  fuzz::require(
      track.width > 0 && track.height > 0 && track.width <= Track::largest_px && track.height <= Track::largest_px,
      "a picture's size");
  fuzz::require(track.time_base.value() > 0 && track.rate.value() > 0, "clocks that run");
  for (int f = 1; f < track.frames(); ++f) fuzz::require(track.time_s[f] > track.time_s[f - 1], "times that rise");
  const std::vector<std::uint8_t> again = track.bytes();
  fuzz::require(Track::parse(again, "again").bytes() == again, "what was read is written and read the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<std::uint8_t> seed = fuzz::file_bytes(fuzz::seed("track.dmask"));
  static const std::vector<fuzz::Entry> entries = fuzz::entries_of(seed);
  static const Track sound = Track::parse(seed, "the seed");
  const Models& models = fuzz::models();
  const int units = models.face.units(), motions = static_cast<int>(models.eyelid[OD].motion.cols());
  const int row_size = MaskFrame::row_size(units, motions);

  fuzz::Bytes bytes(data, size);
  const bool file = bytes.one_in(2);
  try {
    Track track = sound;
    if (file) {
      std::vector<std::uint8_t> changed = fuzz::edited(entries, bytes);
      if (changed.size() >= 32 && !bytes.one_in(8)) seal_track(changed);
      track = Track::parse(std::move(changed), "a changed track");
      require_whole(track);
    } else {
      for (int k = bytes.between(0, 6); k > 0; --k) {
        const double v = bytes.number();
        track.rows[static_cast<std::size_t>(bytes.between(0, row_size - 1))] =
            std::abs(v) > 3.4e38 ? NAN : static_cast<float>(v);
      }
    }
    check(track.row_size == row_size, "the track is of other models, expected the tiny ones");
    MaskPainter painter(models, track.subject);
    Image picture;
    painter.paint(MaskFrame::from_row(track.rows.data(), units, motions), bytes.between(1, 48), bytes.between(1, 48),
                  picture);
    fuzz::require(picture.bgr.size() == static_cast<std::size_t>(picture.width) * picture.height * 3,
                  "a picture of its size");
  } catch (const Error& e) {
    fuzz::require_sentence(e.what());
  }
  return 0;
}
