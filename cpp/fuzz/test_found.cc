// What the fuzz targets and a reading of the sources found, kept found.
#include "check.hpp"
#include "fit/tracker.hpp"
#include "geometry/check.hpp"
#include "pipeline/mask.hpp"
#include "tiny.hpp"

using namespace dmask;

namespace {

const fuzz::Folder folder;

void require_refused(const char* name, const std::vector<std::uint8_t>& file, const char* expected) {
  for (const char* other : {"face.dmm", "eyelid.dmm", "landmarks.dmm"})
    fuzz::write_bytes(folder.file(other), fuzz::file_bytes(fuzz::seed(other)));
  fuzz::write_bytes(folder.file(name), file);
  std::string said = "nothing";
  try {
    Models::load(folder.path(), folder.path());
  } catch (const Error& e) {
    said = e.what();
    fuzz::require_sentence(said);
  }
  if (said.find(expected) == std::string::npos)
    std::fprintf(stderr, "got '%s', expected '%s' in it\n", said.c_str(), expected);
  EXPECT(said.find(expected) != std::string::npos);
}

template <class Change>
void require_refused(const char* name, const char* array, const char* expected, Change change) {
  auto entries = fuzz::entries_of(fuzz::file_bytes(fuzz::seed(name)));
  for (fuzz::Entry& entry : entries)
    if (entry.name == array) change(entry);
  require_refused(name, fuzz::put_together(entries), expected);
}

TEST_CASE(models_are_refused) {
  const auto cut_to = [](int n) {
    return [n](fuzz::Entry& e) {
      e.data.resize(e.data.size() / e.shape[0] * n);
      e.shape[0] = n;
    };
  };
  const auto not_a_number = [](fuzz::Entry& e) { std::fill_n(e.data.begin(), 4, 0xff); };
  for (const char* line : {"upper_margin", "lower_margin"}) {  // the spline read before and behind shorter lines
    require_refused("eyelid.dmm", line, "expected a line of 2 or more", cut_to(0));
    require_refused("eyelid.dmm", line, "expected a line of 2 or more", cut_to(1));
  }
  require_refused("eyelid.dmm", "triangles", "has no triangles", cut_to(0));
  require_refused("eyelid.dmm", "centre_from_identity", "identity modes", cut_to(3));  // read behind its end
  require_refused("eyelid.dmm", "face_vertex_os", "of a face of", [](fuzz::Entry& e) {
    const std::int32_t vertex = 90000;
    std::memcpy(e.data.data(), &vertex, 4);
  });
  require_refused("eyelid.dmm", "named_motion_names", "has no named motion", [](fuzz::Entry& e) { e.data[0] = 'x'; });
  for (const char* array : {"template", "shape", "motion", "blend", "albedo", "centre_os"})
    require_refused("eyelid.dmm", array, "not finite", not_a_number);
  for (const char* array : {"mean", "identity_step", "unit_step", "interaction_coef", "albedo"})
    require_refused("face.dmm", array, "not finite", not_a_number);
  require_refused("landmarks.dmm", "offset_mm", "not finite", not_a_number);
  require_refused("landmarks.dmm", "offset_mm", "proper name", [](fuzz::Entry& e) { e.name = "two\nlines"; });
  auto twice = fuzz::entries_of(fuzz::file_bytes(fuzz::seed("landmarks.dmm")));
  twice.push_back(fuzz::Entry(twice[0]));
  require_refused("landmarks.dmm", fuzz::put_together(twice), "proper name");
  std::vector<std::uint8_t> header = fuzz::file_bytes(fuzz::seed("landmarks.dmm"));
  header[16 + 2 + 9 + 2 + 16] = 0;  // its offset: the magic as numbers
  require_refused("landmarks.dmm", header, "lies in the header");

  std::string said;
  try {
    Container::read(folder.path());
  } catch (const Error& e) {
    said = e.what();
  }
  EXPECT(said.find("cannot open") != std::string::npos);
}

// What is not a number was taken for a shut eye, or for a gaze that was measured.
TEST_CASE(unsound_landmarks_are_not_measured) {
  const Models& models = fuzz::models();
  FitOptions options;
  options.identity_modes = 3;
  const FrameDetection seen = fuzz::seen_face();
  const Calibration calibration = calibrate(models, {seen}, options);
  EXPECT(calibration.ok);
  const auto fit = [&](auto spoil) {
    FrameDetection spoilt = seen;
    spoil(spoilt);
    Tracker tracker(models, options);
    tracker.set_calibration(calibration);
    return tracker.fit(spoilt);
  };
  EXPECT(fit([](FrameDetection&) {}).eyes[OD].reason == Reason::none);
  EXPECT(fit([](FrameDetection& d) { d.eyes[OD].lid[5].y = NAN; }).eyes[OD].reason == Reason::covered);
  EXPECT(fit([](FrameDetection& d) { d.eyes[OD].iris[3].x = NAN; }).eyes[OD].reason == Reason::covered);
  EXPECT(fit([](FrameDetection& d) { d.eyes[OD].iris[0].confidence = NAN; }).eyes[OD].reason == Reason::covered);
  EXPECT(fit([](FrameDetection& d) { d.eyes[OS].lines[CREASE][7].x = INFINITY; }).eyes[OS].reason == Reason::none);
  EXPECT(fit([](FrameDetection& d) { d.face[20].x = NAN; }).face_reason == Reason::no_face);

  FrameDetection blurred = seen;
  blurred.sharpness = NAN;  // the median of NaNs walked out of its vector
  EXPECT(calibrate(models, std::vector<FrameDetection>(40, blurred), options).ok);
  FrameDetection empty = seen;
  empty.width = 0;
  const Calibration none = calibrate(models, {empty}, options);
  EXPECT(!none.ok && !none.reason.empty());
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
