// The seeds as models, made once a process, and a face that they show.
#pragma once

#include "detect/detections.hpp"
#include "edits.hpp"
#include "fit/calibration.hpp"

namespace fuzz {

const Folder& model_folder();  // face.dmm, eyelid.dmm, landmarks.dmm and files where nets would be
const dmask::Models& models();

// What sound nets would say of the mean face, 600 mm before a camera of 640 x 480 pixels and 40 degrees.
dmask::FrameDetection seen_face(double yaw_deg = 0, double time_s = 0);

}  // namespace fuzz
