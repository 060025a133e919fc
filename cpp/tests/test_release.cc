// Every door out of the core and its C interface, under every profile: what may not leave is not there, what may is.
#include <cmath>
#include <string>
#include <vector>

#include "check.hpp"
#include "dmask/dmask.h"
#include "geometry/larger.hpp"
#include "models_dir.hpp"
#include "pipeline/mask_mesh.hpp"
#include "pipeline/pipeline.hpp"
#include "rendered_face.h"

using namespace dmask;

namespace {

constexpr int width = 640, height = 480, frames = 16;  // the last calibration but one is at the 15th
constexpr double measured_hvid_mm = 12.34;

const std::vector<std::uint8_t>& frame_pixels(int i) {
  static std::vector<std::vector<std::uint8_t>> made(frames);
  if (made[i].empty()) {
    made[i].resize(std::size_t{3} * width * height);
    check(rendered_face(test::models_dir().c_str(), i / 30.0, width, height, made[i].data()) == 0,
          "a frame could not be rendered");
  }
  return made[i];
}

PipelineOptions options_for(Profile profile) {
  PipelineOptions options;
  options.models_dir = test::models_dir();
  options.profile = profile;
  options.backend = BackendKind::cpu;
  set_option(options, "hvid_mm", measured_hvid_mm);
  return options;
}

struct Followed {
  explicit Followed(Profile profile) : pipeline(options_for(profile), cpu_backend()) {
    FrameDetection detection;
    for (int i = 0; i < frames; ++i)
      result = pipeline.follow({frame_pixels(i).data(), width, height, 3, 3 * width}, i / 30.0, detection);
  }
  Pipeline pipeline;
  FrameResult result;
};

const Followed& followed(Profile profile) {
  static const Followed all[] = {Followed(Profile::clinical), Followed(Profile::article), Followed(Profile::strict)};
  return all[static_cast<int>(profile)];
}

constexpr Profile profiles[] = {Profile::clinical, Profile::article, Profile::strict};

// How far lid motions are from those that a generic eye's opening and shutting can be.
double beyond_openness(const Models& models, int eye, const LidWeightsF& motion) {
  MatX path(motion.size(), 3);
  int column = 0;
  for (const char* name : {"blink_mid", "blink_full", "upper_retract"})
    path.col(column++) = models.eyelid[eye].named(name).cast<double>();
  const VecX m = motion.cast<double>();
  return (path * path.colPivHouseholderQr().solve(m) - m).norm();
}

TEST_CASE(a_frame_holds_what_its_profile_lets_out) {
  for (const Profile profile : profiles) {
    const Followed& f = followed(profile);
    const bool strict = profile == Profile::strict;
    EXPECT(f.result.face_reason == Reason::none);
    EXPECT(std::isfinite(f.result.head.yaw_deg) && f.result.head_mm.allFinite());
    for (int eye = 0; eye < 2; ++eye) {
      const EyeMeasures& e = f.result.eyes[eye];
      EXPECT(e.reason == Reason::none);
      EXPECT(std::isfinite(f.pipeline.unreleased_fit().eyes[eye].mrd1_mm));  // there is something to withhold
      EXPECT(std::isnan(e.mrd1_mm) == strict);
      EXPECT(std::isnan(e.mrd2_mm) == strict);
      EXPECT(std::isnan(e.pfh_mm) == strict);
      EXPECT(std::isfinite(e.openness) && std::isfinite(e.yaw_deg) && std::isfinite(e.pitch_sd_deg) &&
             std::isfinite(e.px_per_deg));
      const double beyond = beyond_openness(f.pipeline.models(), eye, f.result.mask.eyes[eye].motion);
      EXPECT(strict ? beyond < 1e-4 : beyond >= 1e-4);
    }
  }
}

TEST_CASE(an_eye_that_is_not_valid_has_no_numbers_of_its_gaze) {
  const Followed& f = followed(Profile::article);
  FrameFit fit = f.pipeline.unreleased_fit();
  fit.eyes[OD].reason = Reason::covered;
  const FrameResult result =
      release_frame(f.pipeline.models(), f.pipeline.unreleased_calibration(), f.pipeline.subject(),
                    MaskLips::of(f.pipeline.models(), f.pipeline.subject()), fit);
  const EyeMeasures &od = result.eyes[OD], &os = result.eyes[OS];
  for (const double value : {od.yaw_deg, od.pitch_deg, od.yaw_sd_deg, od.pitch_sd_deg, od.eyeball_residual_pct})
    EXPECT(std::isnan(value));
  for (const double value : {od.openness, od.mrd1_mm, od.eyelid_residual_pct, os.yaw_deg, os.eyeball_residual_pct})
    EXPECT(std::isfinite(value));
}

TEST_CASE(a_mask_shows_no_finding_in_an_eye_that_was_not_measured) {
  using EyeLook = MaskFrame::EyeLook;
  for (const Profile profile : profiles) {
    const Followed& f = followed(profile);
    const MaskLips lips = MaskLips::of(f.pipeline.models(), f.pipeline.subject());
    FrameFit fit = f.pipeline.unreleased_fit();
    fit.eyes[OD].gaze_found = false;
    fit.eyes[OS].gaze_found = fit.eyes[OS].lids_valid = false;
    const auto released = [&](const FrameFit& of) {
      return release_frame(f.pipeline.models(), f.pipeline.unreleased_calibration(), f.pipeline.subject(), lips, of)
          .mask.eyes;
    };
    for (const MaskFrame::EyeState& eye : released(f.pipeline.unreleased_fit())) EXPECT(eye.look == EyeLook::iris);
    EXPECT(released(fit)[OD].look == EyeLook::lids && !released(fit)[OD].motion.isZero(0));
    EXPECT(released(fit)[OS].look == EyeLook::covered && released(fit)[OS].motion.isZero(0));
    for (const MaskFrame::EyeState& eye : released(fit)) EXPECT(eye.yaw == 0 && eye.pitch == 0);
  }
}

TEST_CASE(lips_that_touch_in_the_landmarks_touch_in_the_mask) {
  const Models& models = followed(Profile::clinical).pipeline.models();
  for (const Profile profile : profiles) {
    const MaskLips lips = MaskLips::of(models, followed(profile).pipeline.subject());
    UnitWeightsF parted = UnitWeightsF::Zero(models.face.units());
    parted[models.face.unit("jawOpen")] = 0.2f;
    const auto gap_mm = [&](const UnitWeightsF& units, int pair) {
      return lips.gap_mm[pair] + lips.by_unit_mm[pair].dot(units);
    };
    UnitWeightsF shut = parted, open = parted, unknown = parted;
    lips.close({0.4, 0.6, 0.5}, shut);
    lips.close({4, 5, 4}, open);
    lips.close({NAN, NAN, NAN}, unknown);
    for (int pair = 0; pair < 3; ++pair) {
      EXPECT(gap_mm(parted, pair) > 5);
      EXPECT(gap_mm(shut, pair) < 0.01 && gap_mm(shut, pair) > -1);
      EXPECT(gap_mm(open, pair) < 5.01 && gap_mm(open, pair) > 3);
      EXPECT(gap_mm(unknown, pair) == gap_mm(parted, pair));
    }
  }
}

TEST_CASE(a_subject_is_generic_but_for_what_its_profile_lets_out) {
  for (const Profile profile : profiles) {
    const Pipeline& pipeline = followed(profile).pipeline;
    const MaskSubject& subject = pipeline.subject();
    const Calibration& own = pipeline.unreleased_calibration();
    const bool article = profile == Profile::article, strict = profile == Profile::strict;
    EXPECT(own.identity.norm() > 0.1 && std::abs(own.scale - 1) > 1e-6);
    EXPECT(subject.profile == profile);
    EXPECT((subject.identity == VecXf(own.identity.cast<float>())) == article);
    EXPECT(subject.identity.isZero(0) == !article);
    EXPECT(subject.scale == (article ? static_cast<float>(own.scale) : 1.0f));
    for (int eye = 0; eye < 2; ++eye) {
      const MaskEye& e = subject.eyes[eye];
      EXPECT(own.eyes[eye].shape.norm() > 0.01);
      EXPECT((e.centre == pipeline.models().eyelid[eye].centre) == !article);
      EXPECT((e.shape == VecXf(own.eyes[eye].shape.cast<float>())) == !strict);
      EXPECT(e.shape.isZero(0) == strict);
      EXPECT((e.patch_offset.isZero(0) && e.patch_roll == 0) == strict);
      EXPECT((e.iris_radius_mm == MaskEye{}.iris_radius_mm) == strict);
    }
  }
}

TEST_CASE(a_calibration_tells_what_its_profile_lets_out) {
  for (const Profile profile : profiles) {
    const CalibrationSummary c = followed(profile).pipeline.calibration();
    EXPECT(c.ok && !c.frames_used.empty());
    EXPECT(std::isfinite(c.scale) == (profile == Profile::article));
    EXPECT(std::isnan(c.iris_radius_mm) == (profile == Profile::strict));
    EXPECT(std::isnan(c.iris_radius_sd_mm) == (profile == Profile::strict));
    for (const Vec3& sd : c.eye_centre_sd_mm) EXPECT(sd.allFinite() == (profile != Profile::strict));
  }
  const CalibrationSummary none = release_calibration({}, Profile::article);
  EXPECT(!none.ok && std::isnan(none.scale) && std::isnan(none.iris_radius_mm) &&
         !none.eye_centre_sd_mm[OD].allFinite());
}

TEST_CASE(options_beside_results_name_no_folder_and_no_withheld_measure) {
  for (const Profile profile : profiles) {
    bool profile_there = false, hvid_there = false;
    for (const auto& [name, value] : release_options(options_for(profile))) {
      profile_there |= name == "profile" && value == OptionValue(std::string(name_of(profile)));
      hvid_there |= name == "hvid_mm" && value == OptionValue(measured_hvid_mm);
      EXPECT(name != "models_dir");
      EXPECT(value || (name == "hvid_mm" && profile == Profile::strict));
    }
    EXPECT(profile_there);
    EXPECT(hvid_there == (profile != Profile::strict));
  }
}

// ---- The C interface.

void append(std::int32_t, const char* text, void* user) { *static_cast<std::string*>(user) += text; }

struct Handle {
  explicit Handle(Profile profile) {
    dmask_options options;
    dmask_default_options(&options, sizeof options);
    const std::string folder = test::models_dir();
    options.models_dir = folder.c_str();
    options.profile = static_cast<std::int32_t>(profile);
    options.backend = DMASK_BACKEND_CPU;
    options.patient.hvid_mm = measured_hvid_mm;
    options.log = append;
    options.log_user = &told;
    char error[DMASK_TEXT_BYTES];
    check(dmask_create(&options, &p, error, sizeof error) == DMASK_OK, error);
    measures.struct_size = sizeof measures;
    for (int i = 0; i < frames; ++i) {
      dmask_frame frame{};
      frame.struct_size = sizeof frame;
      frame.format = DMASK_FORMAT_BGR;
      frame.width = width;
      frame.height = height;
      frame.data = frame_pixels(i).data();
      frame.stride = 3 * width;
      frame.time_s = i / 30.0;
      check(dmask_process(p, &frame, &measures) == DMASK_OK, dmask_last_error(p));
    }
    std::vector<std::uint8_t> pixels(std::size_t{3} * width * height);
    dmask_picture picture{sizeof picture, DMASK_FORMAT_BGR, width, height, pixels.data(), 3 * width};
    check(dmask_render(p, &picture) == DMASK_OK, dmask_last_error(p));
  }
  ~Handle() { dmask_destroy(p); }

  std::string told;
  dmask_pipeline* p = nullptr;
  dmask_measures measures{};
};

TEST_CASE(the_c_interface_hands_out_what_the_core_released) {
  for (const Profile profile : profiles) {
    const Handle handle(profile);
    const Followed& f = followed(profile);
    // Two links of the same sources may contract their products differently.
    const auto same = [](double a, double b) {
      return std::abs(a - b) <= 1e-5 * (1 + std::abs(b)) || (std::isnan(a) && std::isnan(b));
    };

    EXPECT(same(handle.measures.head_yaw_deg, f.result.head.yaw_deg) &&
           same(handle.measures.head_z_mm, f.result.head_mm.z()));
    for (int eye = 0; eye < 2; ++eye) {
      const dmask_eye_measures& e = handle.measures.eyes[eye];
      const EyeMeasures& want = f.result.eyes[eye];
      EXPECT(e.valid == 1 && same(e.yaw_deg, want.yaw_deg) && same(e.pitch_deg, want.pitch_deg));
      EXPECT(same(e.yaw_sd_deg, want.yaw_sd_deg) && same(e.pitch_sd_deg, want.pitch_sd_deg));
      EXPECT(same(e.mrd1_mm, want.mrd1_mm) && same(e.mrd2_mm, want.mrd2_mm) && same(e.pfh_mm, want.pfh_mm));
      EXPECT(std::isnan(e.mrd1_mm) == (profile == Profile::strict));
      EXPECT(same(e.openness, want.openness) && same(e.px_per_deg, want.px_per_deg));
      EXPECT(same(e.eyeball_residual_pct, want.eyeball_residual_pct) &&
             same(e.eyelid_residual_pct, want.eyelid_residual_pct));
    }

    dmask_calibration calibration{};
    calibration.struct_size = sizeof calibration;
    EXPECT(dmask_get_calibration(handle.p, &calibration) == DMASK_OK);
    const CalibrationSummary c = f.pipeline.calibration();
    EXPECT(calibration.ok == 1 && calibration.frames_used == static_cast<std::int32_t>(c.frames_used.size()));
    EXPECT(same(calibration.scale, c.scale) && same(calibration.iris_radius_mm, c.iris_radius_mm));
    EXPECT(same(calibration.iris_radius_sd_mm, c.iris_radius_sd_mm));
    for (int eye = 0; eye < 2; ++eye)
      for (int a = 0; a < 3; ++a) EXPECT(same(calibration.eye_centre_sd_mm[eye][a], c.eye_centre_sd_mm[eye][a]));

    std::vector<float> row(static_cast<std::size_t>(dmask_parameter_count(handle.p)));
    EXPECT(dmask_get_parameters(handle.p, row.data(), static_cast<std::int32_t>(row.size())) == DMASK_OK);
    const std::vector<float> want_row = f.result.mask.to_row();
    EXPECT(row.size() == want_row.size());
    for (std::size_t i = 0; i < row.size(); ++i) EXPECT(same(row[i], want_row[i]));

    // Vertices are those of the released subject and frame: nothing of the patient's own came in on the way.
    std::vector<float> xyz(static_cast<std::size_t>(dmask_vertex_count(handle.p)) * 3);
    EXPECT(dmask_get_vertices(handle.p, xyz.data(), dmask_vertex_count(handle.p)) == DMASK_OK);
    const MaskMesh mesh(f.pipeline.models(), f.pipeline.subject());
    VecXf head, local;
    Points3f camera;
    camera.setZero(mesh.vertices(), 3);
    mesh.pose(f.result.mask, head, local, camera);
    EXPECT(xyz.size() == static_cast<std::size_t>(camera.size()));
    EXPECT(largest_difference(Eigen::Map<const Points3f>(xyz.data(), camera.rows(), 3), camera) < 1e-2);

    EXPECT(handle.told.find("calibrated with") != std::string::npos);
    EXPECT(handle.told.find("mm") == std::string::npos);
  }
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
