# The sources of this folder with their whole paths: cpp/fuzz builds them once more, over stubs for the nets.
set(capi_sources dmask.cc frame.cc)
if(WIN32)
  list(APPEND capi_sources default_arithmetic_windows.cc library_folder_windows.cc)
else()
  list(APPEND capi_sources default_arithmetic_posix.cc library_folder_posix.cc)
endif()
list(TRANSFORM capi_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
