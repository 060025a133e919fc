// What is seen of the eyeball in a close-up, pixel by pixel, and how lids, limbus and pupil follow from it.
#pragma once

#include <memory>

#include "detect/crop.hpp"
#include "detect/detections.hpp"
#include "detect/net.hpp"
#include "detect/vision.hpp"

namespace dmask {

// Logits of one look, a pixel of its crop each.
struct RegionMaps {
  Crop crop;
  const float *globe = nullptr, *iris = nullptr, *pupil = nullptr;  // iris: with its pupil
};

// A crop about the canthi, as the net was trained on.
Crop regions_crop(const EyeDetection& eye);

// Moves the margins to the border of the globe that is seen and the limbus to the iris' own, and measures the pupil. What the
// maps do not show stays as it was.
void take_regions(const RegionMaps& maps, EyeDetection& eye);

class EyeRegions {
 public:
  // Throws Error when the model is missing or is not what is expected.
  explicit EyeRegions(const DetectorOptions& options);

  // Of the eye whose canthi are known. Valid until the next look.
  RegionMaps look(Vision& vision, const EyeDetection& eye, float gain);

 private:
  std::unique_ptr<Net> net_;
};

}  // namespace dmask
