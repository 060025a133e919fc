# Windows on x86-64 from Linux: mingw-w64's GCC builds, wine runs (Debian: g++-mingw-w64-x86-64-posix and wine64).
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)  # with POSIX's threads: std::thread rests on them
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
foreach(kind LIBRARY INCLUDE PACKAGE)
  set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ONLY)
endforeach()

# The compiler's own libraries linked in: what is built runs where none of them is installed.
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
set(CMAKE_SHARED_LINKER_FLAGS_INIT -static)

find_program(DMASK_WINE NAMES wine64 wine PATHS /usr/lib/wine DOC "runs the tests")
if(DMASK_WINE)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${DMASK_WINE})
endif()
