"""Every door of the Python package and of its files, under every profile: what may not leave is not there."""

import json
import math

import numpy as np
import pytest
from conftest import write_video

import dmask
from dmask import _core, cli
from dmask.io.tables import EYES, read_frames
from dmask.io.track import read_track
from dmask.synthetic import SyntheticPatient
from dmask.synthetic.demo import motion

PROFILES = ("clinical", "article", "strict")
LID_MM = ("mrd1_mm", "mrd2_mm", "pfh_mm")
HVID_MM = 12.34  # measured on the patient
MODELS = _core.Models(dmask.Options().models_dir)
UNITS = len(MODELS.unit_names)


@pytest.fixture(scope="module")
def patient_frames():
    """Large enough for millimetres and angles to be measured."""
    patient = SyntheticPatient(seed=5, size=(480, 480))
    return [patient.render(motion(patient, number / 30))[0] for number in range(20)]


@pytest.fixture(scope="module")
def patient_video(patient_frames, tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("patient") / "in.mp4", patient_frames)


@pytest.fixture(scope="module", params=PROFILES)
def profile(request):
    return request.param


@pytest.fixture(scope="module")
def pipeline(profile, patient_frames):
    """After the frames of a patient, one by one."""
    made = dmask.Pipeline(dmask.Options(profile=profile, hvid_mm=HVID_MM, backend="cpu"))
    for number, frame in enumerate(patient_frames[:16]):
        made.process(frame, number / 30)
    return made


@pytest.fixture(scope="module")
def results(pipeline, patient_frames):
    """Of process() and of the steps apart."""
    processed = pipeline.process(patient_frames[16], 16 / 30)
    detection = pipeline.detect(patient_frames[17], 17 / 30)
    return [processed, pipeline.fit(detection)]


@pytest.fixture(scope="module")
def run(profile, patient_video, tmp_path_factory):
    out = tmp_path_factory.mktemp(profile) / "out"
    words = ["--profile", profile, "--hvid-mm", str(HVID_MM), "--backend", "cpu"]
    assert cli.main(["run", str(patient_video), "-o", str(out), *words]) == 0
    return out


def test_results_hold_what_the_profile_lets_out(profile, results):
    for result in results:
        assert result.face_valid and result.od.valid and result.os.valid
        for eye in EYES:
            measures, flat = getattr(result, eye), result.to_dict()
            assert math.isfinite(measures.openness) and math.isfinite(measures.yaw_deg)
            for name in LID_MM:
                withheld = [getattr(measures, name), measures.to_dict()[name], flat[f"{eye}_{name}"]]
                assert [math.isnan(value) for value in withheld] == [profile == "strict"] * 3
        assert "mm" not in repr(result)


def test_a_track_row_holds_no_more_than_the_mask_needs(profile, results):
    for result in results:
        row = result.track_row
        assert row[0] == 1 and (row[7 : 7 + UNITS] == result.units).all()
        assert len(row) == 7 + UNITS + 2 * (3 + MODELS.eyelid_motions)
        distance = beyond_openness(row[7 + UNITS + 3 :][: MODELS.eyelid_motions])
        assert distance < 1e-4 if profile == "strict" else distance >= 1e-4


def beyond_openness(motion):
    """How far lid motions are from those that a generic eye's opening and shutting can be."""
    names = ("blink_mid", "blink_full", "upper_retract")
    path = np.stack([MODELS.eyelid_motion(name) for name in names], 1).astype(np.float64)
    weights, *_ = np.linalg.lstsq(path, motion.astype(np.float64), rcond=None)
    return float(np.linalg.norm(path @ weights - motion))


def assert_subject(profile, subject, own):
    """`own` is the patient as calibrated, which is no generic one."""
    assert np.linalg.norm(own["identity"]) > 0.1 and np.linalg.norm(own["od_shape"]) > 0.01
    assert subject.profile == profile
    assert (subject.scale == 1) == (profile != "article")
    assert (not subject.identity.any()) == (profile != "article")
    for number, name in enumerate(EYES):
        eye = getattr(subject, name)
        generic_mm = MODELS.eye_centre(number, np.zeros(50, np.float32))
        assert np.allclose(eye.centre_mm, generic_mm, atol=1e-4) == (profile != "article")
        assert (not eye.shape.any()) == (profile == "strict")
        assert (not eye.patch_offset_mm.any() and eye.patch_roll_rad == 0) == (profile == "strict")
        assert (eye.iris_radius_mm == np.float32(5.85)) == (profile == "strict")


def test_the_subject_is_generic_but_for_what_the_profile_lets_out(profile, pipeline):
    assert_subject(profile, pipeline.subject, pipeline.unreleased_subject())


def test_a_calibration_tells_what_the_profile_lets_out(profile, pipeline):
    found = pipeline.calibration
    assert found.ok and found.frames_used
    assert math.isfinite(found.scale) == (profile == "article")
    assert math.isnan(found.iris_radius_mm) == math.isnan(found.iris_radius_sd_mm) == (profile == "strict")
    assert np.isnan(found.eye_centre_sd_mm).all() == (profile == "strict")
    told = found.to_dict()
    assert set(told) == {"ok", "reason", "frames_used", "scale", "iris_radius_mm", "iris_radius_sd_mm",
                         "eye_centre_sd_mm"}  # fmt: skip
    assert math.isnan(told["scale"]) == (profile != "article")


def test_frames_csv_holds_what_the_profile_lets_out(profile, run):
    frames = read_frames(run / "frames.csv")
    assert np.isfinite(frames["head_yaw_deg"]).any() and np.isfinite(frames["od_openness"]).any()
    for eye in EYES:
        for name in LID_MM:
            assert np.isnan(frames[f"{eye}_{name}"]).all() == (profile == "strict")


def test_summary_json_holds_what_the_profile_lets_out(profile, run):
    summary = json.loads((run / "summary.json").read_text())
    for eye in EYES:
        for name in LID_MM:
            assert (summary[eye][name]["median"] is None) == (profile == "strict")
    said = " ".join(summary["statements"])
    assert (f"{HVID_MM:g}" in said) == (profile != "strict")
    assert ("withheld by the profile" in said) == (profile == "strict")


def test_run_json_holds_what_the_profile_lets_out(profile, run):
    text = (run / "run.json").read_text()
    report = json.loads(text)
    assert report["options"]["profile"] == profile and "models_dir" not in report["options"]
    assert report["options"]["hvid_mm"] == (None if profile == "strict" else HVID_MM)
    assert (f"{HVID_MM:g}" in text) == (profile != "strict")
    assert set(report["calibration"]) == {"ok", "reason", "frames"}
    assert report["calibration"]["ok"] is True


def test_the_track_file_holds_what_the_profile_lets_out(profile, run, pipeline):
    track = read_track(run / "track.dmask")
    assert_subject(profile, track.subject, pipeline.unreleased_subject())
    lids = track.rows[:, 7 + UNITS + 3 :][:, : MODELS.eyelid_motions]
    distances = np.array([beyond_openness(motion) for motion in lids])
    assert distances.max() < 1e-4 if profile == "strict" else distances.max() >= 1e-4


def test_a_known_subject_gives_the_calibration_back(pipeline, profile):
    own = pipeline.unreleased_subject()
    again = dmask.Pipeline(dmask.Options(profile=profile, backend="cpu"))
    again.use_subject(own, 720, 720)
    for name, value in own.items():
        assert np.array_equal(again.unreleased_subject()[name], value), name


def test_options_beside_results_name_no_folder():
    released = dmask.Options(profile="strict", hvid_mm=HVID_MM, smoothing_scale=2).released()
    assert released["hvid_mm"] is None and released["profile"] == "strict"
    assert not {"models_dir", "smoothing_scale"} & set(released)
