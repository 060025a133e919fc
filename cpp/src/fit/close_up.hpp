// Eyes without a face: what stands in for the face that a close-up does not show.
#pragma once

#include "detect/detections.hpp"
#include "fit/models.hpp"
#include "fit/options.hpp"

namespace dmask {

// A close-up is seen through optics of so narrow a field that depth hardly counts.
inline constexpr double close_up_hfov_deg = 8.0;

// How wide a lens is in a recording of faces or of close-ups.
inline double hfov_deg_of(const FrameDetection& detection, const FitOptions& options) {
  return detection.close_up ? close_up_hfov_deg : options.hfov_deg;
}

// The same with the mean face where the canthi have it, looking straight into the camera: how the head is turned no close-up
// tells. Frames of faces, and those of nothing, stay as they are.
FrameDetection with_mean_face(const Models& models, FrameDetection detection);

// The pupil's diameter through the iris', whose radius is known, mm: as the cornea shows it. NaN where it was not seen.
double pupil_mm(const EyeDetection& eye, double iris_radius_mm);

}  // namespace dmask
