"""Face: how alike both sides move, and the jaw. From the face model's units, which leave in part: --keep.

None of it was held against patients.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dmask.measure.record import BOTH, EYES, Estimate, Finding, not_measured
from dmask.measure.recorded import Recording
from dmask.measure.registry import measure

SUNNYBROOK = "symmetry of voluntary movement, as in parts of the Sunnybrook scale (Ross et al. 1996)"
LEAST_FRAMES = 10
QUANTILE = 0.98  # of a unit over the recording: its farthest motion, single frames left aside
NO_TRACK = "there is no track, which has how the face moves"


def farthest(recording: Recording, names: tuple[str, ...]) -> float | None:
    """The largest motion from rest of the mean of some units; None where no face is seen."""
    assert recording.units is not None
    course = np.mean([recording.units[name] for name in names], axis=0)
    seen = course[np.isfinite(course)]
    if seen.size < LEAST_FRAMES:
        return None
    return float(np.quantile(seen, QUANTILE) - np.median(seen))


def symmetry(recording: Recording, units: tuple[str, ...], keep: str) -> Estimate:
    """Motion of the weaker side over that of the stronger one: 1 is alike, 0 is one side alone."""
    if recording.units is None:
        return not_measured(NO_TRACK)
    sides = [farthest(recording, tuple(f"{unit}_{side}" for unit in units)) for side in "RL"]
    if sides[0] is None or sides[1] is None:
        return not_measured("no face in enough frames")
    least, most = sorted((sides[0], sides[1]))
    if most < recording.settings.movement_share:
        rests = all(
            not np.nan_to_num(recording.units[f"{unit}_{side}"]).any() for unit in units for side in "RL"
        )
        withheld = rests and recording.profile != "article"
        return not_measured(
            f"withheld_by_profile: {keep}"
            if withheld
            else f"the face moves by {most:.2f} of the unit; needs {recording.settings.movement_share:g}"
        )
    frames = int(np.isfinite(recording.units[f"{units[0]}_R"]).sum())
    return Estimate(round(max(0.0, least) / most, 3), n=frames)


BROWS = ("browInnerUp", "browOuterUp")


@measure(
    "face.brow_raise_symmetry_ratio",
    "of the weaker side to the stronger one, brows raised",
    SUNNYBROOK,
    False,
)
def brow_raise(recording: Recording) -> Iterator[Finding]:
    yield Finding(BOTH, symmetry(recording, BROWS, "brows leave in every profile but strict"))


@measure("face.smile_symmetry_ratio", "of the weaker side to the stronger one, smiling", SUNNYBROOK, False)
def smile(recording: Recording) -> Iterator[Finding]:
    yield Finding(BOTH, symmetry(recording, ("mouthSmile",), "give --keep mouth"))


@measure(
    "face.snarl_symmetry_ratio", "of the weaker side to the stronger one, nose wrinkled", SUNNYBROOK, False
)
def snarl(recording: Recording) -> Iterator[Finding]:
    yield Finding(BOTH, symmetry(recording, ("noseSneer",), "give --keep nose"))


@measure(
    "face.pucker_shift_share",
    "of the mouth's sideways units while the lips are puckered, + to the left",
    SUNNYBROOK,
    False,
)
def pucker(recording: Recording) -> Iterator[Finding]:
    yield Finding(BOTH, sideways(recording, "mouthPucker", ("mouthLeft", "mouthRight"), "give --keep mouth"))


@measure("face.jaw_opening_share", "farthest opening, of the jaw's unit", "unit of the face model", False)
def jaw_opening(recording: Recording) -> Iterator[Finding]:
    if recording.units is None:
        yield Finding(BOTH, not_measured(NO_TRACK))
        return
    opening = farthest(recording, ("jawOpen",))
    if opening is None:
        yield Finding(BOTH, not_measured("no face in enough frames"))
    elif not np.nan_to_num(recording.units["jawOpen"]).any():
        yield Finding(BOTH, not_measured("withheld_by_profile: give --keep jaw"))
    else:
        yield Finding(BOTH, Estimate(round(opening, 3), n=int(np.isfinite(recording.units["jawOpen"]).sum())))


@measure(
    "face.jaw_deviation_share",
    "of the jaw's sideways units while it opens, + to the left",
    "unit of the face model",
    False,
)
def jaw_deviation(recording: Recording) -> Iterator[Finding]:
    yield Finding(BOTH, sideways(recording, "jawOpen", ("jawLeft", "jawRight"), "give --keep jaw"))


def sideways(recording: Recording, doing: str, ways: tuple[str, str], keep: str) -> Estimate:
    """Left less right of two units, over the frames in which another is well under way."""
    if recording.units is None:
        return not_measured(NO_TRACK)
    course = recording.units[doing]
    if not np.nan_to_num(course).any():
        return not_measured(f"withheld_by_profile: {keep}")
    during = course >= recording.settings.movement_share
    if during.sum() < LEAST_FRAMES:
        least = recording.settings.movement_share
        return not_measured(f"{doing} reaches {np.nanmax(course):.2f} of its unit; needs {least:g}")
    left, right = (np.median(recording.units[way][during]) for way in ways)
    return Estimate(round(float(left - right), 3), n=int(during.sum()))


@measure(
    "face.eye_closure_symmetry_ratio",
    "of the fissure that the lazier lids take in blinks to that of the others",
    SUNNYBROOK,
    False,
)
def eye_closure(recording: Recording) -> Iterator[Finding]:
    yield Finding(BOTH, closure_symmetry(recording))


def closure_symmetry(recording: Recording) -> Estimate:
    """How deep the lids of both eyes go in the same moments: those of either eye's blinks and closures."""
    depths = {eye: [] for eye in EYES}  # type: dict[str, list[float]]
    time_s = recording.time_s
    for of in EYES:
        for one in recording.blinks(of) + recording.closures(of):
            during = (time_s >= one.start_s) & (time_s <= one.end_s)
            around = (time_s >= one.start_s - 0.5) & (time_s <= one.end_s + 0.5) & ~during
            found = []
            for eye in EYES:
                opening = recording.eye(eye).openness
                inside, outside = (opening[part][np.isfinite(opening[part])] for part in (during, around))
                if inside.size and outside.size and np.median(outside) > 0:
                    found.append(1 - float(inside.min() / np.median(outside)))
            if len(found) == len(EYES):
                for eye, depth in zip(EYES, found, strict=True):
                    depths[eye].append(depth)
    count = len(depths["od"])
    if not count:
        return not_measured("no blink or closure in sight of both eyes", 0)
    least, most = sorted(float(np.median(depths[eye])) for eye in EYES)
    return Estimate(round(max(0.0, least) / most, 3) if most > 0 else 1.0, n=count)
