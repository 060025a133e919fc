"""The deviation between the eyes: where it is taken, how sure it is, what straight eyes would show."""

import json
from pathlib import Path

import numpy as np
import pytest
from test_summary import OPTIONS, recording

from dmask import _core
from dmask.axes import KAPPA_DEG
from dmask.measure.deviation import (
    Looks,
    expected_of_straight_eyes,
    note,
    primary_position,
    where_they_look,
)
from dmask.measure.directions import directions, to_camera
from dmask.measure.interval import (
    count_interval,
    effective_number,
    median_by_ranks,
    median_with_interval,
    share_interval,
)
from dmask.measure.summary import summarise
from dmask.synthetic import Pose, SyntheticPatient

CHECKOUT = Path(__file__).resolve().parent.parent
FRAMES = 300


NO_GAZE = np.array([]), np.array([])


def looking(yaw_deg, pitch_deg=0.0, deviation_deg=12.0, sd_deg=1.0, **columns):
    """Both eyes' mean looks there from a head that faces a camera 420 mm away."""
    still = {
        f"head_{name}": np.zeros(FRAMES) for name in ("yaw_deg", "pitch_deg", "roll_deg", "x_mm", "y_mm")
    }
    eyes = {}
    for eye, side in (("od", -0.5), ("os", 0.5)):
        eyes[f"{eye}_yaw_deg"] = np.zeros(FRAMES) + yaw_deg + side * np.asarray(deviation_deg)
        eyes[f"{eye}_pitch_deg"] = np.zeros(FRAMES) + pitch_deg
    for axis in ("yaw", "pitch"):
        eyes |= {f"{who}_{axis}_sd_deg": np.full(FRAMES, sd_deg) for who in ("od", "os", "deviation")}
    return recording(**(still | {"head_z_mm": np.full(FRAMES, 420.0)} | eyes | columns))


def primary(frames):
    return primary_position(frames, where_they_look(frames))


def test_the_camera_is_where_the_heads_turn_puts_it():
    random = np.random.default_rng(0)
    for _ in range(5):
        turn, place = random.uniform(-50, 50, 3), np.array([*random.uniform(-90, 90, 2), 400.0])
        x, y, z = np.asarray(_core.head_rotation(*turn)).T @ -place
        names = [f"head_{name}_deg" for name in ("yaw", "pitch", "roll")]
        columns = {name: np.array([value]) for name, value in zip(names, turn, strict=True)}
        yaw_deg, pitch_deg = to_camera(columns, {a: place[None, i] for i, a in enumerate("xyz")})
        assert yaw_deg[0] == pytest.approx(np.degrees(np.arctan2(x, z)))
        assert pitch_deg[0] == pytest.approx(np.degrees(np.arctan2(y, np.hypot(x, z))))


def test_only_frames_in_primary_position_count():
    aside = np.arange(FRAMES) >= 100
    found = primary(looking(np.where(aside, 25.0, 2.0), deviation_deg=np.where(aside, 30.0, 12.0)))
    assert found["horizontal_deg"]["median"] == 12.0
    assert found["frames"] == 100 and found["share_of_measured_frames"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["straight_ahead"] == "camera"
    assert found["distance_mm"] == 420 and found["distance"] == "near"


def test_a_turned_away_head_is_measured_where_the_eyes_rest():
    found = primary(looking(20.0, head_yaw_deg=np.full(FRAMES, 40.0)))
    assert found["straight_ahead"] == "rest" and found["frames"] == FRAMES


@pytest.mark.parametrize(
    ("yaw_deg", "pitch_deg", "name"),
    [
        (0, 0, "primary"), (9.9, 0, "primary"), (10.1, 0, "left"), (-20, 3, "right"), (0, 10.1, "up"),
        (2, -15, "down"), (20, 20, "up_left"), (-20, -20, "down_right"), (8, 7, "left"), (-7, 8, "up"),
        (np.nan, np.nan, ""),
    ],
)  # fmt: skip
def test_directions_are_the_patients(yaw_deg, pitch_deg, name):
    assert directions((np.array([yaw_deg]), np.array([pitch_deg])), 0.0, 0.0)[0] == name


def test_each_direction_has_its_own_deviation():
    third = np.arange(FRAMES) // 100
    yaw_deg = np.choose(third, [0.0, 25.0, -25.0])
    summary = summarise(looking(yaw_deg, deviation_deg=np.choose(third, [10.0, 4.0, 20.0])), OPTIONS)
    named = summary["deviation_os_minus_od"]["by_direction"]
    assert {name: row["horizontal_deg"]["median"] for name, row in named.items()} == {
        "primary": 10.0, "left": 4.0, "right": 20.0,
    }  # fmt: skip


def test_the_stated_deviation_does_not_average_out():
    for sd_deg in (1.0, 3.0):
        low, high = primary(looking(0.0, sd_deg=sd_deg))["horizontal_deg"]["interval_95"]
        assert high - low == pytest.approx(2 * 1.96 * sd_deg, abs=0.05)


def test_a_table_from_before_deviations_were_stated_takes_both_eyes_as_erring_apart():
    older = looking(0.0, sd_deg=2.0)
    for axis in ("yaw", "pitch"):
        older[f"deviation_{axis}_sd_deg"] = np.full(FRAMES, np.nan)
    low, high = primary(older)["horizontal_deg"]["interval_95"]
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(2) * 2.0, abs=0.05)


def test_neighbours_that_say_the_same_are_not_independent():
    random = np.random.default_rng(1)
    white = random.normal(size=2000)
    slow = np.zeros(2000)
    for i in range(1, 2000):
        slow[i] = 0.95 * slow[i - 1] + white[i]
    assert effective_number(white) > 1400
    assert effective_number(slow) == pytest.approx(2000 * 0.05 / 1.95, rel=0.5)
    assert effective_number(np.ones(50)) == 50


def test_the_interval_holds_the_true_median_in_most_slow_recordings():
    random, held = np.random.default_rng(2), 0
    for _ in range(200):
        noise = random.normal(size=400)
        values = np.zeros(400)
        for i in range(1, 400):
            values[i] = 0.8 * values[i - 1] + noise[i]
        low, high = median_with_interval(values, 0.0)["interval_95"]
        held += low <= 0 <= high
    assert 0.88 <= held / 200 <= 1.0


def test_straight_eyes_are_expected_by_distance():
    near, far = expected_at(330.0), expected_at(1e6)
    assert near["convergence_deg"] == pytest.approx(2 * np.degrees(np.arctan(31.5 / 330)), abs=0.06)
    assert near["horizontal_deg"] == pytest.approx(2 * KAPPA_DEG - near["convergence_deg"], abs=0.11)
    assert far["horizontal_deg"] == 2 * KAPPA_DEG
    assert near["interval_95"][0] < near["horizontal_deg"] < near["interval_95"][1]
    assert expected_of_straight_eyes(Looks(None, np.array([]), None, None, NO_GAZE)) is None


def test_a_distance_that_is_known_as_near_alone_widens_what_is_expected():
    coarse = expected_of_straight_eyes(Looks(None, np.array([]), "near", None, NO_GAZE))
    assert coarse["at"] == "0.25 to 0.5 m" and "at 0.25 to 0.5 m are expected" in note(coarse)
    for distance_mm in (260.0, 330.0, 490.0):
        exact = expected_at(distance_mm)
        assert coarse["interval_95"][0] <= exact["interval_95"][0] + 0.2
        assert coarse["interval_95"][1] >= exact["interval_95"][1] - 0.2


def test_where_the_place_is_withheld_the_camera_is_straight_before_the_picture():
    """What is counted about the true direction of the camera would tell it."""
    known = looking(0.0)
    withheld = known | {f"head_{axis}_mm": np.full(FRAMES, np.nan) for axis in "xyz"}
    withheld |= {"distance": np.full(FRAMES, "near")}
    found = summarise(withheld, OPTIONS)["deviation_os_minus_od"]
    primary_there = found["primary_position"]
    assert primary_there["straight_ahead"] == "camera" and primary_there["distance"] == "near"
    assert primary_there["distance_mm"] is None
    assert primary_there["horizontal_deg"] == primary(known)["horizontal_deg"]
    low, high = found["expected_of_straight_eyes"]["interval_95"]
    assert low < expected_at(420.0)["interval_95"][0] < expected_at(420.0)["interval_95"][1] < high


def expected_at(distance_mm):
    return expected_of_straight_eyes(
        Looks("camera", np.array([]), _core.distance_at(distance_mm), distance_mm, NO_GAZE)
    )


def test_a_rendered_patient_with_straight_eyes_is_within_the_expectation():
    patient = SyntheticPatient(3, (64, 64))
    (od_deg, _), (os_deg, _) = (patient.fixation(eye, Pose()) for eye in ("od", "os"))
    low, high = expected_at(420.0)["interval_95"]
    assert low <= os_deg - od_deg <= high


@pytest.mark.parametrize(
    ("distance_mm", "name"),
    [(500, "near"), (501, "intermediate"), (3000, "intermediate"), (3001, "far")],
)
def test_distances_have_names(distance_mm, name):
    assert _core.distance_at(distance_mm) == name


def test_the_note_says_the_expectation_of_its_own_distance():
    near, far = (
        summarise(looking(0.0, head_z_mm=np.full(FRAMES, z)), OPTIONS)["deviation_os_minus_od"]["note"]
        for z in (400.0, 4000.0)
    )
    assert near != far and "8 to 10" not in near and "no norm" in near


def test_without_numbers_there_is_no_deviation_and_no_distance():
    nothing = {name: np.full(FRAMES, np.nan) for name in looking(0.0) if name.endswith(("_deg", "_mm"))}
    nothing |= {f"{part}_valid": np.zeros(FRAMES) for part in ("face", "od", "os")}
    found = summarise(looking(0.0) | nothing, OPTIONS)["deviation_os_minus_od"]
    assert found["primary_position"]["horizontal_deg"]["median"] is None
    assert found["primary_position"]["distance_mm"] is None and found["expected_of_straight_eyes"] is None
    assert found["by_direction"] == {}
    json.dumps(found, allow_nan=False)


def test_the_corneal_reflexes_have_a_deviation_of_their_own():
    none = {f"{eye}_reflex_yaw_deg": np.full(FRAMES, np.nan) for eye in ("od", "os")}
    assert summarise(looking(0.0) | none, OPTIONS)["deviation_os_minus_od"]["by_corneal_reflex"] is None
    seen = np.arange(FRAMES) % 3 > 0
    ahead = np.arange(FRAMES) >= 100
    columns = {
        "od_reflex_yaw_deg": np.where(seen, -2.0, np.nan),
        "os_reflex_yaw_deg": np.where(ahead, 6.0, 30.0),
        "od_reflex_pitch_deg": np.where(seen, 1.0, np.nan),
        "os_reflex_pitch_deg": np.full(FRAMES, 0.5),
        "od_reflex_yaw_sd_deg": np.where(seen, 1.5, np.nan),
        "os_reflex_yaw_sd_deg": np.full(FRAMES, 2.0),
    }
    aside = looking(np.where(ahead, 0.0, 25.0)) | columns
    summary = summarise(aside, OPTIONS | {"lamp": "camera"})
    found = summary["deviation_os_minus_od"]["by_corneal_reflex"]
    assert found["frames"] == (seen & ahead).sum()
    assert found["horizontal_deg"]["median"] == 8.0 and found["vertical_deg"]["median"] == -0.5
    assert found["horizontal_deg"]["median_pd"] == pytest.approx(100 * np.tan(np.radians(8)), abs=0.01)
    low, high = found["horizontal_deg"]["interval_95"]
    share = _core.cornea_to_limbus_sd_share
    assert high - low == pytest.approx(2 * 1.96 * np.hypot(2.5, 8 * share), abs=0.05)
    assert any("beside the lens" in statement for statement in summary["statements"])


@pytest.mark.parametrize(
    ("profile", "lamp", "told"),
    [
        ("clinical", "camera", "No corneal reflex"),
        ("strict", "camera", "withheld"),
        ("clinical", "unknown", ""),
    ],
)
def test_a_recording_without_reflexes_says_why(profile, lamp, told):
    none = {f"{eye}_reflex_yaw_deg": np.full(FRAMES, np.nan) for eye in ("od", "os")}
    summary = summarise(looking(0.0) | none, OPTIONS | {"profile": profile, "lamp": lamp})
    sentences = [statement for statement in summary["statements"] if "corneal reflex" in statement]
    assert len(sentences) == bool(told) and all(told in sentence for sentence in sentences)


def test_the_median_lies_between_its_ranks_in_95_of_100_draws():
    random = np.random.default_rng(8)
    for count in (6, 7, 20, 250):
        inside = 0
        for _ in range(400):
            median, low, high = median_by_ranks(random.exponential(size=count))
            inside += low <= np.log(2) <= high
            assert low <= median <= high
        assert 0.93 <= inside / 400, count
    assert median_by_ranks(random.normal(size=5))[1:] == (None, None)
    assert median_by_ranks(random.normal(size=5000))[1] is not None


def test_shares_and_counts_have_known_intervals():
    assert share_interval(8, 10) == pytest.approx((0.490, 0.943), abs=1e-3)  # Wilson
    assert share_interval(0, 10)[0] == 0.0 and share_interval(10, 10)[1] == 1.0
    assert count_interval(10) == pytest.approx((4.80, 18.39), abs=0.05)  # exact Poisson
    assert count_interval(0) == pytest.approx((0.0, 3.69), abs=0.3)
