"""What the summary says about a recording whose truth is known."""

import numpy as np
import pytest

from dmask.io.tables import FRAME_COLUMNS, TEXT_COLUMNS, cell
from dmask.measure.blinks import find_blinks, open_baseline
from dmask.measure.summary import deviation, prism_dioptres, summarise

OPTIONS = {
    "hfov_deg": 40.0,
    "hvid_mm": 11.71,
    "age_years": 18.0,
    "profile": "clinical",
    "coarse_time": "off",
    "lamp": "unknown",
    "fixating": "none",
    "fixating_from_s": 0.0,
    "fixating_to_s": 0.0,
}
TIME_S = np.arange(300) / 30


def recording(**columns):
    frames = {name: np.ones(TIME_S.size) for name in FRAME_COLUMNS}
    frames |= {name: np.full(TIME_S.size, "", dtype="<U16") for name in TEXT_COLUMNS}
    return frames | {"time_s": TIME_S, "frame": np.arange(TIME_S.size)} | columns


def openness(*closed):
    """0.3 all along, besides (from, to, value)."""
    values = np.full(TIME_S.size, 0.3)
    for from_s, to_s, value in closed:
        values[(TIME_S >= from_s) & (TIME_S < to_s)] = value
    return values


def test_complete_and_partial_blinks_and_long_closures_are_kept_apart():
    blinks, closures = find_blinks(TIME_S, openness((1, 1.2, 0.0), (3, 3.2, 0.1), (5, 7, 0.0)))
    assert [blink.complete for blink in blinks] == [True, False]
    assert blinks[0].start_s == pytest.approx(1.0, abs=0.04) and blinks[0].end_s == pytest.approx(
        1.2, abs=0.04
    )
    assert len(closures) == 1


def test_the_baseline_is_the_open_lid_even_if_the_eye_is_often_shut():
    assert open_baseline(openness((0, 6, 0.0))) == pytest.approx(0.3)


def test_a_closure_at_the_edge_of_the_recording_is_not_counted():
    blinks, closures = find_blinks(TIME_S, openness((0, 0.2, 0.0), (9.9, 10, 0.0)))
    assert blinks == closures == []


def test_frames_without_openness_do_not_make_blinks():
    values = openness()
    values[50:60] = np.nan
    assert find_blinks(TIME_S, values) == ([], [])


def test_a_narrow_slit_is_not_a_blink():
    assert find_blinks(TIME_S, openness((1, 1.2, 0.2))) == ([], [])


def test_deviation_averages_degrees_and_converts_last():
    found = deviation(np.array([10.0, 30.0, np.nan]), np.array([0.0, 0.0, 0.0]))
    assert found["median"] == 20.0 and found["frames"] == 2
    assert found["median_pd"] == pytest.approx(100 * np.tan(np.radians(20)), abs=0.01)
    assert prism_dioptres(45.0) == pytest.approx(100.0)


def test_eyes_too_small_to_be_measured_are_said_to_be_drawn_all_the_same():
    few = np.where(TIME_S < 1, "low_resolution", "")
    told = [
        any("may be noise" in statement for statement in summarise(frames, OPTIONS)["statements"])
        for frames in (recording(), recording(os_reason=few))
    ]
    assert told == [False, True]


def test_invalid_frames_stay_out_of_the_medians_and_are_counted_by_reason():
    invalid = TIME_S < 2
    frames = recording(
        od_valid=np.where(invalid, 0.0, 1.0),
        od_reason=np.where(invalid, "closed", ""),
        od_yaw_deg=np.where(invalid, 90.0, 5.0),
        os_yaw_deg=np.full(TIME_S.size, -3.0),
    )
    summary = summarise(frames, OPTIONS)
    assert summary["od"]["yaw_deg"]["median"] == 5.0
    assert summary["od"]["share_of_frames"] == {"closed": 0.2, "valid": 0.8}
    assert summary["deviation_os_minus_od"]["horizontal_deg"]["median"] == -8.0
    assert summary["deviation_os_minus_od"]["horizontal_deg"]["frames"] == 240


def test_without_a_valid_frame_the_summary_holds_null():
    frames = recording(od_valid=np.zeros(TIME_S.size), os_valid=np.zeros(TIME_S.size))
    frames |= {f"{eye}_openness": np.full(TIME_S.size, np.nan) for eye in ("od", "os")}
    summary = summarise(frames, OPTIONS)
    assert summary["od"]["yaw_deg"]["median"] is None
    assert summary["od"]["blinks"]["per_minute"] is None
    assert summary["deviation_os_minus_od"]["vertical_deg"]["median_pd"] is None


def test_naming_a_fixating_eye_changes_the_statement():
    fixating = OPTIONS | {"fixating": "os", "fixating_from_s": 2.0, "fixating_to_s": 3.0}
    assert "several degrees" in summarise(recording(), OPTIONS)["statements"][0]
    assert "fixating os from 2 to 3 s" in summarise(recording(), fixating)["statements"][0]


@pytest.mark.parametrize(
    ("value", "text"), [(np.nan, ""), (np.inf, ""), (0.0, "0.0000"), (-0.00001, "0.0000"), (-1.5, "-1.5000")]
)
def test_cells_hold_numbers_or_nothing(value, text):
    assert cell(value) == text


def test_the_noise_floor_stands_in_the_summary_unless_frames_are_held():
    trembling = np.random.default_rng(0).normal(0, 0.2, TIME_S.size)
    frames = recording(od_yaw_deg=5 + trembling)
    told = summarise(frames, OPTIONS)["od"]["noise_from_frame_to_frame"]
    assert told["yaw_deg"] == pytest.approx(0.2 * np.sqrt(2), rel=0.2)
    assert told["pitch_deg"] == 0
    held = summarise(frames, OPTIONS | {"profile": "strict", "coarse_time": "on"}, tells_blinks=False)
    assert set(held["od"]["noise_from_frame_to_frame"].values()) == {None}
