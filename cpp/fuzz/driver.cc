// Runs a target without libFuzzer: strings of random bytes, the same ones for the same seed, or files named.
//   fuzz_x [-cases N] [-seed S] [FILE ...]
// A case that crashes, or takes longer than 20 s, is left in crash-<target>.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <thread>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*)());  // where there are sanitizers

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds longest_case(20);
std::atomic<Clock::time_point> begun;
std::vector<std::uint8_t> input;
std::string crash_name;

void keep_input() {
  std::ofstream(crash_name, std::ios::binary)
      .write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
  std::fprintf(stderr, "the case is in %s\n", crash_name.c_str());
}

[[noreturn]] void stop(const char* why) {
  std::fprintf(stderr, "%s\n", why);
  keep_input();
  std::_Exit(1);
}

void watch() {
  for (;;) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    if (Clock::now() - begun.load() > longest_case) stop("a case took longer than 20 s");
  }
}

void run() {
  begun = Clock::now();
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t cases = 1000, seed = 1;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "-cases" && i + 1 < argc) cases = std::strtoull(argv[++i], nullptr, 10);
    else if (word == "-seed" && i + 1 < argc) seed = std::strtoull(argv[++i], nullptr, 10);
    else files.push_back(word);
  }
  const std::string name = std::filesystem::path(argv[0]).stem().string();
  crash_name = "crash-" + name;
  if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(keep_input);
  std::signal(SIGABRT, [](int) { stop("aborted"); });
  begun = Clock::now();
  std::thread(watch).detach();
  for (const std::string& file : files) {
    std::ifstream in(file, std::ios::binary);
    input.assign(std::istreambuf_iterator<char>(in), {});
    run();
  }
  if (!files.empty()) return 0;

  std::mt19937_64 random(seed);
  const auto start = Clock::now();
  for (std::uint64_t i = 0; i < cases; ++i) {
    input.resize(1 + random() % (1u << (3 + random() % 7)));
    for (std::uint8_t& byte : input) byte = static_cast<std::uint8_t>(random());
    if (random() % 4 == 0)  // runs of zeros: few changes to what is sound
      std::memset(input.data() + input.size() / 2, 0, input.size() - input.size() / 2);
    run();
  }
  const double s = std::chrono::duration<double>(Clock::now() - start).count();
  std::printf("%s: %llu cases, seed %llu, %.1f s\n", name.c_str(), static_cast<unsigned long long>(cases),
              static_cast<unsigned long long>(seed), s);
  return 0;
}
