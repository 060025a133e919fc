"""Alignment: how far the eyes point apart, by direction of gaze; how far they move; how the head is held."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dmask.measure.clinical.lids import difference
from dmask.measure.deviation import constant_sd, deviation_sd, expected_of_straight_eyes, prism_dioptres
from dmask.measure.directions import LEAST_FRAMES, PRIMARY_DEG
from dmask.measure.interval import Z95
from dmask.measure.record import (
    BOTH,
    EYES,
    OTHER,
    Estimate,
    Finding,
    between,
    converted,
    give_or_take,
    not_measured,
)
from dmask.measure.recorded import WITHHELD_REST, Array, Recording, estimate_of
from dmask.measure.registry import measure

# DICOM CID 4201, as the patient looks; SNOMED CT.
GAZE_POSITIONS = {
    "primary": "408744005",
    "up": "255533007",
    "up_left": "255525006",
    "left": "255530005",
    "down_left": "255523004",
    "down": "255521002",
    "down_right": "255524005",
    "right": "255531009",
    "up_right": "255526007",
}
AXES = {"horizontal": "yaw", "vertical": "pitch"}
APART = "optical axes, left eye less right"
STRAIGHT = "less what straight eyes show there, twice kappa less convergence: Atchison et al. 2014"
VERSIONS = "a quarter of the way a step, as ductions by Scott and Kraft 1985; here against the other eye"
MOST_GRADE = 4.0
FARTHEST_SHARE = 0.05
SCALE_SD = 0.03  # of an angle far aside, as a share of it: bench/far_gaze.py
TOWARDS = {"right": ("yaw", -1), "left": ("yaw", 1), "up": ("pitch", 1), "down": ("pitch", -1)}


def apart(recording: Recording, axis: str, position: str) -> Estimate:
    """OS less OD of the optical axes while the eyes look there."""
    chosen = in_position(recording, position)
    od_deg, os_deg = (getattr(recording.eye(eye), f"{axis}_deg") for eye in EYES)
    difference = os_deg - od_deg
    kept = chosen & np.isfinite(difference)
    if kept.sum() < LEAST_FRAMES:
        return not_measured(why_not_there(recording, position), int(kept.sum()))
    return estimate_of(difference[kept], deviation_sd(recording.frames, axis, kept))


def in_position(recording: Recording, position: str) -> Array:
    """(F,) bool: both eyes look there, and no lid is on its way."""
    seen = recording.eye("od").sight & recording.eye("os").sight
    return np.asarray((recording.looks.names == position) & seen)


def why_not_there(recording: Recording, position: str) -> str:
    if not np.isfinite(recording.looks.gaze[0]).any():
        every = np.ones(recording.time_s.size, bool)
        if ((recording.frames["od_valid"] == 1) & (recording.frames["os_valid"] == 1)).any():
            return "the eyes are far apart, and which of them fixates is not known"
        missing = min(EYES, key=lambda eye: int((recording.frames[f"{eye}_valid"] == 1).sum()))
        return f"both eyes are never measured together: {recording.why_not(missing, 'yaw_deg', every)}"
    return (
        f"fewer than {LEAST_FRAMES} frames look there"
        if position != "primary"
        else "they never look straight ahead"
    )


def seen_positions(recording: Recording) -> list[str]:
    """Primary position, and those that the recording has frames of."""
    return [
        position
        for position in GAZE_POSITIONS
        if position == "primary" or in_position(recording, position).sum() >= LEAST_FRAMES
    ]


def from_straight(recording: Recording, axis: str, position: str) -> Estimate:
    """The same against what straight eyes would show; + is exo, and the left eye higher."""
    told = apart(recording, axis, position)
    if told.value is None or axis == "pitch":
        return told
    expected = recording.once(straight_eyes)
    if expected.value is None:
        return expected
    return difference(told, expected)


def straight_eyes(recording: Recording) -> Estimate:
    expected = expected_of_straight_eyes(recording.looks)
    if expected is None:
        return not_measured("what straight eyes show depends on the distance, which is not known")
    low, high = expected["interval_95"]
    # An expectation rests on no frames: n is that of what is held against it.
    return between(float(expected["horizontal_deg"]), float(low), float(high), recording.time_s.size)


def by_position(recording: Recording, axis: str, straight: bool) -> Iterator[Finding]:
    if recording.profile == "strict":
        yield Finding(BOTH, not_measured(WITHHELD_REST), "primary")
        return
    for position in recording.once(seen_positions):
        of = from_straight if straight else apart
        yield Finding(BOTH, recording.once(of, axis, position), position)


@measure(
    "alignment.axes_horizontal_deg",
    "between the optical axes, + where the left eye points farther left",
    APART,
)
def axes_horizontal(recording: Recording) -> Iterator[Finding]:
    yield from by_position(recording, "yaw", False)


@measure("alignment.axes_vertical_deg", "between the optical axes, + where the left eye points higher", APART)
def axes_vertical(recording: Recording) -> Iterator[Finding]:
    yield from by_position(recording, "pitch", False)


@measure("alignment.deviation_horizontal_deg", "from straight eyes: + is exo, - is eso", STRAIGHT)
def deviation_horizontal(recording: Recording) -> Iterator[Finding]:
    yield from by_position(recording, "yaw", True)


@measure("alignment.deviation_vertical_deg", "from straight eyes: + is the left eye higher", STRAIGHT)
def deviation_vertical(recording: Recording) -> Iterator[Finding]:
    yield from by_position(recording, "pitch", True)


@measure("alignment.deviation_horizontal_pd", "the same in prism dioptres", STRAIGHT)
def deviation_horizontal_pd(recording: Recording) -> Iterator[Finding]:
    for eye, estimate, condition in by_position(recording, "yaw", True):
        yield Finding(eye, converted(estimate, prism_dioptres, 2), condition)


@measure("alignment.deviation_vertical_pd", "the same in prism dioptres", STRAIGHT)
def deviation_vertical_pd(recording: Recording) -> Iterator[Finding]:
    for eye, estimate, condition in by_position(recording, "pitch", True):
        yield Finding(eye, converted(estimate, prism_dioptres, 2), condition)


def turned_deg(recording: Recording, eye: str, towards: str) -> Array:
    """(F,) from where the eye is in primary position; NaN out of sight, or where it is never there."""
    axis, sign = TOWARDS[towards]
    trace = recording.eye(eye)
    angle = np.where(trace.sight, getattr(trace, f"{axis}_deg"), np.nan)
    ahead = angle[recording.primary & np.isfinite(angle)]
    return np.asarray(sign * (angle - (np.median(ahead) if ahead.size else np.nan)))


def duction(recording: Recording, eye: str, towards: str) -> Estimate:
    """How far an eye turns: the farthest twentieth of the frames in which it looks that way."""
    turned = recording.once(turned_deg, eye, towards)
    if not np.isfinite(turned).any():
        return not_measured(why_not_there(recording, "primary"))
    # By either eye: one of them may lag behind, and the mean of both with it.
    reach = np.fmax(turned, recording.once(turned_deg, OTHER[eye], towards))
    there = turned[np.isfinite(turned) & (reach > PRIMARY_DEG)]
    if there.size < LEAST_FRAMES:
        return not_measured(why_not_there(recording, towards), int(there.size))
    farthest = there[there >= np.quantile(there, 1 - FARTHEST_SHARE)]
    # An eyeball's place that is wrong turns both looks alike: what is left is scale.
    middle = float(np.median(farthest))
    half = Z95 * float(np.hypot(SCALE_SD * middle, farthest.std()))
    return give_or_take(middle, half, int(there.size))


@measure(
    "alignment.duction_deg",
    "how far the eye turns that way from primary position",
    "as far as the patient looked",
)
def ductions(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        for towards in TOWARDS:
            told = (
                not_measured(WITHHELD_REST)
                if recording.profile == "strict"
                else recording.once(duction, eye, towards)
            )
            yield Finding(eye, told, towards)


@measure(
    "alignment.version_grade",
    "-4 to 4: how the eye under- or overacts against the other one",
    VERSIONS,
    validated=False,
)
def versions(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        for towards in TOWARDS:
            told = (
                not_measured(WITHHELD_REST)
                if recording.profile == "strict"
                else version(recording, eye, towards)
            )
            yield Finding(eye, told, towards)


def version(recording: Recording, eye: str, towards: str) -> Estimate:
    """Both eyes at the same moments, those in which the farther one is far aside."""
    own_deg, other_deg = (recording.once(turned_deg, one, towards) for one in (eye, OTHER[eye]))
    reach_deg = np.fmax(own_deg, other_deg)
    least_deg = recording.settings.version_gaze_deg
    far = np.isfinite(own_deg) & np.isfinite(other_deg) & (reach_deg >= least_deg)
    if far.sum() < LEAST_FRAMES:
        most = np.nanmax(reach_deg) if np.isfinite(reach_deg).any() else 0.0
        if most >= least_deg:
            return not_measured(f"fewer than {LEAST_FRAMES} frames look there", int(far.sum()))
        return not_measured(f"the eyes turn {most:.0f} degrees that way; needs {least_deg:g}", int(far.sum()))
    lag = MOST_GRADE * (own_deg - other_deg)[far] / reach_deg[far]
    told = estimate_of(np.clip(lag, -MOST_GRADE, MOST_GRADE), MOST_GRADE * SCALE_SD)
    return converted(told, lambda grade: round(2 * grade) / 2)


def reflex(recording: Recording, axis: str) -> Estimate:
    """OS less OD by the corneal reflexes, in primary position."""
    both = recording.primary & np.isfinite(recording.frames["od_reflex_yaw_deg"])
    both &= np.isfinite(recording.frames["os_reflex_yaw_deg"])
    if recording.options.get("lamp", "unknown") != "camera":
        return not_measured("nobody said that a lamp is beside the lens: --lamp camera")
    if both.sum() < LEAST_FRAMES:
        return not_measured("no corneal reflex in both eyes, or below 0.5 px a degree", int(both.sum()))
    values = (recording.frames[f"os_reflex_{axis}_deg"] - recording.frames[f"od_reflex_{axis}_deg"])[both]
    sds = [constant_sd(recording.frames[f"{eye}_reflex_yaw_sd_deg"][both]) for eye in EYES]
    return estimate_of(values, float(np.hypot(sds[0], sds[1])))


@measure(
    "alignment.hirschberg_horizontal_deg",
    "between the axes by the corneal reflexes of a lamp at the lens",
    APART,
)
def hirschberg_horizontal(recording: Recording) -> Iterator[Finding]:
    yield Finding(BOTH, reflex(recording, "yaw"), "primary")


@measure(
    "alignment.hirschberg_vertical_deg",
    "between the axes by the corneal reflexes of a lamp at the lens",
    APART,
)
def hirschberg_vertical(recording: Recording) -> Iterator[Finding]:
    yield Finding(BOTH, reflex(recording, "pitch"), "primary")


POSTURE = "against a head that faces the camera upright"


def held(recording: Recording, name: str) -> Estimate:
    """How the head is held, over all frames with a face."""
    if recording.profile == "strict":
        return not_measured(WITHHELD_REST)
    values = recording.frames[f"head_{name}_deg"]
    values = values[np.isfinite(values)]
    if values.size < LEAST_FRAMES:
        return not_measured("no face in enough frames", int(values.size))
    return estimate_of(values, constant_sd(recording.frames[f"head_{name}_sd_deg"]))


@measure("alignment.head_turn_deg", "face turn, + to the patient's left", POSTURE)
def head_turn(recording: Recording) -> Iterator[Finding]:
    yield Finding(BOTH, held(recording, "yaw"))


@measure("alignment.head_chin_deg", "chin, + up", POSTURE)
def head_chin(recording: Recording) -> Iterator[Finding]:
    yield Finding(BOTH, held(recording, "pitch"))


@measure("alignment.head_tilt_deg", "head tilt, + where the patient's left side is raised", POSTURE)
def head_tilt(recording: Recording) -> Iterator[Finding]:
    yield Finding(BOTH, held(recording, "roll"))


@measure(
    "alignment.head_steady_share",
    "of the frames in which the head is within 5 degrees of how it is held",
    POSTURE,
)
def head_steady(recording: Recording) -> Iterator[Finding]:
    if recording.profile == "strict":
        yield Finding(BOTH, not_measured(WITHHELD_REST))
        return
    angles = np.stack([recording.frames[f"head_{name}_deg"] for name in ("yaw", "pitch", "roll")])
    seen = np.isfinite(angles).all(0)
    if seen.sum() < LEAST_FRAMES:
        yield Finding(BOTH, not_measured("no face in enough frames", int(seen.sum())))
        return
    off = np.abs(angles[:, seen] - np.median(angles[:, seen], axis=1)[:, None]).max(0)
    yield Finding(
        BOTH, Estimate(round(float((off <= recording.settings.steady_head_deg).mean()), 3), n=int(seen.sum()))
    )
