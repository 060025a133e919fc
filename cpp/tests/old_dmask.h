/* dmask.h as an early program of 0.1 was compiled against it: the same functions, structs that were shorter then. Only what
 * test_old_header.c uses. Nothing here follows dmask.h: what was compiled stays as it is. */
#ifndef DMASK_DMASK_H
#define DMASK_DMASK_H

#include <stddef.h>
#include <stdint.h>

#define DMASK_VERSION_NUMBER 100 /* 0.1.0 */
#define DMASK_TEXT_BYTES 512

typedef struct dmask_pipeline dmask_pipeline;
enum { DMASK_OK = 0, DMASK_BAD_ARGUMENT = 1, DMASK_BAD_VERSION = 2, DMASK_NOT_READY = 4 };
enum { DMASK_PROFILE_STRICT = 2, DMASK_BACKEND_CPU = 1, DMASK_FORMAT_BGR = 0, DMASK_FORMAT_NV12 = 4 };

typedef struct dmask_options { /* before there was a log or a patient */
  uint32_t struct_size;
  uint32_t version;
  const char* models_dir;
  int32_t profile;
  int32_t weights;
  int32_t backend;
  int32_t precision;
  int32_t threads;
  int32_t eyebrows;
} dmask_options;

typedef struct dmask_frame { /* before chroma could lie elsewhere */
  uint32_t struct_size;
  int32_t format;
  int32_t width, height;
  const uint8_t* data;
  int64_t stride;
  double time_s;
} dmask_frame;

typedef struct dmask_picture {
  uint32_t struct_size;
  int32_t format;
  int32_t width, height;
  uint8_t* data;
  int64_t stride;
} dmask_picture;

typedef struct dmask_measures { /* before the eyes were measured */
  uint32_t struct_size;
  int32_t face_valid;
  int32_t face_reason;
  int32_t calibrated;
  double time_s;
  double head_yaw_deg, head_pitch_deg, head_roll_deg;
  double head_x_mm, head_y_mm, head_z_mm;
} dmask_measures;

typedef struct dmask_calibration { /* before it told its scale */
  uint32_t struct_size;
  int32_t ok;
  int32_t frames_seen;
  int32_t frames_used;
} dmask_calibration;

typedef struct dmask_timings { /* before the fits were timed */
  uint32_t struct_size;
  int32_t reserved;
  double convert, face_detector, preprocess, net_face, net_eyelid, net_iris, net_lines;
} dmask_timings;

int32_t dmask_default_options(dmask_options* options, size_t struct_size);
int32_t dmask_create(const dmask_options* options, dmask_pipeline** pipeline, char* error, size_t error_bytes);
void dmask_destroy(dmask_pipeline* pipeline);
const char* dmask_last_error(const dmask_pipeline* pipeline);
int32_t dmask_process(dmask_pipeline* pipeline, const dmask_frame* frame, dmask_measures* measures);
int32_t dmask_render(dmask_pipeline* pipeline, dmask_picture* picture);
int32_t dmask_get_timings(dmask_pipeline* pipeline, dmask_timings* timings);
int32_t dmask_get_calibration(dmask_pipeline* pipeline, dmask_calibration* calibration);

#endif
