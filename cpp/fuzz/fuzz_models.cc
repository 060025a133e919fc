// Model files with changed fields: refused in a sentence, or good for a mask and a fit.
#include "fit/tracker.hpp"
#include "geometry/check.hpp"
#include "pipeline/release.hpp"
#include "tiny.hpp"

using namespace dmask;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  static const char* const names[] = {"face.dmm", "eyelid.dmm", "landmarks.dmm"};
  static const std::array<std::vector<std::uint8_t>, 3> sound = [] {
    std::array<std::vector<std::uint8_t>, 3> files;
    for (int k = 0; k < 3; ++k)
      fuzz::write_bytes(folder.file(names[k]), files[k] = fuzz::file_bytes(fuzz::seed(names[k])));
    return files;
  }();
  static const std::array<std::vector<fuzz::Entry>, 3> entries = {
      fuzz::entries_of(sound[0]), fuzz::entries_of(sound[1]), fuzz::entries_of(sound[2])};

  fuzz::Bytes bytes(data, size);
  const int which = std::array{0, 1, 1, 2}[bytes.between(0, 3)];
  const bool use = bytes.one_in(4);
  fuzz::write_bytes(folder.file(names[which]), fuzz::edited(entries[which], bytes));
  try {
    if (!use) {  // each reader by itself
      if (which == 0) FaceModel::load(folder.file(names[0]));
      else if (which == 1) EyelidModel::load(folder.file(names[1]), bytes.one_in(2) ? OS : OD);
      else Container::read(folder.file(names[2])).get("offset_mm", DType::f32, {68, 3});
    } else {
      const Models models = Models::load(folder.path(), folder.path());
      FitOptions options;
      options.identity_modes = 3;
      Subject known;
      known.identity.setConstant(options.identity_modes, 0.5);
      for (int eye = 0; eye < 2; ++eye) {
        known.eyes[eye].shape.setConstant(models.eyelid[eye].shape.cols(), 0.5);
        known.eyes[eye].centre = models.eyelid[eye].centre.cast<double>();
      }
      const FrameDetection seen = fuzz::seen_face();
      const Calibration calibration =
          bytes.one_in(16) ? calibrate(models, {seen}, options) : calibration_of(models, known, 640, 480, options);
      Tracker tracker(models, options);
      tracker.set_calibration(calibration);
      const FrameFit fit = tracker.fit(seen);
      if (calibration.ok) {
        PipelineOptions released;
        released.profile = static_cast<Profile>(bytes.between(0, 2));
        released.keep = static_cast<Keep>(bytes.between(0, 4));
        const ReleaseRules rules = release_rules(models, released);
        const MaskSubject subject = release_subject(models, calibration, options, rules);
        MaskPainter painter(models, subject);
        Image picture;
        painter.paint(release_frame(models, calibration, subject, MaskParts::of(models, subject), rules, fit).mask, 24,
                      16, picture);
      }
    }
  } catch (const Error& e) {
    fuzz::require_sentence(e.what());
  }
  fuzz::write_bytes(folder.file(names[which]), sound[which]);
  return 0;
}
