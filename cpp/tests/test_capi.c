/* The C ABI as a C99 program sees it. */
#define _POSIX_C_SOURCE 200809L
#include <fenv.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dmask/dmask.h"
#include "rendered_face.h"

enum { WIDTH = 640, HEIGHT = 480, FRAMES = 20 };
#define FRAME_BYTES ((size_t)WIDTH * HEIGHT * 3)

static const char* models;
static uint8_t* clip;              /* FRAMES of BGR */
static long checks, failed_checks; /* of all threads */
static int passed, failed;         /* cases */
static int report_fd = 2;

#define EXPECT(condition)                                                         \
  do {                                                                            \
    __atomic_fetch_add(&checks, 1, __ATOMIC_RELAXED);                             \
    if (!(condition)) {                                                           \
      __atomic_fetch_add(&failed_checks, 1, __ATOMIC_RELAXED);                    \
      dprintf(report_fd, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition); \
    }                                                                             \
  } while (0)

/* A case passes when it checked something and none of its checks failed. */
#define RUN(call)                                                     \
  do {                                                                \
    const long checks_before = checks, failed_before = failed_checks; \
    call;                                                             \
    if (checks > checks_before && failed_checks == failed_before) {   \
      ++passed;                                                       \
    } else {                                                          \
      ++failed;                                                       \
      dprintf(report_fd, "%s failed\n", #call);                       \
    }                                                                 \
  } while (0)

static dmask_options options_of_test(void) {
  dmask_options options;
  EXPECT(dmask_default_options(&options, sizeof options) == DMASK_OK);
  options.models_dir = models;
  return options;
}

static dmask_pipeline* created_with(const dmask_options* options) {
  char error[DMASK_TEXT_BYTES];
  dmask_pipeline* pipeline = NULL;
  EXPECT(dmask_create(options, &pipeline, error, sizeof error) == DMASK_OK);
  if (!pipeline) {
    dprintf(report_fd, "%s\n", error);
    exit(1);
  }
  return pipeline;
}

static dmask_pipeline* created(void) {
  const dmask_options options = options_of_test();
  return created_with(&options);
}

static dmask_frame frame_at(int i) {
  dmask_frame frame;
  memset(&frame, 0, sizeof frame);
  frame.struct_size = sizeof frame;
  frame.format = DMASK_FORMAT_BGR;
  frame.width = WIDTH;
  frame.height = HEIGHT;
  frame.data = clip + (size_t)i * FRAME_BYTES;
  frame.stride = 3 * WIDTH;
  frame.time_s = i / 32.0; /* exact in every rounding mode */
  return frame;
}

static dmask_measures empty_measures(void) {
  dmask_measures measures;
  memset(&measures, 0, sizeof measures);
  measures.struct_size = sizeof measures;
  return measures;
}

static uint64_t digest_of(uint64_t digest, const void* data, size_t bytes) {
  const uint8_t* p = data;
  for (size_t i = 0; i < bytes; ++i) digest = (digest ^ p[i]) * 1099511628211u;
  return digest;
}

/* Measures, parameters and masks of frames first .. last. */
static uint64_t digest_of_run(dmask_pipeline* pipeline, int first, int last) {
  const int32_t count = dmask_parameter_count(pipeline);
  float* parameters = malloc(sizeof(float) * (size_t)count);
  uint8_t* pixels = malloc(FRAME_BYTES);
  dmask_picture mask = {sizeof mask, DMASK_FORMAT_BGR, WIDTH, HEIGHT, pixels, 3 * WIDTH};
  uint64_t digest = 14695981039346656037u;
  for (int i = first; i < last; ++i) {
    const dmask_frame frame = frame_at(i);
    dmask_measures measures = empty_measures();
    EXPECT(dmask_process(pipeline, &frame, &measures) == DMASK_OK);
    EXPECT(measures.face_valid == 1 && measures.close_up == 0 && measures.laterality == DMASK_LATERALITY_UNKNOWN);
    EXPECT(dmask_render(pipeline, &mask) == DMASK_OK);
    EXPECT(dmask_get_parameters(pipeline, parameters, count) == DMASK_OK);
    digest = digest_of(digest, &measures, sizeof measures);
    digest = digest_of(digest, parameters, sizeof(float) * (size_t)count);
    digest = digest_of(digest, pixels, FRAME_BYTES);
  }
  free(parameters);
  free(pixels);
  return digest;
}

static void refuses_bad_options(void) {
  char error[DMASK_TEXT_BYTES];
  dmask_pipeline* pipeline = NULL;
  dmask_options options = options_of_test();
#define REFUSED(status, field, value)                                           \
  do {                                                                          \
    options = options_of_test();                                                \
    options.field = value;                                                      \
    memset(error, 0, sizeof error);                                             \
    EXPECT(dmask_create(&options, &pipeline, error, sizeof error) == (status)); \
    EXPECT(pipeline == NULL && strstr(error, "expected") != NULL);              \
  } while (0)
  REFUSED(DMASK_BAD_VERSION, struct_size, 0);
  REFUSED(DMASK_BAD_VERSION, struct_size, UINT32_MAX);
  REFUSED(DMASK_BAD_VERSION, version, 99999);
  REFUSED(DMASK_BAD_ARGUMENT, profile, 7);
  REFUSED(DMASK_BAD_ARGUMENT, keep, 9);
  REFUSED(DMASK_BAD_ARGUMENT, framing, -1);
  REFUSED(DMASK_BAD_ARGUMENT, coarse_time, 2);
  REFUSED(DMASK_BAD_ARGUMENT, lamp, 2);
  REFUSED(DMASK_BAD_VERSION, reserved, 1);
  REFUSED(DMASK_BAD_ARGUMENT, weights, -1);
  REFUSED(DMASK_BAD_ARGUMENT, backend, 3);
  REFUSED(DMASK_BAD_ARGUMENT, precision, INT32_MAX);
  REFUSED(DMASK_BAD_ARGUMENT, threads, -1);
  REFUSED(DMASK_BAD_ARGUMENT, hfov_deg, NAN);
  REFUSED(DMASK_BAD_ARGUMENT, hfov_deg, 180);
  REFUSED(DMASK_BAD_ARGUMENT, patient.hvid_mm, NAN);
  REFUSED(DMASK_BAD_ARGUMENT, patient.age_years, NAN);
  REFUSED(DMASK_BAD_ARGUMENT, patient.age_years, 0.001);
  REFUSED(DMASK_BAD_ARGUMENT, patient.age_years, -1);
  REFUSED(DMASK_BAD_VERSION, patient.struct_size, 1);
  REFUSED(DMASK_BAD_ARGUMENT, patient.fixating, 4);
  REFUSED(DMASK_BAD_ARGUMENT, person, -1);
  REFUSED(DMASK_BAD_ARGUMENT, person, DMASK_PERSON_9 + 1);
  REFUSED(DMASK_BAD_ARGUMENT, view, DMASK_VIEW_EYE + 1);
  REFUSED(DMASK_BAD_ARGUMENT, view, -1);
  REFUSED(DMASK_BAD_ARGUMENT, eye, DMASK_LATERALITY_OS + 1);
  REFUSED(DMASK_BAD_ARGUMENT, mm_per_px, -0.01);
  REFUSED(DMASK_BAD_ARGUMENT, mm_per_px, 2.01);
  REFUSED(DMASK_BAD_ARGUMENT, mm_per_px, NAN);
  options = options_of_test();
  options.patient.fixating = DMASK_FIXATING_OD;
  options.patient.fixating_from_s = 3;
  options.patient.fixating_to_s = NAN;
  EXPECT(dmask_create(&options, &pipeline, error, sizeof error) == DMASK_BAD_ARGUMENT);
  options = options_of_test();
  options.models_dir = "/nowhere/at/all";
  EXPECT(dmask_create(&options, &pipeline, error, sizeof error) == DMASK_BAD_SETUP);
  EXPECT(strstr(error, "/nowhere/at/all") != NULL);
  memset(error, 'x', sizeof error);
  EXPECT(dmask_create(&options, &pipeline, error, 8) == DMASK_BAD_SETUP);
  EXPECT(strlen(error) == 7 && error[8] == 'x');
  EXPECT(dmask_create(&options, &pipeline, NULL, 0) == DMASK_BAD_SETUP);
  EXPECT(dmask_create(NULL, &pipeline, error, sizeof error) == DMASK_BAD_ARGUMENT);
  EXPECT(dmask_create(&options, NULL, error, sizeof error) == DMASK_BAD_ARGUMENT);
  EXPECT(dmask_default_options(NULL, sizeof options) == DMASK_BAD_ARGUMENT);
  EXPECT(dmask_default_options(&options, 3) == DMASK_BAD_VERSION);
}

static void refuses_calls_without_a_handle(void) {
  dmask_measures measures = empty_measures();
  const dmask_frame frame = frame_at(0);
  EXPECT(dmask_process(NULL, &frame, &measures) == DMASK_BAD_ARGUMENT);
  EXPECT(dmask_render(NULL, NULL) == DMASK_BAD_ARGUMENT);
  EXPECT(dmask_reset(NULL, NULL) == DMASK_BAD_ARGUMENT);
  EXPECT(dmask_get_timings(NULL, NULL) == DMASK_BAD_ARGUMENT);
  EXPECT(dmask_parameter_count(NULL) == 0 && dmask_parameter_name(NULL, 0) == NULL && dmask_vertex_count(NULL) == 0);
  EXPECT(strlen(dmask_last_error(NULL)) > 0);
  dmask_destroy(NULL);
}

/* Refusals leave no trace: the run that follows is that of a handle that saw none. */
static void refuses_bad_frames_and_buffers(dmask_pipeline* pipeline, uint64_t expected) {
  dmask_frame frame;
  dmask_measures measures = empty_measures();
  EXPECT(dmask_reset(pipeline, NULL) == DMASK_OK);
#define FRAME_REFUSED(status, field, value)                         \
  do {                                                              \
    frame = frame_at(0);                                            \
    frame.field = value;                                            \
    EXPECT(dmask_process(pipeline, &frame, &measures) == (status)); \
    EXPECT(strstr(dmask_last_error(pipeline), "expected") != NULL); \
  } while (0)
  FRAME_REFUSED(DMASK_BAD_VERSION, struct_size, 8);
  FRAME_REFUSED(DMASK_BAD_VERSION, struct_size, sizeof(dmask_frame) + 4);
  FRAME_REFUSED(DMASK_BAD_ARGUMENT, format, 99);
  FRAME_REFUSED(DMASK_BAD_ARGUMENT, width, 0);
  FRAME_REFUSED(DMASK_BAD_ARGUMENT, width, -640);
  FRAME_REFUSED(DMASK_BAD_ARGUMENT, height, INT32_MAX);
  FRAME_REFUSED(DMASK_BAD_ARGUMENT, data, NULL);
  FRAME_REFUSED(DMASK_BAD_ARGUMENT, stride, 3 * WIDTH - 1);
  FRAME_REFUSED(DMASK_BAD_ARGUMENT, stride, 0);
  FRAME_REFUSED(DMASK_BAD_ARGUMENT, stride, INT64_MIN);
  FRAME_REFUSED(DMASK_BAD_ARGUMENT, stride, INT64_MAX);
  FRAME_REFUSED(DMASK_BAD_ARGUMENT, time_s, NAN);
  FRAME_REFUSED(DMASK_BAD_ARGUMENT, time_s, INFINITY);
  FRAME_REFUSED(DMASK_BAD_ARGUMENT, on_device, 2);
  FRAME_REFUSED(DMASK_BAD_ARGUMENT, on_device, 1); /* the CPU backend cannot read it */
  FRAME_REFUSED(DMASK_BAD_ARGUMENT, format, DMASK_FORMAT_I420 + 1);
  FRAME_REFUSED(DMASK_BAD_VERSION, reserved, 1);
  for (int32_t format = DMASK_FORMAT_GREY16; format <= DMASK_FORMAT_I420; ++format) {
    const int32_t row = format == DMASK_FORMAT_I420 ? WIDTH : 2 * WIDTH;
#define CONVERTED_REFUSED(field, value)                                       \
  do {                                                                        \
    frame = frame_at(0);                                                      \
    frame.format = format;                                                    \
    frame.stride = row;                                                       \
    frame.field = value;                                                      \
    EXPECT(dmask_process(pipeline, &frame, &measures) == DMASK_BAD_ARGUMENT); \
    EXPECT(strstr(dmask_last_error(pipeline), "expected") != NULL);           \
  } while (0)
    CONVERTED_REFUSED(data, NULL);
    CONVERTED_REFUSED(stride, row - 1);
    CONVERTED_REFUSED(stride, INT64_MIN);
    CONVERTED_REFUSED(on_device, 1);
    if (format == DMASK_FORMAT_GREY16) CONVERTED_REFUSED(bits, 8);
    if (format == DMASK_FORMAT_GREY16) CONVERTED_REFUSED(bits, 17);
    if (format != DMASK_FORMAT_GREY16) CONVERTED_REFUSED(width, WIDTH - 1);
    if (format != DMASK_FORMAT_GREY16) CONVERTED_REFUSED(yuv, 4);
    if (format != DMASK_FORMAT_I420) continue;
    CONVERTED_REFUSED(height, HEIGHT - 1);
    CONVERTED_REFUSED(stride, WIDTH + 1);    /* half of it is no stride */
    CONVERTED_REFUSED(chroma_v, clip);       /* U is not told */
    CONVERTED_REFUSED(chroma, clip + WIDTH); /* its stride is not told */
  }
  EXPECT(strncmp(dmask_backend_text(pipeline), "cpu: OpenVINO", 13) == 0 && dmask_backend_text(NULL)[0] == 0);
  frame = frame_at(0);
  frame.format = DMASK_FORMAT_NV12;
  frame.width = WIDTH - 1;
  EXPECT(dmask_process(pipeline, &frame, &measures) == DMASK_BAD_ARGUMENT);
  frame.width = WIDTH;
  frame.stride = WIDTH;
  frame.yuv = 9;
  EXPECT(dmask_process(pipeline, &frame, &measures) == DMASK_BAD_ARGUMENT);
  EXPECT(dmask_process(pipeline, NULL, &measures) == DMASK_BAD_ARGUMENT);
  frame = frame_at(0);
  measures.struct_size = 3;
  EXPECT(dmask_process(pipeline, &frame, &measures) == DMASK_BAD_VERSION);

  uint8_t pixels[16 * 16 * 3];
  dmask_picture mask = {sizeof mask, DMASK_FORMAT_BGR, 16, 16, pixels, 48};
  EXPECT(dmask_render(pipeline, &mask) == DMASK_NOT_READY);
  EXPECT(dmask_calibrate(pipeline) == DMASK_NOT_READY);
  float value = 0;
  EXPECT(dmask_get_vertices(pipeline, &value, 1) == DMASK_BAD_ARGUMENT);
  EXPECT(dmask_get_parameters(pipeline, &value, 1) == DMASK_BAD_ARGUMENT);
  EXPECT(dmask_get_parameters(pipeline, NULL, dmask_parameter_count(pipeline)) == DMASK_BAD_ARGUMENT);
  EXPECT(dmask_get_landmarks(pipeline, NULL) == DMASK_BAD_ARGUMENT);
  const dmask_patient patient = {.struct_size = sizeof patient, .hvid_mm = 99};
  EXPECT(dmask_reset(pipeline, &patient) == DMASK_BAD_ARGUMENT);

  EXPECT(digest_of_run(pipeline, 0, FRAMES) == expected);
  for (mask.format = DMASK_FORMAT_NV12; mask.format <= DMASK_FORMAT_I420; ++mask.format)
    EXPECT(dmask_render(pipeline, &mask) == DMASK_BAD_ARGUMENT);
  mask.format = DMASK_FORMAT_BGR;
  mask.stride = 47;
  EXPECT(dmask_render(pipeline, &mask) == DMASK_BAD_ARGUMENT);
  mask.stride = 48;
  mask.data = NULL;
  EXPECT(dmask_render(pipeline, &mask) == DMASK_BAD_ARGUMENT);
}

static void reset_gives_what_a_new_handle_gives(dmask_pipeline* pipeline, uint64_t expected) {
  EXPECT(dmask_reset(pipeline, NULL) == DMASK_OK);
  dmask_calibration calibration;
  memset(&calibration, 0, sizeof calibration);
  calibration.struct_size = sizeof calibration;
  EXPECT(dmask_get_calibration(pipeline, &calibration) == DMASK_OK);
  EXPECT(calibration.ok == 0 && calibration.frames_seen == 0);
  EXPECT(digest_of_run(pipeline, 0, FRAMES) == expected);
  EXPECT(dmask_get_calibration(pipeline, &calibration) == DMASK_OK);
  EXPECT(calibration.ok == 1 && calibration.frames_seen == FRAMES);
}

static void no_face_is_an_answer(dmask_pipeline* pipeline) {
  EXPECT(dmask_reset(pipeline, NULL) == DMASK_OK);
  uint8_t* grey = malloc((size_t)WIDTH * HEIGHT);
  uint8_t* pixels = malloc(FRAME_BYTES);
  memset(grey, 90, (size_t)WIDTH * HEIGHT);
  memset(pixels, 0, FRAME_BYTES);
  dmask_frame frame = frame_at(0);
  frame.format = DMASK_FORMAT_GREY;
  frame.data = grey;
  frame.stride = WIDTH;
  dmask_measures measures = empty_measures();
  EXPECT(dmask_process(pipeline, &frame, &measures) == DMASK_OK);
  EXPECT(measures.face_valid == 0 && measures.face_reason == DMASK_REASON_NO_FACE);
  EXPECT(strcmp(dmask_reason_text(measures.face_reason), "no_face") == 0);
  EXPECT(isnan(measures.head_yaw_deg) && isnan(measures.eyes[DMASK_OD].yaw_deg) &&
         isnan(measures.eyes[DMASK_OS].pfh_mm));
  dmask_picture mask = {sizeof mask, DMASK_FORMAT_BGR, WIDTH, HEIGHT, pixels, 3 * WIDTH};
  EXPECT(dmask_render(pipeline, &mask) == DMASK_OK);
  EXPECT(pixels[0] > 200 && memcmp(pixels, pixels + 3, FRAME_BYTES - 3) == 0);
  dmask_landmarks* landmarks = calloc(1, sizeof *landmarks);
  landmarks->struct_size = sizeof *landmarks;
  EXPECT(dmask_get_landmarks(pipeline, landmarks) == DMASK_OK && landmarks->face_found == 0);
  float vertex[3];
  EXPECT(dmask_get_vertices(pipeline, vertex, dmask_vertex_count(pipeline)) == DMASK_NOT_READY);
  free(landmarks);
  free(grey);
  free(pixels);
}

static uint64_t digest_of_one(dmask_pipeline* pipeline, const dmask_frame* frame, dmask_measures* out) {
  dmask_measures measures = empty_measures();
  EXPECT(dmask_reset(pipeline, NULL) == DMASK_OK);
  EXPECT(dmask_process(pipeline, frame, &measures) == DMASK_OK);
  EXPECT(measures.face_valid == 1);
  if (out) *out = measures;
  return digest_of(14695981039346656037u, &measures, sizeof measures);
}

/* Of one picture in two formats. */
static void expect_alike(const dmask_measures* got, const dmask_measures* want, double most_deg, double most_mm) {
  EXPECT(fabs(got->head_yaw_deg - want->head_yaw_deg) < most_deg);
  EXPECT(fabs(got->head_pitch_deg - want->head_pitch_deg) < most_deg);
  for (int eye = DMASK_OD; eye <= DMASK_OS; ++eye) {
    const dmask_eye_measures *a = &got->eyes[eye], *b = &want->eyes[eye];
    EXPECT(a->valid == 1 && b->valid == 1);
    EXPECT(fabs(a->yaw_deg - b->yaw_deg) < most_deg && fabs(a->pitch_deg - b->pitch_deg) < most_deg);
    EXPECT(fabs(a->mrd1_mm - b->mrd1_mm) < most_mm && fabs(a->pfh_mm - b->pfh_mm) < most_mm);
  }
}

/* BT.601, full range. */
static void yuv_of(const uint8_t* bgr, uint8_t* y, uint8_t* u, uint8_t* v) {
  const double luma = 0.114 * bgr[0] + 0.587 * bgr[1] + 0.299 * bgr[2];
  *y = (uint8_t)(luma + 0.5);
  *u = (uint8_t)fmin(255, fmax(0, 128.5 + (bgr[0] - luma) / 1.772));
  *v = (uint8_t)fmin(255, fmax(0, 128.5 + (bgr[2] - luma) / 1.402));
}

/* Chroma, `step` bytes from one to the next, is that of the upper left of four pixels. */
static void write_planes(const uint8_t* bgr, uint8_t* luma, uint8_t* u, int step, uint8_t* v, int64_t chroma_stride) {
  for (int y = 0; y < HEIGHT; ++y)
    for (int x = 0; x < WIDTH; ++x) {
      const int64_t at = y / 2 * chroma_stride + x / 2 * step;
      uint8_t ignored[2];
      const int upper_left = x % 2 == 0 && y % 2 == 0;
      yuv_of(bgr + ((size_t)y * WIDTH + x) * 3, luma + y * WIDTH + x, upper_left ? u + at : ignored,
             upper_left ? v + at : ignored + 1);
    }
}

static void formats_and_strides_are_one_picture(dmask_pipeline* pipeline) {
  dmask_frame frame = frame_at(0);
  dmask_measures of_bgr, of_nv12;
  const uint64_t expected = digest_of_one(pipeline, &frame, &of_bgr);
  const uint8_t* bgr = frame.data;
  const int64_t stride = 4 * WIDTH + 52;
  uint8_t* other = malloc((size_t)stride * HEIGHT);

  memset(other, 77, (size_t)stride * HEIGHT);
  for (int y = 0; y < HEIGHT; ++y) memcpy(other + y * stride, bgr + (size_t)y * 3 * WIDTH, 3 * WIDTH);
  frame.data = other;
  frame.stride = stride;
  EXPECT(digest_of_one(pipeline, &frame, NULL) == expected);

  for (int y = 0; y < HEIGHT; ++y) memcpy(other + (HEIGHT - 1 - y) * stride, bgr + (size_t)y * 3 * WIDTH, 3 * WIDTH);
  frame.data = other + (HEIGHT - 1) * stride;
  frame.stride = -stride;
  EXPECT(digest_of_one(pipeline, &frame, NULL) == expected);

  for (int y = 0; y < HEIGHT; ++y)
    for (int x = 0; x < WIDTH; ++x) {
      for (int c = 0; c < 3; ++c) other[y * stride + 4 * x + c] = bgr[((size_t)y * WIDTH + x) * 3 + c];
      other[y * stride + 4 * x + 3] = (uint8_t)x;
    }
  frame.data = other;
  frame.stride = stride;
  frame.format = DMASK_FORMAT_BGRA;
  EXPECT(digest_of_one(pipeline, &frame, NULL) == expected);

  for (int y = 0; y < HEIGHT; ++y)
    for (int x = 0; x < WIDTH; ++x)
      for (int c = 0; c < 3; ++c) other[y * stride + 3 * x + c] = bgr[((size_t)y * WIDTH + x) * 3 + 2 - c];
  frame.format = DMASK_FORMAT_RGB;
  EXPECT(digest_of_one(pipeline, &frame, NULL) == expected);

  write_planes(bgr, other, other + WIDTH * HEIGHT, 2, other + WIDTH * HEIGHT + 1, WIDTH);
  frame.data = other;
  frame.format = DMASK_FORMAT_NV12;
  frame.stride = WIDTH;
  frame.yuv = DMASK_YUV_BT601_FULL;
  const uint64_t behind = digest_of_one(pipeline, &frame, &of_nv12);
  expect_alike(&of_nv12, &of_bgr, 0.7, 0.2);
  frame.chroma = other + WIDTH * HEIGHT;
  frame.chroma_stride = WIDTH;
  EXPECT(digest_of_one(pipeline, &frame, NULL) == behind);

  /* The same numbers in planes of their own, V before U. */
  uint8_t* v = other + WIDTH * HEIGHT + 1000;
  uint8_t* u = v + (size_t)WIDTH * HEIGHT;
  write_planes(bgr, other, u, 1, v, WIDTH / 2 + 3);
  frame.format = DMASK_FORMAT_I420;
  frame.chroma = u;
  frame.chroma_v = v;
  frame.chroma_stride = WIDTH / 2 + 3;
  EXPECT(digest_of_one(pipeline, &frame, NULL) == behind);
  write_planes(bgr, other, other + WIDTH * HEIGHT, 1, other + WIDTH * HEIGHT * 5 / 4, WIDTH / 2);
  frame.chroma = frame.chroma_v = NULL;
  EXPECT(digest_of_one(pipeline, &frame, NULL) == behind);
  free(other);
}

static void pairs_of_pixels_are_the_same_picture(dmask_pipeline* pipeline) {
  dmask_frame frame = frame_at(0);
  dmask_measures of_bgr, of_yuyv;
  digest_of_one(pipeline, &frame, &of_bgr);
  const uint8_t* bgr = frame.data;
  const int64_t stride = 2 * WIDTH + 5;
  uint8_t* pairs = malloc((size_t)stride * HEIGHT);
  for (int y = 0; y < HEIGHT; ++y)
    for (int x = 0; x < WIDTH; x += 2) {
      uint8_t *to = pairs + y * stride + 2 * x, ignored[2];
      yuv_of(bgr + ((size_t)y * WIDTH + x) * 3, to, to + 1, to + 3);
      yuv_of(bgr + ((size_t)y * WIDTH + x + 1) * 3, to + 2, ignored, ignored + 1);
    }
  frame.format = DMASK_FORMAT_YUYV;
  frame.data = pairs;
  frame.stride = stride;
  frame.yuv = DMASK_YUV_BT601_FULL;
  const uint64_t digest = digest_of_one(pipeline, &frame, &of_yuyv);
  expect_alike(&of_yuyv, &of_bgr, 0.7, 0.2);
  uint8_t* turned = malloc((size_t)stride * HEIGHT);
  for (int y = 0; y < HEIGHT; ++y) memcpy(turned + (HEIGHT - 1 - y) * stride, pairs + y * stride, 2 * WIDTH);
  frame.data = turned + (HEIGHT - 1) * stride;
  frame.stride = -stride;
  EXPECT(digest_of_one(pipeline, &frame, NULL) == digest);
  free(turned);
  free(pairs);
}

static void grey_of_more_bits_is_the_same_picture(dmask_pipeline* pipeline) {
  dmask_frame frame = frame_at(0);
  dmask_measures of_bgr, of_grey;
  digest_of_one(pipeline, &frame, &of_bgr);
  const uint8_t* bgr = frame.data;
  uint8_t *grey = malloc((size_t)WIDTH * HEIGHT), ignored[2];
  uint16_t* fine = malloc((size_t)WIDTH * HEIGHT * sizeof *fine);
  for (int i = 0; i < WIDTH * HEIGHT; ++i) yuv_of(bgr + 3 * i, grey + i, ignored, ignored + 1);
  frame.format = DMASK_FORMAT_GREY;
  frame.data = grey;
  frame.stride = WIDTH;
  const uint64_t digest = digest_of_one(pipeline, &frame, &of_grey);
  expect_alike(&of_grey, &of_bgr, 1.2, 0.2);
  frame.format = DMASK_FORMAT_GREY16;
  frame.data = (const uint8_t*)fine;
  frame.stride = WIDTH * (int64_t)sizeof *fine;
  for (int bits = 9; bits <= 17; ++bits) {
    const int below = (bits == 17 ? 16 : bits) - 8; /* bits that are too fine to be seen */
    for (int i = 0; i < WIDTH * HEIGHT; ++i) fine[i] = (uint16_t)((grey[i] << below) + i % (1 << below));
    frame.bits = bits == 17 ? 0 : bits;
    EXPECT(digest_of_one(pipeline, &frame, NULL) == digest);
  }
  free(fine);
  free(grey);
}

static void the_mask_is_written_in_every_format(dmask_pipeline* pipeline) {
  EXPECT(digest_of_run(pipeline, 0, 1) != 0);
  const int64_t stride = 4 * WIDTH + 16;
  uint8_t* bgr = malloc(FRAME_BYTES);
  uint8_t* other = malloc((size_t)stride * HEIGHT);
  dmask_picture picture = {sizeof picture, DMASK_FORMAT_BGR, WIDTH, HEIGHT, bgr, 3 * WIDTH};
  EXPECT(dmask_render(pipeline, &picture) == DMASK_OK);
  picture.data = other;
  picture.stride = stride;
  const int format[3] = {DMASK_FORMAT_RGB, DMASK_FORMAT_BGRA, DMASK_FORMAT_GREY}, bytes[3] = {3, 4, 1};
  for (int f = 0; f < 3; ++f) {
    memset(other, 201, (size_t)stride * HEIGHT);
    picture.format = format[f];
    EXPECT(dmask_render(pipeline, &picture) == DMASK_OK);
    int wrong = 0;
    for (int y = 0; y < HEIGHT; ++y) {
      for (int x = 0; x < WIDTH; ++x) {
        const uint8_t *p = bgr + ((size_t)y * WIDTH + x) * 3, *q = other + y * stride + bytes[f] * x;
        if (f == 0) wrong += q[0] != p[2] || q[1] != p[1] || q[2] != p[0];
        else if (f == 1) wrong += memcmp(p, q, 3) != 0 || q[3] != 255;
        else wrong += fabs(q[0] - (0.114 * p[0] + 0.587 * p[1] + 0.299 * p[2])) > 0.6;
      }
      for (int64_t b = bytes[f] * WIDTH; b < stride; ++b) wrong += other[y * stride + b] != 201;
    }
    EXPECT(wrong == 0);
  }
  free(bgr);
  free(other);
}

static void the_frame_size_may_change(dmask_pipeline* pipeline) {
  EXPECT(dmask_reset(pipeline, NULL) == DMASK_OK);
  const int sides[4][2] = {{640, 480}, {480, 480}, {800, 600}, {640, 480}};
  uint8_t* pixels = malloc((size_t)800 * 600 * 3);
  for (int i = 0; i < 4; ++i) {
    dmask_frame frame = frame_at(0);
    EXPECT(rendered_face(models, 0.1 * i, sides[i][0], sides[i][1], pixels) == 0);
    frame.width = sides[i][0];
    frame.height = sides[i][1];
    frame.stride = 3 * frame.width;
    frame.data = pixels;
    frame.time_s = i;
    dmask_measures measures = empty_measures();
    EXPECT(dmask_process(pipeline, &frame, &measures) == DMASK_OK && measures.face_valid == 1);
    dmask_picture mask = {sizeof mask, DMASK_FORMAT_BGR, frame.width, frame.height, pixels, frame.stride};
    EXPECT(dmask_render(pipeline, &mask) == DMASK_OK);
  }
  free(pixels);
}

static void the_mesh_belongs_to_the_mask(dmask_pipeline* pipeline) {
  EXPECT(digest_of_run(pipeline, 0, 1) != 0);
  const int32_t vertices = dmask_vertex_count(pipeline), triangles = dmask_triangle_count(pipeline);
  float* xyz_mm = malloc(sizeof(float) * 3 * (size_t)vertices);
  int32_t* indices = malloc(sizeof(int32_t) * 3 * (size_t)triangles);
  EXPECT(vertices > 10000 && triangles > 20000);
  EXPECT(dmask_get_vertices(pipeline, xyz_mm, vertices) == DMASK_OK);
  EXPECT(dmask_get_triangles(pipeline, indices, triangles) == DMASK_OK);
  int wrong = 0;
  for (int32_t i = 0; i < vertices; ++i) wrong += !(xyz_mm[3 * i + 2] > 100 && xyz_mm[3 * i + 2] < 2000);
  for (int32_t i = 0; i < 3 * triangles; ++i) wrong += indices[i] < 0 || indices[i] >= vertices;
  EXPECT(wrong == 0);
  EXPECT(strcmp(dmask_parameter_name(pipeline, 0), "face") == 0);
  EXPECT(dmask_parameter_name(pipeline, dmask_parameter_count(pipeline)) == NULL);
  free(xyz_mm);
  free(indices);
}

static void the_callers_arithmetic_is_left_alone(dmask_pipeline* pipeline, uint64_t expected) {
  EXPECT(dmask_reset(pipeline, NULL) == DMASK_OK);
  fesetround(FE_UPWARD);
  feclearexcept(FE_ALL_EXCEPT);
  const uint64_t digest = digest_of_run(pipeline, 0, FRAMES);
  EXPECT(fegetround() == FE_UPWARD);
  EXPECT(fetestexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW) == 0);
  fesetround(FE_TONEAREST);
  EXPECT(digest == expected);
}

/* What a new handle of these options says of a close-up. */
static dmask_measures close_up(const dmask_options* options, const uint8_t* pixels, dmask_landmarks* landmarks) {
  dmask_pipeline* pipeline = created_with(options);
  dmask_frame frame = frame_at(0);
  frame.data = pixels;
  dmask_measures measures = empty_measures();
  EXPECT(dmask_process(pipeline, &frame, &measures) == DMASK_OK);
  memset(landmarks, 0xff, sizeof *landmarks);
  landmarks->struct_size = sizeof *landmarks;
  EXPECT(dmask_get_landmarks(pipeline, landmarks) == DMASK_OK);
  EXPECT(measures.close_up == 1 && landmarks->close_up == 1 && landmarks->face_found == 0);
  EXPECT(measures.face_valid == 0 && measures.face_reason == DMASK_REASON_NO_FACE && measures.calibrated == 1);
  EXPECT(isnan(measures.head_yaw_deg) && isnan(measures.head_roll_sd_deg) && isnan(measures.deviation_yaw_sd_deg));
  EXPECT(measures.laterality == landmarks->laterality && measures.reserved == 0 && landmarks->reserved == 0);
  uint8_t* mask_pixels = calloc(FRAME_BYTES, 1);
  dmask_picture mask = {sizeof mask, DMASK_FORMAT_BGR, WIDTH, HEIGHT, mask_pixels, 3 * WIDTH};
  EXPECT(dmask_render(pipeline, &mask) == DMASK_OK);
  int shown = 0; /* beside the plain background, which is in the corner */
  for (int i = 0; i < WIDTH * HEIGHT; ++i) shown += memcmp(mask_pixels, mask_pixels + 3 * i, 3) != 0;
  EXPECT(shown > WIDTH * HEIGHT / 10);
  free(mask_pixels);
  dmask_destroy(pipeline);
  return measures;
}

static int is_all_0(const void* data, size_t bytes) {
  const uint8_t* p = data;
  for (size_t i = 0; i < bytes; ++i)
    if (p[i]) return 0;
  return 1;
}

static void expect_one_eye(const dmask_measures* measures, const dmask_landmarks* landmarks, int eye) {
  const int other = 1 - eye;
  const dmask_eye_measures* seen = &measures->eyes[eye];
  const dmask_point* pupil = landmarks->eyes[eye].pupil;
  EXPECT(measures->laterality == (eye == DMASK_OD ? DMASK_LATERALITY_OD : DMASK_LATERALITY_OS));
  EXPECT(seen->valid == 1 && seen->yaw_deg == 0 && seen->pitch_deg == 0); /* it rests where it was first seen */
  EXPECT(seen->pfh_mm > 9 && seen->pfh_mm < 11.5 && seen->mrd1_mm > 3.5 && seen->mrd1_mm < 5);
  EXPECT(seen->pupil_mm > 3.5 && seen->pupil_mm < 5.5);
  EXPECT(measures->eyes[other].valid == 0 && measures->eyes[other].reason == DMASK_REASON_NOT_IN_VIEW);
  EXPECT(isnan(measures->eyes[other].pfh_mm) && isnan(measures->eyes[other].pupil_mm));
  EXPECT(landmarks->side_confidence > 0.9f && landmarks->side_confidence <= 1);
  EXPECT(pupil[0].confidence > 0.5f && fabs(pupil[0].x - WIDTH / 2.0) < 60 && fabs(pupil[0].y - HEIGHT / 2.0) < 60);
  for (int k = 1; k < 19; ++k) {
    const double x = pupil[k].x - pupil[0].x, y = pupil[k].y - pupil[0].y, radius_px = sqrt(x * x + y * y);
    EXPECT(radius_px > 16 && radius_px < 32);
  }
  EXPECT(is_all_0(&landmarks->eyes[other], sizeof landmarks->eyes[other]));
}

static void eyes_without_a_face_are_measured(dmask_pipeline* of_faces) {
  const dmask_frame frame = frame_at(0);
  dmask_landmarks* landmarks = calloc(1, sizeof *landmarks);
  landmarks->struct_size = sizeof *landmarks;
  digest_of_one(of_faces, &frame, NULL);
  EXPECT(dmask_get_landmarks(of_faces, landmarks) == DMASK_OK && landmarks->close_up == 0);
  EXPECT(landmarks->laterality == DMASK_LATERALITY_UNKNOWN && landmarks->side_confidence == 0);
  enum { ONE_EYE = 6, BOTH_EYES = 3 };
  double x[2], y[2]; /* between the canthi, of the frame's sides */
  for (int eye = DMASK_OD; eye <= DMASK_OS; ++eye) {
    const dmask_point* lid = landmarks->eyes[eye].lid;
    EXPECT(landmarks->eyes[eye].pupil[0].confidence == 0); /* of close-ups alone */
    x[eye] = 0.5 * (lid[0].x + lid[10].x) / WIDTH;
    y[eye] = 0.5 * (lid[0].y + lid[10].y) / HEIGHT;
  }
  uint8_t* pixels = malloc(FRAME_BYTES);
  dmask_options options = options_of_test();
  const int views[3] = {DMASK_VIEW_AUTO, DMASK_VIEW_EYES, DMASK_VIEW_EYE};
  for (int eye = DMASK_OD; eye <= DMASK_OS; ++eye) {
    EXPECT(rendered_close_up(models, 0, ONE_EYE, x[eye], y[eye], WIDTH, HEIGHT, pixels) == 0);
    for (int v = 0; v < 3; ++v) {
      options.view = views[v];
      options.eye = DMASK_LATERALITY_UNKNOWN; /* the canthi tell */
      const dmask_measures measures = close_up(&options, pixels, landmarks);
      expect_one_eye(&measures, landmarks, eye);
    }
  }

  /* Whoever tells which eye it is, is believed: here wrongly. */
  options.eye = DMASK_LATERALITY_OD;
  dmask_measures measures = close_up(&options, pixels, landmarks);
  EXPECT(measures.laterality == DMASK_LATERALITY_OD && measures.eyes[DMASK_OD].valid == 1 &&
         measures.eyes[DMASK_OS].reason == DMASK_REASON_NOT_IN_VIEW);
  EXPECT(landmarks->side_confidence == 1);

  /* Millimetres are the iris', or what the optics make of a pixel. */
  options.eye = DMASK_LATERALITY_OS;
  const double by_iris_mm = close_up(&options, pixels, landmarks).eyes[DMASK_OS].pfh_mm;
  double iris_px = 0; /* radius; the rendered one has an adult's 11.71 mm across */
  const dmask_point* iris = landmarks->eyes[DMASK_OS].iris;
  for (int k = 1; k < 19; ++k) iris_px += hypot(iris[k].x - iris[0].x, iris[k].y - iris[0].y) / 18;
  double by_optics_mm[2];
  for (int k = 0; k < 2; ++k) {
    options.mm_per_px = (k == 0 ? 1 : 1.1) * 11.71 / 2 / iris_px;
    by_optics_mm[k] = close_up(&options, pixels, landmarks).eyes[DMASK_OS].pfh_mm;
  }
  EXPECT(fabs(by_optics_mm[0] / by_iris_mm - 1) < 0.03);
  EXPECT(fabs(by_optics_mm[1] / by_optics_mm[0] - 1.1) < 0.03);
  options.mm_per_px = 0;

  options.profile = DMASK_PROFILE_STRICT;
  measures = close_up(&options, pixels, landmarks);
  EXPECT(measures.eyes[DMASK_OS].valid == 1 && isnan(measures.eyes[DMASK_OS].pupil_mm) &&
         isnan(measures.eyes[DMASK_OS].pfh_mm) && measures.eyes[DMASK_OS].openness > 0.2);
  options.profile = DMASK_PROFILE_CLINICAL;

  /* Both eyes need nobody to name them. */
  options.view = DMASK_VIEW_EYES;
  options.eye = DMASK_LATERALITY_UNKNOWN;
  EXPECT(rendered_close_up(models, 0, BOTH_EYES, 0.5 * (x[0] + x[1]), 0.5 * (y[0] + y[1]), WIDTH, HEIGHT, pixels) == 0);
  measures = close_up(&options, pixels, landmarks);
  EXPECT(measures.laterality == DMASK_LATERALITY_UNKNOWN && landmarks->side_confidence == 1);
  for (int eye = DMASK_OD; eye <= DMASK_OS; ++eye)
    EXPECT(measures.eyes[eye].valid == 1 && measures.eyes[eye].pupil_mm > 3.5 && measures.eyes[eye].pupil_mm < 5.5);
  EXPECT(landmarks->eyes[DMASK_OD].iris[0].x < landmarks->eyes[DMASK_OS].iris[0].x);
  free(pixels);
  free(landmarks);
}

struct heard {
  dmask_pipeline* pipeline;
  int calibrations, busy;
};

static void hear(int32_t level, const char* text, void* user) {
  struct heard* heard = user;
  EXPECT(level >= DMASK_LOG_INFO && level <= DMASK_LOG_ERROR && strlen(text) > 0);
  heard->calibrations += strstr(text, "calibrated") != NULL;
  if (heard->pipeline) heard->busy += dmask_calibrate(heard->pipeline) == DMASK_BUSY;
}

static void what_there_is_to_tell_is_told_to_the_callback(void) {
  struct heard heard = {NULL, 0, 0};
  dmask_options options = options_of_test();
  options.log = hear;
  options.log_user = &heard;
  options.live_calibration = 0;
  dmask_pipeline* pipeline = NULL;
  EXPECT(dmask_create(&options, &pipeline, NULL, 0) == DMASK_OK);
  heard.pipeline = pipeline;
  dmask_measures measures = empty_measures();
  for (int i = 0; i < 8; ++i) {
    const dmask_frame frame = frame_at(i);
    EXPECT(dmask_process(pipeline, &frame, &measures) == DMASK_OK);
    EXPECT(measures.calibrated == 0 && measures.face_valid == 0);
  }
  EXPECT(heard.calibrations == 0);
  EXPECT(dmask_calibrate(pipeline) == DMASK_OK);
  EXPECT(heard.calibrations == 1 && heard.busy == 1);
  const dmask_frame frame = frame_at(8);
  EXPECT(dmask_process(pipeline, &frame, &measures) == DMASK_OK);
  EXPECT(measures.calibrated == 1 && measures.face_valid == 1);
  dmask_timings timings;
  memset(&timings, 0, sizeof timings);
  timings.struct_size = sizeof timings;
  EXPECT(dmask_get_timings(pipeline, &timings) == DMASK_OK && timings.net_face > 0 &&
         timings.process > timings.net_face);
  dmask_destroy(pipeline);
}

struct run {
  int first, last;
  uint64_t digest;
};

static void* run_in_thread(void* argument) {
  struct run* run = argument;
  dmask_pipeline* pipeline = created();
  run->digest = digest_of_run(pipeline, run->first, run->last);
  dmask_destroy(pipeline);
  return NULL;
}

static void two_handles_in_two_threads_are_as_alone(void) {
  struct run alone[2] = {{0, FRAMES, 0}, {4, FRAMES, 0}}, together[2] = {{0, FRAMES, 0}, {4, FRAMES, 0}};
  for (int i = 0; i < 2; ++i) run_in_thread(&alone[i]);
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i) EXPECT(pthread_create(&threads[i], NULL, run_in_thread, &together[i]) == 0);
  for (int i = 0; i < 2; ++i) EXPECT(pthread_join(threads[i], NULL) == 0);
  for (int i = 0; i < 2; ++i) EXPECT(together[i].digest == alone[i].digest);
  EXPECT(alone[0].digest != alone[1].digest);
}

static void the_library_names_itself_and_its_answers(void) {
  EXPECT(dmask_version() == DMASK_VERSION_NUMBER && strlen(dmask_version_text()) > 0);
  EXPECT(strstr(dmask_system_info(), "OpenVINO") != NULL);
  EXPECT(strlen(dmask_status_text(DMASK_BUSY)) > 0 && strlen(dmask_status_text(-5)) > 0);
  EXPECT(strlen(dmask_reason_text(77)) > 0);
}

int main(void) {
  models = getenv("DMASK_MODELS");
  clip = malloc(FRAMES * FRAME_BYTES);
  for (int i = 0; i < FRAMES; ++i)
    if (rendered_face(models ? models : "", i / 30.0, WIDTH, HEIGHT, clip + (size_t)i * FRAME_BYTES)) return 1;

  /* From here on the library has standard output and standard error for itself: both must stay empty. */
  fflush(NULL);
  report_fd = dup(2);
  const int out_fd = dup(1);
  FILE* heard = tmpfile();
  if (report_fd < 0 || out_fd < 0 || !heard || dup2(fileno(heard), 1) < 0 || dup2(fileno(heard), 2) < 0) return 1;

  RUN(the_library_names_itself_and_its_answers());
  RUN(refuses_bad_options());
  RUN(refuses_calls_without_a_handle());
  dmask_pipeline* pipeline = created();
  uint64_t digest = 0;
  RUN(digest = digest_of_run(pipeline, 0, FRAMES));
  RUN(reset_gives_what_a_new_handle_gives(pipeline, digest));
  RUN(refuses_bad_frames_and_buffers(pipeline, digest));
  RUN(the_callers_arithmetic_is_left_alone(pipeline, digest));
  RUN(no_face_is_an_answer(pipeline));
  RUN(formats_and_strides_are_one_picture(pipeline));
  RUN(pairs_of_pixels_are_the_same_picture(pipeline));
  RUN(grey_of_more_bits_is_the_same_picture(pipeline));
  RUN(eyes_without_a_face_are_measured(pipeline));
  RUN(the_mask_is_written_in_every_format(pipeline));
  RUN(the_frame_size_may_change(pipeline));
  RUN(the_mesh_belongs_to_the_mask(pipeline));
  dmask_destroy(pipeline);
  RUN(what_there_is_to_tell_is_told_to_the_callback());
  RUN(two_handles_in_two_threads_are_as_alone());

  fflush(NULL);
  RUN(EXPECT(lseek(fileno(heard), 0, SEEK_END) == 0));
  dprintf(out_fd, "%ld checks, %ld of them failed\n%d passed, %d failed\n", checks, failed_checks, passed, failed);
  free(clip);
  return failed != 0;
}
