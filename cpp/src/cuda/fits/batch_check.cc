#include "cuda/fits/batch_check.hpp"

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>

#include "cuda/fits/batch_fit.hpp"
#include "geometry/larger.hpp"
#include "geometry/rotation.hpp"
#include "geometry/stopwatch.hpp"

namespace dmask::cuda {
namespace {

template <class Work>
double ms_a_frame(std::size_t frames, Work&& work) {
  const Stopwatch watch;
  work();
  return watch.ms() / static_cast<double>(std::max<std::size_t>(frames, 1));
}

void add(const FrameFit& a, const FrameFit& b, BatchComparison& c) {
  const auto widen = [](double& worst, double difference) { worst = larger(worst, difference); };
  if (a.face_reason != b.face_reason) ++c.reasons;
  if (a.face_reason != Reason::none || b.face_reason != Reason::none) return;
  ++c.frames;
  widen(c.head_deg, Eigen::AngleAxisd(a.pose.rotation * b.pose.rotation.transpose()).angle() / deg);
  widen(c.head_mm, (a.pose.translation - b.pose.translation).norm());
  widen(c.unit, largest_difference(a.pose.units, b.pose.units));
  for (int eye = 0; eye < 2; ++eye) {
    const EyeFit &e = a.eyes[eye], &f = b.eyes[eye];
    if (e.reason != f.reason || e.gaze_found != f.gaze_found) ++c.reasons;
    if (e.gaze_found && f.gaze_found)
      widen(c.gaze_deg, std::hypot(e.gaze.yaw - f.gaze.yaw, e.gaze.pitch - f.gaze.pitch) / deg);
    if (std::isfinite(e.pfh_mm) || std::isfinite(f.pfh_mm)) widen(c.fissure_mm, std::abs(e.pfh_mm - f.pfh_mm));
  }
}

}  // namespace

BatchComparison compare_batch_fit(const Models& models, const FitOptions& options, const Calibration& calibration,
                                  const std::vector<FrameDetection>& detections) {
  BatchComparison c;
  Tracker tracker(models, options);
  tracker.set_calibration(calibration);
  std::vector<FrameFit> one_by_one(detections.size()), at_once;
  c.tracker_ms = ms_a_frame(detections.size(), [&] {
    for (std::size_t i = 0; i < detections.size(); ++i) one_by_one[i] = tracker.fit(detections[i]);
  });

  BatchFit batch(models, options);
  const int subject = batch.add_subject(calibration);
  std::vector<BatchFit::Item> items(detections.size());
  for (std::size_t i = 0; i < detections.size(); ++i) {
    const bool same_track = i > 0 && detections[i].track == detections[i - 1].track;
    items[i] = {subject, &detections[i], same_track ? &one_by_one[i - 1] : nullptr};
  }
  batch.fit(items, at_once);
  c.batch_ms = ms_a_frame(detections.size(), [&] { batch.fit(items, at_once); });
  for (std::size_t i = 0; i < detections.size(); ++i) add(at_once[i], one_by_one[i], c);
  return c;
}

}  // namespace dmask::cuda
