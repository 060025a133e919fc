// What the detectors say about one frame, in pixels of the upright input (0-based pixel centres).
#pragma once

#include <array>
#include <cmath>

#include "detect/view.hpp"
#include "geometry/types.hpp"

namespace dmask {

struct Landmark {
  float x = 0, y = 0;
  float confidence = 0;  // 0..1: falls when the point is hidden or the eye shut
};

enum LidLine { CREASE = 0, UPPER_MARGIN = 1, LOWER_MARGIN = 2, BULGE = 3 };

using Reflexes = std::array<Landmark, 8>;  // confidence 0: none

struct EyeDetection {
  std::array<Landmark, 20> lid{};   // 0 inner canthus, 1-9 upper margin, 10 outer canthus, 11-19 lower margin back
  std::array<Landmark, 19> iris{};  // 0 centre, 1-18 limbus, clockwise in the picture from 12 o'clock
  std::array<std::array<Landmark, 20>, 4> lines{};  // LidLine; inner to outer
  std::array<Landmark, 19> pupil{};                 // as the iris; looked for in close-ups
  // Outline of the globe that is seen, without the caruncle: 0-19 under the upper lid, from the inner side to the outer, 20-39 back
  // above the lower one; looked for in close-ups.
  std::array<Landmark, 40> globe{};
  Reflexes reflexes{};  // of lamps in the cornea; looked for where DetectorOptions::find_reflexes says so
};

// How far a point has moved in the picture since an earlier frame, px, and what that is worth, 1/px^2: 0 for nothing.
struct PointMotion {
  float x = 0, y = 0;
  float information_xx = 0, information_xy = 0, information_yy = 0;
};
inline constexpr int first_moving = 17, moving_points = 19;  // of the 68: brows and nose

struct FrameDetection {
  double time_s = 0;
  int width = 0, height = 0;
  bool face_found = false;
  bool another_person = false;  // the face in sight is not the patient's, or not known to be: its points are not given
  bool choosing = false;        // another face may still turn out to be the patient's
  bool close_up = false;        // no face is in sight, and eyes are: `face` is of nothing
  int track = 0;                // rises when another face is taken up, or the same one behind a cut
  int first_track = 0;          // the patient's first: those before it were another person's
  float face_score = 0;
  float sharpness = 0;    // variance of the Laplacian over the face crop, grey levels squared
  float luminance = 128;  // mean of the face crop, of the whole frame where no face is found; grey levels, 0..255
  std::array<Landmark, 68> face{};
  double moved_since_s = NAN;                       // time of the frame that `motion` starts from; NaN: none is known
  std::array<PointMotion, moving_points> motion{};  // of face[first_moving + i], by the pictures
  std::array<PointMotion, 2> iris_motion{};         // of each iris' centre, by Eye
  std::array<EyeDetection, 2> eyes{};               // indexed by Eye: OD, OS
  std::array<bool, 2> eyes_in_view{true, true};     // of a face both
  float side_confidence = 1;                        // 0..1: of a close-up's one eye being the one that it stands for
  bool side_known = true;                           // else nobody can say which of the patient's eyes it is

  Laterality laterality() const {
    if (!close_up || !side_known || eyes_in_view[OD] == eyes_in_view[OS]) return Laterality::none;
    return eyes_in_view[OD] ? Laterality::od : Laterality::os;
  }

  // A frame like this one, in which the patient's face is not: there is none, or it is another person's.
  FrameDetection without_patient(bool another) const {
    FrameDetection nobody;
    nobody.time_s = time_s;
    nobody.width = width;
    nobody.height = height;
    nobody.another_person = another;
    nobody.first_track = first_track;
    nobody.luminance = luminance;
    return nobody;
  }
};

}  // namespace dmask
