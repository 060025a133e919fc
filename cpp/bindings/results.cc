// What a frame and a calibration gave, as the profile lets it out.
#include "result.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdio>

namespace py = pybind11;

namespace dmask {
namespace {

using Floats = py::array_t<float>;

struct EyeValue {
  const char* name;
  double EyeMeasures::* value;
  const char* doc;
};
constexpr EyeValue eye_values[] = {
    {"yaw_deg", &EyeMeasures::yaw_deg, "Optical axis in the head (Fick), degrees, + towards the patient's left."},
    {"pitch_deg", &EyeMeasures::pitch_deg, "Optical axis in the head, degrees, + up."},
    {"yaw_sd_deg", &EyeMeasures::yaw_sd_deg,
     "Standard deviation of yaw_deg, the constant part of the calibration included."},
    {"pitch_sd_deg", &EyeMeasures::pitch_sd_deg,
     "Standard deviation of pitch_deg, the constant part of the calibration included."},
    {"reflex_yaw_deg", &EyeMeasures::reflex_yaw_deg,
     "yaw_deg by the corneal reflex of a lamp beside the lens. NaN where none was found or looked for, and in "
     "`strict`."},
    {"reflex_pitch_deg", &EyeMeasures::reflex_pitch_deg, "The same of pitch_deg."},
    {"reflex_yaw_sd_deg", &EyeMeasures::reflex_yaw_sd_deg, "Standard deviation of reflex_yaw_deg."},
    {"reflex_pitch_sd_deg", &EyeMeasures::reflex_pitch_sd_deg,
     "Standard deviation of reflex_pitch_deg, irises of photographs that are seen too low included."},
    {"mrd1_mm", &EyeMeasures::mrd1_mm,
     "Pupil centre to upper lid margin along the head's y, mm, signed. NaN when shut, and in `strict`."},
    {"mrd2_mm", &EyeMeasures::mrd2_mm,
     "Pupil centre to lower lid margin along the head's y, mm, signed. NaN when shut, and in `strict`."},
    {"pfh_mm", &EyeMeasures::pfh_mm, "Palpebral fissure height, mm; 0 when shut. NaN in `strict`."},
    {"mrd1_sd_mm", &EyeMeasures::mrd1_sd_mm, "Standard deviation of mrd1_mm, the constant part included."},
    {"mrd2_sd_mm", &EyeMeasures::mrd2_sd_mm, "Standard deviation of mrd2_mm, the constant part included."},
    {"pfh_sd_mm", &EyeMeasures::pfh_sd_mm, "Standard deviation of pfh_mm, the constant part included."},
    {"pupil_mm", &EyeMeasures::pupil_mm,
     "Diameter of the pupil as the cornea shows it, mm, through the iris; of close-ups. NaN where it was not seen, and "
     "in "
     "`strict`."},
    {"openness", &EyeMeasures::openness, "Aperture over the width between the canthi; 0 when shut."},
    {"px_per_deg", &EyeMeasures::px_per_deg,
     "How many pixels a degree of the eye's rotation is worth in this frame. NaN but in `article`."},
    {"eyeball_residual_pct", &EyeMeasures::eyeball_residual_pct,
     "Fit against detected limbus, mean of the frame, % of the interocular distance; no accuracy. NaN but in "
     "`article`."},
    {"eyelid_residual_pct", &EyeMeasures::eyelid_residual_pct,
     "Fit against detected lids, mean of the frame, % of the interocular distance; no accuracy. NaN but in `article`."},
};

struct HeadValue {
  const char* name;
  double (*value)(const FrameResult&);
  const char* doc;
};
constexpr HeadValue head_values[] = {
    {"head_yaw_deg", [](const FrameResult& r) { return r.head.yaw_deg; },
     "Head, degrees, + towards the patient's left."},
    {"head_pitch_deg", [](const FrameResult& r) { return r.head.pitch_deg; }, "Head, degrees, + up."},
    {"head_roll_deg", [](const FrameResult& r) { return r.head.roll_deg; },
     "Head, degrees, + where the patient's left side is raised."},
    {"head_yaw_sd_deg", [](const FrameResult& r) { return r.head_sd.yaw_deg; }, "Standard deviation of head_yaw_deg."},
    {"head_pitch_sd_deg", [](const FrameResult& r) { return r.head_sd.pitch_deg; },
     "Standard deviation of head_pitch_deg."},
    {"head_roll_sd_deg", [](const FrameResult& r) { return r.head_sd.roll_deg; },
     "Standard deviation of head_roll_deg."},
    {"head_x_mm", [](const FrameResult& r) { return r.head_mm.x(); },
     "Midpoint of the eyeball centres, camera frame, mm, right in the picture. NaN but in `article`."},
    {"head_y_mm", [](const FrameResult& r) { return r.head_mm.y(); },
     "Midpoint of the eyeball centres, camera frame, mm, down in the picture. NaN but in `article`."},
    {"head_z_mm", [](const FrameResult& r) { return r.head_mm.z(); },
     "Midpoint of the eyeball centres, camera frame, mm, away from the camera. NaN but in `article`."},
    {"deviation_yaw_sd_deg", [](const FrameResult& r) { return r.deviation_yaw_sd_deg; },
     "Standard deviation of os.yaw_deg less od.yaw_deg, degrees: what both eyes have in common cancels."},
    {"deviation_pitch_sd_deg", [](const FrameResult& r) { return r.deviation_pitch_sd_deg; },
     "Standard deviation of os.pitch_deg less od.pitch_deg, degrees."},
};

const char* bool_text(bool value) { return value ? "True" : "False"; }

std::string number_text(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string repr_of(const EyeMeasures& e) {
  if (e.reason != Reason::none) return std::string("EyeResult(valid=False, reason='") + reason_text(e.reason) + "')";
  return "EyeResult(valid=True, yaw_deg=" + number_text(e.yaw_deg) + ", pitch_deg=" + number_text(e.pitch_deg) +
         ", openness=" + number_text(e.openness) + ")";
}

std::string repr_of(const PyResult& r) {
  const FrameResult& f = r.result;
  const std::string time = "FrameResult(time_s=" + number_text(f.time_s);
  if (f.close_up) return time + ", close_up=True, od=" + repr_of(f.eyes[OD]) + ", os=" + repr_of(f.eyes[OS]) + ")";
  if (f.face_reason != Reason::none)
    return time + ", face_valid=False, face_reason='" + reason_text(f.face_reason) + "')";
  return time + ", face_valid=True, head_yaw_deg=" + number_text(f.head.yaw_deg) +
         ", head_pitch_deg=" + number_text(f.head.pitch_deg) + ", od=" + repr_of(f.eyes[OD]) +
         ", os=" + repr_of(f.eyes[OS]) + ")";
}

// Keys with a prefix in front: one eye among the columns of a frame.
void add_eye(py::dict& d, const std::string& prefix, const EyeMeasures& e) {
  d[py::str(prefix + "valid")] = e.reason == Reason::none;
  d[py::str(prefix + "reason")] = reason_text(e.reason);
  for (const EyeValue& v : eye_values) d[py::str(prefix + v.name)] = e.*v.value;
}

}  // namespace

py::dict to_dict(const FrameResult& r) {
  py::dict d;
  d["time_s"] = r.time_s;
  d["face_valid"] = r.face_reason == Reason::none;
  d["face_reason"] = reason_text(r.face_reason);
  for (const HeadValue& v : head_values) d[v.name] = v.value(r);
  d["distance"] = distance_text(r.distance);
  d["close_up"] = r.close_up;
  d["laterality"] = laterality_text(r.laterality);
  add_eye(d, "od_", r.eyes[OD]);
  add_eye(d, "os_", r.eyes[OS]);
  return d;
}

namespace {

py::array_t<double> centre_sd(const CalibrationSummary& c) {
  py::array_t<double> out({2, 3});
  for (int eye = 0; eye < 2; ++eye)
    for (int a = 0; a < 3; ++a) out.mutable_at(eye, a) = c.eye_centre_sd_mm[eye][a];
  return out;
}

void bind_eye(py::module_& m) {
  py::class_<EyeMeasures> eye(m, "EyeResult",
                              "One eye in one frame, as the profile lets it out. NaN: not measured, or withheld.");
  eye.def_property_readonly(
         "valid", [](const EyeMeasures& e) { return e.reason == Reason::none; }, "Whether the gaze was measured.")
      .def_property_readonly(
          "reason", [](const EyeMeasures& e) { return std::string(reason_text(e.reason)); },
          "Why not: closed, covered, low_resolution, dark, out_of_range, lost, no_face, another_person or not_in_view; "
          "\"\" where it was.");
  for (const EyeValue& v : eye_values)
    eye.def_property_readonly(v.name, [value = v.value](const EyeMeasures& e) { return e.*value; }, v.doc);
  eye.def(
         "to_dict",
         [](const EyeMeasures& e) {
           py::dict d;
           add_eye(d, "", e);
           return d;
         },
         "valid, reason and every number by its name.")
      .def("__repr__", [](const EyeMeasures& e) { return repr_of(e); });
}

void bind_frame(py::module_& m) {
  py::class_<PyResult> frame(m, "FrameResult",
                             "One frame, as the profile lets it out. NaN: not measured, or withheld.");
  frame
      .def_property_readonly(
          "time_s", [](const PyResult& r) { return r.result.time_s; }, "On the clock of the frames.")
      .def_property_readonly(
          "face_valid", [](const PyResult& r) { return r.result.face_reason == Reason::none; },
          "Whether the face was found and fitted.")
      .def_property_readonly(
          "face_reason", [](const PyResult& r) { return std::string(reason_text(r.result.face_reason)); },
          "Why not: lost, dark, no_face or another_person; \"\" where it was.");
  frame
      .def_property_readonly(
          "close_up", [](const PyResult& r) { return r.result.close_up; },
          "Eyes without a face: their angles are against where they rest, in the picture; of a head nothing is known.")
      .def_property_readonly(
          "laterality", [](const PyResult& r) { return std::string(laterality_text(r.result.laterality)); },
          "Which of the patient's eyes a close-up's one eye is, od or os; \"\" where both are seen, or nobody can say: "
          "it "
          "stands\n"
          "under od then.");
  frame.def_property_readonly(
      "distance", [](const PyResult& r) { return std::string(distance_text(r.result.distance)); },
      "From the camera: near (up to 500 mm), intermediate (up to 3 m) or far; \"\" without a face, and, but in "
      "`article`, where\n"
      "the eyes are mostly too small to be measured.");
  for (const HeadValue& v : head_values)
    frame.def_property_readonly(v.name, [value = v.value](const PyResult& r) { return value(r.result); }, v.doc);
  frame.def_property_readonly(
           "od", [](const PyResult& r) { return r.result.eyes[OD]; }, "The patient's right eye.")
      .def_property_readonly(
          "os", [](const PyResult& r) { return r.result.eyes[OS]; }, "The patient's left eye.")
      .def_property_readonly(
          "units",
          [](const PyResult& r) {
            const auto& units = r.result.mask.units;
            return Floats(units.size(), units.data());
          },
          "(M,) weights of the face's motion units, named in Models.unit_names, against the face at rest.")
      .def_property_readonly(
          "track_row",
          [](const PyResult& r) {
            const std::vector<float> row = r.result.mask.to_row();
            return Floats(static_cast<py::ssize_t>(row.size()), row.data());
          },
          "(D,) the parameters that the mask is drawn from, as a track holds them.")
      .def_readonly("mask", &PyResult::mask, "(H, W, 3) uint8 BGR where Pipeline.process made it, else None.")
      .def(
          "to_dict", [](const PyResult& r) { return to_dict(r.result); },
          "The numbers by the names of the columns of frames.csv.")
      .def("__repr__", [](const PyResult& r) { return repr_of(r); });
}

void bind_calibration(py::module_& m) {
  py::class_<CalibrationSummary>(
      m, "Calibration", "What a calibration found, as the profile lets it out. NaN: withheld, or there is none.")
      .def_readonly("ok", &CalibrationSummary::ok,
                    "Whether there is one: without it nothing is measured and the mask is the background.")
      .def_readonly("reason", &CalibrationSummary::reason,
                    "What it had to do without, or why there is none; \"\" for nothing.")
      .def_readonly("frames_used", &CalibrationSummary::frames_used, "Indices into the detections that were given.")
      .def_readonly("scale", &CalibrationSummary::scale,
                    "Of the face, on the face model's millimetres; in `article` alone.")
      .def_readonly("iris_radius_mm", &CalibrationSummary::iris_radius_mm, "Of the visible iris; not in `strict`.")
      .def_readonly("iris_radius_sd_mm", &CalibrationSummary::iris_radius_sd_mm,
                    "Standard deviation of iris_radius_mm; not in `strict`.")
      .def_property_readonly(
          "eye_centre_sd_mm", &centre_sd,
          "(2, 3) standard deviations of the eyeball centres, OD and OS, sideways, up and out of the face; not in\n"
          "`strict`. A millimetre sideways is 5 degrees of gaze.")
      .def(
          "to_dict",
          [](const CalibrationSummary& c) {
            py::dict d;
            d["ok"] = c.ok;
            d["reason"] = c.reason;
            d["frames_used"] = c.frames_used;
            d["scale"] = c.scale;
            d["iris_radius_mm"] = c.iris_radius_mm;
            d["iris_radius_sd_mm"] = c.iris_radius_sd_mm;
            d["eye_centre_sd_mm"] = centre_sd(c);
            return d;
          },
          "Every value by its name.")
      .def("__repr__", [](const CalibrationSummary& c) {
        return std::string("Calibration(ok=") + bool_text(c.ok) +
               ", frames_used=" + std::to_string(c.frames_used.size()) + " frames" +
               (c.reason.empty() ? "" : ", reason='" + c.reason + "'") + ")";
      });
}

}  // namespace

void bind_results(py::module_& m) {
  bind_eye(m);
  bind_frame(m);
  bind_calibration(m);
  m.def("openness_class", &openness_class, py::arg("rest"),
        "Of lids that rest as open as that (0: never seen open), where they are shown in classes: 0 narrow, 1 usual, "
        "2 wide.");
  m.attr("near_mm") = near_mm;
  m.attr("intermediate_mm") = intermediate_mm;
  m.def(
      "distance_at", [](double mm) { return std::string(distance_text(distance_at(mm))); }, py::arg("mm"),
      "near, intermediate or far: up to `near_mm`, up to `intermediate_mm`, beyond.");
}

}  // namespace dmask
