// What each profile lets out, in numbers. docs/privacy.md has the measurements that those of clinical and strict were chosen by:
// what an attacker learns from what is let out, against what a clinician loses by what is not.
#pragma once

#include "fit/models.hpp"
#include "pipeline/options.hpp"

namespace dmask {

struct ReleaseRules {
  Profile profile = Profile::clinical;
  bool own_face = false;      // identity, scale and eyeballs; and what serves the machine that has the recording alone
  bool lids_mm = true;        // heights of the lids in millimetres
  double lid_step_mm = 0.25;  // of the heights that the mask's generic lids are drawn with
  struct Stated {             // steps of the standard deviations, which tell how many pixels an eye has; 0: as they are
    double deg = 0.25, mm = 0.05;
  };
  Stated stated;
  Stated small_stated{3, 1};  // of a patient too small in the picture to be measured: all have the same
  bool canonical = true;      // the face's place and size in the mask; its rotation is never touched
  UnitWeightsF units;         // 1: this unit's motion is let out; 0: it rests
  struct Steps {  // in which head and eyes rest, in degrees, and with the eyes lids in classes; 0: as they are
    double head_deg = 0, gaze_deg = 0, deviation_deg = 0;  // gaze: the common direction of both eyes
  };
  Steps rest;
  Steps small_rest;  // of a patient too small in the picture to be measured: nothing is told finer than it was seen
  // Of coarse time.
  double time_step_s = 0;     // over which what is let out is held; 0: frame by frame
  double angle_step_deg = 0;  // of head and eyes, and lids are open, half shut or shut; 0: as they are
  bool blinks = true;         // a summary may count them
};

ReleaseRules release_rules(const Models& models, const PipelineOptions& options);

}  // namespace dmask
