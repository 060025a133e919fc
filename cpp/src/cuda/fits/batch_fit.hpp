// The three fits of many frames of many subjects at once, on the GPU: for recordings, where frames do not wait for each other.
// Live frames keep the Tracker. Results agree with the Tracker's within single precision. No recording is fitted by it yet:
// its one caller is batch_check.cc, which compares it with the Tracker.
#pragma once

#include <memory>
#include <vector>

#include "fit/tracker.hpp"

namespace dmask::cuda {

struct FrameInput;
struct FrameOutput;

class BatchFit {
 public:
  // Both must outlive it. Throws Error where no GPU can be used.
  BatchFit(const Models& models, const FitOptions& options);
  ~BatchFit();

  // A calibrated subject's rows go to the GPU; returns its number, from 0.
  int add_subject(const Calibration& calibration);

  struct Item {
    int subject = 0;
    const FrameDetection* detection = nullptr;
    const FrameFit* previous = nullptr;  // of the same track, to smooth from: Eqs. (17-19); null: none
  };
  // One result an item, in the items' order. An item's result does not depend on the others. Nothing is allocated on the
  // GPU once a batch of this size has been fitted.
  void fit(const std::vector<Item>& items, std::vector<FrameFit>& results);

 private:
  struct Device;
  void take_face(const FrameInput& in, const FrameOutput& out, int frame, double luminance, FrameFit& fit) const;
  void take_eye(const FrameInput& in, const FrameOutput& out, int frame, const EyeDetection& seen, int eye,
                double luminance, const Calibration& calibration, FrameFit& fit);

  const Models& models_;
  const FitOptions& options_;
  std::vector<Calibration> subjects_;
  std::vector<std::array<LidCurves, 2>> curves_;
  VecX head_;  // scratch
  std::unique_ptr<Device> device_;
};

}  // namespace dmask::cuda
