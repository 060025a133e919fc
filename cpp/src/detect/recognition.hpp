// Whether a face is the patient's. The detector asks; who knows faces in space answers.
#pragma once

#include "detect/detections.hpp"

namespace dmask {

class Recognition {
 public:
  virtual ~Recognition() = default;
  virtual void forget() = 0;                               // another patient
  virtual void learn(const FrameDetection& patient) = 0;   // one frame of him; allocates nothing
  virtual float likeness(const FrameDetection& face) = 0;  // about 1 of the patient's, 0 of another's; nothing is kept
};

// bench/same_person.py: of seven people filmed, all were known again so, four at the first look; of 42 pairs of two people
// four were taken for one.
inline constexpr float like_at_once = 0.85f;   // one frame is enough
inline constexpr float like_in_time = 0.65f;   // mean over a trial
inline constexpr float likeness_drop = 0.25f;  // from one frame to the next: somebody else is there now

}  // namespace dmask
