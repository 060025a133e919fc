"""Alignment and cover tests: what is told of traces whose truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traces import covered, found, looking, traces

from dmask.axes import KAPPA_DEG
from dmask.measure import recording
from dmask.measure.clinical.alignment import GAZE_POSITIONS

CLINICAL = {"profile": "clinical", "hvid_mm": 11.71}
CONVERGENCE_DEG = 2 * np.degrees(np.arctan(31.5 / 420))
STRAIGHT_DEG = 2 * KAPPA_DEG - CONVERGENCE_DEG  # OS less OD, of the optical axes


def straight(frames, deviation_deg=0.0, vertical_deg=0.0):
    """Optical axes of eyes that look into the camera, apart by a deviation of the left one."""
    looking(frames, -0.5 * STRAIGHT_DEG, 0.0, ("od",))
    return looking(frames, 0.5 * STRAIGHT_DEG + deviation_deg, vertical_deg, ("os",))


@given(horizontal=st.floats(-15, 15), vertical=st.floats(-8, 8))
@settings(max_examples=20, deadline=None)
def test_the_deviation_is_against_straight_eyes_at_that_distance(horizontal, vertical):
    measured = recording(straight(traces(4.0), horizontal, vertical), CLINICAL)
    told = found(measured, "alignment.deviation_horizontal_deg", "both", "primary")
    assert told.value == pytest.approx(horizontal, abs=0.15) and told.low < horizontal < told.high
    told = found(measured, "alignment.deviation_vertical_deg", "both", "primary")
    assert told.value == pytest.approx(vertical, abs=0.1)
    told = found(measured, "alignment.deviation_horizontal_pd", "both", "primary")
    assert told.value == pytest.approx(100 * np.tan(np.radians(horizontal)), abs=0.4) and told.unit == "PD"


def test_a_large_squint_is_a_sign_and_straight_eyes_are_none_when_both_are_sure():
    def sign(deviation_deg, sd_deg):
        frames = straight(traces(), deviation_deg)
        frames["deviation_yaw_sd_deg"][:] = sd_deg
        return found(recording(frames, CLINICAL), "signs.horizontal_deviation_class", "both")

    assert sign(20.0, 1.0).value == "present"
    unsure = sign(3.0, 5.0)
    assert unsure.value is None and "threshold of 5" in unsure.reason


def test_each_of_nine_positions_has_a_deviation_of_its_own():
    frames = traces(30.0)
    time_s = frames["time_s"]
    ways = {"right": (-25, 0), "left": (25, 0), "up": (0, 20), "down": (0, -20), "up_left": (25, 20),
            "up_right": (-25, 20), "down_left": (25, -20), "down_right": (-25, -20)}  # fmt: skip
    yaw, pitch, apart = (np.zeros(time_s.size) for _ in range(3))
    for k, (x, y) in enumerate(ways.values()):
        there = (time_s >= 3 * (k + 1)) & (time_s < 3 * (k + 2))
        yaw[there], pitch[there], apart[there] = x, y, k
    looking(straight(frames, apart), yaw, pitch)
    measured = recording(frames, CLINICAL)
    for k, name in enumerate(ways):
        told = found(measured, "alignment.deviation_horizontal_deg", "both", name)
        assert told.value == pytest.approx(k, abs=0.3), name
    assert set(ways) | {"primary"} == set(GAZE_POSITIONS)
    assert len(set(GAZE_POSITIONS.values())) == 9


def test_an_eye_that_does_not_go_aside_underacts_and_the_other_overacts():
    frames = straight(traces(30.0))
    to_left = np.clip(np.sin(2 * np.pi * frames["time_s"] / 6), 0, None)
    looking(frames, 36 * to_left, 0.0, ("od",))
    looking(frames, 18 * to_left, 0.0, ("os",))  # half of the way of its yoke
    measured = recording(frames, CLINICAL)
    assert found(measured, "alignment.duction_deg", "od", "left").value == pytest.approx(36, abs=1)
    assert found(measured, "alignment.duction_deg", "os", "left").value == pytest.approx(18, abs=1)
    under = found(measured, "alignment.version_grade", "os", "left")
    assert under.value == -2.0 and under.high < 0
    assert found(measured, "alignment.version_grade", "od", "left").value == 2.0
    none = found(measured, "alignment.version_grade", "od", "right")
    assert none.value is None and "needs 20" in none.reason


def test_the_head_is_held_turned():
    frames = straight(traces())
    frames["head_yaw_deg"][:], frames["head_pitch_deg"][:], frames["head_roll_deg"][:] = 12, -7, 5
    measured = recording(frames, CLINICAL)
    for name, value in (("turn", 12), ("chin", -7), ("tilt", 5)):
        told = found(measured, f"alignment.head_{name}_deg", "both")
        assert told.value == value and told.low < value < told.high
    assert found(measured, "alignment.head_steady_share", "both").value == 1.0


def test_strict_tells_no_place_of_rest():
    measured = recording(straight(traces()), {"profile": "strict", "coarse_time": "off"})
    for name in ("alignment.deviation_horizontal_deg", "alignment.axes_horizontal_deg"):
        told = found(measured, name, "both", "primary")
        assert told.value is None and "strict" in told.reason
    assert found(measured, "alignment.head_turn_deg", "both").value is None


def test_corneal_reflexes_are_asked_for():
    frames = straight(traces())
    told = found(recording(frames, CLINICAL), "alignment.hirschberg_horizontal_deg", "both", "primary")
    assert told.value is None and "--lamp camera" in told.reason
    for eye, yaw_deg in (("od", -3.0), ("os", 5.0)):
        for axis in ("yaw", "pitch"):
            frames[f"{eye}_reflex_{axis}_deg"] = np.full(frames["time_s"].size, yaw_deg * (axis == "yaw"))
            frames[f"{eye}_reflex_{axis}_sd_deg"] = np.full(frames["time_s"].size, 1.0)
    told = found(
        recording(frames, CLINICAL | {"lamp": "camera"}),
        "alignment.hirschberg_horizontal_deg",
        "both",
        "primary",
    )
    assert told.value == pytest.approx(8.0) and told.low < 8 - 2 < 8 + 2 < told.high


# --- Cover tests --------------------------------------------------------------

LATENCY_S = 0.25


def alternate(deviation_deg, rate_fps=60.0, vertical_deg=0.0, latent=False, noise_deg=0.1, head_deg=0.0):
    """A paddle goes to and fro; the eye that is free fixates, the other one is off by the deviation."""
    frames = straight(traces(14.0, rate_fps, noise_deg=noise_deg, seed=5))
    time_s = frames["time_s"]
    covers = [("od" if k % 2 == 0 else "os", 2 + 1.6 * k, 2 + 1.6 * k + 1.45) for k in range(6)]
    right_fixates = np.ones(time_s.size)
    for eye, start_s, end_s in covers:
        right_fixates[time_s >= start_s + LATENCY_S] = 0.0 if eye == "od" else 1.0
        right_fixates[time_s >= end_s + 0.15 + LATENCY_S] = 1.0 if eye == "od" else 0.0
    last_s = covers[-1][2]
    right_fixates[time_s >= last_s] = 1.0
    shown = np.where(latent & ((time_s < covers[0][1] + 0.3) | (time_s > last_s + 0.3)), 0.0, 1.0)
    for axis, apart in ((0, deviation_deg), (1, vertical_deg)):
        own = [-(1 - right_fixates) * apart * shown, right_fixates * apart * shown]
        for eye, off in zip(("od", "os"), own, strict=True):
            looking(frames, off if axis == 0 else 0.0, off if axis == 1 else 0.0, (eye,))
    if head_deg:  # the eyes make up for a head that turns
        turn = head_deg * np.sin(2 * np.pi * time_s / 3)
        frames["head_yaw_deg"] = turn
        looking(frames, -turn)
    for eye, start_s, end_s in covers:
        covered(frames, eye, start_s, end_s)
    return frames


@pytest.mark.parametrize("deviation_deg", [-12.0, -3.0, 5.0, 14.0])
@pytest.mark.parametrize("head_deg", [0.0, 5.0])
def test_alternate_cover_tells_the_deviation_by_the_eye_that_moves(deviation_deg, head_deg):
    measured = recording(alternate(deviation_deg, head_deg=head_deg), CLINICAL)
    told = found(measured, "cover.deviation_horizontal_deg", "both", "alternate_cover")
    assert told.value == pytest.approx(deviation_deg, abs=0.35) and told.low < deviation_deg < told.high
    assert told.n == 5
    pd = found(measured, "cover.deviation_horizontal_pd", "both", "alternate_cover")
    assert pd.value == pytest.approx(100 * np.tan(np.radians(deviation_deg)), abs=0.7)
    kind = found(measured, "cover.kind_class", "both")
    assert kind.value is None and "never covered" in kind.reason  # tropia or phoria: it alone cannot tell
    assert found(measured, "cover.latency_s", "both").value == pytest.approx(LATENCY_S, abs=0.12)
    assert found(measured, "cover.cover_count", "od").value == 3


def test_a_vertical_deviation_has_its_sign():
    measured = recording(alternate(0.0, vertical_deg=4.0), CLINICAL)
    told = found(measured, "cover.deviation_vertical_deg", "both", "alternate_cover")
    assert told.value == pytest.approx(4.0, abs=0.3)
    flat = found(measured, "cover.deviation_horizontal_deg", "both", "alternate_cover")
    assert flat.value == pytest.approx(0.0, abs=0.3) and flat.low < 0 < flat.high


def unilateral(deviation_deg, latent=False, rounds=2, only=("od", "os"), rate_fps=60.0):
    """One eye after the other is covered and uncovered; the right one fixates where it can."""
    frames = straight(traces(4.0 + 6.4 * rounds, rate_fps, noise_deg=0.1, seed=6))
    time_s = frames["time_s"]
    covers = [
        (eye, 2 + 3.2 * (2 * k + n), 3.5 + 3.2 * (2 * k + n))
        for k in range(rounds) for n, eye in enumerate(("od", "os")) if eye in only
    ]  # fmt: skip
    right_fixates, shown = np.ones(time_s.size), np.full(time_s.size, 0.0 if latent else 1.0)
    for eye, start_s, end_s in covers:
        under = (time_s >= start_s) & (time_s < end_s + LATENCY_S)
        shown[under] = 1.0
        if eye == "od":
            right_fixates[under & (time_s >= start_s + LATENCY_S)] = 0.0
    if latent:  # the open eye goes on fixating
        right_fixates = np.where(shown > 0, right_fixates, 1.0)
        for eye, start_s, end_s in covers:
            if eye == "od":
                right_fixates[(time_s >= start_s) & (time_s < end_s + LATENCY_S)] = 0.0
    looking(frames, -(1 - right_fixates) * deviation_deg * shown, 0.0, ("od",))
    looking(frames, right_fixates * deviation_deg * shown, 0.0, ("os",))
    for eye, start_s, end_s in covers:
        covered(frames, eye, start_s, end_s)
    return frames


def test_cover_and_uncover_tell_tropia_phoria_and_none_apart():
    def kind(*of, **how):
        return found(recording(unilateral(*of, **how), CLINICAL), "cover.kind_class", "both")

    for rate_fps in (60.0, 30.0, 15.0):
        assert kind(8.0, rate_fps=rate_fps).value == "tropia"
        assert kind(8.0, latent=True, rate_fps=rate_fps).value == "phoria"
        assert kind(0.0, rate_fps=rate_fps).value == "none"
    one_side = kind(8.0, only=("od",))  # the right eye was never asked to take up fixation again
    assert one_side.value in (None, "tropia")
    alone = kind(0.0, only=("od",))
    assert alone.value is None and alone.reason


@pytest.mark.parametrize("drift_deg_per_s", [-5.0, 5.0])
def test_a_face_that_is_seen_elsewhere_behind_a_cover_makes_no_tropia(drift_deg_per_s):
    """A cover hides half of the face: what is left is fitted elsewhere at once, and wanders on."""

    def kind(deviation_deg, latent=False):
        frames = unilateral(deviation_deg, latent, rounds=3)
        for eye, fellow in (("od", "os"), ("os", "od")):
            hidden = frames[f"{eye}_reason"] == "covered"
            starts_s = frames["time_s"][hidden & ~np.append(False, hidden[:-1])]
            since_s = (
                frames["time_s"]
                - starts_s[np.maximum(np.searchsorted(starts_s, frames["time_s"], "right") - 1, 0)]
            )
            off_deg = np.sign(drift_deg_per_s) * 1.5 + drift_deg_per_s * np.minimum(since_s, 0.4)
            looking(frames, np.where(hidden, off_deg, 0.0), 0.0, (fellow,))
        return found(recording(frames, CLINICAL), "cover.kind_class", "both").value

    assert kind(8.0, latent=True) == "phoria"
    assert kind(8.0) == "tropia" and kind(-6.0) == "tropia"


def test_a_look_that_is_taken_back_is_no_movement_of_fixation():
    frames = unilateral(8.0, latent=True, rounds=3)
    time_s = frames["time_s"]
    away = np.zeros(time_s.size, bool)
    for start_s in 2 + 3.2 * np.arange(6):  # an intrusion of 0.3 s under each cover
        away |= (time_s > start_s + 0.3) & (time_s < start_s + 0.6)
    told = found(recording(looking(frames, 3.0 * away), CLINICAL), "cover.kind_class", "both")
    assert told.value == "phoria"


def test_a_look_aside_during_one_cover_is_no_squint():
    frames = straight(traces(10.0, 60.0))
    aside = (frames["time_s"] > 3.3) & (frames["time_s"] < 4.2)
    covered(looking(frames, 6.0 * aside), "os", 3.0, 5.0)
    measured = recording(frames, CLINICAL)
    assert found(measured, "cover.kind_class", "both").value is None
    assert found(measured, "signs.horizontal_deviation_class", "both").value is None
    told = found(measured, "cover.deviation_horizontal_deg", "od", "other_covered")
    assert told.low < 0 < told.high


@pytest.mark.parametrize("tilt_deg", [-20.0, 15.0, 80.0])
def test_a_tilted_head_makes_no_vertical_deviation(tilt_deg):
    frames = unilateral(12.0)
    frames["head_roll_deg"][:] = tilt_deg
    measured = recording(frames, CLINICAL)
    assert found(measured, "cover.deviation_horizontal_deg", "os", "other_covered").value == pytest.approx(
        12, abs=0.5
    )
    assert found(measured, "cover.deviation_vertical_deg", "os", "other_covered").value == pytest.approx(
        0, abs=0.3
    )


def test_eyes_that_are_covered_together_are_no_cover_test():
    frames = straight(traces(10.0, 60.0))
    for eye in ("od", "os"):
        covered(frames, eye, 3.0, 5.0)
    measured = recording(frames, CLINICAL)
    for eye in ("od", "os"):
        assert found(measured, "cover.deviation_horizontal_deg", eye, "uncovered").value is None
        assert found(measured, "cover.deviation_horizontal_deg", eye, "other_covered").value is None


def test_prism_dioptres_keep_their_order_far_aside():
    frames = straight(traces(), 98.0)
    frames["deviation_yaw_sd_deg"][:] = 6.0
    told = found(recording(frames, CLINICAL), "alignment.deviation_horizontal_pd", "both", "primary")
    assert told.value is None or told.low <= told.value <= told.high


def test_straight_eyes_do_not_move():
    measured = recording(alternate(0.0), CLINICAL)
    assert found(measured, "cover.latency_s", "both").value is None
    assert not [one for one in measured.events if one.event == "refixation"]


def test_a_lid_that_droops_or_a_blink_is_no_cover():
    frames = straight(traces(10.0))
    hidden = (frames["time_s"] > 3) & (frames["time_s"] < 5)
    for name in ("yaw_deg", "pitch_deg", "mrd1_mm"):
        frames[f"od_{name}"] = np.where(hidden, np.nan, frames[f"od_{name}"])
    frames["od_valid"] = np.where(hidden, 0.0, 1.0)
    frames["od_reason"] = np.where(hidden, "covered", "")  # by the lid, which is seen
    measured = recording(frames, CLINICAL)
    assert found(measured, "cover.cover_count", "od").value == 0
    told = found(measured, "cover.kind_class", "both")
    assert told.value is None and told.reason == "no eye was covered"


def test_cover_events_have_side_and_time():
    frames = covered(straight(traces(10.0)), "os", 3.0, 5.0)
    covers = [one for one in recording(frames, CLINICAL).events if one.event == "cover"]
    assert [one.eye for one in covers] == ["os"]
    assert covers[0].onset_s == pytest.approx(3.0, abs=0.04) and covers[0].duration_s == pytest.approx(
        2.0, abs=0.07
    )
