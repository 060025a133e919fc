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

struct Settings {
  long frames = 100000;
  int width = 640, height = 480, threads = 1, precision = DMASK_PRECISION_AUTO;
  const char *models = std::getenv("DMASK_MODELS"), *raw = nullptr;
  bool where = false;
  std::size_t bytes() const { return static_cast<std::size_t>(width) * height * 3; }  // of a frame
};

int named_precision(const std::string& name) {
  if (name == "f32") return DMASK_PRECISION_F32;
  if (name == "bf16") return DMASK_PRECISION_BF16;
  if (name != "auto") fail("got precision '" + name + "', expected auto, f32 or bf16");
  return DMASK_PRECISION_AUTO;
}

Settings settings_from(int argc, char** argv) {
  Settings s;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto next = [&]() -> const char* { return ++i < argc ? argv[i] : (fail(option + " needs a value"), ""); };
    if (option == "--models") s.models = next();
    else if (option == "--frames") s.frames = std::atol(next());
    else if (option == "--threads") s.threads = std::atoi(next());
    else if (option == "--where") s.where = true;
    else if (option == "--precision") s.precision = named_precision(next());
    else if (option == "--raw") {
      s.raw = next();
      s.width = std::atoi(next());
      s.height = std::atoi(next());
    } else fail("got '" + option + "', expected --models, --frames, --raw, --threads, --precision or --where");
  }
  if (s.frames < 1 || s.width < 16 || s.height < 16) fail("expected at least one frame of 16 x 16 pixels");
  return s;
}

// Up to ten seconds of the file, or three of a rendered face.
std::vector<std::uint8_t> clip_of(const Settings& s) {
  const std::size_t bytes = s.bytes();
  std::vector<std::uint8_t> clip;
  if (!s.raw) {
    clip.resize(90 * bytes);
    for (int i = 0; i < 90; ++i)
      if (rendered_face(s.models ? s.models : "", i / 30.0, s.width, s.height, clip.data() + i * bytes))
        fail("set --models to the folder of face.dmm");
    return clip;
  }
  std::FILE* f = std::fopen(s.raw, "rb");
  if (!f) fail(std::string("cannot open ") + s.raw);
  std::vector<std::uint8_t> frame(bytes);
  while (clip.size() < 300 * bytes && std::fread(frame.data(), 1, bytes, f) == bytes)
    clip.insert(clip.end(), frame.begin(), frame.end());
  std::fclose(f);
  if (clip.empty()) fail(std::string(s.raw) + " holds no frame of that size");
  return clip;
}

dmask_pipeline* created(const Settings& s) {
  dmask_options options;
  dmask_default_options(&options, sizeof options);
  options.version = DMASK_VERSION_NUMBER;
  options.models_dir = s.models;
  options.threads = s.threads;
  options.precision = s.precision;
  char error[DMASK_TEXT_BYTES];
  dmask_pipeline* pipeline = nullptr;
  if (dmask_create(&options, &pipeline, error, sizeof error) != DMASK_OK) fail(error);
  return pipeline;
}

// A frame through every call that a program makes of it.
class Frames {
 public:
  Frames(dmask_pipeline* pipeline, const Settings& s)
      : pipeline_(pipeline),
        mask_(s.bytes()),
        parameters_(dmask_parameter_count(pipeline)),
        vertices_(3 * static_cast<std::size_t>(dmask_vertex_count(pipeline))) {
    frame_ = {sizeof frame_, DMASK_FORMAT_BGR, s.width, s.height, nullptr, 3 * s.width, 0, nullptr, 0, 0, 0};
    picture_ = {sizeof picture_, DMASK_FORMAT_BGR, s.width, s.height, mask_.data(), 3 * s.width};
    measures_.struct_size = sizeof measures_;
    landmarks_.struct_size = sizeof landmarks_;
  }

  // ms from the frame to its mask; allocations are counted.
  double follow(const std::uint8_t* pixels, double time_s) {
    frame_.data = pixels;
    frame_.time_s = time_s;
    const dmask::test::Counted counted;
    const double start = now_ms();
    std::int32_t status = dmask_process(pipeline_, &frame_, &measures_);
    if (status == DMASK_OK) status = dmask_render(pipeline_, &picture_);
    const double ms = now_ms() - start;
    if (status == DMASK_OK) status = dmask_get_landmarks(pipeline_, &landmarks_);
    if (status == DMASK_OK)
      status = dmask_get_parameters(pipeline_, parameters_.data(), static_cast<std::int32_t>(parameters_.size()));
    if (status == DMASK_OK && measures_.face_valid)
      status = dmask_get_vertices(pipeline_, vertices_.data(), dmask_vertex_count(pipeline_));
    if (status != DMASK_OK) fail(dmask_last_error(pipeline_));
    return ms;
  }
  bool face() const { return measures_.face_valid != 0; }
  void add_to(Digest& digest) const {
    digest.add(&measures_, sizeof measures_);
    digest.add(parameters_.data(), parameters_.size() * sizeof(float));
    digest.add(mask_.data(), mask_.size());
  }

 private:
  dmask_pipeline* pipeline_;
  std::vector<std::uint8_t> mask_;
  std::vector<float> parameters_, vertices_;
  dmask_frame frame_{};
  dmask_picture picture_{};
  dmask_measures measures_{};
  dmask_landmarks landmarks_{};
};

struct Watched {
  std::vector<double> block_frame, block_mb;     // resident memory at the end of each block
  long most = 0, steady = 0, steady_frames = 0;  // allocations of our own once everything is warm
  Digest digest;
};

Watched watch(dmask_pipeline* pipeline, const Settings& s, const std::vector<std::uint8_t>& clip) {
  constexpr long warm_frames = 200;
  const long count = static_cast<long>(clip.size() / s.bytes()), block = std::clamp(s.frames / 10, 1l, 10000l);
  Frames frames(pipeline, s);
  Watched w;
  std::vector<double> ms;
  ms.reserve(block);
  long faces = 0;
  for (long i = 0; i < s.frames; ++i) {
    const long turn = i % std::max(2 * count - 2, 1l);
    if (s.where && i == s.frames - s.frames / 10) allocation_sites.library = "libdmask.so";
    const long before = allocations.ours;
    ms.push_back(frames.follow(clip.data() + (turn < count ? turn : 2 * count - 2 - turn) * s.bytes(), i / 30.0));
    if (const long own = allocations.ours - before; i >= warm_frames) {
      w.most = std::max(w.most, own);
      w.steady += own;
      ++w.steady_frames;
    }
    faces += frames.face();
    frames.add_to(w.digest);
    if (static_cast<long>(ms.size()) < block && i + 1 < s.frames) continue;
    const double n = static_cast<double>(ms.size()), slowest = *std::max_element(ms.begin(), ms.end());
    const double p50 = percentile(ms, 0.5), p99 = percentile(ms, 0.99);
    std::printf("%9ld %9.1f %8.2f %8.2f %8.2f %8ld %9.2f %9.2f\n", i + 1, resident_mb(), p50, p99, slowest, faces,
                allocations.ours / n, allocations.theirs / n);
    std::fflush(stdout);
    w.block_frame.push_back(static_cast<double>(i + 1));
    w.block_mb.push_back(resident_mb());
    allocations.ours = allocations.theirs = faces = 0;
    ms.clear();
  }
  return w;
}

// Of a straight line through all blocks but the first, which warms up.
double slope_kb_per_1000_frames(const Watched& w) {
  double mean_frame = 0, mean_mb = 0, covariance = 0, variance = 0;
  const double n = static_cast<double>(w.block_mb.size() - 1);
  for (std::size_t i = 1; i < w.block_mb.size(); ++i) mean_frame += w.block_frame[i] / n, mean_mb += w.block_mb[i] / n;
  for (std::size_t i = 1; i < w.block_mb.size(); ++i) {
    covariance += (w.block_frame[i] - mean_frame) * (w.block_mb[i] - mean_mb);
    variance += (w.block_frame[i] - mean_frame) * (w.block_frame[i] - mean_frame);
  }
  return 1e6 * covariance / variance;
}

void print_allocation_sites(long frames) {
  for (int k = 0; k < allocation_sites.used; ++k) {
    std::printf("%8.2f a frame at", allocation_sites.count[k] * 10.0 / frames);
    for (std::uintptr_t at : allocation_sites.chain[k])
      if (at) std::printf(" 0x%llx", static_cast<unsigned long long>(at));
    std::printf("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Settings s = settings_from(argc, argv);
  const std::vector<std::uint8_t> clip = clip_of(s);
  const double start = now_ms();
  dmask_pipeline* pipeline = created(s);
  std::printf("%s\n%d x %d, %zu frames to and fro, threads %d; created in %.0f ms, %.1f MB resident\n",
              dmask_system_info(), s.width, s.height, clip.size() / s.bytes(), s.threads, now_ms() - start,
              resident_mb());
  std::printf("%9s %9s %8s %8s %8s %8s %9s %9s\n", "frames", "rss_mb", "p50_ms", "p99_ms", "max_ms", "faces", "allocs",
              "in_net");
  const Watched w = watch(pipeline, s, clip);
  if (w.block_mb.size() > 2) std::printf("rss slope %.3f kB per 1000 frames\n", slope_kb_per_1000_frames(w));
  if (w.steady_frames > 0)
    std::printf("allocations outside the inference library after 200 frames: %.3f a frame, at most %ld\n",
                static_cast<double>(w.steady) / w.steady_frames, w.most);
  std::printf("digest %016llx\n", static_cast<unsigned long long>(w.digest.value));
  print_allocation_sites(s.frames);
  dmask_destroy(pipeline);
  return 0;
}
