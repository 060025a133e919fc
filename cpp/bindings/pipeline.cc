#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <thread>

#include "cuda/choose_backend.hpp"
#include "cuda/fits/batch_check.hpp"
#include "frame_view.hpp"
#include "geometry/check.hpp"
#include "geometry/rotation.hpp"
#include "pipeline/pipeline.hpp"
#include "result.hpp"

namespace py = pybind11;

namespace dmask {
namespace {

using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;

py::array_t<std::uint8_t> to_array(const Image& image) {
  py::array_t<std::uint8_t> out({image.height, image.width, 3});
  std::copy(image.bgr.begin(), image.bgr.end(), out.mutable_data());
  return out;
}

Floats to_array(const VecXf& v) { return Floats(v.size(), v.data()); }

VecXf to_vector(const py::dict& statics, const char* name) {
  check(statics.contains(name), std::string("the track has no array ") + name + ": the file is damaged");
  const Floats a = statics[name].cast<Floats>();
  return Eigen::Map<const VecXf>(a.data(), a.size());
}

py::dict statics_of(const MaskSubject& s) {
  py::dict d;
  const std::vector<float> scalars = {static_cast<float>(s.profile), s.hfov_deg, s.scale, s.eyebrows ? 1.0f : 0.0f};
  d["subject"] = Floats(scalars.size(), scalars.data());
  d["identity"] = to_array(s.identity);
  for (int eye = 0; eye < 2; ++eye) {
    const MaskEye& e = s.eyes[eye];
    const std::string prefix = eye == OD ? "od_" : "os_";
    const std::vector<float> place = {e.centre.x(), e.centre.y(), e.centre.z(), e.patch_offset.x(), e.patch_offset.y(),
                                      e.patch_offset.z(), e.patch_roll, e.iris_radius_mm};
    d[py::str(prefix + "shape")] = to_array(e.shape);
    d[py::str(prefix + "place")] = Floats(place.size(), place.data());
  }
  return d;
}

MaskSubject subject_of(const py::dict& d) {
  MaskSubject s;
  const VecXf scalars = to_vector(d, "subject");
  check(scalars.size() == 4 && scalars.allFinite() && scalars[1] > 1 && scalars[1] < 170 && scalars[0] >= 0 && scalars[0] <= 2 &&
            scalars[2] > 0.1f && scalars[2] < 10,
        "the track's subject is not 4 sensible numbers: the file is damaged");
  s.profile = static_cast<Profile>(static_cast<int>(scalars[0]));
  s.hfov_deg = scalars[1];
  s.scale = scalars[2];
  s.eyebrows = scalars[3] > 0.5f;
  s.identity = to_vector(d, "identity");
  check(s.identity.allFinite(), "the track's identity is not finite: the file is damaged");
  for (int eye = 0; eye < 2; ++eye) {
    MaskEye& e = s.eyes[eye];
    const std::string prefix = eye == OD ? "od_" : "os_";
    e.shape = to_vector(d, (prefix + "shape").c_str());
    const VecXf place = to_vector(d, (prefix + "place").c_str());
    check(place.size() == 8 && place.allFinite() && e.shape.allFinite() && place[7] >= 0 && place[7] < 12,
          "the track's " + prefix + "place is damaged");
    e.centre = place.head<3>();
    e.patch_offset = place.segment<3>(3);
    e.patch_roll = place[6];
    e.iris_radius_mm = place[7];
  }
  return s;
}

Subject known_subject(const py::dict& d) {
  const auto vector = [&](const std::string& name) -> VecX {
    const auto a = d[py::str(name)].cast<py::array_t<double, py::array::c_style | py::array::forcecast>>();
    return Eigen::Map<const VecX>(a.data(), a.size());
  };
  const auto point = [&](const std::string& name) -> Vec3 {
    const VecX v = vector(name);
    check(v.size() == 3, name + " has " + std::to_string(v.size()) + " numbers, expected 3");
    return v;
  };
  Subject s;
  s.identity = vector("identity");
  s.scale = d["scale"].cast<double>();
  s.iris_radius_mm = d["iris_radius_mm"].cast<double>();
  for (int eye = 0; eye < 2; ++eye) {
    const std::string prefix = eye == OD ? "od" : "os";
    s.eyes[eye] = {vector(prefix + "_shape"), point(prefix + "_offset"), d[py::str(prefix + "_roll")].cast<double>(), point(prefix + "_centre")};
  }
  return s;
}

// The same the other way about: use_subject() takes it.
py::dict subject_dict(const Calibration& c) {
  check(c.ok, "there is no calibration yet: calibrate first");
  const auto vector = [](const VecX& v) { return py::array_t<double>(v.size(), v.data()); };
  py::dict d;
  d["identity"] = vector(c.identity);
  d["scale"] = c.scale;
  d["iris_radius_mm"] = c.ball.iris_radius_mm;
  for (int eye = 0; eye < 2; ++eye) {
    const std::string prefix = eye == OD ? "od" : "os";
    const EyeStatics& e = c.eyes[eye];
    d[py::str(prefix + "_shape")] = vector(e.shape);
    d[py::str(prefix + "_offset")] = vector(e.offset);
    d[py::str(prefix + "_roll")] = e.roll;
    d[py::str(prefix + "_centre")] = vector(e.centre);
  }
  return d;
}

// Pictures of a stored track, without any detector.
struct MaskRenderer {
  MaskRenderer(const py::dict& statics, const std::string& models_dir)
      : models(Models::load(models_dir, models_dir)), painter(models, subject_of(statics)) {}
  Models models;
  MaskPainter painter;
  Image image;

  MaskFrame frame_of(const Floats& row) const {
    const int units = models.face.units(), motions = static_cast<int>(models.eyelid[OD].motion.cols());
    check(row.ndim() == 1 && row.shape(0) == MaskFrame::row_size(units, motions),
          "got a track row of " + std::to_string(row.size()) + " numbers, expected " +
              std::to_string(MaskFrame::row_size(units, motions)) + ": the track was made with other models");
    return MaskFrame::from_row(row.data(), units, motions);
  }
};

py::dict timings_of(const DetectTimings& t) {
  py::dict d;
  d["face_detector"] = t.face_detector;
  d["preprocess"] = t.preprocess;
  d["net_face"] = t.net_face;
  d["net_eyelid"] = t.net_eyelid;
  d["net_iris"] = t.net_iris;
  d["net_lines"] = t.net_lines;
  return d;
}

}  // namespace

void bind_pipeline(py::module_& m) {
  py::class_<Pipeline>(m, "Pipeline", "From frames to masks; see Pipeline.process.")
      .def(py::init([](const PipelineOptions& options) {
             return std::make_unique<Pipeline>(options, choose_backend(options));
           }),
           py::call_guard<py::gil_scoped_release>())
      .def("process",
           [](Pipeline& p, const Frame& frame, double time_s) {
             PyResult r;
             Image mask;
             Frame holder;
             const ImageView view = view_of(frame, holder);
             {
               py::gil_scoped_release release;
               r.result = p.process(view, time_s, mask);
             }
             r.width = view.width;
             r.height = view.height;
             r.mask = to_array(mask);
             return r;
           },
           py::arg("frame_bgr_uint8"), py::arg("time_s"))
      .def("detect",
           [](Pipeline& p, const Frame& frame, double time_s) {
             Frame holder;
             const ImageView view = view_of(frame, holder);
             py::gil_scoped_release release;
             return p.detect(view, time_s);
           },
           py::arg("frame_bgr_uint8"), py::arg("time_s"))
      .def("calibrate",
           [](Pipeline& p, const std::vector<FrameDetection>& window) {
             py::gil_scoped_release release;
             return p.calibrate(window);
           })
      .def("fit",
           [](Pipeline& p, const FrameDetection& d) {
             PyResult r;
             {
               py::gil_scoped_release release;
               r.result = p.fit(d);
             }
             r.width = d.width;
             r.height = d.height;
             return r;
           })
      .def("render",
           [](Pipeline& p, const PyResult& r) {
             thread_local Image mask;  // the same memory for every frame, in the cache and not cleared first
             {
               py::gil_scoped_release release;
               p.render(r.result, r.width, r.height, mask);
             }
             return to_array(mask);
           })
      .def("use_subject",
           [](Pipeline& p, const py::dict& known, int width, int height) { p.use_subject(known_subject(known), width, height); },
           py::arg("subject"), py::arg("width"), py::arg("height"),
           "Instead of calibrate(): a subject known already. dict of identity (K,), scale, iris_radius_mm and, for\n"
           "od and os, _shape (Ks,), _offset (3,) mm, _roll rad, _centre (3,) mm, head frame.")
      .def("unreleased_subject", [](const Pipeline& p) { return subject_dict(p.unreleased_calibration()); },
           "The patient as calibrated, whatever the profile lets out, in the form that use_subject() takes: for evaluations\n"
           "against known truth and for the same patient's next recording, on this machine alone. Raises Error without a\n"
           "calibration.")
      .def("reset", [](Pipeline& p) { p.reset(); })
      .def("compare_batch_fit",
           [](const Pipeline& p, const std::vector<FrameDetection>& detections) {
             cuda::BatchComparison c;
             {
               py::gil_scoped_release release;
               c = cuda::compare_batch_fit(p.models(), p.fit_options(), p.unreleased_calibration(), detections);
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
           "These frames fitted one by one on the CPU and all at once on the GPU: largest differences, ms a frame. Raises\n"
           "Error where no GPU can be used.")
      .def_property_readonly("calibration", [](const Pipeline& p) { return p.calibration(); })
      .def("detect_timings", [](const Pipeline& p) { return timings_of(p.timings().detect); })
      .def("fit_timings",
           [](const Pipeline& p) {
             py::dict d;
             d["fit_face"] = p.timings().fit_face;
             d["fit_eyelid"] = p.timings().fit_eyelid;
             d["fit_eyeball"] = p.timings().fit_eyeball;
             d["render"] = p.timings().render;
             return d;
           })
      .def("track_statics", [](const Pipeline& p) { return statics_of(p.subject()); })
      .def_property_readonly("backend", [](const Pipeline& p) { return p.backend().name; })
      .def_property_readonly("backend_reason", [](const Pipeline& p) { return p.backend().reason; });

  py::class_<MaskRenderer>(m, "MaskRenderer", "Pictures of a stored track.")
      .def(py::init<const py::dict&, const std::string&>(), py::arg("statics"), py::arg("models_dir"))
      .def("render",
           [](MaskRenderer& r, const Floats& row, int width, int height) {
             check(width >= 1 && height >= 1 && width <= 16384 && height <= 16384,
                   "got a picture of " + std::to_string(width) + " x " + std::to_string(height) + ", expected 1 to 16384 a side");
             r.painter.paint(r.frame_of(row), width, height, r.image);
             return to_array(r.image);
           },
           py::arg("row"), py::arg("width"), py::arg("height"))
      .def("vertices", [](MaskRenderer& r) {
        const Points3f& v = r.painter.vertices();
        return py::array_t<float>({v.rows(), Eigen::Index{3}}, v.data());
      });

  m.def("system_info", [] {
    py::dict d;
    d["threads"] = std::thread::hardware_concurrency();
    d["avx2"] = __builtin_cpu_supports("avx2") != 0;
    d["avx512f"] = __builtin_cpu_supports("avx512f") != 0;
    d["avx512bf16"] = __builtin_cpu_supports("avx512bf16") != 0;
    return d;
  });
}

}  // namespace dmask
