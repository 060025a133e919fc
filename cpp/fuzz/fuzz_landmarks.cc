// Landmarks as no net should give them: every fit ends, with finite numbers or a reason.
#include "fit/tracker.hpp"
#include "pipeline/release.hpp"
#include "tiny.hpp"

using namespace dmask;

namespace {

void spoil(Landmark& point, fuzz::Bytes& bytes) {
  const int part = bytes.between(0, 5);
  const double v = bytes.number();
  const float value = std::abs(v) > 3.4e38 ? std::numeric_limits<float>::infinity() : static_cast<float>(v);
  if (part == 0) point = {value, value, value};
  else if (part <= 2) point.x = value;
  else if (part <= 4) point.y = value;
  else point.confidence = value;
}

void spoil(PointMotion& motion, fuzz::Bytes& bytes) {
  float* const parts[] = {&motion.x, &motion.y, &motion.information_xx, &motion.information_xy, &motion.information_yy};
  const double v = bytes.number();
  *parts[bytes.between(0, 4)] = std::abs(v) > 3.4e38 ? std::numeric_limits<float>::infinity() : static_cast<float>(v);
}

template <class Points>
void spoil_some(Points& points, fuzz::Bytes& bytes) {
  if (bytes.one_in(8)) {  // all of them alike
    auto point = points[0];
    spoil(point, bytes);
    for (auto& p : points) p = point;
    return;
  }
  for (int k = bytes.between(0, 4); k > 0; --k)
    spoil(points[bytes.between(0, static_cast<int>(points.size()) - 1)], bytes);
}

void spoil(FrameDetection& d, fuzz::Bytes& bytes) {
  switch (bytes.between(0, 13)) {
    case 0: return spoil_some(d.face, bytes);
    case 1:
    case 2: return spoil_some(d.eyes[bytes.between(0, 1)].lid, bytes);
    case 3:
    case 4: return spoil_some(d.eyes[bytes.between(0, 1)].iris, bytes);
    case 5:
    case 6: return spoil_some(d.eyes[bytes.between(0, 1)].lines[bytes.between(0, 3)], bytes);
    case 7: d.time_s = bytes.number(); return;
    case 8: d.sharpness = static_cast<float>(bytes.next<float>()); return;
    case 9: d.luminance = static_cast<float>(bytes.next<float>()); return;
    case 10: d.moved_since_s = bytes.number(); return;
    case 11: return spoil_some(d.motion, bytes);
    case 12: return spoil_some(d.iris_motion, bytes);
    default: {  // the whole face moved or made larger
      const double scale = bytes.number(), dx = bytes.number(), dy = bytes.number();
      const auto move = [&](Landmark& p) {
        p.x = static_cast<float>(std::clamp(scale * p.x + dx, -3e38, 3e38));
        p.y = static_cast<float>(std::clamp(scale * p.y + dy, -3e38, 3e38));
      };
      for (Landmark& p : d.face) move(p);
      for (EyeDetection& e : d.eyes) {
        for (Landmark& p : e.lid) move(p);
        for (Landmark& p : e.iris) move(p);
        for (auto& line : e.lines)
          for (Landmark& p : line) move(p);
      }
    }
  }
}

void require_valid(const Calibration& c) {
  if (!c.ok) return fuzz::require(!c.reason.empty(), "a calibration that failed says why");
  bool finite = std::isfinite(c.scale) && c.scale > 0 && c.identity.allFinite() && c.face.neutral.allFinite() &&
                c.face.units.allFinite() && std::isfinite(c.ball.iris_radius_mm) && std::isfinite(c.iris_radius_sd_mm);
  for (const EyeStatics& e : c.eyes)
    finite = finite && e.shape.allFinite() && e.offset.allFinite() && std::isfinite(e.roll) &&
             e.patch_centre.allFinite() && e.centre.allFinite() && e.centre_covariance.allFinite() &&
             (e.centre_covariance.diagonal().array() >= 0).all() && e.rows.patch.allFinite() &&
             e.rows.motion.allFinite();
  fuzz::require(finite, "a calibration is finite");
}

void require_valid(const FrameFit& fit) {
  if (fit.face_reason != Reason::none) return;
  fuzz::require(fit.pose.rotation.allFinite() && fit.pose.translation.allFinite() && fit.pose.units.allFinite(),
                "a valid pose is finite");
  for (const EyeFit& e : fit.eyes) {
    if (e.lids_valid)
      fuzz::require(e.motion.allFinite() && std::isfinite(e.openness) && std::isfinite(e.eyelid_residual_pct),
                    "valid lids are finite");
    if (e.gaze_found)
      fuzz::require(std::isfinite(e.gaze.yaw) && std::isfinite(e.gaze.pitch), "a gaze that was found is finite");
    if (e.reason == Reason::none)
      fuzz::require(e.gaze_found && std::isfinite(e.yaw_sd) && std::isfinite(e.pitch_sd) && std::isfinite(e.mrd1_mm) &&
                        std::isfinite(e.mrd2_mm) && std::isfinite(e.pfh_mm) && std::isfinite(e.eyeball_residual_pct) &&
                        e.px_per_deg > 0,
                    "a valid eye is finite");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Models& models = fuzz::models();
  FitOptions options;
  options.identity_modes = 3;
  options.window_frames = 2;
  options.gaze_frames = 2;
  static const Calibration sound = [&] {
    const Calibration c = calibrate(models, {fuzz::seen_face()}, options);
    fuzz::require(c.ok, "the sound face calibrates");
    return c;
  }();

  fuzz::Bytes bytes(data, size);
  std::vector<FrameDetection> frames;
  for (int k = bytes.between(1, 3); k > 0; --k) frames.push_back(fuzz::seen_face(10.0 * k, 1.0 / k));
  for (std::size_t k = 1; k < frames.size(); ++k) {
    frames[k].moved_since_s = frames[k - 1].time_s;
    for (PointMotion& m : frames[k].motion) m = {0.1f, 0.2f, 100, 10, 50};
    for (PointMotion& m : frames[k].iris_motion) m = {0.1f, 0.2f, 100, 10, 50};
  }
  const bool calibrates = bytes.one_in(8);
  for (int k = bytes.between(0, 5); k > 0; --k)
    spoil(frames[bytes.between(0, static_cast<int>(frames.size()) - 1)], bytes);
  if (bytes.one_in(32)) frames[0].width = bytes.between(0, 20);

  Calibration calibration = sound;
  if (calibrates) {
    if (bytes.one_in(2)) {
      options.fixation.eye[OS] = true;
      options.fixation.from_s = bytes.number();
      options.fixation.to_s = bytes.number();
    }
    calibration = calibrate(models, frames, options);
    require_valid(calibration);
    if (!calibration.ok) return 0;
  }
  Tracker tracker(models, options);
  tracker.set_calibration(calibration);
  const ReleaseRules rules = release_rules(models, PipelineOptions{});
  const MaskSubject subject = release_subject(models, calibration, options, rules);
  for (const FrameDetection& frame : frames) {
    const FrameFit fit = tracker.fit(frame);
    require_valid(fit);
    const MaskFrame mask = release_frame(models, calibration, subject, MaskParts::of(models, subject), rules, fit).mask;
    for (const float v : mask.to_row()) fuzz::require(std::isfinite(v), "a row of the track is finite");
  }
  return 0;
}
