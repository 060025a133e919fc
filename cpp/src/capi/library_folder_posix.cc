#include <dlfcn.h>

#include "capi/library_folder.hpp"
#include "dmask/dmask.h"

namespace dmask {

std::string library_folder() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void*>(&dmask_version), &info) || !info.dli_fname) return "";
  const std::string path = info.dli_fname;
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace dmask
