// Named arrays in one file: the format of model and track files.
//
//   "DMASKARR" | u32 version (1) | u32 count | count entries | data
//   entry: u16 name bytes | name (utf-8) | u8 dtype | u8 ndim | u64 dims[ndim] | u64 offset | u64 bytes
//   dtype: 0 u8, 1 i16, 2 i32, 3 f16, 4 f32, 5 f64, 6 i64. Little endian, C order; offset from the
//   file's start, a multiple of 64. Strings are u8 arrays, lists of strings are joined by '\n'.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace dmask {

enum class DType : std::uint8_t { u8 = 0, i16 = 1, i32 = 2, f16 = 3, f32 = 4, f64 = 5, i64 = 6 };

struct Array {
  DType dtype = DType::u8;
  std::vector<std::int64_t> shape;
  const std::uint8_t* data = nullptr;
  std::size_t bytes = 0;

  std::int64_t size() const;
  template <class T>
  const T* as() const {
    return reinterpret_cast<const T*>(data);
  }
};

std::vector<std::uint8_t> file_bytes(const std::string& path);  // throws Error

class Container {
 public:
  // Throws Error, saying what is wrong, for anything but a whole container that ends with its last array.
  static Container read(const std::string& path);
  static Container parse(std::vector<std::uint8_t> bytes, const std::string& name);
  bool has(const std::string& name) const { return arrays_.count(name) > 0; }
  // Throws Error naming the file, the array and what was expected; a dim of -1 accepts any length.
  const Array& get(const std::string& name, DType dtype, const std::vector<std::int64_t>& shape) const;
  // An array of f32, all of them finite.
  const float* numbers(const std::string& name, const std::vector<std::int64_t>& shape) const;
  std::vector<std::string> strings(const std::string& name) const;
  std::vector<float> floats(const std::string& name) const;  // any floating dtype or i32, flattened
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  std::string path_;
  std::vector<std::uint8_t> bytes_;
  std::map<std::string, Array> arrays_;
};

struct NamedArray {
  std::string name;
  DType dtype;
  std::vector<std::int64_t> shape;
  const void* data;
};
std::vector<std::uint8_t> container_bytes(const std::vector<NamedArray>& arrays);  // in this order

}  // namespace dmask
