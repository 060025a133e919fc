#include "models/container.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <utility>

#include "geometry/check.hpp"
#include "geometry/file_path.hpp"

namespace dmask {
namespace {

constexpr char magic[] = "DMASKARR";
constexpr std::int64_t largest_file = std::int64_t{4} << 30;
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
         std::all_of(name.begin(), name.end(), [](char c) { return c >= 32 && c < 127; });
}

float half_to_float(std::uint16_t h) {
  const int exponent = (h >> 10) & 31;
  const float sign = (h & 0x8000) ? -1.0f : 1.0f;
  const float mantissa = static_cast<float>(h & 1023);
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  if (exponent == 31) return mantissa == 0 ? sign * INFINITY : NAN;
  return sign * std::ldexp(mantissa + 1024.0f, exponent - 25);
}

constexpr std::size_t alignment = 64;
std::size_t aligned(std::size_t offset) { return (offset + alignment - 1) / alignment * alignment; }

template <class T>
void put(std::vector<std::uint8_t>& out, T value) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(&value);
  out.insert(out.end(), p, p + sizeof value);
}

}  // namespace

std::int64_t Array::size() const {
  std::int64_t n = 1;
  for (std::int64_t d : shape) n *= d;
  return n;
}

std::vector<std::uint8_t> file_bytes(const std::string& path) {
  std::ifstream file(file_path(path), std::ios::binary | std::ios::ate);
  std::error_code ignored;
  check(file.good() && !std::filesystem::is_directory(file_path(path), ignored) && file.tellg() >= 0,
        "cannot open " + path + ": expected a dmask model or track file");
  const std::int64_t size = file.tellg();
  file.seekg(0);
  char start[sizeof magic - 1] = {};
  file.read(start, sizeof start);  // before all the rest, which may be a film
  check(file.good() && std::equal(start, start + sizeof start, magic),
        path + " is no dmask model or track file (wrong magic)");
  check(size <= largest_file, path + " has " + std::to_string(size) + " bytes, expected at most " +
                                  std::to_string(largest_file) + ": copy the file again");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  check(file.good(), "cannot read " + path);
  return bytes;
}

Container Container::read(const std::string& path) { return parse(file_bytes(path), path); }

Container Container::parse(std::vector<std::uint8_t> bytes, const std::string& path) {
  Container c;
  c.path_ = path;
  c.bytes_ = std::move(bytes);
  Cursor cursor(c.bytes_, path);
  check(c.bytes_.size() >= 16 && cursor.text(8) == magic, path + " is no dmask model or track file (wrong magic)");
  const auto version = cursor.next<std::uint32_t>();
  check(version == 1, path + " has format version " + std::to_string(version) + ", expected 1");
  const auto count = cursor.next<std::uint32_t>();
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string name = cursor.text(cursor.next<std::uint16_t>());
    check(printable(name) && !c.has(name),
          path + " has an array without a proper name of its own: copy the file again");
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
  std::size_t end = cursor.at();
  for (const auto& [name, a] : c.arrays_) {
    check(a.data >= c.bytes_.data() + cursor.at(),
          path + ": array " + name + " lies in the header; copy the file again");
    end = std::max(end, static_cast<std::size_t>(a.data - c.bytes_.data()) + a.bytes);
  }
  check(end == c.bytes_.size(), path + " has " + std::to_string(c.bytes_.size()) + " bytes, expected " +
                                    std::to_string(end) + ", where its last array ends; copy the file again");
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

std::vector<std::uint8_t> container_bytes(const std::vector<NamedArray>& arrays) {
  std::vector<std::size_t> bytes;
  std::size_t end = 16;
  for (const NamedArray& a : arrays) {
    std::size_t items = 1;
    for (const std::int64_t n : a.shape) items *= static_cast<std::size_t>(n);
    bytes.push_back(items * item_bytes[static_cast<int>(a.dtype)]);
    end += 20 + a.name.size() + 8 * a.shape.size();
  }
  std::vector<std::size_t> offsets;
  for (const std::size_t n : bytes) {
    offsets.push_back(aligned(end));
    end = offsets.back() + n;
  }

  std::vector<std::uint8_t> out;
  out.reserve(end);
  for (const char letter : std::string(magic)) put(out, letter);
  put(out, std::uint32_t{1});
  put(out, static_cast<std::uint32_t>(arrays.size()));
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const NamedArray& a = arrays[i];
    put(out, static_cast<std::uint16_t>(a.name.size()));
    for (const char letter : a.name) put(out, letter);
    put(out, a.dtype);
    put(out, static_cast<std::uint8_t>(a.shape.size()));
    for (const std::int64_t n : a.shape) put(out, static_cast<std::uint64_t>(n));
    put(out, static_cast<std::uint64_t>(offsets[i]));
    put(out, static_cast<std::uint64_t>(bytes[i]));
  }
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    out.resize(offsets[i]);
    const auto* data = static_cast<const std::uint8_t*>(arrays[i].data);
    out.insert(out.end(), data, data + bytes[i]);
  }
  return out;
}

}  // namespace dmask
