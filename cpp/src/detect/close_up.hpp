// Follows one eye or two where no face is in sight: in a slit lamp's frame, in a close-up.
#pragma once

#include <array>
#include <optional>

#include "detect/detections.hpp"
#include "detect/eye_finder.hpp"
#include "detect/eye_regions.hpp"
#include "detect/view.hpp"

namespace dmask {

class CloseUp {
 public:
  CloseUp(const DetectorOptions& options, View view, Side side);

  struct Followed {
    Crop crop;       // of this frame
    FoundEye place;  // as the last frame's lids have it
    float side = 0;  // mean logit of the inner canthus being the right one, over the looks that told it
    int looks = 0;
    int unconfirmed = 0;
    bool side_known = false;  // once it is, it stays so
  };

  // Fills the eyes, their sides, luminance and track. False where no eye is seen.
  bool detect(Vision& vision, const ImageView& frame, FrameDetection& detection);

  void forget();  // a cut: another picture
  bool tracking() const { return tracking_; }
  int track() const { return track_; }             // rises when eyes are taken up
  double finder_ms() const { return finder_ms_; }  // of the last detect()
  double regions_ms() const { return regions_ms_; }

 private:
  bool is_eye(Vision& vision, const Followed& found, EyeDetection seen);
  bool take_up(Vision& vision, const ImageView& frame);
  void add_side(Followed& eye, const FoundEye& seen) const;
  void name_sides(std::vector<Followed>& eyes);
  float chance_of(Eye eye) const;  // of a single eye being this one
  bool confirm(Vision& vision, Eye eye);
  void look(Vision& vision, const ImageView& frame, FrameDetection& detection);

  EyeFinder finder_;
  EyeRegions regions_;
  View view_;
  Side side_;
  std::array<std::optional<Followed>, 2> eyes_;  // by Eye
  std::vector<Followed> new_;
  bool tracking_ = false;
  int track_ = 0, frames_since_check_ = 0, frames_to_next_search_ = 0;
  double finder_ms_ = 0, regions_ms_ = 0;
};

}  // namespace dmask
