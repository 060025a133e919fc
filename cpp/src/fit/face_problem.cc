#include "fit/face_problem.hpp"

#include <algorithm>

#include "detect/face68.hpp"
#include "detect/face_crop.hpp"
#include "fit/levenberg.hpp"
#include "geometry/rotation.hpp"

namespace dmask {
namespace {

using Mat2 = Eigen::Matrix2d;
using Mat23 = Eigen::Matrix<double, 2, 3>;

using face68::jaw_end;

// What a landmark is worth beside the others: brows and nose differ between conventions, mouth and lids move the
// pose when they are trusted, the canthi stay.
double landmark_weight(int i, double brows) {
  if (i < jaw_end) return 0.35;
  if (i < face68::brows_end) return brows;
  if (i < face68::nose_end) return 0.7;
  if (face68::is_canthus(i)) return 1.8;
  return 0.6;
}

// One landmark of one frame: Eq. (2) and its derivatives by pose and by the vertex itself.
struct LandmarkTerm {
  Vec2 residual;
  Mat23 by_translation;
  Mat23 by_vertex;    // head frame
  Mat23 by_rotation;  // left perturbation of R
};

LandmarkTerm landmark_term(const FacePose& pose, const Vec3& x, const Camera& camera, const Vec2& point,
                           const Mat2& root_information) {
  const Vec3 rx = pose.rotation * x;
  const Vec3 y = rx + pose.translation;
  LandmarkTerm term;
  term.residual = root_information * (camera.project(y) - point);
  term.by_translation = root_information * camera.project_jacobian(y);
  term.by_vertex = term.by_translation * pose.rotation;
  term.by_rotation = term.by_translation * -hat(rx);
  return term;
}

// How much of the mouth is hidden, 0..1: behind a mask, a scarf, a hand. 0 where it is in sight.
double mouth_hidden(const FrameDetection& detection) {
  constexpr double in_sight = 0.9;
  double confidence = 0;
  for (int i = face68::eyes_end; i < face68::count; ++i) confidence += detection.face[i].confidence;
  return std::max(1 - confidence / (in_sight * (face68::count - face68::eyes_end)), 0.0);
}

// What a landmark tells, 0..1. The net guesses hidden ones in one go: they err together, and half sure is not half right.
double information(const Landmark& point) {
  return std::clamp(std::pow(std::max<double>(point.confidence, 0.0), 4.0), 0.02, 1.0);
}

double unit_prior(const FacePose& pose, const UnitPrior& units, int at, VecX* gradient, VecX* curvature) {
  double cost = 0;
  for (Eigen::Index m = 0; m < units.sigma.size(); ++m)
    cost += prior_term(pose.units[m], 0, units.sigma[m], at + static_cast<int>(m), gradient, curvature);
  return cost;
}

// Of a face whose mouth is hidden brows, eyes and nose alone tell shape and nod from each other, and hardly: most heads
// nod little. The nod is that of the head's up against the picture's plane, whatever way the head lies in it.
double nod_prior(const FacePose& pose, double sigma, int at, VecX* gradient, VecX* curvature) {
  if (sigma <= 0) return 0;
  const Vec3 up = pose.rotation.col(1);
  const double sine = std::clamp(-up.z(), -0.99, 0.99);
  const double e = std::asin(sine) / sigma;
  if (gradient) {
    const double slope = 1 / (sigma * std::sqrt(1 - sine * sine));
    const double by_rotation[2] = {-up.y() * slope, up.x() * slope};  // left perturbation of R, about x and y
    for (int a = 0; a < 2; ++a) {
      (*gradient)[at + a] += e * by_rotation[a];
      (*curvature)[at + a] += by_rotation[a] * by_rotation[a];
    }
  }
  return 0.5 * e * e;
}

FacePose moved(const FacePose& pose, Eigen::Ref<const VecX> step) {
  FacePose out;
  out.rotation = exp_so3(step.head<3>()) * pose.rotation;
  out.translation = pose.translation + step.segment<3>(3);
  out.translation.z() = std::max(out.translation.z(), 50.0);  // in front of the camera
  out.units = (pose.units + step.tail(pose.units.size())).cwiseMax(0.0).cwiseMin(1.0);
  return out;
}

void unit_bounds(const FacePose& pose, const VecX& gradient, int at, std::vector<char>& fixed) {
  for (Eigen::Index m = 0; m < pose.units.size(); ++m) {
    const double g = gradient[at + m];
    if ((pose.units[m] <= 1e-9 && g > 0) || (pose.units[m] >= 1 - 1e-9 && g < 0)) fixed[at + m] = 1;
  }
}

}  // namespace

Vec3 vertex(const LandmarkFace& face, int row, const UnitWeights& units) {
  const auto moved = [&](int k) { return face.neutral[3 * row + k] + face.units.row(3 * row + k).dot(units); };
  return {moved(0), moved(1), moved(2)};
}

// The direction along which a landmark's correspondence means nothing, or zero: along the contour of the jaw, and along the
// lids between the canthi, where points go with the iris by as much as a quarter of its way.
Vec2 slides_along(const std::array<Vec2, 68>& points, int i) {
  if (i < jaw_end) return (points[std::min(i + 1, jaw_end - 1)] - points[std::max(i - 1, 0)]).normalized();
  for (const face68::Lid& lid : face68::lids)
    for (int k = 0; k < 2; ++k)
      if (i == lid.upper[k] || i == lid.lower[k]) return (points[lid.outer] - points[lid.inner]).normalized();
  return Vec2::Zero();
}

FaceObservation FaceObservation::from(const FrameDetection& detection, const FitOptions& options, double brows) {
  FaceObservation o;
  for (int i = 0; i < 68; ++i) o.points[i] = {detection.face[i].x, detection.face[i].y};
  o.interocular_px = dmask::interocular_px(detection.face);
  const double sigma_px = 0.01 * options.landmark_sigma_pct * o.interocular_px;
  const double hidden = mouth_hidden(detection);
  const double jaw_share = 1 - hidden * (1 - options.hidden_jaw_information);
  o.nod_sigma = hidden > 0 ? options.hidden_nod_sigma_deg * deg / std::sqrt(hidden) : 0;
  for (int i = 0; i < 68; ++i) {
    const double share = i < jaw_end ? jaw_share : 1;
    const double w = landmark_weight(i, brows) * std::sqrt(share * information(detection.face[i])) / sigma_px;
    const Vec2 along = slides_along(o.points, i);
    o.root_information[i] = w * (Mat2::Identity() - 0.95 * along * along.transpose());
  }
  return o;
}

LandmarkRows LandmarkRows::from(const FaceModel& model, const Points3f& convention) {
  std::vector<int> vertices(model.landmarks().begin(), model.landmarks().end());
  LandmarkRows rows;
  rows.convention = convention;
  rows.candidates = static_cast<int>(model.contour_rows().cols());
  for (int i = 0; i < jaw_end; ++i)
    for (int c = 0; c < rows.candidates; ++c) vertices.push_back(model.contour_rows()(i, c));
  rows.rows = model.rows(vertices);
  // On the far side of a turned head the contour moves to the front of the cheek. What lies behind the landmark
  // stands out more on a frontal face already, and is not what is marked there.
  for (int i = 0; i < jaw_end; ++i) {
    for (int c = 0; c < rows.candidates; ++c) {
      const int r = rows.jaw_row(i, c);
      if (rows.rows.mean[3 * r + 2] < rows.rows.mean[3 * i + 2]) vertices[r] = model.landmarks()[i];
    }
  }
  rows.rows = model.rows(vertices);
  const auto mark = [&](int row, int i) { rows.rows.mean.segment<3>(3 * row) += convention.row(i).transpose(); };
  for (int i = 0; i < 68; ++i) mark(i, i);
  for (int i = 0; i < jaw_end; ++i)
    for (int c = 0; c < rows.candidates; ++c) mark(rows.jaw_row(i, c), i);
  return rows;
}

UnitPrior UnitPrior::from(const FaceModel& model, const FitOptions& options) {
  UnitPrior prior;
  prior.sigma.setConstant(model.units(), options.unit_sigma);
  for (int m = 0; m < model.units(); ++m) {
    const std::string& name = model.unit_names()[m];
    if (name.rfind("eyeLook", 0) == 0) prior.sigma[m] = options.eye_look_sigma;
    if (name == "mouthClose") prior.sigma[m] = options.eye_look_sigma;  // a corrective of the open jaw, 42 mm alone
    if (name.rfind("jaw", 0) == 0 && name != "jawOpen") prior.sigma[m] = 0.1;
  }
  return prior;
}

FaceProblem::FaceProblem(const LandmarkFace& face, const LandmarkRows& rows, const UnitPrior& units,
                         const Camera& camera, const FaceObservation& observation, const FaceSmoothing* smoothing)
    : face_(face), rows_(rows), units_(units), camera_(camera), observation_(observation), smoothing_(smoothing) {}

void FaceProblem::match(const State& state) { row_ = visible_rows(face_, rows_, state, camera_); }

void FaceProblem::residuals(const State& state, VecX& r, RowsX* jacobian) const {
  r.resize(2 * 68);
  if (jacobian) jacobian->resize(2 * 68, size());
  for (int i = 0; i < 68; ++i) {
    const LandmarkTerm term = landmark_term(state, vertex(face_, row_[i], state.units), camera_, observation_.points[i],
                                            observation_.root_information[i]);
    r.segment<2>(2 * i) = term.residual;
    if (!jacobian) continue;
    auto j = jacobian->middleRows<2>(2 * i);
    j.leftCols<3>() = term.by_rotation;
    j.middleCols<3>(3) = term.by_translation;
    j.rightCols(units_.sigma.size()).noalias() = term.by_vertex * face_.units.middleRows<3>(3 * row_[i]);
  }
}

double FaceProblem::prior(const State& state, VecX* gradient, VecX* curvature) const {
  double cost = unit_prior(state, units_, 6, gradient, curvature);
  if (!smoothing_) return cost;
  const FaceSmoothing& s = *smoothing_;
  const Vec3 turned = log_so3(state.rotation * s.previous.rotation.transpose());  // Eq. (17)
  for (int a = 0; a < 3; ++a) cost += prior_term(turned[a], 0, s.rotation_sigma, a, gradient, curvature);
  for (int a = 0; a < 3; ++a)
    cost += prior_term(state.translation[a], s.previous.translation[a], a == 2 ? s.depth_sigma_mm : s.across_sigma_mm,
                       3 + a, gradient, curvature);
  for (Eigen::Index m = 0; m < state.units.size(); ++m)
    cost += prior_term(state.units[m], s.previous.units[m], s.unit_sigma, 6 + static_cast<int>(m), gradient, curvature);
  return cost;
}

void FaceProblem::plus(const State& state, const VecX& step, State& out) const { out = moved(state, step); }

void FaceProblem::active(const State& state, const VecX& gradient, std::vector<char>& fixed) const {
  unit_bounds(state, gradient, 6, fixed);
}

double FaceProblem::residual_px(const State& state) const {
  double sum = 0;
  int count = 0;
  for (int i = jaw_end; i < 68; ++i) {
    if (observation_.root_information[i](0, 0) <= 0) continue;
    const Vec3 y = state.rotation * vertex(face_, i, state.units) + state.translation;
    sum += (camera_.project(y) - observation_.points[i]).norm();
    ++count;
  }
  return sum / std::max(count, 1);
}

FaceWindowProblem::FaceWindowProblem(const FaceModel& model, const LandmarkRows& rows, const UnitPrior& units,
                                     const Camera& camera, const std::vector<FaceObservation>& observations,
                                     int identity_modes)
    : model_(model),
      rows_(rows),
      units_(units),
      camera_(camera),
      observations_(observations),
      identity_modes_(std::min(identity_modes, model.identities())),
      identity_(rows.rows.identity.leftCols(identity_modes_).cast<double>()),
      interaction_(rows.rows.interaction.cast<double>()),
      row_(observations.size()) {}

LandmarkFace FaceWindowProblem::subject(const VecX& identity) const {
  const SubjectFace face = model_.contract(rows_.rows, identity.cast<float>());
  return {face.neutral.cast<double>(), face.units.cast<double>()};
}

void FaceWindowProblem::match(const State& state) {
  const LandmarkFace face = subject(state.identity);
  for (std::size_t f = 0; f < observations_.size(); ++f) row_[f] = visible_rows(face, rows_, state.frames[f], camera_);
}

void FaceWindowProblem::residuals(const State& state, VecX& r, RowsX* jacobian) const {
  const LandmarkFace face = subject(state.identity);
  const int frames = static_cast<int>(observations_.size());
  r.resize(2 * 68 * frames);
  if (jacobian) jacobian->setZero(2 * 68 * frames, size());
  MatX slopes;
  for (int f = 0; f < frames; ++f) {
    if (jacobian)
      slopes = model_.interaction_slopes(state.frames[f].units.cast<float>(), identity_modes_).cast<double>();
    for (int i = 0; i < 68; ++i) {
      const int row = row_[f][i];
      const LandmarkTerm term = landmark_term(state.frames[f], vertex(face, row, state.frames[f].units), camera_,
                                              observations_[f].points[i], observations_[f].root_information[i]);
      const int at = 2 * (68 * f + i);
      r.segment<2>(at) = term.residual;
      if (!jacobian) continue;
      auto j = jacobian->middleRows<2>(at);
      j.leftCols(identity_modes_).noalias() =
          term.by_vertex * (identity_.middleRows<3>(3 * row) + interaction_.middleRows<3>(3 * row) * slopes);
      const int own = identity_modes_ + f * frame_size();
      j.middleCols<3>(own) = term.by_rotation;
      j.middleCols<3>(own + 3) = term.by_translation;
      j.middleCols(own + 6, units_.sigma.size()).noalias() = term.by_vertex * face.units.middleRows<3>(3 * row);
    }
  }
}

double FaceWindowProblem::prior(const State& state, VecX* gradient, VecX* curvature) const {
  double cost = 0;
  for (int k = 0; k < identity_modes_; ++k) cost += prior_term(state.identity[k], 0, 1.0, k, gradient, curvature);
  for (std::size_t f = 0; f < state.frames.size(); ++f) {
    const int at = identity_modes_ + static_cast<int>(f) * frame_size();
    cost += nod_prior(state.frames[f], observations_[f].nod_sigma, at, gradient, curvature);
    cost += unit_prior(state.frames[f], units_, at + 6, gradient, curvature);
  }
  return cost;
}

void FaceWindowProblem::plus(const State& state, const VecX& step, State& out) const {
  out.identity = state.identity + step.head(identity_modes_);
  out.frames.resize(state.frames.size());
  for (std::size_t f = 0; f < state.frames.size(); ++f)
    out.frames[f] = moved(state.frames[f], step.segment(identity_modes_ + f * frame_size(), frame_size()));
}

void FaceWindowProblem::active(const State& state, const VecX& gradient, std::vector<char>& fixed) const {
  for (std::size_t f = 0; f < state.frames.size(); ++f)
    unit_bounds(state.frames[f], gradient, identity_modes_ + static_cast<int>(f) * frame_size() + 6, fixed);
}

std::array<int, 68> visible_rows(const LandmarkFace& face, const LandmarkRows& rows, const FacePose& pose,
                                 const Camera& camera) {
  std::array<int, 68> row;
  for (int i = 0; i < 68; ++i) row[i] = i;
  // Across the face as it lies in the picture: from the head's up, which a turn to the side does not shorten.
  const Vec2 across(-pose.rotation(1, 1), pose.rotation(0, 1));
  const auto place = [&](int r) {
    return across.dot(camera.project(pose.rotation * vertex(face, r, pose.units) + pose.translation));
  };
  const double middle = place(face68::under_nose);
  for (int i = 0; i < jaw_end; ++i) {
    if (i >= 7 && i <= 9) continue;  // the chin is no silhouette
    const double side = i < 8 ? -1 : 1;
    double farthest = side * (place(i) - middle);
    for (int c = 0; c < rows.candidates; ++c) {
      const int r = rows.jaw_row(i, c);
      const double out = side * (place(r) - middle);
      if (out > farthest) {
        farthest = out;
        row[i] = r;
      }
    }
  }
  return row;
}

FacePose initial_pose(const LandmarkFace& face, const Camera& camera, const FaceObservation& observation) {
  FacePose pose;
  pose.units.setZero(face.units.cols());
  const auto x = [&](int i) { return Vec3(face.neutral.segment<3>(3 * i)); };
  const auto& p = observation.points;
  constexpr int right = face68::lids[OD].outer, left = face68::lids[OS].outer, nasion = face68::nasion,
                chin = face68::chin;
  const Vec2 across = p[left] - p[right];
  pose.rotation = exp_so3({0, 0, std::atan2(across.y(), across.x())}) * frontal();
  // Depth from the face's height as well: a turned head narrows, it does not shrink.
  const double scale_px_per_mm = std::max(across.norm() / (x(left) - x(right)).norm(),
                                          (p[chin] - p[nasion]).norm() / (x(chin) - x(nasion)).norm());
  const double depth_mm = camera.focal_px / std::max(scale_px_per_mm, 1e-3);
  const Vec3 seen((p[nasion].x() - camera.cx) * depth_mm / camera.focal_px,
                  (p[nasion].y() - camera.cy) * depth_mm / camera.focal_px, depth_mm);
  pose.translation = seen - pose.rotation * x(nasion);
  return pose;
}

}  // namespace dmask
