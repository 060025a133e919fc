// The models' geometry, for synthetic patients with known truth.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>

#include "fit/calibration.hpp"
#include "fit/growth.hpp"
#include "fit/same_person.hpp"
#include "fit/validity.hpp"
#include "geometry/check.hpp"
#include "geometry/rotation.hpp"
#include "path.hpp"

namespace py = pybind11;

namespace dmask {
namespace {

using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;
using Doubles = py::array_t<double>;

VecXf weights(const Floats& a, Eigen::Index most, const char* what) {
  check(a.ndim() == 1 && a.shape(0) <= most,
        std::string("got ") + std::to_string(a.size()) + " " + what + ", expected at most " + std::to_string(most));
  VecXf v = VecXf::Zero(most);
  v.head(a.size()) = Eigen::Map<const VecXf>(a.data(), a.size());
  return v;
}

Doubles points(const VecX& v, Eigen::Index first, Eigen::Index count) {
  return Doubles({count, Eigen::Index{3}}, v.data() + 3 * first);
}

int checked_eye(int eye) {
  check(eye == OD || eye == OS, "got eye " + std::to_string(eye) + ", expected 0 (OD) or 1 (OS)");
  return eye;
}

Floats blink(const Models& x, const Floats& shape, double amount) {
  const EyelidModel& lid = x.eyelid[OS];
  const VecXf w = weights(shape, lid.shape.cols(), "shape weights");
  const VecXf mid = lid.blink_mid(w), full = lid.blink_full(w);
  const float t = static_cast<float>(std::clamp(amount, 0.0, 1.0));
  const VecXf v = t < 0.5f ? VecXf(2 * t * mid) : VecXf(mid + (2 * t - 1) * (full - mid));
  return Floats(v.size(), v.data());
}

Floats eyelid_motion(const Models& x, const std::string& name) {
  const VecXf v = x.eyelid[OS].named(name);
  return Floats(v.size(), v.data());
}

Doubles landmarks(const Models& x, const Floats& identity, const Floats& units, const Doubles& rotation,
                  const Doubles& translation) {
  const SubjectFace f =
      x.face.contract(x.landmark_rows.rows, weights(identity, x.face.identities(), "identity weights"));
  const LandmarkFace face{f.neutral.cast<double>(), f.units.cast<double>()};
  check(rotation.size() == 9 && translation.size() == 3,
        "got a rotation of " + std::to_string(rotation.size()) + " numbers and a translation of " +
            std::to_string(translation.size()) + ", expected (3, 3) and (3,)");
  FacePose pose;
  for (int i = 0; i < 9; ++i) pose.rotation(i / 3, i % 3) = rotation.at(i / 3, i % 3);
  for (int i = 0; i < 3; ++i) pose.translation[i] = translation.at(i);
  pose.units = weights(units, x.face.units(), "unit weights").cast<double>();
  const Camera camera{1000, 0, 0, 1, 1};
  const std::array<int, 68> rows = visible_rows(face, x.landmark_rows, pose, camera);
  Doubles out({68, 3});
  for (int i = 0; i < 68; ++i) {
    const Vec3 p = face.neutral.segment<3>(3 * rows[i]) + face.units.middleRows<3>(3 * rows[i]) * pose.units;
    for (int k = 0; k < 3; ++k) out.mutable_at(i, k) = p[k];
  }
  return out;
}

Doubles eye_centre(const Models& x, int eye, const Floats& identity) {
  const EyelidModel& lid = x.eyelid[checked_eye(eye)];
  const VecX v = (lid.centre + lid.centre_from_identity * weights(identity, x.face.identities(), "identity weights"))
                     .cast<double>();
  return Doubles(3, v.data());
}

py::dict eyelid_lines(const Models& x, int eye, const Floats& shape, const Floats& motion) {
  const EyelidRows& rows = x.eyelid_rows[checked_eye(eye)];
  const VecX v = rows.patch + rows.shape * weights(shape, rows.shape.cols(), "shape weights").cast<double>() +
                 rows.motion * weights(motion, rows.motion.cols(), "motion weights").cast<double>();
  constexpr int n = EyelidRows::margin_samples;
  py::dict d;
  d["upper"] = points(v, 0, n);
  d["lower"] = points(v, n, n);
  d["crease"] = points(v, 2 * n, rows.crease);
  d["bulge"] = points(v, 2 * n + rows.crease, rows.bulge);
  return d;
}

void bind_models(py::module_& m) {
  py::class_<Models>(m, "Models",
                     "The face and eyelid models, for synthetic patients with known truth. Lengths in mm; head frame: "
                     "patient's left, up,\n"
                     "out of the face. Fewer weights than a model has stand for zeros behind them; more raise Error.")
      .def(py::init([](const py::object& given) {
             const std::string models_dir = path_in(given);
             return Models::load(models_dir, models_dir);
           }),
           py::arg("models_dir"), "Of a models folder. Raises Error where a file is missing or damaged.")
      .def_property_readonly(
          "identities", [](const Models& x) { return x.face.identities(); }, "How many identity weights there are, K.")
      .def_property_readonly(
          "unit_names", [](const Models& x) { return x.face.unit_names(); }, "Of the face's motion units, M.")
      .def_property_readonly(
          "eyelid_shapes", [](const Models& x) { return x.eyelid[OS].shape.cols(); },
          "How many eyelid shape weights there are, Ks.")
      .def_property_readonly(
          "eyelid_motions", [](const Models& x) { return x.eyelid[OS].motion.cols(); },
          "How many eyelid motion weights there are, Km.")
      .def_property_readonly(
          "eyelid_motion_names", [](const Models& x) { return x.eyelid[OS].named_motion_names; },
          "Of the motions that eyelid_motion() knows.")
      .def("blink", &blink, py::arg("shape"), py::arg("amount"),
           "(Km,) lid motion weights from open (0) to shut (1) over the globe, for lids of a shape (Ks,).")
      .def("eyelid_motion", &eyelid_motion, py::arg("name"),
           "(Km,) weights of a named lid motion. Raises Error for another name.")
      .def("landmarks", &landmarks, py::arg("identity"), py::arg("units"), py::arg("rotation"), py::arg("translation"),
           "(68, 3) landmarks, head frame, Eq. (1), as they show at this pose: the jaw's slide along the contour. "
           "identity (K,),\n"
           "units (M,), rotation (3, 3) and translation (3,) mm from head to camera.")
      .def("eye_centre", &eye_centre, py::arg("eye"), py::arg("identity"),
           "(3,) eyeball centre, head frame, of an identity (K,); eye: 0 OD, 1 OS.")
      .def("eyelid_lines", &eyelid_lines, py::arg("eye"), py::arg("shape"), py::arg("motion"),
           "dict of upper, lower, crease and bulge line, each (n, 3) from inner to outer, from the eyeball's centre, "
           "head axes,\n"
           "Eq. (5), of lids of a shape (Ks,) in a motion (Km,); eye: 0 OD, 1 OS.");
}

std::vector<float> likenesses(const Models& x, const std::vector<FrameDetection>& patient,
                              const std::vector<FrameDetection>& faces, double hfov_deg) {
  FitOptions options;
  options.hfov_deg = hfov_deg;
  SamePerson same(x, options);
  for (const FrameDetection& frame : patient) same.learn(frame);
  std::vector<float> values;
  for (const FrameDetection& face : faces) values.push_back(same.likeness(face));
  return values;
}

py::tuple in_sight(const FrameDetection& detection, int eye) {
  check(eye == OD || eye == OS, "got eye " + std::to_string(eye) + ", expected 0 (OD) or 1 (OS)");
  const FitOptions options;
  const EyeDetection& seen = detection.eyes[eye];
  const auto iris = EyeballObservation::from(seen, eye, Mat3::Identity(), Vec3::Zero(), 1, options);
  const bool lids = lids_in_sight(LidCurves::from(seen, head_up(detection), options), detection.luminance, options);
  return py::make_tuple(reason_text(lids ? Reason::none : unseen_eye_reason(detection.luminance, options)),
                        lids && iris_in_sight(seen, iris, options));
}

}  // namespace

void bind_fit(py::module_& m) {
  bind_models(m);
  m.def("in_sight", &in_sight, py::arg("detection"), py::arg("eye"),
        "(reason, gaze): why the lids of an eye (0 OD, 1 OS) count as hidden, covered or dark, \"\" where they are "
        "seen; and whether\na gaze is fitted, which takes an iris, too.");
  m.def("likenesses", &likenesses, py::arg("models"), py::arg("patient"), py::arg("faces"), py::arg("hfov_deg") = 40.0,
        py::call_guard<py::gil_scoped_release>(),
        "How like the patient of some frames (FrameDetection, in their order) each face is, by its shape: about 1 of "
        "his own, 0 of\nanother's. `like_at_once` and `like_in_time` are what is asked of one frame and of a mean.");
  m.attr("like_at_once") = like_at_once;
  m.attr("like_in_time") = like_in_time;
  m.attr("adult_kappa_deg") = adult_kappa_deg;
  m.attr("outer_canthus_share") = outer_canthus_share;
  m.def(
      "eye_at_age",
      [](double age_years) {
        const Growth growth = Growth::at(age_years);
        return std::pair(growth.globe, growth.hvid_mm);
      },
      py::arg("age_years"), "Radius of the globe, a share of a grown-up's, and the width of the iris, mm.");
  m.attr("adult_pupils_mm") = adult_pupils_mm;
  m.attr("cornea_to_limbus_sd_share") = cornea_to_limbus_sd_share;
  m.def(
      "head_rotation",
      [](double yaw_deg, double pitch_deg, double roll_deg) {
        const Eigen::Matrix<double, 3, 3, Eigen::RowMajor> r = head_rotation({yaw_deg, pitch_deg, roll_deg});
        return Doubles({3, 3}, r.data());
      },
      py::arg("yaw_deg"), py::arg("pitch_deg"), py::arg("roll_deg"),
      "(3, 3) from head axes to camera axes; + is towards the patient's left, up, patient's left side raised.");
}

}  // namespace dmask
