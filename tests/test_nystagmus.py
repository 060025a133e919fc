"""Nystagmus in traces of known movements, and none in those of healthy eyes."""

import json

import numpy as np
import pytest

from dmask.measure import measured
from dmask.measure.beating import beating
from dmask.measure.clinical.nystagmus import averaged_beat, beating_of, present, spectrum_of
from dmask.measure.recorded import Recording
from dmask.measure.settings import PRESETS, Settings, settings_of
from dmask.synthetic import demo, traces

SEEDS = range(500, 504)  # others than those of bench/nystagmus_traces.py


def frames_of(course, time_s, rng, axis="horizontal", noise_deg=0.15, openness=None, head=None, pulled=0.0):
    other = traces.fixation(time_s, rng)
    yaw, pitch = (course, other) if axis == "horizontal" else (other, course)
    return traces.frames(time_s, rng, yaw, pitch + pulled, noise_deg, 0.3 * noise_deg, head, openness)


def jerky(seed, rate_fps=60, hz=3.3, size_deg=5.0, side=1, axis="horizontal", uneven=0.0, **more):
    """With drift, looks about and blinks; jitter of 5 %."""
    rng = np.random.default_rng(seed)
    time_s = traces.frame_times(rate_fps, 10.0, rng, uneven)
    course = traces.jerk(time_s, hz, size_deg, rng, side, jitter=0.05, **more)
    course = course + traces.wander(time_s, 0.5, 2.0, rng) + traces.refixations(time_s, rng)
    openness, pulled = traces.blinks(time_s, rng)
    return Recording(frames_of(course, time_s, rng, axis, openness=openness, pulled=pulled))


def error(values, true):
    """Of the median, as a share; what is not measured is wrong by everything."""
    return abs(float(np.median(values)) / true - 1) if values.size else float("inf")


def found_nothing(found):
    return found.waveform == "" and not found.beats and not found.windows and not found.episodes_s


@pytest.mark.parametrize("hz", [2.2, 3.7, 5.8])
@pytest.mark.parametrize("size_deg", [2.0, 5.0, 10.0])
def test_jerk_nystagmus_is_measured(hz, size_deg):
    errors = {"hz": [], "amplitude": [], "slow": []}
    for seed in SEEDS:
        side, axis = (1, -1)[seed % 2], ("horizontal", "vertical")[seed // 2 % 2]
        made = jerky(seed, hz=hz, size_deg=size_deg, side=side, axis=axis)
        slow = size_deg / (1 / hz - traces.saccade_s(size_deg))
        for eye in ("od", "os"):
            found = beating_of(made, eye, axis)
            assert (found.waveform, found.side) == ("jerk", side)
            errors["hz"].append(error(found.hz, hz))
            errors["amplitude"].append(error(found.amplitude_deg, size_deg))
            errors["slow"].append(error(found.slow_deg_per_s, slow))
    assert np.median(errors["hz"]) <= 0.05
    assert np.median(errors["amplitude"]) <= 0.10
    assert np.median(errors["slow"]) <= 0.10


@pytest.mark.parametrize("hz", [2.2, 5.8])
@pytest.mark.parametrize("size_deg", [2.0, 10.0])
def test_pendular_nystagmus_is_measured_and_has_no_direction(hz, size_deg):
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        time_s = traces.frame_times(60, 8.0, rng)
        found = beating_of(
            Recording(frames_of(traces.pendular(time_s, hz, size_deg, rng), time_s, rng)), "od", "horizontal"
        )
        assert (found.waveform, found.side) == ("pendular", 0)
        assert error(found.hz, hz) <= 0.02
        assert error(found.amplitude_deg, size_deg) <= 0.08
        assert found.slow_deg_per_s.size == 0


@pytest.mark.parametrize("shape", ["decelerating", "accelerating"])
def test_slow_phases_that_bend_are_measured(shape):
    found = beating_of(jerky(7, shape=shape), "os", "horizontal")
    assert (found.waveform, found.side) == ("jerk", 1)
    assert error(found.amplitude_deg, 5.0) <= 0.10
    assert error(found.slow_deg_per_s, 5.0 / (1 / 3.3 - traces.saccade_s(5.0))) <= 0.10


@pytest.mark.parametrize("rate_fps", [25, 30, 120])
def test_other_frame_rates_and_uneven_ones(rate_fps):
    for uneven in (0.0, 0.25):
        found = beating_of(jerky(11, rate_fps, uneven=uneven), "od", "horizontal")
        assert (found.waveform, found.side) == ("jerk", 1)
        assert error(found.hz, 3.3) <= 0.05
        assert error(found.amplitude_deg, 5.0) <= 0.15
        assert error(found.slow_deg_per_s, 5.0 / (1 / 3.3 - traces.saccade_s(5.0))) <= 0.15


def test_frequency_is_by_the_times_of_frames():
    made = jerky(12, 60)
    slower = dict(made.frames, time_s=2 * made.time_s)
    assert error(beating_of(Recording(slower), "od", "horizontal").hz, 1.65) <= 0.05


def test_the_demonstration_patient_beats_for_a_while():
    time_s = np.arange(240) / 30
    course = np.array([demo.excursion_deg(float(one)) for one in time_s])
    rng = np.random.default_rng(1)
    found = beating_of(Recording(frames_of(course, time_s, rng, noise_deg=0.1)), "os", "horizontal")
    assert (found.waveform, found.side, len(found.episodes_s)) == ("jerk", 1, 1)
    start_s, end_s = found.episodes_s[0]
    assert demo.NYSTAGMUS_S[0] - 0.1 <= start_s <= demo.NYSTAGMUS_S[0] + 0.5
    assert demo.NYSTAGMUS_S[1] - 0.5 <= end_s <= demo.NYSTAGMUS_S[1] + 0.1
    assert error(found.hz, demo.NYSTAGMUS_HZ) <= 0.05
    assert error(found.amplitude_deg, demo.NYSTAGMUS_DEG) <= 0.10
    slow = demo.NYSTAGMUS_DEG * demo.NYSTAGMUS_HZ / demo.SLOW_SHARE
    assert error(found.slow_deg_per_s, slow) <= 0.10


def healthy_yaw(kind, time_s, rng):
    if kind == "square_wave_jerks":
        return traces.square_wave_jerks(time_s, rng, 40)[0]
    if kind == "pursuit":
        return traces.pursuit(time_s, 0.4, 12, rng)
    return getattr(traces, kind)(time_s, rng)


@pytest.mark.parametrize(
    "kind", ["fixation", "reading", "scanning", "pursuit", "square_wave_jerks", "refixations"]
)
@pytest.mark.parametrize("rate_fps", [30, 60])
def test_nothing_is_found_in_healthy_eyes(kind, rate_fps):
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        time_s = traces.frame_times(rate_fps, 12.0, rng)
        openness, pulled = traces.blinks(time_s, rng, every_s=2.5)
        table = frames_of(
            healthy_yaw(kind, time_s, rng), time_s, rng, openness=openness, pulled=pulled, noise_deg=0.1
        )
        for eye in ("od", "os"):
            for axis in ("horizontal", "vertical"):
                assert found_nothing(beating_of(Recording(table), eye, axis))


@pytest.mark.parametrize("hz", [0.8, 1.5, 2.5])
def test_eyes_that_stay_while_the_head_shakes_have_none_and_it_is_said(hz):
    rng = np.random.default_rng(3)
    time_s = traces.frame_times(60, 10.0, rng)
    course, head = traces.shaking(time_s, hz, 10.0, rng)
    found = beating_of(Recording(frames_of(course, time_s, rng, head=head)), "od", "horizontal")
    assert found_nothing(found)
    if hz > 1:
        assert "move with the head" in found.reason
        still = beating_of(Recording(frames_of(course, time_s, rng)), "od", "horizontal")
        assert still.waveform == "pendular"  # the same course without the head's is one


@pytest.mark.parametrize("rate_fps", [30, 60])
@pytest.mark.parametrize("late_s", [-0.067, 0.033, 0.067])
def test_a_head_whose_angle_comes_late_is_known_for_the_cause(late_s, rate_fps):
    rng = np.random.default_rng(3)
    time_s = traces.frame_times(rate_fps, 10.0, rng)
    course, head = traces.shaking(time_s, 2.5, 10.0, rng, late_s=late_s)
    found = beating_of(Recording(frames_of(course, time_s, rng, head=head)), "od", "horizontal")
    assert found_nothing(found) and "move with the head" in found.reason


@pytest.mark.parametrize("rate_fps", [30, 60, 120])
def test_quick_reading_in_narrow_columns_is_none(rate_fps):
    for seed in range(540, 550):
        rng = np.random.default_rng(seed)
        time_s = traces.frame_times(rate_fps, 12.0, rng)
        course = traces.reading(time_s, rng, fixation_s=0.17, line_deg=float(rng.uniform(4, 10)))
        found = beating_of(Recording(frames_of(course, time_s, rng, noise_deg=0.1)), "od", "horizontal")
        assert found_nothing(found)


@pytest.mark.parametrize("shape", ["accelerating", "decelerating"])
def test_a_bent_slow_phase_is_no_staircase(shape, monkeypatch):
    monkeypatch.setattr(traces, "BEND", 3.0)
    for seed in SEEDS:
        for hz in (1.6, 2.4):
            made = jerky(seed, hz=hz, size_deg=8.0, shape=shape)
            assert beating_of(made, "od", "horizontal").waveform == "jerk"


def test_a_swing_so_slow_that_it_may_be_a_pursuit_is_not_told():
    rng = np.random.default_rng(4)
    time_s = traces.frame_times(60, 12.0, rng)
    table = frames_of(traces.pursuit(time_s, 1.2, 8, rng, 0.95), time_s, rng)
    found = beating_of(Recording(table), "od", "horizontal")
    assert found_nothing(found) and found.reason.startswith("the eyes swing at 1.2 Hz")
    allowed = Recording(table, settings=Settings(nystagmus_rhythm_hz=1.0))
    assert beating_of(allowed, "od", "horizontal").waveform == "pendular"


def test_a_head_that_turns_along_with_the_eyes_hides_nothing():
    made = jerky(13)
    turning = dict(made.frames, head_yaw_deg=made.frames["od_yaw_deg"])
    assert beating_of(Recording(turning), "od", "horizontal").waveform == "jerk"
    against = dict(made.frames, head_yaw_deg=-made.frames["od_yaw_deg"])
    assert "move with the head" in beating_of(Recording(against), "od", "horizontal").reason


@pytest.mark.parametrize("waveform", ["jerk", "pendular"])
def test_what_is_too_small_for_the_noise_is_refused(waveform):
    for seed in range(520, 530):
        rng = np.random.default_rng(seed)
        time_s = traces.frame_times(60, 10.0, rng)
        course = getattr(traces, waveform)(time_s, 3.3, 0.6, rng)  # three times 0.3 would be 0.9
        found = beating_of(Recording(frames_of(course, time_s, rng, noise_deg=0.3)), "od", "horizontal")
        assert found_nothing(found)
        if found.reason:
            assert found.reason.startswith("amplitude 0.") and "needs" in found.reason


def test_of_a_very_noisy_trace_absence_is_not_claimed():
    rng = np.random.default_rng(5)
    time_s = traces.frame_times(60, 10.0, rng)
    found = beating_of(Recording(frames_of(0 * time_s, time_s, rng, noise_deg=1.5)), "od", "horizontal")
    assert found_nothing(found)
    assert "degrees a frame" in found.reason


def test_short_empty_and_holed_traces_say_why():
    settings = Settings()
    time_s = np.arange(600) / 60
    for angle in (np.full(600, np.nan), np.where(np.arange(600) % 7 < 4, 1.0, np.nan), np.full(600, 4.0)):
        found = beating(time_s, angle, 0 * time_s, settings)
        assert found_nothing(found)
    assert "needs 1.5" in beating(time_s[:60], 0 * time_s[:60], 0 * time_s[:60], settings).reason
    jerk = traces.jerk(time_s, 3, 5, np.random.default_rng(0))
    assert "head" in beating(time_s, jerk, np.full(600, np.nan), settings).reason
    for count in (0, 1, 2, 5):
        assert "needs" in beating(time_s[:count], time_s[:count], time_s[:count], settings).reason


def test_a_recording_of_two_seconds_is_read():
    rng = np.random.default_rng(9)
    time_s = traces.frame_times(60, 2.0, rng)
    for course, waveform in ((traces.fixation(time_s, rng), ""), (traces.jerk(time_s, 4, 5, rng), "jerk")):
        found = beating_of(Recording(frames_of(course, time_s, rng)), "od", "horizontal")
        assert found.waveform == waveform


def records_of(made, settings=None):
    told = recording_of_nystagmus(made, settings)
    return {(one.measure, one.eye, one.condition): one for one in told.records}, told


def recording_of_nystagmus(made, settings=None):
    """Only the group at hand: the others need columns that a trace has not."""
    measured.load_measures()
    again = Recording(made.frames, settings=settings)
    records, happened = [], []
    for one in measured.MEASURES.values():
        if one.name.startswith("nystagmus."):
            records += [
                measured.Record(one.name, eye, condition, told.value, one.unit, *told[1:])
                for eye, told, condition in one.function(again)
            ]
    for function in measured.EVENTS:
        if function.__module__.endswith("nystagmus"):
            happened += list(function(again))
    return measured.Measured(records, happened)


def test_every_record_has_a_value_or_a_reason_and_no_number_is_nan():
    for made in (
        jerky(21),
        Recording(frames_of(0 * np.arange(600.0), np.arange(600) / 60, np.random.default_rng(0))),
    ):
        records, told = records_of(made)
        assert len(records) == len(told.records)
        for one in told.records:
            assert (one.value is None) == (one.reason != "") or one.value == "absent"
            for number in (one.value, one.low, one.high):
                assert number is None or isinstance(number, str) or np.isfinite(number)
        json.dumps(told.nested(), allow_nan=False)


def test_records_of_a_jerk_nystagmus():
    records, told = records_of(jerky(22, side=-1))
    value = {name: records[f"nystagmus.{name}", "od", "horizontal"].value for name in (
        "present_class", "waveform_class", "beat_direction_class", "intensity_deg_per_s", "fit_r",
        "beats_count", "signal_to_noise_ratio", "spectral_peak_hz", "head_speed_deg_per_s",
        "slow_phase_velocity_iqr_deg_per_s",
    )}  # fmt: skip
    assert (value["present_class"], value["waveform_class"]) == ("present", "jerk")
    assert value["beat_direction_class"] == "right"
    assert value["intensity_deg_per_s"] == pytest.approx(16.5, rel=0.1)
    assert value["fit_r"] >= 0.95
    assert value["beats_count"] >= 12
    assert value["signal_to_noise_ratio"] >= 15
    assert value["spectral_peak_hz"] == pytest.approx(3.3, abs=0.25)
    assert 0 < value["head_speed_deg_per_s"] <= 1
    assert 0 < value["slow_phase_velocity_iqr_deg_per_s"] <= 6
    slow = records["nystagmus.slow_phase_velocity_deg_per_s", "od", "horizontal"]
    assert slow.low <= slow.value <= slow.high
    assert records["nystagmus.conjugacy_r", "both", "horizontal"].value >= 0.95
    assert records["nystagmus.present_class", "od", "vertical"].value == "absent"
    quick = [one for one in told.events if one.event == "quick_phase" and one.eye == "od"]
    assert len(quick) == value["beats_count"]
    assert {one.condition for one in quick} == {"horizontal"}
    assert np.median([one.amplitude for one in quick]) == pytest.approx(-5, rel=0.1)
    assert all(0.015 <= one.duration_s <= 0.1 for one in quick)


def test_the_averaged_beat_and_the_spectrum_show_it():
    made = jerky(23)
    phase, course = averaged_beat(made, "od", "horizontal")
    assert phase.size >= 30 and np.all(np.diff(phase) > 0)
    inner = (phase > 0.15) & (phase < 0.85)
    slope = np.polyfit(phase[inner], course[inner], 1)[0]
    assert slope == pytest.approx(-5 / (1 - 3.3 * traces.saccade_s(5.0)), rel=0.12)
    hz, power = spectrum_of(made, "od", "horizontal")
    assert hz[np.argmax(power)] == pytest.approx(3.3, abs=0.25)
    rng = np.random.default_rng(3)
    time_s = traces.frame_times(60, 8.0, rng)
    swing = Recording(frames_of(traces.pendular(time_s, 4.0, 4.0, rng), time_s, rng))
    phase, course = averaged_beat(swing, "od", "horizontal")
    assert np.abs(course - 2 * np.sin(2 * np.pi * phase)).max() <= 0.3


def test_beats_both_ways_have_no_direction():
    rng = np.random.default_rng(14)
    time_s = traces.frame_times(60, 16.0, rng)
    first = time_s < 8
    course = np.where(first, traces.jerk(time_s, 3, 4, rng, 1), traces.jerk(time_s, 3, 4, rng, -1))
    found = beating_of(Recording(frames_of(course, time_s, rng)), "od", "horizontal")
    assert (found.waveform, found.side, found.reason) == ("jerk", 0, "beats go both ways")
    assert error(found.hz, 3) <= 0.05


def test_an_hour_of_beats_has_an_interval():
    from dmask.measure.interval import median_by_ranks

    values = np.random.default_rng(0).normal(5, 1, 4000)  # 2 to the 4000th is no float
    median, low, high = median_by_ranks(values)
    assert low is not None and high is not None
    assert low <= 5 <= high and high - low == pytest.approx(2 * 1.96 * 1.2533 / np.sqrt(4000), rel=0.2)
    assert low <= median <= high


def test_the_null_zone_is_where_the_beats_are_smallest():
    rng = np.random.default_rng(4)
    time_s = traces.frame_times(60, 40.0, rng)
    gaze = np.interp(time_s, [0, 40], [-22, 22])
    size = 1.5 + 0.3 * np.abs(gaze - 10)
    made = Recording(frames_of(gaze + size * traces.jerk(time_s, 3.5, 1.0, rng), time_s, rng, noise_deg=0.05))
    told, _ = records_of(made)
    # The eyes' axes are 10 degrees apart in these traces.
    assert told["nystagmus.null_zone_deg", "os", "horizontal"].value == pytest.approx(15, abs=5)
    still, _ = records_of(jerky(22))
    assert "directions of gaze" in still["nystagmus.null_zone_deg", "od", "horizontal"].reason


def test_eyes_that_beat_against_each_other_are_not_conjugate():
    made = jerky(24)
    frames = dict(made.frames, os_yaw_deg=-made.frames["os_yaw_deg"])
    told, _ = records_of(Recording(frames))
    assert told["nystagmus.conjugacy_r", "both", "horizontal"].value <= -0.9
    assert told["nystagmus.beat_direction_class", "os", "horizontal"].value == "right"


def test_the_preset_of_visualeyes_asks_for_straighter_slow_phases():
    assert PRESETS["visualeyes"]["nystagmus_least_fit_r"] == 0.95
    strict = settings_of("visualeyes", {})
    made = jerky(25)
    usual = beating_of(made, "od", "horizontal")
    again = beating_of(Recording(made.frames, settings=strict), "od", "horizontal")
    assert again.waveform == "jerk" and 3 <= len(again.beats) <= len(usual.beats)
    assert min(beat.fit_r for beat in again.beats) >= 0.95


def test_a_profile_that_holds_frames_tells_nothing():
    made = jerky(26)
    held = Recording(made.frames, {"profile": "strict", "coarse_time": "on"})
    for finding in present(held):
        assert finding.estimate.value is None and "withheld" in finding.estimate.reason


def test_it_is_among_the_measures():
    measured.load_measures()
    assert "nystagmus.frequency_hz" in measured.MEASURES
    assert measured.MEASURES["nystagmus.slow_phase_velocity_deg_per_s"].unit == "deg/s"
