/* What the program of a slit lamp does: frames of one eye or two in, numbers and masks out.
 *
 *   slit_lamp --size 1280x720 --format yuyv [--fps 30] [--eye od|os] [--mm-per-px 0.02] MODELS [FRAMES]
 *
 * MODELS is the folder of the nets and models, - the one that was installed with the library. FRAMES is a file of frames side
 * by side, in rows without gaps; without it they come from standard input:
 *
 *   ffmpeg -loglevel error -i visit.mp4 -f rawvideo -pix_fmt yuyv422 - | slit_lamp --size 1280x720 --format yuyv -
 *
 * --format bgr, rgb, bgra, grey, grey16, nv12, yuyv, i420; --bits 9 to 16 of grey16, in the lower bits; --yuv bt601, bt601-full,
 * bt709, bt709-full. --view eyes (one or two), eye, face or auto. --mask FILE: the masks, as BGR side by side, or the last one
 * as a picture where FILE ends in .ppm or .pgm. A line an eye and frame goes to standard output, times to standard error. */
#include <dmask/dmask.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

static const struct {
  const char* name;
  int32_t format;
  int plane_bytes_per_px, bytes_per_two_px; /* of the first plane, and of all of them */
} formats[] = {{"bgr", DMASK_FORMAT_BGR, 3, 6},       {"rgb", DMASK_FORMAT_RGB, 3, 6},
               {"bgra", DMASK_FORMAT_BGRA, 4, 8},     {"grey", DMASK_FORMAT_GREY, 1, 2},
               {"grey16", DMASK_FORMAT_GREY16, 2, 4}, {"nv12", DMASK_FORMAT_NV12, 1, 3},
               {"yuyv", DMASK_FORMAT_YUYV, 2, 4},     {"i420", DMASK_FORMAT_I420, 1, 3}};
static const char* const yuvs[] = {"bt601", "bt601-full", "bt709", "bt709-full"}; /* as dmask_yuv counts */
static const char* const views[] = {"auto", "face", "eyes", "eye"};               /* as dmask_view does */
static const char* const sides[] = {"", "od", "os"};                              /* as dmask_laterality does */

static int fail(const char* sentence) {
  fprintf(stderr, "slit_lamp: %s\n", sentence);
  return 1;
}

static int index_of(const char* word, const char* const* words, int count) {
  int i = count;
  while (--i >= 0 && strcmp(word, words[i]) != 0) {
  }
  return i;
}

/* What a calibration had to do without; errors are told where they are got. */
static void warn(int32_t level, const char* text, void* user) {
  (void)user;
  if (level == DMASK_LOG_WARNING) fprintf(stderr, "slit_lamp: %s\n", text);
}

static void print_number(double value) {
  if (isnan(value)) printf(","); /* not measured: the reason is in the line */
  else printf(",%.2f", value);
}

/* Of a close-up angles are against where the eye rests; of a face they are the optical axis in the head. */
static int print_eyes(const dmask_measures* m) {
  int seen = 0;
  for (int eye = DMASK_OD; eye <= DMASK_OS; ++eye) {
    const dmask_eye_measures* e = &m->eyes[eye];
    if (e->reason == DMASK_REASON_NOT_IN_VIEW) continue;
    if (e->reason == DMASK_REASON_NO_FACE && eye == DMASK_OS) continue; /* one line says that there is nothing */
    const int nameless = m->close_up && m->laterality == DMASK_LATERALITY_UNKNOWN &&
                         m->eyes[DMASK_OS].reason == DMASK_REASON_NOT_IN_VIEW; /* then it stands under DMASK_OD */
    const int known = e->reason != DMASK_REASON_NO_FACE && !nameless;
    printf("%.3f,%s,%s", m->time_s, known ? sides[eye + 1] : "", dmask_reason_text(e->reason));
    print_number(e->yaw_deg);
    print_number(e->pitch_deg);
    print_number(e->pfh_mm);
    print_number(e->mrd1_mm);
    print_number(e->pupil_mm);
    printf("\n");
    seen += e->valid;
  }
  return seen;
}

static int ends_in(const char* name, const char* ending) {
  const size_t length = strlen(name), end = strlen(ending);
  return length >= end && strcmp(name + length - end, ending) == 0;
}

enum { BINS = 10000 }; /* of 0.1 ms */

static double percentile_ms(const long* bins, long frames, double share) {
  long below = 0;
  for (int bin = 0; bin < BINS; ++bin)
    if ((below += bins[bin]) >= share * (double)frames) return 0.1 * (bin + 1);
  return 0.1 * BINS;
}

int main(int argc, char** argv) {
  dmask_options options;
  dmask_default_options(&options, sizeof options);
  options.version = DMASK_VERSION_NUMBER; /* of the header that was compiled in */
  options.view =
      DMASK_VIEW_EYES; /* no face is looked for, which saves time and mistakes; EYE where there is never a second */
  options.log = warn;
  int width = 0, height = 0, format = -1, yuv = DMASK_YUV_BT601_LIMITED, bits = 0, i = 1;
  double fps = 30;
  const char* mask_name = NULL;
  for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
    const char *name = argv[i] + 2, *value = argv[i + 1];
    char end;
    int known = 0;
    if (strcmp(name, "size") == 0) known = sscanf(value, "%dx%d%c", &width, &height, &end) == 2;
    if (strcmp(name, "fps") == 0) known = sscanf(value, "%lf%c", &fps, &end) == 1 && fps > 0;
    if (strcmp(name, "bits") == 0) known = sscanf(value, "%d%c", &bits, &end) == 1;
    if (strcmp(name, "mm-per-px") == 0) known = sscanf(value, "%lf%c", &options.mm_per_px, &end) == 1;
    if (strcmp(name, "yuv") == 0) known = (yuv = index_of(value, yuvs, 4)) >= 0;
    if (strcmp(name, "view") == 0) known = (options.view = index_of(value, views, 4)) >= 0;
    if (strcmp(name, "eye") == 0) known = (options.eye = index_of(value, sides, 3)) > 0;
    if (strcmp(name, "mask") == 0) known = (mask_name = value) != NULL;
    if (strcmp(name, "format") == 0)
      for (int f = 0; f < (int)(sizeof formats / sizeof *formats); ++f)
        if (strcmp(value, formats[f].name) == 0) known = 1, format = f;
    if (known) continue;
    fprintf(stderr, "slit_lamp: got %s %s, expected what the first lines of slit_lamp.c say\n", argv[i], value);
    return 2;
  }
  if (i >= argc || i + 2 < argc || format < 0 || width < 16 || height < 16 || width > 16384 || height > 16384) {
    fail(
        "expected --size WIDTHxHEIGHT, 16 to 16384 each, --format FORMAT, the folder of the models, and a file or "
        "none");
    return 2;
  }
  if (strcmp(argv[i], "-") != 0) options.models_dir = argv[i];
#ifdef _WIN32
  _setmode(0, _O_BINARY); /* or standard input ends where a pixel looks like the end of a text */
#endif
  FILE* input = i + 1 < argc ? fopen(argv[i + 1], "rb") : stdin;
  if (!input) return fail("the frames cannot be opened");

  /* Reads models and prepares nets: a second or so, before the examination begins. The field of view (hfov_deg) is not asked
   * for in a close-up. Which eye it is, and how large a pixel is in the plane of the eye, is known to the instrument: told, both
   * need not be found out. */
  char error[DMASK_TEXT_BYTES];
  dmask_pipeline* pipeline = NULL;
  if (dmask_create(&options, &pipeline, error, sizeof error) != DMASK_OK) return fail(error);

  const size_t pixels = (size_t)width * (size_t)height;
  const size_t frame_bytes = pixels * (size_t)formats[format].bytes_per_two_px / 2;
  uint8_t *frame_data = malloc(frame_bytes), *mask_data = malloc(3 * pixels);
  if (!frame_data || !mask_data) return fail("got no memory for a frame");
  dmask_frame frame = {.struct_size = sizeof frame,
                       .format = formats[format].format,
                       .width = width,
                       .height = height,
                       .data = frame_data,
                       .stride = (int64_t)width * formats[format].plane_bytes_per_px,
                       .yuv = yuv,
                       .bits = bits};
  /* chroma and chroma_v stay null: the planes lie right behind each other here. A driver's own buffer serves as well, with its
   * strides and pointers; it is read during the call alone, and not copied as a whole. */
  const int ppm = mask_name && ends_in(mask_name, ".ppm"), pgm = mask_name && ends_in(mask_name, ".pgm");
  dmask_picture mask = {.struct_size = sizeof mask,
                        .format = ppm   ? DMASK_FORMAT_RGB
                                  : pgm ? DMASK_FORMAT_GREY
                                        : DMASK_FORMAT_BGR,
                        .width = width, /* any size will do, a small one takes less time */
                        .height = height,
                        .data = mask_data,
                        .stride = (int64_t)width * (pgm ? 1 : 3)};
  const size_t mask_bytes = pixels * (pgm ? 1 : 3);
  FILE* mask_file = mask_name ? fopen(mask_name, "wb") : NULL;
  if (mask_name && !mask_file) return fail("the mask's file cannot be written");

  dmask_measures measures = {.struct_size = sizeof measures};
  dmask_timings timings = {.struct_size = sizeof timings};
  static long process_bins[BINS];
  long frames = 0, seen = 0;
  double worst_ms = 0, worst_render_ms = 0;
  printf("time_s,laterality,reason,yaw_deg,pitch_deg,pfh_mm,mrd1_mm,pupil_mm\n");

  /* One thread gets the frames and calls dmask_process; where that takes longer than a frame, leave frames out and let time_s
   * tell it, rather than have them queue up. Nothing is allocated once the last calibration is done, no lock is taken. Frames
   * that calibrate (the 1st, 15th, 60th and 150th with an eye) take longer; live_calibration = 0 and dmask_calibrate leave the
   * moment to the program. Between two patients: dmask_reset. */
  size_t got;
  while ((got = fread(frame_data, 1, frame_bytes, input)) == frame_bytes) {
    frame.time_s = (double)frames++ / fps; /* better: the driver's time of the frame, in seconds */
    if (dmask_process(pipeline, &frame, &measures) != DMASK_OK) return fail(dmask_last_error(pipeline));
    seen += print_eyes(&measures);

    /* A mask is drawn when somebody looks at it; the numbers do not need it. */
    if (mask_file && dmask_render(pipeline, &mask) != DMASK_OK) return fail(dmask_last_error(pipeline));
    if (mask_file && !ppm && !pgm && fwrite(mask_data, 1, mask_bytes, mask_file) != mask_bytes)
      return fail("the mask could not be written");

    /* How long it took, by stage; process is all of dmask_process. */
    if (dmask_get_timings(pipeline, &timings) != DMASK_OK) return fail(dmask_last_error(pipeline));
    ++process_bins[timings.process < 0.1 * BINS ? (int)(10 * timings.process) : BINS - 1];
    worst_ms = fmax(worst_ms, timings.process);
    worst_render_ms = fmax(worst_render_ms, timings.render);
  }
  if (got > 0 || frames == 0) fail("the last frame is not whole: are size and format those of the frames?");
  if (frames == 0) return 1;
  if (ppm || pgm) fprintf(mask_file, "P%d\n%d %d\n255\n", ppm ? 6 : 5, width, height);
  if ((ppm || pgm) && fwrite(mask_data, 1, mask_bytes, mask_file) != mask_bytes)
    return fail("the mask could not be written");
  if (mask_file && fclose(mask_file) != 0) return fail("the mask could not be written");
  fprintf(stderr, "%ld frames, dmask_process p50 %.1f ms, p99 %.1f ms, worst %.1f ms; dmask_render worst %.1f ms\n",
          frames, percentile_ms(process_bins, frames, 0.5), percentile_ms(process_bins, frames, 0.99), worst_ms,
          worst_render_ms);
  dmask_destroy(pipeline);
  free(frame_data);
  free(mask_data);
  return seen > 0 ? 0 : fail("no eye was measured");
}
