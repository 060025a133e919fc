#include "detect/detector.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "detect/face_crop.hpp"
#include "detect/face_lids.hpp"
#include "detect/heatmap.hpp"
#include "detect/limbus.hpp"
#include "detect/lines.hpp"
#include "detect/mirror68.hpp"
#include "detect/steady_crop.hpp"
#include "geometry/check.hpp"

namespace dmask {
namespace {

constexpr int face_px = 128, face_map = 32;
constexpr int eye_width = 160, eye_height = 128, eye_map_width = 40, eye_map_height = 32;
constexpr int eye_planes = 3 * eye_width * eye_height;
constexpr int eye_cells = eye_map_width * eye_map_height;
constexpr int eye_features = 32;  // channels that eyelid.onnx hands to iris.onnx and lines.onnx
constexpr int edge_width = 80, edge_height = 64;
constexpr int thumbnail_px = 32, cell_samples = 4;
constexpr int confirmation_px = 160;          // side of the picture in which YuNet confirms a face ...
constexpr float confirmation_crops = 2.0f;    // ... that many face crops wide
constexpr float min_confirmation_iou = 0.25f; // YuNet's box against the bounding box of the 68 points
constexpr int max_unconfirmed_checks = 4;     // in a row; more, and the face is lost
constexpr float min_reacquire_iou = 0.1f;
constexpr int max_candidates = 4;             // faces of one view that are tried, the largest first
constexpr float close_up_frames = 2.0f;       // frames across the view in which a face that fills the frame is sought

// How far a crop may be off from the one its own points ask for before it is taken again.
constexpr float sure_face_score = 0.9f;  // below it another view, a turned one perhaps, may show the face better
constexpr float max_crop_shift = 0.06f;     // of its width
constexpr float max_crop_ratio = 1.10f;
constexpr float max_crop_turn_rad = 0.14f;

class Stopwatch {
 public:
  explicit Stopwatch(double& total_ms) : total_ms_(total_ms), start_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() {
    total_ms_ += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  double& total_ms_;
  std::chrono::steady_clock::time_point start_;
};

std::unique_ptr<Net> load(const DetectorOptions& options, const std::string& file, TensorSpec input,
                          std::vector<TensorSpec> outputs) {
  NetOptions net;
  net.model_path = options.model_dir + "/" + file;
  net.backend = options.backend;
  net.precision = options.precision;
  net.threads = options.threads;
  net.inputs = {std::move(input)};
  net.outputs = std::move(outputs);
  return make_net(net);
}

NetOptions face_detector_options(const DetectorOptions& options) {
  NetOptions net;
  net.model_path = options.face_detector_path.empty() ? options.model_dir + "/face_detection_yunet_2023mar.onnx"
                                                      : options.face_detector_path;
  net.precision = options.precision;
  net.threads = options.threads;
  return net;
}

// Variance of the 4-neighbour Laplacian of the grey crop, grey levels squared. `grey` is scratch.
float laplacian_variance(const float* rgb, int width, int height, std::vector<float>& grey) {
  const int plane = width * height, inner = width - 2;
  using Row = Eigen::Map<const Eigen::ArrayXf>;
  grey.resize(plane);
  Eigen::Map<Eigen::ArrayXf>(grey.data(), plane) =
      76.245f * Row(rgb, plane) + 149.685f * Row(rgb + plane, plane) + 29.07f * Row(rgb + 2 * plane, plane);
  double sum = 0, sum_squares = 0;
  for (int y = 1; y < height - 1; ++y) {
    const float* here = grey.data() + y * width + 1;
    const auto laplacian = Row(here - 1, inner) + Row(here + 1, inner) + Row(here - width, inner) +
                           Row(here + width, inner) - 4 * Row(here, inner);
    sum += laplacian.sum();
    sum_squares += laplacian.square().sum();
  }
  const double count = static_cast<double>(inner) * (height - 2);
  return static_cast<float>(sum_squares / count - (sum / count) * (sum / count));
}

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

}  // namespace

Detector::Detector(const DetectorOptions& options)
    : options_(options),
      yunet_(face_detector_options(options)),
      face_net_(load(options, "face68.onnx", {"image", {1, 3, face_px, face_px}},
                     {{"heatmaps", {1, 68, face_map, face_map}}, {"visibility", {1, 68}}})),
      eyelid_net_(load(options, "eyelid.onnx", {"image", {2, 3, eye_height, eye_width}},
                       {{"heatmaps", {2, 20, eye_map_height, eye_map_width}},
                        {"visibility", {2, 20}},
                        {"features", {2, eye_features, eye_map_height, eye_map_width}}})),
      iris_net_(load(options, "iris.onnx", {"features", {2, eye_features, eye_map_height, eye_map_width}},
                     {{"heatmaps", {2, 19, eye_map_height, eye_map_width}}, {"visibility", {2, 19}}})),
      lines_net_(load(options, "lines.onnx", {"features", {2, eye_features, eye_map_height, eye_map_width}},
                      {{"edges", {2, 4, edge_height, edge_width}}, {"presence", {2, 4}}})),
      thumbnail_(thumbnail_px * thumbnail_px) {
  check(options.check_interval_frames >= 1, "check_interval_frames is " +
                                                std::to_string(options.check_interval_frames) + ", expected 1 or more");
}

void Detector::reset() {
  forget_face();
  last_thumbnail_.clear();
}

void Detector::forget_face() {
  tracking_ = had_face_ = eyes_known_ = false;
  faceless_frames_ = 0;
}

FrameDetection Detector::detect(const ImageView& frame, double time_s) {
  check(frame.data != nullptr && frame.width >= 16 && frame.height >= 16,
        "a frame of " + std::to_string(frame.width) + " x " + std::to_string(frame.height) +
            " pixels, expected at least 16 x 16");
  check(frame.channels == 1 || frame.channels == 3 || frame.channels == 4,
        "a frame with " + std::to_string(frame.channels) + " channels, expected 1 (grey), 3 (BGR) or 4 (BGRA)");
  check(std::abs(frame.stride) >= static_cast<std::ptrdiff_t>(frame.width) * frame.channels,
        "a frame stride of " + std::to_string(frame.stride) + " bytes is shorter than a row of " +
            std::to_string(frame.width * frame.channels));
  timings_ = {};
  FrameDetection detection;
  detection.time_s = time_s;
  detection.width = frame.width;
  detection.height = frame.height;
  if (frame.width != last_width_ || frame.height != last_height_) reset();
  last_width_ = frame.width;
  last_height_ = frame.height;

  {
    const Stopwatch watch(timings_.preprocess);
    if (is_cut(frame)) forget_face();
  }
  if (tracking_) tracking_ = follow(frame, held(last_face_crop_, face_crop(last_face_)), 1, 2, detection);
  if (tracking_ && (++frames_since_check_ >= options_.check_interval_frames || unconfirmed_checks_ > 0)) {
    unconfirmed_checks_ = confirmed(frame, detection) ? 0 : unconfirmed_checks_ + 1;
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
    {
      const Stopwatch watch(timings_.preprocess);
      sampler_.sample(frame, crop, {}, face_net_->input(0));
    }
    {
      const Stopwatch watch(timings_.net_face);
      face_net_->infer();
      const float spread_cells = decode_heatmaps(face_net_->output(0), face_net_->output(1), 68, face_map, face_map,
                                                 detection.face.data());
      detection.face_score = score_of(detection.face, spread_cells);
    }
    for (Landmark& point : detection.face) to_frame(frame, crop, point);
    const Crop wanted = face_crop(detection.face);
    if (!plausible(frame, crop, wanted)) return false;
    if (pass >= max_passes || (pass >= min_passes && fits(crop, wanted))) break;
    crop = wanted;
  }
  last_face_crop_ = crop;
  const Stopwatch watch(timings_.preprocess);
  detection.sharpness = laplacian_variance(face_net_->input(0), face_px, face_px, grey_);
  return detection.face_score >= options_.min_face_score;
}

// A new face is worth a second, mirrored look: the mean of both errs less than either.
void Detector::look_in_mirror(const ImageView& frame, Crop crop, FrameDetection& detection) {
  crop.mirrored = true;
  {
    const Stopwatch watch(timings_.preprocess);
    sampler_.sample(frame, crop, {}, face_net_->input(0));
  }
  const Stopwatch watch(timings_.net_face);
  face_net_->infer();
  FacePoints mirrored;
  decode_heatmaps(face_net_->output(0), face_net_->output(1), 68, face_map, face_map, mirrored.data());
  for (int i = 0; i < 68; ++i) {
    Landmark& other = mirrored[mirror_68[i]];
    to_frame(frame, crop, other);
    Landmark& point = detection.face[i];
    point = {0.5f * (point.x + other.x), 0.5f * (point.y + other.y), 0.5f * (point.confidence + other.confidence)};
  }
}

bool Detector::plausible(const ImageView& frame, const Crop& used, const Crop& found) const {
  const float ratio = found.width_px / used.width_px;
  const float turn = std::remainder(found.roll_rad - used.roll_rad, 2 * static_cast<float>(M_PI));
  return found.width_px >= static_cast<float>(options_.min_face_px) && found.centre.x() > 0 &&
         found.centre.y() > 0 && found.centre.x() < frame.width && found.centre.y() < frame.height && ratio > 0.6f &&
         ratio < 1.6f && (found.centre - used.centre).norm() < 0.35f * used.width_px && std::abs(turn) < 0.8f;
}

// Does YuNet see a face where the points are? It looks at the surroundings only, turned upright, which is cheap and at
// its best scale.
bool Detector::confirmed(const ImageView& frame, const FrameDetection& detection) {
  const Stopwatch watch(timings_.face_detector);
  frames_since_check_ = 0;
  Crop view = face_crop(detection.face);
  view.width_px *= confirmation_crops;
  view.width = view.height = confirmation_px;
  const FaceBox face = bounding_box(detection.face, view);
  for (const FaceBox& box : yunet_.detect(frame, view, options_.min_confirmation_score)) {
    if (intersection_over_union(box, face) >= min_confirmation_iou) return true;
  }
  return false;
}

// Takes up a face: the largest; within a short time after a loss only one at the old place.
bool Detector::search(const ImageView& frame, bool continues, FrameDetection& detection) {
  // Small faces need the larger picture; faces that fill the frame need a smaller one; lying heads come last.
  const Crop whole = whole_frame(frame, 320);
  std::array<Crop, 6> views = {whole, whole_frame(frame, 640)};
  for (int i = 2; i < 6; ++i) {
    views[i] = whole;
    views[i].width = views[i].height = 320;
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
    {
      const Stopwatch watch(timings_.face_detector);
      candidates_ = yunet_.detect(frame, view, options_.min_detection_score);
    }
    std::stable_sort(candidates_.begin(), candidates_.end(), [](const FaceBox& a, const FaceBox& b) {
      return a.width * a.height > b.width * b.height;
    });
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
  }
  detect_lids(frame, crops, detection);
  if (!eyes_known_) {  // the first look finds the canthi, the second is centred on them
    for (const Eye eye : {OD, OS}) crops[eye] = lid_crop(detection.eyes[eye].lid, eye, crops[eye]);
    detect_lids(frame, crops, detection);
  }
  for (const Eye eye : {OD, OS}) {
    const auto& lid = detection.eyes[eye].lid;
    last_eyes_[eye] = {by_face[eye], lid_crop(lid, eye, by_face[eye]), crops[eye]};
    take_lids(lid, eye, detection.face);
  }
  eyes_known_ = true;
  {
    const Stopwatch watch(timings_.net_iris);
    iris_net_->infer();
    for (const Eye eye : {OD, OS}) {
      IrisPoints iris;
      decode_heatmaps(iris_net_->output(0) + eye * 19 * eye_cells, iris_net_->output(1) + eye * 19, 19,
                      eye_map_height, eye_map_width, iris.data());
      iris[0] = steadied_centre(iris);
      for (Landmark& point : iris) to_frame(frame, crops[eye], point);
      if (crops[eye].mirrored) iris = reversed_limbus(iris);
      detection.eyes[eye].iris = turned_limbus(iris, crops[eye].roll_rad);
    }
  }
  const Stopwatch watch(timings_.net_lines);
  lines_net_->infer();
  for (const Eye eye : {OD, OS}) {
    for (int line = 0; line < 4; ++line) {
      auto& points = detection.eyes[eye].lines[line];
      points = decode_line(lines_net_->output(0) + (eye * 4 + line) * edge_width * edge_height,
                           lines_net_->output(1)[eye * 4 + line], edge_height, edge_width);
      for (Landmark& point : points) {
        point.x = (point.x + 0.5f) * (eye_width / edge_width) - 0.5f;
        point.y = (point.y + 0.5f) * (eye_height / edge_height) - 0.5f;
        to_frame(frame, crops[eye], point);
      }
    }
  }
}

void Detector::detect_lids(const ImageView& frame, const std::array<Crop, 2>& crops, FrameDetection& detection) {
  {
    const Stopwatch watch(timings_.preprocess);
    for (const Eye eye : {OD, OS}) {
      sampler_.sample(frame, crops[eye], {}, eyelid_net_->input(0) + eye * eye_planes);
    }
  }
  const Stopwatch watch(timings_.net_eyelid);
  eyelid_net_->infer();
  for (const Eye eye : {OD, OS}) {
    auto& lid = detection.eyes[eye].lid;
    decode_heatmaps(eyelid_net_->output(0) + eye * 20 * eye_cells, eyelid_net_->output(1) + eye * 20, 20,
                    eye_map_height, eye_map_width, lid.data());
    for (Landmark& point : lid) to_frame(frame, crops[eye], point);
  }
  // The other two nets read what this one has seen.
  for (Net* net : {iris_net_.get(), lines_net_.get()}) {
    std::copy_n(eyelid_net_->output(2), 2 * eye_features * eye_cells, net->input(0));
  }
}

// A cut changes most of the picture at once; a change of light alone is taken out.
bool Detector::is_cut(const ImageView& frame) {
  for (int j = 0; j < thumbnail_px; ++j) {
    for (int i = 0; i < thumbnail_px; ++i) {
      int sum = 0;
      for (int b = 0; b < cell_samples; ++b) {
        const int y = (2 * (j * cell_samples + b) + 1) * frame.height / (2 * thumbnail_px * cell_samples);
        const std::uint8_t* row = frame.row(y);
        for (int a = 0; a < cell_samples; ++a) {
          const int x = (2 * (i * cell_samples + a) + 1) * frame.width / (2 * thumbnail_px * cell_samples);
          sum += row[static_cast<std::ptrdiff_t>(x) * frame.channels + (frame.channels > 1 ? 1 : 0)];  // green
        }
      }
      thumbnail_[j * thumbnail_px + i] = static_cast<float>(sum) / (cell_samples * cell_samples);
    }
  }
  bool cut = false;
  if (!last_thumbnail_.empty()) {
    const Eigen::Map<const Eigen::ArrayXf> now(thumbnail_.data(), thumbnail_.size());
    const Eigen::Map<const Eigen::ArrayXf> before(last_thumbnail_.data(), last_thumbnail_.size());
    const float light = (now - before).mean();
    cut = (now - before - light).abs().mean() > options_.cut_grey_levels;
  }
  last_thumbnail_ = thumbnail_;
  return cut;
}

}  // namespace dmask
