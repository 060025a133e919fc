#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>
#include <string>

#include "cuda/gpu.hpp"
#include "detect/detections.hpp"
#include "detect/detector.hpp"
#include "detect/exposure.hpp"
#include "detect/face_crop.hpp"
#include "frame_view.hpp"
#include "geometry/check.hpp"
#include "one_at_a_time.hpp"
#include "path.hpp"

namespace py = pybind11;

namespace dmask {
namespace {

using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

static_assert(sizeof(Landmark) == 3 * sizeof(float) && sizeof(PointMotion) == 5 * sizeof(float));

// A property whose value is a writable view of the points inside `Owner`, a row each; `row`: what stands in one.
template <class Owner, class Points>
void points_property(py::class_<Owner>& cls, const char* name, Points points, const char* row, const char* doc) {
  using Point = typename std::decay_t<decltype(points(std::declval<Owner&>()))>::value_type;
  constexpr py::ssize_t columns = sizeof(Point) / sizeof(float);
  cls.def_property(
      name,
      [points](py::object self) {
        auto& values = points(self.cast<Owner&>());
        return py::array_t<float>({static_cast<py::ssize_t>(values.size()), columns}, &values[0].x, self);
      },
      [points, name, row](Owner& owner, const FloatArray& array) {
        auto& values = points(owner);
        if (array.ndim() != 2 || array.shape(0) != static_cast<py::ssize_t>(values.size()) ||
            array.shape(1) != columns) {
          throw py::value_error(std::string(name) + " has to be (" + std::to_string(values.size()) + ", " +
                                std::to_string(columns) + "): " + row);
        }
        std::memcpy(&values[0].x, array.data(), sizeof(Point) * values.size());
      },
      doc);
}

template <class Owner, class Points>
void landmarks_property(py::class_<Owner>& cls, const char* name, Points points, const char* doc) {
  points_property(cls, name, points, "x, y in pixels and the confidence", doc);
}

py::array_t<float> face_rows(const Crop& whole, const std::vector<FaceBox>& boxes) {
  py::array_t<float> rows({static_cast<py::ssize_t>(boxes.size()), py::ssize_t{15}});
  auto out = rows.mutable_unchecked<2>();
  for (py::ssize_t i = 0; i < out.shape(0); ++i) {
    const FaceBox& box = boxes[i];
    const Vec2f corner = whole.to_frame(box.x, box.y);
    const float head[] = {corner.x(), corner.y(), box.width * whole.scale(), box.height * whole.scale()};
    for (int k = 0; k < 4; ++k) out(i, k) = head[k];
    for (int k = 0; k < 5; ++k) {
      const Vec2f point = whole.to_frame(box.points[k].x(), box.points[k].y());
      out(i, 4 + 2 * k) = point.x();
      out(i, 5 + 2 * k) = point.y();
    }
    out(i, 14) = box.score;
  }
  return rows;
}

const char* const eye_points[] = {"lid", "iris", "pupil", "globe", "crease", "upper", "lower", "bulge", "reflexes"};

py::dict eye_dict(const py::object& eye) {
  py::dict d;
  for (const char* name : eye_points) d[name] = eye.attr(name);
  return d;
}

constexpr std::array<std::pair<const char*, View>, 4> view_names{
    {{"auto", View::automatic}, {"face", View::face}, {"eyes", View::eyes}, {"eye", View::eye}}};
constexpr std::array<std::pair<const char*, Side>, 3> side_names{
    {{"auto", Side::automatic}, {"od", Side::od}, {"os", Side::os}}};

template <class Value, std::size_t count>
Value named(const std::string& name, const char* what, const std::array<std::pair<const char*, Value>, count>& names) {
  std::string known;
  for (const auto& [one, value] : names) {
    if (name == one) return value;
    known += (known.empty() ? "" : ", ") + std::string(one);
  }
  throw py::value_error("got " + std::string(what) + " '" + name + "', expected one of " + known);
}

py::dict frame_dict(const py::object& frame) {
  py::dict d;
  for (const char* name :
       {"time_s",    "width",      "height",     "track",         "face_found",      "another_person", "choosing",
        "close_up",  "od_in_view", "os_in_view", "laterality",    "side_confidence", "side_known",     "face_score",
        "sharpness", "luminance",  "face",       "moved_since_s", "motion",          "iris_motion"})
    d[name] = frame.attr(name);
  for (const char* eye : {"od", "os"}) d[eye] = eye_dict(frame.attr(eye));
  return d;
}

std::string frame_repr(const FrameDetection& d) {
  const std::string size = std::to_string(d.width) + "x" + std::to_string(d.height) + " px";
  const std::string face = d.close_up ? "close-up"
                           : d.face_found
                               ? "face_score=" + py::str(py::float_(d.face_score)).cast<std::string>().substr(0, 5)
                               : "no face";
  return "FrameDetection(time_s=" + py::str(py::float_(d.time_s)).cast<std::string>() + ", " + size + ", " + face + ")";
}

void bind_eye_points(py::module_& m) {
  py::class_<EyeDetection> eye(
      m, "EyeDetection",
      "Points of one eye as the nets see them, float32: x, y in pixels of the frame (0-based pixel centres) and a\n"
      "confidence, 0 to 1. Each is a view: what is written into it is the detection's.");
  eye.def(py::init<>(), "All points at 0, 0 with confidence 0.")
      .def("to_dict", &eye_dict, "The points by their names.")
      .def("__repr__", [](const EyeDetection&) {
        return "EyeDetection(lid, iris, pupil, globe, crease, upper, lower, bulge, reflexes)";
      });
  landmarks_property(
      eye, "lid", [](EyeDetection& e) -> auto& { return e.lid; },
      "(20, 3): 0 inner canthus, 1-9 upper margin, 10 outer canthus, 11-19 lower margin back.");
  landmarks_property(
      eye, "iris", [](EyeDetection& e) -> auto& { return e.iris; },
      "(19, 3): centre, then the limbus clockwise in the picture from 12 o'clock.");
  landmarks_property(
      eye, "pupil", [](EyeDetection& e) -> auto& { return e.pupil; },
      "(19, 3): as the iris; looked for in close-ups, confidence 0 where none was found.");
  landmarks_property(
      eye, "globe", [](EyeDetection& e) -> auto& { return e.globe; },
      "(40, 3): outline of the globe that is seen, without the caruncle: 0-19 under the upper lid, inner to outer, "
      "20-39\n"
      "back above the lower one; looked for in close-ups.");
  landmarks_property(
      eye, "crease", [](EyeDetection& e) -> auto& { return e.lines[CREASE]; }, "(20, 3), double fold, inner to outer.");
  landmarks_property(
      eye, "upper", [](EyeDetection& e) -> auto& { return e.lines[UPPER_MARGIN]; },
      "(20, 3), upper lid margin, inner to outer.");
  landmarks_property(
      eye, "lower", [](EyeDetection& e) -> auto& { return e.lines[LOWER_MARGIN]; },
      "(20, 3), lower lid margin, inner to outer.");
  landmarks_property(
      eye, "bulge", [](EyeDetection& e) -> auto& { return e.lines[BULGE]; },
      "(20, 3), lower boundary of the bulge, inner to outer.");
  landmarks_property(
      eye, "reflexes", [](EyeDetection& e) -> auto& { return e.reflexes; },
      "(8, 3): of lamps in the cornea, the brightest first; confidence 0: none was found, or looked for "
      "(Options.lamp).");
}

void bind_frame_points(py::module_& m) {
  py::class_<FrameDetection> frame(
      m, "FrameDetection",
      "What the nets see in one frame, before any fit: the patient's own points. Empty until filled; every field\n"
      "can be set.");
  frame.def(py::init<>(), "Of no face.")
      .def("__copy__", [](const FrameDetection& d) { return FrameDetection(d); })
      .def("__deepcopy__", [](const FrameDetection& d, const py::dict&) { return FrameDetection(d); })
      .def("to_dict", &frame_dict, "Every field by its name; od and os as EyeDetection.to_dict.")
      .def("__repr__", &frame_repr)
      .def_readwrite("time_s", &FrameDetection::time_s, "On the clock of the frames.")
      .def_readwrite("width", &FrameDetection::width, "Of the frame, px.")
      .def_readwrite("height", &FrameDetection::height, "Of the frame, px.")
      .def_readwrite("track", &FrameDetection::track,
                     "Rises when another face is taken up, or the same one behind a cut.")
      .def_readwrite("face_found", &FrameDetection::face_found, "Without one all points are 0.")
      .def_readwrite("another_person", &FrameDetection::another_person,
                     "The face in sight is not the patient's, or not known to be: its points are not given.")
      .def_readwrite("choosing", &FrameDetection::choosing,
                     "Another face may still turn out to be the patient's: in the first second.")
      .def_readwrite("close_up", &FrameDetection::close_up, "No face is in sight, and eyes are.")
      .def_property(
          "od_in_view", [](const FrameDetection& d) { return d.eyes_in_view[OD]; },
          [](FrameDetection& d, bool seen) { d.eyes_in_view[OD] = seen; }, "Of a face both eyes are.")
      .def_property(
          "os_in_view", [](const FrameDetection& d) { return d.eyes_in_view[OS]; },
          [](FrameDetection& d, bool seen) { d.eyes_in_view[OS] = seen; }, "Of a face both eyes are.")
      .def_property_readonly(
          "laterality", [](const FrameDetection& d) { return std::string(laterality_text(d.laterality())); },
          "Which of the patient's eyes a close-up's one eye is, od or os; \"\" where both are seen, or nobody can say.")
      .def_readwrite("side_confidence", &FrameDetection::side_confidence,
                     "Of a close-up's one eye being the patient's right or left one, as it is given; 0 to 1.")
      .def_readwrite("side_known", &FrameDetection::side_known, "Else nobody can say which eye it is.")
      .def_readwrite("face_score", &FrameDetection::face_score, "How sure the 68 points are, 0 to 1.")
      .def_readwrite("sharpness", &FrameDetection::sharpness,
                     "Variance of the Laplacian over the face crop, grey levels squared.")
      .def_readwrite("moved_since_s", &FrameDetection::moved_since_s,
                     "Time of the frame that `motion` starts from; nan: none is known.")
      .def_readwrite("luminance", &FrameDetection::luminance,
                     "Mean of the face crop, of the whole frame where no face is found; grey levels, 0 to 255.")
      .def_property(
          "od", [](FrameDetection& d) -> EyeDetection& { return d.eyes[OD]; },
          [](FrameDetection& d, const EyeDetection& e) { d.eyes[OD] = e; }, "EyeDetection of the patient's right eye.")
      .def_property(
          "os", [](FrameDetection& d) -> EyeDetection& { return d.eyes[OS]; },
          [](FrameDetection& d, const EyeDetection& e) { d.eyes[OS] = e; }, "EyeDetection of the patient's left eye.");
  landmarks_property(
      frame, "face", [](FrameDetection& d) -> auto& { return d.face; },
      "(68, 3) float32, iBUG order: x, y in pixels of the frame, and a confidence, 0 to 1.");
  points_property(
      frame, "motion", [](FrameDetection& d) -> auto& { return d.motion; },
      "x, y in pixels and the information xx, xy, yy in 1/px^2",
      "(19, 5) float32: how far face[17] to face[35], brows and nose, have moved since `moved_since_s`, by the\n"
      "pictures themselves: x, y in pixels of the frame, and what that is worth, xx, xy, yy in 1/px^2, 0 for nothing.");
  points_property(
      frame, "iris_motion", [](FrameDetection& d) -> auto& { return d.iris_motion; },
      "x, y in pixels and the information xx, xy, yy in 1/px^2", "(2, 5) float32: the same of OD's and OS's iris.");
}

using PyYuNet = OfOneProcess<YuNet>;

void bind_yunet(py::module_& m) {
  py::class_<PyYuNet>(m, "YuNet", "The face detector alone, on the CPU. For one thread at a time, of one process.")
      .def(py::init([](const py::object& path, const std::string& precision, int threads) {
             NetsProcess::check_here("YuNet");
             NetsProcess::note();
             NetOptions net;
             net.model_path = path_in(path);
             net.precision = precision;
             net.threads = threads;
             return PyYuNet("YuNet", std::make_unique<YuNet>(net));
           }),
           py::arg("path"), py::arg("precision") = "auto", py::arg("threads") = 1,
           "path: its ONNX file; precision: auto, f32 or bf16. Raises Error where the file is missing or another.")
      .def(
          "detect",
          [](PyYuNet& self, const py::object& frame, int long_side_px, float min_score) {
            Frame holder;
            const ImageView view = view_of(frame, holder);
            const Crop whole = whole_frame(view, long_side_px);
            return face_rows(whole, self.get().detect(view, whole, min_score));
          },
          py::arg("frame"), py::arg("long_side_px") = 320, py::arg("min_score") = 0.6f,
          "Faces of a frame shown at `long_side_px` (a multiple of 32), best first: (n, 15) of x, y, width, height,\n"
          "five points (x, y) and the score, in pixels of the frame.");
}

struct PyDetector {
  explicit PyDetector(std::unique_ptr<Detector> detector) : core("Detector", std::move(detector)) {}

  OfOneProcess<Detector> core;
  Turns turns;
};

MakeVision looks_of(const std::string& backend) {
  if (backend == "cpu") return make_cpu_vision;
  if (backend == "tensorrt") return cuda::make_gpu_vision;
  throw Error("got detector backend '" + backend + "', expected cpu or tensorrt");
}

}  // namespace

void bind_detect(py::module_& m) {
  m.def("exposure_gain", &exposure_gain, py::arg("luminance"),
        "What the pixels of a face's crops are multiplied by before the nets look; luminance: the face crop's mean, "
        "0 to 255.");
  bind_eye_points(m);
  bind_frame_points(m);
  bind_yunet(m);
  const DetectorOptions defaults;
  py::class_<PyDetector>(
      m, "Detector",
      "From frames of a video to the landmarks of one tracked face. For one thread at a time, of one "
      "process.")
      .def(py::init([](const py::object& model_dir, const py::object& face_detector_path, const std::string& backend,
                       const std::string& precision, int threads, float min_detection_score,
                       float min_confirmation_score, float min_new_face_score, float min_face_score,
                       int check_interval_frames, float cut_grey_levels, double reacquire_s, int min_face_px,
                       const std::string& view, const std::string& eye) {
             NetsProcess::check_here("Detector");
             NetsProcess::note();
             DetectorOptions options;
             options.model_dir = path_in(model_dir);
             options.face_detector_path = path_in(face_detector_path);
             options.precision = precision;
             options.threads = threads;
             options.min_detection_score = min_detection_score;
             options.min_confirmation_score = min_confirmation_score;
             options.min_new_face_score = min_new_face_score;
             options.min_face_score = min_face_score;
             options.check_interval_frames = check_interval_frames;
             options.cut_grey_levels = cut_grey_levels;
             options.reacquire_s = reacquire_s;
             options.min_face_px = min_face_px;
             options.view = named(view, "view", view_names);
             options.eye = named(eye, "eye", side_names);
             return std::make_unique<PyDetector>(std::make_unique<Detector>(options, looks_of(backend)));
           }),
           py::arg("model_dir"), py::kw_only(), py::arg("face_detector_path") = defaults.face_detector_path,
           py::arg("backend") = "cpu", py::arg("precision") = defaults.precision, py::arg("threads") = defaults.threads,
           py::arg("min_detection_score") = defaults.min_detection_score,
           py::arg("min_confirmation_score") = defaults.min_confirmation_score,
           py::arg("min_new_face_score") = defaults.min_new_face_score,
           py::arg("min_face_score") = defaults.min_face_score,
           py::arg("check_interval_frames") = defaults.check_interval_frames,
           py::arg("cut_grey_levels") = defaults.cut_grey_levels, py::arg("reacquire_s") = defaults.reacquire_s,
           py::arg("min_face_px") = defaults.min_face_px, py::arg("view") = "face", py::arg("eye") = "auto",
           "Loads the nets of model_dir, and the face detector of face_detector_path where that is not empty. Scores "
           "are 0 to 1:\n"
           "of a new face by the face detector (min_detection_score) and by its 68 points (min_new_face_score); below "
           "which a\n"
           "tracked one is not confirmed (min_confirmation_score), every check_interval_frames, or lost "
           "(min_face_score). A mean\n"
           "change of the picture by cut_grey_levels is a cut; for reacquire_s after a loss only a face at the same "
           "place is\n"
           "taken; smaller ones than min_face_px are none. view is what is looked for: face; eyes, one or two without\n"
           "a face; eye, exactly one; auto, a face first, then eyes. eye is which one a picture of one shows: od, os "
           "or\n"
           "auto. Raises Error when a model is missing or not what is expected.")
      .def(
          "detect",
          [](PyDetector& self, const py::object& frame, double time_s) {
            Frame holder;
            const ImageView view = view_of(frame, holder);
            Detector& core = self.core.get();
            const Turns::Turn turn(self.turns, "Detector");
            const py::gil_scoped_release release;
            return core.detect(view, time_s);
          },
          py::arg("frame"), py::arg("time_s") = 0.0,
          "frame: uint8 (H, W), (H, W, 3) BGR or (H, W, 4) BGRA, any strides, sides of at least 16 px. time_s rises\n"
          "from call to call. Returns FrameDetection; without a face `face_found` is False and all points are 0.")
      .def(
          "reset",
          [](PyDetector& self) {
            const Turns::Turn turn(self.turns, "Detector");
            self.core.get().reset();
          },
          "Forget the tracked face: the next frame is another video.")
      .def_property_readonly(
          "track",
          [](PyDetector& self) {
            const Turns::Turn turn(self.turns, "Detector");
            return self.core.get().track();
          },
          "Counts faces taken up: while it stays, it is the same face without a cut in between.")
      .def_property_readonly(
          "last_timings",
          [](PyDetector& self) {
            const Turns::Turn turn(self.turns, "Detector");
            const DetectTimings t = self.core.get().last_timings();
            py::dict ms;
            ms["face_detector"] = t.face_detector;
            ms["preprocess"] = t.preprocess;
            ms["net_face"] = t.net_face;
            ms["net_eyelid"] = t.net_eyelid;
            ms["net_iris"] = t.net_iris;
            ms["net_lines"] = t.net_lines;
            return ms;
          },
          "ms a stage of the last detect().");
}

}  // namespace dmask
