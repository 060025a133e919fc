#include "fit/window.hpp"

#include <algorithm>
#include <cmath>

#include "detect/face68.hpp"
#include "fit/lid_curves.hpp"

namespace dmask {
namespace {

// 0 for a frontal face, grows as the nose nears one of the outer canthi.
double asymmetry(const FrameDetection& d) {
  const Landmark& nose = d.face[face68::nose_tip];
  const auto distance = [&](Eye eye) {
    const Landmark& canthus = d.face[face68::lids[eye].outer];
    return std::hypot(nose.x - canthus.x, nose.y - canthus.y) + 1e-3;
  };
  return std::abs(std::log(distance(OD) / distance(OS)));
}

// Takes the candidate farthest from those taken, again and again.
template <class Distance>
std::vector<int> spread(const std::vector<int>& candidates, int count, Distance distance) {
  if (static_cast<int>(candidates.size()) <= count) return candidates;
  std::vector<int> taken = {candidates[candidates.size() / 2]};
  std::vector<double> nearest(candidates.size(), 1e30);
  while (static_cast<int>(taken.size()) < count) {
    std::size_t best = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      nearest[i] = std::min(nearest[i], distance(candidates[i], taken.back()));
      if (nearest[i] > nearest[best]) best = i;
    }
    taken.push_back(candidates[best]);
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

// Where both irises stand between the canthi, in units of the palpebral width.
Vec2 irises_place(const FrameDetection& d) {
  Vec2 sum = Vec2::Zero();
  for (const EyeDetection& e : d.eyes) {
    const Vec2 inner(e.lid[0].x, e.lid[0].y), outer(e.lid[10].x, e.lid[10].y), iris(e.iris[0].x, e.iris[0].y);
    sum += (iris - 0.5 * (inner + outer)) / std::max((outer - inner).norm(), 1.0);
  }
  return sum;
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

bool places_eyeball(const FrameDetection& detection, int which, const FitOptions& options) {
  const EyeDetection& eye = detection.eyes[which];
  if (!detection.eyes_in_view[which]) return false;
  if (LidCurves::from(eye, head_up(detection), options).openness < 0.15) return false;
  int visible = 0;
  for (int i = 1; i < 19; ++i) visible += eye.iris[i].confidence > 0.5f;
  return visible >= 6 && eye.iris[0].confidence > 0.4f;
}

bool named_fixating(const FitOptions& options, int eye, double time_s) {
  const Fixation& f = options.fixation;
  return f.eye[eye] && time_s >= f.from_s && time_s <= f.to_s;
}

std::vector<int> choose_window(const std::vector<FrameDetection>& detections, const FitOptions& options,
                               std::string& reason) {
  struct Quality {
    bool frontal, open, sharp;
  };
  std::vector<double> sharpness;
  for (const FrameDetection& d : detections)
    if (d.face_found) sharpness.push_back(d.sharpness);
  const double typical = median(sharpness);
  std::vector<Quality> quality(detections.size());
  std::vector<double> openness(detections.size()), open;
  for (std::size_t i = 0; i < detections.size(); ++i) {
    const FrameDetection& d = detections[i];
    if (!d.face_found) continue;
    const Vec2 up = head_up(d);
    const LidCurves od = LidCurves::from(d.eyes[OD], up, options), os = LidCurves::from(d.eyes[OS], up, options);
    // The better eye decides: the other may droop, and that is what is to be measured.
    openness[i] = std::max(od.openness, os.openness);
    if (openness[i] > 0.18) open.push_back(openness[i]);
    quality[i] = {asymmetry(d) < 0.3, openness[i] > 0.18, d.sharpness >= 0.5 * typical};
  }
  // Startled eyes are no rest, but for whose eyes are always as wide: retracted lids are to be measured.
  const double startled = std::max(0.45, 1.1 * median(open));
  for (std::size_t i = 0; i < detections.size(); ++i) quality[i].open = quality[i].open && openness[i] < startled;
  const char* shortfalls[] = {"", "no sharp frame with open eyes and a frontal face: blurred ones taken",
                              "no frontal frame with open eyes: turned ones taken",
                              "no frame with open eyes: lids uncertain"};
  for (int relaxed = 0; relaxed < 4; ++relaxed) {
    std::vector<int> candidates;
    for (std::size_t i = 0; i < detections.size(); ++i)
      if (detections[i].face_found && (quality[i].sharp || relaxed >= 1) && (quality[i].frontal || relaxed >= 2) &&
          (quality[i].open || relaxed >= 3))
        candidates.push_back(static_cast<int>(i));
    if (candidates.empty()) continue;
    reason = shortfalls[relaxed];
    return spread(candidates, options.window_frames, [](int a, int b) { return std::abs(static_cast<double>(a - b)); });
  }
  reason = "no frame shows a face";
  return {};
}

std::vector<int> choose_gaze_frames(const std::vector<FrameDetection>& detections, const FitOptions& options) {
  std::vector<int> candidates;
  for (std::size_t i = 0; i < detections.size(); ++i) {
    const FrameDetection& d = detections[i];
    if (!d.face_found || asymmetry(d) > 0.6) continue;
    if (places_eyeball(d, OD, options) || places_eyeball(d, OS, options)) candidates.push_back(static_cast<int>(i));
  }
  const auto differ = [&](int a, int b) {
    return (irises_place(detections[a]) - irises_place(detections[b])).norm() + 1e-4 * std::abs(a - b);
  };
  std::vector<int> chosen = spread(candidates, options.gaze_frames, differ);
  std::vector<int> named;  // frames of a fixation count whatever they look like
  for (int i : candidates)
    if (named_fixating(options, OD, detections[i].time_s) || named_fixating(options, OS, detections[i].time_s))
      named.push_back(i);
  for (int i : spread(named, options.gaze_frames / 2, differ))
    if (std::find(chosen.begin(), chosen.end(), i) == chosen.end()) chosen.push_back(i);
  return chosen;
}

}  // namespace dmask
