#include "pipeline/pipeline.hpp"

#include <algorithm>
#include <utility>

#include "fit/same_person.hpp"
#include "geometry/check.hpp"
#include "geometry/cpu.hpp"
#include "geometry/stopwatch.hpp"

namespace dmask {
namespace {

constexpr int live_window_frames = 150;  // the last calibration of a live run looks at these

std::string nets_dir(const PipelineOptions& options) {
  return options.weights == Weights::open ? options.models_dir + "/open" : options.models_dir;
}

// Faces of a track before the patient's first were another person's, as the choice of the patient came out.
FrameDetection of_patient(const FrameDetection& detection, int first_track) {
  if (!detection.face_found || detection.track >= first_track) return detection;
  return detection.without_patient(true);
}

const PipelineOptions& checked(const PipelineOptions& options) {
  require_cpu();
  check_options(options);
  return options;
}

}  // namespace

DetectorOptions detector_options(const PipelineOptions& options) {
  DetectorOptions d;
  d.model_dir = nets_dir(options);
  d.face_detector_path = options.models_dir + "/face_detection_yunet_2023mar.onnx";
  d.precision = name_of(options.precision);
  d.threads = options.threads;
  d.person = options.person;
  d.view = options.view;
  d.eye = options.eye;
  d.find_reflexes = options.lamp == Lamp::camera;
  return d;
}

Pipeline::Pipeline(const PipelineOptions& options, Backend backend)
    : options_(checked(options)),
      backend_(std::move(backend)),
      models_(Models::load(options.models_dir, nets_dir(options))),
      tracker_(models_, options_.fit),
      rules_(release_rules(models_, options_)),
      coarse_(rules_.time_step_s),
      subject_(generic_subject()) {
  live_window_.reserve(live_window_frames);
}

FrameResult Pipeline::process(const ImageView& frame, double time_s, Image& mask) {
  FrameDetection detection;
  FrameResult result = follow(frame, time_s, detection);
  render(result, frame.width, frame.height, mask);
  return result;
}

FrameResult Pipeline::follow(const ImageView& frame, double time_s, FrameDetection& detection) {
  detection = detect(frame, time_s);
  if (detection.first_track > first_track_) {  // somebody else turned out to be the patient
    first_track_ = detection.first_track;
    start_afresh();
  }
  if (detection.face_found && calibration_.close_up) start_afresh();  // now there is more to be measured by
  const bool seen = detection.face_found || (detection.close_up && !(calibration_.ok && !calibration_.close_up));
  if (seen && live_faces_ < live_window_frames) {
    ++live_faces_;
    live_window_.push_back(detection);
    const bool due = live_faces_ == 1 || live_faces_ == 15 || live_faces_ == 60 || live_faces_ == live_window_frames;
    if (due && options_.live_calibration) calibrate_live();
  }
  return fit(detection);
}

CalibrationSummary Pipeline::calibrate_live() {
  ++live_calibrations_;
  return calibrate(live_window_);
}

void Pipeline::prepare() {
  if (detector_) return;
  detector_ = std::make_unique<Detector>(detector_options(options_), backend_.make_vision,
                                         std::make_unique<SamePerson>(models_, options_.fit));
}

FrameDetection Pipeline::detect(const ImageView& frame, double time_s) {
  prepare();
  FrameDetection detection = detector_->detect(frame, time_s);
  timings_.detect = detector_->last_timings();
  return detection;
}

CalibrationSummary Pipeline::calibrate(const std::vector<FrameDetection>& window) {
  const Stopwatch watch;
  for (const FrameDetection& detection : window) first_track_ = std::max(first_track_, detection.first_track);
  std::vector<FrameDetection> his;
  for (const FrameDetection& detection : window) his.push_back(of_patient(detection, first_track_));
  Calibration found = dmask::calibrate(models_, his, options_.fit);
  CalibrationSummary summary = release_calibration(found, options_.profile);
  if (found.ok || !calibration_.ok) {
    calibration_ = std::move(found);
    if (calibration_.ok) use_calibration();
  }
  timings_.calibrate = watch.ms();
  return summary;
}

void Pipeline::use_calibration() {
  tracker_.set_calibration(calibration_);
  subject_ = release_subject(models_, calibration_, options_.fit, rules_);
  parts_ = MaskParts::of(models_, subject_);
  painter_ = backend_.make_painter(models_, subject_);
  coarse_.reset();
}

MaskSubject Pipeline::generic_subject() const {
  ReleaseRules nothing = rules_;
  nothing.own_face = false;
  return release_subject(models_, Calibration{}, options_.fit, nothing);
}

void Pipeline::use_subject(const Subject& subject, int width, int height) {
  calibration_ = calibration_of(models_, subject, width, height, options_.fit);
  use_calibration();
}

FrameResult Pipeline::fit(const FrameDetection& detection) {
  fit_ = tracker_.fit(of_patient(detection, first_track_));
  timings_.fit_face = fit_.fit_face_ms;
  timings_.fit_eyelid = fit_.fit_eyelid_ms;
  timings_.fit_eyeball = fit_.fit_eyeball_ms;
  moment_ = release_frame(models_, calibration_, subject_, parts_, rules_, fit_);
  return coarse_.hold(moment_);
}

void Pipeline::render(const FrameResult& result, int width, int height, Image& mask) {
  const Stopwatch watch;
  if (painter_) {
    painter_->paint(result.mask, width, height, mask);
  } else {  // no face so far: the plain background
    paint_background(width, height, mask);
  }
  timings_.render = watch.ms();
}

void Pipeline::reset() {
  if (detector_) detector_->reset();
  first_track_ = 0;
  start_afresh();
}

void Pipeline::start_afresh() {
  calibration_ = {};
  tracker_.set_calibration(calibration_);
  fit_ = {};
  moment_ = {};
  coarse_.reset();
  painter_.reset();
  subject_ = generic_subject();
  parts_ = {};
  live_window_.clear();
  live_faces_ = 0;
}

void Pipeline::reset(const FitOptions& fit) {
  options_.fit = fit;
  reset();
}

}  // namespace dmask
