"""Stability of fixation, intrusions and quality of the data, in traces of known movements."""

import numpy as np
import pytest

from dmask.measure import measured
from dmask.measure.clinical import fixation
from dmask.measure.clinical.fixation import ellipse_deg2, fixation_of
from dmask.measure.recorded import Recording
from dmask.measure.registry import MEASURES
from dmask.measure.steps import Steps, intrusions, steps
from dmask.synthetic import traces

measured.load_measures()


def told(made, name, eye="od", condition=""):
    findings = {(one.eye, one.condition): one.estimate for one in MEASURES[f"fixation.{name}"].function(made)}
    return findings[eye, condition]


def still(seed, sd_deg=0.2, rate_fps=60, duration_s=10.0, yaw=0.0, pitch=0.0):
    rng = np.random.default_rng(seed)
    time_s = traces.frame_times(rate_fps, duration_s, rng)
    return Recording(traces.frames(time_s, rng, yaw + 0 * time_s, pitch + 0 * time_s, sd_deg))


def test_the_ellipse_holds_68_percent_of_gaze():
    rng = np.random.default_rng(0)
    x, y = rng.multivariate_normal([0, 0], [[4, 1.2], [1.2, 1]], 40_000).T
    area = ellipse_deg2(x, y)
    # By the formula: 2 k pi sx sy sqrt(1 - r2), k = 1.1457.
    assert area == pytest.approx(2 * 1.1457 * np.pi * np.sqrt(4 * 1 - 1.2**2), rel=0.02)
    spread = np.linalg.inv(np.cov(x, y))
    off = np.stack([x - x.mean(), y - y.mean()])
    within = np.einsum("in,ij,jn->n", off, spread, off) <= area / (
        np.pi * np.sqrt(np.linalg.det(np.cov(x, y)))
    )
    assert within.mean() == pytest.approx(0.682, abs=0.01)


def test_white_noise_gives_its_own_numbers():
    made = still(1)
    assert told(made, "rms_s2s_deg").value == pytest.approx(0.2 * 2, rel=0.1)  # sqrt(2) an axis, two axes
    assert told(made, "std_deg").value == pytest.approx(0.2 * np.sqrt(2), rel=0.1)
    area = told(made, "bcea_deg2")
    assert area.value == pytest.approx(2 * 1.1457 * np.pi * 0.04, rel=0.2)
    assert area.low <= 2 * 1.1457 * np.pi * 0.04 <= area.high
    assert told(made, "longest_s").value == pytest.approx(10, abs=0.2)


def test_loss_and_frequency_count_what_is_missing():
    made = still(2)
    frames = dict(made.frames)
    gone = np.arange(600) % 4 == 0
    frames["od_valid"] = np.where(gone, 0, 1)
    frames["od_reason"] = np.where(gone, "lost", "")
    holed = Recording(frames)
    assert told(holed, "data_loss_share").value == pytest.approx(0.25)
    assert told(holed, "effective_frequency_hz").value == pytest.approx(45, rel=0.01)
    assert told(holed, "data_loss_share", "os").value == 0
    assert told(holed, "effective_frequency_hz", "os").value == pytest.approx(60, rel=0.001)


def test_the_fixation_is_the_longest_stay_between_looks():
    rng = np.random.default_rng(3)
    time_s = np.arange(900) / 60
    yaw = np.where(time_s < 4, 0.0, np.where(time_s < 11, 12.0, -8.0))
    found = fixation_of(Recording(traces.frames(time_s, rng, yaw, 0 * time_s, 0.1)), "od")
    assert not isinstance(found, str)
    assert found.start_s == pytest.approx(4, abs=0.1)
    assert found.end_s == pytest.approx(11, abs=0.1)


def test_without_a_fixation_it_is_said():
    rng = np.random.default_rng(4)
    time_s = np.arange(900) / 60
    wide = Recording(traces.frames(time_s, rng, 12 * np.sin(3 * time_s), 0 * time_s, 0.1))
    assert "one place for" in told(wide, "bcea_deg2").reason
    blind = Recording(traces.frames(time_s, rng, np.full(900, np.nan), np.full(900, np.nan), 0.1))
    assert told(blind, "bcea_deg2").value is None and told(blind, "bcea_deg2").reason
    assert told(blind, "data_loss_share").value == 1
    short = still(5, duration_s=1.0)
    assert "needs 2" in told(short, "bcea_deg2").reason


@pytest.mark.parametrize("rate_fps", [30, 60, 120])
def test_square_wave_jerks_are_counted(rate_fps):
    made, found = 0, 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        time_s = traces.frame_times(rate_fps, 40.0, rng)
        course, at_s = traces.square_wave_jerks(time_s, rng, 20)
        record = Recording(traces.frames(time_s, rng, course, traces.wander(time_s, 0.1, 1, rng), 0.05))
        stay = fixation_of(record, "od")
        assert not isinstance(stay, str)
        made += int(((at_s > stay.start_s) & (at_s < stay.end_s - 0.4)).sum())
        estimate = told(record, "square_wave_jerks_per_min", "od", "horizontal")
        found += estimate.n
        assert estimate.low <= estimate.value <= estimate.high
    assert made >= 20
    assert 0.8 * made <= found <= 1.1 * made


def test_none_are_counted_where_there_are_none_or_where_noise_hides_them():
    calm = told(still(6, 0.05), "square_wave_jerks_per_min", "od", "horizontal")
    assert (calm.value, calm.n) == (0, 0)
    loud = told(still(7, 0.6), "square_wave_jerks_per_min", "od", "horizontal")
    assert loud.value is None and "noise of 0.6" in loud.reason
    rng = np.random.default_rng(8)
    time_s = np.arange(600) / 60
    beats = Recording(traces.frames(time_s, rng, traces.jerk(time_s, 3, 2.0, rng), 0 * time_s, 0.05))
    assert "beats" in told(beats, "square_wave_jerks_per_min", "od", "horizontal").reason


def test_a_look_there_and_back_later_is_no_intrusion():
    pairs = [
        (1.0, 2.0),
        (1.2, -1.9),
        (3.0, 2.0),
        (4.0, -2.0),
        (6.0, 2.0),
        (6.2, 2.0),
        (8.0, 2.0),
        (8.2, -0.5),
    ]
    found = Steps(np.array([at for at, _ in pairs]), np.array([size for _, size in pairs]))
    assert [(one.start_s, one.end_s) for one in intrusions(found, 0.08, 0.45, 5.0)] == [(1.0, 1.2)]


def test_steps_have_their_size_and_are_not_seen_over_a_gap():
    time_s = np.arange(300) / 60
    angle = np.where(time_s > 2, 3.0, 0.0)
    found = steps(time_s, angle, 0.5)
    assert found.at_s == pytest.approx([2.0], abs=0.02)
    assert found.size_deg == pytest.approx([3.0], abs=0.01)
    kept = (time_s < 1.8) | (time_s > 2.2)
    assert steps(time_s[kept], angle[kept], 0.5).at_s.size == 0
    assert steps(time_s[:3], angle[:3], 0.5).at_s.size == 0


def test_the_main_sequence_is_told_from_120_frames_a_second():
    rng = np.random.default_rng(9)
    for rate_fps, expected in ((60, None), (120, 5), (120 / 1.001, 5)):
        time_s = traces.frame_times(rate_fps, 30.0, rng)
        yaw = traces.refixations(time_s, rng, 0.8, 10.0)
        made = Recording(traces.frames(time_s, rng, yaw, 0 * time_s, 0.05))
        estimate = told(made, "main_sequence_5deg_deg_per_s", "od", "horizontal")
        if expected is None:
            assert estimate.value is None and "needs 120" in estimate.reason
        else:
            true = 1.5 * 5 / traces.saccade_s(5)  # the steepest of s2 (3 - 2 s)
            assert 0.8 * true <= estimate.value <= 1.02 * true  # two intervals of 8 ms flatten a peak
            assert estimate.low <= estimate.value <= estimate.high
            assert "saccades" in told(made, "main_sequence_5deg_deg_per_s", "od", "vertical").reason


def test_events_of_intrusions_have_a_sign():
    rng = np.random.default_rng(10)
    time_s = traces.frame_times(60, 10.0, rng)
    course = traces.steps(time_s, np.array([3.0, 3.22, 6.0, 6.22]), np.array([2.0, -2.0, -1.5, 1.5]))
    made = Recording(traces.frames(time_s, rng, course, 0 * time_s, 0.05))
    happened = [one for one in fixation.square_wave_events(made) if one.eye == "os"]
    assert [one.amplitude for one in happened] == pytest.approx([2.0, -1.5], abs=0.15)
    assert [one.onset_s for one in happened] == pytest.approx([3.0, 6.0], abs=0.05)
    assert [one.duration_s for one in happened] == pytest.approx([0.22, 0.22], abs=0.04)
