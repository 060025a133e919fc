// Runs a target without libFuzzer: strings of random bytes, the same ones for the same seed, or files named.
//   fuzz_x [-cases N] [-seed S] [FILE ...]
// A case that crashes, or takes longer than 20 s, is left in crash-<target>.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*)());  // where there are sanitizers

namespace {

constexpr unsigned longest_case_s = 20;
std::vector<std::uint8_t> input;
std::string crash_name;

void keep_input() {
  std::ofstream(crash_name, std::ios::binary)
      .write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
  std::fprintf(stderr, "the case is in %s\n", crash_name.c_str());
}

void stop(int signal) {
  std::fprintf(stderr, signal == SIGALRM ? "a case took longer than %u s\n" : "aborted\n", longest_case_s);
  keep_input();
  _exit(1);
}

void run() {
  alarm(longest_case_s);
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
  const std::string name = std::strrchr(argv[0], '/') ? std::strrchr(argv[0], '/') + 1 : argv[0];
  crash_name = "crash-" + name;
  if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(keep_input);
  std::signal(SIGALRM, stop);
  std::signal(SIGABRT, stop);
  for (const std::string& file : files) {
    std::ifstream in(file, std::ios::binary);
    input.assign(std::istreambuf_iterator<char>(in), {});
    run();
  }
  if (!files.empty()) return 0;

  std::mt19937_64 random(seed);
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < cases; ++i) {
    input.resize(1 + random() % (1u << (3 + random() % 7)));
    for (std::uint8_t& byte : input) byte = static_cast<std::uint8_t>(random());
    if (random() % 4 == 0)  // runs of zeros: few changes to what is sound
      std::memset(input.data() + input.size() / 2, 0, input.size() - input.size() / 2);
    run();
  }
  alarm(0);
  const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%s: %llu cases, seed %llu, %.1f s\n", name.c_str(), static_cast<unsigned long long>(cases),
              static_cast<unsigned long long>(seed), s);
  return 0;
}
