#include "pipeline/track.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>

#include "geometry/check.hpp"
#include "geometry/file_path.hpp"
#include "models/container.hpp"
#include "models/sha256.hpp"

namespace dmask {
namespace {

constexpr std::size_t digest_bytes = 32;
constexpr std::int64_t largest_of_fraction = std::int64_t{1} << 31;
constexpr std::int64_t longest_row = 1 << 20;
constexpr double longest_s = 2147483648.0;
constexpr const char* prefixes[] = {"od_", "os_"};

std::vector<std::uint8_t> digest_of(const std::uint8_t* data, std::size_t bytes) {
  const std::string digits = sha256_hex(data, bytes);
  std::vector<std::uint8_t> digest(digest_bytes);
  for (std::size_t i = 0; i < digest_bytes; ++i)
    digest[i] = static_cast<std::uint8_t>(std::stoi(digits.substr(2 * i, 2), nullptr, 16));
  return digest;
}

// ---- The subject as arrays.

std::array<float, 4> scalars_of(const MaskSubject& s) {
  return {static_cast<float>(s.profile), s.hfov_deg, s.scale, s.eyebrows ? 1.0f : 0.0f};
}

std::array<float, 8> place_of(const MaskEye& e) {
  return {e.centre.x(),       e.centre.y(),       e.centre.z(), e.patch_offset.x(),
          e.patch_offset.y(), e.patch_offset.z(), e.patch_roll, e.iris_radius_mm};
}

VecXf vector_of(const Container& file, const std::string& name) {
  const float* values = file.numbers(name, {-1});
  return Eigen::Map<const VecXf>(values, file.get(name, DType::f32, {-1}).size());
}

MaskSubject subject_of(const Container& file) {
  MaskSubject s;
  const float* scalars = file.numbers("subject", {4});
  check(scalars[0] == 0 || scalars[0] == 1 || scalars[0] == 2,
        "got profile " + std::to_string(scalars[0]) + ", expected 0, 1 or 2");
  s.profile = static_cast<Profile>(static_cast<int>(scalars[0]));
  s.hfov_deg = scalars[1];
  s.scale = scalars[2];
  s.eyebrows = scalars[3] > 0.5f;
  if (file.has("eyes_shown")) {
    const auto* shown = file.get("eyes_shown", DType::u8, {2}).as<std::uint8_t>();
    check(shown[0] <= 1 && shown[1] <= 1 && shown[0] + shown[1] > 0, "got eyes_shown of " + std::to_string(shown[0]) +
                                                                         ", " + std::to_string(shown[1]) +
                                                                         ", expected 0 or 1, one of them 1");
    s.close_up = true;
    s.eyes_shown = {shown[0] == 1, shown[1] == 1};
  }
  s.identity = vector_of(file, "identity");
  for (int eye = 0; eye < 2; ++eye) {
    MaskEye& e = s.eyes[eye];
    e.shape = vector_of(file, std::string(prefixes[eye]) + "shape");
    const float* place = file.numbers(std::string(prefixes[eye]) + "place", {8});
    e.centre = Eigen::Map<const Vec3f>(place);
    e.patch_offset = Eigen::Map<const Vec3f>(place + 3);
    e.patch_roll = place[6];
    e.iris_radius_mm = place[7];
  }
  return s;
}

// ---- The file as a whole.

void check_seal(const Container& file) {
  const bool sealed = file.has("sha256");
  check(file.has("rows") || file.has("subject"), "the file is no track; expected track.dmask, as `dmask run` makes it");
  check(sealed || file.has("version"), "the file is a track of version 1, which has no checksum; expected version " +
                                           std::to_string(Track::version) + ": make it again with `dmask run`");
  check(sealed, "the file has no checksum; copy the file again");
  const Array& seal = file.get("sha256", DType::u8, {digest_bytes});
  const std::vector<std::uint8_t>& bytes = file.bytes();
  check(seal.data + digest_bytes == bytes.data() + bytes.size(),
        "the checksum is not at the end of the file; copy the file again");
  const std::vector<std::uint8_t> digest = digest_of(bytes.data(), bytes.size() - digest_bytes);
  check(std::equal(digest.begin(), digest.end(), seal.data),
        "the checksum does not fit the content: the file was damaged; copy the file again");
}

Fraction fraction_of(const Container& file, const char* name) {
  const auto* values = file.get(name, DType::i64, {2}).as<std::int64_t>();
  return {values[0], values[1]};
}

void check_fraction(const Fraction& f, const char* what) {
  check(
      f.numerator > 0 && f.denominator > 0 && f.numerator < largest_of_fraction && f.denominator < largest_of_fraction,
      std::string("got ") + what + " of " + std::to_string(f.numerator) + "/" + std::to_string(f.denominator) +
          ", expected a positive fraction");
}

}  // namespace

void check_subject(const MaskSubject& subject) {
  option_named("hfov_deg").check(static_cast<double>(subject.hfov_deg));
  check(subject.scale > 0.1f && subject.scale < 10,
        "got a face's scale of " + std::to_string(subject.scale) + ", expected 0.1 to 10");
  check(subject.identity.allFinite(), "got an identity that is not finite, expected numbers");
  for (const MaskEye& e : subject.eyes) {
    check(e.shape.allFinite() && e.centre.allFinite() && e.patch_offset.allFinite() && std::isfinite(e.patch_roll),
          "got an eye whose shape or place is not finite, expected numbers");
    check(e.iris_radius_mm >= 0 && e.iris_radius_mm < 12, "got an iris radius of " + std::to_string(e.iris_radius_mm) +
                                                              " mm, expected 0 to less than 12, the eyeball's");
  }
}

void Track::add(const float* row, int numbers, double at_s) {
  dmask::check(
      time_s.empty() ? numbers > 0 : numbers == row_size,
      "got a row of " + std::to_string(numbers) + " numbers, expected " + std::to_string(row_size) + " as before");
  row_size = numbers;
  rows.insert(rows.end(), row, row + numbers);
  time_s.push_back(at_s);
}

void Track::check() const {
  using dmask::check;
  check_subject(subject);
  check(frames() > 0 && row_size > 0 && rows.size() == time_s.size() * static_cast<std::size_t>(row_size),
        "got " + std::to_string(row_size > 0 ? rows.size() / row_size : 0) + " frames and " +
            std::to_string(time_s.size()) + " times, expected as many of both and one at least");
  check(std::all_of(rows.begin(), rows.end(), [](float v) { return std::isfinite(v); }),
        "a row holds a number that is not finite, expected none");
  check_fraction(time_base, "clock ticks");
  check_fraction(rate, "a rate");
  check(width > 0 && height > 0 && width <= largest_px && height <= largest_px,
        "got a picture of " + std::to_string(width) + "x" + std::to_string(height) + " pixels, expected 1 to " +
            std::to_string(largest_px) + " a side");
  double last_tick = -INFINITY;
  for (const double t : time_s) {
    const double tick = std::abs(t) < longest_s ? std::nearbyint(t / time_base.value()) : NAN;
    check(tick > last_tick, "its frame times do not rise, expected a clock tick between frames at least");
    last_tick = tick;
  }
}

std::vector<std::uint8_t> Track::bytes() const {
  check();
  const std::int32_t version_number = version, size[] = {width, height};
  const std::array<float, 4> scalars = scalars_of(subject);
  const std::array<float, 8> places[] = {place_of(subject.eyes[OD]), place_of(subject.eyes[OS])};
  const std::int64_t base[] = {time_base.numerator, time_base.denominator},
                     per_s[] = {rate.numerator, rate.denominator};
  const std::uint8_t room[digest_bytes] = {};
  std::vector<NamedArray> arrays = {{"version", DType::i32, {1}, &version_number},
                                    {"subject", DType::f32, {4}, scalars.data()},
                                    {"identity", DType::f32, {subject.identity.size()}, subject.identity.data()}};
  const std::uint8_t shown[] = {subject.eyes_shown[OD], subject.eyes_shown[OS]};
  if (subject.close_up) arrays.push_back({"eyes_shown", DType::u8, {2}, shown});
  for (int eye = 0; eye < 2; ++eye) {
    const VecXf& shape = subject.eyes[eye].shape;
    arrays.push_back({std::string(prefixes[eye]) + "shape", DType::f32, {shape.size()}, shape.data()});
    arrays.push_back({std::string(prefixes[eye]) + "place", DType::f32, {8}, places[eye].data()});
  }
  arrays.push_back({"rows", DType::f32, {frames(), row_size}, rows.data()});
  arrays.push_back({"time_s", DType::f64, {frames()}, time_s.data()});
  arrays.push_back({"time_base", DType::i64, {2}, base});
  arrays.push_back({"rate", DType::i64, {2}, per_s});
  arrays.push_back({"size", DType::i32, {2}, size});
  arrays.push_back({"sha256", DType::u8, {digest_bytes}, room});
  std::vector<std::uint8_t> file = container_bytes(arrays);
  seal_track(file);
  return file;
}

void seal_track(std::vector<std::uint8_t>& bytes) {
  check(bytes.size() >= digest_bytes, "got " + std::to_string(bytes.size()) + " bytes, expected room for a checksum");
  const std::vector<std::uint8_t> digest = digest_of(bytes.data(), bytes.size() - digest_bytes);
  std::copy(digest.begin(), digest.end(), bytes.end() - digest_bytes);
}

void Track::write(const std::string& path) const {
  const std::vector<std::uint8_t> file = bytes();
  const std::filesystem::path partial = file_path(path + ".part");
  std::ofstream out(partial, std::ios::binary);
  out.write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
  out.close();
  std::error_code failed;
  if (out) std::filesystem::rename(partial, file_path(path), failed);
  if (out && !failed) return;
  const std::string reason = failed ? failed.message() : std::strerror(errno);
  std::filesystem::remove(partial, failed);
  throw Error("cannot write " + path + " (" + reason + "); expected room for it in a folder that can be written");
}

Track Track::read(const std::string& path) { return parse(file_bytes(path), path); }

Track Track::parse(std::vector<std::uint8_t> bytes, const std::string& name) {
  try {
    const Container file = Container::parse(std::move(bytes), "the file");
    check_seal(file);
    const int number = file.get("version", DType::i32, {1}).as<std::int32_t>()[0];
    dmask::check(number == version, "the file is a track of version " + std::to_string(number) + ", expected " +
                                        std::to_string(version) + ": make it again with `dmask run`");
    Track track;
    track.subject = subject_of(file);
    const Array& rows = file.get("rows", DType::f32, {-1, -1});
    const Array& times = file.get("time_s", DType::f64, {-1});
    dmask::check(rows.shape[1] < longest_row,
                 "got rows of " + std::to_string(rows.shape[1]) + " numbers, expected some hundred");
    track.row_size = static_cast<int>(rows.shape[1]);
    track.rows.assign(rows.as<float>(), rows.as<float>() + rows.size());
    track.time_s.assign(times.as<double>(), times.as<double>() + times.size());
    track.time_base = fraction_of(file, "time_base");
    track.rate = fraction_of(file, "rate");
    const auto* size = file.get("size", DType::i32, {2}).as<std::int32_t>();
    track.width = size[0];
    track.height = size[1];
    track.check();
    return track;
  } catch (const Error& error) {
    throw Error(name + " is not a whole track: " + error.what());
  }
}

}  // namespace dmask
