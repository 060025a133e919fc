#include "pipeline/mask.hpp"

#include <algorithm>
#include <cmath>

#include "geometry/check.hpp"
#include "geometry/rotation.hpp"

namespace dmask {
namespace {

constexpr float skin_radius_mm = 12.25f;  // lid skin rides outside the 12 mm globe
constexpr float edge_radius_mm = 11.6f;   // the lids' inner edge inside it: no slit between lid and globe
constexpr float brow_radius_mm = 10.0f;    // r of Eq. (23)

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
VecX shut(const Models& models, int eye, const VecX& shape, const VecX& motion) {
  const EyelidModel& model = models.eyelid[eye];
  const EyelidRows& rows = models.eyelid_rows[eye];
  const VecXf w_es = shape.cast<float>();
  const VecX further = (model.blink_full(w_es) - model.blink_mid(w_es)).cast<double>();
  const VecX p = rows.patch + rows.shape * shape + rows.motion * motion, slope = rows.motion * further;
  constexpr int n = EyelidRows::margin_samples;
  constexpr double overlap_mm = 0.15;
  const auto opening = [&](const VecX& y, int i) { return y[3 * i + 1] - y[3 * (n + i) + 1]; };
  double most_closing = 0, amount = 0;
  for (int i = 0; i < n; ++i) most_closing = std::max(most_closing, -opening(slope, i));
  for (int i = 0; i < n; ++i) {
    if (-opening(slope, i) < 0.4 * most_closing) continue;  // the canthi meet by themselves
    amount = std::max(amount, (opening(p, i) + overlap_mm) / -opening(slope, i));
  }
  return motion + std::min(amount, 0.2) * further;
}

}  // namespace

Profile profile_named(const std::string& name) {
  if (name == "clinical") return Profile::clinical;
  if (name == "article") return Profile::article;
  if (name == "strict") return Profile::strict;
  throw Error("got profile '" + name + "', expected clinical, article or strict");
}

std::vector<float> MaskFrame::to_row() const {
  std::vector<float> row = {face ? 1.0f : 0.0f};
  const Vec3 turn = log_so3((frontal() * rotation.cast<double>()).eval());
  for (int a = 0; a < 3; ++a) row.push_back(static_cast<float>(turn[a]));
  for (int a = 0; a < 3; ++a) row.push_back(translation[a]);
  row.insert(row.end(), units.data(), units.data() + units.size());
  for (const EyeState& e : eyes) {
    row.insert(row.end(), {e.gaze ? 1.0f : 0.0f, e.yaw, e.pitch});
    row.insert(row.end(), e.motion.data(), e.motion.data() + e.motion.size());
  }
  return row;
}

MaskFrame MaskFrame::from_row(const float* row, int units, int motions) {
  MaskFrame frame;
  for (int i = 0; i < row_size(units, motions); ++i)
    check(std::isfinite(row[i]), "the track holds a number that is not finite: the file is damaged");
  frame.face = *row++ > 0.5f;
  frame.rotation = (frontal() * exp_so3(Vec3(row[0], row[1], row[2]))).cast<float>();
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

  frame.rotation = fit.pose.rotation.cast<float>();
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
    VecX motion = e.motion;
    if (subject.profile == Profile::strict) motion = motion_of_openness(models, eye, e.openness);
    else if (e.reason == Reason::closed) motion = shut(models, eye, calibration.eyes[eye].shape, motion);
    out.motion = motion.cast<float>();
  }
  return frame;
}

MaskPainter::MaskPainter(const Models& models, const MaskSubject& subject) : models_(models), subject_(subject) {
  face_ = models.face.contract(subject.identity);
  face_.neutral *= subject.scale;
  face_.units *= subject.scale;
  for (int u = 0; u < models.face.units(); ++u)
    if (models.face.unit_names()[u].rfind("brow", 0) == 0) brow_units_.push_back(u);

  const int n = models.face.vertices();
  int total = n;
  std::vector<std::array<int, 3>> triangles;
  for (Eigen::Index t = 0; t < models.face.triangles().rows(); ++t)
    triangles.push_back({models.face.triangles()(t, 0), models.face.triangles()(t, 1), models.face.triangles()(t, 2)});
  for (int eye = 0; eye < 2; ++eye) {
    const EyelidModel& model = models.eyelid[eye];
    const MaskEye& own = subject.eyes[eye];
    EyePatch& patch = patches_[eye];
    check(own.shape.size() == model.shape.cols(), "the subject has " + std::to_string(own.shape.size()) +
              " eyelid shape weights, the eyelid model " + std::to_string(model.shape.cols()));
    patch.base = model.patch + model.shape * own.shape;
    patch.vertex.resize(model.vertices());
    patch.on_globe.resize(model.vertices());
    for (int v = 0; v < model.vertices(); ++v) {
      patch.vertex[v] = model.face_vertex[v] >= 0 ? model.face_vertex[v] : total++;
      check(patch.vertex[v] < n || model.face_vertex[v] < 0, "the eyelid model names a vertex the face model has not");
      patch.on_globe[v] = !model.inner_edge[v] && model.patch.segment<3>(3 * v).norm() >= skin_radius_mm - 0.05f;
    }
    for (Eigen::Index t = 0; t < model.triangles.rows(); ++t) {  // the face's own triangles are there already
      const int a = model.triangles(t, 0), b = model.triangles(t, 1), c = model.triangles(t, 2);
      if (model.face_vertex[a] < 0 || model.face_vertex[b] < 0 || model.face_vertex[c] < 0)
        triangles.push_back({patch.vertex[a], patch.vertex[b], patch.vertex[c]});
    }

    // Eqs. (23, 24) in closed form: patch vertices near the brow follow the face's brow units.
    patch.brow.setZero(3 * model.vertices(), static_cast<Eigen::Index>(brow_units_.size()));
    if (!subject.eyebrows) continue;
    for (int v = 0; v < model.vertices(); ++v) {
      if (model.brow_region[v] <= 0) continue;
      const Vec3f at = patch.base.segment<3>(3 * v) + own.patch_offset + own.centre;
      float weight_sum = 0;
      for (int f = 0; f < n; ++f) {
        const float d2 = (face_.neutral.segment<3>(3 * f) - at).squaredNorm();
        if (d2 > 9 * brow_radius_mm * brow_radius_mm) continue;
        const float w = std::exp(-d2 / (2 * brow_radius_mm * brow_radius_mm));
        weight_sum += w;
        for (std::size_t u = 0; u < brow_units_.size(); ++u)
          patch.brow.block<3, 1>(3 * v, u) += w * face_.units.block<3, 1>(3 * f, brow_units_[u]);
      }
      if (weight_sum > 0) patch.brow.middleRows<3>(3 * v) *= model.brow_region[v] / weight_sum;
    }
  }
  triangles_.resize(static_cast<Eigen::Index>(triangles.size()), 3);
  for (std::size_t t = 0; t < triangles.size(); ++t)
    for (int k = 0; k < 3; ++k) triangles_(t, k) = triangles[t][k];
  albedo_.resize(total, 3);
  albedo_.topRows(n) = models.face.albedo();
  for (int eye = 0; eye < 2; ++eye)
    for (int v = 0; v < models.eyelid[eye].vertices(); ++v) albedo_.row(patches_[eye].vertex[v]) = models.eyelid[eye].albedo.row(v);
  head_.setZero(3 * total);
  camera_vertices_.resize(total, 3);
}

void MaskPainter::place_eye(const MaskFrame& frame, int eye) {
  const EyelidModel& model = models_.eyelid[eye];
  const MaskEye& own = subject_.eyes[eye];
  const EyePatch& patch = patches_[eye];
  local_ = patch.base;
  local_.noalias() += model.motion * frame.eyes[eye].motion;  // Eq. (5)
  for (std::size_t u = 0; u < brow_units_.size(); ++u) {
    const float w = frame.units[brow_units_[u]];
    if (w > 1e-3f) local_ += w * patch.brow.col(u);  // Eq. (24)
  }
  const float c = std::cos(own.patch_roll), s = std::sin(own.patch_roll);
  for (int v = 0; v < model.vertices(); ++v) {
    const Vec3f p = local_.segment<3>(3 * v);
    Vec3f q = Vec3f(c * p.x() - s * p.y(), s * p.x() + c * p.y(), p.z()) + own.patch_offset;
    const float radius = q.norm();
    if (patch.on_globe[v] && radius < skin_radius_mm) q *= skin_radius_mm / radius;
    if (model.inner_edge[v] && radius > edge_radius_mm) q *= edge_radius_mm / radius;
    auto out = head_.segment<3>(3 * patch.vertex[v]);
    const float b = model.blend[v];
    out = model.face_vertex[v] < 0 ? Vec3f(own.centre + q) : Vec3f(b * (own.centre + q) + (1 - b) * out);
  }
}

void MaskPainter::paint(const MaskFrame& frame, int width, int height, Image& out) {
  MaskScene scene;
  scene.camera = Camera::from_hfov(width, height, subject_.hfov_deg);
  scene.vertices = &camera_vertices_;
  scene.triangles = &triangles_;
  scene.albedo = &albedo_;
  Triangles nothing(0, 3);
  if (!frame.face) {
    scene.triangles = &nothing;
    renderer_.render(scene, RenderStyle{}, out);
    return;
  }
  check(frame.units.size() == face_.units.cols(), "the frame has " + std::to_string(frame.units.size()) +
            " motion units, the face model " + std::to_string(face_.units.cols()));
  auto skin = head_.head(face_.neutral.size());
  skin = face_.neutral;
  for (Eigen::Index u = 0; u < frame.units.size(); ++u)  // Eq. (1) with w_fs contracted
    if (std::abs(frame.units[u]) > 1e-3f) skin += frame.units[u] * face_.units.col(u);
  for (int eye = 0; eye < 2; ++eye) place_eye(frame, eye);
  const Eigen::Map<const Points3f> head(head_.data(), camera_vertices_.rows(), 3);
  camera_vertices_.noalias() = head * frame.rotation.transpose();
  camera_vertices_.rowwise() += frame.translation.transpose();

  for (int eye = 0; eye < 2; ++eye) {
    const MaskFrame::EyeState& state = frame.eyes[eye];
    Globe& globe = scene.globes[eye];
    globe.visible = true;
    globe.centre = frame.rotation * subject_.eyes[eye].centre + frame.translation;
    globe.iris_radius_mm = state.gaze ? subject_.eyes[eye].iris_radius_mm : 0;
    globe.pupil_radius_mm = state.gaze ? 1.9f : 0;
    globe.axis = frame.rotation * gaze_axis(state.yaw, state.pitch).cast<float>();
  }
  renderer_.render(scene, RenderStyle{}, out);
}

}  // namespace dmask
