// on_card PROGRAM ARGUMENTS...: runs the program where there is a card, else says why not and ends with 77, which CTest
// takes for "skipped".
#include <unistd.h>

#include <cstdio>

#include "cuda/runtime/status.hpp"

int main(int argc, char** argv) {
  constexpr int skipped = 77, misused = 2;
  if (argc < 2) {
    std::fprintf(stderr, "usage: on_card PROGRAM ARGUMENTS...\n");
    return misused;
  }
  if (const dmask::cuda::Status card = dmask::cuda::status(); !card.problem.empty()) {
    std::printf("skipped: %s\n", card.problem.c_str());
    return skipped;
  }
  execv(argv[1], argv + 1);
  std::perror(argv[1]);
  return misused;
}
