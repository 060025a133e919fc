// Frames of a camera that hands over its sensor's Bayer pattern: OpenCV makes BGR of them, dmask reads that.
//
//   bayer WIDTH HEIGHT rggb|bggr|grbg|gbrg BITS < frames.raw     (the first two colours of the first row, then of the second)
//
// BITS is 8, or 9 to 16 in the lower bits of 16 in the machine's byte order. The fissure and the pupil of each frame are printed.
#include <cstdio>
#include <cstdlib>
#include <dmask/dmask.hpp>
#include <exception>
#include <map>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

int main(int argc, char** argv) try {
  const std::map<std::string, int> codes = {{"rggb", cv::COLOR_BayerRGGB2BGR},
                                            {"bggr", cv::COLOR_BayerBGGR2BGR},
                                            {"grbg", cv::COLOR_BayerGRBG2BGR},
                                            {"gbrg", cv::COLOR_BayerGBRG2BGR}};
  if (argc != 5 || !codes.count(argv[3]))
    throw dmask::Failure(DMASK_BAD_ARGUMENT, "expected width, height, rggb, bggr, grbg or gbrg, and bits");
  const int width = std::atoi(argv[1]), height = std::atoi(argv[2]), code = codes.at(argv[3]),
            bits = std::atoi(argv[4]);
  if (width < 16 || height < 16 || bits < 8 || bits > 16)
    throw dmask::Failure(DMASK_BAD_ARGUMENT, "expected sides of at least 16 px and 8 to 16 bits");

  dmask::Options options;
  options.view = DMASK_VIEW_EYES;
  dmask::Pipeline pipeline(options);

  // Made once: OpenCV writes into what is there, so frames cost no allocation of their own here.
  cv::Mat raw(height, width, bits == 8 ? CV_8U : CV_16U), levels(height, width, CV_8U), bgr(height, width, CV_8UC3);
  const std::size_t bytes = raw.total() * raw.elemSize();
  for (long number = 0; std::fread(raw.data, 1, bytes, stdin) == bytes; ++number) {
    if (bits > 8) raw.convertTo(levels, CV_8U, 1.0 / (1 << (bits - 8)));  // dmask looks at no more than 8
    cv::demosaicing(bits > 8 ? levels : raw, bgr, code);
    const dmask_measures m =
        pipeline.process(dmask::frame({bgr.data, bgr.total() * 3}, width, height, DMASK_FORMAT_BGR, number / 30.0));
    for (const dmask_eye_measures& eye : m.eyes)
      if (eye.reason != DMASK_REASON_NOT_IN_VIEW)
        std::printf("%.3f %s fissure %.2f mm, pupil %.2f mm\n", m.time_s, dmask_reason_text(eye.reason), eye.pfh_mm,
                    eye.pupil_mm);
  }
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "bayer: %s\n", e.what());
  return 1;
}
