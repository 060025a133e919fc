#include "detect/detector.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "detect/face68.hpp"
#include "detect/face_crop.hpp"
#include "detect/face_lids.hpp"
#include "detect/heatmap.hpp"
#include "detect/limbus.hpp"
#include "detect/steady_crop.hpp"
#include "geometry/check.hpp"

namespace dmask {
namespace {

constexpr float confirmation_crops = 2.0f;     // width of the view in which YuNet confirms a face
constexpr float min_confirmation_iou = 0.25f;  // YuNet's box against the bounding box of the 68 points
constexpr int max_unconfirmed_checks = 4;      // in a row; more, and the face is lost
constexpr float min_reacquire_iou = 0.1f;
constexpr int max_candidates = 4;        // faces of one view that are tried, the largest first
constexpr float close_up_frames = 2.0f;  // frames across the view in which a face that fills the frame is sought

// How far a crop may be off from the one its own points ask for before it is taken again.
constexpr float sure_face_score = 0.9f;  // below it another view, a turned one perhaps, may show the face better
constexpr float max_crop_shift = 0.06f;  // of its width
constexpr float max_crop_ratio = 1.10f;
constexpr float max_crop_turn_rad = 0.14f;

// Mean confidence of the points, near zero where the heat maps are spread out: their spread was 1.9 to 2.6 cells on
// labelled faces and above 4.9 on anything else, while the confidence alone never fell below 0.65.
float score_of(const FacePoints& points, float spread_cells) {
  float sum = 0;
  for (const Landmark& point : points) sum += point.confidence;
  return sum / static_cast<float>(points.size()) * sigmoid((3.8f - spread_cells) / 0.35f);
}

bool fits(const Crop& used, const Crop& wanted) {
  const float ratio = wanted.width_px / used.width_px;
  const float turn = std::remainder(wanted.roll_rad - used.roll_rad, 2 * static_cast<float>(M_PI));
  return (wanted.centre - used.centre).norm() < max_crop_shift * used.width_px && ratio < max_crop_ratio &&
         ratio > 1 / max_crop_ratio && std::abs(turn) < max_crop_turn_rad;
}

// A point outside the frame was not seen: it keeps its place, and no confidence.
void to_frame(const ImageView& frame, const Crop& crop, Landmark& point) {
  const Vec2f p = crop.to_frame(point.x, point.y);
  point.x = p.x();
  point.y = p.y();
  const bool inside = p.x() >= -0.5f && p.y() >= -0.5f && p.x() <= frame.width - 0.5f && p.y() <= frame.height - 0.5f;
  if (!inside) point.confidence = 0;
}

// Sentences are made only when needed: making one allocates.
void check_frame(const ImageView& frame) {
  if (frame.data == nullptr || frame.width < 16 || frame.height < 16)
    throw Error("a frame of " + std::to_string(frame.width) + " x " + std::to_string(frame.height) +
                " pixels, expected at least 16 x 16");
  if (frame.channels != 1 && frame.channels != 3 && frame.channels != 4)
    throw Error("a frame with " + std::to_string(frame.channels) + " channels, expected 1 (grey), 3 (BGR) or 4 (BGRA)");
  if (std::abs(frame.stride) < static_cast<std::ptrdiff_t>(frame.width) * frame.channels)
    throw Error("a frame stride of " + std::to_string(frame.stride) + " bytes is shorter than a row of " +
                std::to_string(frame.width * frame.channels));
  const int chroma_row = (frame.width + 1) / 2 * 2;
  if (frame.is_nv12() && (frame.channels != 1 || std::abs(frame.chroma_stride) < chroma_row))
    throw Error("an NV12 frame with " + std::to_string(frame.channels) + " luma channels and chroma rows of " +
                std::to_string(frame.chroma_stride) + " bytes, expected 1 and at least " + std::to_string(chroma_row));
}

}  // namespace

Detector::Detector(const DetectorOptions& options, const MakeVision& make_vision)
    : options_(options), vision_(make_vision(options)) {
  check(options.check_interval_frames >= 1,
        "check_interval_frames is " + std::to_string(options.check_interval_frames) + ", expected 1 or more");
}

void Detector::reset() {
  forget_face();
  last_thumbnail_.reset();
}

void Detector::forget_face() {
  tracking_ = had_face_ = eyes_known_ = false;
  faceless_frames_ = 0;
}

FrameDetection Detector::detect(const ImageView& frame, double time_s) {
  check_frame(frame);
  if (!std::isfinite(time_s))
    throw Error("got time_s " + std::to_string(time_s) +
                ", expected seconds, a finite number: count frames where there is no clock");
  FrameDetection detection;
  detection.time_s = time_s;
  detection.width = frame.width;
  detection.height = frame.height;
  if (frame.width != last_width_ || frame.height != last_height_) reset();
  last_width_ = frame.width;
  last_height_ = frame.height;

  vision_->show(frame);
  if (is_cut()) forget_face();
  if (tracking_) tracking_ = follow(frame, held(last_face_crop_, face_crop(last_face_)), 1, 2, detection);
  if (tracking_ && (++frames_since_check_ >= options_.check_interval_frames || unconfirmed_checks_ > 0)) {
    unconfirmed_checks_ = confirmed(detection) ? 0 : unconfirmed_checks_ + 1;
    tracking_ = unconfirmed_checks_ < max_unconfirmed_checks;
  }
  if (!tracking_) {
    const bool continues = had_face_ && std::abs(time_s - last_face_time_s_) <= options_.reacquire_s;
    tracking_ = search(frame, continues, detection);
    if (tracking_) {
      frames_since_check_ = unconfirmed_checks_ = 0;
      eyes_known_ = false;
      if (!continues) ++track_;
    }
  }
  if (!tracking_) {
    detection.face = {};
    detection.face_score = detection.sharpness = 0;
    return detection;
  }
  detection.face_found = true;
  detection.track = track_;
  had_face_ = true;
  last_face_ = detection.face;
  last_face_time_s_ = time_s;
  detect_eyes(frame, detection);
  return detection;
}

// Landmarks inside the crop, which is taken again where they ask for; false where they are not those of a face.
bool Detector::follow(const ImageView& frame, Crop crop, int min_passes, int max_passes, FrameDetection& detection) {
  for (int pass = 1;; ++pass) {
    const FaceLook& look = vision_->look_at_face(crop);
    detection.face = look.points;
    detection.face_score = score_of(look.points, look.spread_cells);
    detection.sharpness = look.sharpness;
    for (Landmark& point : detection.face) to_frame(frame, crop, point);
    const Crop wanted = face_crop(detection.face);
    if (!plausible(frame, crop, wanted)) return false;
    if (pass >= max_passes || (pass >= min_passes && fits(crop, wanted))) break;
    crop = wanted;
  }
  last_face_crop_ = crop;
  return detection.face_score >= options_.min_face_score;
}

// A new face is worth a second, mirrored look: the mean of both errs less than either.
void Detector::look_in_mirror(const ImageView& frame, Crop crop, FrameDetection& detection) {
  crop.mirrored = true;
  FacePoints mirrored = vision_->look_at_face(crop).points;
  for (int i = 0; i < face68::count; ++i) {
    Landmark& other = mirrored[face68::mirrored[i]];
    to_frame(frame, crop, other);
    Landmark& point = detection.face[i];
    point = {0.5f * (point.x + other.x), 0.5f * (point.y + other.y), 0.5f * (point.confidence + other.confidence)};
  }
}

bool Detector::plausible(const ImageView& frame, const Crop& used, const Crop& found) const {
  const float ratio = found.width_px / used.width_px;
  const float turn = std::remainder(found.roll_rad - used.roll_rad, 2 * static_cast<float>(M_PI));
  return found.width_px >= static_cast<float>(options_.min_face_px) && found.centre.x() > 0 && found.centre.y() > 0 &&
         found.centre.x() < frame.width && found.centre.y() < frame.height && ratio > 0.6f && ratio < 1.6f &&
         (found.centre - used.centre).norm() < 0.35f * used.width_px && std::abs(turn) < 0.8f;
}

// Does YuNet see a face where the points are? It looks at the surroundings only, turned upright, which is cheap and at
// its best scale.
bool Detector::confirmed(const FrameDetection& detection) {
  frames_since_check_ = 0;
  Crop view = face_crop(detection.face);
  view.width_px *= confirmation_crops;
  view.width = view.height = confirmation_px;
  const FaceBox face = bounding_box(detection.face, view);
  for (const FaceBox& box : vision_->find_faces(view, options_.min_confirmation_score)) {
    if (intersection_over_union(box, face) >= min_confirmation_iou) return true;
  }
  return false;
}

// Takes up a face: the largest; within a short time after a loss only one at the old place.
bool Detector::search(const ImageView& frame, bool continues, FrameDetection& detection) {
  // Small faces need the larger picture; faces that fill the frame need a smaller one; lying heads come last.
  const Crop whole = whole_frame(frame, search_px);
  std::array<Crop, 6> views = {whole, whole_frame(frame, fine_search_px)};
  for (int i = 2; i < 6; ++i) {
    views[i] = whole;
    views[i].width = views[i].height = search_px;
    views[i].width_px = static_cast<float>(std::max(frame.width, frame.height));
  }
  views[2].width_px *= close_up_frames;
  const float right_angle = 0.5f * static_cast<float>(M_PI);
  for (const int i : {3, 4, 5}) views[i].roll_rad = (i == 3 ? 1 : i == 4 ? -1 : 2) * right_angle;
  const int count = faceless_frames_++ % options_.check_interval_frames == 0 ? 6 : 3;
  FrameDetection best;
  Crop best_crop;
  for (int i = 0; i < (best.face_score > 0 ? 6 : count); ++i) {
    const Crop& view = views[i];
    candidates_ = vision_->find_faces(view, options_.min_detection_score);
    sort_in_place(candidates_,
                  [](const FaceBox& a, const FaceBox& b) { return a.width * a.height > b.width * b.height; });
    const FaceBox last = bounding_box(last_face_, view);
    int tries = 0;
    for (const FaceBox& box : candidates_) {
      if (continues && intersection_over_union(box, last) < min_reacquire_iou) continue;
      if (++tries > max_candidates) break;
      if (!follow(frame, view.inner(face_crop(box)), 2, 3, detection)) continue;
      if (detection.face_score < options_.min_new_face_score || detection.face_score <= best.face_score) continue;
      best = detection;
      best_crop = last_face_crop_;
      if (best.face_score >= sure_face_score) break;
    }
    if (best.face_score >= sure_face_score) break;
  }
  if (best.face_score == 0) return false;
  detection = best;
  last_face_crop_ = best_crop;
  look_in_mirror(frame, best_crop, detection);
  faceless_frames_ = 0;
  return true;
}

void Detector::detect_eyes(const ImageView& frame, FrameDetection& detection) {
  std::array<Crop, 2> by_face, crops;
  for (const Eye eye : {OD, OS}) {
    by_face[eye] = crops[eye] = eye_crop(detection.face, eye);
    const LastEye& last = last_eyes_[eye];
    if (eyes_known_) crops[eye] = held(last.used, carried(last.by_face, last.by_lid, by_face[eye]));
    if (!crops[eye].valid()) crops[eye] = by_face[eye];  // after points that were no numbers
  }
  if (!eyes_known_) {  // the first look finds the canthi, the second is centred on them
    const EyeLids& lids = vision_->look_at_lids(crops);
    for (const Eye eye : {OD, OS}) {
      auto lid = lids[eye];
      for (Landmark& point : lid) to_frame(frame, crops[eye], point);
      crops[eye] = lid_crop(lid, eye, crops[eye]);
    }
  }
  const EyesLook& look = vision_->look_at_eyes(crops);
  for (const Eye eye : {OD, OS}) {
    const Crop& crop = crops[eye];
    EyeDetection& found = detection.eyes[eye];
    found.lid = look.lids[eye];
    for (Landmark& point : found.lid) to_frame(frame, crop, point);
    last_eyes_[eye] = {by_face[eye], lid_crop(found.lid, eye, by_face[eye]), crop};
    take_lids(found.lid, eye, detection.face);

    IrisPoints iris = look.irises[eye];
    iris[0] = steadied_centre(iris);
    for (Landmark& point : iris) to_frame(frame, crop, point);
    if (crop.mirrored) iris = reversed_limbus(iris);
    found.iris = turned_limbus(iris, crop.roll_rad);

    found.lines = look.lines[eye];
    for (auto& line : found.lines) {
      for (Landmark& point : line) to_frame(frame, crop, point);
    }
  }
  eyes_known_ = true;
}

// A cut changes most of the picture at once; a change of light alone is taken out.
bool Detector::is_cut() {
  const Thumbnail& thumbnail = vision_->thumbnail();
  bool cut = false;
  if (last_thumbnail_) {
    const Eigen::Map<const Eigen::ArrayXf> now(thumbnail.data(), thumbnail.size());
    const Eigen::Map<const Eigen::ArrayXf> before(last_thumbnail_->data(), last_thumbnail_->size());
    const float light = (now - before).mean();
    cut = (now - before - light).abs().mean() > options_.cut_grey_levels;
  }
  last_thumbnail_ = thumbnail;
  return cut;
}

}  // namespace dmask
