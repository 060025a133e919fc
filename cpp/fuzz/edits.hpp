// A container file taken apart, changed in a few fields, and put together again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bytes.hpp"

namespace fuzz {

struct Entry {
  std::string name;
  std::uint8_t dtype = 0;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint8_t> data;
};

std::vector<std::uint8_t> file_bytes(const std::string& path);
void write_bytes(const std::string& path, const std::vector<std::uint8_t>& bytes);
std::string seed(const char* name);  // path of a committed tiny file

std::vector<Entry> entries_of(const std::vector<std::uint8_t>& file);  // of a sound file

std::vector<std::uint8_t> put_together(const std::vector<Entry>& entries);

// A few entries changed, then the file put together, with a few of its header's bytes changed now and then.
std::vector<std::uint8_t> edited(std::vector<Entry> entries, Bytes& bytes);

// A folder in memory that goes when the process ends.
class Folder {
 public:
  Folder();
  ~Folder();
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace fuzz
