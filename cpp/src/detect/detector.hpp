// From a frame to the landmarks of one tracked face.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "detect/chosen_person.hpp"
#include "detect/close_up.hpp"
#include "detect/crop.hpp"
#include "detect/detections.hpp"
#include "detect/face_motion.hpp"
#include "detect/recognition.hpp"
#include "detect/vision.hpp"

namespace dmask {

struct DetectorOptions {
  std::string model_dir;                // directory of face68, eyelid, iris and lines .onnx
  std::string face_detector_path;       // YuNet; empty: face_detection_yunet_2023mar.onnx in model_dir
  std::string precision = "auto";       // f32 | bf16 | auto
  int threads = 1;                      // CPU threads of a net, 0: all
  float min_detection_score = 0.6f;     // 0..1, YuNet's score of a new face
  float min_confirmation_score = 0.3f;  // 0..1, YuNet's score that still confirms a tracked face
  float min_new_face_score = 0.75f;     // 0..1, score of the 68 points of a new face
  float min_face_score = 0.5f;          // 0..1, score of the 68 points below which a tracked face is lost
  int check_interval_frames = 15;       // frames between two confirmations by YuNet
  float cut_grey_levels = 24.0f;        // grey levels, mean change of a 32 x 32 thumbnail that is taken for a cut
  double reacquire_s = 1.0;             // s after a loss during which only a face at the same place is taken
  int min_face_px = 24;                 // px, side of the smallest face that is measured
  Person person = Person::largest;      // who the patient is, where there are several people
  bool find_reflexes = false;           // of a lamp, in the corneas
  View view = View::face;               // what is looked for: automatic is a face first, then eyes
  Side eye = Side::automatic;           // which one a picture of one eye shows
};

class Detector {
 public:
  // Throws Error when a model is missing or is not what is expected.
  // Without a recognition whoever comes when the face is lost is taken for the patient.
  explicit Detector(const DetectorOptions& options, const MakeVision& make_vision = make_cpu_vision,
                    std::unique_ptr<Recognition> recognition = nullptr);

  // frame: BGR, grey, BGRA or NV12, both sides at least 16 px; in GPU memory for backend tensorrt alone. time_s rises from call to call.
  FrameDetection detect(const ImageView& frame, double time_s);

  void reset();                                       // another recording: nothing is known of the patient
  int people() const { return people_; }              // most that were seen since then
  int recognitions() const { return recognitions_; }  // times that a face was taken for the patient's by its shape
  // Counts faces taken up: while it stays the same, it is the same face without a cut in between.
  int track() const { return track_; }
  DetectTimings last_timings() const;

 private:
  void forget_face();
  FrameDetection look_closely(const ImageView& frame, FrameDetection detection);
  bool follow(const ImageView& frame, Crop crop, int min_passes, int max_passes, FrameDetection& detection);
  void look_in_mirror(const ImageView& frame, Crop crop, FrameDetection& detection);
  bool plausible(const ImageView& frame, const Crop& used, const Crop& found) const;
  bool confirmed(const FrameDetection& detection);
  float yunet_score(const FrameDetection& detection, float turn_rad);
  void turn_upright(const ImageView& frame, FrameDetection& detection);
  bool right_way_up(const FrameDetection& detection);
  bool changed_shape(const FrameDetection& detection) const;
  void find_people(const ImageView& frame, const FrameDetection& blank, int views, bool at_old_place);
  void find_people(const ImageView& frame, const FrameDetection& blank, int views, bool at_old_place, float gain);
  bool search(const ImageView& frame, bool continues, FrameDetection& detection);
  void take(const ImageView& frame, int person, FrameDetection& detection);
  int chosen_one(double time_s);
  int most_alike(const ImageView& frame);
  void choose(const ImageView& frame, FrameDetection& detection);
  void go_on_trial(const ImageView& frame, FrameDetection& detection);
  float likeness(const ImageView& frame, FrameDetection face);
  bool is_somebody_else(const FrameDetection& detection);
  void detect_eyes(const ImageView& frame, FrameDetection& detection);
  void find_reflexes(const ImageView& frame, FrameDetection& detection);
  void measure_motion(FrameDetection& detection);
  float picture_change();

  DetectorOptions options_;
  std::unique_ptr<Vision> vision_;
  std::optional<CloseUp> close_up_;  // where eyes without a face are looked for

  bool tracking_ = false;
  int track_ = 0;
  int frames_since_check_ = 0, unconfirmed_checks_ = 0, faceless_frames_ = 0, checks_ = 0;
  std::array<Landmark, 68> last_face_{};
  Crop last_face_crop_;
  struct LastEye {
    Crop by_face, by_lid, used;  // what the 68 points and the lid's canthi asked for, and the crop that was taken
  };
  std::array<LastEye, 2> last_eyes_;
  bool eyes_known_ = false;  // last_eyes_ are of the same face
  FaceMotion motion_;
  double finder_ms_ = 0, regions_ms_ = 0;  // of close-ups
  double pixels_ms_ = 0;                   // of what looks at pixels itself: motion and reflexes
  double last_face_time_s_ = -1e30;
  bool had_face_ = false;
  int last_width_ = 0, last_height_ = 0;
  std::vector<FaceBox> candidates_;
  std::optional<Thumbnail> last_thumbnail_;

  struct Found {
    FrameDetection detection;
    Crop crop;
  };
  std::vector<Found> found_;  // everybody in sight; while a face is followed it is the first
  int people_ = 0, recognitions_ = 0;

  ChosenPerson chosen_;
  bool choosing_ = true;
  int looks_ = 0;  // for the choice
  double first_look_s_ = 0;
  int first_track_ = 0;

  std::unique_ptr<Recognition> recognition_;
  FrameDetection patient_;  // as he was seen last
  struct Trial {            // of a face that may be the patient's
    float likeness = 0;     // mean
    int frames = 0, looks = 0;
    void add(float value);
    bool passed() const;
  };
  std::optional<Trial> trial_;
  int frames_to_next_look_ = 0;  // where people are in sight and none of them is the one
};

}  // namespace dmask
