/* Programs of other headers with the library of today: an old one (test_old_header.c), and one of a header to come, whose
 * structs are longer. All get what a program of today gets. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dmask/dmask.h"
#include "headers.h"
#include "rendered_face.h"

enum { WIDTH = 640, HEIGHT = 480 };
long checks, failed_checks;

typedef struct {
  dmask_options known;
  double later;
} newer_options;
typedef struct {
  dmask_frame known;
  double later;
} newer_frame;
typedef struct {
  dmask_picture known;
  double later;
} newer_picture;
typedef struct {
  dmask_measures known;
  double later;
} newer_measures;
typedef struct {
  dmask_landmarks known;
  float later;
} newer_landmarks;

static dmask_options strict_options(const char* models) {
  dmask_options options;
  CHECK(dmask_default_options(&options, sizeof options) == DMASK_OK);
  options.version = DMASK_VERSION_NUMBER;
  options.models_dir = models;
  options.profile = DMASK_PROFILE_STRICT;
  options.backend = DMASK_BACKEND_CPU;
  return options;
}

static dmask_frame frame_of(const uint8_t* pixels) {
  dmask_frame frame = {.struct_size = sizeof frame,
                       .format = DMASK_FORMAT_BGR,
                       .width = WIDTH,
                       .height = HEIGHT,
                       .data = pixels,
                       .stride = 3 * WIDTH};
  return frame;
}

static dmask_pipeline* created(const dmask_options* options) {
  char error[DMASK_TEXT_BYTES] = "";
  dmask_pipeline* pipeline = NULL;
  CHECK(dmask_create(options, &pipeline, error, sizeof error) == DMASK_OK);
  if (!pipeline) {
    fprintf(stderr, "%s\n", error);
    exit(1);
  }
  return pipeline;
}

static void program_of_today(const char* models, const uint8_t* pixels, struct measured* got) {
  const dmask_options options = strict_options(models);
  dmask_pipeline* pipeline = created(&options);
  const dmask_frame frame = frame_of(pixels);
  dmask_measures measures;
  memset(&measures, 0xff, sizeof measures);
  measures.struct_size = sizeof measures;
  CHECK(dmask_process(pipeline, &frame, &measures) == DMASK_OK && measures.face_valid == 1);
  CHECK(measures.reserved == 0 && isnan(measures.eyes[DMASK_OS].pupil_mm)); /* written, not left as they were */
  got->head_yaw_deg = measures.head_yaw_deg;
  got->head_pitch_deg = measures.head_pitch_deg;
  got->mask = malloc((size_t)WIDTH * HEIGHT * 3);
  dmask_picture picture = {sizeof picture, DMASK_FORMAT_BGR, WIDTH, HEIGHT, got->mask, 3 * WIDTH};
  CHECK(dmask_render(pipeline, &picture) == DMASK_OK);
  dmask_destroy(pipeline);
}

static void newer_program(const char* models, const uint8_t* pixels, struct measured* got) {
  newer_options options;
  options.later = 7;
  CHECK(dmask_default_options(&options.known, sizeof options) == DMASK_OK);
  CHECK(options.later == 0 &&
        options.known.struct_size == sizeof options); /* what the library does not know is not wished for */
  const dmask_options strict = strict_options(models);
  memcpy(&options.known, &strict, sizeof strict);
  options.known.struct_size = sizeof options;
  options.known.version = DMASK_VERSION_NUMBER + 7; /* another patch */
  dmask_pipeline* pipeline = created(&options.known);

  newer_frame frame = {frame_of(pixels), 0};
  frame.known.struct_size = sizeof frame;
  newer_measures measures;
  memset(&measures, 0, sizeof measures);
  measures.known.struct_size = sizeof measures;
  measures.later = 42;
  CHECK(dmask_process(pipeline, &frame.known, &measures.known) == DMASK_OK);
  CHECK(measures.later == 42 && measures.known.struct_size == sizeof measures && measures.known.face_valid == 1);
  got->head_yaw_deg = measures.known.head_yaw_deg;
  got->head_pitch_deg = measures.known.head_pitch_deg;
  newer_landmarks landmarks;
  memset(&landmarks, 0, sizeof landmarks);
  landmarks.known.struct_size = sizeof landmarks;
  landmarks.later = 42;
  CHECK(dmask_get_landmarks(pipeline, &landmarks.known) == DMASK_OK);
  CHECK(landmarks.later == 42 && landmarks.known.face_found == 1 && landmarks.known.face[8].confidence > 0);
  got->mask = malloc((size_t)WIDTH * HEIGHT * 3);
  newer_picture picture = {{sizeof picture, DMASK_FORMAT_BGR, WIDTH, HEIGHT, got->mask, 3 * WIDTH}, 0};
  CHECK(dmask_render(pipeline, &picture.known) == DMASK_OK);

  /* What this library cannot do is refused, not left out in silence. */
  frame.later = 1;
  CHECK(dmask_process(pipeline, &frame.known, NULL) == DMASK_BAD_VERSION);
  CHECK(strstr(dmask_last_error(pipeline), "a library as new as") != NULL);
  picture.later = 1;
  CHECK(dmask_render(pipeline, &picture.known) == DMASK_BAD_VERSION);
  dmask_patient patient;
  memset(&patient, 0, sizeof patient);
  patient.struct_size = sizeof patient;
  patient.hvid_mm = 12;
  CHECK(dmask_reset(pipeline, &patient) == DMASK_OK);
  patient.reserved[2] = 4;
  CHECK(dmask_reset(pipeline, &patient) == DMASK_BAD_VERSION);
  dmask_destroy(pipeline);

  char error[DMASK_TEXT_BYTES];
  options.later = 1;
  CHECK(dmask_create(&options.known, &pipeline, error, sizeof error) == DMASK_BAD_VERSION && pipeline == NULL);
  options.later = 0;
  options.known.patient.reserved[0] = NAN;
  CHECK(dmask_create(&options.known, &pipeline, error, sizeof error) == DMASK_BAD_VERSION);
  options.known.patient.reserved[0] = 0;
  options.known.version =
      DMASK_VERSION_NUMBER + 100; /* another minor version: another interface while the major one is 0 */
  CHECK(dmask_create(&options.known, &pipeline, error, sizeof error) == DMASK_BAD_VERSION);
  CHECK(strstr(error, "compile it against the header of this library") != NULL);
  options.known.version = DMASK_VERSION_NUMBER + 10000;
  CHECK(dmask_create(&options.known, &pipeline, error, sizeof error) == DMASK_BAD_VERSION);
}

int main(void) {
  const char* models = getenv("DMASK_MODELS");
  uint8_t* pixels = malloc((size_t)WIDTH * HEIGHT * 3);
  if (rendered_face(models ? models : "", 0, WIDTH, HEIGHT, pixels)) return 1;
  struct measured today = {0, 0, NULL}, old = today, newer = today;
  program_of_today(models, pixels, &today);
  old_program(models, pixels, WIDTH, HEIGHT, &old);
  newer_program(models, pixels, &newer);
  CHECK(old.head_yaw_deg == today.head_yaw_deg && old.head_pitch_deg == today.head_pitch_deg);
  CHECK(newer.head_yaw_deg == today.head_yaw_deg && newer.head_pitch_deg == today.head_pitch_deg);
  CHECK(old.mask && today.mask && memcmp(old.mask, today.mask, (size_t)WIDTH * HEIGHT * 3) == 0);
  CHECK(newer.mask && today.mask && memcmp(newer.mask, today.mask, (size_t)WIDTH * HEIGHT * 3) == 0);
  free(old.mask);
  free(newer.mask);
  free(today.mask);
  free(pixels);
  printf("%ld checks, %ld of them failed\n", checks, failed_checks);
  return failed_checks != 0;
}
