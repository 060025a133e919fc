// From a camera frame to its mask: detect, fit, render. Read process() first.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "detect/detector.hpp"
#include "fit/calibration.hpp"
#include "fit/tracker.hpp"
#include "pipeline/backend.hpp"
#include "pipeline/coarse_time.hpp"
#include "pipeline/mask.hpp"
#include "pipeline/options.hpp"
#include "pipeline/release.hpp"

namespace dmask {

// What the nets are loaded from, and how they run.
DetectorOptions detector_options(const PipelineOptions& options);

struct StageTimings {  // ms, the last call of each
  DetectTimings detect;
  double fit_face = 0, fit_eyelid = 0, fit_eyeball = 0, calibrate = 0, render = 0;
};

class Pipeline {
 public:
  // The caller chooses the backend; cpu_backend() is the one that the core has.
  Pipeline(const PipelineOptions& options, Backend backend);
  Pipeline(const Pipeline&) = delete;  // its tracker points into it
  Pipeline& operator=(const Pipeline&) = delete;

  // Live use: calibrates itself on the first face and again as better frames come in.
  FrameResult process(const ImageView& frame, double time_s, Image& mask);
  // process() without its picture; `detection` gets what the nets saw.
  FrameResult follow(const ImageView& frame, double time_s, FrameDetection& detection);
  // With the live frames gathered so far: what came of it. A failure leaves an earlier calibration in place.
  CalibrationSummary calibrate_live();
  int live_faces() const { return live_faces_; }  // since the last reset, counted up to the last calibration
  int live_calibrations() const { return live_calibrations_; }  // attempts
  void prepare();  // makes the nets now rather than when the first frame comes in

  // The same in steps, for recordings: detect a window, calibrate once, then fit and render. detect() may run in a
  // thread of its own beside the other three.
  FrameDetection detect(const ImageView& frame, double time_s);
  // What came of the window; a failure leaves an earlier calibration in place.
  CalibrationSummary calibrate(const std::vector<FrameDetection>& window);
  FrameResult fit(const FrameDetection& detection);
  void render(const FrameResult& result, int width, int height, Image& mask);
  // Instead of calibrate(): a subject known from an earlier visit, biometry or a phantom.
  void use_subject(const Subject& subject, int width, int height);
  // Since the last reset: most people seen, and how often a face was taken for the patient's by its shape alone.
  int people() const { return detector_ ? detector_->people() : 0; }
  int recognitions() const { return detector_ ? detector_->recognitions() : 0; }
  void reset();                       // another patient
  void reset(const FitOptions& fit);  // another patient, of whom something else is known

  // All that comes out of here is what the profile lets out, but for these: for evaluations against known truth and for
  // checks, on this machine alone.
  const Calibration& unreleased_calibration() const { return calibration_; }
  const FrameFit& unreleased_fit() const { return fit_; }  // of the last frame
  // Of the last frame, as the profile lets it out, before coarse time holds it: for sums over a recording.
  const FrameResult& unreleased_moment() const { return moment_; }
  bool holds() const { return rules_.time_step_s > 0; }
  bool tells_blinks() const { return rules_.blinks; }
  Diagnostics unreleased_diagnostics() const { return diagnose(calibration_, fit_); }

  CalibrationSummary calibration() const { return release_calibration(calibration_, options_.profile); }
  bool calibrated() const { return calibration_.ok; }
  const MaskSubject& subject() const { return subject_; }  // a generic one before the first calibration
  const Models& models() const { return models_; }
  Painter* painter() { return painter_.get(); }  // null before the first calibration
  const FitOptions& fit_options() const { return options_.fit; }
  const StageTimings& timings() const { return timings_; }
  const Backend& backend() const { return backend_; }

 private:
  void use_calibration();
  MaskSubject generic_subject() const;
  void start_afresh();

  PipelineOptions options_;
  Backend backend_;
  Models models_;
  std::unique_ptr<Detector> detector_;  // made when the first frame comes in
  Tracker tracker_;
  Calibration calibration_;
  FrameFit fit_;
  ReleaseRules rules_;
  FrameResult moment_;
  CoarseTime coarse_;
  MaskSubject subject_;
  MaskParts parts_;  // of the subject
  std::unique_ptr<Painter> painter_;
  std::vector<FrameDetection> live_window_;
  int live_faces_ = 0, live_calibrations_ = 0;
  int first_track_ = 0;  // the patient's
  StageTimings timings_;
};

}  // namespace dmask
