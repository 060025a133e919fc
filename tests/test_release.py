"""Every door of the Python package and of its files, under every profile: what may not leave is not there."""

import csv
import json
import math
import shutil
import struct

import av
import cv2
import numpy as np
import pytest
from conftest import write_video

import dmask
from dmask import _core, cli
from dmask.io.mark import read_mark
from dmask.io.tables import EYES, read_frames
from dmask.io.track import read_track
from dmask.run.diagnostics import DIAGNOSTIC_FILES
from dmask.synthetic import SyntheticPatient
from dmask.synthetic.demo import motion

PROFILES = ("clinical", "article", "strict")
LID_MM = ("mrd1_mm", "mrd2_mm", "pfh_mm")
PLACE = ("head_x_mm", "head_y_mm", "head_z_mm")
OF_THE_MACHINE = ("px_per_deg", "eyeball_residual_pct", "eyelid_residual_pct")
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
            for name in OF_THE_MACHINE:
                withheld = [getattr(measures, name), measures.to_dict()[name], flat[f"{eye}_{name}"]]
                assert [math.isnan(value) for value in withheld] == [profile != "article"] * 3
        for name in PLACE:
            assert math.isnan(getattr(result, name)) == math.isnan(flat[name]) == (profile != "article")
        assert result.distance == flat["distance"] == "near"
        assert "mm" not in repr(result)


def test_a_track_row_holds_no_more_than_the_mask_needs(profile, results):
    for result in results:
        row = result.track_row
        assert row[0] == 1 and (row[7 : 7 + UNITS] == result.units).all()
        assert len(row) == 7 + UNITS + 2 * (3 + MODELS.eyelid_motions)
    assert_lids(profile, np.stack([result.track_row for result in results]))


def lids_of(rows, eye=0):
    """(F, motions) of an eye."""
    first = 7 + UNITS + 3 + eye * (3 + MODELS.eyelid_motions)
    return rows[:, first:][:, : MODELS.eyelid_motions].astype(np.float64)


def heights_of(motion, eye):
    """Of the generic upper and lower lid in their middle over the eyeball's centre."""
    shape = np.zeros(MODELS.eyelid_shapes, np.float32)
    lines = MODELS.eyelid_lines(eye, shape, motion.astype(np.float32))
    return tuple(float(lines[name][len(lines[name]) // 2, 1]) for name in ("upper", "lower"))


def course_of(lids, eye=0):
    """(F, motions): what of lid motions has no part in how high the margins are in their middle."""
    at_rest = np.array(heights_of(np.zeros(MODELS.eyelid_motions), eye))
    raised = np.array(
        [heights_of(one, eye) - at_rest for one in np.eye(MODELS.eyelid_motions)]
    )  # (motions, 2)
    return lids - lids @ raised @ np.linalg.pinv(raised)


def assert_lids(profile, rows):
    """Beside opening and shutting, generic lids go up and down with the gaze (strict), or have the course by
    which the patient's differ from their rest (clinical); the patient's own have a course of their own."""
    names = ("blink_mid", "blink_full", "upper_retract")
    path = np.stack([MODELS.eyelid_motion(name) for name in names], 1).astype(np.float64)
    lids = lids_of(rows).T
    weights, *_ = np.linalg.lstsq(path, lids, rcond=None)
    ways = int((np.linalg.svd(lids - path @ weights, compute_uv=False) > 1e-3).sum())
    assert {"strict": ways <= 1, "clinical": ways >= 1, "article": ways >= min(3, len(rows))}[profile]


def test_lids_at_rest_are_as_high_as_the_patient_s_and_have_nobody_s_course(
    profile, pipeline, patient_frames
):
    pictured = dmask.Pipeline(dmask.Options(profile=profile, backend="cpu"))
    detection = pictured.detect(patient_frames[17], 0.0)
    pictured.calibrate([detection])  # a still is its own rest
    row = pictured.fit(detection).track_row[None]
    for eye in (0, 1):
        own_course = np.linalg.norm(course_of(lids_of(row, eye), eye))
        if profile == "clinical":
            assert own_course < 1e-4 < 0.1 < np.linalg.norm(lids_of(row, eye))
        elif profile == "article":
            assert own_course > 0.1
    if profile != "clinical":
        return
    # Of a recording it is what differs from rest, wherever that is.
    known = pipeline.unreleased_subject()
    pictured.use_subject(known, 480, 480)
    row = pictured.fit(detection).track_row[None]
    shifted = known | {"od_rest_lid_motion": known["od_rest_lid_motion"] + 0.25}
    pictured.use_subject(shifted, 480, 480)
    moved = pictured.fit(detection).track_row[None]
    expected = course_of(np.full((1, MODELS.eyelid_motions), 0.25))
    assert np.abs(lids_of(row) - lids_of(moved) - expected).max() < 0.02 and np.abs(expected).max() > 0.1
    assert (lids_of(row, 1) == lids_of(moved, 1)).all()


def test_lids_too_small_to_be_measured_are_no_narrower_for_it(profile, patient_frames):
    gaps = []
    for side in (480, 110):
        small = dmask.Pipeline(dmask.Options(profile=profile, backend="cpu"))
        frame = cv2.resize(patient_frames[17], (side, side), interpolation=cv2.INTER_AREA)
        detection = small.detect(frame, 0.0)
        small.calibrate([detection])
        result = small.fit(detection)
        upper, lower = heights_of(lids_of(result.track_row[None])[0], 0)
        gaps.append(upper - lower)
    assert result.od.reason == "low_resolution" and math.isnan(result.od.openness)
    assert gaps[1] == pytest.approx(gaps[0], rel=0.25)


def test_of_who_is_too_small_to_be_measured_nothing_is_finer_than_it_was_seen(
    profile, pipeline, patient_frames
):
    known = pipeline.unreleased_subject()
    assert not known["rest_small"]
    told = []
    for small in (0.0, 1.0):
        again = dmask.Pipeline(dmask.Options(profile=profile, backend="cpu"))
        detection = again.detect(patient_frames[17], 17 / 30)
        again.use_subject(known | {"rest_small": small}, 480, 480)
        result = again.fit(detection)
        told.append(
            (
                result,
                looks_of(result.track_row),
                [heights_of(lids_of(result.track_row[None], eye)[0], eye) for eye in (0, 1)],
            )
        )
    (large, looks, heights), (small, small_looks, small_heights) = told
    assert large.distance == "near" and small.distance == ("near" if profile == "article" else "")
    for eye in EYES:
        for name in (*LID_MM, "yaw_deg", "pitch_deg", "openness"):
            numbers = [getattr(getattr(result, eye), name) for result in (large, small)]
            assert profile == "strict" or numbers[0] == numbers[1]  # as it was measured, or withheld
    angles = [(result.head_yaw_deg, result.head_pitch_deg, result.head_roll_deg) for result in (large, small)]
    if profile == "article":
        assert angles[0] == angles[1] and (looks == small_looks).all() and heights == small_heights
    if profile == "strict":
        rest = known["rest_head_deg"]
        assert np.allclose(
            angles[1], angles[0] - 15 * np.round(rest / 15) + 30 * np.round(rest / 30), atol=1e-3
        )
    if profile != "clinical":
        return
    assert angles[0] == angles[1]
    rest_deg = np.array([[known[f"{eye}_rest_{axis}_deg"] for axis in ("yaw", "pitch")] for eye in EYES])
    shown_rest_deg = rest_deg + small_looks - looks
    common = shown_rest_deg.mean(0) / 15
    assert np.allclose(common, np.round(common), atol=1e-3)
    assert abs(shown_rest_deg[1, 1] - shown_rest_deg[0, 1]) < 1e-3  # level eyes, as the steps have it
    # The distance is not told by what straight eyes would show there: these are nearly so, at both distances.
    known |= {"os_rest_yaw_deg": known["od_rest_yaw_deg"] + 4.0}
    shown = []
    for distance_mm in (450.0, 700.0):
        again = dmask.Pipeline(dmask.Options(profile=profile, backend="cpu"))
        detection = again.detect(patient_frames[17], 17 / 30)
        again.use_subject(known | {"rest_small": 1.0, "rest_distance_mm": distance_mm}, 480, 480)
        shown.append(looks_of(again.fit(detection).track_row))
    assert np.allclose(*shown, atol=1e-3)
    # Lids are as wide as everybody's, and one that droops is seen to.
    for eye in (0, 1):
        assert heights[eye] != small_heights[eye]
    lids = {f"{eye}_rest_lid_motion": known[f"{eye}_rest_lid_motion"] for eye in EYES}
    again = dmask.Pipeline(dmask.Options(profile=profile, backend="cpu"))
    detection = again.detect(patient_frames[17], 17 / 30)
    gaps = []
    for droops in (0.0, 0.35):
        od_rest = lids["od_rest_lid_motion"] + droops * MODELS.eyelid_motion("blink_full")
        again.use_subject(known | lids | {"rest_small": 1.0, "od_rest_lid_motion": od_rest}, 480, 480)
        row = again.fit(detection).track_row
        # The frame is the same: where the right lid rests lower, it stands open wider than at rest.
        upper, lower = heights_of(lids_of(row[None], 1)[0], 1)
        gaps.append(upper - lower)
    assert gaps[1] != gaps[0]


@pytest.mark.parametrize("side_px", [110, 100, 90])
def test_what_is_stated_of_who_is_too_small_tells_no_pixels(profile, patient_frames, side_px):
    small = dmask.Pipeline(dmask.Options(profile=profile, backend="cpu"))
    frame = cv2.resize(patient_frames[17], (side_px, side_px), interpolation=cv2.INTER_AREA)
    detection = small.detect(frame, 0.0)
    small.calibrate([detection])
    result = small.fit(detection)
    told = [getattr(result, f"head_{name}_sd_deg") for name in ("yaw", "pitch", "roll")]
    assert result.od.reason == "low_resolution"
    if profile == "clinical":
        assert told == [3.0, 3.0, 3.0]
    if profile == "strict":  # half a step of 30 degrees, rounded up alike
        assert told == [15.0, 15.0, 15.0]
        row = small.fit(detection).track_row
        assert result.od.openness != result.od.openness and np.isfinite(row).all()
    if profile == "article":
        assert len(set(told)) == 3


def looks_of(row):
    """(2, 2) yaw and pitch of the mask's eyes, degrees."""
    first = 7 + UNITS
    return np.degrees([row[first + eye * (3 + MODELS.eyelid_motions) :][1:3] for eye in (0, 1)])


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
        assert (not eye.shape.any()) == (profile != "article")
        assert (not eye.patch_offset_mm.any() and eye.patch_roll_rad == 0) == (profile != "article")
        assert (eye.iris_radius_mm == np.float32(5.85)) == (profile != "article")


def test_the_subject_is_generic_but_for_what_the_profile_lets_out(profile, pipeline):
    assert_subject(profile, pipeline.subject, pipeline.unreleased_subject())


def test_a_calibration_tells_what_the_profile_lets_out(profile, pipeline):
    found = pipeline.calibration
    assert found.ok and found.frames_used
    assert math.isfinite(found.scale) == (profile == "article")
    assert math.isnan(found.iris_radius_mm) == math.isnan(found.iris_radius_sd_mm) == (profile != "article")
    assert np.isnan(found.eye_centre_sd_mm).all() == (profile != "article")
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
        for name in OF_THE_MACHINE:
            assert np.isnan(frames[f"{eye}_{name}"]).all() == (profile != "article")
    for name in PLACE:
        assert np.isnan(frames[name]).all() == (profile != "article")
    assert set(frames["distance"]) == {"near"}


def test_what_lies_side_by_side_gives_no_third_number(profile, run, pipeline):
    """Two scales would: the head's place in the patient's own and the mask's in the generic one, as their
    ratio, gave the distance of his eyeballs away."""
    frames, track = read_frames(run / "frames.csv"), read_track(run / "track.dmask")
    place = np.stack([frames[name] for name in PLACE])
    assert np.isfinite(place).any() == (profile == "article")
    if profile != "article":
        turned = track.rows[:, 1:4]
        eyes = eyes_in_camera(track, pipeline)
        assert np.abs(turned).max() > 0.02  # the head moves, and its eyes stay where everybody's are
        assert np.ptp(eyes, axis=0).max() < 1e-2


def eyes_in_camera(track, pipeline):
    """(F, 3) midpoint of the mask's eyeballs, mm."""
    middle = 0.5 * (track.subject.od.centre_mm + track.subject.os.centre_mm)
    return np.array(
        [cv2.Rodrigues(row[1:4].astype(float))[0] @ middle * [1, -1, -1] + row[4:7] for row in track.rows]
    )


def test_diagnostics_go_into_a_folder_of_their_own_and_say_that_they_identify(
    profile, patient_video, tmp_path
):
    words = ["run", str(patient_video), "-o", str(tmp_path / "out"), "--profile", profile, "--backend", "cpu"]
    assert cli.main([*words, "--diagnostics", str(tmp_path / "out" / "in")]) == 2
    assert cli.main([*words, "--diagnostics", str(tmp_path)]) == 2
    assert not (tmp_path / "out").exists()
    assert cli.main([*words, "--diagnostics", str(tmp_path / "own")]) == 0
    assert sorted(path.name for path in (tmp_path / "own").iterdir()) == sorted(DIAGNOSTIC_FILES)
    (tmp_path / "several").mkdir()
    shutil.copytree(tmp_path / "own", tmp_path / "several" / "item")
    for place in ("own", "several"):  # no results among them
        assert cli.main([*words[:3], str(tmp_path / place), "--overwrite"]) == 2
    said = json.loads((tmp_path / "own" / "diagnostics.json").read_text())
    assert said["identifying"] is True and np.linalg.norm(said["subject"]["identity"]) > 0.1
    with (tmp_path / "own" / "diagnostics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    frames = read_frames(tmp_path / "out" / "frames.csv")
    assert [row["time_s"] for row in rows] == [f"{t:.6f}" for t in frames["time_s"]]
    assert all(float(row["head_z_mm"]) > 100 and float(row["od_px_per_deg"]) > 0.1 for row in rows)
    assert len((tmp_path / "own" / "landmarks.csv").read_text().splitlines()) == 1 + len(rows)


def test_diagnostics_of_results_that_went_go_with_them(patient_video, tmp_path):
    source, own = tmp_path / "in", tmp_path / "own"
    source.mkdir()
    shutil.copy(patient_video, source / "a.mp4")
    words = ["run", str(source), "-o", str(tmp_path / "out"), "--backend", "cpu", "--diagnostics", str(own)]
    assert cli.main(words) == 0 and (own / "a" / "diagnostics.csv").is_file()
    (source / "a.mp4").write_bytes(b"no video")
    assert cli.main([*words, "--overwrite"]) == 1
    assert not (tmp_path / "out" / "a").exists() and not (own / "a").exists()


def test_summary_json_holds_what_the_profile_lets_out(profile, run):
    summary = json.loads((run / "summary.json").read_text())
    for eye in EYES:
        for name in LID_MM:
            assert (summary[eye][name]["median"] is None) == (profile == "strict")
        assert (summary[eye]["px_per_deg"] is None) == (profile != "article")
    primary = summary["deviation_os_minus_od"]["primary_position"]
    assert (primary["distance_mm"] is None) == (profile != "article")
    # In steps of 15 degrees nobody may look into the camera.
    ahead = {"camera", "rest"} if profile == "strict" else {"camera"}
    assert primary["distance"] == "near" and primary["straight_ahead"] in ahead
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
    assert_lids(profile, track.rows)


def test_a_known_subject_gives_the_calibration_back(pipeline, profile):
    own = pipeline.unreleased_subject()
    again = dmask.Pipeline(dmask.Options(profile=profile, backend="cpu"))
    again.use_subject(own, 720, 720)
    for name, value in own.items():
        assert np.array_equal(again.unreleased_subject()[name], value), name


def test_options_beside_results_name_no_folder():
    released = dmask.Options(profile="strict", hvid_mm=HVID_MM, smoothing_scale=2).released()
    assert released["hvid_mm"] is None and released["age_years"] is None and released["profile"] == "strict"
    assert not {"models_dir", "smoothing_scale"} & set(released)


def test_a_mask_says_its_version_and_profile_and_nothing_else(profile, run, patient_video, tmp_path):
    with av.open(str(run / "mask.mp4")) as container:
        tags = dict(container.metadata)
    for name in ("major_brand", "minor_version", "compatible_brands"):
        tags.pop(name, None)
    assert set(tags) == {"comment"} and read_mark(tags["comment"]) == (_core.__version__, profile)

    with av.open(str(patient_video)) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="bgr24")
    cv2.imwrite(str(tmp_path / "in.png"), frame)
    words = [
        "run",
        str(tmp_path / "in.png"),
        "-o",
        str(tmp_path / "out"),
        "--profile",
        profile,
        "--backend",
        "cpu",
    ]
    assert cli.main(words) == 0
    png = tmp_path / "out" / "mask.png"
    chunks = png_chunks(png.read_bytes())
    assert {kind for kind, _ in chunks} == {b"IHDR", b"tEXt", b"IDAT", b"IEND"}
    keyword, text = next(body for kind, body in chunks if kind == b"tEXt").split(b"\0")
    assert keyword == b"Comment" and read_mark(text.decode()) == (_core.__version__, profile)
    drawn = tmp_path / "drawn.png"
    assert cli.main(["render", str(tmp_path / "out" / "track.dmask"), "-o", str(drawn)]) == 0
    assert drawn.read_bytes() == png.read_bytes()
    assert read_mark("dmask 1.0") is None and read_mark("holiday") is None


def png_chunks(png):
    at, found = 8, []
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def test_the_published_method_warns_once_with_its_figures(profile, patient_video, tmp_path, capsys):
    words = ["run", str(patient_video), "-o", str(tmp_path / "out"), "--profile", profile, "--backend", "cpu"]
    assert cli.main(words) == 0
    said = capsys.readouterr().err
    assert (
        said.count("52.1 % of 555 people")
        == said.count("10.1038/s41591-023-02439-9")
        == (profile == "article")
    )
    assert dmask.Options().profile == "clinical"  # and is never a default


def test_strict_tells_no_angle_against_a_rest_that_is_not_known(profile, pipeline, patient_frames):
    own = pipeline.unreleased_subject()
    again = dmask.Pipeline(dmask.Options(profile=profile, backend="cpu"))
    detection = again.detect(patient_frames[17], 17 / 30)
    unknown = {name: value for name, value in own.items() if not name.startswith("od_rest")}
    again.use_subject(unknown, 480, 480)
    result = again.fit(detection)
    assert result.os.valid and result.od.valid == (profile != "strict")
    if profile == "strict":
        assert result.od.reason == "lost" and math.isnan(result.od.yaw_deg) and result.od.openness == 0.12
    for bad in ({"rest_head_deg": [1e9, 0, 0]}, {"od_rest_openness": -1.0}, {"rest_distance_mm": -5.0}):
        with pytest.raises(dmask.Error, match="a rest that nobody has"):
            again.use_subject(own | bad, 480, 480)
