#include "detect/close_up.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "detect/exposure.hpp"
#include "detect/placed_eye.hpp"
#include "detect/steady_crop.hpp"
#include "geometry/stopwatch.hpp"

namespace dmask {
namespace {

constexpr float crop_canthi = 1.75f;  // as eye_crop() has it
constexpr float min_canthus_confidence = 0.5f, min_lids_confidence = 0.5f;
constexpr int check_interval_frames = 15, search_interval_frames = 5;
constexpr int most_unconfirmed = 3;  // checks in a row; more, and the eye is lost
constexpr float sure_finder = 0.85f, sure_lids = 0.9f, sure_globe = 0.82f;
constexpr float known_side = 0.9f;   // 0..1: from here on a side counts as told
constexpr float wrong_side = 0.05f;  // of the named one, after so many looks: it is the other
constexpr int looks_against = 4;
constexpr float nearer = 0.8f, farther = 1.25f;  // further looks for the side, of the finder's own width
constexpr float most_logit = 6.0f;               // of one look
constexpr float most_change = 1.5f;              // of an eye's width from frame to frame; more is another eye, or none

Crop crop_of(const FoundEye& place, Eye eye) {
  Crop crop;
  crop.width = eye_width;
  crop.height = eye_height;
  crop.centre = place.centre();
  crop.width_px = crop_canthi * place.width_px();
  const Vec2f along = place.right - place.left;
  crop.roll_rad = std::atan2(along.y(), along.x());
  crop.mirrored = eye == OD;
  return crop;
}

// Where the lids have the canthi.
FoundEye place_of(const EyeDetection& seen, Eye eye) {
  const Landmark &left = seen.lid[eye == OD ? 10 : 0], &right = seen.lid[eye == OD ? 0 : 10];
  FoundEye place{{left.x, left.y}, {right.x, right.y}, std::min(left.confidence, right.confidence), 0};
  return place;
}

float lids_confidence(const EyeDetection& seen) {
  float sum = 0;
  for (const Landmark& point : seen.lid) sum += point.confidence;
  return sum / static_cast<float>(seen.lid.size());
}

// The one that the caller means, where there are two: OD is the left one in the picture.
void keep_one(std::vector<CloseUp::Followed>& eyes, Side side) {
  if (eyes.size() == 2 && side != Side::automatic) {
    const bool first_left = eyes[0].place.centre().x() < eyes[1].place.centre().x();
    if (first_left != (side == Side::od)) std::swap(eyes[0], eyes[1]);
  }
  eyes.resize(1);
}

float probability(float logit) { return 1 / (1 + std::exp(-logit)); }

}  // namespace

CloseUp::CloseUp(const DetectorOptions& options, View view, Side side)
    : finder_(options), regions_(options), view_(view), side_(side) {}

void CloseUp::forget() {
  eyes_ = {};
  tracking_ = false;
  frames_since_check_ = frames_to_next_search_ = 0;
}

bool CloseUp::detect(Vision& vision, const ImageView& frame, FrameDetection& detection) {
  finder_ms_ = regions_ms_ = 0;
  if (tracking_ && ++frames_since_check_ >= check_interval_frames) {
    frames_since_check_ = 0;
    for (const Eye eye : {OD, OS})
      if (eyes_[eye] && !confirm(vision, eye)) eyes_[eye].reset();
    tracking_ = eyes_[OD] || eyes_[OS];
  }
  if (!tracking_) {
    if (frames_to_next_search_ > 0 && --frames_to_next_search_ > 0) return false;
    if (!take_up(vision, frame)) {
      frames_to_next_search_ = search_interval_frames;
      return false;
    }
  }
  look(vision, frame, detection);
  detection.close_up = true;
  detection.track = track_;
  return true;
}

bool CloseUp::take_up(Vision& vision, const ImageView& frame) {
  new_.clear();
  const std::vector<FoundEye>* all = nullptr;
  {
    const StageTimer timer(finder_ms_);
    all = &finder_.search(vision, frame);
  }
  for (const FoundEye& found : *all) {
    Followed eye;
    eye.place = found;
    add_side(eye, found);
    new_.push_back(eye);
  }
  if (new_.empty()) return false;
  if (view_ == View::eye) keep_one(new_, side_);
  if (new_.size() == 1) {
    const StageTimer timer(finder_ms_);
    for (const float share : {nearer, farther})
      if (const FoundEye again = finder_.look_again(vision, new_[0].place, share); again.score > 0)
        add_side(new_[0], again);
  }
  eyes_ = {};
  name_sides(new_);
  // The finder's canthi are rough: lids are looked for where they are, and once more where they were found.
  for (int pass = 0; pass < 2; ++pass) {
    std::array<Crop, 2> crops;
    for (const Eye eye : {OD, OS}) {
      const Eye shown = eyes_[eye] ? eye : eye == OD ? OS : OD;
      crops[eye] = eyes_[shown]->crop;
    }
    const EyeLids& lids = vision.look_at_lids(crops);
    for (const Eye eye : {OD, OS}) {
      if (!eyes_[eye]) continue;
      EyeDetection seen;
      seen.lid = lids[eye];
      for (Landmark& point : seen.lid) to_frame(frame, crops[eye], point);
      const FoundEye place = place_of(seen, eye);
      const float gain = eyes_[eye]->crop.gain;
      if (place.score >= min_canthus_confidence) eyes_[eye]->crop = crop_of(place, eye);
      eyes_[eye]->crop.gain = gain;
      if (pass == 1 && !is_eye(vision, *eyes_[eye], seen)) eyes_[eye].reset();
    }
  }
  tracking_ = eyes_[OD] || eyes_[OS];
  frames_since_check_ = 0;
  track_ += tracking_;
  return tracking_;
}

// The finder takes nostrils and mouth corners for eyes where it is not sure; neither of the other nets does.
bool CloseUp::is_eye(Vision& vision, const Followed& found, EyeDetection seen) {
  if (found.place.score >= sure_finder || lids_confidence(seen) >= sure_lids) return true;
  const RegionMaps maps = regions_.look(vision, seen, found.crop.gain);
  if (!maps.globe) return false;
  take_regions(maps, seen);
  float globe = 0;
  for (const Landmark& point : seen.globe) globe += point.confidence / static_cast<float>(seen.globe.size());
  return globe >= sure_globe;
}

void CloseUp::add_side(Followed& eye, const FoundEye& seen) const {
  const float p = std::clamp(seen.inner_right, 1e-3f, 1 - 1e-3f);
  const float logit = std::clamp(std::log(p / (1 - p)), -most_logit, most_logit);
  eye.side += (logit - eye.side) / static_cast<float>(++eye.looks);
}

// Two eyes are OD and OS as they lie; one is what the caller says, else what its canthi look like.
void CloseUp::name_sides(std::vector<Followed>& eyes) {
  const auto put = [&](Followed& one, Eye eye) {
    one.crop = crop_of(one.place, eye);
    one.crop.gain = exposure_gain(finder_.luminance());
    eyes_[eye] = one;
  };
  if (eyes.size() == 2) {
    const bool first_left = eyes[0].place.centre().x() < eyes[1].place.centre().x();
    put(eyes[0], first_left ? OD : OS);
    put(eyes[1], first_left ? OS : OD);
    return;
  }
  const bool od = side_ == Side::automatic ? eyes[0].side > 0 : side_ == Side::od;
  put(eyes[0], od ? OD : OS);
}

float CloseUp::chance_of(Eye eye) const {
  if (side_ != Side::automatic || (eyes_[OD] && eyes_[OS])) return 1;
  return probability(eye == OD ? eyes_[eye]->side : -eyes_[eye]->side);
}

// Is there still an eye where the lids are, and the same one?
bool CloseUp::confirm(Vision& vision, Eye eye) {
  Followed& followed = *eyes_[eye];
  FoundEye seen;
  {
    const StageTimer timer(finder_ms_);
    seen = finder_.look_again(vision, followed.place);
  }
  if (seen.score > 0) {
    followed.unconfirmed = 0;
    followed.crop.gain = exposure_gain(finder_.luminance());
    add_side(followed, seen);
    return followed.looks < looks_against || chance_of(eye) > wrong_side;
  }
  frames_since_check_ = check_interval_frames - 1;  // the next frame may show it again
  return ++followed.unconfirmed <= most_unconfirmed;
}

void CloseUp::look(Vision& vision, const ImageView& frame, FrameDetection& detection) {
  std::array<Crop, 2> crops;
  for (const Eye eye : {OD, OS})
    if (eyes_[eye]) crops[eye] = eyes_[eye]->crop;
  const bool both = eyes_[OD] && eyes_[OS];
  const Eye one = eyes_[OD] ? OD : OS;
  const EyesLook& look = both ? vision.look_at_eyes(crops) : vision.look_at_eye(crops[one], one);
  detection.luminance = finder_.luminance();
  detection.side_confidence = 1;
  detection.side_known = true;
  for (const Eye eye : {OD, OS}) {
    detection.eyes_in_view[eye] = eyes_[eye].has_value();
    if (!eyes_[eye]) continue;
    Followed& followed = *eyes_[eye];
    EyeDetection& found = detection.eyes[eye];
    found = placed_eye(look, eye, crops[eye], frame);
    const StageTimer timer(regions_ms_);
    if (const RegionMaps maps = regions_.look(vision, found, crops[eye].gain); maps.globe) {
      take_regions(maps, found);
      for (Landmark& point : found.lid) keep_in_sight(frame, point);
      for (Landmark& point : found.globe) keep_in_sight(frame, point);
      for (auto* rim : {&found.iris, &found.pupil})
        for (Landmark& point : *rim) keep_in_sight(frame, point);
    }
    detection.face_score = std::max(detection.face_score, lids_confidence(found));
    const FoundEye place = place_of(found, eye);
    const float before_px = followed.crop.width_px / crop_canthi;
    const float ratio = place.width_px() / before_px;
    if (place.score >= min_canthus_confidence && ratio < most_change && ratio > 1 / most_change) {
      const float gain = followed.crop.gain;
      followed.place = place;
      followed.crop = held(followed.crop, crop_of(place, eye));
      followed.crop.gain = gain;
    } else if (lids_confidence(found) < min_lids_confidence) {
      frames_since_check_ = check_interval_frames;  // is it an eye at all?
    }
    if (both) continue;
    detection.side_confidence = chance_of(eye);
    followed.side_known = followed.side_known || detection.side_confidence >= known_side;
    detection.side_known = followed.side_known;
  }
}

}  // namespace dmask
