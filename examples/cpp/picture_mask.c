/* The mask of a picture: picture_mask face.ppm mask.ppm (binary PPM, 8 bit) */
#include <dmask/dmask.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const char* sentence) {
  fprintf(stderr, "picture_mask: %s\n", sentence);
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 3) return fail("expected a PPM to read and one to write");
  FILE* file = fopen(argv[1], "rb");
  int width = 0, height = 0;
  if (!file || fscanf(file, "P6 %d %d 255", &width, &height) != 2 || fgetc(file) == EOF || width < 16 || height < 16 ||
      width > 16384 || height > 16384)
    return fail("the picture is no binary PPM of 8 bit");
  const size_t bytes = (size_t)width * (size_t)height * 3;
  uint8_t* pixels = malloc(bytes);
  if (!pixels || fread(pixels, 1, bytes, file) != bytes) return fail("the picture ends early");
  fclose(file);

  dmask_options options;
  dmask_default_options(&options, sizeof options);
  options.view = DMASK_VIEW_FACE; /* nets that find eyes without a face need not be read */
  char error[DMASK_TEXT_BYTES];
  dmask_pipeline* pipeline = NULL;
  if (dmask_create(&options, &pipeline, error, sizeof error) != DMASK_OK) return fail(error);

  dmask_frame frame = {.struct_size = sizeof frame,
                       .format = DMASK_FORMAT_RGB,
                       .width = width,
                       .height = height,
                       .data = pixels,
                       .stride = 3 * (int64_t)width};
  dmask_measures measures = {.struct_size = sizeof measures};
  if (dmask_process(pipeline, &frame, &measures) != DMASK_OK) return fail(dmask_last_error(pipeline));
  for (int eye = DMASK_OD; eye <= DMASK_OS; ++eye)
    printf("%s: yaw %.1f deg, MRD1 %.2f mm %s\n", eye == DMASK_OD ? "OD" : "OS", measures.eyes[eye].yaw_deg,
           measures.eyes[eye].mrd1_mm, dmask_reason_text(measures.eyes[eye].reason));

  dmask_picture mask = {sizeof mask, DMASK_FORMAT_RGB, width,
                        height,      pixels,           3 * (int64_t)width}; /* the frame's own memory will do */
  if (dmask_render(pipeline, &mask) != DMASK_OK) return fail(dmask_last_error(pipeline));
  file = fopen(argv[2], "wb");
  if (!file || fprintf(file, "P6\n%d %d\n255\n", width, height) < 0 || fwrite(pixels, 1, bytes, file) != bytes ||
      fclose(file) != 0)
    return fail("the mask could not be written");
  dmask_destroy(pipeline);
  free(pixels);
  return measures.face_valid ? 0 : fail("no face: the mask is the plain background");
}
