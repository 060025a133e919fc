/* A program compiled against an old dmask.h, run with the library of today. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "headers.h"
#include "old_dmask.h"
#include "rendered_face.h"

/* What follows a struct in memory belongs to the program. */
#define GUARDED(type)        \
  struct {                   \
    type own;                \
    unsigned char guard[64]; \
  }
#define GUARD(guarded)                                    \
  do {                                                    \
    memset(&(guarded), 0, sizeof(guarded));               \
    memset((guarded).guard, 0xa5, sizeof(guarded).guard); \
    (guarded).own.struct_size = sizeof(guarded).own;      \
  } while (0)
#define UNTOUCHED(guarded) untouched((guarded).guard, sizeof(guarded).guard)

static int untouched(const unsigned char* guard, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i)
    if (guard[i] != 0xa5) return 0;
  return 1;
}

void old_program(const char* models, const uint8_t* pixels, int width, int height, struct measured* got) {
  GUARDED(dmask_options) options;
  GUARD(options);
  CHECK(dmask_default_options(&options.own, sizeof options.own) == DMASK_OK);
  CHECK(UNTOUCHED(options) && options.own.struct_size == sizeof options.own && options.own.threads == 1 &&
        options.own.eyebrows == 1);
  options.own.version = DMASK_VERSION_NUMBER;
  options.own.models_dir = models;
  options.own.profile = DMASK_PROFILE_STRICT;
  options.own.backend = DMASK_BACKEND_CPU;
  char error[DMASK_TEXT_BYTES] = "";
  dmask_pipeline* pipeline = NULL;
  CHECK(dmask_create(&options.own, &pipeline, error, sizeof error) == DMASK_OK);
  if (!pipeline) {
    fprintf(stderr, "%s\n", error);
    return;
  }

  GUARDED(dmask_frame) frame;
  GUARD(frame);
  frame.own.format = DMASK_FORMAT_BGR;
  frame.own.width = width;
  frame.own.height = height;
  frame.own.data = pixels;
  frame.own.stride = 3 * width;
  GUARDED(dmask_measures) measures;
  GUARD(measures);
  CHECK(dmask_process(pipeline, &frame.own, &measures.own) == DMASK_OK);
  CHECK(UNTOUCHED(measures) && measures.own.struct_size == sizeof measures.own);
  CHECK(measures.own.face_valid == 1 && measures.own.calibrated == 1);
  got->head_yaw_deg = measures.own.head_yaw_deg;
  got->head_pitch_deg = measures.own.head_pitch_deg;

  GUARDED(dmask_calibration) calibration;
  GUARD(calibration);
  CHECK(dmask_get_calibration(pipeline, &calibration.own) == DMASK_OK);
  CHECK(UNTOUCHED(calibration) && calibration.own.ok == 1 && calibration.own.frames_seen == 1);
  GUARDED(dmask_timings) timings;
  GUARD(timings);
  CHECK(dmask_get_timings(pipeline, &timings.own) == DMASK_OK);
  CHECK(UNTOUCHED(timings) && timings.own.net_face > 0);

  uint8_t* mask = malloc((size_t)width * (size_t)height * 3);
  GUARDED(dmask_picture) picture;
  GUARD(picture);
  picture.own.format = DMASK_FORMAT_BGR;
  picture.own.width = width;
  picture.own.height = height;
  picture.own.data = mask;
  picture.own.stride = 3 * width;
  CHECK(dmask_render(pipeline, &picture.own) == DMASK_OK);
  got->mask = mask;

  /* A frame in one piece, as NV12 was before its chroma could lie elsewhere. */
  uint8_t* grey = calloc((size_t)width * (size_t)height * 3 / 2, 1);
  frame.own.format = DMASK_FORMAT_NV12;
  frame.own.data = grey;
  frame.own.stride = width;
  frame.own.time_s = 1;
  CHECK(dmask_process(pipeline, &frame.own, &measures.own) == DMASK_OK && measures.own.face_valid == 0);
  free(grey);

  /* Shorter than any header had it, or ending inside of a field, is no struct of ours. */
  frame.own.struct_size = sizeof frame.own - 8;
  CHECK(dmask_process(pipeline, &frame.own, NULL) == DMASK_BAD_VERSION);
  frame.own.struct_size = sizeof frame.own + 4;
  CHECK(dmask_process(pipeline, &frame.own, NULL) == DMASK_BAD_VERSION);
  CHECK(strstr(dmask_last_error(pipeline), "expected") != NULL);
  dmask_destroy(pipeline);
}
