"""Flags come up at their borders and not before; every reason is counted."""

import json

import numpy as np
import pytest
from test_summary import OPTIONS, TIME_S, recording

from dmask.measure import flags
from dmask.measure.reasons import EYE_REASONS, FACE_REASONS
from dmask.measure.summary import summarise

COUNT = TIME_S.size


def upright(**columns):
    """Nothing to complain about: 20 s of 300 frames, looking ahead."""
    plain = {f"head_{name}_deg": np.zeros(COUNT) for name in ("yaw", "pitch", "roll")}
    return recording(**({"time_s": 2 * TIME_S} | plain | columns))


def first(count, reason, part="od"):
    """`reason` in the first `count` frames of 300."""
    hit = np.arange(COUNT) < count
    return {f"{part}_valid": np.where(hit, 0.0, 1.0), f"{part}_reason": np.where(hit, reason, "")}


def at_rate(fps):
    return {"time_s": np.arange(COUNT) / fps}


def test_a_plain_recording_has_only_what_no_recording_can_tell():
    plain = upright(**at_rate(30)) | {
        "time_s": np.arange(COUNT) / 30 + np.where(np.arange(COUNT) > 150, 5, 0)
    }
    assert [flag["flag"] for flag in flags.flags(plain)] == ["mirrored_unknown"]


@pytest.mark.parametrize(
    ("function", "below", "above"),
    [
        (flags.rolled, {"head_roll_deg": np.full(COUNT, 45.0)}, {"head_roll_deg": np.full(COUNT, -45.1)}),
        (flags.turned, {"head_yaw_deg": np.where(np.arange(COUNT) < 150, 31.0, 0)},
         {"head_yaw_deg": np.where(np.arange(COUNT) < 151, -31.0, 0)}),
        (flags.dark, first(15, "dark"), first(16, "dark")),
        (flags.another_person, first(0, "another_person", "face"), first(1, "another_person", "face")),
        (lambda c: flags.covered(c, "od"), first(30, "covered"), first(31, "covered")),
        (lambda c: flags.low_resolution(c, "os"), first(30, "low_resolution", "os"),
         first(31, "low_resolution", "os")),
        (lambda c: flags.unmeasured(c, "od"), first(90, "lost"), first(91, "lost")),
        (flags.short, {"time_s": np.linspace(0, 10.0, COUNT)}, {"time_s": np.linspace(0, 9.9, COUNT)}),
        (flags.slow_for_blinks, at_rate(20), at_rate(19)),
        (flags.slow_for_nystagmus, at_rate(25), at_rate(24)),
        (flags.mirrored_unknown, {"face_valid": np.zeros(COUNT)}, {}),
    ],
)  # fmt: skip
def test_a_flag_comes_up_at_its_border(function, below, above):
    assert function(upright(**below)) is None
    flag = function(upright(**above))
    assert flag["sentence"].endswith(".") and ("share" in flag) != ("value" in flag)
    json.dumps(flag, allow_nan=False)


def test_a_shut_eye_is_a_finding_and_not_unmeasured():
    assert flags.unmeasured(upright(**first(300, "closed")), "od") is None


def test_upside_down_is_said():
    assert "upside down" in flags.rolled(upright(head_roll_deg=np.full(COUNT, 178.0)))["sentence"]
    assert "on its side" in flags.rolled(upright(head_roll_deg=np.full(COUNT, -90.0)))["sentence"]


def test_people_are_counted_where_that_is_known():
    assert flags.another_person(upright(), people=1) is None
    flag = flags.another_person(upright(), people=2)
    assert flag["people"] == 2 and flag["share"] == 0.0 and "2 people" in flag["sentence"]


def test_a_head_that_lies_is_turned_about_its_own_axis():
    lying = {"head_roll_deg": np.full(COUNT, 90.0)}
    turned = upright(**lying, head_pitch_deg=np.full(COUNT, 40.0))  # its yaw is a pitch for the camera
    nodding = upright(**lying, head_yaw_deg=np.full(COUNT, 40.0))
    assert flags.turned(turned)["flag"] == "turned" and flags.turned(nodding) is None


def test_who_was_recognised_by_shape_alone_is_said():
    assert flags.recognised_by_shape(None) is None and flags.recognised_by_shape(0) is None
    assert "once" in flags.recognised_by_shape(1)["sentence"]
    found = flags.flags(upright(), recognitions=3)
    flag = next(flag for flag in found if flag["flag"] == "recognised_by_shape")
    assert flag["value"] == 3 and "3 times" in flag["sentence"]


def test_a_doubtful_calibration_gives_its_reason():
    assert flags.calibration_doubt(None) is None
    assert flags.calibration_doubt({"ok": True, "reason": "", "frames": 9}) is None
    flag = flags.calibration_doubt({"ok": True, "reason": "few frames are frontal"})
    assert "few frames are frontal" in flag["sentence"]
    assert flags.calibration_doubt({"ok": False, "reason": ""}) is not None


def test_every_reason_is_counted_with_its_seconds():
    frames = recording(**first(60, "covered"))
    frames["od_reason"] = frames["od_reason"].astype("<U32")
    frames["od_reason"][:6] = "seen_by_tomorrows_core"
    reasons = summarise(frames, OPTIONS)["od"]["reasons"]
    assert set(reasons) == {*EYE_REASONS, "seen_by_tomorrows_core"}
    assert reasons["covered"] == {"frames": 54, "share": 0.18, "seconds": pytest.approx(1.8, abs=2e-3)}
    assert reasons["seen_by_tomorrows_core"]["frames"] == 6
    assert reasons["dark"] == {"frames": 0, "share": 0.0, "seconds": 0.0}
    assert set(FACE_REASONS) <= set(summarise(frames, OPTIONS)["face"]["reasons"])


def test_a_fissure_is_never_negative():
    crossed = {"od_pfh_mm": np.full(COUNT, -0.1), "od_openness": np.full(COUNT, -0.01)}
    summary = summarise(upright(**crossed), OPTIONS)["od"]
    assert summary["pfh_mm"]["median"] == 0.0 and summary["openness"]["q1"] == 0.0


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_shortest_recordings_have_flags_and_no_crash(count):
    frames = {name: values[:count] for name, values in upright().items()}
    if count:
        json.dumps(summarise(frames, OPTIONS), allow_nan=False)
    json.dumps(flags.flags(frames), allow_nan=False)
