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

static dmask_pipeline* created(void) {
  const dmask_options options = options_of_test();
  char error[DMASK_TEXT_BYTES];
  dmask_pipeline* pipeline = NULL;
  EXPECT(dmask_create(&options, &pipeline, error, sizeof error) == DMASK_OK);
  if (!pipeline) {
    dprintf(report_fd, "%s\n", error);
    exit(1);
  }
  return pipeline;
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
    EXPECT(measures.face_valid == 1);
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
  FRAME_REFUSED(DMASK_FAILED, on_device, 1); /* the CPU backend cannot read it */
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
  mask.format = DMASK_FORMAT_NV12;
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

static uint64_t digest_of_one(dmask_pipeline* pipeline, const dmask_frame* frame, double* yaw_deg) {
  dmask_measures measures = empty_measures();
  EXPECT(dmask_reset(pipeline, NULL) == DMASK_OK);
  EXPECT(dmask_process(pipeline, frame, &measures) == DMASK_OK);
  EXPECT(measures.face_valid == 1);
  if (yaw_deg) *yaw_deg = measures.head_yaw_deg;
  return digest_of(14695981039346656037u, &measures, sizeof measures);
}

static void formats_and_strides_are_one_picture(dmask_pipeline* pipeline) {
  dmask_frame frame = frame_at(0);
  double yaw_deg = 0, nv12_yaw_deg = 0;
  const uint64_t expected = digest_of_one(pipeline, &frame, &yaw_deg);
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

  /* BT.601, full range; the chroma of the upper left pixel. */
  for (int y = 0; y < HEIGHT; ++y)
    for (int x = 0; x < WIDTH; ++x) {
      const uint8_t* p = bgr + ((size_t)y * WIDTH + x) * 3;
      const double luma = 0.114 * p[0] + 0.587 * p[1] + 0.299 * p[2];
      other[y * WIDTH + x] = (uint8_t)(luma + 0.5);
      if (x % 2 || y % 2) continue;
      uint8_t* pair = other + WIDTH * HEIGHT + y / 2 * WIDTH + x;
      pair[0] = (uint8_t)fmin(255, fmax(0, 128.5 + (p[0] - luma) / 1.772));
      pair[1] = (uint8_t)fmin(255, fmax(0, 128.5 + (p[2] - luma) / 1.402));
    }
  frame.data = other;
  frame.format = DMASK_FORMAT_NV12;
  frame.stride = WIDTH;
  frame.yuv = DMASK_YUV_BT601_FULL;
  const uint64_t behind = digest_of_one(pipeline, &frame, &nv12_yaw_deg);
  EXPECT(fabs(nv12_yaw_deg - yaw_deg) < 2);
  frame.chroma = other + WIDTH * HEIGHT;
  frame.chroma_stride = WIDTH;
  EXPECT(digest_of_one(pipeline, &frame, NULL) == behind);
  free(other);
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
