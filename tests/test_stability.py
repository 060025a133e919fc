"""`dmask eval stability`: known noise, known motion, known blinks are reported as what they are."""

import json

import numpy as np
import pytest
from conftest import background, write_video
from hypothesis import given, settings
from hypothesis import strategies as st

from dmask import cli
from dmask.evaluate.jitter import WINDOW_FRAMES, PictureMotion, across, deviations
from dmask.evaluate.lid_course import blink_courses, openness, turning_points, winks
from dmask.evaluate.stability import jitter, swapped
from dmask.evaluate.tracks import COLUMNS, POINTS, Tracks
from dmask.evaluate.variants import face_width, unmirrored

INTEROCULAR_PX = 100.0


def face_points() -> np.ndarray:
    """(306, 2): a schematic upright face, outer eye corners INTEROCULAR_PX apart."""
    points = np.random.default_rng(1).uniform(-50, 50, (POINTS, 2))
    points[[27, 51, 57, 8]] = [[0, 0], [0, 45], [0, 55], [0, 90]]  # bridge of the nose, lips, chin
    points[[36, 39, 42, 45]] = [[-50, 0], [-20, 0], [20, 0], [50, 0]]
    for middle, corners, eye in ((-35, (37, 38, 40, 41), "od"), (35, (43, 44, 46, 47), "os")):
        points[list(corners)] = [[middle - 5, -5], [middle + 5, -5], [middle + 5, 5], [middle - 5, 5]]
        points[COLUMNS[eye]] = points[COLUMNS[eye]] / 10 + [middle, 0]
    return points


def still_tracks(frames: int = 60, noise_px: float = 0.0, seed: int = 0) -> Tracks:
    points = np.tile(face_points(), (frames, 1, 1))
    points += noise_px * np.random.default_rng(seed).standard_normal(points.shape)
    return Tracks(
        np.arange(frames) / 30,
        points,
        np.ones((frames, POINTS)),
        np.zeros((frames, POINTS, 2)),
        np.ones(frames),
        np.zeros(frames),
    )


def lid(opened: float, eye: str = "os", width_px: float = 40.0, roll_deg: float = 0.0) -> np.ndarray:
    """(20, 2) lid points of an eye `opened` as a share of its width, in the order of the detectors."""
    x = np.linspace(0, 1, 11)
    height = 0.5 * opened * (1 - (2 * x - 1) ** 2)
    upper, lower = np.column_stack([x, -height]), np.column_stack([x, height])
    points = width_px * np.concatenate([upper, lower[9:0:-1]])
    if eye == "od":
        points[:, 0] *= -1
    angle = np.radians(roll_deg)
    return points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + 200


# Jitter


@settings(max_examples=15, deadline=None)
@given(
    noise_px=st.floats(0.05, 3),
    speed_px_s=st.floats(-60, 60),
    acceleration_px_s2=st.floats(-200, 200),
    rate_fps=st.sampled_from([15, 25, 30, 60]),
)
def test_noise_is_measured_whatever_smooth_motion_it_rides_on(
    noise_px, speed_px_s, acceleration_px_s2, rate_fps
):
    frames, points = 80, 40
    time_s = np.arange(frames) / rate_fps
    motion_px = speed_px_s * time_s + 0.5 * acceleration_px_s2 * time_s**2
    noise = noise_px * np.random.default_rng(5).standard_normal((frames, points, 2))
    found = deviations(
        time_s,
        noise + motion_px[:, None, None],
        np.zeros((frames, points, 2)),
        np.ones(frames),
        np.full(frames, INTEROCULAR_PX),
        np.ones((frames, points)),
    )
    assert found.xy_px.shape == (frames - WINDOW_FRAMES + 1, points, 2)
    assert found.xy_px.std() == pytest.approx(noise_px, rel=0.05)


def test_jitter_is_in_percent_of_the_outer_eye_corners():
    measured, windows = jitter(still_tracks(600, noise_px=0.2))
    assert windows == 600 - WINDOW_FRAMES + 1
    for kind in ("face", "lid", "limbus", "iris_centre", "crease"):
        # the distance of two axes' noise of 0.2 %: Rayleigh
        assert np.percentile(measured[kind], 50) == pytest.approx(0.2 * np.sqrt(2 * np.log(2)), rel=0.1)
        assert np.percentile(measured[kind], 95) == pytest.approx(0.2 * np.sqrt(2 * np.log(20)), rel=0.1)
    assert np.percentile(jitter(still_tracks(150, noise_px=0.4))[0]["lid"], 95) > 0.9


def test_one_noisy_point_does_not_hide_and_does_not_spread():
    tracks = still_tracks(100)
    noise = 3 * np.random.default_rng(2).standard_normal((100, 2))
    tracks.points[:, COLUMNS["od_lid"][4]] += noise
    measured, windows = jitter(tracks)
    assert windows == 100 - WINDOW_FRAMES + 1  # its own noise does not take it out of the still windows
    assert measured["lid"].max() > 2
    assert np.percentile(measured["lid"], 90) == pytest.approx(0, abs=1e-9)
    assert measured["limbus"].max() == pytest.approx(0, abs=1e-9)


def test_a_shaken_head_is_not_still_though_each_shake_is_short():
    tracks = still_tracks(60)
    shake_px = np.zeros(60)
    shake_px[::3] = 4.0  # there and back within three frames: no quadratic follows it
    tracks.points[:] += shake_px[:, None, None]
    tracks.motion[1:] = np.diff(shake_px)[:, None, None]
    measured, windows = jitter(tracks)
    assert windows == 0 and measured["face"].size == 0 and measured["lid"].size == 0


def test_a_moving_eye_is_left_out_and_the_face_is_kept():
    tracks = still_tracks(60)
    tracks.motion[:, COLUMNS["od_iris"]] = 2.0
    measured, windows = jitter(tracks)
    assert windows > 0 and measured["face"].size > 0
    tracks.motion[:, COLUMNS["os_iris"]] = 2.0
    measured, windows = jitter(tracks)
    assert windows == 0 and measured["lid"].size == 0 and measured["face"].size > 0


def test_repeated_frames_do_not_count_as_free_of_noise():
    tracks = still_tracks(61, noise_px=0.5)
    for first in range(21, 61, 4):  # from the 21st frame on every new picture is shown four times
        tracks.points[first : first + 4] = tracks.points[first]
        tracks.changed[first + 1 : first + 4] = 0.0
    measured, windows = jitter(tracks)
    assert windows == 22 - WINDOW_FRAMES + 1
    assert np.percentile(measured["lid"], 50) == pytest.approx(0.5 * np.sqrt(2 * np.log(2)), rel=0.1)
    frozen = still_tracks(40)._replace(changed=np.zeros(40))
    assert jitter(frozen)[1] == 0


def test_frames_without_a_face_and_hidden_points_are_left_out():
    tracks = still_tracks(40)
    tracks.points[20] = np.nan
    assert jitter(tracks)[1] == 40 - 2 * WINDOW_FRAMES + 1
    tracks.confidence[:, COLUMNS["crease"]] = 0.2
    measured, _ = jitter(tracks)
    assert measured["crease"].size == 0 and measured["lid"].size > 0


def test_too_few_frames_give_no_figures():
    assert jitter(still_tracks(WINDOW_FRAMES - 1))[1] == 0


def test_across_is_what_leaves_the_line():
    line = np.column_stack([np.arange(20.0), 0.5 * np.arange(20.0)])
    along, normal = np.array([2.0, 1.0]) / np.sqrt(5), np.array([-1.0, 2.0]) / np.sqrt(5)
    np.testing.assert_allclose(across(np.tile(3 * along, (20, 1)), line), 0, atol=1e-9, equal_nan=False)
    np.testing.assert_allclose(across(np.tile(3 * normal, (20, 1)), line), 3, equal_nan=False)


@pytest.mark.parametrize("shift_px", [(0, 0), (2, 0), (0, -3)])
def test_the_picture_tells_its_own_motion(shift_px):
    grain = np.random.default_rng(0).integers(-20, 20, (240, 320, 3))
    frame = np.clip(background(320, 240) + grain, 0, 255).astype(np.uint8)
    frame = np.roll(frame, 1, axis=1) // 2 + frame // 2
    face = np.array([[60, 40], [260, 40], [60, 200], [260, 200]], float)
    places = np.array([[160.0, 120.0], [120.0, 90.0]])
    picture = PictureMotion()
    first, changed = picture.step(frame, face, places)
    assert np.isnan(first).all() and changed == 1
    moved, changed = picture.step(np.roll(frame, shift_px, axis=(1, 0)), face, places)
    np.testing.assert_allclose(moved, np.tile(np.array(shift_px, float), (2, 1)), atol=0.3, equal_nan=False)
    assert changed == 0 if shift_px == (0, 0) else changed > 0.5


# Eyes exchanged


@settings(max_examples=40, deadline=None)
@given(roll_deg=st.floats(-180, 180), squeeze=st.floats(0.15, 1))
def test_exchanged_eyes_are_seen_however_the_head_is_turned(roll_deg, squeeze):
    angle = np.radians(roll_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    right = (face_points() * [squeeze, 1]) @ turn.T + 300
    exchanged = right.copy()
    exchanged[np.r_[COLUMNS["od"], COLUMNS["os"]]] = right[np.r_[COLUMNS["os"], COLUMNS["od"]]]
    one_kind = right.copy()
    one_kind[COLUMNS["od_iris"]], one_kind[COLUMNS["os_iris"]] = (
        right[COLUMNS["os_iris"]],
        right[COLUMNS["od_iris"]],
    )
    same_eye = right.copy()
    same_eye[COLUMNS["od"]] = right[COLUMNS["os"]]
    face_only = right.copy()
    face_only[36:48] = right[[45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]]
    found = swapped(np.stack([right, exchanged, one_kind, same_eye, face_only]))
    assert found.tolist() == [False, True, True, True, True]


# Blinks


@pytest.mark.parametrize("eye", ["od", "os"])
@pytest.mark.parametrize("roll_deg", [0, 30, -75, 180])
def test_openness_is_the_aperture_in_widths(eye, roll_deg):
    lids = np.stack([lid(opened, eye, roll_deg=roll_deg) for opened in (0.4, 0.1, 0.0)])
    np.testing.assert_allclose(openness(eye, lids), [0.4, 0.1, 0.0], atol=1e-9, equal_nan=False)
    crossed = lids[:1].copy()
    crossed[:, 1:10], crossed[:, 19:10:-1] = lids[:1, 19:10:-1], lids[:1, 1:10]
    assert openness(eye, crossed)[0] < 0


def course_of(*shape: float) -> np.ndarray:
    """Openness of an open eye (0.4) with `shape` in the middle."""
    return np.array([0.4] * 12 + list(shape) + [0.4] * 12)


def test_a_plain_blink_falls_and_rises():
    (blink,) = blink_courses("od", course_of(0.3, 0.12, 0.01, 0.008, 0.15, 0.33))
    assert blink.monotone and blink.openness == pytest.approx(0.008)
    assert (blink.start, blink.lowest, blink.end) == (11, 15, 17)


@pytest.mark.parametrize("bump", [0.005, 0.03])
@pytest.mark.parametrize("rising", [False, True])
def test_a_lid_that_turns_back_is_an_exception_above_the_tolerance(bump, rising):
    shape = [0.3, 0.2, 0.2 + bump, 0.1, 0.01]
    (blink,) = blink_courses("os", course_of(*(shape + shape[::-1] if rising else shape)))
    assert blink.back == pytest.approx(bump)
    assert blink.monotone == (bump < 0.01)


def test_an_eye_that_does_not_shut_keeps_its_openness():
    (blink,) = blink_courses("os", course_of(0.2, 0.09, 0.2))
    assert blink.openness == pytest.approx(0.09) and blink.monotone


def test_blinks_in_quick_succession_are_told_apart():
    blinks = blink_courses("od", course_of(0.2, 0.01, 0.2, 0.01, 0.2))
    assert [blink.lowest for blink in blinks] == [13, 15]
    assert all(blink.monotone for blink in blinks)


def test_half_closures_and_those_that_run_out_of_sight_are_no_blinks():
    assert blink_courses("od", course_of(0.33, 0.26, 0.33)) == []
    assert blink_courses("od", np.array([0.01] * 5 + [0.4] * 20)) == []
    assert blink_courses("od", np.array([0.4] * 20 + [0.2, 0.01])) == []
    assert blink_courses("od", np.full(20, np.nan)) == []


def test_unmeasured_frames_do_not_shift_a_blink():
    opened = course_of(0.2, 0.01, 0.2)
    opened[3:6] = np.nan
    (blink,) = blink_courses("od", opened)
    assert (blink.start, blink.lowest, blink.end) == (11, 13, 15)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 0.5), min_size=2, max_size=60), st.floats(0.02, 0.3))
def test_turning_points_alternate_and_differ_by_the_step(values, step):
    turns = turning_points(np.array(values), step)
    for (i, kind), (j, other) in zip(turns, turns[1:], strict=False):
        assert i < j and kind == -other
        assert kind * (values[i] - values[j]) >= step


def test_a_wink_is_one_eyes_alone():
    shut, opened = course_of(0.2, 0.01, 0.2), course_of(0.4, 0.4, 0.4)
    both = blink_courses("od", shut) + blink_courses("os", shut)
    assert len(both) == 2 and winks(both) == []
    assert [blink.eye for blink in winks(blink_courses("od", opened) + blink_courses("os", shut))] == ["os"]


# Small and mirrored faces


def test_unmirroring_twice_changes_nothing():
    points = np.column_stack([face_points() + 200, np.linspace(0, 1, POINTS)])
    np.testing.assert_allclose(unmirrored(unmirrored(points, 640), 640), points, equal_nan=False)
    once = unmirrored(points, 640)
    assert once[COLUMNS["od_lid"][0], 0] == 639 - points[COLUMNS["os_lid"][0], 0]
    assert not swapped(once[None, :, :2])[0]


def test_face_width_does_not_depend_on_roll():
    points = face_points()
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    assert face_width(points @ turn.T) == pytest.approx(face_width(points))


# The command


def test_the_command_reports_a_rendered_clip(tmp_path, capsys, patient_frames):
    grain = np.random.default_rng(0).normal(0, 2, (9, *patient_frames[0].shape))
    frames = list(np.clip(patient_frames[0] + grain, 0, 255).astype(np.uint8))
    video = write_video(tmp_path / "patient.mkv", frames, codec="ffv1")  # lossless: grain and all
    report = tmp_path / "stability.json"
    arguments = ["eval", "stability", str(video), "--samples", "1"]
    assert cli.main([*arguments, "--json", str(report)]) == 0
    figures = json.loads(report.read_text())
    clip = figures["clips"]["patient"]
    assert clip["frames"] == 9 and clip["frames_without_face"] == clip["frames_repeated"] == 0
    assert sum(band["frames"] for band in clip["swaps"].values()) == 9
    assert clip["swapped_frames"] == [] and clip["blinks"] == 0
    assert clip["still_windows"] == 9 - WINDOW_FRAMES + 1
    assert 0 < clip["jitter_pct"]["lid"]["p95"] < 0.4
    assert clip["variants_pct"]["mirrored"]["lid"]["points"] > 0
    assert clip["variants_pct"]["90px"]["face"]["lost_share"] == 0
    assert {"hardware", "versions", "threads", "models_sha256"} <= set(figures)
    said = capsys.readouterr().out
    assert "patient" in said and "jitter" in said and "cpu" in said


def test_wrong_use_is_named(capsys, patient_video):
    assert cli.main(["eval", "stability", "nothing.mp4"]) == 2
    assert cli.main(["eval", "stability", str(patient_video), "--frames", "0"]) == 2
    assert "--frames: got '0', expected a whole number from 1 on" in capsys.readouterr().err


def test_a_clip_that_cannot_be_read_is_named(tmp_path, capsys):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    assert cli.main(["eval", "stability", str(tmp_path)]) == 1
    assert "broken.mp4" in capsys.readouterr().err
