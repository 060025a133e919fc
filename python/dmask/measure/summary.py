"""summary.json: medians and spreads of a recording, with what they can and cannot say."""

from __future__ import annotations

from typing import Any

import numpy as np

from dmask.io.tables import EYES
from dmask.measure.blinks import blinks_of
from dmask.measure.close_up import eyes_in_view, is_close_up, laterality
from dmask.measure.deviation import (
    by_corneal_reflex,
    by_direction,
    expected_of_straight_eyes,
    note,
    primary_position,
    prism_dioptres,
    where_they_look,
)
from dmask.measure.flags import flags
from dmask.measure.noise import noise_step
from dmask.measure.reasons import EYE_REASONS, FACE_REASONS, counted, shares
from dmask.measure.watched import watched_s
from dmask.options import table

NEVER_NEGATIVE = ("pfh_mm", "openness")  # tables of an earlier version hold such: shut is 0
STEPS = {  # by profile and coarse time: what angles are short of
    ("strict", "off"): (
        "The profile tells how head, eyes and lids move, and where they rest in steps of 15 degrees: a "
        "deviation between the eyes, or a head that is turned, may be another by 7.5 degrees.",
    ),
    ("strict", "on"): (
        "The profile tells angles in steps of 30 degrees, and of every two seconds one frame: they are no "
        "measurements.",
    ),
}
TOO_SMALL = (
    "Eyes that are too small in the picture to be measured (low_resolution) are drawn as the nets saw them, "
    "in coarse steps where the profile has them: a squint or a lid half shut in the mask may be noise."
)
BY_REFLEX = (
    "reflex_yaw_deg, reflex_pitch_deg and by_corneal_reflex rest on what the user said: that the light "
    "which the corneas mirror is beside the lens. A lamp elsewhere shifts both eyes, a near one by unlike "
    "angles."
)
NO_REFLEX = (
    "No corneal reflex was measured: below 0.5 px a degree, without a bright spot on the iris, or with "
    "several that may be the lamp, there is none."
)
REFLEX_WITHHELD = "The gaze by the corneal reflexes is withheld by the profile."
BLINKS_WITHHELD = "How often the lids blink, and how, is withheld by the profile: it tells people apart."
ANGLES = ("yaw_deg", "pitch_deg")
CLOSE_UP = (
    "It is a close-up without a face: angles are those of the eye in the picture against where it rests in "
    "this recording, its median; absolute angles, a deviation between the eyes and the head's are not "
    "measured, and as the head is taken to face the camera, angles of one that is turned are too small."
)
SIDE_NOT_KNOWN = (
    "Which eye it is was not told, and its canthi do not tell it: it stands under od, and the mask may "
    "show the other one. Use --eye od or os."
)
TREMBLES = ("yaw_deg", "pitch_deg", "pfh_mm")
TREMBLING = (
    "noise_from_frame_to_frame is how much a value trembles where nothing moves: no movement below it "
    "can be told, nystagmus included.",
)
ALWAYS = (
    "Grey in the mask is what was not measured: a shield over an eye, a dull globe without a gaze.",
    "Exophthalmos is not measured. Research use only; not a medical device.",
)
SUMMARISED = ("yaw_deg", "pitch_deg", "mrd1_mm", "mrd2_mm", "pfh_mm", "openness", "pupil_mm")


def spread(values: np.ndarray, decimals: int = 3) -> dict[str, Any]:
    """Median, quartiles and their distance of the finite values; null without any."""
    values = values[np.isfinite(values)]
    if not values.size:
        return {"median": None, "q1": None, "q3": None, "iqr": None, "frames": 0}
    q1, median, q3 = np.percentile(values, (25, 50, 75))
    named = {"median": median, "q1": q1, "q3": q3, "iqr": q3 - q1}
    rounded = {name: round(float(value), decimals) for name, value in named.items()}
    return rounded | {"frames": int(values.size)}


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def deviation(os_deg: np.ndarray, od_deg: np.ndarray) -> dict[str, Any]:
    """OS minus OD over the frames that have both, in degrees and prism dioptres."""
    difference = spread(os_deg - od_deg)
    median = difference["median"]
    return difference | {"median_pd": None if median is None else round(prism_dioptres(median), 2)}


def summarise(
    frames: dict[str, np.ndarray],
    options: dict[str, Any],
    calibration: dict[str, Any] | None = None,
    people: int | None = None,
    recognitions: int | None = None,
    tells_blinks: bool = True,
) -> dict[str, Any]:
    """The summary of a recording from its frames.csv columns and the options that it was run with.

    `options` are those of `dmask.Options.released`: a value that the profile withholds is None.
    `calibration` has `ok` and `reason`; `people` is how many were seen at once, `recognitions` how
    often a face was taken for the patient's by its shape, where that is known.
    Blinks, and the noise, are None where the profile holds frames still (Pipeline.tells_blinks).
    """
    frames = frames | {
        f"{eye}_{name}": np.maximum(frames[f"{eye}_{name}"], 0.0) for eye in EYES for name in NEVER_NEGATIVE
    }
    close_up = is_close_up(frames)
    in_view = eyes_in_view(frames) if close_up else list(EYES)
    time_s = frames["time_s"]
    duration_s = float(time_s[-1] - time_s[0]) if time_s.size > 1 else 0.0
    faces = bool((frames["face_valid"] == 1).any())
    eyes: dict[str, Any] = {}
    for eye in EYES:
        valid = frames[f"{eye}_valid"] == 1
        blinks, closures = blinks_of(frames, eye)
        watched_min = watched_s(time_s, np.isfinite(frames[f"{eye}_openness"])) / 60
        eyes[eye] = {
            "share_of_frames": shares(frames[f"{eye}_valid"], frames[f"{eye}_reason"]),
            "reasons": counted(time_s, frames[f"{eye}_valid"], frames[f"{eye}_reason"], EYE_REASONS),
            **{name: spread(np.where(valid, frames[f"{eye}_{name}"], np.nan)) for name in SUMMARISED},
            "px_per_deg": spread(frames[f"{eye}_px_per_deg"])["median"],
            "noise_from_frame_to_frame": {
                name: rounded(noise_step(time_s, np.where(valid, frames[f"{eye}_{name}"], np.nan)))
                for name in TREMBLES
            }
            if tells_blinks  # what is held does not tremble
            else dict.fromkeys(TREMBLES),
            "blinks": {
                "complete": sum(blink.complete for blink in blinks),
                "partial": sum(not blink.complete for blink in blinks),
                "per_minute": round(len(blinks) / watched_min, 2) if watched_min > 0 else None,
                "longer_closures": len(closures),
            }
            if tells_blinks
            else dict.fromkeys(("complete", "partial", "per_minute", "longer_closures")),
        }
    if close_up:  # angles against each eye's own rest say nothing of both
        frames = frames | {f"{eye}_{axis}": np.full(time_s.size, np.nan) for eye in EYES for axis in ANGLES}
    both = (frames["od_valid"] == 1) & (frames["os_valid"] == 1)
    horizontal, vertical = (
        deviation(np.where(both, frames[f"os_{axis}"], np.nan), frames[f"od_{axis}"])
        for axis in ("yaw_deg", "pitch_deg")
    )
    looks = where_they_look(frames)
    expected = expected_of_straight_eyes(looks)
    return {
        "frames": int(time_s.size),
        "duration_s": round(duration_s, 3),
        "people": people,
        "view": ("eyes" if len(in_view) > 1 else "eye") if close_up else "face" if faces else None,
        "laterality": laterality(frames) if close_up else None,
        "flags": flags(frames, calibration, people, recognitions),
        "face": {
            "share_of_frames": shares(frames["face_valid"], frames["face_reason"]),
            "reasons": counted(time_s, frames["face_valid"], frames["face_reason"], FACE_REASONS),
        },
        "od": eyes["od"],
        "os": eyes["os"],
        "deviation_os_minus_od": {
            "primary_position": primary_position(frames, looks),
            "expected_of_straight_eyes": expected,
            "horizontal_deg": horizontal,
            "vertical_deg": vertical,
            "by_direction": by_direction(frames, looks),
            "by_corneal_reflex": by_corneal_reflex(frames, looks),
            "note": note(expected),
        },
        "statements": [
            *(of_close_up(frames, options) if close_up else statements(options)),
            *of_reflexes(frames, options),
            *(
                [TOO_SMALL]
                if any((frames[f"{eye}_reason"] == "low_resolution").any() for eye in EYES)
                else []
            ),
            *([] if tells_blinks else [BLINKS_WITHHELD]),
        ],
    }


def of_reflexes(frames: dict[str, np.ndarray], options: dict[str, Any]) -> list[str]:
    if options["lamp"] == "unknown":
        return []
    if options["profile"] == "strict":
        return [REFLEX_WITHHELD]
    measured = any(np.isfinite(frames[f"{eye}_reflex_yaw_deg"]).any() for eye in EYES)
    return [BY_REFLEX if measured else NO_REFLEX]


def whose_millimetres(options: dict[str, Any]) -> str:
    if options["hvid_mm"] is None:
        return "Millimetres of the lids, and the iris's width, are withheld by the profile."
    usual = table()
    told_age = options["age_years"] != usual["age_years"]["default"]
    told_iris = options["hvid_mm"] != usual["hvid_mm"]["default"]
    whose = f"eyes and a face of {options['age_years']:g} years" if told_age else "an adult eye"
    iris = f" with an iris {options['hvid_mm']:g} mm wide" if told_iris or not told_age else ""
    return f"Millimetres assume {whose}{iris}."


def statements(options: dict[str, Any]) -> list[str]:
    """What has to be known to read the numbers."""
    if options["fixating"] == "none":
        angles = (
            "No fixating eye was named: absolute eye angles, and the deviation between the eyes, carry "
            "several degrees of uncertainty; changes are what is precise. Use --fixating with --at."
        )
    else:
        angles = (
            f"Eye angles rest on what the user said: fixating {options['fixating']} from "
            f"{options['fixating_from_s']:g} to {options['fixating_to_s']:g} s."
        )
    return [
        angles,
        "Angles are of the optical axis in the head's frame; the visual axis differs from it by about 5 "
        "degrees, and by how much is not known without a fixation.",
        f"The camera's horizontal field of view is taken as {options['hfov_deg']:g} degrees; another one "
        "shifts vergence by up to 8 degrees.",
        whose_millimetres(options),
        *TREMBLING,
        *STEPS.get((options["profile"], options["coarse_time"]), ()),
        *ALWAYS,
    ]


def of_close_up(frames: dict[str, np.ndarray], options: dict[str, Any]) -> list[str]:
    one_eye = len(eyes_in_view(frames)) == 1
    known = options["mm_per_px"]
    return [
        CLOSE_UP,
        *([SIDE_NOT_KNOWN] if one_eye and laterality(frames) is None else []),
        f"Millimetres rest on what the user said: {known:g} mm a pixel."
        if known
        else whose_millimetres(options),
        *TREMBLING,
        *STEPS.get((options["profile"], options["coarse_time"]), ()),
        *ALWAYS,
    ]
