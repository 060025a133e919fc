/* Camera frames without a camera: the project's own generic face, moving, blinking and looking about. */
#ifndef DMASK_TESTS_RENDERED_FACE_H
#define DMASK_TESTS_RENDERED_FACE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* width * height * 3 bytes of BGR, 40 degrees across; 0 on success. */
int rendered_face(const char* models_dir, double time_s, int width, int height, uint8_t* bgr);

/* The same, `closer` times as large, about the place that lies at x and y, of its width and height, in such a frame. */
int rendered_close_up(const char* models_dir, double time_s, int closer, double x, double y, int width, int height,
                      uint8_t* bgr);

#ifdef __cplusplus
}
#endif
#endif
