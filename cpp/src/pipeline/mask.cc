#include "pipeline/mask.hpp"

#include <algorithm>
#include <cmath>

#include "geometry/check.hpp"
#include "geometry/rotation.hpp"
#include "pipeline/mask_mesh.hpp"

namespace dmask {
namespace {

double openness_of(const Models& models, int eye, const VecX& motion) {
  const EyelidRows& rows = models.eyelid_rows[eye];
  const VecX p = rows.patch + rows.motion * motion;
  constexpr int n = EyelidRows::margin_samples;
  double aperture = 0;
  for (int i = 0; i < n; ++i) aperture = std::max(aperture, p[3 * i + 1] - p[3 * (n + i) + 1]);
  return aperture / (p.segment<3>(3 * (n - 1)) - p.segment<3>(0)).norm();
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

// Lids that are shut are shut: what the fit leaves between the margins is closed by as much more of the subject's own
// blink as it takes.
LidWeights shut(const EyelidRows& rows, const EyeStatics& statics, const LidWeights& motion) {
  constexpr int n = EyelidRows::margin_samples;
  constexpr double overlap_mm = 0.15;
  std::array<double, n> gap_mm, closing_mm;  // between the margins, and what the blink takes from it
  for (int i = 0; i < n; ++i) {
    const int upper = 3 * i + 1, lower = 3 * (n + i) + 1;
    const auto moved = [&](const LidWeights& w) { return rows.motion.row(upper).dot(w) - rows.motion.row(lower).dot(w); };
    const double shaped = rows.shape.row(upper).dot(statics.shape) - rows.shape.row(lower).dot(statics.shape);
    gap_mm[i] = rows.patch[upper] - rows.patch[lower] + shaped + moved(motion);
    closing_mm[i] = -moved(statics.closing);
  }
  const double most_closing_mm = std::max(0.0, *std::max_element(closing_mm.begin(), closing_mm.end()));
  double amount = 0;
  for (int i = 0; i < n; ++i) {
    if (closing_mm[i] < 0.4 * most_closing_mm) continue;  // the canthi meet by themselves
    amount = std::max(amount, (gap_mm[i] + overlap_mm) / closing_mm[i]);
  }
  return motion + std::min(amount, 0.2) * statics.closing;
}

}  // namespace

Mat3f MaskFrame::rotation() const { return (frontal() * exp_so3(turn.cast<double>())).cast<float>(); }

void MaskFrame::turn_to(const Mat3f& rotation) { turn = log_so3((frontal() * rotation.cast<double>()).eval()).cast<float>(); }

float* MaskFrame::write_row(float* row) const {
  *row++ = face ? 1.0f : 0.0f;
  for (int a = 0; a < 3; ++a) *row++ = turn[a];
  for (int a = 0; a < 3; ++a) *row++ = translation[a];
  row = std::copy_n(units.data(), units.size(), row);
  for (const EyeState& e : eyes) {
    *row++ = e.gaze ? 1.0f : 0.0f;
    *row++ = e.yaw;
    *row++ = e.pitch;
    row = std::copy_n(e.motion.data(), e.motion.size(), row);
  }
  return row;
}

std::vector<float> MaskFrame::to_row() const {
  std::vector<float> row(row_size(static_cast<int>(units.size()), static_cast<int>(eyes[OD].motion.size())));
  write_row(row.data());
  return row;
}

MaskFrame MaskFrame::from_row(const float* row, int units, int motions) {
  MaskFrame frame;
  for (int i = 0; i < row_size(units, motions); ++i)
    check(std::isfinite(row[i]), "the track holds a number that is not finite: the file is damaged");
  frame.face = *row++ > 0.5f;
  frame.turn = {row[0], row[1], row[2]};
  frame.translation = {row[3], row[4], row[5]};
  row += 6;
  frame.units = Eigen::Map<const VecXf>(row, units);
  row += units;
  for (EyeState& e : frame.eyes) {
    e.gaze = row[0] > 0.5f;
    e.yaw = row[1];
    e.pitch = row[2];
    e.motion = Eigen::Map<const VecXf>(row + 3, motions);
    row += 3 + motions;
  }
  return frame;
}

MaskSubject mask_subject(const Models& models, const Calibration& calibration, const FitOptions& options, Profile profile) {
  MaskSubject subject;
  subject.profile = profile;
  subject.hfov_deg = static_cast<float>(options.hfov_deg);
  subject.eyebrows = options.eyebrows;
  subject.identity.setZero(options.identity_modes);
  if (profile == Profile::article) {
    subject.identity = calibration.identity.cast<float>();
    subject.scale = static_cast<float>(calibration.scale);
  }
  for (int eye = 0; eye < 2; ++eye) {
    MaskEye& e = subject.eyes[eye];
    const EyeStatics& s = calibration.eyes[eye];
    e.shape.setZero(models.eyelid[eye].shape.cols());
    e.centre = models.eyelid[eye].centre;
    if (profile == Profile::strict) continue;
    // The patch keeps its place against the patient's own globe, so margins stay where they are in mm.
    e.shape = s.shape.cast<float>();
    e.patch_offset = (s.patch_centre + s.offset - s.centre).cast<float>();
    e.patch_roll = static_cast<float>(s.roll);
    e.iris_radius_mm = static_cast<float>(calibration.ball.iris_radius_mm);
    if (profile == Profile::article) e.centre = s.centre.cast<float>();
  }
  return subject;
}

MaskFrame mask_frame(const Models& models, const Calibration& calibration, const MaskSubject& subject, const FrameFit& fit) {
  MaskFrame frame;
  frame.face = fit.face_reason == Reason::none;
  frame.units.setZero(models.face.units());
  for (int eye = 0; eye < 2; ++eye) frame.eyes[eye].motion.setZero(models.eyelid[eye].motion.cols());
  if (!frame.face) return frame;

  frame.turn_to(fit.pose.rotation.cast<float>());
  frame.units = fit.pose.units.cast<float>();
  // The mask's eyes lie over the patient's: a generic face has another interocular distance.
  const Vec3 own_middle = 0.5 * (calibration.eyes[OD].centre + calibration.eyes[OS].centre);
  const Vec3 mask_middle = 0.5 * (subject.eyes[OD].centre + subject.eyes[OS].centre).cast<double>();
  const double own_distance = (calibration.eyes[OD].centre - calibration.eyes[OS].centre).norm();
  const double mask_distance = (subject.eyes[OD].centre - subject.eyes[OS].centre).norm();
  const Vec3 place = mask_distance / own_distance * (fit.pose.rotation * own_middle + fit.pose.translation);
  frame.translation = (place - fit.pose.rotation * mask_middle).cast<float>();

  for (int eye = 0; eye < 2; ++eye) {
    const EyeFit& e = fit.eyes[eye];
    MaskFrame::EyeState& out = frame.eyes[eye];
    out.gaze = e.gaze_found;
    if (out.gaze) {
      out.yaw = static_cast<float>(e.gaze.yaw);
      out.pitch = static_cast<float>(e.gaze.pitch);
    }
    if (!e.lids_valid) continue;
    LidWeights motion = e.motion;
    if (subject.profile == Profile::strict) motion = motion_of_openness(models, eye, e.openness);
    else if (e.reason == Reason::closed) motion = shut(models.eyelid_rows[eye], calibration.eyes[eye], motion);
    out.motion = motion.cast<float>();
  }
  return frame;
}

MaskPainter::MaskPainter(const Models& models, const MaskSubject& subject)
    : mesh_(std::make_unique<MaskMesh>(models, subject)) {
  camera_vertices_.setZero(mesh_->vertices(), 3);
}
MaskPainter::~MaskPainter() = default;

void MaskPainter::paint(const MaskFrame& frame, int width, int height, Image& out) {
  if (!frame.face) return paint_background(width, height, out);
  mesh_->check_frame(frame);
  mesh_->pose(frame, head_, local_, camera_vertices_);
  MaskScene scene;
  scene.camera = Camera::from_hfov(width, height, mesh_->subject.hfov_deg);
  scene.vertices = &camera_vertices_;
  scene.triangles = &mesh_->triangles;
  scene.albedo = &mesh_->albedo;
  scene.globes = mask_globes(mesh_->subject, frame);
  renderer_.render(scene, RenderStyle{}, out);
}

void paint_background(int width, int height, Image& out) {
  check_camera(Camera::from_hfov(width, height, 40));
  out.resize(width, height);
  for (std::size_t i = 0; i < out.bgr.size(); ++i) out.bgr[i] = RenderStyle{}.background_bgr[i % 3];
}

}  // namespace dmask
