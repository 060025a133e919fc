"""Rows that are no pictures of their own, dropped or repeated; gaps; and eyes that never keep still."""

import csv

import numpy as np
import pytest
from traces import EYES, blinking, covered, found, looking, traces

from dmask.errors import Error
from dmask.io.tables import FRAME_COLUMNS, TEXT_COLUMNS, cell, read_frames
from dmask.measure import recording
from dmask.measure.directions import gaze
from dmask.measure.files import cell as measure_cell
from dmask.measure.reasons import labels
from dmask.measure.summary import summarise
from dmask.measure.watched import own_pictures, watched_s
from dmask.synthetic import traces as courses

CLINICAL = {"profile": "clinical", "hvid_mm": 11.71}


def dropped(frames, gone):
    """A live recording that had no time for some frames."""
    for eye in EYES:
        for name in ("yaw_deg", "pitch_deg", "mrd1_mm", "mrd2_mm", "pfh_mm", "openness"):
            frames[f"{eye}_{name}"] = np.where(gone, np.nan, frames[f"{eye}_{name}"])
        frames[f"{eye}_valid"] = np.where(gone, 0.0, frames[f"{eye}_valid"])
        frames[f"{eye}_reason"] = np.where(gone, "dropped", frames[f"{eye}_reason"])
    frames["face_valid"] = np.where(gone, 0.0, 1.0)
    frames["face_reason"] = np.where(gone, "dropped", "")
    return frames


def shown_twice(frames, times=2):
    """Each picture of a recording several times, as of a video that is coded at a higher rate."""
    out = {name: np.repeat(values, times) for name, values in frames.items()}
    time_s = frames["time_s"]
    step_s = (time_s[1] - time_s[0]) / times
    out["time_s"] = time_s[0] + step_s * np.arange(time_s.size * times)
    return out


def fixating(seconds, rate_fps, seed, noise_deg=0.1):
    random = np.random.default_rng(seed)
    frames = traces(seconds, rate_fps, seed=seed, noise_deg=noise_deg)
    return looking(frames, *(courses.fixation(frames["time_s"], random) for _ in "xy")), random


@pytest.mark.parametrize("every", [2, 3])
def test_a_rate_of_blinks_is_of_the_time_watched_however_many_frames_were_dropped(every):
    frames = traces(60.0, 30.0)
    for eye in EYES:
        blinking(frames, eye, np.arange(2, 58, 4.0), lasts_s=0.4)
    whole = found(recording(frames, CLINICAL), "blinks.rate_per_min", "od").value
    frames = dropped(frames, np.arange(frames["time_s"].size) % every != 0)
    rate = found(recording(frames, CLINICAL), "blinks.rate_per_min", "od")
    assert whole == pytest.approx(14, abs=0.1) and rate.value == pytest.approx(14, abs=0.1)
    options = {"profile": "clinical", "lamp": "unknown", "fixating": "none", "hfov_deg": 40.0,
               "age_years": 18.0, "hvid_mm": 11.71, "coarse_time": "off"}  # fmt: skip
    for eye in EYES:
        frames[f"{eye}_px_per_deg"] = np.full(frames["time_s"].size, 1.0)
    told = summarise(frames, options, {"ok": True, "reason": ""}, True)
    assert told["od"]["blinks"]["per_minute"] == pytest.approx(14, abs=0.2)


def test_what_happens_in_a_gap_is_not_watched():
    time_s = np.concatenate([np.arange(0, 30, 1 / 30), np.arange(150, 180, 1 / 30)])
    assert watched_s(time_s, np.ones(time_s.size, bool)) == pytest.approx(60, abs=0.1)
    seen = np.ones(time_s.size, bool)
    seen[100:400] = False
    assert watched_s(time_s, seen) == pytest.approx(60 - 10, abs=0.2)
    assert watched_s(time_s[:1], np.ones(1, bool)) == 0 and watched_s(time_s, ~seen & False) == 0


def test_frames_that_were_dropped_are_no_frames_a_second():
    frames, random = fixating(30.0, 30.0, 1)
    looking(frames, courses.jerk(frames["time_s"], 8.0, 4.0, random))
    measured = recording(dropped(frames, np.arange(frames["time_s"].size) % 3 != 0), CLINICAL)
    told = found(measured, "nystagmus.present_class", "od", "horizontal")
    assert told.value is None and told.reason == "10 frames a second; needs 20"


@pytest.mark.parametrize(("rate_fps", "times"), [(30, 4), (24, 5), (15, 4), (30, 2)])
def test_a_picture_shown_several_times_is_one(rate_fps, times):
    for seed in range(3):
        frames, _ = fixating(12.0, rate_fps, seed, noise_deg=0.3)
        assert own_pictures(frames).all()
        measured = recording(shown_twice(frames, times), CLINICAL)
        for axis in ("horizontal", "vertical"):
            told = found(measured, "nystagmus.present_class", "od", axis)
            assert told.value != "present"
            if rate_fps < 20:
                assert told.reason == f"{rate_fps} frames a second; needs 20"


def test_eyes_that_rest_are_not_taken_for_repeated_pictures():
    frames = traces(10.0, 30.0)
    for eye in EYES:
        for axis in ("yaw", "pitch"):
            frames[f"{eye}_{axis}_deg"] = np.round(frames[f"{eye}_{axis}_deg"], 1)  # as a coarse table has it
    assert own_pictures(frames).mean() > 0.9


MOVEMENTS = {
    "pendular": lambda time_s, random: courses.pendular(time_s, 3.1, 4.0, random),
    "jerk": lambda time_s, random: courses.jerk(time_s, 3.0, 8.0, random),
    "pursuit": lambda time_s, random: courses.pursuit(time_s, 0.4, 10.0, random),
    "scanning": courses.scanning,
}


@pytest.mark.parametrize("movement", MOVEMENTS)
def test_eyes_that_never_keep_still_have_no_tropia(movement):
    for seed in range(4):
        frames, random = fixating(24.0, 60.0, seed)
        looking(frames, MOVEMENTS[movement](frames["time_s"], random))
        for number in range(3):
            covered(frames, "od", 3.0 + 6 * number, 4.5 + 6 * number)
            covered(frames, "os", 6.0 + 6 * number, 7.5 + 6 * number)
        told = found(recording(frames, CLINICAL), "cover.kind_class", "both")
        assert told.value is None, movement
        assert told.reason.startswith(("the eyes beat", "without a cover", "the eyes do not keep still"))


def test_straight_eyes_that_fixate_still_have_none():
    frames, _ = fixating(24.0, 60.0, 2)
    for number in range(3):
        covered(frames, "od", 3.0 + 6 * number, 4.5 + 6 * number)
        covered(frames, "os", 6.0 + 6 * number, 7.5 + 6 * number)
    assert found(recording(frames, CLINICAL), "cover.kind_class", "both").value == "none"


def test_a_refixation_is_when_the_eye_moves():
    frames, _ = fixating(24.0, 60.0, 2)
    time_s = frames["time_s"]
    for number in range(3):
        for eye, at_s in (("od", 3.0 + 6 * number), ("os", 6.0 + 6 * number)):
            other = "os" if eye == "od" else "od"
            looking(frames, np.where((time_s > at_s + 0.2) & (time_s < at_s + 1.5), 6.0, 0.0), eyes=(other,))
            covered(frames, eye, at_s, at_s + 1.5)
    moved = [one for one in recording(frames, CLINICAL).events
             if one.event == "refixation" and one.condition == "other_covered"]  # fmt: skip
    assert len(moved) >= 5
    for one in moved:
        since_s = min((one.onset_s - start_s) % 6 for start_s in (3.0, 6.0))
        assert since_s == pytest.approx(0.2, abs=0.06) and one.duration_s == 0


def test_beats_that_turn_round_are_jerk_and_have_no_direction():
    frames, random = fixating(20.0, 60.0, 0)
    time_s = frames["time_s"]
    ways = [courses.jerk(time_s, 3.0, 4.0, random, towards) for towards in (1, -1)]
    measured = recording(looking(frames, np.where(time_s < 10, *ways)), CLINICAL)
    assert found(measured, "nystagmus.waveform_class", "od", "horizontal").value == "jerk"
    told = found(measured, "nystagmus.beat_direction_class", "od", "horizontal")
    assert told.value is None and told.reason == "beats go both ways"


def test_a_swing_too_quick_for_the_frames_is_no_slower_one():
    reasons = []
    for seed in range(6):
        frames, random = fixating(20.0, 25.0, seed)
        looking(frames, courses.pendular(frames["time_s"], 11.0, 2.0 + seed, random))
        told = found(recording(frames, CLINICAL), "nystagmus.present_class", "od", "horizontal")
        assert told.value is None
        reasons.append(told.reason)
    assert any(one.startswith("the eyes swing at 11 Hz: ") for one in reasons), reasons


def test_absence_rests_on_the_frames_that_were_seen():
    frames, _ = fixating(12.0, 60.0, 3)
    told = found(recording(frames, CLINICAL), "nystagmus.present_class", "od", "horizontal")
    assert told.value == "absent" and told.n == 720


def test_a_large_squint_is_told_by_the_eye_that_fixates():
    frames, _ = fixating(25.0, 30.0, 4)
    time_s = frames["time_s"]
    aside = np.where(time_s < 15, 0.0, np.where(time_s < 20, 15.0, -15.0))
    looking(frames, aside)
    looking(frames, -5.3, eyes=("od",))  # the optical axis of an eye that looks into the camera
    looking(frames, 5.3 - 27.0, eyes=("os",))
    measured = recording(frames, CLINICAL)
    for towards in ("right", "left"):
        duction = found(measured, "alignment.duction_deg", "od", towards)
        assert duction.value == pytest.approx(15.0, abs=1.0)
        deviation = found(measured, "alignment.deviation_horizontal_deg", "both", towards)
        assert deviation.n == 150
    assert found(measured, "alignment.deviation_horizontal_deg", "both", "primary").n == pytest.approx(
        450, abs=2
    )


def test_gaze_of_eyes_that_deviate_little_is_their_mean():
    frames = traces(10.0, 30.0)
    looking(frames, 4.0, eyes=("os",))
    place = {axis: frames[f"head_{axis}_mm"] for axis in "xyz"}
    mean = 0.5 * (frames["od_yaw_deg"] + frames["os_yaw_deg"])
    assert gaze(frames, place)[0] == pytest.approx(mean)


def written(path, frames):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(FRAME_COLUMNS)
        for row in zip(*(frames[name].tolist() for name in FRAME_COLUMNS), strict=True):
            writer.writerow([one if isinstance(one, str) else cell(float(one)) for one in row])
    return path


@pytest.mark.parametrize(
    ("column", "value"), [("od_openness", -5.0), ("od_yaw_deg", 1e6), ("os_valid", 2.0), ("od_valid", 0.5)]
)
def test_a_number_that_none_can_be_is_a_damaged_table(tmp_path, column, value):
    frames = traces(1.0, 30.0)
    assert len(read_frames(written(tmp_path / "whole.csv", frames))["time_s"]) == 30
    frames[column][3] = value
    with pytest.raises(Error, match="damaged in line 5"):
        read_frames(written(tmp_path / "frames.csv", frames))


def test_what_is_no_reason_is_none():
    named = labels(np.array([0, 0, 1, 0]), np.array(['=HYPERLINK("x")', "covered", "", "John Smith"]))
    assert named.tolist() == ["unknown", "covered", "valid", "unknown"]
    assert set(TEXT_COLUMNS) >= {"face_reason", "od_reason", "os_reason"}


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.23456, "1.235"), (12345.6789, "12345.679"), (400000.25, "400000.25"), (3.0, "3"), (0.0, "0")],
)
def test_times_are_told_to_the_millisecond_whenever_they_are(value, text):
    assert measure_cell("onset_s", value) == text


def test_a_tracker_that_smooths_on_makes_no_new_picture_of_a_repeated_one():
    for rate_fps, times in ((30, 2), (25, 2), (30, 4)):
        frames, random = fixating(12.0, rate_fps, 1)
        looking(frames, courses.scanning(frames["time_s"], random))
        doubled = shown_twice(frames, times)
        for name in ("yaw_deg", "pitch_deg"):
            for eye in EYES:  # a little further on the way that it has come
                values = doubled[f"{eye}_{name}"]
                moved = np.repeat(np.diff(frames[f"{eye}_{name}"], prepend=0.0), times)
                later = np.arange(values.size) % times
                doubled[f"{eye}_{name}"] = values + 0.06 * moved * later
        own = own_pictures(doubled)
        assert own.mean() == pytest.approx(1 / times, abs=0.02), (rate_fps, times)
        assert recording(doubled, CLINICAL) and own_pictures(frames).all()


def test_pictures_of_24_a_second_in_a_video_of_60_are_counted():
    frames, _ = fixating(20.0, 24.0, 1, noise_deg=0.3)
    index = np.repeat(np.arange(frames["time_s"].size), np.tile([2, 3], frames["time_s"].size // 2))
    shown = {name: values[index] for name, values in frames.items()}
    shown["time_s"] = np.arange(index.size) / 60
    assert own_pictures(shown).mean() == pytest.approx(0.4, abs=0.02)


def test_who_fixates_is_told_frame_by_frame_where_the_eyes_take_turns():
    frames, _ = fixating(30.0, 30.0, 4)
    time_s = frames["time_s"]
    left = (time_s // 5) % 2 == 1  # the left eye fixates
    looking(frames, -5.3 - np.where(left, 30.0, 0.0), eyes=("od",))
    looking(frames, 5.3 + np.where(left, 0.0, 30.0), eyes=("os",))
    measured = recording(frames, CLINICAL)
    deviation = found(measured, "alignment.axes_horizontal_deg", "both", "primary")
    assert deviation.value == pytest.approx(40.6, abs=0.5) and deviation.n > 850
    frames, _ = fixating(30.0, 30.0, 4)
    aside = np.select([time_s < 10, time_s < 20], [0.0, 25.0], -25.0)
    looking(frames, aside - 5.3, eyes=("od",))
    looking(frames, aside + 5.3 + 30.0, eyes=("os",))
    measured = recording(frames, CLINICAL)
    assert found(measured, "alignment.duction_deg", "od", "left").value == pytest.approx(25, abs=2)
    assert found(measured, "signs.horizontal_deviation_class", "both").value == "present"


@pytest.mark.parametrize(("rate_fps", "hz"), [(60, 10.0), (120, 10.0), (60, 8.0), (25, 5.0)])
def test_a_swing_that_the_frames_show_is_told(rate_fps, hz):
    frames, random = fixating(12.0, rate_fps, 2)
    looking(frames, courses.pendular(frames["time_s"], hz, 6.0, random))
    measured = recording(frames, CLINICAL)
    assert found(measured, "nystagmus.present_class", "od", "horizontal").value == "present"
    told = found(measured, "nystagmus.frequency_hz", "od", "horizontal")
    assert told.value == pytest.approx(hz, rel=0.05)


@pytest.mark.parametrize("movement", ["opsoclonus", "wandering", "quick"])
def test_large_movements_that_are_no_beats_are_not_absent(movement):
    for seed in range(3):
        frames, random = fixating(15.0, 60.0, seed)
        time_s = frames["time_s"]
        if movement == "opsoclonus":
            course = random.uniform(-8, 8, 400)[(time_s / 0.08).astype(int)]
        elif movement == "wandering":
            hz = 2.5 + np.interp(time_s, np.arange(16), random.uniform(-0.8, 0.8, 16))
            course = 5 * np.sin(2 * np.pi * np.cumsum(hz) / 60)
        else:
            course = courses.pendular(time_s, 13.0, 8.0, random)
        told = found(
            recording(looking(frames, course), CLINICAL), "nystagmus.present_class", "od", "horizontal"
        )
        assert told.value != "absent", (movement, told)


def test_beats_too_quick_for_their_form_are_undetermined():
    frames, random = fixating(12.0, 30.0, 2)
    looking(frames, courses.jerk(frames["time_s"], 8.0, 8.0, random))
    told = found(recording(frames, CLINICAL), "nystagmus.waveform_class", "od", "horizontal")
    assert told.value in ("undetermined", "jerk", None)
