// Track files with changed fields, and mask parameters that are finite but absurd.
#include "geometry/check.hpp"
#include "models/container.hpp"
#include "pipeline/mask.hpp"
#include "tiny.hpp"

using namespace dmask;

namespace {

VecXf vector(const Container& track, const std::string& name) {
  const std::vector<float> values = track.floats(name);
  const VecXf v = Eigen::Map<const VecXf>(values.data(), static_cast<Eigen::Index>(values.size()));
  check(v.allFinite(), "the track's " + name + " is not finite");
  return v;
}

MaskSubject subject_of(const Container& track) {
  MaskSubject s;
  const VecXf scalars = vector(track, "subject");
  check(scalars.size() == 4 && scalars[1] > 1 && scalars[1] < 170, "the track's subject is not 4 sensible numbers");
  s.hfov_deg = scalars[1];
  s.scale = scalars[2];
  s.eyebrows = scalars[3] > 0.5f;
  s.identity = vector(track, "identity");
  for (int eye = 0; eye < 2; ++eye) {
    const std::string prefix = eye == OD ? "od_" : "os_";
    MaskEye& e = s.eyes[eye];
    e.shape = vector(track, prefix + "shape");
    const VecXf place = vector(track, prefix + "place");
    check(place.size() == 8, "the track's place is damaged");
    e.centre = place.head<3>();
    e.patch_offset = place.segment<3>(3);
    e.patch_roll = place[6];
    e.iris_radius_mm = place[7];
  }
  return s;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  static const std::vector<fuzz::Entry> entries = fuzz::entries_of(fuzz::file_bytes(fuzz::seed("track.dmask")));
  static const Container sound = Container::read(fuzz::seed("track.dmask"));
  const Models& models = fuzz::models();
  const int units = models.face.units(), motions = static_cast<int>(models.eyelid[OD].motion.cols());
  const int row_size = MaskFrame::row_size(units, motions);

  fuzz::Bytes bytes(data, size);
  const bool file = bytes.one_in(2);
  try {
    Container changed;
    if (file) {
      fuzz::write_bytes(folder.file("track.dmask"), fuzz::edited(entries, bytes));
      changed = Container::read(folder.file("track.dmask"));
    }
    const Container& track = file ? changed : sound;
    MaskPainter painter(models, subject_of(track));
    std::vector<float> row = track.floats("rows");
    check(row.size() >= static_cast<std::size_t>(row_size), "the track has no row");
    if (!file)
      for (int k = bytes.between(0, 6); k > 0; --k) {
        const double v = bytes.number();
        row[bytes.between(0, row_size - 1)] = std::abs(v) > 3.4e38 ? NAN : static_cast<float>(v);
      }
    Image picture;
    painter.paint(MaskFrame::from_row(row.data(), units, motions), bytes.between(1, 48), bytes.between(1, 48), picture);
    fuzz::require(picture.bgr.size() == static_cast<std::size_t>(picture.width) * picture.height * 3, "a picture of its size");
  } catch (const Error& e) {
    fuzz::require_sentence(e.what());
  }
  return 0;
}
