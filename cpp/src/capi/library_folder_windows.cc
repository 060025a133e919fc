#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <filesystem>

#include "capi/library_folder.hpp"
#include "dmask/dmask.h"

namespace dmask {

std::string library_folder() {
  HMODULE library = nullptr;
  constexpr DWORD of_this_code = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
  if (!GetModuleHandleExW(of_this_code, reinterpret_cast<LPCWSTR>(&dmask_version), &library)) return "";
  wchar_t path[32768];  // the longest that there is
  const DWORD length = GetModuleFileNameW(library, path, std::size(path));
  if (length == 0 || length == std::size(path)) return "";
  const std::u8string folder = std::filesystem::path(path).parent_path().generic_u8string();
  return {folder.begin(), folder.end()};
}

}  // namespace dmask
