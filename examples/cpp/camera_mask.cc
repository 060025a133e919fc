// Masks of a stream: camera_mask WIDTH HEIGHT FPS < frames.bgr > masks.bgr (raw BGR); a table of measures goes to stderr.
#include <cstdio>
#include <cstdlib>
#include <dmask/dmask.hpp>
#include <exception>
#include <vector>

int main(int argc, char** argv) try {
  if (argc != 4) throw dmask::Failure(DMASK_BAD_ARGUMENT, "expected width, height and frames a second");
  const int width = std::atoi(argv[1]), height = std::atoi(argv[2]);
  const double fps = std::atof(argv[3]);
  if (width < 16 || height < 16 || !(fps > 0))
    throw dmask::Failure(DMASK_BAD_ARGUMENT, "expected sides of at least 16 px and a frame rate");
  std::vector<std::uint8_t> pixels(std::size_t{3} * width * height), mask(pixels.size());

  dmask::Options options;
  options.hfov_deg = 40;
  options.view = DMASK_VIEW_FACE;  // nets that find eyes without a face need not be read
  dmask::Pipeline pipeline(options);

  std::fprintf(stderr, "time_s,od_yaw_deg,od_mrd1_mm,os_yaw_deg,os_mrd1_mm\n");
  long faces = 0;
  for (long number = 0; std::fread(pixels.data(), 1, pixels.size(), stdin) == pixels.size(); ++number) {
    const dmask_measures m = pipeline.process(dmask::frame(pixels, width, height, DMASK_FORMAT_BGR, number / fps));
    pipeline.render(dmask::picture(mask, width, height, DMASK_FORMAT_BGR));
    if (std::fwrite(mask.data(), 1, mask.size(), stdout) != mask.size())
      throw dmask::Failure(DMASK_FAILED, "the masks could not be written");
    faces += m.face_valid;
    std::fprintf(stderr, "%.3f", m.time_s);
    for (const dmask_eye_measures& eye : m.eyes)
      std::fprintf(stderr, ",%.2f,%.2f", eye.yaw_deg, eye.mrd1_mm);  // nan: not measured
    std::fprintf(stderr, "\n");
  }
  return faces > 0 ? 0 : 1;
} catch (const std::exception& e) {
  std::fprintf(stderr, "camera_mask: %s\n", e.what());
  return 1;
}
