// track.dmask: what is written is read, and whatever is not whole is refused with its reason.
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>

#include "check.hpp"
#include "geometry/check.hpp"
#include "models/container.hpp"
#include "pipeline/track.hpp"

using namespace dmask;

namespace {

Track small_track() {
  Track track;
  track.subject.profile = Profile::strict;
  track.subject.hfov_deg = 33;
  track.subject.scale = 1.25f;
  track.subject.eyebrows = false;
  track.subject.identity = VecXf::LinSpaced(5, -1, 1);
  for (int eye = 0; eye < 2; ++eye) {
    MaskEye& e = track.subject.eyes[eye];
    e.shape = VecXf::LinSpaced(3, 0, 0.5f + eye);
    e.centre = {31.0f * (2 * eye - 1), 35, 84};
    e.patch_offset = {0.1f, -0.2f, 0.3f};
    e.patch_roll = 0.05f;
    e.iris_radius_mm = 5.5f;
  }
  track.width = 640;
  track.height = 480;
  track.time_base = {1, 90000};
  track.rate = {30000, 1001};
  for (int f = 0; f < 3; ++f) {
    const float row[] = {1, 0.1f * f, -2, 0, 3, 4, 500};
    track.add(row, 7, f * 1001 / 30000.0);
  }
  return track;
}

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string refusal_of(std::vector<std::uint8_t> bytes) {
  return refusal([&] { Track::parse(std::move(bytes), "t"); });
}

// UTF-8, as every name in the core.
std::string temporary(const std::string& name) {
  const std::u8string folder = std::filesystem::temp_directory_path().generic_u8string();
  return std::string(folder.begin(), folder.end()) + "/" + name + std::to_string(getpid());
}

bool says(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

TEST_CASE(what_is_written_is_read) {
  const Track track = small_track();
  const std::string path = temporary("dmask-track-");
  track.write(path);
  const Track read = Track::read(path);
  EXPECT(!std::filesystem::exists(path + ".part"));
  std::filesystem::remove(path);
  EXPECT(read.subject.profile == Profile::strict && read.subject.hfov_deg == 33 && read.subject.scale == 1.25f &&
         !read.subject.eyebrows);
  EXPECT(read.subject.identity == track.subject.identity);
  for (int eye = 0; eye < 2; ++eye) {
    const MaskEye &a = read.subject.eyes[eye], &b = track.subject.eyes[eye];
    EXPECT(a.shape == b.shape && a.centre == b.centre && a.patch_offset == b.patch_offset);
    EXPECT(a.patch_roll == b.patch_roll && a.iris_radius_mm == b.iris_radius_mm);
  }
  EXPECT(read.rows == track.rows && read.row_size == 7 && read.time_s == track.time_s);
  EXPECT(read.width == 640 && read.height == 480);
  EXPECT(read.time_base.denominator == 90000 && read.rate.numerator == 30000 && read.rate.denominator == 1001);
}

TEST_CASE(a_name_in_any_script_is_that_of_the_file_and_a_track_there_is_replaced) {
  const std::string path = temporary("dmask-\xd0\xba-");
  const std::filesystem::path same = std::filesystem::temp_directory_path() /
                                     (u"dmask-\u043a-" + std::filesystem::path(std::to_string(getpid())).u16string());
  Track track = small_track();
  track.write(path);
  track.width = 320;
  track.write(path);
  EXPECT(std::filesystem::is_regular_file(same));
  EXPECT(Track::read(path).width == 320);
  EXPECT(std::filesystem::remove(same));
}

TEST_CASE(every_flipped_bit_is_refused_with_its_reason) {
  const std::vector<std::uint8_t> whole = small_track().bytes();
  EXPECT(refusal_of(whole).empty());
  int accepted = 0, without_a_reason = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<std::uint8_t> changed = whole;
      changed[at] ^= static_cast<std::uint8_t>(1 << bit);
      const std::string said = refusal_of(std::move(changed));
      accepted += said.empty();
      without_a_reason += said.rfind("t is not a whole track: the", 0) != 0;
    }
  }
  EXPECT(accepted == 0);
  EXPECT(without_a_reason == 0);
}

TEST_CASE(missing_and_trailing_bytes_are_refused) {
  const std::vector<std::uint8_t> whole = small_track().bytes();
  int accepted = 0;
  for (std::size_t n = 0; n < whole.size(); ++n)
    accepted += refusal_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)}).empty();
  EXPECT(accepted == 0);
  std::vector<std::uint8_t> longer = whole;
  longer.push_back(0);
  EXPECT(says(refusal_of(longer), "where its last array ends"));
  longer.resize(whole.size() + 64, 7);
  seal_track(longer);
  EXPECT(says(refusal_of(longer), "where its last array ends"));
}

TEST_CASE(a_changed_content_is_told_from_a_changed_checksum) {
  std::vector<std::uint8_t> bytes = small_track().bytes();
  bytes[bytes.size() - 40] ^= 1;
  EXPECT(says(refusal_of(bytes), "the checksum does not fit"));
  seal_track(bytes);
  EXPECT(!says(refusal_of(bytes), "the checksum"));
}

// As the writer of version 1 made it: the same arrays, without a version and a checksum.
std::vector<std::uint8_t> written_without(const char* left_out, const char* left_out_too = "") {
  const Container whole = Container::parse(small_track().bytes(), "whole");
  std::vector<NamedArray> arrays;
  for (const char* name : {"version", "subject", "identity", "od_shape", "od_place", "os_shape", "os_place", "rows",
                           "time_s", "time_base", "rate", "size", "sha256"}) {
    if (std::string(name) == left_out || std::string(name) == left_out_too) continue;
    for (const DType dtype : {DType::u8, DType::i32, DType::f32, DType::f64, DType::i64})
      for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{-1}, std::vector<std::int64_t>{-1, -1}})
        try {
          const Array& a = whole.get(name, dtype, shape);
          arrays.push_back({name, dtype, a.shape, a.data});
        } catch (const Error&) {  // of another type
        }
  }
  return container_bytes(arrays);
}

TEST_CASE(an_older_or_newer_version_says_what_to_do) {
  EXPECT(says(refusal_of(written_without("version", "sha256")), "version 1"));
  EXPECT(says(refusal_of(written_without("version", "sha256")), "`dmask run`"));
  EXPECT(says(refusal_of(written_without("sha256")), "no checksum"));
  std::vector<std::uint8_t> newer = written_without("");
  const Container parsed = Container::parse(newer, "newer");
  const std::size_t at = static_cast<std::size_t>(parsed.get("version", DType::i32, {1}).data - parsed.bytes().data());
  newer[at] = 3;
  seal_track(newer);
  EXPECT(says(refusal_of(newer), "version 3, expected 2"));
  std::vector<std::uint8_t> without_rows = written_without("rows");
  seal_track(without_rows);
  EXPECT(says(refusal_of(without_rows), "no array rows"));
}

TEST_CASE(what_no_recording_can_be_is_neither_read_nor_written) {
  const auto refused = [](const char* expected, void (*change)(Track&)) {
    Track track = small_track();
    change(track);
    const std::string said = refusal([&] { track.bytes(); });
    EXPECT(says(said, expected));
  };
  refused("do not rise", [](Track& t) { t.time_s[1] = t.time_s[0]; });
  refused("do not rise", [](Track& t) { t.time_s[1] = t.time_s[0] + 1e-6; });  // less than a tick
  refused("do not rise", [](Track& t) { t.time_s[2] = NAN; });
  refused("do not rise", [](Track& t) { t.time_s[2] = INFINITY; });
  refused("not finite", [](Track& t) { t.rows[8] = NAN; });
  refused("3 frames and 2 times", [](Track& t) { t.time_s.pop_back(); });
  refused("frames and", [](Track& t) {
    t = Track{};
    t.width = t.height = 32;
    t.subject = small_track().subject;
  });
  refused("clock ticks", [](Track& t) { t.time_base.denominator = 0; });
  refused("a rate", [](Track& t) { t.rate.numerator = -30; });
  refused("pixels", [](Track& t) { t.width = 0; });
  refused("pixels", [](Track& t) { t.height = 1 << 20; });
  refused("hfov_deg", [](Track& t) { t.subject.hfov_deg = 170; });
  refused("hfov_deg", [](Track& t) { t.subject.hfov_deg = NAN; });
  refused("scale", [](Track& t) { t.subject.scale = -1; });
  refused("identity", [](Track& t) { t.subject.identity[0] = NAN; });
  refused("iris radius", [](Track& t) { t.subject.eyes[OS].iris_radius_mm = 12; });
  refused("shape or place", [](Track& t) { t.subject.eyes[OD].centre.x() = INFINITY; });
  Track track = small_track();
  const float row[] = {1, 2};
  EXPECT(says(refusal([&] { track.add(row, 2, 9); }), "got a row of 2 numbers, expected 7"));
}

TEST_CASE(a_place_that_cannot_be_written_is_an_error_and_leaves_nothing) {
  const std::string said = refusal([] { small_track().write("/nowhere/at/all/track.dmask"); });
  EXPECT(says(said, "cannot write /nowhere/at/all/track.dmask"));
  EXPECT(says(refusal([] { Track::read("/nowhere/track.dmask"); }), "cannot open"));
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
