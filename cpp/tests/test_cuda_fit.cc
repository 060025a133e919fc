// The fits' kernels against the production problems and levenberg() in double, and the batch against the Tracker.
#include <cstring>
#include <vector>

#include "check.hpp"
#include "cuda/fits/batch_check.hpp"
#include "cuda/fits/batch_fit.hpp"
#include "cuda/fits/fit_input.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda_twins/twins.hpp"
#include "device_allocations.hpp"
#include "fit_scene.hpp"
#include "geometry/larger.hpp"
#include "geometry/rotation.hpp"

using namespace dmask;
using namespace dmask::cuda;
using test::Scene, test::Truth;

namespace {

// A batch's arrays on the host and on the device.
struct Batch {
  Scene& scene;
  int frames;
  std::vector<float> neutral, units, patch, motion, focal_px, sigma;
  std::vector<EyeballSubject> eyeballs;
  std::vector<std::byte> input, output;
  FrameInput in;
  FrameOutput out;
  SubjectArrays host;
  Stream stream;
  std::vector<DeviceBuffer<std::byte>> memory;

  Batch(Scene& s, const std::vector<int>& subject, const std::vector<FrameDetection>& detections,
        const std::vector<const FrameFit*>& previous)
      : scene(s), frames(static_cast<int>(detections.size())) {
    const std::size_t n = s.subjects.size(), face = 3 * s.sizes.rows, lid = 6 * s.sizes.eyelid_rows;
    neutral.resize(n * face), units.resize(n * face * s.sizes.units), patch.resize(n * lid),
        motion.resize(n * lid * s.sizes.motions);
    focal_px.resize(n), eyeballs.resize(n);
    for (std::size_t i = 0; i < n; ++i)
      pack_subject(s.subjects[i], s.sizes,
                   {&neutral[i * face], &units[i * face * s.sizes.units], &patch[i * lid],
                    &motion[i * lid * s.sizes.motions], &focal_px[i], &eyeballs[i]});
    const VecXf prior = UnitPrior::from(s.models.face, s.options).sigma.cast<float>();
    sigma.assign(prior.data(), prior.data() + prior.size());
    host = {neutral.data(), units.data(), patch.data(), motion.data(), focal_px.data(), sigma.data(), eyeballs.data()};
    input.resize(FrameInput::at(nullptr, frames, s.sizes).bytes + 256),
        output.resize(FrameOutput::at(nullptr, frames, s.sizes).bytes + 256);
    in = FrameInput::at(input.data(), frames, s.sizes);
    out = FrameOutput::at(output.data(), frames, s.sizes);
    for (int f = 0; f < frames; ++f)
      pack_frame(detections[f], s.subjects[subject[f]], subject[f], previous.empty() ? nullptr : previous[f], s.options,
                 s.sizes, f, in);
  }
  template <class T>
  T* on_device(const T* values, std::size_t count) {
    memory.emplace_back(count * sizeof(T));
    T* p = reinterpret_cast<T*>(memory.back().get());
    upload(values, count, p, stream.get());
    return p;
  }
  template <class T>
  T* on_device(const std::vector<T>& v) {
    return on_device(v.data(), v.size());
  }
  SubjectArrays device_subjects() {
    return {on_device(neutral),  on_device(units), on_device(patch),   on_device(motion),
            on_device(focal_px), on_device(sigma), on_device(eyeballs)};
  }
  FrameInput device_input() { return FrameInput::at(on_device(input), frames, scene.sizes); }
  FrameOutput device_output() { return FrameOutput::at(on_device(output), frames, scene.sizes); }
};

// The largest difference, relative to the largest entry.
double relative_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double worst = 0, scale = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    worst = larger(worst, std::abs(a[i] - b[i]));
    scale = larger(scale, std::abs(b[i]));
  }
  return worst / scale;
}

struct LinearisedVectors {
  std::vector<int> rows;
  std::vector<float> residuals, jacobian, hessian, gradient;
  std::vector<double> cost;
  LinearisedVectors(std::size_t problems, std::size_t points, std::size_t unknowns)
      : rows(problems * points),
        residuals(problems * points * 2),
        jacobian(problems * points * 2 * unknowns),
        hessian(problems * unknowns * unknowns),
        gradient(problems * unknowns),
        cost(problems) {}
  Linearised host() {
    return {rows.data(), residuals.data(), jacobian.data(), hessian.data(), gradient.data(), cost.data()};
  }
  Linearised device(Batch& b) {
    return {b.on_device(rows),    b.on_device(residuals), b.on_device(jacobian),
            b.on_device(hessian), b.on_device(gradient),  b.on_device(cost)};
  }
  void fetch(const Linearised& from, StreamHandle stream) {
    download(from.rows, rows.size(), rows.data(), stream);
    download(from.residuals, residuals.size(), residuals.data(), stream);
    download(from.jacobian, jacobian.size(), jacobian.data(), stream);
    download(from.hessian, hessian.size(), hessian.data(), stream);
    download(from.gradient, gradient.size(), gradient.data(), stream);
    download(from.cost, cost.size(), cost.data(), stream);
  }
};

void expect_same(const char* what, const LinearisedVectors& got, const LinearisedVectors& want) {
  const double residuals = relative_difference(got.residuals, want.residuals);
  const double jacobian = relative_difference(got.jacobian, want.jacobian);
  const double hessian = relative_difference(got.hessian, want.hessian);
  const double gradient = relative_difference(got.gradient, want.gradient);
  double cost = 0;
  for (std::size_t i = 0; i < got.cost.size(); ++i) cost = larger(cost, std::abs(got.cost[i] / want.cost[i] - 1));
  std::printf("%s, relative: residuals %.2g, Jacobian %.2g, JtWJ %.2g, JtWr %.2g, cost %.2g\n", what, residuals,
              jacobian, hessian, gradient, cost);
  EXPECT(residuals < 1e-5);
  EXPECT(jacobian < 1e-5);
  EXPECT(hessian < 1e-5);
  EXPECT(gradient < 1e-4);
  EXPECT(cost < 3e-6);  // float's rounding in sums of squares: 1e-6 was measured on two scenes
}

TEST_CASE(subjects_are_contracted_as_on_the_cpu) {
  Scene scene;
  const FaceModel& model = scene.models.face;
  const FaceArrays a = model.arrays();
  const std::size_t values = 3 * static_cast<std::size_t>(model.vertices()), m = model.units(), k = model.identities(),
                    p = a.interactions;
  const int modes = 50, subjects = 2;
  Batch batch(scene, {}, {}, {});
  const FaceBasis basis{batch.on_device(a.mean, values),
                        batch.on_device(a.identity, k * values),
                        batch.on_device(a.units, m * values),
                        batch.on_device(a.interaction, p * values),
                        batch.on_device(a.identity_step, k),
                        batch.on_device(a.unit_step, m),
                        batch.on_device(a.interaction_step, p),
                        batch.on_device(a.interaction_coef, k * m * p),
                        static_cast<int>(values),
                        static_cast<int>(k),
                        static_cast<int>(m),
                        static_cast<int>(p)};
  std::vector<float> identity;
  for (int s = 0; s < subjects; ++s)
    for (int i = 0; i < modes; ++i) identity.push_back(static_cast<float>(scene.normal(0.7)));
  DeviceBuffer<float> weights(subjects * p * m), neutral(subjects * values), units(subjects * values * m);
  contract_faces(basis, batch.on_device(identity), modes, subjects, {weights.get(), neutral.get(), units.get()},
                 batch.stream.get());
  std::vector<float> got_neutral(subjects * values), got_units(subjects * values * m);
  download(neutral.get(), got_neutral.size(), got_neutral.data(), batch.stream.get());
  download(units.get(), got_units.size(), got_units.data(), batch.stream.get());
  batch.stream.wait();
  double worst_neutral_mm = 0, worst_unit_mm = 0;
  for (int s = 0; s < subjects; ++s) {
    const SubjectFace want = model.contract(Eigen::Map<const VecXf>(identity.data() + s * modes, modes));
    const Eigen::Map<const VecXf> neutral_mm(got_neutral.data() + s * values, values);
    const Eigen::Map<const Eigen::MatrixXf> units_mm(got_units.data() + s * values * m, values, m);
    worst_neutral_mm = larger(worst_neutral_mm, largest_difference(neutral_mm, want.neutral));
    worst_unit_mm = larger(worst_unit_mm, largest_difference(units_mm, want.units));
  }
  std::printf("contract_faces: neutral %.2g mm, units %.2g mm\n", worst_neutral_mm, worst_unit_mm);
  EXPECT(worst_neutral_mm < 1e-4);
  EXPECT(worst_unit_mm < 1e-4);
}

// A frame of each subject near its truth, and the problem's state there.
struct Near {
  std::vector<FrameDetection> detections;
  std::vector<FrameFit> previous;
  std::vector<const FrameFit*> pointers;
  std::vector<int> subject;

  Near(Scene& scene, const std::vector<int>& kinds) {
    previous.resize(kinds.size());
    for (std::size_t f = 0; f < kinds.size(); ++f) {
      const int s = static_cast<int>(f % scene.subjects.size());
      Truth t = scene.truth();
      subject.push_back(s);
      detections.push_back(scene.hard(kinds[f], scene.subjects[s], t));
      detections.back().time_s = 1.0 / 30;
      FrameFit& fit = previous[f];
      fit.face_reason = Reason::none;
      fit.pose = t.pose;
      fit.pose.rotation = exp_so3({scene.normal(0.02), scene.normal(0.02), scene.normal(0.02)}) * t.pose.rotation;
      fit.pose.translation += Vec3(scene.normal(2), scene.normal(2), scene.normal(5));
      for (int eye = 0; eye < 2; ++eye) {
        fit.eyes[eye].lids_valid = fit.eyes[eye].gaze_found = true;
        fit.eyes[eye].motion = t.motion[eye] + scene.normals(t.motion[eye].size(), 0.1);
        fit.eyes[eye].gaze = {t.gaze[eye].yaw + scene.normal(0.05), t.gaze[eye].pitch + scene.normal(0.05)};
      }
      pointers.push_back(&fit);
    }
  }
};

TEST_CASE(faces_are_linearised_as_on_the_cpu) {
  Scene scene;
  Near near(scene, {0, 2, 3});
  Batch batch(scene, near.subject, near.detections, near.pointers);
  const int n = batch.frames;
  for (int f = 0; f < n; ++f) {
    batch.out.pose[f] = batch.in.smoothing[f].previous;
    batch.out.pose[f].translation[0] += 1;
    for (int m = 0; m < scene.sizes.units; ++m)
      batch.out.units[f * scene.sizes.units + m] =
          m % 3 == 0 ? 0.0f : batch.in.previous_units[f * scene.sizes.units + m];
  }
  LinearisedVectors want(n, 68, 6 + scene.sizes.units), got = want;
  linearise_faces_twin(face_fits(scene.sizes, batch.host, batch.in, n, true),
                       {batch.out.pose, batch.out.units, batch.out.face}, want.host());
  const FrameInput in = batch.device_input();
  const FrameOutput at = batch.device_output();
  const Linearised device = got.device(batch);
  linearise_faces(face_fits(scene.sizes, batch.device_subjects(), in, n, true), {at.pose, at.units, at.face}, device,
                  batch.stream.get());
  got.fetch(device, batch.stream.get());
  batch.stream.wait();
  expect_same("linearise_faces", got, want);
  EXPECT(got.rows == want.rows);
}

TEST_CASE(eyelids_are_linearised_as_on_the_cpu) {
  Scene scene;
  Near near(scene, {0, 2, 1});
  Batch batch(scene, near.subject, near.detections, near.pointers);
  const int n = batch.frames, motions = scene.sizes.motions;
  for (int f = 0; f < n; ++f) {
    batch.out.pose[f] = batch.in.smoothing[f].previous;
    batch.out.face[f].status = f == 0 ? fit_afresh : fit_from_previous;
  }
  std::memcpy(batch.out.motion, batch.in.previous_motion, sizeof(float) * 2 * n * motions);
  batch.out.motion[3] += 0.5f;
  LinearisedVectors want(2 * n, scene.sizes.eyelid_rows - 22, motions), got = want;
  linearise_eyelids_twin(eyelid_fits(scene.sizes, batch.host, batch.in, batch.out, n),
                         {batch.out.motion, batch.out.lids}, want.host());
  const FrameInput in = batch.device_input();
  const FrameOutput at = batch.device_output();
  const Linearised device = got.device(batch);
  linearise_eyelids(eyelid_fits(scene.sizes, batch.device_subjects(), in, at, n), {at.motion, at.lids}, device,
                    batch.stream.get());
  got.fetch(device, batch.stream.get());
  batch.stream.wait();
  expect_same("linearise_eyelids", got, want);
}

// Central differences of the production residuals, correspondences held: rows x unknowns.
template <class Problem>
MatX differences(Problem& problem, const typename Problem::State& state) {
  problem.match(state);
  typename Problem::State moved;
  VecX r, above, below;
  problem.residuals(state, r, nullptr);
  MatX jacobian(r.size(), problem.size());
  constexpr double h = 1e-5;
  for (int k = 0; k < problem.size(); ++k) {
    VecX step = VecX::Zero(problem.size());
    step[k] = h;
    problem.plus(state, step, moved);
    problem.residuals(moved, above, nullptr);
    problem.plus(state, -step, moved);
    problem.residuals(moved, below, nullptr);
    jacobian.col(k) = (above - below) / (2 * h);
  }
  return jacobian;
}

double worst_column(const float* got, const MatX& want) {
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const MatX jacobian = Eigen::Map<const RowMajor>(got, want.rows(), want.cols()).cast<double>();
  double worst = 0;
  for (Eigen::Index k = 0; k < want.cols(); ++k)
    worst = larger(worst, largest_difference(jacobian.col(k), want.col(k)) / (1 + want.col(k).cwiseAbs().maxCoeff()));
  return worst;
}

TEST_CASE(jacobians_match_central_differences) {
  Scene scene;
  Near near(scene, {0, 2});
  for (FrameFit& fit : near.previous) fit.pose.units = fit.pose.units.cwiseMax(0.05);  // off the bounds
  Batch batch(scene, near.subject, near.detections, near.pointers);
  const int n = batch.frames, motions = scene.sizes.motions, lid_rows = 2 * (scene.sizes.eyelid_rows - 22);
  for (int f = 0; f < n; ++f)
    batch.out.pose[f] = batch.in.smoothing[f].previous, batch.out.face[f].status = fit_from_previous;
  std::memcpy(batch.out.units, batch.in.previous_units, sizeof(float) * n * scene.sizes.units);
  std::memcpy(batch.out.motion, batch.in.previous_motion, sizeof(float) * 2 * n * motions);
  const SubjectArrays subjects = batch.device_subjects();
  const FrameInput in = batch.device_input();
  const FrameOutput at = batch.device_output();
  LinearisedVectors face(n, 68, 6 + scene.sizes.units), lids(2 * n, lid_rows / 2, motions);
  const Linearised device_face = face.device(batch), device_lids = lids.device(batch);
  FaceFits faces = face_fits(scene.sizes, subjects, in, n, false);
  EyelidFits eyelids = eyelid_fits(scene.sizes, subjects, in, at, n);
  faces.steps.robust_scale = eyelids.steps.robust_scale = 1e6f;  // weights of one
  linearise_faces(faces, {at.pose, at.units, at.face}, device_face, batch.stream.get());
  linearise_eyelids(eyelids, {at.motion, at.lids}, device_lids, batch.stream.get());
  face.fetch(device_face, batch.stream.get());
  lids.fetch(device_lids, batch.stream.get());
  batch.stream.wait();
  double worst_face = 0, worst_lid = 0;
  const UnitPrior prior = UnitPrior::from(scene.models.face, scene.options);
  for (int f = 0; f < n; ++f) {
    const Calibration& c = scene.subjects[near.subject[f]];
    const FaceObservation observation = FaceObservation::from(near.detections[f], scene.options);
    const FacePose& pose = near.previous[f].pose;
    FaceProblem problem(c.face, scene.models.landmark_rows, prior, c.camera, observation, nullptr);
    worst_face =
        larger(worst_face, worst_column(face.jacobian.data() + f * 136 * problem.size(), differences(problem, pose)));
    for (int eye = 0; eye < 2; ++eye) {
      const EyeDetection& seen = near.detections[f].eyes[eye];
      const std::vector<EyelidObservation> frames = {{pose.rotation, pose.translation,
                                                      LidCurves::from(seen, head_up(near.detections[f]), scene.options),
                                                      seen.lines, observation.interocular_px}};
      EyelidProblem lid(scene.models.eyelid_rows[eye], c.eyes[eye].rows, c.camera, scene.options, frames);
      EyelidProblem::State state;
      state.motion = {near.previous[f].eyes[eye].motion};
      worst_lid = larger(
          worst_lid, worst_column(lids.jacobian.data() + (2 * f + eye) * lid_rows * motions, differences(lid, state)));
    }
  }
  std::printf("Jacobians against central differences, relative: face %.2g, eyelid %.2g\n", worst_face, worst_lid);
  EXPECT(worst_face < 1e-5);
  EXPECT(worst_lid < 1e-5);
}

struct Worst {
  double rotation_deg = 0, translation_mm = 0, unit = 0, motion = 0, gaze_deg = 0;
  void add(const Worst& other) {
    rotation_deg = larger(rotation_deg, other.rotation_deg);
    translation_mm = larger(translation_mm, other.translation_mm);
    unit = larger(unit, other.unit);
    motion = larger(motion, other.motion);
    gaze_deg = larger(gaze_deg, other.gaze_deg);
  }
  void print(const char* what) const {
    std::printf("%s: rotation %.2g deg, translation %.2g mm, units %.2g, lid motion %.2g, gaze %.2g deg\n", what,
                rotation_deg, translation_mm, unit, motion, gaze_deg);
  }
};

TEST_CASE(fits_end_where_the_cpu_ends) {
  Scene scene;
  Near near(scene, {0, 1, 2, 3});
  for (const bool from_previous : {true, false}) {
    Batch batch(scene, near.subject, near.detections, from_previous ? near.pointers : std::vector<const FrameFit*>{});
    const int n = batch.frames, units = scene.sizes.units, motions = scene.sizes.motions;
    const FrameInput in = batch.device_input();
    const FrameOutput at = batch.device_output();
    const SubjectArrays subjects = batch.device_subjects();
    const StreamHandle stream = batch.stream.get();
    for (const bool first : {true, false}) {
      fit_faces(face_fits(scene.sizes, subjects, in, n, first), {at.pose, at.units, at.face}, stream);
      fit_faces_twin(face_fits(scene.sizes, batch.host, batch.in, n, first),
                     {batch.out.pose, batch.out.units, batch.out.face});
    }
    std::vector<std::byte> faces(batch.output.size()), eyes(batch.output.size());
    download(reinterpret_cast<std::byte*>(at.pose), faces.size(), faces.data(), stream);
    // The lids and the eyeballs from the same poses on both sides.
    upload(batch.out.pose, n, at.pose, stream);
    fit_eyelids(eyelid_fits(scene.sizes, subjects, in, at, n), {at.motion, at.lids}, stream);
    fit_eyelids_twin(eyelid_fits(scene.sizes, batch.host, batch.in, batch.out, n), {batch.out.motion, batch.out.lids});
    fit_eyeballs(eyeball_fits(subjects, in, at, n, scene.options), {at.gaze, at.eyeballs}, stream);
    fit_eyeballs_twin(eyeball_fits(batch.host, batch.in, batch.out, n, scene.options),
                      {batch.out.gaze, batch.out.eyeballs});
    download(reinterpret_cast<std::byte*>(at.pose), eyes.size(), eyes.data(), stream);
    batch.stream.wait();
    const FrameOutput face = FrameOutput::at(faces.data(), n, scene.sizes),
                      got = FrameOutput::at(eyes.data(), n, scene.sizes), &want = batch.out;
    Worst worst;
    for (int f = 0; f < n; ++f) {
      EXPECT(face.face[f].status == want.face[f].status);
      EXPECT(want.face[f].status == (from_previous ? fit_from_previous : fit_afresh));
      EXPECT_NEAR(face.face[f].residual_px, want.face[f].residual_px, 1e-3);
      using RowMajor3 = Eigen::Matrix<double, 3, 3, Eigen::RowMajor>;
      const Mat3 turned = Eigen::Map<const RowMajor3>(face.pose[f].rotation) *
                          Eigen::Map<const RowMajor3>(want.pose[f].rotation).transpose();
      worst.rotation_deg = larger(worst.rotation_deg, log_so3(turned).norm() / deg);
      const Eigen::Map<const Vec3> at(face.pose[f].translation), there(want.pose[f].translation);
      worst.translation_mm = larger(worst.translation_mm, (at - there).norm());
      for (int m = f * units; m < (f + 1) * units; ++m)
        worst.unit = larger(worst.unit, std::abs(face.units[m] - want.units[m]));
      for (int p = 2 * f; p < 2 * f + 2; ++p) {
        EXPECT(got.lids[p].status == want.lids[p].status);
        EXPECT(got.eyeballs[p].status == want.eyeballs[p].status);
        EXPECT_NEAR(got.lids[p].residual_px, want.lids[p].residual_px, 1e-3);
        for (int k = p * motions; k < (p + 1) * motions; ++k)
          worst.motion = larger(worst.motion, std::abs(got.motion[k] - want.motion[k]));
        if (want.eyeballs[p].status == fit_lost) continue;
        worst.gaze_deg = larger(worst.gaze_deg, std::abs(got.gaze[p].yaw - want.gaze[p].yaw) / deg);
        worst.gaze_deg = larger(worst.gaze_deg, std::abs(got.gaze[p].pitch - want.gaze[p].pitch) / deg);
      }
    }
    EXPECT(worst.rotation_deg < 0.01);
    EXPECT(worst.translation_mm < 0.02);
    worst.print(from_previous ? "fits from the previous frame against twins" : "fits afresh against twins");
    EXPECT(worst.unit < 1e-3);
    EXPECT(worst.motion < 5e-3);
    EXPECT(worst.gaze_deg < 0.01);
  }
}

Worst difference(const FrameFit& a, const FrameFit& b) {
  Worst w;
  w.rotation_deg = log_so3(a.pose.rotation * b.pose.rotation.transpose()).norm() / deg;
  w.translation_mm = (a.pose.translation - b.pose.translation).norm();
  w.unit = largest_difference(a.pose.units, b.pose.units);
  for (int eye = 0; eye < 2; ++eye) {
    const EyeFit &x = a.eyes[eye], &y = b.eyes[eye];
    w.motion = larger(w.motion, largest_difference(x.motion, y.motion));
    w.gaze_deg = larger(w.gaze_deg, std::abs(x.gaze.yaw - y.gaze.yaw) / deg);
    w.gaze_deg = larger(w.gaze_deg, std::abs(x.gaze.pitch - y.gaze.pitch) / deg);
  }
  return w;
}

bool near_or_both_nan(double a, double b, double tolerance) {
  return (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= tolerance;
}

TEST_CASE(a_batch_agrees_with_the_tracker) {
  Scene scene;
  BatchFit batch(scene.models, scene.options);
  for (const Calibration& c : scene.subjects) batch.add_subject(c);
  // Two subjects, three frames each: noise, then a blink or an outlier, then missing confidences; no face in one of them.
  std::vector<std::vector<FrameFit>> want;
  std::vector<std::vector<FrameDetection>> detections;
  for (std::size_t s = 0; s < scene.subjects.size(); ++s) {
    Tracker tracker(scene.models, scene.options);
    tracker.set_calibration(scene.subjects[s]);
    Truth t = scene.truth();
    want.emplace_back(), detections.emplace_back();
    for (int f = 0; f < 3; ++f) {
      t.pose.rotation = exp_so3({0.01, 0.015, 0}) * t.pose.rotation;
      Truth now = t;
      detections[s].push_back(scene.hard(f == 0 ? 0 : f == 1 ? 1 + static_cast<int>(s) : 3, scene.subjects[s], now));
      FrameDetection& detection = detections[s].back();
      detection.time_s = f / 30.0;
      if (f > 0) {  // as the pictures would say of a face that hardly moves
        detection.moved_since_s = (f - 1) / 30.0;
        for (PointMotion& m : detection.motion) m = {0.1f, -0.2f, 200, 20, 100};
        for (PointMotion& m : detection.iris_motion) m = {0.3f, -0.1f, 300, 0, 200};
      }
      if (s == 1 && f == 2) detection.face_found = false;
      want[s].push_back(tracker.fit(detection));
    }
  }
  Worst worst;
  std::vector<FrameFit> before(2), now;
  long allocations = 0;
  for (int f = 0; f < 3; ++f) {
    std::vector<BatchFit::Item> items;
    for (int s = 0; s < 2; ++s) items.push_back({s, &detections[s][f], f > 0 ? &before[s] : nullptr});
    batch.fit(items, now);
    if (f == 0) allocations = test::device_allocations();
    for (int s = 0; s < 2; ++s) {
      const FrameFit &got = now[s], &expected = want[s][f];
      EXPECT(got.face_reason == expected.face_reason);
      if (expected.face_reason != Reason::none) continue;
      for (int eye = 0; eye < 2; ++eye) {
        const EyeFit &g = got.eyes[eye], &w = expected.eyes[eye];
        EXPECT(g.reason == w.reason);
        EXPECT(near_or_both_nan(g.openness, w.openness, 1e-3));
        EXPECT(near_or_both_nan(g.mrd1_mm, w.mrd1_mm, 0.01));
        EXPECT(near_or_both_nan(g.pfh_mm, w.pfh_mm, 0.01));
        EXPECT(near_or_both_nan(g.yaw_sd, w.yaw_sd, 1e-3));
        EXPECT(near_or_both_nan(g.reflex_gaze.yaw, w.reflex_gaze.yaw, 2e-3));
        EXPECT(near_or_both_nan(g.reflex_yaw_sd, w.reflex_yaw_sd, 1e-3));
        EXPECT(near_or_both_nan(g.eyelid_residual_pct, w.eyelid_residual_pct, 5e-3));
        EXPECT(near_or_both_nan(g.eyeball_residual_pct, w.eyeball_residual_pct, 5e-3));
      }
      worst.add(difference(got, expected));
    }
    before = now;
  }
  EXPECT(test::device_allocations() == allocations);
  worst.print("BatchFit against the Tracker");
  EXPECT(worst.rotation_deg < 0.01);
  EXPECT(worst.translation_mm < 0.02);
  EXPECT(worst.unit < 1e-3);
  EXPECT(worst.motion < 0.01);
  EXPECT(worst.gaze_deg < 0.01);

  // Alone, and in another company, to the bit.
  std::vector<FrameFit> alone, company;
  batch.fit({{1, &detections[1][0]}}, alone);
  batch.fit({{0, &detections[0][2]}, {0, &detections[0][1]}, {1, &detections[1][0]}}, company);
  EXPECT(alone[0].pose.rotation == company[2].pose.rotation);
  EXPECT(alone[0].pose.translation == company[2].pose.translation);
  EXPECT(alone[0].pose.units == company[2].pose.units);
  for (int eye = 0; eye < 2; ++eye) {
    EXPECT(alone[0].eyes[eye].motion == company[2].eyes[eye].motion);
    EXPECT(alone[0].eyes[eye].gaze.yaw == company[2].eyes[eye].gaze.yaw &&
           alone[0].eyes[eye].gaze.pitch == company[2].eyes[eye].gaze.pitch);
  }
}

void expect_same_reasons(const FrameFit& got, const FrameFit& want) {
  EXPECT(got.face_reason == want.face_reason);
  for (int eye = 0; eye < 2; ++eye) {
    EXPECT(got.eyes[eye].reason == want.eyes[eye].reason);
    EXPECT(got.eyes[eye].lids_valid == want.eyes[eye].lids_valid &&
           got.eyes[eye].gaze_found == want.eyes[eye].gaze_found);
  }
}

FrameFit tracked(const Scene& scene, const Calibration& calibration, const FrameDetection& detection) {
  Tracker tracker(scene.models, scene.options);
  tracker.set_calibration(calibration);
  return tracker.fit(detection);
}

TEST_CASE(what_is_no_number_has_the_same_reason_as_of_the_tracker) {
  Scene scene;
  Truth t = scene.truth();
  std::vector<FrameDetection> frames(8, scene.hard(0, scene.subjects[0], t));
  frames[1].eyes[OD].lid[4].x = NAN;
  frames[2].eyes[OS].iris[7].y = INFINITY;
  frames[3].face[20].x = NAN;
  frames[4].eyes[OD].lines[CREASE][3].confidence = NAN;
  frames[5].luminance = frames[6].luminance = frames[7].luminance = 5;  // in the dark, where lids have to be sure
  for (EyeDetection& eye : frames[6].eyes)
    for (Landmark& p : eye.lid) p.confidence = 0.97f;
  frames[7].face_found = false;
  Calibration no_lids = scene.subjects[0], no_centre = scene.subjects[0];  // whose fits end in no number
  no_lids.eyes[OD].rows.patch.setConstant(NAN);
  no_centre.eyes[OS].centre.setConstant(NAN);

  BatchFit batch(scene.models, scene.options);
  std::vector<BatchFit::Item> items;
  const int whole = batch.add_subject(scene.subjects[0]);
  for (const FrameDetection& d : frames) items.push_back({whole, &d});
  items.push_back({batch.add_subject(no_lids), &frames[0]});
  items.push_back({batch.add_subject(no_centre), &frames[0]});
  std::vector<FrameFit> got;
  batch.fit(items, got);

  for (std::size_t f = 0; f < frames.size(); ++f)
    expect_same_reasons(got[f], tracked(scene, scene.subjects[0], frames[f]));
  const std::size_t n = frames.size();
  expect_same_reasons(got[n], tracked(scene, no_lids, frames[0]));
  expect_same_reasons(got[n + 1], tracked(scene, no_centre, frames[0]));
  EXPECT(got[0].eyes[OD].reason == Reason::none && got[0].eyes[OS].reason == Reason::none);
  EXPECT(got[1].eyes[OD].reason == Reason::covered && got[2].eyes[OS].reason == Reason::covered);
  EXPECT(got[3].face_reason == Reason::no_face);
  EXPECT(got[4].eyes[OD].reason == Reason::none);
  EXPECT(got[5].face_reason == Reason::none && got[5].eyes[OD].reason == Reason::dark);
  EXPECT(got[6].eyes[OD].reason == Reason::none && got[7].face_reason == Reason::dark);
  EXPECT(got[n].eyes[OD].reason == Reason::lost && got[n + 1].eyes[OS].reason == Reason::lost);
}

TEST_CASE(a_recording_is_the_same_at_once_and_frame_by_frame) {
  Scene scene;
  std::vector<FrameDetection> detections;
  Truth t = scene.truth();
  for (int f = 0; f < 5; ++f) {
    t.pose.rotation = exp_so3({0.01, 0.015, 0}) * t.pose.rotation;
    Truth now = t;
    detections.push_back(scene.hard(f == 3 ? 1 : 0, scene.subjects[0], now));
    detections.back().time_s = f / 30.0;
    if (f == 2) detections.back().face_found = false;
  }
  const BatchComparison c = compare_batch_fit(scene.models, scene.options, scene.subjects[0], detections);
  std::printf("a recording at once: head %.2g deg, %.2g mm, units %.2g, gaze %.2g deg, fissure %.2g mm\n", c.head_deg,
              c.head_mm, c.unit, c.gaze_deg, c.fissure_mm);
  EXPECT(c.frames == 4 && c.reasons == 0);
  EXPECT(c.head_deg < 0.01 && c.head_mm < 0.02 && c.unit < 1e-3 && c.gaze_deg < 0.01 && c.fissure_mm < 0.01);
  EXPECT(c.tracker_ms > 0 && c.batch_ms > 0);
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
