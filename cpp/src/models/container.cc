#include "models/container.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "geometry/check.hpp"

namespace dmask {
namespace {

constexpr std::size_t item_bytes[] = {1, 2, 4, 2, 4, 8, 8};
constexpr const char* dtype_names[] = {"u8", "i16", "i32", "f16", "f32", "f64", "i64"};

// Reads little-endian fields and refuses to walk past the end.
class Cursor {
 public:
  Cursor(const std::vector<std::uint8_t>& bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  template <class T>
  T next() {
    T value;
    std::memcpy(&value, take(sizeof(T)), sizeof(T));
    return value;
  }
  std::string text(std::size_t n) {
    const std::uint8_t* p = take(n);
    return {reinterpret_cast<const char*>(p), n};
  }
  std::size_t at() const { return at_; }

 private:
  const std::uint8_t* take(std::size_t n) {
    check(n <= bytes_.size() - at_, path_ + " is truncated: its header ends early; copy the file again");
    const std::uint8_t* p = bytes_.data() + at_;
    at_ += n;
    return p;
  }
  const std::vector<std::uint8_t>& bytes_;
  const std::string& path_;
  std::size_t at_ = 0;
};

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "(";
  for (std::int64_t n : shape) text += (n < 0 ? std::string("any") : std::to_string(n)) + ",";
  return text + ")";
}

// Fit to stand in an error's sentence.
bool printable(const std::string& name) {
  return !name.empty() && name.size() <= 200 &&
         std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) >= 32 && c != 127; });
}

float half_to_float(std::uint16_t h) {
  const int exponent = (h >> 10) & 31;
  const float sign = (h & 0x8000) ? -1.0f : 1.0f;
  const float mantissa = static_cast<float>(h & 1023);
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  if (exponent == 31) return mantissa == 0 ? sign * INFINITY : NAN;
  return sign * std::ldexp(mantissa + 1024.0f, exponent - 25);
}

}  // namespace

std::int64_t Array::size() const {
  std::int64_t n = 1;
  for (std::int64_t d : shape) n *= d;
  return n;
}

Container Container::read(const std::string& path) {
  Container c;
  c.path_ = path;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::error_code ignored;
  check(file.good() && !std::filesystem::is_directory(path, ignored) && file.tellg() >= 0,
        "cannot open " + path + ": expected a dmask model or track file");
  c.bytes_.resize(static_cast<std::size_t>(file.tellg()));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(c.bytes_.data()), static_cast<std::streamsize>(c.bytes_.size()));
  check(file.good(), "cannot read " + path);

  Cursor cursor(c.bytes_, path);
  check(c.bytes_.size() >= 16 && cursor.text(8) == "DMASKARR", path + " is no dmask model or track file (wrong magic)");
  const auto version = cursor.next<std::uint32_t>();
  check(version == 1, path + " has format version " + std::to_string(version) + ", expected 1");
  const auto count = cursor.next<std::uint32_t>();
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string name = cursor.text(cursor.next<std::uint16_t>());
    check(printable(name) && !c.has(name), path + " has an array without a proper name of its own: copy the file again");
    Array a;
    const auto dtype = cursor.next<std::uint8_t>();
    check(dtype <= 6, path + ": array " + name + " has unknown type " + std::to_string(dtype));
    a.dtype = static_cast<DType>(dtype);
    const int ndim = cursor.next<std::uint8_t>();
    std::uint64_t items = 1;
    for (int d = 0; d < ndim; ++d) {
      const auto n = cursor.next<std::uint64_t>();
      check(n <= c.bytes_.size(), path + ": array " + name + " is larger than the file");
      items *= n;
      check(items <= c.bytes_.size(), path + ": array " + name + " is larger than the file");
      a.shape.push_back(static_cast<std::int64_t>(n));
    }
    const auto offset = cursor.next<std::uint64_t>();
    a.bytes = cursor.next<std::uint64_t>();
    check(a.bytes == items * item_bytes[dtype], path + ": array " + name + " has the wrong length");
    check(offset % 64 == 0 && offset <= c.bytes_.size() && a.bytes <= c.bytes_.size() - offset,
          path + ": array " + name + " lies outside the file; copy the file again");
    a.data = c.bytes_.data() + offset;
    c.arrays_[name] = a;
  }
  for (const auto& [name, a] : c.arrays_)
    check(a.data >= c.bytes_.data() + cursor.at(), path + ": array " + name + " lies in the header; copy the file again");
  return c;
}

const Array& Container::get(const std::string& name, DType dtype, const std::vector<std::int64_t>& shape) const {
  const auto it = arrays_.find(name);
  check(it != arrays_.end(), path_ + " has no array " + name + ": rebuild it with dmask face-model build");
  const Array& a = it->second;
  bool fits = a.dtype == dtype && a.shape.size() == shape.size();
  for (std::size_t d = 0; fits && d < shape.size(); ++d) fits = shape[d] < 0 || shape[d] == a.shape[d];
  check(fits, path_ + ": array " + name + " is " + dtype_names[static_cast<int>(a.dtype)] + shape_text(a.shape) +
                  ", expected " + dtype_names[static_cast<int>(dtype)] + shape_text(shape));
  return a;
}

const float* Container::numbers(const std::string& name, const std::vector<std::int64_t>& shape) const {
  const Array& a = get(name, DType::f32, shape);
  const float* values = a.as<float>();
  check(std::all_of(values, values + a.size(), [](float v) { return std::isfinite(v); }),
        path_ + ": array " + name + " holds a number that is not finite; copy the file again");
  return values;
}

std::vector<std::string> Container::strings(const std::string& name) const {
  const Array& a = get(name, DType::u8, {-1});
  std::vector<std::string> out(1);
  for (std::size_t i = 0; i < a.bytes; ++i) {
    if (a.data[i] == '\n') out.emplace_back();
    else out.back() += static_cast<char>(a.data[i]);
  }
  return out;
}

std::vector<float> Container::floats(const std::string& name) const {
  const auto it = arrays_.find(name);
  check(it != arrays_.end(), path_ + " has no array " + name);
  const Array& a = it->second;
  std::vector<float> out(static_cast<std::size_t>(a.size()));
  for (std::size_t i = 0; i < out.size(); ++i) {
    switch (a.dtype) {
      case DType::f16: out[i] = half_to_float(a.as<std::uint16_t>()[i]); break;
      case DType::f32: out[i] = a.as<float>()[i]; break;
      case DType::f64: out[i] = static_cast<float>(a.as<double>()[i]); break;
      case DType::i32: out[i] = static_cast<float>(a.as<std::int32_t>()[i]); break;
      default: check(false, path_ + ": array " + name + " holds no floating numbers");
    }
  }
  return out;
}

}  // namespace dmask
