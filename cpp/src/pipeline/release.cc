#include "pipeline/release.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "detect/face68.hpp"
#include "fit/close_up.hpp"
#include "fit/hirschberg.hpp"
#include "pipeline/own_limits.hpp"

namespace dmask {
namespace {

// Between the canthi.
double width_mm(const VecX& margins_mm) {
  constexpr int n = EyelidRows::margin_samples;
  return (margins_mm.segment<3>(3 * (n - 1)) - margins_mm.segment<3>(0)).norm();
}

double openness_of(const Models& models, int eye, const VecX& motion) {
  const EyelidRows& rows = models.eyelid_rows[eye];
  const VecX p = rows.patch + rows.motion * motion;
  constexpr int n = EyelidRows::margin_samples;
  double aperture = 0;
  for (int i = 0; i < n; ++i) aperture = std::max(aperture, p[3 * i + 1] - p[3 * (n + i) + 1]);
  return aperture / width_mm(p);
}

// Generic lids of a given openness: along the blink when narrower than the neutral lids, retracted when wider.
VecX motion_of_openness(const Models& models, int eye, double openness) {
  const EyelidModel& model = models.eyelid[eye];
  const VecX mid = model.named("blink_mid").cast<double>(), full = model.named("blink_full").cast<double>();
  const VecX retract = model.named("upper_retract").cast<double>();
  const auto path = [&](double t) -> VecX {  // -1 retracted, 0 neutral, 1 shut
    if (t < 0) return -t * retract;
    return t < 0.5 ? VecX(2 * t * mid) : VecX(mid + (2 * t - 1) * (full - mid));
  };
  double low = -1, high = 1;
  if (openness <= 0) return full;
  for (int k = 0; k < 24; ++k) {
    const double t = 0.5 * (low + high);
    (openness_of(models, eye, path(t)) > openness ? low : high) = t;
  }
  return path(0.5 * (low + high));
}

// Lids that are shut are shut: what the fit leaves between the margins is closed by as much more of the blink as it takes.
LidWeights shut(const EyelidRows& rows, const VecX* shape, const LidWeights& closing, const LidWeights& motion) {
  constexpr int n = EyelidRows::margin_samples;
  constexpr double overlap_mm = 0.15;
  std::array<double, n> gap_mm, closing_mm;  // between the margins, and what the blink takes from it
  for (int i = 0; i < n; ++i) {
    const int upper = 3 * i + 1, lower = 3 * (n + i) + 1;
    const auto moved = [&](const LidWeights& w) {
      return rows.motion.row(upper).dot(w) - rows.motion.row(lower).dot(w);
    };
    const double shaped = shape ? rows.shape.row(upper).dot(*shape) - rows.shape.row(lower).dot(*shape) : 0;
    gap_mm[i] = rows.patch[upper] - rows.patch[lower] + shaped + moved(motion);
    closing_mm[i] = -moved(closing);
  }
  const double most_closing_mm = std::max(0.0, *std::max_element(closing_mm.begin(), closing_mm.end()));
  double amount = 0;
  for (int i = 0; i < n; ++i) {
    if (closing_mm[i] < 0.4 * most_closing_mm) continue;  // the canthi meet by themselves
    amount = std::max(amount, (gap_mm[i] + overlap_mm) / closing_mm[i]);
  }
  return motion + std::min(amount, 0.2) * closing;
}

// The patient's own width between the canthi would tell him from others: his aperture is given as a share of the generic one.
double released_openness(const Models& models, const EyeStatics& statics, int eye, const ReleaseRules& rules,
                         double openness) {
  if (rules.own_face || !rules.lids_mm || !(openness > 0)) return openness;
  return openness * width_mm(statics.rows.patch) / width_mm(models.eyelid_rows[eye].patch);
}

// Lids go with a gaze up or down as everybody's do; else an eye that looks up would be hidden behind a lid that does not droop.
double lids_follow_mm(const EyeFit& fit) {
  constexpr double globe_mm = 12.0, share = 0.55;  // of the way that the pupil goes
  constexpr double open = 0.15;                    // narrower lids follow less, and those that meet not at all
  if (!fit.gaze_found || !(fit.openness > 0)) return 0;
  return share * globe_mm * std::sin(fit.gaze.pitch) * std::clamp(fit.openness / open, 0.0, 1.0);
}

// How high the lids are shown of somebody who is too small to be measured: at rest as high as those of everybody whose eyes are
// narrow, usual or wide, but for what one eye differs from the other in whole millimetres, which shows a lid that droops and
// tells nobody; and from there in proportion.
GenericLids::Heights small_lids_mm(const Calibration& c, const MaskParts& parts, int eye,
                                   const GenericLids::Heights& mm) {
  constexpr double step_mm = 1, least_aperture_mm = 0.5;
  constexpr int upper = 0, lower = 1;
  const std::array<Rest::Eye, 2>& eyes = c.rest.eyes;
  const bool both = eyes[OD].motion.size() > 0 && eyes[OS].motion.size() > 0;
  if (eyes[eye].motion.size() == 0) return {to_step(mm[upper], step_mm), to_step(mm[lower], step_mm)};  // never open
  const double open = both ? 0.5 * (eyes[OD].openness + eyes[OS].openness) : eyes[eye].openness;
  GenericLids::Heights shown = parts.rest_mm[eye][openness_class(open)];
  if (both) {
    const GenericLids::Heights apart =
        GenericLids::heights_of(c.eyes[OS], eyes[OS].motion) - GenericLids::heights_of(c.eyes[OD], eyes[OD].motion);
    for (int k : {upper, lower}) shown[k] += (eye == OS ? 0.5 : -0.5) * to_step(apart[k], step_mm);
  }
  const GenericLids::Heights rest = GenericLids::heights_of(c.eyes[eye], eyes[eye].motion);
  const double share = (mm[upper] - mm[lower]) / std::max(rest[upper] - rest[lower], least_aperture_mm);
  const double low = shown[lower] + mm[lower] - rest[lower];
  return {low + share * (shown[upper] - shown[lower]), low};
}

// How the mask's lids move: as the patient's own, as high as his, or as open.
LidWeights lid_motion(const Models& models, const Calibration& calibration, const MaskParts& parts, int eye,
                      const ReleaseRules& rules, const EyeFit& fit) {
  const EyelidRows& rows = models.eyelid_rows[eye];
  const EyeStatics& statics = calibration.eyes[eye];
  const GenericLids& generic = parts.lids[eye];
  const bool closed = fit.reason == Reason::closed;
  if (rules.own_face) return closed ? shut(rows, &statics.shape, statics.closing, fit.motion) : fit.motion;
  if (!rules.lids_mm) return motion_of_openness(models, eye, fit.openness) + generic.raised_by(lids_follow_mm(fit));
  GenericLids::Heights mm = GenericLids::heights_of(statics, fit.motion);
  if (calibration.rest.small) mm = small_lids_mm(calibration, parts, eye, mm);
  for (double& height : mm) height = to_step(height, rules.lid_step_mm);
  const LidWeights motion = generic.as_high_as(mm, fit.motion, calibration.rest.eyes[eye].motion);
  return closed ? shut(rows, nullptr, generic.closing(), motion) : motion;
}

// Between the eyeballs that are shown.
Vec3 middle_of(const MaskSubject& subject) {
  if (subject.eyes_shown[OD] != subject.eyes_shown[OS])
    return subject.eyes[subject.eyes_shown[OD] ? OD : OS].centre.cast<double>();
  return 0.5 * (subject.eyes[OD].centre + subject.eyes[OS].centre).cast<double>();
}

// Of one eye or two without a face: they fill the picture, or lie where they are in it, as large as they are there.
Vec3 close_up_place(const Calibration& calibration, const MaskSubject& subject, const ReleaseRules& rules,
                    const FacePose& pose) {
  const bool both = subject.eyes_shown[OD] && subject.eyes_shown[OS];
  const Camera& camera = calibration.camera;
  if (!rules.canonical) {
    const int eye = subject.eyes_shown[OD] ? OD : OS;
    const Vec3 own =
        both ? Vec3(0.5 * (calibration.eyes[OD].centre + calibration.eyes[OS].centre)) : calibration.eyes[eye].centre;
    return pose.rotation * own + pose.translation;
  }
  const double wide_mm = both ? 125 : 60, high_mm = 46;  // what has room in the picture
  const double depth = camera.focal_px * std::max(wide_mm / camera.width, high_mm / camera.height);
  return {0, 0, depth};
}

// Where the face lies in the mask. Its eyes lie over the patient's, a generic face having another interocular distance; or
// in one place at one size.
Vec3 eyes_place(const Calibration& calibration, const MaskSubject& subject, const ReleaseRules& rules,
                const FacePose& pose) {
  if (calibration.close_up) return close_up_place(calibration, subject, rules, pose);
  constexpr double eyes_share = 0.22;   // of the picture's shorter side between the eyeballs: a head with a margin
  constexpr double above_share = 0.05;  // of it the eyes lie above the middle, as a face reaches farther down
  const Vec3 own_middle = 0.5 * (calibration.eyes[OD].centre + calibration.eyes[OS].centre);
  const double mask_distance = (subject.eyes[OD].centre - subject.eyes[OS].centre).norm();
  if (!rules.canonical) {
    const double own_distance = (calibration.eyes[OD].centre - calibration.eyes[OS].centre).norm();
    return mask_distance / own_distance * (pose.rotation * own_middle + pose.translation);
  }
  const Camera& camera = calibration.camera;
  const int side_px = std::min(camera.width, camera.height);
  const double depth = camera.focal_px * mask_distance / (eyes_share * side_px);
  return {0, -above_share * side_px * depth / camera.focal_px, depth};
}

MaskFrame mask_of(const Models& models, const Calibration& calibration, const MaskSubject& subject,
                  const MaskParts& parts, const ReleaseRules& rules, const FacePose& measured, const FrameFit& fit) {
  MaskFrame frame;
  frame.face = calibration.ok && fit.face_reason == Reason::none;
  frame.units.setZero(models.face.units());
  for (int eye = 0; eye < 2; ++eye) frame.eyes[eye].motion.setZero(models.eyelid[eye].motion.cols());
  if (!frame.face) return frame;

  frame.turn_to(fit.pose.rotation.cast<float>());
  frame.units = fit.pose.units.cast<float>();
  if (rules.units[parts.lips.mouth_close] > 0) parts.lips.close(fit.lip_gaps_mm, frame.units);
  const Vec3 mask_middle = middle_of(subject);
  frame.translation =
      (eyes_place(calibration, subject, rules, measured) - fit.pose.rotation * mask_middle).cast<float>();

  for (int eye = 0; eye < 2; ++eye) {
    const EyeFit& e = fit.eyes[eye];
    MaskFrame::EyeState& out = frame.eyes[eye];
    if (!e.lids_valid) continue;
    out.look = e.gaze_found ? MaskFrame::EyeLook::iris : MaskFrame::EyeLook::lids;
    if (e.gaze_found) {
      out.yaw = static_cast<float>(e.gaze.yaw);
      out.pitch = static_cast<float>(e.gaze.pitch);
    }
    out.motion = lid_motion(models, calibration, parts, eye, rules, e).cast<float>();
  }
  return frame;
}

// What is not valid is not a number.
EyeMeasures measures_of(const EyeFit& e, double openness, double true_mm, const OwnLimits& limits,
                        const ReleaseRules& rules, const ReleaseRules::Stated& stated) {
  const bool valid = e.reason == Reason::none;
  const auto of_gaze = [&](double value) { return valid ? value : NAN; };
  // Steps of rest would be undone by an angle that needs no rest.
  const bool sharp = e.px_per_deg >= reflex_over_gaze * limits.min_px_per_deg;
  const auto by_reflex = [&](double value) { return rules.lids_mm && sharp ? of_gaze(value) : NAN; };
  const bool coarse = e.reason == Reason::low_resolution;  // too few pixels for lids, too
  const auto of_lids = [&](double value) { return rules.lids_mm && !coarse ? true_mm * value : NAN; };
  const auto sd_of_lids = [&](double value) { return up_to_step(of_lids(value), stated.mm); };
  EyeMeasures m{.reason = e.reason,
                .yaw_deg = of_gaze(e.gaze.yaw / deg),
                .pitch_deg = of_gaze(e.gaze.pitch / deg),
                .yaw_sd_deg = of_gaze(up_to_step(e.yaw_sd / deg, stated.deg)),
                .pitch_sd_deg = of_gaze(up_to_step(e.pitch_sd / deg, stated.deg)),
                .reflex_yaw_deg = by_reflex(e.reflex_gaze.yaw / deg),
                .reflex_pitch_deg = by_reflex(e.reflex_gaze.pitch / deg),
                .reflex_yaw_sd_deg = by_reflex(up_to_step(e.reflex_yaw_sd / deg, stated.deg)),
                .reflex_pitch_sd_deg = by_reflex(up_to_step(e.reflex_pitch_sd / deg, stated.deg)),
                .mrd1_mm = of_lids(e.mrd1_mm),
                .mrd2_mm = of_lids(e.mrd2_mm),
                .pfh_mm = of_lids(e.pfh_mm),
                .mrd1_sd_mm = sd_of_lids(e.mrd1_sd_mm),
                .mrd2_sd_mm = sd_of_lids(e.mrd2_sd_mm),
                .pfh_sd_mm = sd_of_lids(e.pfh_sd_mm),
                .pupil_mm = of_lids(e.pupil_mm),
                .openness = coarse ? NAN : openness};
  if (!rules.own_face) return m;
  m.px_per_deg = e.px_per_deg;
  m.eyeball_residual_pct = of_gaze(e.eyeball_residual_pct);
  m.eyelid_residual_pct = e.eyelid_residual_pct;
  return m;
}

Vec3 place_mm(const Calibration& calibration, const FacePose& pose) {
  const Vec3 middle = 0.5 * (calibration.eyes[OD].centre + calibration.eyes[OS].centre);
  return calibration.true_mm * (pose.rotation * middle + pose.translation);
}

}  // namespace

MaskSubject release_subject(const Models& models, const Calibration& calibration, const FitOptions& options,
                            const ReleaseRules& rules) {
  MaskSubject subject;
  subject.profile = rules.profile;
  subject.hfov_deg = static_cast<float>(calibration.close_up ? close_up_hfov_deg : options.hfov_deg);
  subject.close_up = calibration.close_up;
  subject.eyes_shown = calibration.eyes_in_view;
  subject.eyebrows = options.eyebrows;
  subject.identity.setZero(options.identity_modes);
  if (rules.own_face) {
    subject.identity = calibration.identity.cast<float>();
    subject.scale = static_cast<float>(calibration.scale);
  }
  for (int eye = 0; eye < 2; ++eye) {
    MaskEye& e = subject.eyes[eye];
    const EyeStatics& s = calibration.eyes[eye];
    e.shape.setZero(models.eyelid[eye].shape.cols());
    e.centre = models.eyelid[eye].centre;
    if (!rules.own_face) continue;
    // The patch keeps its place against the patient's own globe, so margins stay where they are in mm.
    e.shape = s.shape.cast<float>();
    e.patch_offset = (s.globe_by_lids() - s.centre).cast<float>();
    e.patch_roll = static_cast<float>(s.roll);
    e.iris_radius_mm = static_cast<float>(calibration.ball.iris_radius_mm);
    e.centre = s.centre.cast<float>();
  }
  return subject;
}

MaskLips MaskLips::of(const Models& models, const MaskSubject& subject) {
  std::vector<int> vertices;
  for (const auto& pair : face68::inner_lips)
    for (const int landmark : pair) vertices.push_back(models.face.landmarks()[landmark]);
  const SubjectFace face = models.face.contract(models.face.rows(vertices), subject.identity);
  MaskLips lips;
  lips.mouth_close = models.face.unit("mouthClose");
  for (std::size_t i = 0; i < lips.gap_mm.size(); ++i) {
    const Eigen::Index upper = 6 * i + 1, lower = 6 * i + 4;  // their heights
    lips.gap_mm[i] = subject.scale * (face.neutral[upper] - face.neutral[lower]);
    lips.by_unit_mm[i] = subject.scale * (face.units.row(upper) - face.units.row(lower)).transpose();
  }
  return lips;
}

void MaskLips::close(const LipGaps& seen_mm, UnitWeightsF& units) const {
  constexpr double touching_mm = 1.0, apart_mm = 2.0;  // landmarks of a shut mouth lie up to a millimetre apart
  double amount = 0;
  for (std::size_t i = 0; i < gap_mm.size(); ++i) {
    const double shown = std::clamp((seen_mm[i] - touching_mm) / (apart_mm - touching_mm), 0.0, 1.0) * seen_mm[i];
    const double excess = gap_mm[i] + by_unit_mm[i].dot(units) - shown;
    const double closing = -by_unit_mm[i][mouth_close];
    if (closing > 0) amount = std::max(amount, excess / closing);
  }
  if (amount > 0) units[mouth_close] = static_cast<float>(std::min(units[mouth_close] + amount, 1.0));
}

MaskParts MaskParts::of(const Models& models, const MaskSubject& subject) {
  MaskParts parts;
  parts.lips = MaskLips::of(models, subject);
  for (int eye = 0; eye < 2; ++eye) {
    parts.lids[eye] = GenericLids(models, eye);
    for (std::size_t k = 0; k < openness_classes.size(); ++k)
      parts.rest_mm[eye][k] = parts.lids[eye].heights_at(motion_of_openness(models, eye, openness_classes[k]));
  }
  return parts;
}

namespace {

// Where the eye rests is straight ahead: how the head is turned no close-up tells.
Gaze against(const Gaze& rest, const Gaze& gaze, double step) {
  const Gaze moved{gaze.yaw - rest.yaw, gaze.pitch - rest.pitch};
  return step > 0 ? Gaze{to_step(moved.yaw, step), to_step(moved.pitch, step)} : moved;
}

// A single eye of which nobody can say whether it is the right or the left one stands under OD.
void name_side(const FrameFit& fit, FrameResult& result) {
  result.laterality = fit.laterality;
  const bool only_os = fit.eyes_in_view[OS] && !fit.eyes_in_view[OD];
  if (only_os && fit.laterality == Laterality::none) std::swap(result.eyes[OD], result.eyes[OS]);
}

}  // namespace

FrameResult release_frame(const Models& models, const Calibration& calibration, const MaskSubject& subject,
                          const MaskParts& parts, const ReleaseRules& rules, const FrameFit& measured) {
  const Rest& rest = calibration.rest;
  const FrameFit shown = released_motion(rest, rules, rest.small ? rules.small_rest : rules.rest, measured);
  // Numbers that are let out are as exact as they were measured.
  const FrameFit fit = rules.lids_mm && rest.small ? released_motion(rest, rules, rules.rest, measured) : shown;
  const ReleaseRules::Stated& stated = rest.small ? rules.small_stated : rules.stated;
  FrameResult result;
  result.time_s = fit.time_s;
  result.face_reason = fit.face_reason;
  result.close_up = fit.close_up;
  const bool own_limits = !rules.own_face && !rules.canonical;
  const OwnLimits limits = own_limits ? OwnLimits::of(calibration) : OwnLimits{0, 1};
  for (int eye = 0; eye < 2; ++eye) {
    EyeFit e = fit.eyes[eye];
    if (e.reason == Reason::none && e.px_per_deg < limits.min_px_per_deg) e.reason = Reason::low_resolution;
    if (fit.close_up) e.gaze = against(rest.eyes[eye].gaze, measured.eyes[eye].gaze, rules.angle_step_deg * deg);
    if (fit.close_up && e.reason == Reason::none && !std::isfinite(e.gaze.yaw)) e.reason = Reason::lost;
    const double openness = released_openness(models, calibration.eyes[eye], eye, rules, e.openness);
    result.eyes[eye] = measures_of(e, openness, calibration.true_mm, limits, rules, stated);
  }
  if (!fit.close_up && result.eyes[OD].reason == Reason::none && result.eyes[OS].reason == Reason::none) {
    result.deviation_yaw_sd_deg = up_to_step(fit.deviation_sd.yaw / deg, stated.deg);
    result.deviation_pitch_sd_deg = up_to_step(fit.deviation_sd.pitch / deg, stated.deg);
  }
  result.mask = mask_of(models, calibration, subject, parts, rules, measured.pose, shown);
  if (fit.close_up) {  // whose head is only stood in for
    if (result.face_reason == Reason::none) result.face_reason = Reason::no_face;
    name_side(fit, result);
    return result;
  }
  if (!result.mask.face) return result;
  result.head = head_angles(fit.pose.rotation);
  for (double HeadAngles::* angle : head_parts) result.head_sd.*angle = up_to_step(fit.head_sd.*angle, stated.deg);
  const Vec3 place = place_mm(calibration, measured.pose);
  if (rules.own_face) result.head_mm = place;
  // Of whoever is too small it is no more than how large the face is beside the irises, which is his own.
  if (rules.own_face || !rest.small) result.distance = limits.distance_at(place.norm());
  return result;
}

Diagnostics diagnose(const Calibration& calibration, const FrameFit& fit) {
  Diagnostics found;
  if (calibration.ok && !fit.close_up && fit.face_reason == Reason::none)
    found.head_mm = place_mm(calibration, fit.pose);
  for (int eye = 0; eye < 2; ++eye) {
    const EyeFit& e = fit.eyes[eye];
    const bool valid = e.reason == Reason::none;
    found.eyes[eye] = {e.px_per_deg, valid ? e.eyeball_residual_pct : NAN, e.eyelid_residual_pct};
  }
  return found;
}

CalibrationSummary release_calibration(const Calibration& calibration, Profile profile) {
  CalibrationSummary summary;
  summary.ok = calibration.ok;
  summary.reason = calibration.reason;
  summary.frames_used = calibration.frames_used;
  if (!calibration.ok || profile != Profile::article) return summary;
  const double true_mm = calibration.true_mm;
  summary.scale = true_mm * calibration.scale;
  summary.iris_radius_mm = true_mm * calibration.ball.iris_radius_mm;
  summary.iris_radius_sd_mm = true_mm * calibration.iris_radius_sd_mm;
  for (int eye = 0; eye < 2; ++eye)
    summary.eye_centre_sd_mm[eye] = true_mm * calibration.eyes[eye].centre_covariance.diagonal().cwiseSqrt();
  return summary;
}

std::vector<std::pair<std::string, std::optional<OptionValue>>> release_options(const PipelineOptions& options) {
  std::vector<std::pair<std::string, std::optional<OptionValue>>> released;
  for (const Option& option : option_table()) {
    if (option.kind == OptionKind::text || option.use == OptionUse::experiment) continue;
    const bool of_whom = option.name == "hvid_mm" || option.name == "age_years";  // the patient is told by it
    const bool withheld = options.profile == Profile::strict && of_whom;
    released.emplace_back(option.name, withheld ? std::nullopt : std::optional(option.get(options)));
  }
  return released;
}

}  // namespace dmask
