// What the detector asks of a backend: from the pixels of one frame, through the nets, to points in the pixels of a crop.
// One class per backend implements it; the one of the CPU is in cpu_vision.cc.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "detect/crop.hpp"
#include "detect/detections.hpp"
#include "detect/lines.hpp"
#include "detect/net_sizes.hpp"
#include "detect/thumbnail.hpp"
#include "detect/yunet.hpp"

namespace dmask {

struct DetectorOptions;

struct FaceLook {
  std::array<Landmark, 68> points{};  // px of the crop
  float spread_cells = 0;             // of the heat maps, mean: large where there is no face
  float sharpness = 0;                // variance of the crop's Laplacian, grey levels squared
  float luminance = 0;                // mean of the crop, grey levels; the net sees a dark one brightened
};

using EyeLids = std::array<std::array<Landmark, 20>, 2>;  // by Eye, px of its crop, as EyeDetection::lid

struct EyesLook {  // by Eye; points in px of its crop
  EyeLids lids{};
  std::array<std::array<Landmark, 19>, 2> irises{};  // clockwise in the crop, from its 12 o'clock
  EyeLines lines{};
};

// ms, last frame; a net's own decoding included. Nets that run as one are under the first of them.
struct DetectTimings {
  double face_detector = 0, preprocess = 0, net_face = 0, net_eyelid = 0, net_iris = 0, net_lines = 0;
};

class Vision {
 public:
  virtual ~Vision() = default;

  // The frame that is looked at until the next call; its pixels have to stay. Throws Error where its format or its memory
  // is not one that the backend reads. Sets the timings to zero.
  virtual void show(const ImageView& frame) = 0;
  virtual const Thumbnail& thumbnail() const = 0;

  // Faces in a view (sides multiples of 32), in pixels of the view, best first.
  virtual const std::vector<FaceBox>& find_faces(const Crop& view, float min_score) = 0;
  virtual const FaceLook& look_at_face(const Crop& crop) = 0;                  // face_px x face_px
  virtual const EyeLids& look_at_lids(const std::array<Crop, 2>& crops) = 0;   // eye_width x eye_height, by Eye
  virtual const EyesLook& look_at_eyes(const std::array<Crop, 2>& crops) = 0;  // the lids, and irises and lines
  // Of one eye alone; a backend that always looks at two looks at it twice.
  virtual const EyesLook& look_at_eye(const Crop& crop, Eye) { return look_at_eyes({crop, crop}); }

  // The frame's pixels, 3 planes of RGB in 0..1, until the next call.
  virtual const float* pixels(const Crop& view) = 0;

  const DetectTimings& timings() const { return timings_; }

 protected:
  DetectTimings timings_;
};

// Makes a backend's looks. Throws Error when a model is missing or is not what is expected.
using MakeVision = std::function<std::unique_ptr<Vision>(const DetectorOptions&)>;
std::unique_ptr<Vision> make_cpu_vision(const DetectorOptions& options);  // with OpenVINO

// The nets' files and tensors.
struct NetOptions;
NetOptions face_net_options(const DetectorOptions& options);
NetOptions eyelid_net_options(const DetectorOptions& options);
NetOptions iris_net_options(const DetectorOptions& options);
NetOptions lines_net_options(const DetectorOptions& options);
NetOptions finder_net_options(const DetectorOptions& options);   // of the CPU on every backend: it looks seldom
NetOptions regions_net_options(const DetectorOptions& options);  // the same
bool has_close_up_nets(const DetectorOptions& options);          // a folder of nets may be without these two
NetOptions yunet_options(const DetectorOptions& options);        // without its tensors, which depend on the view's size

}  // namespace dmask
