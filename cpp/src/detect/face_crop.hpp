// Where the nets look: the crops of the face and of the eyes.
#pragma once

#include <array>

#include "detect/crop.hpp"
#include "detect/detections.hpp"
#include "detect/yunet.hpp"

namespace dmask {

using FacePoints = std::array<Landmark, 68>;

// Head roll in the picture, clockwise, from eyes and mouth.
float face_roll_rad(const FacePoints& points);

// 1.3 times the bounding square of the 68 points, turned by the head's roll.
Crop face_crop(const FacePoints& points);

// The same crop foreseen from YuNet's box and five points, in pixels of YuNet's view.
Crop face_crop(const FaceBox& box);

// Canthi on the x axis, 1.75 canthal distances wide, inner canthus left (OD is mirrored).
Crop eye_crop(const FacePoints& points, Eye eye);

// Upright bounding box of the 68 points as they lie in a view, px of the view.
FaceBox bounding_box(const FacePoints& points, const Crop& view);

// Between the eyes' midpoints, at least 1 frame px; from the face's height where it is turned, which brings the eyes together
// in the picture, not nasion and chin.
double interocular_px(const FacePoints& points);

// Larger side of the bounding box of the 68 points along the head's axes, frame px.
float face_width_px(const FacePoints& points);

}  // namespace dmask
