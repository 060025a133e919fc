#include <cuda_runtime.h>
#include <ucontext.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

// Bounds of the section that holds all shared memory; weak, as a program may have none.
extern "C" {
extern char __start_dmask_cuda_shared[] __attribute__((weak));
extern char __stop_dmask_cuda_shared[] __attribute__((weak));
}

struct CUstream_st {
  cuda_host_graph* capture = nullptr;
};
using Stream = CUstream_st;

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace cuda_host {
namespace {

constexpr int warp_size = 32;
constexpr std::size_t stack_bytes = 128 << 10;  // sanitised frames are large
constexpr unsigned char garbage = 0x7f;

enum class State { running, at_block_barrier, at_warp_barrier, done };

struct Fibre {
  ucontext_t context{};
  std::vector<char> stack = std::vector<char>(stack_bytes);
  State state = State::done;
  int linear = 0;
  dim3 index;
  void* fake_stack = nullptr;  // AddressSanitizer's
};

[[noreturn]] void die(const char* sentence, const dim3& block) {
  std::fprintf(stderr, "CUDA on the host: %s (block %u, %u, %u)\n", sentence, block.x, block.y, block.z);
  std::abort();
}

struct Runner {
  std::vector<Fibre> fibres;
  std::vector<std::uint64_t> lanes;
  std::vector<int> predicates;
  std::vector<int> order;
  ucontext_t scheduler{};
  void* scheduler_fake_stack = nullptr;
  const void* scheduler_stack = nullptr;
  std::size_t scheduler_stack_bytes = 0;
  Fibre* current = nullptr;
  const std::function<void()>* kernel = nullptr;
  std::mt19937 random;
  bool shuffled = false;
};

Runner& runner() {
  static Runner instance;
  return instance;
}

void announce_leave(void** own_fake_stack, const void* bottom, std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(own_fake_stack, bottom, bytes);
#else
  (void)own_fake_stack, (void)bottom, (void)bytes;
#endif
}

void announce_arrival(void* own_fake_stack, const void** from, std::size_t* bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(own_fake_stack, from, bytes);
#else
  (void)own_fake_stack, (void)from, (void)bytes;
#endif
}

void to_scheduler(State state) {
  Runner& r = runner();
  Fibre& self = *r.current;
  self.state = state;
  // A fibre that is done gives up its fake stack.
  announce_leave(state == State::done ? nullptr : &self.fake_stack, r.scheduler_stack, r.scheduler_stack_bytes);
  swapcontext(&self.context, &r.scheduler);
  announce_arrival(self.fake_stack, &r.scheduler_stack, &r.scheduler_stack_bytes);
}

void to_fibre(Fibre& fibre) {
  Runner& r = runner();
  r.current = &fibre;
  threadIdx = fibre.index;
  announce_leave(&r.scheduler_fake_stack, fibre.stack.data(), fibre.stack.size());
  swapcontext(&r.scheduler, &fibre.context);
  announce_arrival(r.scheduler_fake_stack, nullptr, nullptr);
}

void fibre_main() {
  Runner& r = runner();
  announce_arrival(nullptr, &r.scheduler_stack, &r.scheduler_stack_bytes);
  (*r.kernel)();
  to_scheduler(State::done);
}

__attribute__((no_sanitize_address)) void spoil_shared_memory() {
  if (__start_dmask_cuda_shared == nullptr) return;
  for (volatile char* p = __start_dmask_cuda_shared; p < __stop_dmask_cuda_shared; ++p) *p = garbage;
}

void run_block(Runner& r, int threads) {
  spoil_shared_memory();
  for (int i = 0; i < threads; ++i) {
    Fibre& f = r.fibres[i];
    f.state = State::running;
    f.linear = i;
    const int width = static_cast<int>(blockDim.x), height = static_cast<int>(blockDim.y);
    f.index = dim3(i % width, i / width % height, i / (width * height));
    getcontext(&f.context);
    f.context.uc_stack.ss_sp = f.stack.data();
    f.context.uc_stack.ss_size = f.stack.size();
    f.context.uc_link = nullptr;
    makecontext(&f.context, fibre_main, 0);
  }
  for (;;) {
    if (r.shuffled) std::shuffle(r.order.begin(), r.order.end(), r.random);
    for (const int i : r.order)
      if (r.fibres[i].state == State::running) to_fibre(r.fibres[i]);
    int done = 0, at_block = 0;
    bool released = false;
    for (int i = 0; i < threads; ++i) {
      done += r.fibres[i].state == State::done;
      at_block += r.fibres[i].state == State::at_block_barrier;
    }
    if (done == threads) return;
    for (int first = 0; first < threads; first += warp_size) {
      const int last = std::min(threads, first + warp_size);
      int waiting = 0, alive = 0;
      for (int i = first; i < last; ++i) {
        waiting += r.fibres[i].state == State::at_warp_barrier;
        alive += r.fibres[i].state != State::done;
      }
      if (waiting == 0 || waiting != alive) continue;
      for (int i = first; i < last; ++i)
        if (r.fibres[i].state == State::at_warp_barrier) r.fibres[i].state = State::running;
      released = true;
    }
    if (released) continue;
    if (at_block > 0 && done > 0) die("a barrier of the block is not reached by all of its threads", blockIdx);
    if (at_block != threads) die("some lanes of a warp wait where others never come", blockIdx);
    for (int i = 0; i < threads; ++i) r.fibres[i].state = State::running;
  }
}

std::map<const char*, std::size_t>& device_memory() {
  static std::map<const char*, std::size_t> blocks;
  return blocks;
}

bool on_device(const void* p, std::size_t bytes) {
  const char* at = static_cast<const char*>(p);
  auto it = device_memory().upper_bound(at);
  if (it == device_memory().begin()) return false;
  --it;
  return at + bytes <= it->first + it->second;
}

bool overlaps_device(const void* p) { return on_device(p, 1); }

void check_copy(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  const bool right = (to_device ? on_device(to, bytes) : !overlaps_device(to)) &&
                     (from_device ? on_device(from, bytes) : !overlaps_device(from));
  if (!right) die("a copy's ends are not where its kind says, or run over an allocation", {0, 0, 0});
}

int device_status = -1, driver_version = 13000;

}  // namespace

void sync_block() { to_scheduler(State::at_block_barrier); }
void sync_warp() { to_scheduler(State::at_warp_barrier); }
int lane() { return runner().current->linear % warp_size; }

int sync_block_count(int predicate) {
  Runner& r = runner();
  const int self = r.current->linear;
  r.predicates[self] = predicate != 0;
  sync_block();
  const int count = std::accumulate(r.predicates.begin(), r.predicates.end(), 0);
  sync_block();
  return count;
}

std::uint64_t exchange(std::uint64_t value, int source_lane) {
  Runner& r = runner();
  const int self = r.current->linear, first = self / warp_size * warp_size;
  r.lanes[self] = value;
  sync_warp();
  const bool inside =
      source_lane >= 0 && source_lane < warp_size && first + source_lane < static_cast<int>(r.lanes.size());
  const std::uint64_t result = r.lanes[inside ? first + source_lane : self];
  sync_warp();
  return result;
}

unsigned ballot(int predicate) {
  Runner& r = runner();
  const int self = r.current->linear, first = self / warp_size * warp_size;
  r.lanes[self] = predicate != 0;
  sync_warp();
  unsigned result = 0;
  for (int i = first; i < std::min(first + warp_size, static_cast<int>(r.lanes.size())); ++i)
    if (r.fibres[i].state != State::done && r.lanes[i]) result |= 1u << (i - first);
  sync_warp();
  return result;
}

void run_grid(dim3 grid, dim3 block, const std::function<void()>& kernel) {
  Runner& r = runner();
  const int threads = static_cast<int>(block.x * block.y * block.z);
  if (threads < 1 || threads > 1024) die("a block has 1 to 1024 threads", {0, 0, 0});
  if (static_cast<int>(r.fibres.size()) < threads) r.fibres.resize(threads);
  r.lanes.assign(threads, 0);
  r.predicates.assign(threads, 0);
  r.order.resize(threads);
  std::iota(r.order.begin(), r.order.end(), 0);
  const char* seed = std::getenv("DMASK_CUDA_HOST_SEED");
  r.shuffled = seed != nullptr;
  if (seed) r.random.seed(static_cast<unsigned>(std::atoi(seed)));
  r.kernel = &kernel;
  blockDim = block;
  gridDim = grid;
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; ++x) {
        blockIdx = dim3(x, y, z);
        run_block(r, threads);
      }
}

void pretend_status(int status) { device_status = status; }
void pretend_driver(int version) { driver_version = version; }

}  // namespace cuda_host

struct cuda_host_event {
  std::chrono::steady_clock::time_point when;
  cuda_host_graph* capture = nullptr;
};

struct cuda_host_graph {
  std::vector<std::function<void()>> work;
  std::vector<Stream*> streams;  // that take part in the capture
};

namespace cuda_host {

void run_or_capture(Stream* stream, std::function<void()> work) {
  if (stream != nullptr && stream->capture != nullptr) {
    stream->capture->work.push_back(std::move(work));
  } else {
    work();
  }
}

}  // namespace cuda_host

using namespace cuda_host;

cudaError_t cudaGetDeviceCount(int* count) {
  const char* answer = std::getenv("DMASK_CUDA_HOST_STATUS");
  const int status = device_status >= 0 ? device_status : answer != nullptr ? std::atoi(answer) : 0;
  *count = status == 0 ? 1 : 0;
  return status;
}
cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : cudaErrorInvalidValue; }
cudaError_t cudaGetDevice(int* device) { return *device = 0, cudaSuccess; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  *p = {};
  std::snprintf(p->name, sizeof p->name, "host emulation");
  p->major = 7, p->minor = 5, p->multiProcessorCount = 1, p->totalGlobalMem = std::size_t{1} << 30;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) { return *version = driver_version, cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int* version) { return *version = 13000, cudaSuccess; }
const char* cudaGetErrorString(cudaError_t status) {
  switch (status) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
  }
  return "an error of the emulation";
}
const char* cudaGetErrorName(cudaError_t) { return "emulated"; }
cudaError_t cudaGetLastError() { return cudaSuccess; }
cudaError_t cudaPeekAtLastError() { return cudaSuccess; }

cudaError_t cudaMalloc(void** p, std::size_t bytes) {
  *p = std::malloc(std::max<std::size_t>(bytes, 1));
  std::memset(*p, garbage, bytes);
  device_memory()[static_cast<char*>(*p)] = bytes;
  return cudaSuccess;
}
cudaError_t cudaFree(void* p) {
  if (p != nullptr && device_memory().erase(static_cast<char*>(p)) == 0)
    die("cudaFree of what cudaMalloc did not give", {0, 0, 0});
  std::free(p);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** p, std::size_t bytes) {
  *p = std::malloc(std::max<std::size_t>(bytes, 1));
  std::memset(*p, garbage, bytes);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* p) { return std::free(p), cudaSuccess; }
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  check_copy(to, from, bytes, kind);
  run_or_capture(stream, [=] { std::memcpy(to, from, bytes); });
  return cudaSuccess;
}
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t row_bytes, std::size_t rows, cudaMemcpyKind kind, cudaStream_t stream) {
  if (rows == 0) return cudaSuccess;
  check_copy(to, from, std::min(to_pitch, from_pitch) * (rows - 1) + row_bytes, kind);
  run_or_capture(stream, [=] {
    for (std::size_t y = 0; y < rows; ++y)
      std::memcpy(static_cast<char*>(to) + y * to_pitch, static_cast<const char*>(from) + y * from_pitch, row_bytes);
  });
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  if (!on_device(to, bytes)) die("cudaMemsetAsync outside device memory", {0, 0, 0});
  run_or_capture(stream, [=] { std::memset(to, value, bytes); });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) { return *stream = new Stream, cudaSuccess; }
cudaError_t cudaStreamDestroy(cudaStream_t stream) { return delete stream, cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (stream != nullptr && stream->capture != nullptr) die("a stream is waited for while it is captured", {0, 0, 0});
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) { return *event = new cuda_host_event, cudaSuccess; }
cudaError_t cudaEventDestroy(cudaEvent_t event) { return delete event, cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->when = std::chrono::steady_clock::now();
  event->capture = stream != nullptr ? stream->capture : nullptr;
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (event->capture != nullptr && stream->capture == nullptr) {  // a fork of the capture
    stream->capture = event->capture;
    event->capture->streams.push_back(stream);
  }
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t from, cudaEvent_t to) {
  *ms = std::chrono::duration<float, std::milli>(to->when - from->when).count();
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  stream->capture = new cuda_host_graph;
  stream->capture->streams.push_back(stream);
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = stream->capture;
  for (Stream* s : (*graph)->streams) s->capture = nullptr;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  return *exec = new cuda_host_graph(*graph), cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  if (stream->capture != nullptr) die("a graph is launched into a capture", {0, 0, 0});
  for (const auto& work : exec->work) work();
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) { return delete exec, cudaSuccess; }
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t work, void* data) {
  run_or_capture(stream, [=] { work(data); });
  return cudaSuccess;
}
