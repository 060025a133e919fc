// What counts as seen and as measured: one decision for frames that are fitted one by one (Tracker) and for those that are
// fitted all at once (BatchFit). What is not a number never counts.
#pragma once

#include "detect/detections.hpp"
#include "fit/eyeball_problem.hpp"
#include "fit/lid_curves.hpp"
#include "fit/options.hpp"
#include "fit/result.hpp"

namespace dmask {

// --- Detections ------------------------------------------------------------------------------------------------------

// Whether a net could have said this: finite, within a million pixels of the picture, confidence 0 to 1 up to rounding.
bool valid(const Landmark& point);
bool valid(const FrameDetection& detection);
// The same without its invalid parts: a lid, an iris or a line as if hidden, the face as if there were none.
FrameDetection without_invalid(FrameDetection detection);

// --- What a fit needs to see -----------------------------------------------------------------------------------------

// luminance: of the detection; in little light it takes more.
bool lids_in_sight(const LidCurves& curves, double luminance, const FitOptions& options);
bool iris_centre_in_sight(const EyeDetection& eye, const FitOptions& options);
struct IrisSight {  // how much of an iris is in sight
  int limbus_points = 18;
  double centre_confidence = 1;
};
IrisSight iris_sight(const EyeDetection& eye, const EyeballObservation& observation);
// The iris' centre, or enough of the limbus. `observation`: of the same eye.
bool iris_in_sight(const EyeDetection& eye, const EyeballObservation& observation, const FitOptions& options);

// Why nothing was seen: of an eye whose lids are not in sight, of a frame without a face, of a face that no fit found.
Reason unseen_eye_reason(double luminance, const FitOptions& options);
Reason no_face_reason(double luminance, const FitOptions& options);
Reason lost_face_reason(double luminance, const FitOptions& options);

// Whether the fits of a frame at `time_s` start from an earlier frame and are smoothed towards it, Eqs. (17-19).
bool goes_on(const FrameFit& earlier, double time_s, const FitOptions& options);

// --- What a fit was worth --------------------------------------------------------------------------------------------

// Mean residuals of the landmarks, in interocular distances.
inline constexpr double max_face_jump = 0.3;       // above it a frame does not go on from the one before: a cut
inline constexpr double max_face_residual = 0.12;  // above it the face is lost
bool face_fitted(const FacePose& pose, double residual_px, double interocular_px);

// lost, closed or none; openness: of the fitted lids.
Reason lids_reason(double residual_pct, double openness);
// Of an eye whose lids are in sight and whose iris is not: the lids hide it, or it is too far aside. An iris of which
// nothing is known, or nothing that is a number, is as one that is hidden.
Reason hidden_iris_reason(const EyeDetection& eye, double openness, const FitOptions& options);
// lost, out_of_range, low_resolution or none.
Reason gaze_reason(double residual_pct, double px_per_deg, const Gaze& gaze, const IrisSight& sight,
                   const FitOptions& options);
// Whether the eye looks so far down that the lower lid hides what it is measured by: `of` the confidence that it takes.
bool half_hidden_below(const Gaze& gaze, const IrisSight& sight, double of, const FitOptions& options);

}  // namespace dmask
