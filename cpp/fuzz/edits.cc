#include "edits.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

namespace fuzz {
namespace {

constexpr std::size_t item_bytes[] = {1, 2, 4, 2, 4, 8, 8};

template <class T>
void put(std::vector<std::uint8_t>& out, T value) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(&value);
  out.insert(out.end(), p, p + sizeof value);
}

void set_item(Entry& entry, std::size_t k, Bytes& bytes) {
  std::uint8_t* at = entry.data.data() + k * item_bytes[entry.dtype];
  const auto store = [at](auto value) { std::memcpy(at, &value, sizeof value); };
  switch (entry.dtype) {
    case 0: return store(bytes.next<std::uint8_t>());
    case 1:
    case 3: return store(static_cast<std::int16_t>(bytes.whole()));
    case 2: return store(static_cast<std::int32_t>(bytes.whole()));
    case 4: {
      const double v = bytes.number();
      return store(std::abs(v) > 3.4e38 ? std::numeric_limits<float>::infinity() : static_cast<float>(v));
    }
    case 5: return store(bytes.number());
    default: return store(bytes.whole());
  }
}

std::size_t header_bytes(const std::vector<Entry>& entries) {
  std::size_t n = 16;
  for (const Entry& entry : entries) n += 20 + entry.name.size() + 8 * entry.shape.size();
  return n;
}

std::uint64_t items(const Entry& entry) {
  std::uint64_t n = 1;
  for (const std::uint64_t d : entry.shape) n *= d;
  return n;
}

// Another length along one dimension, the data long enough for it.
void resize(Entry& entry, Bytes& bytes) {
  if (entry.shape.empty()) return entry.shape.push_back(1);
  std::uint64_t& n = entry.shape[bytes.between(0, static_cast<int>(entry.shape.size()) - 1)];
  const int how = bytes.between(0, 5);
  n = how < 2 ? how : how == 2 ? n + 1 : how == 3 && n > 0 ? n - 1 : how == 4 ? n / 2 : bytes.between(0, 80);
  if (items(entry) < (1u << 20)) entry.data.resize(items(entry) * item_bytes[entry.dtype], bytes.next<std::uint8_t>());
}

void edit(std::vector<Entry>& entries, Bytes& bytes) {
  if (entries.empty()) return;
  Entry& entry = entries[bytes.between(0, static_cast<int>(entries.size()) - 1)];
  const std::size_t n = entry.data.size() / item_bytes[entry.dtype];
  switch (bytes.between(0, 11)) {
    default:
      for (int k = bytes.between(1, 4); n > 0 && k > 0; --k) set_item(entry, bytes.next<std::uint32_t>() % n, bytes);
      break;
    case 1:  // every item the same
      if (n == 0) return;
      set_item(entry, 0, bytes);
      for (std::size_t k = 1; k < n; ++k)
        std::copy_n(entry.data.data(), item_bytes[entry.dtype], entry.data.data() + k * item_bytes[entry.dtype]);
      break;
    case 2:
    case 3: resize(entry, bytes); break;
    case 4:
      if (!entry.shape.empty()) entry.shape.back() = static_cast<std::uint64_t>(bytes.whole());
      break;
    case 5: entry.dtype = static_cast<std::uint8_t>(bytes.between(0, 6)); break;
    case 6: entries.erase(entries.begin() + (&entry - entries.data())); break;
    case 7: entries.push_back(Entry(entry)); break;  // twice
    case 8:
      entry.name =
          bytes.one_in(2) ? std::string(bytes.between(0, 300), static_cast<char>(bytes.next<char>())) : entries[0].name;
      break;
    case 9: entry.shape.assign(bytes.between(0, 12), static_cast<std::uint64_t>(bytes.between(0, 2))); break;
  }
}

}  // namespace

std::vector<std::uint8_t> file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<std::uint8_t> bytes(std::istreambuf_iterator<char>(in), {});
  require(!bytes.empty(), "the seeds can be read");
  return bytes;
}

void write_bytes(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::string seed(const char* name) { return std::string(DMASK_FUZZ_SEEDS) + "/" + name; }

std::vector<Entry> entries_of(const std::vector<std::uint8_t>& file) {
  Bytes head(file.data() + 12, file.size() - 12);
  std::vector<Entry> entries(head.next<std::uint32_t>());
  for (Entry& entry : entries) {
    for (int n = head.next<std::uint16_t>(); n > 0; --n) entry.name += head.next<char>();
    entry.dtype = head.next<std::uint8_t>();
    entry.shape.resize(head.next<std::uint8_t>());
    for (std::uint64_t& n : entry.shape) n = head.next<std::uint64_t>();
    const auto offset = head.next<std::uint64_t>(), length = head.next<std::uint64_t>();
    entry.data.assign(file.begin() + static_cast<std::ptrdiff_t>(offset),
                      file.begin() + static_cast<std::ptrdiff_t>(offset + length));
  }
  return entries;
}

std::vector<std::uint8_t> edited(std::vector<Entry> entries, Bytes& bytes) {
  for (int k = bytes.between(0, 3); k > 0; --k) edit(entries, bytes);
  std::vector<std::uint8_t> out = put_together(entries);
  if (bytes.one_in(8)) {  // anything in the header
    const std::size_t head = header_bytes(entries);
    for (int k = bytes.between(1, 3); k > 0; --k) {
      const std::size_t place = bytes.next<std::uint16_t>() % std::max<std::size_t>(head - 8, 1);
      const std::int64_t value = bytes.whole();
      std::memcpy(out.data() + place, &value, std::size_t{1} << bytes.between(0, 3));
    }
  }
  if (bytes.one_in(16)) out.resize(bytes.next<std::uint32_t>() % (out.size() + 1));
  return out;
}

std::vector<std::uint8_t> put_together(const std::vector<Entry>& entries) {
  std::size_t at = header_bytes(entries);
  std::vector<std::uint8_t> out;
  for (const char c : std::string("DMASKARR")) put(out, c);
  put<std::uint32_t>(out, 1);
  put(out, static_cast<std::uint32_t>(entries.size()));
  for (const Entry& entry : entries) {
    put(out, static_cast<std::uint16_t>(entry.name.size()));
    for (const char c : entry.name) put(out, c);
    put(out, entry.dtype);
    put(out, static_cast<std::uint8_t>(entry.shape.size()));
    for (const std::uint64_t n : entry.shape) put(out, n);
    at = (at + 63) / 64 * 64;
    put<std::uint64_t>(out, at);
    put<std::uint64_t>(out, entry.data.size());
    at += entry.data.size();
  }
  for (const Entry& entry : entries) {
    out.resize((out.size() + 63) / 64 * 64);
    out.insert(out.end(), entry.data.begin(), entry.data.end());
  }
  return out;
}

Folder::Folder() {
  const std::filesystem::path memory = "/dev/shm",
                              place = std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path(),
                              folder = place / ("dmask-fuzz-" + std::to_string(std::random_device()()));
  require(std::filesystem::create_directory(folder), "a folder for the files");
  path_ = folder.generic_string();
}

Folder::~Folder() { std::filesystem::remove_all(path_); }

}  // namespace fuzz
