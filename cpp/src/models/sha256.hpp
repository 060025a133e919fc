// SHA-256 (FIPS 180-4): what models and what is built from them are known by.
#pragma once

#include <cstddef>
#include <string>

namespace dmask {

std::string sha256_hex(const void* data, std::size_t bytes);  // 64 lower-case digits

// Throws Error naming the file if it cannot be read.
std::string sha256_of_file(const std::string& path);

}  // namespace dmask
