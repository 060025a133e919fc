// Counts what a program takes of device memory and of pinned host memory. Link it with
// -Wl,--wrap=cudaMalloc,--wrap=cudaMallocHost: the program's calls then come through here.
#pragma once

namespace dmask::test {

long device_allocations();  // so far

}  // namespace dmask::test
