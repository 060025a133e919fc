#include <algorithm>
#include <cmath>

#include "fit/calibration_stages.hpp"
#include "fit/tracker.hpp"
#include "fit/window.hpp"

namespace dmask {
namespace {

// Every one of `fits` that has such a value.
template <class Value>
double median_of(const std::vector<FrameFit>& fits, const Value& value) {
  std::vector<double> values;
  for (const FrameFit& fit : fits)
    if (const double v = value(fit); std::isfinite(v)) values.push_back(v);
  return values.empty() ? NAN : median(values);
}

// About the first of them: a head that lies upside down is near the angle at which the circle ends.
double median_angle_deg(const std::vector<FrameFit>& fits, double HeadAngles::* angle) {
  const double first = head_angles(fits.front().pose.rotation).*angle;
  const double turned = median_of(
      fits, [&](const FrameFit& fit) { return std::remainder(head_angles(fit.pose.rotation).*angle - first, 360.0); });
  return std::remainder(first + turned, 360.0);
}

}  // namespace

// Every frame is fitted by itself, as a recording's first one is: the rest of a single picture is what it shows.
void calibrate_rest(CalibrationRun& run, Calibration& c) {
  constexpr std::size_t most_frames = 200;  // evenly over the window: medians of more hardly move
  std::vector<const FrameDetection*> faces;
  for (const FrameDetection& d : run.detections)
    if (d.face_found) faces.push_back(&d);
  const std::size_t every = std::max<std::size_t>(1, (faces.size() + most_frames - 1) / most_frames);

  Tracker tracker(run.models, run.options);
  std::vector<FrameFit> fits;
  for (std::size_t i = 0; i < faces.size(); i += every) {
    tracker.set_calibration(c);
    fits.push_back(tracker.fit(*faces[i]));
    if (fits.back().face_reason != Reason::none) fits.pop_back();
  }
  if (fits.empty()) return;

  for (Eigen::Index u = 0; u < c.rest.units.size(); ++u)
    c.rest.units[u] = median_of(fits, [&](const FrameFit& fit) { return fit.pose.units[u]; });
  c.rest.head = {median_angle_deg(fits, &HeadAngles::yaw_deg), median_angle_deg(fits, &HeadAngles::pitch_deg),
                 median_angle_deg(fits, &HeadAngles::roll_deg)};
  const Vec3 middle = 0.5 * (c.eyes[OD].centre + c.eyes[OS].centre);
  c.rest.distance_mm = c.true_mm * median_of(fits, [&](const FrameFit& fit) {
                         return (fit.pose.rotation * middle + fit.pose.translation).norm();
                       });
  const double px_per_deg =
      median_of(fits, [](const FrameFit& fit) { return std::fmax(fit.eyes[OD].px_per_deg, fit.eyes[OS].px_per_deg); });
  c.rest.small = !(px_per_deg >= run.options.min_px_per_deg);
  for (int eye = 0; eye < 2; ++eye) {
    const auto of_gaze = [&](double Gaze::* angle) {
      return median_of(fits, [&](const FrameFit& f) { return f.eyes[eye].gaze_found ? f.eyes[eye].gaze.*angle : NAN; });
    };
    // Of open lids, also of those that are too small to be measured, as the mask shows them, too.
    const auto of_lids = [&](const auto& value) {
      return median_of(fits, [&](const FrameFit& f) {
        const EyeFit& e = f.eyes[eye];
        return e.lids_valid && e.openness > 0 ? value(e) : NAN;
      });
    };
    Rest::Eye& rest = c.rest.eyes[eye];
    rest.gaze = {of_gaze(&Gaze::yaw), of_gaze(&Gaze::pitch)};
    const double open = of_lids([](const EyeFit& e) { return e.openness; });
    if (!std::isfinite(open)) continue;
    rest.openness = open;
    rest.motion.resize(run.models.eyelid[eye].motion.cols());
    for (Eigen::Index m = 0; m < rest.motion.size(); ++m)
      rest.motion[m] = of_lids([m](const EyeFit& e) { return e.motion[m]; });
  }
}

}  // namespace dmask
