// Masks without a camera: a patient as released, the track of a recording, and pictures of it.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "geometry/check.hpp"
#include "path.hpp"
#include "pipeline/track.hpp"
#include "result.hpp"

namespace py = pybind11;

namespace dmask {
namespace {

using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;

Floats to_array(const VecXf& v) { return Floats(v.size(), v.data()); }
Floats to_array(const Vec3f& v) { return Floats(3, v.data()); }

VecXf to_vector(const Floats& a) { return Eigen::Map<const VecXf>(a.data(), a.size()); }

Vec3f to_point(const Floats& a, const char* name) {
  check(a.size() == 3, std::string("got ") + name + " of " + std::to_string(a.size()) + " numbers, expected 3");
  return Eigen::Map<const Vec3f>(a.data());
}

Profile profile_of(const std::string& name) {
  PipelineOptions options;
  set_option(options, "profile", name);
  return options.profile;
}

Fraction to_fraction(const py::object& given) {
  return {given.attr("numerator").cast<std::int64_t>(), given.attr("denominator").cast<std::int64_t>()};
}
py::object to_python(const Fraction& f) {
  return py::module_::import("fractions").attr("Fraction")(f.numerator, f.denominator);
}

void check_size(int width, int height) {
  check(width >= 1 && height >= 1 && width <= Track::largest_px && height <= Track::largest_px,
        "got a picture of " + std::to_string(width) + " x " + std::to_string(height) + ", expected 1 to " +
            std::to_string(Track::largest_px) + " a side");
}

// Pictures of a stored track, without any detector.
struct MaskRenderer {
  MaskRenderer(const MaskSubject& subject, const std::string& models_dir)
      : models(Models::load(models_dir, models_dir)), painter(models, subject) {}

  MaskFrame frame_of(const Floats& row) const {
    const int units = models.face.units(), motions = static_cast<int>(models.eyelid[OD].motion.cols());
    check(row.ndim() == 1 && row.shape(0) == MaskFrame::row_size(units, motions),
          "got a track row of " + std::to_string(row.size()) + " numbers, expected " +
              std::to_string(MaskFrame::row_size(units, motions)) + ": the track was made with other models");
    return MaskFrame::from_row(row.data(), units, motions);
  }

  Models models;
  MaskPainter painter;
  Image image;
};

void bind_subject(py::module_& m) {
  const MaskEye usual;
  py::class_<MaskEye>(
      m, "MaskEye", "An eye that does not change from frame to frame. Head frame: patient's left, up, out of the face.")
      .def(py::init([](const Floats& shape, const Floats& centre_mm, const Floats& patch_offset_mm,
                       float patch_roll_rad, float iris_radius_mm) {
             return MaskEye{to_vector(shape), to_point(centre_mm, "centre_mm"),
                            to_point(patch_offset_mm, "patch_offset_mm"), patch_roll_rad, iris_radius_mm};
           }),
           py::arg("shape"), py::arg("centre_mm"), py::kw_only(), py::arg("patch_offset_mm") = std::array<float, 3>{},
           py::arg("patch_roll_rad") = usual.patch_roll, py::arg("iris_radius_mm") = usual.iris_radius_mm)
      .def_property_readonly(
          "shape", [](const MaskEye& e) { return to_array(e.shape); },
          "(Ks,) weights of the eyelid model's shapes, w_es.")
      .def_property_readonly(
          "centre_mm", [](const MaskEye& e) { return to_array(e.centre); }, "(3,) eyeball centre, head frame.")
      .def_property_readonly(
          "patch_offset_mm", [](const MaskEye& e) { return to_array(e.patch_offset); },
          "(3,) of the lids from the eyeball centre, head frame.")
      .def_readonly("patch_roll_rad", &MaskEye::patch_roll, "Of the lids about the line of sight.")
      .def_readonly("iris_radius_mm", &MaskEye::iris_radius_mm, "Of the visible iris, which the mask is drawn with.");

  py::class_<MaskSubject>(m, "MaskSubject",
                          "Whom masks show: face, lids and eyeballs, as the profile lets them out. What it withholds "
                          "is the generic face's.\n"
                          "Raises Error for what no patient can be.")
      .def(py::init([](const Floats& identity, const MaskEye& od, const MaskEye& os, const std::string& profile,
                       float hfov_deg, float scale, bool eyebrows) {
             MaskSubject subject;
             subject.profile = profile_of(profile);
             subject.hfov_deg = hfov_deg;
             subject.scale = scale;
             subject.eyebrows = eyebrows;
             subject.identity = to_vector(identity);
             subject.eyes = {od, os};
             check_subject(subject);
             return subject;
           }),
           py::arg("identity"), py::arg("od"), py::arg("os"), py::kw_only(), py::arg("profile") = "article",
           py::arg("hfov_deg") = MaskSubject{}.hfov_deg, py::arg("scale") = MaskSubject{}.scale,
           py::arg("eyebrows") = MaskSubject{}.eyebrows)
      .def_property_readonly(
          "profile", [](const MaskSubject& s) { return std::string(name_of(s.profile)); },
          "clinical, article or strict.")
      .def_readonly("hfov_deg", &MaskSubject::hfov_deg, "The camera's horizontal field of view.")
      .def_readonly("close_up", &MaskSubject::close_up, "Whether it is the skin about the eyes alone.")
      .def_readonly("scale", &MaskSubject::scale, "Of the face, on the face model's millimetres; 1 but in `article`.")
      .def_readonly("eyebrows", &MaskSubject::eyebrows, "Whether the lids follow the brows.")
      .def_property_readonly(
          "identity", [](const MaskSubject& s) { return to_array(s.identity); },
          "(K,) weights of the face model's identities, w_fs; zeros but in `article`.")
      .def_property_readonly(
          "od", [](const MaskSubject& s) { return s.eyes[OD]; }, "The patient's right eye.")
      .def_property_readonly(
          "os", [](const MaskSubject& s) { return s.eyes[OS]; }, "The patient's left eye.")
      .def("__repr__",
           [](const MaskSubject& s) { return std::string("MaskSubject(profile='") + name_of(s.profile) + "')"; });
}

void bind_track(py::module_& m) {
  py::class_<Track>(m, "Track",
                    "The parameters of a recording's masks: a track.dmask. Frames are rows of FrameResult.track_row "
                    "and their times.\n"
                    "Whatever it is given, write() and read() raise Error for what is no whole track: a missing or "
                    "changed byte, times\n"
                    "that do not rise, numbers that are not finite.")
      .def(py::init([](int width, int height, const py::object& time_base, const py::object& rate) {
             check_size(width, height);
             Track track;
             track.width = width;
             track.height = height;
             track.time_base = to_fraction(time_base);
             track.rate = to_fraction(rate);
             return track;
           }),
           py::arg("width"), py::arg("height"), py::kw_only(), py::arg("time_base"), py::arg("rate"),
           "An empty one, of pictures of width x height px; time_base: s a tick, rate: frames a s, both "
           "fractions.Fraction.")
      .def(
          "add",
          [](Track& t, const Floats& row, double time_s) {
            check(row.ndim() == 1, "got a row of " + std::to_string(row.ndim()) + " dimensions, expected 1");
            t.add(row.data(), static_cast<int>(row.size()), time_s);
          },
          py::arg("row"), py::arg("time_s"), "The next frame: (D,) float32, as long as the ones before.")
      .def(
          "write",
          [](Track& t, const py::object& path, const MaskSubject& subject) {
            t.subject = subject;
            t.write(path_in(path));  // Python's lock is kept: another thread's add() would move the rows away
          },
          py::arg("path"), py::arg("subject"), "The file, whole or not at all, with whom it shows.")
      .def_static(
          "read",
          [](const py::object& given) {
            const std::string path = path_in(given);
            const py::gil_scoped_release release;
            return Track::read(path);
          },
          py::arg("path"), "Of a file that `dmask run` wrote.")
      .def("__len__", &Track::frames)
      .def_readonly("subject", &Track::subject,
                    "MaskSubject: whom the masks show; a generic nobody before write() or read().")
      .def_property_readonly(
          "rows", [](const Track& t) { return py::array_t<float>({t.frames(), t.row_size}, t.rows.data()); },
          "(F, D) float32, one row a frame; a copy.")
      .def_property_readonly(
          "time_s", [](const Track& t) { return py::array_t<double>(t.frames(), t.time_s.data()); }, "(F,), rising.")
      .def_property_readonly(
          "time_base", [](const Track& t) { return to_python(t.time_base); }, "fractions.Fraction, s a tick.")
      .def_property_readonly(
          "rate", [](const Track& t) { return to_python(t.rate); }, "fractions.Fraction, frames a s.")
      .def_property_readonly(
          "size", [](const Track& t) { return py::make_tuple(t.width, t.height); }, "Width and height, px.")
      .def("__repr__", [](const Track& t) {
        return "Track(" + std::to_string(t.frames()) + " frames, " + std::to_string(t.width) + "x" +
               std::to_string(t.height) + ")";
      });
}

}  // namespace

void bind_mask(py::module_& m) {
  bind_subject(m);
  bind_track(m);
  py::class_<MaskRenderer>(m, "MaskRenderer",
                           "Draws a subject's masks from track rows, without any detector. For one thread at a time.")
      .def(py::init([](const MaskSubject& subject, const py::object& models_dir) {
             return std::make_unique<MaskRenderer>(subject, path_in(models_dir));
           }),
           py::arg("subject"), py::arg("models_dir"),
           "models_dir: the package's models folder. Raises Error where the subject is of other models.")
      .def(
          "render",
          [](MaskRenderer& r, const Floats& row, int width, int height) {
            check_size(width, height);
            r.painter.paint(r.frame_of(row), width, height, r.image);
            return picture_of(r.image);
          },
          py::arg("row"), py::arg("width"), py::arg("height"),
          "(height, width, 3) uint8 BGR of a row (D,); the plain background where the row has no face. Raises Error "
          "for a row of\n"
          "other models or with a number that is not finite.")
      .def(
          "vertices",
          [](MaskRenderer& r) {
            const Points3f& v = r.painter.vertices();
            return py::array_t<float>({v.rows(), Eigen::Index{3}}, v.data());
          },
          "(N, 3) float32 of the last picture with a face, camera frame (right, down, forward), mm.");
}

}  // namespace dmask
