#pragma once

#include <filesystem>
#include <string>

namespace dmask {

// A name is UTF-8 on every system; where file systems hold bytes, which need not be UTF-8, it is those bytes.
inline std::filesystem::path file_path(const std::string& name) { return std::u8string(name.begin(), name.end()); }

}  // namespace dmask
