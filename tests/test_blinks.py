"""Blinks are counted whatever else the lids do; the courses are of the project's own making."""

import json

import numpy as np
import pytest
from traces import blinking, traces

from dmask import cli
from dmask.evaluate import blinks as evaluation
from dmask.evaluate.blinks import compare, recordings, score
from dmask.measure.blinks import blinks_of, find_blinks
from dmask.measure.open_lid import local_baseline
from dmask.measure.running import running_max, running_median, running_min
from dmask.synthetic.lids import MIXTURES, LidEvent, LidRecording, lid_recording

TIME_S = np.arange(0, 20, 1 / 30)
LEAST_F1 = 0.97


def lids(*levels, open_lid=0.33, time_s=TIME_S):
    """`open_lid` all along, besides (from, to, value), later ones above earlier ones."""
    values = np.full(time_s.size, open_lid)
    for from_s, to_s, value in levels:
        values[(time_s > from_s) & (time_s < to_s)] = value
    return values


def blink_at(*middles_s, half_s=0.09):
    return [(at_s - half_s, at_s + half_s, 0.0) for at_s in middles_s]


def test_blinks_during_a_smile_are_blinks_and_not_one_long_closure():
    smiling = lids((8, 14, 0.25), *blink_at(2, 5, 9.5, 11, 12.5, 16, 18))
    blinks, closures = find_blinks(TIME_S, smiling)
    assert len(blinks) == 7 and closures == []
    assert all(blink.end_s - blink.start_s < 0.4 for blink in blinks)


@pytest.mark.parametrize("level", [0.85, 0.7, 0.6, 0.45])
def test_a_squint_is_no_closure_and_hides_none(level):
    squint = lids((4, 12, 0.33 * level), *blink_at(2, 6, 8, 10))
    blinks, closures = find_blinks(TIME_S, squint)
    assert len(blinks) == 4 and closures == []


@pytest.mark.parametrize("lasts_s", [0.1, 0.3, 0.8])
def test_a_lid_that_goes_down_with_its_eye_does_not_blink(lasts_s):
    frames = blinking(traces(), "os", [2.0], lasts_s=0.2, depth=0.6, shut_s=lasts_s)
    (blink,), closures = blinks_of(frames, "os")
    assert closures == [] and blink.closure == pytest.approx(0.6, abs=0.02)
    down = frames["os_openness"] < 0.3
    looked = frames | {"os_pitch_deg": np.where(down, -28.0, 0.0)}
    assert blinks_of(looked, "os") == ([], [])
    # Eyes that roll, or are hidden by the lid, tell nothing.
    for pitch_deg in (np.where(down, -8.0, 0.0), np.where(down, np.nan, 0.0), np.where(down, 20.0, 0.0)):
        assert sum(map(len, blinks_of(frames | {"os_pitch_deg": pitch_deg}, "os"))) == 1


def test_a_blink_on_the_way_down_is_one():
    frames = blinking(traces(), "os", [2.0])
    frames["os_pitch_deg"] = np.where(frames["time_s"] > 2.1, -25.0, frames["os_pitch_deg"])
    frames["os_openness"] = np.where(
        frames["time_s"] > 2.1, 0.6 * frames["os_openness"], frames["os_openness"]
    )
    assert len(blinks_of(frames, "os")[0]) == 1


def test_closure_is_a_share_of_the_lid_about_the_blink():
    squint = lids((5, 15, 0.20), (9.9, 10.1, 0.06))
    (blink,), _ = find_blinks(TIME_S, squint)
    assert blink.closure == pytest.approx(0.7, abs=0.02) and not blink.complete


def test_the_baseline_follows_a_plateau_to_its_edges_and_passes_over_blinks_and_sleep():
    plain = lids((4, 8, 0.22))
    sleeping = lids((4, 8, 0.22), (12, 17, 0.0), *blink_at(2, 6))
    assert local_baseline(TIME_S, plain) == pytest.approx(plain, abs=1e-6)
    assert local_baseline(TIME_S, sleeping) == pytest.approx(plain, abs=1e-6)


def test_long_closures_are_counted_apart_even_if_they_take_most_of_the_time():
    blinks, closures = find_blinks(TIME_S, lids((1, 9, 0.0), (10, 18, 0.02), *blink_at(19)))
    assert len(blinks) == 1 and len(closures) == 2
    assert closures[0].end_s - closures[0].start_s == pytest.approx(8, abs=0.1)


def test_a_lid_that_opens_slowly_makes_one_blink():
    opening = np.interp(TIME_S, [5.0, 5.1, 6.2], [1.0, 0.0, 1.0])
    blinks, closures = find_blinks(TIME_S, 0.3 * opening)
    assert len(blinks) == 1 and closures == []
    assert blinks[0].end_s > 5.8


def test_a_double_blink_is_two():
    ridge = np.interp(TIME_S, [5.0, 5.1, 5.3, 5.4, 5.7], [1.0, 0.0, 0.7, 0.0, 1.0])
    assert len(find_blinks(TIME_S, 0.3 * ridge)[0]) == 2


def test_a_drooping_lid_blinks_as_well():
    random = np.random.default_rng(1)
    drooping = lids(*blink_at(3, 6, 9), open_lid=0.06) + random.normal(0, 0.004, TIME_S.size)
    assert len(find_blinks(TIME_S, drooping)[0]) == 3


def test_a_lid_that_tires_to_a_third_still_blinks_and_is_not_shut():
    time_s = np.arange(0, 60, 1 / 30)
    tiring = lids(*[(at - 0.09, at + 0.09, 0.0) for at in range(4, 60, 6)], time_s=time_s)
    tiring *= np.interp(time_s, [0, 60], [1.0, 0.36])
    blinks, closures = find_blinks(time_s, tiring)
    assert len(blinks) == 10 and closures == []


def test_at_10_frames_a_second_a_blink_may_be_one_frame():
    time_s = np.arange(0, 20, 0.1)
    values = np.full(time_s.size, 0.3)
    values[[40, 90]] = 0.05
    assert len(find_blinks(time_s, values)[0]) == 2


def test_one_wrong_frame_at_60_a_second_is_no_blink():
    time_s = np.arange(0, 20, 1 / 60)
    values = np.full(time_s.size, 0.3)
    values[300] = 0.05
    assert find_blinks(time_s, values) == ([], [])


def test_noise_alone_makes_no_blinks():
    random = np.random.default_rng(2)
    noisy = 0.05 + random.normal(0, 0.0075, TIME_S.size)  # 15 % of a narrow slit
    assert find_blinks(TIME_S, np.maximum(noisy, 0)) == ([], [])


def test_what_reaches_into_a_gap_is_left_out_and_a_short_gap_is_bridged():
    hidden = lids(*blink_at(5, 10))
    hidden[(TIME_S > 5) & (TIME_S < 7)] = np.nan
    hidden[(TIME_S > 9.97) & (TIME_S < 10.05)] = np.nan
    (blink,), closures = find_blinks(TIME_S, hidden)
    assert blink.start_s == pytest.approx(9.9, abs=0.05) and closures == []


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_recordings_of_a_frame_or_two_have_no_blinks(count):
    assert find_blinks(TIME_S[:count], np.full(count, 0.3)) == ([], [])


@pytest.fixture(scope="module")
def drawn():
    """One recording of each kind at each rate, by kind."""
    named = list(recordings(seed=2, number=1, duration_s=40))
    return {kind: [one for one in named if one[1].kind == kind] for kind in MIXTURES}


@pytest.mark.parametrize("kind", list(MIXTURES))
def test_the_drawn_blinks_are_found(drawn, kind):
    figures = score(drawn[kind])
    assert figures["blinks"]["all"]["all"]["f1"] >= LEAST_F1
    assert figures["blinks"]["all"]["all"]["true"] > 60


def test_long_closures_of_the_drawn_courses_are_found(drawn):
    assert score(drawn["closures"])["longer_closures"]["f1"] >= LEAST_F1


def test_an_evaluation_counts_what_is_wrong_and_what_is_missing():
    event = LidEvent("full", 5.0, 0.1, 0.0, 0.2, (1.0, 1.0))
    missed = event._replace(start_s=8.0)
    values = {eye: lids(*blink_at(5.1, 12)) for eye in ("od", "os")}
    blinks, closures = compare(LidRecording("plain", TIME_S, values, values, [event, missed]), "od")
    assert (blinks.found, blinks.wrong, blinks.missed) == (1, 1, 1)
    assert (closures.found, closures.wrong, closures.missed) == (0, 0, 0)


def test_a_drawn_wink_is_of_one_eye_and_a_twitch_is_no_blink():
    winks = lid_recording(np.random.default_rng(4), "winks")
    lone = [event for event in winks.events if event.kind == "wink"]
    assert lone and all((event in winks.blinks("od")) != (event in winks.blinks("os")) for event in lone)
    assert not any(event.kind == "twitch" for eye in ("od", "os") for event in winks.blinks(eye))


def test_running_statistics_are_those_of_each_window():
    random = np.random.default_rng(3)
    time_s, values = np.sort(random.uniform(0, 10, 200)), random.normal(size=200)
    windows = [values[abs(time_s - at) <= 0.35] for at in time_s]
    assert running_max(time_s, values, 0.7) == pytest.approx([part.max() for part in windows])
    assert running_min(time_s, values, 0.7) == pytest.approx([part.min() for part in windows])
    lower = [np.sort(part)[(part.size - 1) // 2] for part in windows]
    assert running_median(time_s, values, 0.7) == pytest.approx(lower)


def test_eval_blinks_prints_and_writes_its_figures(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(evaluation, "RENDERED_S", 2.5)  # a blink of each eye, which is what is asked
    report = tmp_path / "blinks.json"
    arguments = ["eval", "blinks", "--recordings", "1", "--seconds", "5", "--rendered", "1"]
    assert cli.main([*arguments, "--json", str(report)]) == 0
    figures = json.loads(report.read_text())
    assert figures["blinks"]["all"]["all"]["f1"] >= LEAST_F1
    rendered = figures["rendered"]["blinks"]["all"]["all"]
    assert (rendered["true"], rendered["precision"], rendered["recall"]) == (2, 1.0, 1.0)
    assert "F1 10 fps" in capsys.readouterr().out
