#include "fit/calibration_stages.hpp"
#include "fit/validity.hpp"

namespace dmask {

Vec3 model_centre(const EyelidModel& model, const VecX& identity, double scale) {
  const Eigen::Index k = identity.size();
  return scale * (model.centre.cast<double>() + model.centre_from_identity.leftCols(k).cast<double>() * identity);
}

LidWeights closing_of(const EyelidModel& model, const VecX& shape) {
  const VecXf w_es = shape.cast<float>();
  return (model.blink_full(w_es) - model.blink_mid(w_es)).cast<double>();
}

void calibrate_lids(CalibrationRun& run, Calibration& c) {
  for (int eye = 0; eye < 2; ++eye) {
    EyeStatics& statics = c.eyes[eye];
    const EyelidModel& model = run.models.eyelid[eye];
    statics.patch_centre = model_centre(model, c.identity, c.scale);
    std::vector<EyelidObservation> frames;
    for (std::size_t f = 0; f < run.faces.size(); ++f) {
      const FrameDetection& d = run.detections[c.frames_used[f]];
      if (!d.eyes_in_view[eye]) continue;
      const EyeDetection& e = d.eyes[eye];
      const LidCurves curves = LidCurves::from(e, head_up(d), run.options);
      if (lids_in_sight(curves, d.luminance, run.options))
        frames.push_back(
            {run.poses[f].rotation, run.poses[f].translation, curves, e.lines, run.faces[f].interocular_px});
    }
    EyelidProblem problem(run.models.eyelid_rows[eye], statics.patch_centre, c.camera, run.options, frames);
    EyelidProblem::State lids;
    lids.shape.setZero(model.shape.cols());
    lids.motion.assign(frames.size(), VecX::Zero(model.motion.cols()));
    if (!frames.empty())
      levenberg(problem, lids, {.max_iterations = 25, .step_tolerance = 3e-3, .robust_scale = 4}, run.workspace);
    statics.shape = lids.shape;
    statics.closing = closing_of(model, statics.shape);
    statics.offset = lids.offset;
    statics.roll = lids.roll;
    statics.rows = problem.freeze(lids);
  }
}

}  // namespace dmask
