"""What an attacker sees of motion: it does not depend on when, empty cells are none, and styles show."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmask.evaluate.linkage.motion import channels_of, motion_features, table
from dmask.io.tables import FRAME_COLUMNS, TEXT_COLUMNS

UNITS = ("browInnerUp_L", "browInnerUp_R")
LIDS = 2


def columns(count=600, fps=30.0, blinks=(), seed=0):
    random = np.random.default_rng(seed)
    time_s = np.arange(count) / fps
    found = {name: np.full(count, np.nan) for name in FRAME_COLUMNS if name not in TEXT_COLUMNS}
    found["time_s"] = time_s
    for name in ("head_yaw_deg", "head_pitch_deg", "head_roll_deg"):
        found[name] = np.cumsum(random.normal(size=count)) * 0.1
    looks = np.repeat(random.normal(0, 6, (count // 20 + 1, 2)), 20, 0)[:count]
    for eye in ("od", "os"):
        found[f"{eye}_yaw_deg"], found[f"{eye}_pitch_deg"] = looks.T + random.normal(0, 0.1, (2, count))
        openness = 0.35 + random.normal(0, 0.002, count)
        for at_s in blinks:
            openness *= 1 - np.exp(-(((time_s - at_s) / 0.06) ** 2))
        found[f"{eye}_openness"] = openness
    return found


def rows(count=600, seed=0):
    """Of a track: a face, brows that rise three times, lids that move."""
    random = np.random.default_rng(seed)
    made = random.normal(0, 0.01, (count, 7 + len(UNITS) + 2 * (3 + LIDS)))
    made[:, 0] = 1
    rise = np.clip(np.sin(np.arange(count) * 6 * np.pi / count), 0, 1)
    made[:, 7], made[:, 8] = 0.6 * rise, 0.4 * rise
    return made


BLINKS = (2.0, 6.0, 9.5, 14.0)


@settings(max_examples=8, deadline=None)
@given(st.floats(0.0, 1e5), st.integers(0, 5))
def test_when_a_recording_began_changes_nothing(shift_s, seed):
    here = columns(blinks=BLINKS, seed=seed)
    there = here | {"time_s": here["time_s"] + shift_s}
    a, b = (motion_features(one, rows(seed=seed), UNITS) for one in (here, there))
    assert a.keys() == b.keys() and np.isfinite(list(a.values())).sum() > 100
    assert list(a.values()) == pytest.approx(list(b.values()), rel=1e-3, abs=1e-4, nan_ok=True)


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 599), st.integers(0, 5))
def test_what_happens_later_instead_of_sooner_is_the_same_motion(frames, seed):
    """Rolled round, a recording has the same distributions but for the seam."""
    here, track = columns(blinks=BLINKS, seed=seed), rows(seed=seed)
    there = {k: v if k == "time_s" else np.roll(v, frames) for k, v in here.items()}
    a = motion_features(here, track, UNITS)
    b = motion_features(there, np.roll(track, frames, 0), UNITS)
    still = [k for k in a if k.endswith((":p5", ":p50", ":p95", ":sd")) or "deg:with_" in k]
    assert len(still) > 60
    assert [a[k] for k in still] == pytest.approx([b[k] for k in still], rel=1e-6, abs=1e-9, nan_ok=True)


def test_empty_cells_are_no_numbers_and_holes_are_bridged():
    whole = columns(blinks=BLINKS)
    assert all(np.isnan(v) for k, v in motion_features(whole).items() if k.startswith("od_pfh_mm:p"))
    holed = {
        k: v if k == "time_s" else np.where(np.arange(600) % 50 < 5, np.nan, v) for k, v in whole.items()
    }
    a, b = motion_features(whole), motion_features(holed)
    for name in ("head_yaw_deg:p50", "od_yaw_deg:sd", "od_openness:p50"):
        assert b[name] == pytest.approx(a[name], rel=0.1, abs=0.1)
    empty = {k: v if k == "time_s" else np.full(600, np.nan) for k, v in whole.items()}
    nothing = motion_features(empty, np.zeros_like(rows()), UNITS)
    assert np.isnan(list(nothing.values())).all()


def test_blinks_saccades_and_expressions_are_those_that_were_made():
    found = motion_features(columns(blinks=BLINKS), rows(), UNITS)
    assert found["od_blink:per_min"] == pytest.approx(4 / (599 / 30) * 60)
    assert found["od_blink:complete"] == 1.0 and 0.1 < found["od_blink:lasts_s"] < 0.4
    assert found["od_blink:closes"] < -2 and found["od_blink:opens"] > 2
    assert 0.7 < found["saccade:per_s"] < 1.6 and found["saccade:size_deg"] > 3
    assert found["unit_browInnerUp:per_min"] == pytest.approx(3 / (599 / 30) * 60)
    assert found["unit_browInnerUp:height"] == pytest.approx(0.5, abs=0.02)
    assert found["unit_browInnerUp:side"] == pytest.approx(0.4, abs=0.05)
    assert found["unit_browInnerUp_L:with_unit_browInnerUp_R"] > 0.99


def test_frames_without_a_face_are_no_motion_of_the_mask():
    track = rows()
    track[100:200] = 0
    channels = channels_of(columns(), track, UNITS)
    assert np.isnan(channels["unit_browInnerUp_L"][100:200]).all()
    assert np.isfinite(channels["os_lid_1"][:100]).all() and "os_lid_2" not in channels


def test_a_table_has_a_column_for_what_anybody_shows():
    names, values = table([{"a": 1.0}, {"a": 2.0, "b": 3.0}])
    assert names == ["a", "b"] and np.isnan(values[0, 1]) and values[1].tolist() == [2.0, 3.0]
