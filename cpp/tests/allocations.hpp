// Counts the heap allocations a thread makes outside the inference library. Include it in one file of a program: it puts
// itself before the C library's allocator and before ov::InferRequest::infer, which is where inference begins and ends.
#pragma once

#include <dlfcn.h>
#include <execinfo.h>
#include <malloc.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace dmask::test {

struct Allocations {
  bool counting = false;  // of this thread
  int inference = 0;      // depth of infer()
  long ours = 0, theirs = 0;
};
inline thread_local Allocations allocations;

// Where allocations come from: the innermost addresses inside `library`, as offsets for addr2line.
struct AllocationSites {
  static constexpr int most = 512, depth = 4;
  const char* library = nullptr;  // substring of its path; null: nothing is recorded
  std::uintptr_t chain[most][depth] = {};
  long count[most] = {};
  int used = 0;
};
inline AllocationSites allocation_sites;

inline void note_site() {
  thread_local bool inside = false;
  if (inside) return;
  inside = true;
  void* stack[24];
  const int frames = backtrace(stack, 24);
  std::uintptr_t chain[AllocationSites::depth] = {};
  int at = 0;
  for (int i = 2; i < frames && at < AllocationSites::depth; ++i) {
    Dl_info info;
    if (dladdr(stack[i], &info) && info.dli_fname && std::strstr(info.dli_fname, allocation_sites.library))
      chain[at++] = reinterpret_cast<std::uintptr_t>(stack[i]) - reinterpret_cast<std::uintptr_t>(info.dli_fbase) - 1;
  }
  AllocationSites& s = allocation_sites;
  int k = 0;
  while (k < s.used && std::memcmp(s.chain[k], chain, sizeof chain)) ++k;
  if (k == s.used && s.used < AllocationSites::most) std::memcpy(s.chain[s.used++], chain, sizeof chain);
  if (k < s.used) ++s.count[k];
  inside = false;
}

inline void count_allocation() {
  Allocations& a = allocations;
  if (!a.counting) return;
  if (a.inference > 0) {
    ++a.theirs;
    return;
  }
  ++a.ours;
  if (allocation_sites.library) note_site();
}

// Counts from here to the end of the scope.
class Counted {
 public:
  Counted() { allocations.counting = true; }
  ~Counted() { allocations.counting = false; }
  Counted(const Counted&) = delete;
};

}  // namespace dmask::test

extern "C" {

void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) noexcept {
  dmask::test::count_allocation();
  return __libc_malloc(bytes);
}
void* calloc(std::size_t n, std::size_t bytes) noexcept {
  dmask::test::count_allocation();
  return __libc_calloc(n, bytes);
}
void* realloc(void* old, std::size_t bytes) noexcept {
  dmask::test::count_allocation();
  return __libc_realloc(old, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  dmask::test::count_allocation();
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept { return memalign(alignment, bytes); }
int posix_memalign(void** out, std::size_t alignment, std::size_t bytes) noexcept {
  *out = memalign(alignment, bytes);
  return *out ? 0 : ENOMEM;
}

// ov::InferRequest::infer()
__attribute__((visibility("default"))) void _ZN2ov12InferRequest5inferEv(void* request) {
  using Infer = void (*)(void*);
  static const Infer infer = reinterpret_cast<Infer>(dlsym(RTLD_NEXT, "_ZN2ov12InferRequest5inferEv"));
  struct Depth {
    Depth() { ++dmask::test::allocations.inference; }
    ~Depth() { --dmask::test::allocations.inference; }
  } depth;
  infer(request);
}

}  // extern "C"
