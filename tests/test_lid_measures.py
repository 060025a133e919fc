"""Lids and blinks: what is told of traces whose truth is known."""

import numpy as np
import pytest
from traces import blinking, found, looking, traces

from dmask.measure import recording
from dmask.measure.settings import settings_of

CLINICAL = {"profile": "clinical", "hvid_mm": 11.71}
UNITS = ("browInnerUp", "browOuterUp", "eyeSquint", "cheekSquint", "browDown")


def units(count, **changes):
    names = [f"{name}_{side}" for name in (*UNITS, "mouthSmile", "noseSneer") for side in "LR"]
    names += ["jawOpen", "jawLeft", "jawRight", "mouthPucker", "mouthLeft", "mouthRight"]
    return {name: np.zeros(count) for name in names} | changes


def test_heights_of_the_lids_are_those_of_primary_position_with_their_stated_interval():
    frames = traces()
    aside = frames["time_s"] > 6
    frames["od_mrd1_mm"] = np.where(aside, 1.0, 3.0)
    looking(frames, np.where(aside, 25.0, 0.0))
    told = found(recording(frames, CLINICAL), "lids.mrd1_mm", "od", "primary")
    assert told.value == 3.0 and told.unit == "mm" and told.reason == ""
    assert told.low == pytest.approx(3.0 - 1.96 * 0.1, abs=0.02)
    assert told.high == pytest.approx(3.0 + 1.96 * 0.1, abs=0.02)


def test_white_shows_where_a_margin_lies_beyond_the_limbus():
    frames = traces()
    frames["os_mrd1_mm"] += 3.0  # 7 mm: 1.145 beyond the limbus
    measured = recording(frames, CLINICAL)
    assert found(measured, "lids.scleral_show_above_mm", "os", "primary").value == pytest.approx(
        1.145, abs=0.01
    )
    assert found(measured, "lids.scleral_show_above_mm", "od", "primary").value == 0.0
    assert found(measured, "lids.upper_margin_beyond_limbus_mm", "od", "primary").value == pytest.approx(
        -1.855, abs=0.01
    )
    assert found(measured, "lids.retraction_grade", "os", "primary").value == "minor"
    assert found(measured, "signs.upper_retraction_class", "os").value == "present"
    assert found(measured, "signs.upper_retraction_class", "od").value == "absent"


@pytest.mark.parametrize(
    ("mrd1_mm", "grade", "sign"),
    [
        (4.5, "none", "absent"),
        (2.6, "mild", "absent"),
        (0.5, "moderate", "present"),
        (-1.0, "severe", "present"),
    ],
)
def test_ptosis_is_graded_by_what_mrd1_falls_short_of(mrd1_mm, grade, sign):
    frames = traces()
    frames["od_mrd1_mm"][:] = mrd1_mm
    measured = recording(frames, CLINICAL)
    assert found(measured, "lids.ptosis_grade", "od", "primary").value == grade
    assert found(measured, "signs.ptosis_class", "od").value == sign


def test_a_grade_whose_interval_has_two_says_both_and_the_sign_is_not_told():
    frames = traces()
    frames["od_mrd1_mm"][:] = 2.05
    frames["od_mrd1_sd_mm"][:] = 1.0
    measured = recording(frames, CLINICAL)
    assert found(measured, "lids.ptosis_grade", "od", "primary").value == "none to moderate"
    told = found(measured, "signs.ptosis_class", "od")
    assert told.value is None and "holds the threshold" in told.reason


def test_asymmetry_is_left_less_right():
    frames = traces()
    frames["os_mrd1_mm"] -= 1.5
    told = found(recording(frames, CLINICAL), "lids.asymmetry_mrd1_mm", "both", "primary")
    assert told.value == pytest.approx(-1.5) and told.low < -1.5 < told.high


def up_and_down(excursion_mm, seconds=20.0):
    """Gaze swings 30 degrees up and down; the lid's margin goes with it over so many mm."""
    frames = traces(seconds)
    course = np.sin(2 * np.pi * frames["time_s"] / 5)
    looking(frames, 0.0, 30 * course)
    for eye in ("od", "os"):
        pupil_mm = np.sqrt(12**2 - 5.855**2) * np.sin(np.radians(frames[f"{eye}_pitch_deg"]))
        frames[f"{eye}_mrd1_mm"] = 4.0 + 0.5 * excursion_mm * course - pupil_mm
    return frames


def test_levator_excursion_is_the_way_of_the_margin_and_not_of_mrd1():
    frames = up_and_down(14.0)
    moved = units(frames["time_s"].size, browInnerUp_R=0.5 + 0.5 * np.sin(2 * np.pi * frames["time_s"] / 5))
    measured = recording(frames, CLINICAL, moved)
    for eye in ("od", "os"):
        told = found(measured, "lids.levator_excursion_mm", eye)
        assert told.value == pytest.approx(14.0, abs=0.6) and told.low < told.value < told.high
        assert found(measured, "lids.levator_gaze_range_deg", eye).value == pytest.approx(58, abs=3)
    assert found(measured, "lids.brow_motion_share", "od").value == pytest.approx(0.48, abs=0.05)
    assert found(measured, "lids.brow_motion_share", "os").value == 0.0


def test_levator_excursion_is_not_told_of_eyes_that_do_not_look_far():
    told = found(recording(looking(traces(), 0.0, 0.0), CLINICAL), "lids.levator_excursion_mm", "od")
    assert told.value is None and "needs -20 and 20" in told.reason


@pytest.mark.parametrize("lag_mm", [0.0, 1.5])
def test_a_lid_that_is_late_going_down_lags(lag_mm):
    frames = up_and_down(14.0)
    falling = np.gradient(frames["od_pitch_deg"]) < 0
    course = np.gradient(np.sin(2 * np.pi * frames["time_s"] / 5), frames["time_s"])
    frames["od_mrd1_mm"] += lag_mm * falling * np.abs(course) / np.abs(course).max()
    measured = recording(frames, CLINICAL)
    told = found(measured, "lids.lag_moving_mm", "od")
    assert told.value == pytest.approx(lag_mm * 0.9, abs=0.25)
    assert found(measured, "lids.lag_moving_mm", "os").value == pytest.approx(0.0, abs=0.1)


def test_lag_in_downgaze_is_against_primary_position():
    frames = traces()
    down = frames["time_s"] > 5
    looking(frames, 0.0, np.where(down, -25.0, 0.0))
    frames["od_mrd1_mm"] = np.where(down, 5.5, 4.0)
    frames["os_mrd1_mm"] = np.where(down, 3.0, 4.0)
    measured = recording(frames, CLINICAL)
    assert found(measured, "lids.lag_down_mm", "od", "down").value == pytest.approx(1.5)
    assert found(measured, "signs.lid_lag_class", "od").value == "present"
    assert found(measured, "signs.lid_lag_class", "os").value == "absent"


@pytest.mark.parametrize("slope", [-1.5, 0.0])
def test_fatigue_is_the_slope_of_a_look_up_that_is_held(slope):
    frames = traces(60.0, seed=3)
    held = (frames["time_s"] > 8) & (frames["time_s"] < 55)
    looking(frames, 0.0, np.where(held, 25.0, 0.0))
    random = np.random.default_rng(4)
    frames["od_mrd1_mm"] = 4.0 + slope * (frames["time_s"] - 8) / 60 * held + random.normal(0, 0.1, held.size)
    blinking(frames, "od", [12, 20, 31])
    measured = recording(frames, CLINICAL)
    told = found(measured, "lids.fatigue_mm_per_min", "od", "up")
    assert told.value == pytest.approx(slope, abs=0.15) and told.low <= slope <= told.high
    short = found(recording(traces(), CLINICAL), "lids.fatigue_mm_per_min", "od", "up")
    assert short.value is None and "needs 30" in short.reason


def test_a_lid_that_moves_with_the_jaw_winks():
    frames = traces()
    jaw = 0.5 - 0.5 * np.cos(2 * np.pi * frames["time_s"] / 2)
    frames["od_mrd1_mm"] += 2.0 * (jaw > 0.3)
    measured = recording(frames, CLINICAL, units(jaw.size, jawOpen=jaw))
    assert found(measured, "lids.jaw_winking_mm", "od", "primary").value == pytest.approx(2.0)
    assert found(measured, "lids.jaw_winking_mm", "os", "primary").value == pytest.approx(0.0)
    still = found(recording(frames, CLINICAL, units(jaw.size)), "lids.jaw_winking_mm", "od", "primary")
    assert still.value is None and "--keep jaw" in still.reason


def closing(left_mm, forced):
    """The right lids shut for two seconds, of the left ones so much stays open."""
    frames = traces(12.0)
    blinking(frames, "od", [4.0], lasts_s=0.5, shut_s=2.0)
    blinking(frames, "os", [4.0], lasts_s=0.5, shut_s=2.0, depth=1 - left_mm / 9.5)
    during = (frames["time_s"] > 4) & (frames["time_s"] < 6.5)
    return frames, units(during.size, **{f"{n}_{s}": 0.5 * forced * during for n in UNITS[2:] for s in "LR"})


@pytest.mark.parametrize(("forced", "condition"), [(0, "gentle_closure"), (1, "forced_closure")])
def test_what_stays_open_in_a_closure_is_lagophthalmos(forced, condition):
    frames, moved = closing(2.0, forced)
    measured = recording(frames, CLINICAL, moved)
    assert found(measured, "lids.lagophthalmos_mm", "od", condition).value == 0.0
    told = found(measured, "lids.lagophthalmos_mm", "os", condition)
    assert told.value == pytest.approx(2.0, abs=0.1) and told.low < 2.0 < told.high
    assert found(measured, "signs.lagophthalmos_class", "os").value == "present"
    assert found(recording(traces(), CLINICAL), "lids.lagophthalmos_mm", "od", "closure").value is None


def test_blinks_have_a_rate_with_its_interval_a_course_and_a_depth():
    frames = traces(60.0, rate_fps=60.0)
    starts = np.arange(2, 58, 4.0)
    for eye in ("od", "os"):
        blinking(frames, eye, starts, lasts_s=0.3)
    measured = recording(frames, CLINICAL)
    rate = found(measured, "blinks.rate_per_min", "both")
    assert rate.value == pytest.approx(14, abs=0.3) and rate.n == 14
    assert rate.low == pytest.approx(7.7, abs=0.3) and rate.high == pytest.approx(
        23.5, abs=0.5
    )  # Poisson, 14
    assert found(measured, "blinks.complete_share", "od").value == 1.0
    assert found(measured, "blinks.duration_s", "od").value == pytest.approx(
        0.3 * (1 - 0.2 * 0.35 - 0.2 * 0.45), abs=0.02
    )
    assert found(measured, "blinks.closing_s", "od").value == pytest.approx(0.8 * 0.35 * 0.3, abs=0.02)
    assert found(measured, "blinks.opening_s", "od").value == pytest.approx(0.8 * 0.45 * 0.3, abs=0.02)
    assert found(measured, "blinks.amplitude_mm", "od").value == pytest.approx(9.5, abs=0.05)
    assert found(measured, "blinks.interblink_s", "od").value == pytest.approx(3.7, abs=0.1)
    events = [one for one in measured.events if one.event == "blink"]
    assert len(events) == 28 and {one.complete for one in events} == {True}


def test_phases_of_blinks_are_not_told_of_few_frames_a_second():
    frames = traces(20.0)
    for eye in ("od", "os"):
        blinking(frames, eye, [5, 10])
    told = found(recording(frames, CLINICAL), "blinks.closing_s", "od")
    assert told.value is None and "needs 50" in told.reason


def test_a_wink_is_of_one_eye_while_the_other_stays_open():
    frames = traces(20.0)
    for eye in ("od", "os"):
        blinking(frames, eye, [3, 9])
    blinking(frames, "os", [14], lasts_s=0.4)
    blinking(frames, "od", [17], lasts_s=0.4)
    blinking(frames, "os", [17], lasts_s=0.4, depth=0.6)  # half a blink beside a whole one is no wink
    blinking(frames, "od", [18.5], lasts_s=0.15)
    blinking(frames, "os", [18.5], lasts_s=0.15, depth=0.4)  # caught on its way
    measured = recording(frames, CLINICAL)
    assert found(measured, "blinks.wink_count", "os").value == 1.0
    squinting = blinking(blinking(traces(20.0), "od", [8], 0.3, shut_s=0.4), "os", [8], 0.3, 0.4, 0.4)
    assert found(recording(squinting, CLINICAL), "blinks.wink_count", "od").value == 1.0
    assert found(measured, "blinks.wink_count", "od").value == 0.0
    assert [(one.eye, one.onset_s > 13) for one in measured.events if one.event == "wink"] == [("os", True)]
    assert found(measured, "face.eye_closure_symmetry_ratio", "both").value == pytest.approx(1.0)


def test_strict_withholds_millimetres_and_what_it_holds_has_no_blinks():
    frames = blinking(traces(), "od", [3, 6])
    for eye in ("od", "os"):
        for name in ("mrd1_mm", "mrd2_mm", "pfh_mm"):
            frames[f"{eye}_{name}"] = np.full(frames["time_s"].size, np.nan)
    measured = recording(frames, {"profile": "strict", "coarse_time": "off"})
    told = found(measured, "lids.mrd1_mm", "od", "primary")
    assert told.value is None and "strict" in told.reason
    assert found(measured, "blinks.rate_per_min", "od").value > 0
    held = recording(frames, {"profile": "strict", "coarse_time": "on"})
    assert found(held, "blinks.rate_per_min", "od").value is None and not held.events


def test_thresholds_are_parameters():
    frames = traces()
    frames["od_mrd1_mm"][:] = 2.7
    frames["od_mrd1_sd_mm"][:] = 0.01
    usual = recording(frames, CLINICAL)
    other = recording(frames, CLINICAL, settings=settings_of("usual", {"usual_mrd1_mm": 2.5}))
    assert found(usual, "lids.ptosis_grade", "od", "primary").value == "mild"
    assert found(other, "lids.ptosis_grade", "od", "primary").value == "none"


class OwnLids:
    """A tent of a margin whose top lies temporal of the eyeball's centre, and a crease above it."""

    def __init__(self, own=True, top_mm=1.0):
        self.own, self._top_mm = own, top_mm

    def lines(self, eye, frame):
        temporal = (-1, 1)[eye]
        x = np.linspace(-14, 14, 57)
        upper = np.stack([temporal * x, 5 - 0.3 * np.abs(x - self._top_mm), np.full(57, 10.0)], 1)
        return {"upper": upper, "lower": upper - [0, 9, 0], "crease": upper + [0, 4, 0]}


def test_contour_is_told_of_the_patients_own_lids():
    measured = recording(traces(noise_deg=0.01), {"profile": "article"}, lids=OwnLids())
    for eye in ("od", "os"):
        assert found(measured, "lids.contour_peak_mm", eye, "primary").value == pytest.approx(1.0, abs=0.05)
        # Where y = x meets the tent: 4.15 temporal, 3.62 nasal.
        flare = found(measured, "lids.lateral_flare_ratio", eye, "primary")
        assert flare.value == pytest.approx(4.08 / 3.62, abs=0.03)
        assert found(measured, "lids.crease_height_mm", eye, "primary").value == pytest.approx(4.0, abs=0.01)


def test_contour_is_told_neither_of_generic_lids_nor_without_a_track():
    for lids, said in ((OwnLids(own=False), "withheld_by_profile"), (None, "no track")):
        told = found(recording(traces(), CLINICAL, lids=lids), "lids.lateral_flare_ratio", "od", "primary")
        assert told.value is None and said in told.reason


def test_a_wink_is_no_lagophthalmos_of_the_open_eye():
    frames = blinking(traces(12.0), "od", [4.0], lasts_s=0.5, shut_s=2.0)
    measured = recording(frames, CLINICAL)
    assert found(measured, "blinks.wink_count", "od").value == 1.0
    assert found(measured, "lids.lagophthalmos_mm", "os", "closure").value is None
    assert found(measured, "signs.lagophthalmos_class", "os").value is None


def test_nobody_in_sight_is_no_sustained_look():
    frames = traces(40.0)
    up = (frames["time_s"] < 2) | (frames["time_s"] > 34)
    looking(frames, 0.0, 25.0)
    for eye in ("od", "os"):
        frames[f"{eye}_valid"] = np.where(up, 1.0, 0.0)
        frames[f"{eye}_reason"] = np.where(up, "", "lost")
        frames[f"{eye}_mrd1_mm"] = np.where(up, 4.0, np.nan)
    told = found(recording(frames, CLINICAL), "lids.fatigue_mm_per_min", "od", "up")
    assert told.value is None and "needs 30" in told.reason


@pytest.mark.parametrize("profile", ["clinical", "article"])
def test_held_frames_tell_nothing_quick_in_any_profile(profile):
    frames = blinking(blinking(traces(60.0), "od", np.arange(2, 58, 4)), "os", np.arange(2, 58, 4))
    frames["head_yaw_deg"] = np.sin(frames["time_s"])
    held = {name: values[(np.arange(values.size) // 60) * 60] for name, values in frames.items()}
    held["time_s"] = frames["time_s"]
    for options in ({"profile": profile, "coarse_time": "on"}, {}):
        measured = recording(held, options)
        for name in ("blinks.rate_per_min", "nystagmus.present_class"):
            told = [one for one in measured.records if one.measure == name]
            assert all(one.value is None and "withheld_by_profile" in one.reason for one in told), options
    assert found(recording(frames), "blinks.rate_per_min", "od").value > 10


@pytest.mark.parametrize("rate_fps", [1.0, 2.1, 5.0, 10.0, 15.0])
def test_few_frames_a_second_tell_neither_beats_nor_how_deep_blinks_are(rate_fps):
    frames = blinking(traces(60.0, rate_fps), "od", np.arange(2, 58, 4))
    looking(frames, 3.0 * (frames["time_s"] * 4 % 1.0))
    measured = recording(frames, CLINICAL)
    for name in ("blinks.complete_share", "blinks.duration_s", "blinks.amplitude_mm"):
        assert "needs 20" in found(measured, name, "od").reason
    assert "needs 20" in found(measured, "nystagmus.present_class", "od", "horizontal").reason


def test_eyes_that_are_never_seen_together_have_no_common_rate():
    frames = traces(60.0)
    for eye, start_s in (("od", 2), ("os", 32)):
        blinking(frames, eye, np.arange(start_s, start_s + 26, 4))
        frames[f"{eye}_openness"][(frames["time_s"] < 30) == (eye == "os")] = np.nan
    told = found(recording(frames, CLINICAL), "blinks.rate_per_min", "both")
    assert told.value is None and "together" in told.reason


def test_an_eye_is_measured_whose_fellow_is_hidden_behind_its_lid():
    frames = traces()
    frames["od_mrd1_mm"][:], frames["os_mrd1_mm"][:] = np.nan, 4.5
    frames["od_valid"][:] = 0.0
    frames["od_reason"][:] = "covered"
    for axis in ("yaw", "pitch"):
        frames[f"od_{axis}_deg"][:] = np.nan
    aside = frames["time_s"] > 8
    looking(frames, np.where(aside, 25.0, 0.0), 0.0, ("os",))
    frames["os_mrd1_mm"][aside] = 1.0
    measured = recording(frames, CLINICAL)
    assert found(measured, "lids.mrd1_mm", "os", "primary").value == 4.5
    told = found(measured, "lids.mrd1_mm", "od", "primary")
    assert told.value is None and told.reason


def hanging(frames, eye, while_):
    """A lid that hides the pupil: its height over it is not known, its opening is."""
    for name, value in (("pfh_mm", 3.0), ("openness", 0.1), ("mrd1_mm", np.nan), ("mrd2_mm", np.nan),
                        ("yaw_deg", np.nan), ("pitch_deg", np.nan)):  # fmt: skip
        frames[f"{eye}_{name}"] = np.where(while_, value, frames[f"{eye}_{name}"])
    frames[f"{eye}_valid"] = np.where(while_, 0.0, frames[f"{eye}_valid"])
    frames[f"{eye}_reason"] = np.where(while_, "covered", frames[f"{eye}_reason"])
    return frames


@pytest.mark.parametrize("share", [0.67, 1.0])
def test_a_lid_before_the_pupil_is_a_severe_ptosis(share):
    frames = traces(30.0)
    frames["od_mrd1_mm"] = np.full(frames["time_s"].size, 2.6)
    hanging(frames, "od", frames["time_s"] >= 30 * (1 - share))
    measured = recording(frames, CLINICAL)
    mrd1 = found(measured, "lids.mrd1_mm", "od", "primary")
    assert mrd1.value is None and "the lid hides the pupil in" in mrd1.reason
    assert found(measured, "lids.ptosis_grade", "od", "primary").value == "severe"
    assert found(measured, "signs.ptosis_class", "od").value == "present"
    assert found(measured, "lids.fissure_mm", "od", "primary").value == 3.0
    assert found(measured, "signs.ptosis_class", "os").value == "absent"


def test_a_lid_before_the_pupil_now_and_then_lowers_the_median():
    frames = traces(30.0)
    random = np.random.default_rng(0)
    frames["od_mrd1_mm"] = random.uniform(2.0, 4.0, frames["time_s"].size)
    without = found(recording(frames, CLINICAL), "lids.mrd1_mm", "od", "primary").value
    told = found(
        recording(hanging(frames, "od", frames["time_s"] < 10), CLINICAL), "lids.mrd1_mm", "od", "primary"
    )
    assert without == pytest.approx(3.0, abs=0.1) and told.value == pytest.approx(2.5, abs=0.1)
    assert told.n == frames["time_s"].size


def test_a_hand_before_the_eye_is_no_ptosis():
    frames = traces(30.0)
    behind = frames["time_s"] < 20
    hanging(frames, "od", behind)
    for name in ("pfh_mm", "openness"):  # of an eye behind a hand no lids are seen, either
        frames[f"od_{name}"] = np.where(behind, np.nan, frames[f"od_{name}"])
    assert found(recording(frames, CLINICAL), "lids.mrd1_mm", "od", "primary").value == 4.0


@pytest.mark.parametrize("depth", [0.55, 0.6, 0.69, 0.72, 0.9])
def test_an_eye_that_tries_to_shut_and_cannot_has_lagophthalmos_and_the_other_one_does_not_wink(depth):
    frames = blinking(traces(30.0), "od", [10.0], 0.4, shut_s=3.0)
    measured = recording(blinking(frames, "os", [10.0], 0.4, depth=depth, shut_s=3.0), CLINICAL)
    left = found(measured, "lids.lagophthalmos_mm", "os", "closure")
    assert left.value == pytest.approx(9.5 * (1 - depth), abs=0.01)
    assert found(measured, "lids.lagophthalmos_mm", "od", "closure").value == 0.0
    assert found(measured, "blinks.wink_count", "od").value == 0.0


@pytest.mark.parametrize("shut_s", [0.3, 0.5, 2.0])
@pytest.mark.parametrize("squint", [0.1, 0.3, 0.45])
def test_a_wink_is_one_though_the_other_eye_squints(shut_s, squint):
    frames = blinking(traces(30.0), "od", [10.0], 0.4, shut_s=shut_s)
    blinking(frames, "os", [9.7], 0.4, depth=squint, shut_s=shut_s + 0.6)
    measured = recording(frames, CLINICAL)
    assert found(measured, "blinks.wink_count", "od").value == 1.0
    assert found(measured, "lids.lagophthalmos_mm", "os", "closure").value is None


def test_a_blink_of_fluttering_lids_loses_no_more_than_they_were_open():
    frames = traces(20.0, 60.0)
    flutter = (frames["time_s"] > 8) & (frames["time_s"] < 12)
    for name in ("openness", "pfh_mm"):
        frames[f"od_{name}"] = np.where(flutter, 0.4 * frames[f"od_{name}"], frames[f"od_{name}"])
    blinking(frames, "od", np.arange(8.5, 11.6, 0.7), lasts_s=0.25)
    blinks = [one for one in recording(frames, CLINICAL).events if one.event in ("blink", "wink")]
    inside = [one for one in blinks if 8.3 < one.onset_s < 11.8]
    assert len(inside) >= 3
    assert max(one.amplitude for one in inside) <= 0.4 * 9.5 + 0.01


@pytest.mark.parametrize(
    ("age_years", "iris_mm", "globe"), [(1 / 12, 10.125, 0.714), (1.0, 11.5, 0.87), (40.0, 11.71, 1.0)]
)
def test_iris_and_eyeball_are_those_of_the_age(age_years, iris_mm, globe):
    options = CLINICAL | {"age_years": age_years}
    frames = traces(40.0)
    told = found(recording(frames, options), "lids.upper_margin_beyond_limbus_mm", "od", "primary")
    assert told.value == pytest.approx(4.0 - 0.5 * iris_mm, abs=0.02)
    # The margin goes with the pupil: it moves as far as the pupil does, by an eyeball of that age.
    time_s = frames["time_s"]
    looking(frames, 0.0, np.select([time_s < 15, time_s < 25], [0.0, 30.0], -30.0))
    reach_mm = 2 * np.sqrt((12 * globe) ** 2 - (iris_mm / 2) ** 2) * np.sin(np.radians(30))
    told = found(recording(frames, options), "lids.levator_excursion_mm", "od")
    assert told.value == pytest.approx(reach_mm, abs=0.1)


def test_contour_of_a_child_is_in_true_millimetres():
    options = {"profile": "article", "age_years": 1.0}
    measured = recording(traces(noise_deg=0.01), options, lids=OwnLids())
    for name, adult in (("crease_height_mm", 4.0), ("contour_peak_mm", 1.0)):
        told = found(measured, f"lids.{name}", "os", "primary")
        assert told.value == pytest.approx(0.87 * adult, abs=0.05)


def test_a_moment_is_no_sign():
    short, long = (recording(traces(seconds), CLINICAL) for seconds in (0.3, 3.0))
    told = found(short, "signs.ptosis_class", "od")
    assert told.value is None and "needs 1" in told.reason
    assert found(long, "signs.ptosis_class", "od").value == "absent"


def test_a_reason_names_the_threshold_as_it_is_set():
    frames = traces(30.0)
    frames["od_mrd1_mm"] = np.full(frames["time_s"].size, 2.0)
    told = found(recording(frames, CLINICAL), "signs.ptosis_class", "od")
    assert told.reason.endswith("holds the threshold of 2")


def test_the_eye_that_is_missing_is_the_one_that_is_named():
    frames = traces(10.0)
    for name in ("yaw_deg", "pitch_deg", "openness", "mrd1_mm"):
        frames[f"os_{name}"] = np.full(frames["time_s"].size, np.nan)
    frames["os_valid"], frames["os_reason"] = np.zeros(300), np.full(300, "covered")
    told = found(recording(frames, CLINICAL), "alignment.deviation_horizontal_deg", "both", "primary")
    assert told.reason == "both eyes are never measured together: covered in 300 of 300 frames"


def test_a_few_slits_among_frames_without_gaze_are_no_ptosis():
    frames = traces(20.0)
    small = np.ones(frames["time_s"].size, bool)
    for name in ("yaw_deg", "pitch_deg", "mrd1_mm", "mrd2_mm"):
        frames[f"od_{name}"] = np.full(small.size, np.nan)
    frames["od_valid"], frames["od_reason"] = np.zeros(small.size), np.full(small.size, "low_resolution")
    hanging(frames, "od", (frames["time_s"] > 5) & (frames["time_s"] < 5.5))
    measured = recording(frames, CLINICAL)
    assert found(measured, "signs.ptosis_class", "od").value is None
    assert found(measured, "lids.ptosis_grade", "od", "primary").value is None


def test_a_wide_fissure_with_a_hidden_pupil_is_no_ptosis():
    frames = hanging(traces(20.0), "od", np.full(600, True))
    frames["od_pfh_mm"], frames["od_openness"] = np.full(600, 8.0), np.full(600, 0.3)
    assert found(recording(frames, CLINICAL), "signs.ptosis_class", "od").value is None


def test_lids_that_narrow_to_a_slit_together_are_not_shut():
    frames = traces(30.0)
    narrow = (frames["time_s"] > 10) & (frames["time_s"] < 14)
    for eye in ("od", "os"):
        hanging(frames, eye, narrow)
        frames[f"{eye}_pfh_mm"] = np.where(narrow, 2.3, frames[f"{eye}_pfh_mm"])
        frames[f"{eye}_openness"] = np.where(narrow, 0.08, frames[f"{eye}_openness"])
    assert found(recording(frames, CLINICAL), "lids.lagophthalmos_mm", "od", "closure").value is None


def test_a_margin_below_the_pupil_has_no_flare():
    class Hanging(OwnLids):
        def lines(self, eye, frame):
            return {name: points - [0, 8, 0] for name, points in super().lines(eye, frame).items()}

    measured = recording(traces(noise_deg=0.01), {"profile": "article"}, lids=Hanging())
    told = found(measured, "lids.lateral_flare_ratio", "od", "primary")
    assert told.value is None and told.reason


@pytest.mark.parametrize("seen", [0, 3, 9])
def test_a_short_recording_of_a_hidden_pupil_is_not_measured(seen):
    frames = traces(0.7)
    hanging(frames, "od", np.arange(frames["time_s"].size) >= seen)
    measured = recording(frames, CLINICAL)
    assert found(measured, "lids.mrd1_mm", "od", "primary").value is None
    assert found(measured, "signs.ptosis_class", "od").value is None
