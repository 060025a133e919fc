// From frames to masks.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <thread>

#include "cuda/choose_backend.hpp"
#include "cuda/fits/batch_check.hpp"
#include "frame_view.hpp"
#include "geometry/check.hpp"
#include "one_at_a_time.hpp"
#include "pipeline/pipeline.hpp"
#include "result.hpp"

namespace py = pybind11;

namespace dmask {
namespace {

// A Pipeline whose detect() may run beside its fits, and nothing else twice: each part has turns of its own.
struct PyPipeline {
  explicit PyPipeline(std::unique_ptr<Pipeline> pipeline) : core("Pipeline", std::move(pipeline)) {}

  Turns::Turn looking() { return of(looks); }
  Turns::Turn fitting() { return of(fits); }
  Turns::Turn of(Turns& turns) {
    core.get();  // in a forked child a call of the parent's may be busy for ever
    return Turns::Turn(turns, "Pipeline");
  }

  OfOneProcess<Pipeline> core;
  Turns looks, fits;
};

using PipelineClass = py::class_<PyPipeline>;

// ---- A patient known already, as a dict: what use_subject() takes and unreleased_subject() gives.

VecX vector_in(const py::dict& d, const std::string& name) {
  check(d.contains(name),
        "got a subject without " + name + ", expected it: unreleased_subject() gives all that there is");
  const auto a = d[py::str(name)].cast<py::array_t<double, py::array::c_style | py::array::forcecast>>();
  return Eigen::Map<const VecX>(a.data(), a.size());
}

Vec3 point_in(const py::dict& d, const std::string& name) {
  const VecX v = vector_in(d, name);
  check(v.size() == 3, "got " + name + " of " + std::to_string(v.size()) + " numbers, expected 3");
  return v;
}

double number_in(const py::dict& d, const std::string& name) {
  const VecX v = vector_in(d, name);
  check(v.size() == 1, "got " + name + " of " + std::to_string(v.size()) + " numbers, expected 1");
  return v[0];
}

Subject subject_in(const py::dict& d) {
  Subject s;
  s.identity = vector_in(d, "identity");
  s.scale = number_in(d, "scale");
  s.iris_radius_mm = number_in(d, "iris_radius_mm");
  if (d.contains("rest_units")) s.rest.units = vector_in(d, "rest_units");
  if (d.contains("rest_head_deg")) {
    const Vec3 head = point_in(d, "rest_head_deg");
    s.rest.head = {head[0], head[1], head[2]};
  }
  if (d.contains("rest_distance_mm")) s.rest.distance_mm = number_in(d, "rest_distance_mm");
  if (d.contains("rest_small")) s.rest.small = number_in(d, "rest_small") != 0;
  for (int eye = 0; eye < 2; ++eye) {
    const std::string prefix = eye == OD ? "od_" : "os_";
    s.eyes[eye] = {vector_in(d, prefix + "shape"), point_in(d, prefix + "offset"), number_in(d, prefix + "roll"),
                   point_in(d, prefix + "centre")};
    Rest::Eye& rest = s.rest.eyes[eye];
    if (d.contains(prefix + "rest_openness")) rest.openness = number_in(d, prefix + "rest_openness");
    if (d.contains(prefix + "rest_lid_motion")) rest.motion = vector_in(d, prefix + "rest_lid_motion");
    if (d.contains(prefix + "rest_yaw_deg"))
      rest.gaze = {number_in(d, prefix + "rest_yaw_deg") * deg, number_in(d, prefix + "rest_pitch_deg") * deg};
  }
  return s;
}

py::dict dict_of(const Calibration& c) {
  check(c.ok, "there is no calibration yet: calibrate first");
  const auto vector = [](const VecX& v) { return py::array_t<double>(v.size(), v.data()); };
  py::dict d;
  d["identity"] = vector(c.identity);
  d["scale"] = c.scale;
  d["iris_radius_mm"] = c.ball.iris_radius_mm;
  d["rest_units"] = vector(c.rest.units);
  d["rest_head_deg"] = vector(Vec3(c.rest.head.yaw_deg, c.rest.head.pitch_deg, c.rest.head.roll_deg));
  d["rest_distance_mm"] = c.rest.distance_mm;
  d["rest_small"] = c.rest.small;
  for (int eye = 0; eye < 2; ++eye) {
    const std::string prefix = eye == OD ? "od_" : "os_";
    const EyeStatics& e = c.eyes[eye];
    d[py::str(prefix + "shape")] = vector(e.shape);
    d[py::str(prefix + "offset")] = vector(e.offset);
    d[py::str(prefix + "roll")] = e.roll;
    d[py::str(prefix + "centre")] = vector(e.centre);
    const Rest::Eye& rest = c.rest.eyes[eye];
    d[py::str(prefix + "rest_openness")] = rest.openness;
    d[py::str(prefix + "rest_lid_motion")] = vector(rest.motion);
    if (std::isfinite(rest.gaze.yaw)) {
      d[py::str(prefix + "rest_yaw_deg")] = rest.gaze.yaw / deg;
      d[py::str(prefix + "rest_pitch_deg")] = rest.gaze.pitch / deg;
    }
  }
  return d;
}

// ---- The class, part by part.

// pybind11 would print the whole picture beside what is wrong with the time.
double seconds_of(const py::object& time_s) {
  try {
    return time_s.cast<double>();
  } catch (const py::cast_error&) {
    throw py::type_error("got time_s of the type " +
                         py::str(py::type::of(time_s).attr("__name__")).cast<std::string>() +
                         ", expected seconds, a number");
  }
}

PyResult process(PyPipeline& p, const py::object& frame, const py::object& time) {
  const double time_s = seconds_of(time);
  PyResult r;
  Image mask;
  Frame holder;
  const ImageView view = view_of(frame, holder);
  Pipeline& core = p.core.get();
  const auto looking = p.looking(), fitting = p.fitting();
  NetsProcess::note();
  {
    const py::gil_scoped_release release;
    r.result = core.process(view, time_s, mask);
  }
  r.width = view.width;
  r.height = view.height;
  r.mask = picture_of(mask);
  return r;
}

FrameDetection detect(PyPipeline& p, const py::object& frame, const py::object& time) {
  const double time_s = seconds_of(time);
  Frame holder;
  const ImageView view = view_of(frame, holder);
  Pipeline& core = p.core.get();
  const auto looking = p.looking();
  NetsProcess::note();  // its nets are made when the first frame comes in
  const py::gil_scoped_release release;
  return core.detect(view, time_s);
}

CalibrationSummary calibrate(PyPipeline& p, const std::vector<FrameDetection>& window) {
  Pipeline& core = p.core.get();
  const auto fitting = p.fitting();
  const py::gil_scoped_release release;
  return core.calibrate(window);
}

PyResult fit(PyPipeline& p, const FrameDetection& detection) {
  PyResult r;
  r.width = detection.width;
  r.height = detection.height;
  Pipeline& core = p.core.get();
  const auto fitting = p.fitting();
  const py::gil_scoped_release release;
  r.result = core.fit(detection);
  return r;
}

py::array_t<std::uint8_t> render(PyPipeline& p, const PyResult& r) {
  thread_local Image mask;  // the same memory for every frame, in the cache and not cleared first
  Pipeline& core = p.core.get();
  const auto fitting = p.fitting();
  {
    const py::gil_scoped_release release;
    core.render(r.result, r.width, r.height, mask);
  }
  return picture_of(mask);
}

void reset(PyPipeline& p, std::optional<double> hfov_deg) {
  Pipeline& core = p.core.get();
  const auto looking = p.looking(), fitting = p.fitting();
  PipelineOptions options;
  options.fit = core.fit_options();
  if (hfov_deg) set_option(options, "hfov_deg", *hfov_deg);
  core.reset(options.fit);
}

void bind_work(PipelineClass& cls) {
  cls.def(py::init([](const PipelineOptions& options) {
            NetsProcess::check_here("Pipeline");
            return std::make_unique<PyPipeline>(std::make_unique<Pipeline>(options, choose_backend(options)));
          }),
          py::arg("options"), py::call_guard<py::gil_scoped_release>(),
          "Reads the models. Raises Error where one is missing, or backend or precision cannot be had here.")
      .def("process", &process, py::arg("frame_bgr_uint8"), py::arg("time_s"),
           "A frame of a live source: FrameResult with its mask. Calibrates itself on the first face and again as "
           "better frames come\n"
           "in. frame: uint8 (H, W), (H, W, 3) BGR or (H, W, 4) BGRA, any strides, sides of at least 16 px. time_s: "
           "any clock; an\n"
           "older or equal time starts afresh. Raises Error for another frame.")
      .def("detect", &detect, py::arg("frame_bgr_uint8"), py::arg("time_s"),
           "What the nets see in a frame, as for process(): FrameDetection. These are the patient's own points "
           "whatever the\n"
           "profile. May run in a thread of its own beside calibrate(), fit() and render().")
      .def(
          "calibrate", &calibrate, py::arg("window"),
          "Fits what does not change: face, lid shapes, eyeballs, on the good frames among these. Returns Calibration, "
          "whose `ok`\n"
          "tells whether there is one.")
      .def("fit", &fit, py::arg("detection"),
           "A frame's FrameResult, without a mask. Frames in order: each starts from the one before.")
      .def("render", &render, py::arg("result"),
           "(H, W, 3) uint8 BGR of the frame's size; the plain background without a face.")
      .def("reset", &reset, py::kw_only(), py::arg("hfov_deg") = py::none(),
           "Another patient: forgets face, calibration and all that was measured. hfov_deg: the camera's horizontal "
           "field of view from now on; None leaves it as it is.");
}

// What the detector has counted since the last reset.
auto counted(int (Pipeline::*count)() const) {
  return [count](PyPipeline& p) {
    const auto looking = p.looking();
    return (p.core.get().*count)();
  };
}

void bind_patient(PipelineClass& cls) {
  cls.def_property_readonly(
         "calibration",
         [](PyPipeline& p) {
           const auto fitting = p.fitting();
           return p.core.get().calibration();
         },
         "Calibration, the last one.")
      .def(
          "unreleased_diagnostics",
          [](PyPipeline& p) {
            const auto fitting = p.fitting();
            const Diagnostics found = p.core.get().unreleased_diagnostics();
            py::dict d;
            for (int a = 0; a < 3; ++a) d[py::str(std::string("head_") + "xyz"[a] + "_mm")] = found.head_mm[a];
            for (int eye = 0; eye < 2; ++eye) {
              const std::string prefix = eye == OD ? "od_" : "os_";
              d[py::str(prefix + "px_per_deg")] = found.eyes[eye].px_per_deg;
              d[py::str(prefix + "eyeball_residual_pct")] = found.eyes[eye].eyeball_residual_pct;
              d[py::str(prefix + "eyelid_residual_pct")] = found.eyes[eye].eyelid_residual_pct;
            }
            return d;
          },
          "Of the last fit(), whatever the profile: place of the head in the patient's own scale, pixels a degree,\n"
          "residuals, by their names in diagnostics.csv. They identify, and serve the machine that has the recording.")
      .def(
          "unreleased_moment",
          [](PyPipeline& p) {
            const auto fitting = p.fitting();
            return to_dict(p.core.get().unreleased_moment());
          },
          "Of the last fit(), as FrameResult.to_dict, what the profile lets out before coarse time holds it: for sums "
          "over a\n"
          "recording.")
      .def_property_readonly(
          "holds", [](PyPipeline& p) { return p.core.get().holds(); },
          "Whether coarse time holds what leaves, so that sums are made of unreleased_moment().")
      .def_property_readonly(
          "tells_blinks", [](PyPipeline& p) { return p.core.get().tells_blinks(); },
          "Whether the profile lets out how often and how somebody blinks.")
      .def_property_readonly(
          "people", counted(&Pipeline::people),
          "The most people that were seen since the last reset: at once, or the patient and somebody else.")
      .def_property_readonly("recognitions", counted(&Pipeline::recognitions),
                             "How often since the last reset a face was taken for the patient's by its shape alone.")
      .def_property_readonly(
          "subject",
          [](PyPipeline& p) -> MaskSubject {
            const auto fitting = p.fitting();
            return p.core.get().subject();
          },
          "MaskSubject: whom the masks show, a generic person before the first calibration.")
      .def(
          "use_subject",
          [](PyPipeline& p, const py::dict& known, int width, int height) {
            const auto fitting = p.fitting();
            p.core.get().use_subject(subject_in(known), width, height);
          },
          py::arg("subject"), py::arg("width"), py::arg("height"),
          "Instead of calibrate(): a patient known already, in frames of width x height px. dict of identity (K,), "
          "scale,\n"
          "iris_radius_mm and, for od and os, _shape (Ks,), _offset (3,) mm, _roll rad, _centre (3,) mm, head frame. "
          "Raises Error\n"
          "for what is missing or of another length.")
      .def(
          "unreleased_subject",
          [](PyPipeline& p) {
            const auto fitting = p.fitting();
            return dict_of(p.core.get().unreleased_calibration());
          },
          "The patient as calibrated, whatever the profile lets out, as use_subject() takes it: for evaluations "
          "against known\n"
          "truth and for the same patient's next recording, on this machine alone. Raises Error without a "
          "calibration.");
}

void bind_machine(PipelineClass& cls) {
  cls.def_property_readonly(
         "backend", [](const PyPipeline& p) { return p.core.get().backend().name; }, "cpu or tensorrt.")
      .def_property_readonly(
          "backend_reason", [](const PyPipeline& p) { return p.core.get().backend().reason; },
          "Why it was taken, one line.")
      .def(
          "detect_timings",
          [](PyPipeline& p) {
            const auto looking = p.looking();
            const DetectTimings& t = p.core.get().timings().detect;
            py::dict d;
            d["face_detector"] = t.face_detector;
            d["preprocess"] = t.preprocess;
            d["net_face"] = t.net_face;
            d["net_eyelid"] = t.net_eyelid;
            d["net_iris"] = t.net_iris;
            d["net_lines"] = t.net_lines;
            return d;
          },
          "ms a stage of the last detect() or process().")
      .def(
          "fit_timings",
          [](PyPipeline& p) {
            const auto fitting = p.fitting();
            const StageTimings& t = p.core.get().timings();
            py::dict d;
            d["fit_face"] = t.fit_face;
            d["fit_eyelid"] = t.fit_eyelid;
            d["fit_eyeball"] = t.fit_eyeball;
            d["render"] = t.render;
            return d;
          },
          "ms a stage of the last fit() and render(), or process().")
      .def(
          "compare_batch_fit",
          [](PyPipeline& p, const std::vector<FrameDetection>& detections) {
            cuda::BatchComparison c;
            const Pipeline& core = p.core.get();
            const auto fitting = p.fitting();
            {
              const py::gil_scoped_release release;
              c = cuda::compare_batch_fit(core.models(), core.fit_options(), core.unreleased_calibration(), detections);
            }
            py::dict d;
            d["frames"] = c.frames;
            d["reasons"] = c.reasons;
            d["head_deg"] = c.head_deg;
            d["head_mm"] = c.head_mm;
            d["unit"] = c.unit;
            d["gaze_deg"] = c.gaze_deg;
            d["fissure_mm"] = c.fissure_mm;
            d["tracker_ms"] = c.tracker_ms;
            d["batch_ms"] = c.batch_ms;
            return d;
          },
          py::arg("detections"),
          "These frames fitted one by one on the CPU and all at once on the GPU: largest differences, ms a frame. "
          "Raises\n"
          "Error where no GPU can be used.");
}

py::dict system_info() {
  py::dict d;
  d["threads"] = std::thread::hardware_concurrency();
  d["avx2"] = __builtin_cpu_supports("avx2") != 0;
  d["avx512f"] = __builtin_cpu_supports("avx512f") != 0;
  d["avx512bf16"] = __builtin_cpu_supports("avx512bf16") != 0;
  return d;
}

}  // namespace

void bind_pipeline(py::module_& m) {
  PipelineClass cls(
      m, "Pipeline",
      "From frames to masks, of one camera with one patient in front of it.\n\n"
      "Live: process() each frame. Recordings: detect() frames, calibrate() on them once, then fit() and render() "
      "each.\n"
      "What comes out is what the profile of its options lets out. One call at a time, but for detect(): whoever comes "
      "meanwhile\n"
      "gets Error, and so does a process that was forked from the one that made it.");
  bind_work(cls);
  bind_patient(cls);
  bind_machine(cls);
  m.def("system_info", &system_info, "The processor: threads, and which instruction sets it has.");
}

}  // namespace dmask
