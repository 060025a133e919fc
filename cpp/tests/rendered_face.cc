#include "rendered_face.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "geometry/rotation.hpp"
#include "pipeline/release.hpp"

namespace {

using namespace dmask;

constexpr float jaw_at_rest = 0.3f;  // the mouth is open all the time

struct Patient {
  explicit Patient(const char* models_dir)
      : models(Models::load(models_dir, models_dir)), painter(models, subject(models)) {}

  static MaskSubject subject(const Models& models) {
    return release_subject(models, Calibration{}, FitOptions{}, ReleaseRules{});
  }

  MaskFrame frame(double t) const {
    MaskFrame f;
    f.face = true;
    f.turn_to(head_rotation({6 * std::sin(1.3 * t), 3 * std::sin(0.9 * t), 2 * std::sin(1.1 * t)}).cast<float>());
    f.translation = {3 * static_cast<float>(std::sin(0.7 * t)), 20, 520};
    f.units.setZero(models.face.units());
    f.units[models.face.unit("jawOpen")] = jaw_at_rest;
    const double since_blink = std::fmod(t, 3.0) - 2.0;
    const float shut = static_cast<float>(std::max(0.0, 1 - std::abs(since_blink) / 0.12));
    for (int eye = 0; eye < 2; ++eye) {
      f.eyes[eye].look = MaskFrame::EyeLook::iris;
      f.eyes[eye].yaw = static_cast<float>(10 * deg * std::sin(2.1 * t));
      f.eyes[eye].pitch = static_cast<float>(4 * deg * std::sin(1.7 * t));
      f.eyes[eye].motion = shut * models.eyelid[eye].named("blink_full");
    }
    return f;
  }

  Models models;
  MaskPainter painter;
  Image image;
};

}  // namespace

int rendered_face(const char* models_dir, double time_s, int width, int height, uint8_t* bgr) {
  try {
    static Patient patient(models_dir);
    patient.painter.paint(patient.frame(time_s), width, height, patient.image);
    std::copy(patient.image.bgr.begin(), patient.image.bgr.end(), bgr);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}

int rendered_close_up(const char* models_dir, double time_s, int closer, double x, double y, int width, int height,
                      std::uint8_t* bgr) {
  const int wide = closer * width, high = closer * height;
  std::vector<std::uint8_t> whole(std::size_t{3} * wide * high);
  if (rendered_face(models_dir, time_s, wide, high, whole.data())) return 1;
  const int left = std::clamp(static_cast<int>(x * wide) - width / 2, 0, wide - width);
  const int top = std::clamp(static_cast<int>(y * high) - height / 2, 0, high - height);
  for (int row = 0; row < height; ++row)
    std::copy_n(whole.data() + (std::size_t{3} * (top + row) * wide + 3 * left), 3 * width,
                bgr + std::size_t{3} * row * width);
  return 0;
}
