/* dmask: digital masks of faces, for software that has its own camera. C99 and later, C++ (see also dmask.hpp).
 *
 *   dmask_options options;
 *   dmask_default_options(&options, sizeof options);
 *   options.version = DMASK_VERSION_NUMBER;              // of this header
 *   options.profile = DMASK_PROFILE_CLINICAL;
 *   options.hfov_deg = 22.0;                             // of your camera
 *
 *   char error[DMASK_TEXT_BYTES];
 *   dmask_pipeline* pipeline = NULL;
 *   if (dmask_create(&options, &pipeline, error, sizeof error) != DMASK_OK) { show(error); return; }
 *
 *   dmask_frame frame = {.struct_size = sizeof frame, .format = DMASK_FORMAT_BGR, .width = width, .height = height,
 *                        .data = pixels, .stride = stride_bytes};
 *   dmask_picture mask = {sizeof mask, DMASK_FORMAT_BGR, width, height, mask_pixels, mask_stride_bytes};
 *   dmask_measures measures = {.struct_size = sizeof measures};
 *   while (next_picture(pixels, &frame.time_s)) {
 *     if (dmask_process(pipeline, &frame, &measures) != DMASK_OK) show(dmask_last_error(pipeline));
 *     else if (dmask_render(pipeline, &mask) == DMASK_OK) draw(mask_pixels, &measures);
 *   }
 *   dmask_destroy(pipeline);
 *
 * What can be relied upon
 *   Errors     Every function returns a status; the sentence behind it says what was got, what was expected, what to do.
 *              No exception leaves the library, nothing calls exit(), and a refused call leaves the handle as it was.
 *   Silence    Nothing is ever printed, no file is written, nothing goes over a network. Files are read in dmask_create
 *              alone. What there is to tell goes to the log callback, if there is one.
 *   Memory     Inputs are borrowed for the length of a call, outputs belong to the caller, no pointer is kept. A handle
 *              grows until the last calibration (the 150th frame with a face) and never afterwards; a frame larger than
 *              any before it makes buffers grow once, and so do faces that have to be told from the patient's.
 *   Threads    Handles are independent: each may be used in a thread of its own and gives bit for bit what it gives
 *              alone. One handle serves one call at a time; a second one at the same time returns DMASK_BUSY at once.
 *              A handle may move between threads.
 *   Real time  dmask_process and dmask_render neither lock nor wait for anything but the inference library's own threads
 *              (none with threads = 1). Frames that calibrate take some 0.2 s more: see
 *              dmask_options.live_calibration; so does the first one in which a face is compared with the patient's.
 *   Patient    One handle has one patient until dmask_reset: another face is not measured (DMASK_REASON_ANOTHER_PERSON).
 *              Floating-point modes and traps of the calling thread are put aside during a call and given back.
 *   Privacy    Masks, vertices and parameters hold what the profile lets out. Landmarks are the patient's own points,
 *              for display on the spot.
 *
 * Versions: semantic. Within a major version programs need no recompilation: structs only grow at their ends and tell
 * their size, functions and codes are only added. While the major version is 0 the minor one takes its part.
 *   A program of an older header is served: fields that its structs do not have take their defaults, or are not written.
 *   A program of a newer header is served as far as this library goes: fields that it does not know have to be 0 where they
 *   are read, else the call is refused; where they would be written they stay as they are,
 *   but for dmask_default_options, which sets them to 0.
 *   Structs that lie in others never grow: what is `reserved` in them is for later fields, and 0 until then.
 *
 * Pictures: 8 bit but for GREY16, rows from the top, stride in bytes from one row to the next (negative for pictures stored
 * bottom-up; `data` is then still the top row). Pixel coordinates are 0-based at pixel centres. OD = patient's right eye, OS = left.
 * Research use only; not a medical device. */
#ifndef DMASK_DMASK_H
#define DMASK_DMASK_H

#include <stddef.h>
#include <stdint.h>

#define DMASK_VERSION_MAJOR 0
#define DMASK_VERSION_MINOR 1
#define DMASK_VERSION_PATCH 0
#define DMASK_VERSION_NUMBER (DMASK_VERSION_MAJOR * 10000 + DMASK_VERSION_MINOR * 100 + DMASK_VERSION_PATCH)

#if defined(_WIN32) && defined(dmask_EXPORTS) /* where the library itself is built */
#define DMASK_API __declspec(dllexport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define DMASK_API __attribute__((visibility("default")))
#else
#define DMASK_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define DMASK_TEXT_BYTES 512 /* holds every sentence, its end included */

typedef struct dmask_pipeline dmask_pipeline; /* one camera with one patient in front of it */

typedef enum dmask_status {
  DMASK_OK = 0,
  DMASK_BAD_ARGUMENT = 1, /* null, not finite, out of range, too small: the call did nothing */
  DMASK_BAD_VERSION = 2,  /* the program was compiled against a header this library does not know */
  DMASK_BAD_SETUP = 3,    /* a model file, the backend, the precision or the CPU is not as needed */
  DMASK_NOT_READY = 4,    /* asked for something that needs a processed frame or a calibration */
  DMASK_BUSY = 5,         /* the handle is in use by another thread */
  DMASK_NO_MEMORY = 6,
  DMASK_FAILED = 7 /* the work itself failed; the handle stays usable */
} dmask_status;

/* what leaves the machine */
typedef enum dmask_profile {
  DMASK_PROFILE_CLINICAL = 0, /* generic face and lids; gaze, head, heights of the lids, motion about the eyes */
  DMASK_PROFILE_ARTICLE = 1,  /* the patient's own fitted face and eyelids, where they are in the picture */
  DMASK_PROFILE_STRICT = 2    /* as clinical, lids as openness only, no millimetres of the lids */
} dmask_profile;

/* what of the face moves in the mask beside eyes and brows, but in article, where all does */
typedef enum dmask_keep {
  DMASK_KEEP_EYES = 0, /* nothing */
  DMASK_KEEP_MOUTH = 1,
  DMASK_KEEP_JAW = 2,
  DMASK_KEEP_NOSE = 3,
  DMASK_KEEP_ALL = 4
} dmask_keep;

/* where the mask's face lies in the picture */
typedef enum dmask_framing {
  DMASK_FRAMING_AUTO = 0,      /* input in article, else canonical */
  DMASK_FRAMING_CANONICAL = 1, /* in one place, at one size */
  DMASK_FRAMING_INPUT = 2      /* where it is in the frame: place and size tell who it is */
} dmask_framing;

/* whether what leaves is held over steps of two seconds; in strict angles and lids are coarse then, too */
typedef enum dmask_coarse_time { DMASK_COARSE_TIME_OFF = 0, DMASK_COARSE_TIME_ON = 1 } dmask_coarse_time;

/* where the light is that the corneas mirror; beside the lens each eye is measured by its reflex, too (Hirschberg) */
typedef enum dmask_lamp { DMASK_LAMP_UNKNOWN = 0, DMASK_LAMP_CAMERA = 1 } dmask_lamp;

/* the nets' licence */
typedef enum dmask_weights { DMASK_WEIGHTS_RESEARCH = 0, DMASK_WEIGHTS_OPEN = 1 } dmask_weights;
typedef enum dmask_backend { DMASK_BACKEND_AUTO = 0, DMASK_BACKEND_CPU = 1, DMASK_BACKEND_TENSORRT = 2 } dmask_backend;
typedef enum dmask_precision {
  DMASK_PRECISION_AUTO = 0,
  DMASK_PRECISION_F32 = 1,
  DMASK_PRECISION_BF16 = 2, /* CPU */
  DMASK_PRECISION_F16 = 3   /* TensorRT */
} dmask_precision;

typedef enum dmask_format {
  DMASK_FORMAT_BGR = 0,
  DMASK_FORMAT_BGRA = 1, /* alpha is not read; 255 where it is written */
  DMASK_FORMAT_RGB = 2,
  DMASK_FORMAT_GREY = 3,
  DMASK_FORMAT_NV12 = 4, /* a plane of luma, one of U, V pairs at half the size; both sides even; input only */
  /* Input only, out of the program's memory alone: the call turns them into one of the above. */
  DMASK_FORMAT_GREY16 =
      5,                 /* 16 bits a pixel, the machine's byte order; the upper 8 of dmask_frame.bits are looked at */
  DMASK_FORMAT_YUYV = 6, /* Y0 U Y1 V: two pixels in 4 bytes; an even width */
  DMASK_FORMAT_I420 = 7  /* a plane of luma, one of U, one of V, both at half the size; both sides even */
} dmask_format;

/* what the numbers of NV12, YUYV and I420 mean */
typedef enum dmask_yuv {
  DMASK_YUV_BT601_LIMITED = 0,
  DMASK_YUV_BT601_FULL = 1,
  DMASK_YUV_BT709_LIMITED = 2,
  DMASK_YUV_BT709_FULL = 3
} dmask_yuv;

/* who the patient is, where several people are seen in the first second of faces; left and right as in the picture */
typedef enum dmask_person {
  DMASK_PERSON_LARGEST = 0,
  DMASK_PERSON_LEFT = 1,
  DMASK_PERSON_RIGHT = 2,
  DMASK_PERSON_CENTRE = 3,
  DMASK_PERSON_SMALLEST = 4,
  DMASK_PERSON_1 = 5, /* by the faces' sizes, the largest first */
  DMASK_PERSON_2 = 6,
  DMASK_PERSON_3 = 7,
  DMASK_PERSON_4 = 8,
  DMASK_PERSON_5 = 9,
  DMASK_PERSON_6 = 10,
  DMASK_PERSON_7 = 11,
  DMASK_PERSON_8 = 12,
  DMASK_PERSON_9 = 13
} dmask_person;

typedef enum dmask_eye { DMASK_OD = 0, DMASK_OS = 1 } dmask_eye;

/* what of the patient is in the picture */
typedef enum dmask_view {
  DMASK_VIEW_AUTO = 0, /* a face is looked for first, then eyes */
  DMASK_VIEW_FACE = 1,
  DMASK_VIEW_EYES = 2, /* a close-up of one eye or of two, without a face */
  DMASK_VIEW_EYE = 3   /* of exactly one */
} dmask_view;

/* which of the patient's eyes a close-up's one eye is */
typedef enum dmask_laterality {
  DMASK_LATERALITY_UNKNOWN = 0, /* or both are seen; as an option: the canthi tell */
  DMASK_LATERALITY_OD = 1,
  DMASK_LATERALITY_OS = 2
} dmask_laterality;

/* may be or-ed */
typedef enum dmask_fixation {
  DMASK_FIXATING_NONE = 0,
  DMASK_FIXATING_OD = 1,
  DMASK_FIXATING_OS = 2,
  DMASK_FIXATING_BOTH = 3
} dmask_fixation;

/* why something was not measured */
typedef enum dmask_reason {
  DMASK_REASON_NONE = 0, /* it was */
  DMASK_REASON_CLOSED = 1,
  DMASK_REASON_COVERED = 2,
  DMASK_REASON_LOW_RESOLUTION = 3, /* below 0.25 px a degree */
  DMASK_REASON_LOST = 4,
  DMASK_REASON_NO_FACE = 5,
  DMASK_REASON_DARK = 6,           /* too little light to be told */
  DMASK_REASON_OUT_OF_RANGE = 7,   /* the eye looks further aside than can be seen */
  DMASK_REASON_ANOTHER_PERSON = 8, /* not the patient's face */
  DMASK_REASON_NOT_IN_VIEW = 9     /* of a close-up: the other eye */
} dmask_reason;

typedef enum dmask_log_level { DMASK_LOG_INFO = 0, DMASK_LOG_WARNING = 1, DMASK_LOG_ERROR = 2 } dmask_log_level;
/* Called in the thread of the call that has something to tell, never from dmask_render or the getters' successes. `text`
 * is one sentence, valid during the callback. It must not call dmask with the same handle, nor throw. */
typedef void (*dmask_log)(int32_t level, const char* text, void* user);

/* What is known of a patient beforehand. */
typedef struct dmask_patient {
  uint32_t struct_size;   /* sizeof(dmask_patient) */
  int32_t fixating;       /* dmask_fixation: eyes that look into the camera ... */
  double fixating_from_s; /* ... during this time, on the clock of the frames */
  double fixating_to_s;
  double hvid_mm;   /* horizontal visible iris diameter, 8 to 16; default 11.71 = not measured, the adult mean */
  double age_years; /* 0.01 to 120; default 18; grown up from 15 on, and 0 = the default */
  double reserved[3];
} dmask_patient;

typedef struct dmask_options {
  uint32_t struct_size;     /* sizeof(dmask_options) */
  uint32_t version;         /* DMASK_VERSION_NUMBER of the header that was compiled in; dmask_default_options puts the
                              library's own */
  const char* models_dir;   /* null: share/dmask/models of the installation this library lies in */
  int32_t profile;          /* dmask_profile */
  int32_t weights;          /* dmask_weights */
  int32_t backend;          /* dmask_backend */
  int32_t precision;        /* dmask_precision; AUTO = what the device does fastest */
  int32_t threads;          /* CPU threads of the nets, 0 to 256; 0 = all; default 1 */
  int32_t eyebrows;         /* 1: the lids follow the brows (default), 0: not */
  int32_t live_calibration; /* 1: calibrates by itself at the 1st, 15th, 60th and 150th frame with a face (default);
                              0: only when dmask_calibrate is called, for a steady frame time */
  double hfov_deg;          /* horizontal field of view of the camera, 5 to 150; default 40 */
  dmask_log log;            /* may be null */
  void* log_user;           /* handed to it */
  dmask_patient patient;    /* the first one; see dmask_reset */
  int32_t person;           /* dmask_person; default DMASK_PERSON_LARGEST */
  int32_t keep;             /* dmask_keep; default DMASK_KEEP_EYES */
  int32_t framing;          /* dmask_framing; default DMASK_FRAMING_AUTO */
  int32_t coarse_time;      /* dmask_coarse_time; default DMASK_COARSE_TIME_OFF */
  int32_t lamp;             /* dmask_lamp; default DMASK_LAMP_UNKNOWN */
  int32_t view;             /* dmask_view; default DMASK_VIEW_AUTO */
  int32_t eye;              /* dmask_laterality of a close-up of one eye; default DMASK_LATERALITY_UNKNOWN */
  int32_t reserved;         /* 0 */
  double mm_per_px;         /* of a close-up, in the plane of the eye, up to 2; default 0 = not known: the iris tells */
} dmask_options;

/* One camera picture, borrowed during the call. Sides 16 to 16384 px. */
typedef struct dmask_frame {
  uint32_t struct_size;  /* sizeof(dmask_frame) */
  int32_t format;        /* dmask_format */
  int32_t width, height; /* px */
  const uint8_t* data;   /* NV12, I420: the luma; GREY16 may lie at any address */
  int64_t stride;        /* bytes */
  double time_s;         /* any clock that does not run backwards; an older or equal time starts afresh */
  const uint8_t* chroma; /* NV12: U, V pairs, I420: U; null: right behind height * stride bytes of luma, rows of I420 at
                            half the stride and V right behind U */
  int64_t chroma_stride; /* NV12, I420, with chroma: bytes, of U as of V */
  int32_t yuv;           /* NV12, YUYV, I420: dmask_yuv */
  int32_t on_device; /* 1: data and chroma lie in the memory of the GPU that the TensorRT backend uses, written before
                                the call, and are not copied (BGR, BGRA, grey, NV12); 0: in the program's memory */
  const uint8_t* chroma_v; /* I420, with chroma: V; null: right behind height / 2 * chroma_stride bytes of U */
  int32_t bits; /* GREY16: how many of the lower bits tell something, 9 to 16; 0 = 16; more than they hold is white */
  int32_t reserved; /* 0 */
} dmask_frame;

/* A picture to be written. Bytes of a row beyond the pixels are left alone. */
typedef struct dmask_picture {
  uint32_t struct_size;  /* sizeof(dmask_picture) */
  int32_t format;        /* dmask_format: BGR, BGRA, RGB or GREY */
  int32_t width, height; /* px, 16 to 16384; of the frame's shape, or it shows more or less of the scene */
  uint8_t* data;
  int64_t stride; /* bytes */
} dmask_picture;

/* from the camera */
typedef enum dmask_distance {
  DMASK_DISTANCE_UNKNOWN = 0,      /* no face; or, but in article, eyes that are mostly too small to be measured */
  DMASK_DISTANCE_NEAR = 1,         /* up to 500 mm */
  DMASK_DISTANCE_INTERMEDIATE = 2, /* up to 3 m */
  DMASK_DISTANCE_FAR = 3
} dmask_distance;

/* One eye in one frame; NaN = not measured, or withheld by the profile. As in frames.csv of the command line. */
typedef struct dmask_eye_measures {
  int32_t valid;  /* 1: the gaze was measured */
  int32_t reason; /* dmask_reason: why not */
  /* optical axis in the head (Fick), + = patient's left, up; of a close-up against where the eye rests, in the picture */
  double yaw_deg, pitch_deg;
  double yaw_sd_deg, pitch_sd_deg;
  double mrd1_mm, mrd2_mm; /* pupil centre to upper, lower margin, along the head's y; NaN when shut or strict */
  double pfh_mm;           /* palpebral fissure height; 0 when shut */
  double openness;         /* aperture / width between the canthi */
  double px_per_deg;       /* article alone: how many pixels a degree of the eye is worth here */
  double eyeball_residual_pct, eyelid_residual_pct; /* article alone: this frame's ARE, % of the interocular distance */
  double mrd1_sd_mm, mrd2_sd_mm, pfh_sd_mm;         /* standard deviations, the constant part included */
  /* optical axis by the corneal reflex, where dmask_options.lamp tells the lamp; NaN where none was found, and in strict */
  double reflex_yaw_deg, reflex_pitch_deg;
  double reflex_yaw_sd_deg, reflex_pitch_sd_deg;
  double pupil_mm; /* of close-ups: the pupil's diameter, as the cornea shows it; NaN in strict */
} dmask_eye_measures;

typedef struct dmask_measures {
  uint32_t struct_size; /* sizeof(dmask_measures) */
  int32_t face_valid;
  int32_t face_reason; /* dmask_reason */
  int32_t calibrated;  /* 1: this frame was fitted with a calibration */
  double time_s;
  double head_yaw_deg, head_pitch_deg, head_roll_deg; /* + = patient's left, up, patient's left side raised */
  double head_x_mm, head_y_mm, head_z_mm; /* article alone: midpoint of the eyeball centres; x right, y down,
                                                         z forward */
  dmask_eye_measures eyes[2];             /* dmask_eye */
  int32_t distance;                       /* dmask_distance */
  int32_t close_up;                       /* 1: eyes without a face; of the head nothing is known */
  double head_yaw_sd_deg, head_pitch_sd_deg, head_roll_sd_deg; /* standard deviations */
  double deviation_yaw_sd_deg,
      deviation_pitch_sd_deg; /* of OS - OD; less than that of either eye where both err alike */
  int32_t laterality;         /* dmask_laterality of a close-up's one eye; unknown: it stands under DMASK_OD */
  int32_t reserved;
} dmask_measures;

typedef struct dmask_point {
  float x, y;       /* px of the frame */
  float confidence; /* 0 to 1; low when the point is hidden */
  float reserved;
} dmask_point;

typedef struct dmask_eye_landmarks {
  dmask_point lid[20];  /* 0 inner canthus, 1-9 upper margin, 10 outer canthus, 11-19 lower margin back */
  dmask_point iris[19]; /* 0 centre, 1-18 limbus, clockwise in the picture from 12 o'clock */
  dmask_point crease[20], upper[20], lower[20], bulge[20]; /* inner to outer */
  dmask_point pupil[19]; /* as the iris; of close-ups, confidence 0 where none was found */
  dmask_point reserved[1];
} dmask_eye_landmarks;

typedef struct dmask_landmarks {
  uint32_t struct_size; /* sizeof(dmask_landmarks) */
  int32_t face_found;   /* 0: but for the eyes of a close-up every number below is 0 */
  int32_t track;        /* rises when another face is taken up, or the same one behind a cut */
  float face_score;     /* 0 to 1 */
  float sharpness;      /* variance of the Laplacian over the face, grey levels squared */
  dmask_point face[68]; /* iBUG order */
  dmask_eye_landmarks eyes[2];
  int32_t close_up;      /* 1: eyes without a face; the one that is not in the picture is all 0 */
  int32_t laterality;    /* dmask_laterality of a close-up's one eye */
  float side_confidence; /* 0 to 1: of its being the one that it stands for */
  int32_t reserved;
} dmask_landmarks;

typedef struct dmask_calibration {
  uint32_t struct_size; /* sizeof(dmask_calibration) */
  int32_t ok;           /* 0: none yet; masks show the plain background, nothing is measured */
  int32_t frames_seen;  /* with a face, since the last reset; the calibration of the 150th is the last live one */
  int32_t frames_used;
  /* NaN below: none yet, or withheld by the profile */
  double scale;                             /* of the face, on the model's millimetres; article alone */
  double iris_radius_mm, iris_radius_sd_mm; /* article alone */
  double eye_centre_sd_mm[2][3]; /* dmask_eye; sideways, up, out of the face: 1 mm sideways is 5 degrees of gaze;
                                    article alone */
  char reason[DMASK_TEXT_BYTES]; /* what it had to do without, or why there is none */
} dmask_calibration;

typedef struct dmask_diagnostics {
  uint32_t struct_size; /* sizeof(dmask_diagnostics) */
  int32_t reserved;
  double head_x_mm, head_y_mm, head_z_mm; /* as in dmask_measures, in the patient's own scale */
  double px_per_deg[2];                   /* dmask_eye; as in dmask_eye_measures */
  double eyeball_residual_pct[2], eyelid_residual_pct[2];
} dmask_diagnostics;

/* ms, of the last call of each stage; nets include their decoding, and those that run as one are under the first. */
typedef struct dmask_timings {
  uint32_t struct_size; /* sizeof(dmask_timings) */
  int32_t reserved;
  double convert, face_detector, preprocess, net_face, net_eyelid, net_iris, net_lines;
  double fit_face, fit_eyelid, fit_eyeball, calibrate, render;
  double process; /* the whole of the last dmask_process */
} dmask_timings;

/* ---- Without a handle. Any thread, any time; no allocation but in the first dmask_system_info. */

DMASK_API uint32_t dmask_version(void);         /* DMASK_VERSION_NUMBER of the library */
DMASK_API const char* dmask_version_text(void); /* "0.1.0" */
/* Versions, instruction sets in use, backends of this build; one line. */
DMASK_API const char* dmask_system_info(void);
DMASK_API const char* dmask_status_text(int32_t status);
DMASK_API const char* dmask_reason_text(int32_t reason); /* "closed", ...; "" for none */

/* Fills `options` with what is used where a program has no wish; struct_size = sizeof(dmask_options). */
DMASK_API int32_t dmask_default_options(dmask_options* options, size_t struct_size);

/* ---- A handle. */

/* Reads the models and prepares the nets: a second or so and some 250 MB; not for the camera's thread. *pipeline is set
 * on success and null otherwise. `error` (may be null) gets the sentence. Any thread, also several at once. */
DMASK_API int32_t dmask_create(const dmask_options* options, dmask_pipeline** pipeline, char* error,
                               size_t error_bytes);

/* Frees everything. Null is allowed. No other call may be under way on it. */
DMASK_API void dmask_destroy(dmask_pipeline* pipeline);

/* The sentence of the last call on this handle that failed, "" before; valid until the next call on it. Not to be
 * called while another thread uses the handle. */
DMASK_API const char* dmask_last_error(const dmask_pipeline* pipeline);

/* What the nets run on and why, one line: "cpu: OpenVINO, as asked for". Valid as long as the handle. */
DMASK_API const char* dmask_backend_text(const dmask_pipeline* pipeline);

/* Finds, follows and measures the face in a frame. `measures` may be null. A frame without a face is no error. The frame's
 * size may change. Real time: no allocation after the last calibration but the inference library's own. */
DMASK_API int32_t dmask_process(dmask_pipeline* pipeline, const dmask_frame* frame, dmask_measures* measures);

/* The mask of the last processed frame; the plain background where there was no face or no calibration. Real time. */
DMASK_API int32_t dmask_render(dmask_pipeline* pipeline, dmask_picture* picture);

/* Of the last processed frame whatever the profile, for guidance on the spot: it identifies, as landmarks do. NaN = not
 * measured. Real time. */
DMASK_API int32_t dmask_get_diagnostics(dmask_pipeline* pipeline, dmask_diagnostics* diagnostics);

/* What the nets saw in the last processed frame, before any fit. Real time. */
DMASK_API int32_t dmask_get_landmarks(dmask_pipeline* pipeline, dmask_landmarks* landmarks);

/* ms a stage. Real time. */
DMASK_API int32_t dmask_get_timings(dmask_pipeline* pipeline, dmask_timings* timings);

DMASK_API int32_t dmask_get_calibration(dmask_pipeline* pipeline, dmask_calibration* calibration);

/* The parameters of the last processed frame's mask, as the profile lets them out: dmask_parameter_count numbers, the
 * first being 1 with a face, 0 without one. Names are valid as long as the handle: "od_yaw_rad", "unit_jawOpen", ...; null
 * for another index. Real time. */
DMASK_API int32_t dmask_parameter_count(const dmask_pipeline* pipeline);
DMASK_API const char* dmask_parameter_name(const dmask_pipeline* pipeline, int32_t index);
DMASK_API int32_t dmask_get_parameters(dmask_pipeline* pipeline, float* values, int32_t count);

/* The mesh of the last mask that was rendered with a face: 3 numbers a vertex, camera frame, mm; DMASK_NOT_READY before
 * there was one. Teeth and tongue are among them. 3 vertex indices a triangle, the same for every frame; both counts follow
 * from the models: ask for them. Real time. */
DMASK_API int32_t dmask_vertex_count(const dmask_pipeline* pipeline);
DMASK_API int32_t dmask_triangle_count(const dmask_pipeline* pipeline);
DMASK_API int32_t dmask_get_vertices(dmask_pipeline* pipeline, float* xyz_mm, int32_t vertices);
DMASK_API int32_t dmask_get_triangles(dmask_pipeline* pipeline, int32_t* indices, int32_t triangles);

/* Calibrates with the frames gathered so far (the first 150 with a face). Takes up to a second: between examinations, or
 * when the patient sits still. DMASK_FAILED with the reason when they will not do; an earlier calibration then stays. */
DMASK_API int32_t dmask_calibrate(dmask_pipeline* pipeline);

/* Another patient: forgets face, calibration and everything measured; models and options stay. `patient` null: as in the
 * options. Allocates. */
DMASK_API int32_t dmask_reset(dmask_pipeline* pipeline, const dmask_patient* patient);

#ifdef __cplusplus
}
#endif
#endif
