#include "detect/detector.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <utility>

#include "detect/corneal_reflex.hpp"
#include "detect/exposure.hpp"
#include "detect/face68.hpp"
#include "detect/face_crop.hpp"
#include "detect/face_lids.hpp"
#include "detect/face_score.hpp"
#include "detect/placed_eye.hpp"
#include "detect/steady_crop.hpp"
#include "geometry/check.hpp"
#include "geometry/stopwatch.hpp"

namespace dmask {
namespace {

constexpr float confirmation_crops = 2.0f;     // width of the view in which YuNet confirms a face
constexpr float min_confirmation_iou = 0.25f;  // YuNet's box against the bounding box of the 68 points
constexpr int max_unconfirmed_checks = 4;      // in a row; more, and the face is lost
constexpr float right_angle = 0.5f * static_cast<float>(M_PI);

// A new face with hidden points has to be the way up that YuNet sees it best, too: beside a mask the face net now and then
// reads eyes as a mouth, or a cheek as a face that lies, and is as sure of it as of most masked faces. One that is not
// upright in the picture takes more. Mean confidence: 0.94 and more uncovered, up to 0.85 with a mask.
constexpr float whole_face_confidence = 0.92f;
constexpr float max_better_turned = 0.05f;  // of YuNet's score
constexpr float min_lying_score = 0.95f;  // of the 68 points; of wrong ways up that YuNet agreed with 0.91 at the most

constexpr float min_reacquire_iou = 0.1f;
constexpr int max_candidates = 4;        // faces of one view that are tried, the largest first
constexpr int max_people = 10;           // and of one in which everybody is sought
constexpr float close_up_frames = 2.0f;  // frames across the view in which a face that fills the frame is sought

// Whose face it is.
constexpr double choice_s = 1.0;           // during which the patient is chosen among the people in sight ...
constexpr double least_choice_s = 0.2;     // after which whoever is lost stays the patient
constexpr double choice_look_s = 0.25;     // ... by a look at all of them as often as this
constexpr int checks_between_counts = 4;   // confirmations by YuNet until the people in sight are counted again
constexpr float max_shape_change = 0.04f;  // of a face from frame to frame: somebody else's, perhaps
constexpr float stirred_grey_levels = 8;   // mean change of the thumbnail above which it may be somebody else, too
constexpr int trial_look_frames = 2;       // between two comparisons of a face on trial with the patient's
constexpr int longest_trial_looks = 60;    // that its mean remembers
constexpr float trial_haste = like_at_once - like_in_time;

// How far a crop may be off from the one its own points ask for before it is taken again.
constexpr float sure_face_score = 0.9f;  // below it another view, a turned one perhaps, may show the face better
constexpr float max_crop_shift = 0.06f;  // of its width
constexpr float max_crop_ratio = 1.10f;
constexpr float max_crop_turn_rad = 0.14f;

float mean_confidence(const FacePoints& points) {
  float sum = 0;
  for (const Landmark& point : points) sum += point.confidence;
  return sum / static_cast<float>(points.size());
}

bool fits(const Crop& used, const Crop& wanted) {
  const float ratio = wanted.width_px / used.width_px;
  const float turn = std::remainder(wanted.roll_rad - used.roll_rad, 2 * static_cast<float>(M_PI));
  return (wanted.centre - used.centre).norm() < max_crop_shift * used.width_px && ratio < max_crop_ratio &&
         ratio > 1 / max_crop_ratio && std::abs(turn) < max_crop_turn_rad;
}

FacePlace place_of(const Crop& face) { return {face.centre, face.width_px}; }

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

Detector::Detector(const DetectorOptions& options, const MakeVision& make_vision,
                   std::unique_ptr<Recognition> recognition)
    : options_(options), vision_(make_vision(options)), chosen_(options.person), recognition_(std::move(recognition)) {
  if (options.view != View::face && !(options.view == View::automatic && !has_close_up_nets(options)))
    close_up_.emplace(options, options.view, options.eye);
  check(options.check_interval_frames >= 1,
        "check_interval_frames is " + std::to_string(options.check_interval_frames) + ", expected 1 or more");
  found_.reserve(max_people + 1);
}

void Detector::reset() {
  forget_face();
  if (close_up_) close_up_->forget();
  last_thumbnail_.reset();
  choosing_ = true;
  people_ = recognitions_ = looks_ = first_track_ = 0;
  patient_ = {};
  if (recognition_) recognition_->forget();
}

void Detector::forget_face() {
  motion_.forget();
  tracking_ = had_face_ = eyes_known_ = false;
  faceless_frames_ = frames_to_next_look_ = 0;
  trial_.reset();
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
  finder_ms_ = regions_ms_ = 0;
  const float change = picture_change();
  if (change > options_.cut_grey_levels) {
    forget_face();
    if (close_up_) close_up_->forget();
  }
  if (options_.view == View::eyes || options_.view == View::eye) return look_closely(frame, detection);
  bool doubtful = false;  // whether it is the same face still
  if (tracking_) {
    tracking_ = follow(frame, held(last_face_crop_, face_crop(last_face_)), 1, 2, detection);
    doubtful = change > stirred_grey_levels || (tracking_ && changed_shape(detection));
  }
  if (tracking_ && (++frames_since_check_ >= options_.check_interval_frames || unconfirmed_checks_ > 0)) {
    unconfirmed_checks_ = confirmed(detection) ? 0 : unconfirmed_checks_ + 1;
    tracking_ = unconfirmed_checks_ < max_unconfirmed_checks;
    if (tracking_ && ++checks_ % checks_between_counts == 0) find_people(frame, detection, 1, false);
  }
  if (!tracking_) {
    const bool continues = had_face_ && std::abs(time_s - last_face_time_s_) <= options_.reacquire_s;
    if (!continues) {
      trial_.reset();
      // Who was there for long enough stays the patient; a shorter sight may have been no face at all.
      choosing_ = choosing_ && !(patient_.face_found && patient_.time_s - first_look_s_ >= least_choice_s);
    }
    tracking_ = search(frame, continues, detection);
    if (tracking_) {
      frames_since_check_ = unconfirmed_checks_ = 0;
      eyes_known_ = false;
      doubtful = continues;
      if (!continues) ++track_;
    }
  }
  if (tracking_ && choosing_) choose(frame, detection);
  if (tracking_) {
    had_face_ = true;
    last_face_ = detection.face;
    last_face_time_s_ = time_s;
    if (trial_) go_on_trial(frame, detection);
    if (!trial_) detect_eyes(frame, detection);
    if (!trial_ && doubtful && is_somebody_else(detection)) trial_.emplace();
  }
  detection.first_track = first_track_;
  if (!tracking_) detection.luminance = mean_level(vision_->thumbnail().data(), thumbnail_px * thumbnail_px);
  pixels_ms_ = 0;
  // Who showed his face once is followed by it; of whom nothing but eyes was ever seen, they are. Where faces are in sight, eyes
  // are theirs, whoever's they are.
  if (!tracking_ && close_up_ && !patient_.face_found && people_ == 0) return look_closely(frame, detection);
  if (!tracking_ || trial_) {
    motion_.forget();
    return detection.without_patient(trial_ || frames_to_next_look_ > 0);
  }
  detection.face_found = true;
  detection.eyes_in_view = {true, true};
  detection.track = track_;
  detection.choosing = choosing_;
  if (options_.find_reflexes) find_reflexes(frame, detection);
  measure_motion(detection);
  patient_ = detection;
  if (recognition_) recognition_->learn(detection);
  return detection;
}

FrameDetection Detector::look_closely(const ImageView& frame, FrameDetection detection) {
  pixels_ms_ = 0;
  const bool seen = close_up_->detect(*vision_, frame, detection);
  finder_ms_ = close_up_->finder_ms();
  regions_ms_ = close_up_->regions_ms();
  if (!seen) {
    detection.luminance = mean_level(vision_->thumbnail().data(), thumbnail_px * thumbnail_px);
    return detection;
  }
  return detection;
}

void Detector::find_reflexes(const ImageView& frame, FrameDetection& detection) {
  for (EyeDetection& eye : detection.eyes) {
    Crop view = reflex_view(eye);
    if (!view.valid()) continue;
    view.gain = exposure_gain(detection.luminance);
    const float* rgb = vision_->pixels(view);
    const StageTimer timer(pixels_ms_);
    eye.reflexes = dmask::find_reflexes(eye, view, rgb);
    for (Landmark& reflex : eye.reflexes) keep_in_sight(frame, reflex);
  }
}

void Detector::measure_motion(FrameDetection& detection) {
  const Crop view = motion_.view(detection.face);
  if (!view.valid()) return motion_.forget();  // after points that were no numbers
  const float* rgb = vision_->pixels(view);
  const StageTimer timer(pixels_ms_);
  motion_.measure(view, rgb, detection);
}

DetectTimings Detector::last_timings() const {
  DetectTimings timings = vision_->timings();
  timings.preprocess += pixels_ms_;
  timings.face_detector += finder_ms_;
  timings.net_iris += regions_ms_;
  return timings;
}

// Landmarks inside the crop, which is taken again where they ask for; false where they are not those of a face.
bool Detector::follow(const ImageView& frame, Crop crop, int min_passes, int max_passes, FrameDetection& detection) {
  for (int pass = 1;; ++pass) {
    const FaceLook& look = vision_->look_at_face(crop);
    detection.face = look.points;
    detection.face_score = face_score(look.points, look.spread_cells);
    detection.sharpness = look.sharpness;
    detection.luminance = look.luminance;
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

// Does YuNet still see a face where the points are?
bool Detector::confirmed(const FrameDetection& detection) {
  frames_since_check_ = 0;
  return yunet_score(detection, 0) > 0;
}

// YuNet's score of a face where the points are, 0 where it sees none. It looks at the surroundings only, turned upright and
// by the angle, which is cheap and at its best scale.
float Detector::yunet_score(const FrameDetection& detection, float turn_rad) {
  Crop view = face_crop(detection.face);
  view.width_px *= confirmation_crops;
  view.width = view.height = confirmation_px;
  view.roll_rad += turn_rad;
  view.gain = exposure_gain(detection.luminance);
  const FaceBox face = bounding_box(detection.face, view);
  float best = 0;
  for (const FaceBox& box : vision_->find_faces(view, options_.min_confirmation_score)) {
    if (intersection_over_union(box, face) >= min_confirmation_iou) best = std::max(best, box.score);
  }
  return best;
}

// A face with hidden points is looked at the other ways up, too: whichever the net is surest of is kept.
void Detector::turn_upright(const ImageView& frame, FrameDetection& detection) {
  if (mean_confidence(detection.face) >= whole_face_confidence) return;
  const Crop seen = last_face_crop_;
  Crop best = seen;
  for (const int turns : {1, 2, 3}) {
    Crop turned = seen;
    turned.roll_rad += static_cast<float>(turns) * right_angle;
    FrameDetection other = detection;
    if (follow(frame, turned, 2, 3, other) && other.face_score > detection.face_score) {
      detection = other;
      best = last_face_crop_;
    }
  }
  last_face_crop_ = best;
}

bool Detector::right_way_up(const FrameDetection& detection) {
  const bool lies = std::abs(std::remainder(face_roll_rad(detection.face), 4 * right_angle)) > 0.5f * right_angle;
  if (lies && detection.face_score < min_lying_score) return false;
  if (mean_confidence(detection.face) >= whole_face_confidence) return true;
  const float upright = yunet_score(detection, 0);
  if (lies && upright == 0) return false;
  for (const int turns : {1, 2, 3}) {
    if (yunet_score(detection, static_cast<float>(turns) * right_angle) > upright + max_better_turned) return false;
  }
  return true;
}

// Whether brows, nose and canthi lie otherwise to each other than a frame ago: what is left where one is laid upon the
// other. A person's own changed by less than the limit in all but 3 of 1000 frames; those of two people differed by more
// in 99 of 100 pairs.
bool Detector::changed_shape(const FrameDetection& detection) const {
  std::array<std::complex<float>, 23> now, before;
  int count = 0;
  for (int i = face68::jaw_end; i < face68::eyes_end; ++i) {
    if (i >= face68::nose_end && !face68::is_canthus(i)) continue;
    now[count] = {detection.face[i].x, detection.face[i].y};
    before[count++] = {last_face_[i].x, last_face_[i].y};
  }
  const auto centred = [](auto& points) {
    std::complex<float> mean;
    for (const auto& point : points) mean += point / static_cast<float>(points.size());
    float size2 = 0;
    for (auto& point : points) size2 += std::norm(point -= mean);
    return size2;
  };
  const float sizes2 = centred(now) * centred(before);
  std::complex<float> product;
  for (int i = 0; i < count; ++i) product += std::conj(before[i]) * now[i];
  return !(1 - std::norm(product) / sizes2 < max_shape_change * max_shape_change);
}

// Everybody in sight, or who is at the old place; `blank`: the frame's detection, of the face that is followed if there is
// one. Where nobody is found in a dark frame, they are sought again with more light.
void Detector::find_people(const ImageView& frame, const FrameDetection& blank, int view_count, bool at_old_place) {
  const float gain = exposure_gain(mean_level(vision_->thumbnail().data(), thumbnail_px * thumbnail_px));
  find_people(frame, blank, view_count, at_old_place, 1);
  if (gain > 1 && found_.size() == (tracking_ ? 1 : 0)) find_people(frame, blank, view_count, at_old_place, gain);
}

void Detector::find_people(const ImageView& frame, const FrameDetection& blank, int view_count, bool at_old_place,
                           float gain) {
  // Small faces need the larger picture; faces that fill the frame need a smaller one; lying heads come last.
  const Crop whole = whole_frame(frame, search_px);
  std::array<Crop, 6> views = {whole, whole_frame(frame, fine_search_px)};
  for (int i = 2; i < 6; ++i) {
    views[i] = whole;
    views[i].width = views[i].height = search_px;
    views[i].width_px = static_cast<float>(std::max(frame.width, frame.height));
  }
  views[2].width_px *= close_up_frames;
  for (const int i : {3, 4, 5}) views[i].roll_rad = (i == 3 ? 1 : i == 4 ? -1 : 2) * right_angle;
  for (Crop& view : views) view.gain = gain;

  const Crop followed = last_face_crop_;
  found_.clear();
  if (tracking_) found_.push_back({blank, followed});
  const auto at = [&](const Crop& face) {
    return std::find_if(found_.begin(), found_.end(),
                        [&](const Found& f) { return same_place(place_of(f.crop), place_of(face)); });
  };
  const auto sure = [](const Found& f) { return f.detection.face_score >= sure_face_score; };
  FrameDetection seen = blank;
  for (int i = 0; i < 6; ++i) {
    if (i >= view_count && (tracking_ || found_.empty())) break;
    if ((at_old_place || i >= 2) && std::any_of(found_.begin(), found_.end(), sure)) break;
    const Crop& view = views[i];
    candidates_ = vision_->find_faces(view, options_.min_detection_score);
    sort_in_place(candidates_,
                  [](const FaceBox& a, const FaceBox& b) { return a.width * a.height > b.width * b.height; });
    const FaceBox last = bounding_box(last_face_, view);
    int tries = 0;
    for (const FaceBox& box : candidates_) {
      if (at_old_place && intersection_over_union(box, last) < min_reacquire_iou) continue;
      const Crop crop = view.inner(face_crop(box));
      if (const auto known = at(crop); known != found_.end() && (tracking_ || sure(*known))) continue;
      if (++tries > (at_old_place ? max_candidates : max_people)) break;
      if (!follow(frame, crop, 2, 3, seen) || seen.face_score < options_.min_new_face_score) continue;
      turn_upright(frame, seen);
      if (!right_way_up(seen)) continue;
      const auto known = at(last_face_crop_);
      if (known == found_.end()) {
        if (static_cast<int>(found_.size()) < max_people) found_.push_back({seen, last_face_crop_});
      } else if (seen.face_score > known->detection.face_score && !(tracking_ && known == found_.begin())) {
        *known = {seen, last_face_crop_};
      }
      if (at_old_place && seen.face_score >= sure_face_score) break;
    }
  }
  last_face_crop_ = followed;
  people_ = std::max(people_, static_cast<int>(found_.size()));
}

// Takes up the patient's face, or one that may be his; within a short time after a loss only one at the old place.
bool Detector::search(const ImageView& frame, bool continues, FrameDetection& detection) {
  if (frames_to_next_look_ > 0 && --frames_to_next_look_ > 0) return false;
  find_people(frame, detection, faceless_frames_++ % options_.check_interval_frames == 0 ? 6 : 3, continues);
  if (found_.empty()) return false;
  int person = 0;
  if (continues) {
    const auto worse = [](const Found& a, const Found& b) { return a.detection.face_score < b.detection.face_score; };
    person = static_cast<int>(std::max_element(found_.begin(), found_.end(), worse) - found_.begin());
  } else {
    person = choosing_ || !recognition_ ? chosen_one(detection.time_s) : most_alike(frame);
  }
  faceless_frames_ = 0;
  if (person < 0) {
    frames_to_next_look_ = options_.check_interval_frames;
    return false;
  }
  take(frame, person, detection);
  if (choosing_ && !continues && recognition_ && patient_.face_found && likeness(frame, detection) < like_in_time) {
    first_track_ = track_ + 1;
    recognition_->forget();
  }
  return true;
}

void Detector::take(const ImageView& frame, int person, FrameDetection& detection) {
  detection = found_[person].detection;
  last_face_crop_ = found_[person].crop;
  look_in_mirror(frame, last_face_crop_, detection);
}

// Who of those found is to be the patient; -1 for none. The choice starts afresh with a face that is no longer followed.
int Detector::chosen_one(double time_s) {
  if (!tracking_) {
    chosen_.start();
    looks_ = 0;
  }
  if (looks_++ == 0) first_look_s_ = time_s;
  std::vector<FacePlace> places;
  for (const Found& f : found_) places.push_back(place_of(face_crop(f.detection.face)));
  return chosen_.look(places, Vec2f(0.5f * (last_width_ - 1), 0.5f * (last_height_ - 1))).value_or(-1);
}

// During the first second of a face: another one may be the patient's after all.
void Detector::choose(const ImageView& frame, FrameDetection& detection) {
  const double passed_s = detection.time_s - first_look_s_;
  if (passed_s >= looks_ * choice_look_s) {
    find_people(frame, detection, 2, false);
    const int person = chosen_one(detection.time_s);
    if (person > 0) {
      take(frame, person, detection);
      first_track_ = ++track_;
      eyes_known_ = false;
      if (recognition_) recognition_->forget();
    }
  }
  choosing_ = passed_s >= 0 && passed_s < choice_s;
}

// Who of those found is most like the patient: on trial, unless one look is enough.
int Detector::most_alike(const ImageView& frame) {
  int best = -1;
  float best_likeness = 0;
  for (int i = 0; i < static_cast<int>(found_.size()); ++i) {
    FrameDetection face = found_[i].detection;
    look_in_mirror(frame, found_[i].crop, face);
    const float value = likeness(frame, face);
    if (best >= 0 && !(value > best_likeness)) continue;
    best = i;
    best_likeness = value;
  }
  trial_.emplace();
  trial_->add(best_likeness);
  return best;
}

// A face on trial is the patient's as soon as it has been like his for long enough; meanwhile he may have come back
// beside it.
void Detector::go_on_trial(const ImageView& frame, FrameDetection& detection) {
  const int frames = trial_->frames++;
  if (frames == 2 * options_.check_interval_frames) people_ = std::max(people_, 2);  // he, and the patient
  if (frames > 0 && frames % trial_look_frames == 0) trial_->add(likeness(frame, detection));
  if (frames > 0 && frames % options_.check_interval_frames == 0) {
    find_people(frame, detection, 2, false);
    for (std::size_t i = 1; i < found_.size(); ++i) {
      FrameDetection face = found_[i].detection;
      look_in_mirror(frame, found_[i].crop, face);
      const float value = likeness(frame, face);
      if (!(value > trial_->likeness)) continue;
      detection = face;
      last_face_ = face.face;
      last_face_crop_ = found_[i].crop;
      ++track_;
      trial_.emplace();
      trial_->frames = 1;
      trial_->add(value);
    }
  }
  eyes_known_ = false;
  if (trial_->passed()) {
    trial_.reset();
    ++recognitions_;
  }
}

void Detector::Trial::add(float value) {
  ++looks;
  likeness += (value - likeness) / static_cast<float>(std::min(looks, longest_trial_looks));
}

// The more looks, the less is asked for: frames that follow each other are wrong together.
bool Detector::Trial::passed() const {
  return looks > 0 && likeness >= like_in_time + trial_haste / std::sqrt(static_cast<float>(looks));
}

float Detector::likeness(const ImageView& frame, FrameDetection face) {
  eyes_known_ = false;
  detect_eyes(frame, face);
  eyes_known_ = false;
  return recognition_->likeness(face);
}

// By the drop against the frame before, in which the head stood much as it does now.
bool Detector::is_somebody_else(const FrameDetection& detection) {
  if (!recognition_ || choosing_) return false;
  // What a mask, a scarf or a hand leaves in sight does not tell people from each other.
  if (mean_confidence(detection.face) < whole_face_confidence) return false;
  const float now = recognition_->likeness(detection);
  return now < like_in_time && recognition_->likeness(patient_) - now > likeness_drop;
}

void Detector::detect_eyes(const ImageView& frame, FrameDetection& detection) {
  std::array<Crop, 2> by_face, crops;
  for (const Eye eye : {OD, OS}) {
    by_face[eye] = crops[eye] = eye_crop(detection.face, eye);
    const LastEye& last = last_eyes_[eye];
    if (eyes_known_) crops[eye] = held(last.used, carried(last.by_face, last.by_lid, by_face[eye]));
    if (!crops[eye].valid()) crops[eye] = by_face[eye];  // after points that were no numbers
    by_face[eye].gain = crops[eye].gain = exposure_gain(detection.luminance);
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
    found = placed_eye(look, eye, crop, frame);
    last_eyes_[eye] = {by_face[eye], lid_crop(found.lid, eye, by_face[eye]), crop};
    doubt_lids(detection.face, eye, found.lid);
    take_lids(found.lid, eye, detection.face);
  }
  eyes_known_ = true;
}

// Mean change since the last frame, grey levels; a change of light alone is taken out. A cut changes most of the picture.
float Detector::picture_change() {
  const Thumbnail& thumbnail = vision_->thumbnail();
  float change = 0;
  if (last_thumbnail_) {
    const Eigen::Map<const Eigen::ArrayXf> now(thumbnail.data(), thumbnail.size());
    const Eigen::Map<const Eigen::ArrayXf> before(last_thumbnail_->data(), last_thumbnail_->size());
    const float light = (now - before).mean();
    change = (now - before - light).abs().mean();
  }
  last_thumbnail_ = thumbnail;
  return change;
}

}  // namespace dmask
