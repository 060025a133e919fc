"""Coarse time: what leaves is held, time stamps stay, and sums are of what was measured."""

import json

import numpy as np
import pytest
from conftest import write_video

import dmask
from dmask import cli
from dmask.io.tables import FRAME_COLUMNS, Columns, dropped_row, read_frames, values_row
from dmask.io.track import read_track
from dmask.io.video import VideoReader
from dmask.synthetic import Pose, SyntheticPatient

FPS, COUNT, STEP = 30, 135, 2.0


def blinking(number: int) -> Pose:
    """Two blinks that take less than a step each, and then the head turns."""
    turn = float(np.interp(number, [48, 60], [0, 26]))
    shut = max(0.0, 1 - min(abs(number - 17), abs(number - 38)) / 3)
    return Pose(head_yaw_deg=turn, od_closure=min(1.0, 1.5 * shut), os_closure=min(1.0, 1.5 * shut))


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    patient = SyntheticPatient(seed=5, size=(400, 400))
    frames = [patient.render(blinking(number))[0] for number in range(COUNT)]
    return write_video(tmp_path_factory.mktemp("patient") / "in.mp4", frames)


@pytest.fixture(scope="module")
def runs(video, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    for name, words in {
        "on": ["--coarse-time", "on"],
        "off": [],
        "strict": ["--profile", "strict", "--coarse-time", "on"],
    }.items():
        assert cli.main(["run", str(video), "-o", str(out / name), "--backend", "cpu", *words]) == 0
    return out


def step_of(time_s, step_s):
    return np.floor((time_s - time_s[0] + 1e-6) / step_s)


@pytest.mark.parametrize(("name", "step_s"), [("on", STEP), ("strict", STEP)])
def test_table_track_and_mask_repeat_the_first_frame_of_a_step(runs, name, step_s):
    frames, track = read_frames(runs / name / "frames.csv"), read_track(runs / name / "track.dmask")
    fine = read_frames(runs / "off" / "frames.csv")
    assert len(frames["time_s"]) == COUNT and (frames["time_s"] == fine["time_s"]).all()
    steps = step_of(frames["time_s"], step_s)
    pictures = [frame.bgr.astype(int) for frame in VideoReader(runs / name / "mask.mp4")]
    assert len(pictures) == COUNT
    changes = 0
    for i in range(1, COUNT):
        same = [
            values[i] == values[i - 1] or (values[i] != values[i] and values[i - 1] != values[i - 1])
            for column, values in frames.items()
            if column not in ("frame", "time_s")
        ]
        if steps[i] == steps[i - 1]:
            assert all(same) and (track.rows[i] == track.rows[i - 1]).all()
            assert np.abs(pictures[i] - pictures[i - 1]).mean() < 1.0  # the codec's noise
        else:
            changes += not all(same)
    assert changes >= (2 if name == "on" else 1)


def test_what_is_held_is_what_was_measured_at_the_beginning_of_a_step(runs):
    held, fine = (read_frames(runs / name / "frames.csv") for name in ("on", "off"))
    _, first, step = np.unique(step_of(fine["time_s"], STEP), return_index=True, return_inverse=True)
    for name in ("head_yaw_deg", "od_yaw_deg", "os_mrd1_mm", "od_openness", "od_valid"):
        assert np.array_equal(held[name], fine[name][first[step]], equal_nan=True)
    assert np.nanmax(np.abs(held["head_yaw_deg"] - fine["head_yaw_deg"])) > 3


def test_the_summary_counts_what_was_measured(runs):
    held, fine = (json.loads((runs / name / "summary.json").read_text()) for name in ("on", "off"))
    assert fine["od"]["blinks"]["complete"] + fine["od"]["blinks"]["partial"] == 2
    assert held == fine
    options = json.loads((runs / "on" / "run.json").read_text())["options"]
    assert options["coarse_time"] == "on"


def test_strict_tells_no_blinks(runs):
    summary = json.loads((runs / "strict" / "summary.json").read_text())
    for eye in ("od", "os"):
        assert set(summary[eye]["blinks"].values()) == {None}
    assert any("blink" in sentence and "withheld" in sentence for sentence in summary["statements"])


def test_a_pipeline_says_whether_it_holds_and_what_it_measured():
    holds = {
        (profile, coarse): dmask.Pipeline(dmask.Options(profile=profile, coarse_time=coarse, backend="cpu"))
        for profile in ("clinical", "strict")
        for coarse in ("off", "on")
    }
    assert {key for key, pipeline in holds.items() if pipeline.holds} == {
        ("clinical", "on"),
        ("strict", "on"),
    }
    assert {key for key, pipeline in holds.items() if not pipeline.tells_blinks} == {("strict", "on")}
    assert holds["clinical", "on"].unreleased_moment()["face_reason"] == "no_face"


def test_process_holds_live_frames(video):
    pipeline = dmask.Pipeline(dmask.Options(coarse_time="on", backend="cpu", live_calibration=False))
    frames = [frame.bgr for frame in VideoReader(video)]
    pipeline.calibrate([pipeline.detect(frame, i / FPS) for i, frame in enumerate(frames[:40])])
    results = [pipeline.process(frame, 10 + i / FPS) for i, frame in enumerate(frames[:62])]
    yaws = [one.head_yaw_deg for one in results]
    assert len(set(yaws[:60])) == len(set(yaws[60:])) == 1 and len(set(yaws)) == 2
    assert (results[7].mask == results[0].mask).all() and (results[60].mask != results[59].mask).any()
    assert results[7].time_s == pytest.approx(10 + 7 / FPS)


def test_an_hour_of_moments_fits_into_memory():
    """Of rows as of a whole recording: 8 bytes a cell, words once, nothing for a column that stays empty."""
    withheld = ("head_x_mm", "head_y_mm", "head_z_mm", "px_per_deg", "residual_pct", "reflex")
    values = dict.fromkeys(FRAME_COLUMNS, 0.25) | {
        "distance": "near",
        "face_reason": "",
        "od_reason": "closed",
    }
    values |= {"os_reason": "closed", "face_valid": True}
    values |= {name: np.nan for name in FRAME_COLUMNS if any(part in name for part in withheld)}
    columns = Columns(FRAME_COLUMNS)
    row = values_row(0, values)
    for _ in range(2000):
        columns.add(row)
    columns.add(dropped_row(2000, 70.0))
    found = columns.arrays()
    assert found["od_reason"][0] == "closed" and found["od_reason"][-1] == "dropped"
    assert np.isnan(found["od_openness"][-1]) and found["od_openness"][0] == 0.25
    assert np.isnan(found["os_px_per_deg"]).all() and len(found["os_px_per_deg"]) == 2001
    numbers = [values for values in found.values() if values.dtype.kind == "f"]
    held = sum(values.strides[0] * len(values) for values in numbers)  # what is empty has no strides
    assert held * 216000 / 2001 < 80e6
    assert max(values.strides[0] for values in numbers) == 8


def test_a_column_that_begins_late_has_its_first_cells_empty():
    columns = Columns(("frame", "od_yaw_deg", "od_reason"))
    for number, yaw in enumerate(("", "", "4.5", "")):
        columns.add([str(number), yaw, "" if yaw else "closed"])
    found = columns.arrays()
    assert np.array_equal(found["od_yaw_deg"], [np.nan, np.nan, 4.5, np.nan], equal_nan=True)
    assert found["od_reason"].tolist() == ["closed", "closed", "", "closed"]
    assert np.isnan(found["os_yaw_deg"]).all() and found["os_reason"].tolist() == [""] * 4
