#pragma once

#include <string>

namespace dmask {

// Where the file lies that this code was loaded from; empty where the system does not tell.
std::string library_folder();

}  // namespace dmask
