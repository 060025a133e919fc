"""What makes a recording doubtful as a whole, said in one sentence each.

Every flag is a function of the columns of frames.csv, and gives None where there is nothing to say.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dmask.axes import head_rotation
from dmask.io.tables import EYES

Columns = dict[str, np.ndarray]
Flag = dict[str, Any]  # flag, sentence, and share or value; eye where it is of one

ROLLED_DEG = 45.0
DARK_SHARE = 0.05
COVERED_SHARE = 0.1
COARSE_SHARE = 0.1
TURNED_DEG, TURNED_SHARE = 30.0, 0.5
UNMEASURED_SHARE = 0.3
SHORT_S = 10.0
BLINK_FPS = 20.0
NYSTAGMUS_FPS = 25.0
NAMES = {"od": "right", "os": "left"}


def flags(
    columns: Columns,
    calibration: dict[str, Any] | None = None,
    people: int | None = None,
    recognitions: int | None = None,
) -> list[Flag]:
    """Of a recording; `calibration` has its reason, `people` is how many were seen at once, `recognitions`
    how often a face was taken for the patient's by its shape."""
    found = [
        rolled(columns), turned(columns), dark(columns), another_person(columns, people),
        recognised_by_shape(recognitions),
        *(covered(columns, eye) for eye in EYES), *(low_resolution(columns, eye) for eye in EYES),
        *(unmeasured(columns, eye) for eye in EYES), short(columns), slow_for_blinks(columns),
        slow_for_nystagmus(columns), calibration_doubt(calibration), mirrored_unknown(columns),
    ]  # fmt: skip
    return [flag for flag in found if flag]


def rolled(columns: Columns) -> Flag | None:
    roll_deg = np.abs(measured_head(columns, "head_roll_deg"))
    if not roll_deg.size or np.median(roll_deg) <= ROLLED_DEG:
        return None
    median = round(float(np.median(roll_deg)), 1)
    lies = "upside down" if median > 135 else "on its side"
    return {
        "flag": "rolled",
        "value": median,
        "sentence": f"The head lies {lies} in the picture (median roll {median:g} degrees): turn the video.",
    }


def turned(columns: Columns) -> Flag | None:
    angles = (measured_head(columns, f"head_{name}_deg") for name in ("yaw", "pitch", "roll"))
    ahead = -head_rotation(*angles)[..., 2, :]  # against the camera's axis, in the head's frame
    yaw_deg = np.abs(np.degrees(np.arctan2(ahead[..., 0], ahead[..., 2])))
    share = float((yaw_deg > TURNED_DEG).mean()) if yaw_deg.size else 0.0
    return exceeding(
        "turned", share, TURNED_SHARE,
        f"the head is turned by more than {TURNED_DEG:g} degrees; the far eye is measured worse.",
    )  # fmt: skip


def dark(columns: Columns) -> Flag | None:
    is_dark = np.any([columns[f"{part}_reason"] == "dark" for part in ("face", *EYES)], axis=0)
    return exceeding("dark", mean(is_dark), DARK_SHARE, "there is too little light to measure by.")


def another_person(columns: Columns, people: int | None = None) -> Flag | None:
    """Any such frame counts: the table holds one person only as far as this was seen."""
    parts = [columns[f"{part}_reason"] == "another_person" for part in ("face", *EYES)]
    share = mean(np.any(parts, axis=0))
    if share == 0 and (people is None or people < 2):
        return None
    seen = "More than one person is" if people is None or people < 2 else f"{people} people are"
    flag = {
        "flag": "another_person",
        "share": round(share, 4),
        "sentence": f"{seen} in the recording, in {percent(share)} of the frames in the patient's place: "
        "check whose eyes were measured.",
    }
    return flag | ({} if people is None else {"people": people})


def recognised_by_shape(recognitions: int | None) -> Flag | None:
    """Shape takes some of those who follow the patient for him, and a cut may bring anybody."""
    if not recognitions:
        return None
    times = "once" if recognitions == 1 else f"{recognitions} times"
    return {
        "flag": "recognised_by_shape",
        "value": recognitions,
        "sentence": f"After a cut or a time out of sight a face was taken for the patient's {times} by its "
        "shape alone, which takes about one in eight others for him: check whose eyes were measured.",
    }


def covered(columns: Columns, eye: str) -> Flag | None:
    share = mean(columns[f"{eye}_reason"] == "covered")
    return exceeding("covered", share, COVERED_SHARE, f"something hides the {NAMES[eye]} eye.", eye)


def low_resolution(columns: Columns, eye: str) -> Flag | None:
    share = mean(columns[f"{eye}_reason"] == "low_resolution")
    return exceeding(
        "low_resolution", share, COARSE_SHARE,
        f"the {NAMES[eye]} eye is too small in the picture for its direction: come closer.", eye,
    )  # fmt: skip


def unmeasured(columns: Columns, eye: str) -> Flag | None:
    """A shut eye is a finding, and does not count."""
    reason = columns[f"{eye}_reason"]
    if (reason == "not_in_view").any() and not (columns[f"{eye}_valid"] == 1).any():
        return None  # a close-up of the other eye
    share = mean((columns[f"{eye}_valid"] != 1) & (reason != "closed"))
    return exceeding("unmeasured", share, UNMEASURED_SHARE, f"the {NAMES[eye]} eye is not measured.", eye)


def short(columns: Columns) -> Flag | None:
    time_s = columns["time_s"]
    duration_s = float(time_s[-1] - time_s[0]) if time_s.size else 0.0
    if duration_s >= SHORT_S:
        return None
    return {
        "flag": "short",
        "value": round(duration_s, 3),
        "sentence": f"The recording lasts {duration_s:.1f} s; of less than {SHORT_S:g} s rates say little.",
    }


def slow_for_blinks(columns: Columns) -> Flag | None:
    return slower(
        columns, "low_frame_rate_blinks", BLINK_FPS, "blinks may be missed, and complete ones seem partial"
    )


def slow_for_nystagmus(columns: Columns) -> Flag | None:
    return slower(
        columns, "low_frame_rate_nystagmus", NYSTAGMUS_FPS,
        "a nystagmus of a few beats a second cannot be told from noise, or seems slower than it is",
    )  # fmt: skip


def calibration_doubt(calibration: dict[str, Any] | None) -> Flag | None:
    if not calibration or (calibration.get("ok", True) and not calibration.get("reason")):
        return None
    reason = calibration.get("reason") or "no reason is given"
    return {
        "flag": "calibration",
        "value": None,
        "sentence": f"The patient's constants are doubtful: {reason}.",
    }


def mirrored_unknown(columns: Columns) -> Flag | None:
    """It is never known: a mirrored face is a face."""
    if not (columns["face_valid"] == 1).any():
        return None
    return {
        "flag": "mirrored_unknown",
        "value": None,
        "sentence": "Whether the video is mirrored, as selfies may be, cannot be told from the picture: if "
        "it is, OD and OS, left and right are exchanged.",
    }


def measured_head(columns: Columns, name: str) -> np.ndarray:
    values = columns[name][columns["face_valid"] == 1]
    known: np.ndarray = values[np.isfinite(values)]
    return known


def mean(chosen: np.ndarray) -> float:
    return float(chosen.mean()) if chosen.size else 0.0


def exceeding(flag: str, share: float, most: float, what: str, eye: str | None = None) -> Flag | None:
    if share <= most:
        return None
    named = {"flag": flag} | ({"eye": eye} if eye else {})
    return named | {"share": round(share, 4), "sentence": f"In {percent(share)} of the frames {what}"}


def slower(columns: Columns, flag: str, least_fps: float, what: str) -> Flag | None:
    rate_fps = frame_rate_fps(columns["time_s"])
    if rate_fps is None or rate_fps >= least_fps - 0.1:  # 19.98 is 20
        return None
    return {
        "flag": flag,
        "value": round(rate_fps, 2),
        "sentence": f"At {rate_fps:.1f} frames a second {what}; {least_fps:g} or more are needed.",
    }


def frame_rate_fps(time_s: np.ndarray) -> float | None:
    """By the median interval; None of fewer than two frames."""
    if time_s.size < 2:
        return None
    interval_s = float(np.median(np.diff(time_s)))
    return 1.0 / interval_s if interval_s > 0 else None


def percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 or share == 0 else "less than 1 %"
