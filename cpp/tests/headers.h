/* What the programs of test_headers share: one is compiled against an old dmask.h, one as against a newer one. */
#ifndef HEADERS_H
#define HEADERS_H

#include <stdint.h>
#include <stdio.h>

struct measured {
  double head_yaw_deg, head_pitch_deg;
  uint8_t* mask; /* whoever takes it frees it */
};

extern long checks, failed_checks;
#define CHECK(condition)                                                       \
  do {                                                                         \
    ++checks;                                                                  \
    if (!(condition)) {                                                        \
      ++failed_checks;                                                         \
      fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition); \
    }                                                                          \
  } while (0)

void old_program(const char* models, const uint8_t* pixels, int width, int height, struct measured* got);

#endif
