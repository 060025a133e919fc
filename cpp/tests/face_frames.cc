// Frames for the examples: face_frames MODELS_DIR WIDTH HEIGHT COUNT > frames.bgr; with COUNT 0 one PPM picture. With CLOSER
// behind COUNT they show the right eye alone, so many times as large.
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "rendered_face.h"

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  const int width = std::atoi(argv[2]), height = std::atoi(argv[3]), count = std::atoi(argv[4]);
  const int closer = argc > 5 ? std::atoi(argv[5]) : 1;
  constexpr double eye_x = 0.40, eye_below_middle = -0.043;  // of the frame's width, in the first frame
  const double eye_y = 0.5 + eye_below_middle * width / height;
  std::vector<uint8_t> bgr(std::size_t{3} * width * height);
  for (int i = 0; i < (count ? count : 1); ++i) {
    if (closer > 1 ? rendered_close_up(argv[1], i / 30.0, closer, eye_x, eye_y, width, height, bgr.data())
                   : rendered_face(argv[1], i / 30.0, width, height, bgr.data()))
      return 1;
    if (!count) {
      for (std::size_t p = 0; p < bgr.size(); p += 3) std::swap(bgr[p], bgr[p + 2]);
      std::printf("P6\n%d %d\n255\n", width, height);
    }
    if (std::fwrite(bgr.data(), 1, bgr.size(), stdout) != bgr.size()) return 1;
  }
  return 0;
}
