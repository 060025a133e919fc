// A day at the slit lamp: frame after frame through the C ABI, watching memory, latency and allocations.
//
//   endurance --models DIR [--frames 100000] [--raw FILE WIDTH HEIGHT] [--threads 1] [--precision auto|f32|bf16] [--where]
//
// Frames are BGR, side by side, from FILE, played to and fro; without it a rendered face of 640 x 480. One line per 10,000
// frames: resident memory, latency, allocations outside and inside the inference library. --where adds what allocated in the
// last tenth, as offsets into libdmask.so for addr2line. The digest is that of every number and every mask's pixels.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "dmask/dmask.h"
#include "rendered_face.h"

using dmask::test::allocation_sites;
using dmask::test::allocations;

namespace {

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double resident_mb() {
  long pages = 0, resident = 0;
  if (std::FILE* f = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(f, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(f);
  }
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

struct Digest {  // FNV-1a over 8 bytes at a time
  std::uint64_t value = 14695981039346656037u;
  void add(const void* data, std::size_t bytes) {
    const auto* p = static_cast<const std::uint8_t*>(data);
    for (; bytes >= 8; p += 8, bytes -= 8) {
      std::uint64_t word;
      std::memcpy(&word, p, 8);
      value = (value ^ word) * 1099511628211u;
    }
    for (; bytes > 0; ++p, --bytes) value = (value ^ *p) * 1099511628211u;
  }
};

[[noreturn]] void fail(const std::string& sentence) {
  std::fprintf(stderr, "endurance: %s\n", sentence.c_str());
  std::exit(1);
}

double percentile(std::vector<double>& values, double share) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * (values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

int main(int argc, char** argv) {
  long frames = 100000;
  int width = 640, height = 480, threads = 1, precision = DMASK_PRECISION_AUTO;
  const char *models = std::getenv("DMASK_MODELS"), *raw = nullptr;
  bool where = false;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto next = [&]() -> const char* { return ++i < argc ? argv[i] : (fail(option + " needs a value"), ""); };
    if (option == "--models") models = next();
    else if (option == "--frames") frames = std::atol(next());
    else if (option == "--threads") threads = std::atoi(next());
    else if (option == "--where") where = true;
    else if (option == "--precision") {
      const std::string name = next();
      precision = name == "f32" ? DMASK_PRECISION_F32 : name == "bf16" ? DMASK_PRECISION_BF16 : DMASK_PRECISION_AUTO;
    } else if (option == "--raw") {
      raw = next();
      width = std::atoi(next());
      height = std::atoi(next());
    } else fail("got '" + option + "', expected --models, --frames, --raw, --threads, --precision or --where");
  }
  if (frames < 1 || width < 16 || height < 16) fail("expected at least one frame of 16 x 16 pixels");

  const std::size_t bytes = static_cast<std::size_t>(width) * height * 3;
  std::vector<std::uint8_t> clip;
  if (raw) {
    std::FILE* f = std::fopen(raw, "rb");
    if (!f) fail(std::string("cannot open ") + raw);
    std::vector<std::uint8_t> frame(bytes);
    while (clip.size() < 300 * bytes && std::fread(frame.data(), 1, bytes, f) == bytes) clip.insert(clip.end(), frame.begin(), frame.end());
    std::fclose(f);
    if (clip.empty()) fail(std::string(raw) + " holds no frame of that size");
  } else {
    clip.resize(90 * bytes);
    for (int i = 0; i < 90; ++i)
      if (rendered_face(models ? models : "", i / 30.0, width, height, clip.data() + i * bytes)) fail("set --models to the folder of face.dmm");
  }
  const long count = static_cast<long>(clip.size() / bytes);

  dmask_options options;
  dmask_default_options(&options, sizeof options);
  options.models_dir = models;
  options.threads = threads;
  options.precision = precision;
  char error[DMASK_TEXT_BYTES];
  dmask_pipeline* pipeline = nullptr;
  double start = now_ms();
  if (dmask_create(&options, &pipeline, error, sizeof error) != DMASK_OK) fail(error);
  std::printf("%s\n%d x %d, %ld frames to and fro, threads %d; created in %.0f ms, %.1f MB resident\n", dmask_system_info(), width,
              height, count, threads, now_ms() - start, resident_mb());
  std::printf("%9s %9s %8s %8s %8s %8s %9s %9s\n", "frames", "rss_mb", "p50_ms", "p99_ms", "max_ms", "faces", "allocs", "in_net");

  std::vector<std::uint8_t> mask(bytes);
  std::vector<float> parameters(dmask_parameter_count(pipeline)), vertices(3 * static_cast<std::size_t>(dmask_vertex_count(pipeline)));
  dmask_frame frame = {sizeof frame, DMASK_FORMAT_BGR, width, height, nullptr, 3 * width, 0, nullptr, 0, 0, 0};
  dmask_picture picture = {sizeof picture, DMASK_FORMAT_BGR, width, height, mask.data(), 3 * width};
  dmask_measures measures = {};
  dmask_landmarks landmarks = {};
  measures.struct_size = sizeof measures;
  landmarks.struct_size = sizeof landmarks;

  const long block = std::clamp(frames / 10, 1l, 10000l);
  std::vector<double> ms, block_frame, block_mb;
  ms.reserve(block);
  Digest digest;
  long faces = 0, most = 0, steady = 0, steady_frames = 0;
  for (long i = 0; i < frames; ++i) {
    const long turn = i % std::max(2 * count - 2, 1l);
    frame.data = clip.data() + (turn < count ? turn : 2 * count - 2 - turn) * bytes;
    frame.time_s = i / 30.0;
    if (where && i == frames - frames / 10) allocation_sites.library = "libdmask.so";
    const long before = allocations.ours;
    int32_t status;
    {
      const dmask::test::Counted counted;
      start = now_ms();
      status = dmask_process(pipeline, &frame, &measures);
      if (status == DMASK_OK) status = dmask_render(pipeline, &picture);
      ms.push_back(now_ms() - start);
      if (status == DMASK_OK) status = dmask_get_landmarks(pipeline, &landmarks);
      if (status == DMASK_OK) status = dmask_get_parameters(pipeline, parameters.data(), static_cast<int32_t>(parameters.size()));
      if (status == DMASK_OK && measures.face_valid) status = dmask_get_vertices(pipeline, vertices.data(), dmask_vertex_count(pipeline));
    }
    if (status != DMASK_OK) fail(dmask_last_error(pipeline));
    const long own = allocations.ours - before;
    if (i >= 200) {
      most = std::max(most, own);
      steady += own;
      ++steady_frames;
    }
    faces += measures.face_valid;
    digest.add(&measures, sizeof measures);
    digest.add(parameters.data(), parameters.size() * sizeof(float));
    digest.add(mask.data(), mask.size());
    if (static_cast<long>(ms.size()) < block && i + 1 < frames) continue;
    const double n = static_cast<double>(ms.size()), slowest = *std::max_element(ms.begin(), ms.end());
    const double p50 = percentile(ms, 0.5), p99 = percentile(ms, 0.99);
    std::printf("%9ld %9.1f %8.2f %8.2f %8.2f %8ld %9.2f %9.2f\n", i + 1, resident_mb(), p50, p99, slowest, faces, allocations.ours / n,
                allocations.theirs / n);
    std::fflush(stdout);
    block_frame.push_back(static_cast<double>(i + 1));
    block_mb.push_back(resident_mb());
    allocations.ours = allocations.theirs = faces = 0;
    ms.clear();
  }

  if (block_mb.size() > 2) {  // the first block warms up
    double mean_frame = 0, mean_mb = 0, covariance = 0, variance = 0;
    const double n = static_cast<double>(block_mb.size() - 1);
    for (std::size_t i = 1; i < block_mb.size(); ++i) mean_frame += block_frame[i] / n, mean_mb += block_mb[i] / n;
    for (std::size_t i = 1; i < block_mb.size(); ++i) {
      covariance += (block_frame[i] - mean_frame) * (block_mb[i] - mean_mb);
      variance += (block_frame[i] - mean_frame) * (block_frame[i] - mean_frame);
    }
    std::printf("rss slope %.3f kB per 1000 frames\n", 1e6 * covariance / variance);
  }
  if (steady_frames > 0)
    std::printf("allocations outside the inference library after 200 frames: %.3f a frame, at most %ld\n",
                static_cast<double>(steady) / steady_frames, most);
  std::printf("digest %016llx\n", static_cast<unsigned long long>(digest.value));
  for (int k = 0; k < allocation_sites.used; ++k) {
    std::printf("%8.2f a frame at", allocation_sites.count[k] * 10.0 / frames);
    for (std::uintptr_t at : allocation_sites.chain[k])
      if (at) std::printf(" 0x%llx", static_cast<unsigned long long>(at));
    std::printf("\n");
  }
  dmask_destroy(pipeline);
  return 0;
}
