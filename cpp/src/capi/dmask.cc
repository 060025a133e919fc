// The C ABI over Pipeline: checks what comes in, catches what would go out.
#include "dmask/dmask.h"

#include <atomic>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

#include "capi/default_arithmetic.hpp"
#include "capi/frame.hpp"
#include "capi/library_folder.hpp"
#include "capi/structs.hpp"
#include "cuda/choose_backend.hpp"
#include "geometry/stopwatch.hpp"
#include "pipeline/mask_mesh.hpp"
#include "pipeline/pipeline.hpp"

struct dmask_pipeline {
  explicit dmask_pipeline(const dmask_options& options);

  dmask::PipelineOptions settings;
  dmask_log log;
  void* log_user;
  dmask::Pipeline core;
  int vertices = 0;
  dmask::Triangles triangles;
  std::vector<std::string> parameter_names;
  std::string backend;

  dmask::FrameDetection detection;
  dmask::FrameResult result;
  bool processed = false, mesh_ready = false;
  std::vector<std::uint8_t> converted;  // of frames in a format that the core does not read
  dmask::Image mask;
  double convert_ms = 0, process_ms = 0;

  std::atomic<bool> busy = false;
  char error[DMASK_TEXT_BYTES] = "";

  void tell(dmask_log_level level, const char* text) noexcept {
    if (!log) return;
    try {
      log(level, text, log_user);
    } catch (...) {  // a callback of C++ code: its exception is not ours to pass on
    }
  }
};

namespace {

using namespace dmask;

void write_text(char* to, std::size_t bytes, const char* text) {
  if (to && bytes > 0) std::snprintf(to, bytes, "%s", text);
}

// Runs `work`, and turns whatever it throws into a status and a sentence.
template <class Work>
dmask_status caught(dmask_status otherwise, char* error, std::size_t error_bytes, Work&& work) noexcept {
  const DefaultArithmetic arithmetic;
  try {
    work();
    return DMASK_OK;
  } catch (const Refusal& refusal) {
    write_text(error, error_bytes, refusal.what());
    return refusal.status;
  } catch (const WrongOption& wrong) {
    write_text(error, error_bytes, wrong.what());
    return DMASK_BAD_ARGUMENT;
  } catch (const std::bad_alloc&) {
    write_text(error, error_bytes, "got no memory from the system: close something else, or use smaller frames");
    return DMASK_NO_MEMORY;
  } catch (const std::exception& e) {
    write_text(error, error_bytes, e.what());
    return otherwise;
  } catch (...) {
    write_text(error, error_bytes,
               "an exception of unknown kind came out of the inference library: report it with dmask_system_info");
    return otherwise;
  }
}

// One call on a handle.
template <class Work>
std::int32_t call(dmask_pipeline* p, Work&& work) noexcept {
  if (!p) return DMASK_BAD_ARGUMENT;
  if (p->busy.exchange(true, std::memory_order_acquire)) return DMASK_BUSY;
  const dmask_status status = caught(DMASK_FAILED, p->error, sizeof p->error, work);
  if (status != DMASK_OK) p->tell(DMASK_LOG_ERROR, p->error);
  p->busy.store(false, std::memory_order_release);
  return status;
}

[[noreturn]] void refuse(dmask_status status, const char* format, ...) {
  char text[DMASK_TEXT_BYTES];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  throw Refusal(status, text);
}

void require_code(const char* name, std::int32_t value, std::int32_t last) {
  if (value < 0 || value > last) refuse(DMASK_BAD_ARGUMENT, "got %s %d, expected 0 to %d", name, value, last);
}

void require_buffer(const void* buffer, std::int32_t got, std::int32_t expected, const char* what) {
  if (!buffer) refuse(DMASK_BAD_ARGUMENT, "got a null pointer, expected room for %d %s", expected, what);
  if (got != expected) refuse(DMASK_BAD_ARGUMENT, "got room for %d %s, expected %d", got, what, expected);
}

void require_processed(const dmask_pipeline& p) {
  if (!p.processed) refuse(DMASK_NOT_READY, "no frame was processed so far: call dmask_process first");
}

// Codes and names are one: the C enumerators count as the core's do.
static_assert(
    DMASK_PROFILE_STRICT == static_cast<int>(Profile::strict) && DMASK_KEEP_ALL == static_cast<int>(Keep::all) &&
    DMASK_FRAMING_INPUT == static_cast<int>(Framing::input) && DMASK_COARSE_TIME_ON == static_cast<int>(Coarse::on) &&
    DMASK_LAMP_CAMERA == static_cast<int>(Lamp::camera) && DMASK_DISTANCE_FAR == static_cast<int>(Distance::far) &&
    DMASK_WEIGHTS_OPEN == static_cast<int>(Weights::open) &&
    DMASK_BACKEND_TENSORRT == static_cast<int>(BackendKind::tensorrt) &&
    DMASK_PRECISION_F16 == static_cast<int>(Precision::f16) &&
    DMASK_FIXATING_BOTH == static_cast<int>(Fixating::both) && DMASK_PERSON_9 == static_cast<int>(Person::n9) &&
    DMASK_REASON_NOT_IN_VIEW == static_cast<int>(Reason::not_in_view) &&
    DMASK_VIEW_EYE == static_cast<int>(View::eye) && DMASK_LATERALITY_OS == static_cast<int>(Side::os) &&
    DMASK_LATERALITY_OS == static_cast<int>(Laterality::os));

template <class Enum>
Enum coded(const char* name, std::int32_t code) {
  require_code(name, code, static_cast<std::int32_t>(choices_of<Enum>.size()) - 1);
  return static_cast<Enum>(code);
}

dmask_patient default_patient() {
  const PatientOptions p;
  return {sizeof(dmask_patient),
          static_cast<std::int32_t>(p.fixating),
          p.fixating_from_s,
          p.fixating_to_s,
          p.hvid_mm,
          p.age_years,
          {}};
}

PatientOptions valid_patient(const dmask_patient& p) {
  require_same_size(p, "dmask_patient");
  require_zeros(p.reserved, "dmask_patient");
  // A program that was written before ages were says 0.
  const double age_years = p.age_years == 0 ? PatientOptions{}.age_years : p.age_years;
  const PatientOptions patient{p.hvid_mm, age_years, coded<Fixating>("fixating", p.fixating), p.fixating_from_s,
                               p.fixating_to_s};
  check_patient(patient);
  return patient;
}

// Models of the installation that this library is part of.
std::string installed_models_dir() {
  const std::string folder = library_folder();
  if (folder.empty()) refuse(DMASK_BAD_SETUP, "cannot tell where the library lies: set models_dir");
  return folder + "/" + DMASK_MODELS_FROM_LIBRARY;
}

dmask_options default_options() {
  const PipelineOptions usual;
  dmask_options o{};
  o.struct_size = sizeof o;
  o.version = DMASK_VERSION_NUMBER;
  o.profile = static_cast<std::int32_t>(usual.profile);
  o.weights = static_cast<std::int32_t>(usual.weights);
  o.backend = static_cast<std::int32_t>(usual.backend);
  o.precision = static_cast<std::int32_t>(usual.precision);
  o.threads = usual.threads;
  o.eyebrows = usual.fit.eyebrows;
  o.live_calibration = usual.live_calibration;
  o.hfov_deg = usual.fit.hfov_deg;
  o.patient = default_patient();
  o.person = static_cast<std::int32_t>(usual.person);
  o.keep = static_cast<std::int32_t>(usual.keep);
  o.framing = static_cast<std::int32_t>(usual.framing);
  o.coarse_time = static_cast<std::int32_t>(usual.coarse_time);
  o.lamp = static_cast<std::int32_t>(usual.lamp);
  o.view = static_cast<std::int32_t>(usual.view);
  o.eye = static_cast<std::int32_t>(usual.eye);
  o.mm_per_px = usual.fit.mm_per_px;
  return o;
}

PipelineOptions settings_of(const dmask_options& o) {
  if (!same_interface(o.version))
    refuse(
        DMASK_BAD_VERSION,
        "got a program compiled against dmask.h %u.%u, expected %d.%d: compile it against the header of this library",
        o.version / 10000, o.version / 100 % 100, DMASK_VERSION_MAJOR, DMASK_VERSION_MINOR);
  require_code("eyebrows", o.eyebrows, 1);
  require_code("live_calibration", o.live_calibration, 1);
  require_zeros(std::array{o.reserved}, "dmask_options");
  PipelineOptions s;
  s.models_dir = o.models_dir ? o.models_dir : installed_models_dir();
  s.profile = coded<Profile>("profile", o.profile);
  s.weights = coded<Weights>("weights", o.weights);
  s.backend = coded<BackendKind>("backend", o.backend);
  s.precision = coded<Precision>("precision", o.precision);
  s.threads = o.threads;
  s.person = coded<Person>("person", o.person);
  s.keep = coded<Keep>("keep", o.keep);
  s.framing = coded<Framing>("framing", o.framing);
  s.coarse_time = coded<Coarse>("coarse_time", o.coarse_time);
  s.lamp = coded<Lamp>("lamp", o.lamp);
  s.view = coded<View>("view", o.view);
  s.eye = coded<Side>("eye", o.eye);
  s.fit.mm_per_px = o.mm_per_px;
  s.live_calibration = o.live_calibration != 0;
  s.fit.hfov_deg = o.hfov_deg;
  s.fit.eyebrows = o.eyebrows != 0;
  apply_patient(valid_patient(o.patient), s.fit);
  check_options(s);
  return s;
}

std::vector<std::string> names_of_parameters(const Models& models) {
  std::vector<std::string> names = {"face",
                                    "head_turn_x_rad",
                                    "head_turn_y_rad",
                                    "head_turn_z_rad",
                                    "head_origin_x_mm",
                                    "head_origin_y_mm",
                                    "head_origin_z_mm"};
  for (const std::string& unit : models.face.unit_names()) names.push_back("unit_" + unit);
  for (const char* eye : {"od", "os"}) {
    const std::string prefix = std::string(eye) + "_";
    for (const char* name : {"gaze", "yaw_rad", "pitch_rad"}) names.push_back(prefix + name);
    for (Eigen::Index k = 0; k < models.eyelid[OD].motion.cols(); ++k)
      names.push_back(prefix + "lid_" + std::to_string(k));
  }
  return names;
}

template <class Points>
void copy_points(const Points& from, dmask_point* to) {
  for (const Landmark& p : from) *to++ = {p.x, p.y, p.confidence, 0};
}

dmask_landmarks landmarks_of(const FrameDetection& d) {
  dmask_landmarks l{};
  if (!d.face_found && !d.close_up) return l;
  l.face_found = d.face_found;
  l.close_up = d.close_up;
  l.laterality = static_cast<std::int32_t>(d.laterality());
  l.side_confidence = d.close_up ? d.side_confidence : 0;
  l.track = d.track;
  l.face_score = d.face_score;
  l.sharpness = d.sharpness;
  copy_points(d.face, l.face);
  const bool unnamed = d.close_up && !d.eyes_in_view[OD] && d.laterality() == Laterality::none;
  for (int eye = 0; eye < 2; ++eye) {
    const EyeDetection& from = d.eyes[unnamed ? 1 - eye : eye];
    dmask_eye_landmarks& to = l.eyes[eye];
    copy_points(from.lid, to.lid);
    copy_points(from.iris, to.iris);
    copy_points(from.pupil, to.pupil);
    copy_points(from.lines[CREASE], to.crease);
    copy_points(from.lines[UPPER_MARGIN], to.upper);
    copy_points(from.lines[LOWER_MARGIN], to.lower);
    copy_points(from.lines[BULGE], to.bulge);
  }
  return l;
}

dmask_eye_measures measures_of(const EyeMeasures& e) {
  return {.valid = e.reason == Reason::none,
          .reason = static_cast<std::int32_t>(e.reason),
          .yaw_deg = e.yaw_deg,
          .pitch_deg = e.pitch_deg,
          .yaw_sd_deg = e.yaw_sd_deg,
          .pitch_sd_deg = e.pitch_sd_deg,
          .mrd1_mm = e.mrd1_mm,
          .mrd2_mm = e.mrd2_mm,
          .pfh_mm = e.pfh_mm,
          .openness = e.openness,
          .px_per_deg = e.px_per_deg,
          .eyeball_residual_pct = e.eyeball_residual_pct,
          .eyelid_residual_pct = e.eyelid_residual_pct,
          .mrd1_sd_mm = e.mrd1_sd_mm,
          .mrd2_sd_mm = e.mrd2_sd_mm,
          .pfh_sd_mm = e.pfh_sd_mm,
          .reflex_yaw_deg = e.reflex_yaw_deg,
          .reflex_pitch_deg = e.reflex_pitch_deg,
          .reflex_yaw_sd_deg = e.reflex_yaw_sd_deg,
          .reflex_pitch_sd_deg = e.reflex_pitch_sd_deg,
          .pupil_mm = e.pupil_mm};
}

dmask_measures measures_of(const dmask_pipeline& p) {
  const FrameResult& r = p.result;
  dmask_measures m{};
  m.face_valid = r.face_reason == Reason::none;
  m.face_reason = static_cast<std::int32_t>(r.face_reason);
  m.calibrated = p.core.calibrated();
  m.time_s = r.time_s;
  m.head_yaw_deg = r.head.yaw_deg;
  m.head_pitch_deg = r.head.pitch_deg;
  m.head_roll_deg = r.head.roll_deg;
  m.head_x_mm = r.head_mm.x();
  m.head_y_mm = r.head_mm.y();
  m.head_z_mm = r.head_mm.z();
  for (int eye = 0; eye < 2; ++eye) m.eyes[eye] = measures_of(r.eyes[eye]);
  m.distance = static_cast<std::int32_t>(r.distance);
  m.close_up = r.close_up;
  m.laterality = static_cast<std::int32_t>(r.laterality);
  m.head_yaw_sd_deg = r.head_sd.yaw_deg;
  m.head_pitch_sd_deg = r.head_sd.pitch_deg;
  m.head_roll_sd_deg = r.head_sd.roll_deg;
  m.deviation_yaw_sd_deg = r.deviation_yaw_sd_deg;
  m.deviation_pitch_sd_deg = r.deviation_pitch_sd_deg;
  return m;
}

dmask_calibration calibration_of(const dmask_pipeline& p) {
  const CalibrationSummary c = p.core.calibration();
  dmask_calibration out{};
  out.ok = c.ok;
  out.frames_seen = p.core.live_faces();
  out.frames_used = static_cast<std::int32_t>(c.frames_used.size());
  out.scale = c.scale;
  out.iris_radius_mm = c.iris_radius_mm;
  out.iris_radius_sd_mm = c.iris_radius_sd_mm;
  for (int eye = 0; eye < 2; ++eye)
    for (int a = 0; a < 3; ++a) out.eye_centre_sd_mm[eye][a] = c.eye_centre_sd_mm[eye][a];
  write_text(out.reason, sizeof out.reason, c.reason.c_str());
  return out;
}

void tell_calibration(dmask_pipeline& p, const CalibrationSummary& c) {
  char text[DMASK_TEXT_BYTES];
  std::snprintf(text, sizeof text, "%s with %zu of %d frames%s%s", c.ok ? "calibrated" : "not calibrated",
                c.frames_used.size(), p.core.live_faces(), c.reason.empty() ? "" : ": ", c.reason.c_str());
  p.tell(c.ok && c.reason.empty() ? DMASK_LOG_INFO : DMASK_LOG_WARNING, text);
}

}  // namespace

dmask_pipeline::dmask_pipeline(const dmask_options& options)
    : settings(settings_of(options)),
      log(options.log),
      log_user(options.log_user),
      core(settings, choose_backend(settings)) {
  core.prepare();
  parameter_names = names_of_parameters(core.models());
  backend = core.backend().name + ": " + core.backend().reason;
  const MaskMesh generic(core.models(), core.subject());
  vertices = generic.vertices();
  triangles = generic.triangles;
}

extern "C" {

DMASK_API uint32_t dmask_version(void) { return DMASK_VERSION_NUMBER; }

#define DMASK_TEXT_OF(x) #x
#define DMASK_TEXT(x) DMASK_TEXT_OF(x)
DMASK_API const char* dmask_version_text(void) {
  return DMASK_TEXT(DMASK_VERSION_MAJOR) "." DMASK_TEXT(DMASK_VERSION_MINOR) "." DMASK_TEXT(DMASK_VERSION_PATCH);
}

DMASK_API const char* dmask_status_text(int32_t status) {
  switch (status) {
    case DMASK_OK: return "done";
    case DMASK_BAD_ARGUMENT: return "an argument was null, out of range or not a number";
    case DMASK_BAD_VERSION: return "the program was compiled against another dmask.h";
    case DMASK_BAD_SETUP: return "models, backend, precision or CPU are not as needed";
    case DMASK_NOT_READY: return "something has to happen before";
    case DMASK_BUSY: return "the handle is in use by another thread";
    case DMASK_NO_MEMORY: return "out of memory";
    case DMASK_FAILED: return "the work failed";
    default: return "no dmask_status";
  }
}

DMASK_API const char* dmask_reason_text(int32_t reason) {
  return reason >= DMASK_REASON_NONE && reason <= DMASK_REASON_NOT_IN_VIEW ? reason_text(static_cast<Reason>(reason))
                                                                           : "no dmask_reason";
}

DMASK_API int32_t dmask_default_options(dmask_options* options, size_t struct_size) {
  if (!options) return DMASK_BAD_ARGUMENT;
  return caught(DMASK_FAILED, nullptr, 0, [&] {
    require_size<dmask_options>(struct_size, "dmask_options");
    std::memset(options, 0, struct_size);
    options->struct_size = static_cast<std::uint32_t>(struct_size);
    give(options, default_options());
  });
}

DMASK_API int32_t dmask_create(const dmask_options* options, dmask_pipeline** pipeline, char* error,
                               size_t error_bytes) {
  write_text(error, error_bytes, "");
  if (!pipeline) {
    write_text(error, error_bytes, "got a null pointer, expected where to put the handle");
    return DMASK_BAD_ARGUMENT;
  }
  *pipeline = nullptr;
#if defined(DMASK_X86_64_V3)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {  // before anything that uses them
    write_text(error, error_bytes,
               "this CPU has no AVX2 and FMA, which this build expects: build with -DDMASK_X86_64_V3=OFF");
    return DMASK_BAD_SETUP;
  }
#endif
  char sentence[DMASK_TEXT_BYTES] = "";
  const dmask_status status = caught(DMASK_BAD_SETUP, sentence, sizeof sentence, [&] {
    *pipeline = new dmask_pipeline(taken(options, "dmask_options", default_options()));
    (*pipeline)->tell(DMASK_LOG_INFO, dmask_system_info());
  });
  write_text(error, error_bytes, sentence);
  return status;
}

DMASK_API void dmask_destroy(dmask_pipeline* pipeline) {
  caught(DMASK_FAILED, nullptr, 0, [&] { delete pipeline; });
}

DMASK_API const char* dmask_backend_text(const dmask_pipeline* pipeline) {
  return pipeline ? pipeline->backend.c_str() : "";
}

DMASK_API const char* dmask_last_error(const dmask_pipeline* pipeline) {
  return pipeline ? pipeline->error : "got a null pointer, expected a handle of dmask_create";
}

DMASK_API int32_t dmask_process(dmask_pipeline* p, const dmask_frame* frame, dmask_measures* measures) {
  return call(p, [&] {
    const Stopwatch watch;
    const dmask_frame f = taken(frame, "dmask_frame");
    require_valid(f);
    if (f.on_device && p->core.backend().name == "cpu")
      refuse(DMASK_BAD_ARGUMENT,
             "got a frame in GPU memory (on_device 1) where the nets run on the CPU, expected one in the "
             "program's memory: set on_device to 0, or backend to DMASK_BACKEND_TENSORRT");
    if (measures) require_struct(measures, "dmask_measures");
    const ImageView view = view_of(f, p->converted);
    p->convert_ms = watch.ms();
    const int calibrations = p->core.live_calibrations();
    p->result = p->core.follow(view, f.time_s, p->detection);
    p->processed = true;
    p->process_ms = watch.ms();
    if (measures) give(measures, measures_of(*p));
    if (p->core.live_calibrations() == calibrations) return;
    p->mesh_ready = false;
    tell_calibration(*p, p->core.calibration());
  });
}

DMASK_API int32_t dmask_render(dmask_pipeline* p, dmask_picture* picture) {
  return call(p, [&] {
    const dmask_picture to = taken<dmask_picture>(picture, "dmask_picture");
    require_valid(to);
    require_processed(*p);
    p->core.render(p->result, to.width, to.height, p->mask);
    copy_into(p->mask, to);
    p->mesh_ready = p->mesh_ready || (p->core.painter() && p->result.mask.face);
  });
}

DMASK_API int32_t dmask_get_landmarks(dmask_pipeline* p, dmask_landmarks* landmarks) {
  return call(p, [&] {
    require_struct(landmarks, "dmask_landmarks");
    require_processed(*p);
    give(landmarks, landmarks_of(p->detection));
  });
}

DMASK_API int32_t dmask_get_diagnostics(dmask_pipeline* p, dmask_diagnostics* diagnostics) {
  return call(p, [&] {
    require_struct(diagnostics, "dmask_diagnostics");
    require_processed(*p);
    const Diagnostics d = p->core.unreleased_diagnostics();
    dmask_diagnostics out{};
    out.head_x_mm = d.head_mm.x();
    out.head_y_mm = d.head_mm.y();
    out.head_z_mm = d.head_mm.z();
    for (int eye = 0; eye < 2; ++eye) {
      out.px_per_deg[eye] = d.eyes[eye].px_per_deg;
      out.eyeball_residual_pct[eye] = d.eyes[eye].eyeball_residual_pct;
      out.eyelid_residual_pct[eye] = d.eyes[eye].eyelid_residual_pct;
    }
    give(diagnostics, out);
  });
}

DMASK_API int32_t dmask_get_timings(dmask_pipeline* p, dmask_timings* timings) {
  return call(p, [&] {
    require_struct(timings, "dmask_timings");
    const StageTimings& t = p->core.timings();
    give(timings, {sizeof(dmask_timings), 0, p->convert_ms, t.detect.face_detector, t.detect.preprocess,
                   t.detect.net_face, t.detect.net_eyelid, t.detect.net_iris, t.detect.net_lines, t.fit_face,
                   t.fit_eyelid, t.fit_eyeball, t.calibrate, t.render, p->process_ms});
  });
}

DMASK_API int32_t dmask_get_calibration(dmask_pipeline* p, dmask_calibration* calibration) {
  return call(p, [&] {
    require_struct(calibration, "dmask_calibration");
    give(calibration, calibration_of(*p));
  });
}

DMASK_API int32_t dmask_parameter_count(const dmask_pipeline* p) {
  return p ? static_cast<std::int32_t>(p->parameter_names.size()) : 0;
}

DMASK_API const char* dmask_parameter_name(const dmask_pipeline* p, int32_t index) {
  return index >= 0 && index < dmask_parameter_count(p) ? p->parameter_names[index].c_str() : nullptr;
}

DMASK_API int32_t dmask_get_parameters(dmask_pipeline* p, float* values, int32_t count) {
  return call(p, [&] {
    require_buffer(values, count, dmask_parameter_count(p), "parameters");
    require_processed(*p);
    const MaskFrame& mask = p->result.mask;
    if (mask.face) mask.write_row(values);
    else std::fill_n(values, count, 0.0f);
  });
}

DMASK_API int32_t dmask_vertex_count(const dmask_pipeline* p) { return p ? p->vertices : 0; }
DMASK_API int32_t dmask_triangle_count(const dmask_pipeline* p) {
  return p ? static_cast<std::int32_t>(p->triangles.rows()) : 0;
}

DMASK_API int32_t dmask_get_vertices(dmask_pipeline* p, float* xyz_mm, int32_t vertices) {
  return call(p, [&] {
    require_buffer(xyz_mm, vertices, p->vertices, "vertices");
    if (!p->mesh_ready) refuse(DMASK_NOT_READY, "no mask with a face was rendered so far: call dmask_render first");
    std::memcpy(xyz_mm, p->core.painter()->vertices().data(), sizeof(float) * 3 * vertices);
  });
}

DMASK_API int32_t dmask_get_triangles(dmask_pipeline* p, int32_t* indices, int32_t triangles) {
  return call(p, [&] {
    require_buffer(indices, triangles, dmask_triangle_count(p), "triangles");
    std::memcpy(indices, p->triangles.data(), sizeof(std::int32_t) * 3 * triangles);
  });
}

DMASK_API int32_t dmask_calibrate(dmask_pipeline* p) {
  return call(p, [&] {
    if (p->core.live_faces() == 0)
      refuse(DMASK_NOT_READY, "no frame with a face was processed so far: process some first");
    const CalibrationSummary found = p->core.calibrate_live();
    tell_calibration(*p, found);
    if (!found.ok) refuse(DMASK_FAILED, "the frames gathered so far do not calibrate: %s", found.reason.c_str());
    p->mesh_ready = false;
  });
}

DMASK_API int32_t dmask_reset(dmask_pipeline* p, const dmask_patient* patient) {
  return call(p, [&] {
    FitOptions fit = p->settings.fit;
    if (patient) apply_patient(valid_patient(*patient), fit);
    p->core.reset(fit);
    p->detection = {};
    p->result = {};
    p->processed = p->mesh_ready = false;
  });
}

}  // extern "C"
