"""How far the eyes deviate from each other, in primary position and by direction of gaze.

The optical axes are what is measured. Those of straight eyes differ too: each lies kappa outwards of its line
of sight, and both lines of sight meet in what is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from dmask import _core
from dmask.axes import KAPPA_DEG, KAPPA_SD_DEG
from dmask.measure.directions import LEAST_FRAMES, PRIMARY_DEG, Angles, directions, gaze, straight_ahead
from dmask.measure.interval import Z95, median_with_interval

AXES = {"horizontal_deg": "yaw", "vertical_deg": "pitch"}
PUPILS_MM, PUPILS_SD_MM = _core.adult_pupils_mm, 3.6  # between the pupils, adults
DISTANCE_SD_SHARE = 0.05  # an iris 4 % wider or narrower than taken, and the field of view
REACH_MM = {
    "near": (250.0, _core.near_mm),
    "intermediate": (_core.near_mm, _core.intermediate_mm),
    "far": (_core.intermediate_mm, 1e9),
}

MOST_DEG = 80.0  # of which there are prism dioptres
WHERE = {  # where a distance lies that is told by its class alone
    "near": f"{REACH_MM['near'][0] / 1000:g} to {_core.near_mm / 1000:g} m",
    "intermediate": f"{_core.near_mm / 1000:g} to {_core.intermediate_mm / 1000:g} m",
    "far": f"more than {_core.intermediate_mm / 1000:g} m",
}


def prism_dioptres(angle_deg: float) -> float:
    """PD = 100 tan(angle): averages are taken in degrees, and converted last. Up to an angle that no eyes are
    apart by."""
    return 100.0 * float(np.tan(np.radians(np.clip(angle_deg, -MOST_DEG, MOST_DEG))))


Place = dict[str, np.ndarray]  # x, y, z: (F,) of the head, camera frame, mm


class Looks(NamedTuple):
    """Where the eyes look in a recording, and how far away the camera is."""

    straight_ahead: str | None  # what it was taken from: camera, rest, or None without gaze
    names: np.ndarray  # (F,) of the directions, empty without gaze
    distance: str | None  # near, intermediate or far
    distance_mm: float | None  # None where the profile withholds it
    gaze: Angles  # (F,) yaw and pitch in the head


def where_they_look(frames: dict[str, np.ndarray]) -> Looks:
    """Where the profile withholds the place of the head, the camera is taken to be straight before it: what
    is counted about its true direction would tell that."""
    place = {axis: frames[f"head_{axis}_mm"] for axis in "xyz"}
    distance_mm = camera_distance_mm(place)
    if distance_mm is None:
        before = np.ones(frames["time_s"].size)
        distance, place = usual_distance(frames), {"x": 0 * before, "y": 0 * before, "z": before}
    else:
        distance = _core.distance_at(distance_mm)
    looks = gaze(frames, place)
    ahead = straight_ahead(frames, looks, place) if looks[0].size else None
    names = directions(looks, *ahead[1:]) if ahead else np.full(looks[0].size, "")
    return Looks(ahead[0] if ahead else None, names, distance, distance_mm, looks)


def usual_distance(frames: dict[str, np.ndarray]) -> str | None:
    """The one of most frames; None where nothing says it."""
    told, counts = np.unique(frames["distance"][np.isin(frames["distance"], list(WHERE))], return_counts=True)
    return str(told[np.argmax(counts)]) if told.size else None


def primary_position(frames: dict[str, np.ndarray], looks: Looks) -> dict[str, Any]:
    """The deviation OS minus OD while the eyes look straight ahead, with its 95 % interval."""
    chosen = looks.names == "primary"
    measured = int(((frames["od_valid"] == 1) & (frames["os_valid"] == 1)).sum())
    distance_mm = looks.distance_mm
    return {
        "straight_ahead": looks.straight_ahead,
        "within_deg": PRIMARY_DEG,
        "frames": int(chosen.sum()),
        "share_of_measured_frames": round(chosen.sum() / measured, 4) if measured else None,
        "distance_mm": None if distance_mm is None else round(distance_mm),
        "distance": looks.distance,
    } | deviation_over(frames, chosen)


def by_direction(frames: dict[str, np.ndarray], looks: Looks) -> dict[str, Any]:
    """The same by direction of gaze in the head, of those with LEAST_FRAMES or more."""
    names, counts = np.unique(looks.names[looks.names != ""], return_counts=True)
    return {
        str(name): {"frames": int(count)} | deviation_over(frames, looks.names == name)
        for name, count in zip(names, counts.tolist(), strict=True)
        if count >= LEAST_FRAMES
    }


def deviation_over(frames: dict[str, np.ndarray], chosen: np.ndarray) -> dict[str, Any]:
    """Horizontal and vertical deviation over the chosen frames, in degrees and prism dioptres."""
    report: dict[str, Any] = {}
    for name, axis in AXES.items():
        values = (frames[f"os_{axis}_deg"] - frames[f"od_{axis}_deg"])[chosen]
        values = values[np.isfinite(values)]
        report[name] = with_dioptres(median_with_interval(values, deviation_sd(frames, axis, chosen)))
    return report


def by_corneal_reflex(frames: dict[str, np.ndarray], looks: Looks) -> dict[str, Any] | None:
    """The same by the reflexes of a lamp beside the lens; None where no frame ahead has both."""
    both = np.isfinite(frames["od_reflex_yaw_deg"]) & np.isfinite(frames["os_reflex_yaw_deg"])
    both &= looks.names == "primary"
    if not both.any():
        return None
    # What both eyes err in alike in height is in their own deviations of pitch alone, and cancels.
    sds = [constant_sd(frames[f"{eye}_reflex_yaw_sd_deg"][both]) for eye in ("od", "os")]
    report: dict[str, Any] = {"frames": int(both.sum())}
    for name, axis in AXES.items():
        values = (frames[f"os_reflex_{axis}_deg"] - frames[f"od_reflex_{axis}_deg"])[both]
        # The cornea of one person is alike in both eyes: what it errs by is a share of the deviation.
        of_cornea_deg = _core.cornea_to_limbus_sd_share * abs(float(np.median(values)))
        sd = float(np.sqrt(sds[0] ** 2 + sds[1] ** 2 + of_cornea_deg**2))
        report[name] = with_dioptres(median_with_interval(values, sd))
    return report


def with_dioptres(one: Mapping[str, Any]) -> dict[str, Any]:
    """A median in degrees and its interval, and the median in prism dioptres."""
    return {**one, "median_pd": None if one["median"] is None else round(prism_dioptres(one["median"]), 2)}


def deviation_sd(frames: dict[str, np.ndarray], axis: str, chosen: np.ndarray) -> float:
    """Of OS minus OD, as it is stated; of tables from before it was, as if both eyes erred apart."""
    stated = constant_sd(frames[f"deviation_{axis}_sd_deg"][chosen])
    if np.isfinite(stated):
        return stated
    sds = [constant_sd(frames[f"{eye}_{axis}_sd_deg"][chosen]) for eye in ("od", "os")]
    return float(np.hypot(sds[0], sds[1]))


def constant_sd(sd_deg: np.ndarray) -> float:
    """What is stated is mostly the eyeball's place, the same in every frame. NaN without any."""
    known = sd_deg[np.isfinite(sd_deg)]
    return float(np.median(known)) if known.size else float("nan")


def camera_distance_mm(place: Place) -> float | None:
    """Median distance from between the eyes to the camera; None where nothing says it."""
    distance = np.sqrt(sum(place[axis] ** 2 for axis in "xyz"))
    known = distance[np.isfinite(distance)]
    return float(np.median(known)) if known.size else None


def expected_of_straight_eyes(looks: Looks) -> dict[str, Any] | None:
    """What the optical axes of straight eyes differ by that look into the camera: twice kappa, less the angle
    at which the lines of sight meet there. An expectation for adults, no norm. Where the distance is known as
    near, intermediate or far alone, the interval takes in all of it."""
    if looks.distance is None:
        return None
    if looks.distance_mm is None:
        nearest_mm, farthest_mm = REACH_MM[looks.distance]
    else:
        nearest_mm = farthest_mm = looks.distance_mm
    if nearest_mm <= 0:
        return None
    most_deg, least_deg = (convergence(mm) for mm in (nearest_mm, farthest_mm))
    convergence_deg = 0.5 * (most_deg + least_deg)
    convergence_sd_deg = convergence_deg * float(np.hypot(PUPILS_SD_MM / PUPILS_MM, DISTANCE_SD_SHARE))
    value = 2 * KAPPA_DEG - convergence_deg
    half = Z95 * float(np.hypot(2 * KAPPA_SD_DEG, convergence_sd_deg))  # right and left kappa go together
    half += 0.5 * (most_deg - least_deg)
    return {
        "horizontal_deg": round(value, 1),
        "interval_95": [round(value - half, 1), round(value + half, 1)],
        "twice_kappa_deg": 2 * KAPPA_DEG,
        "convergence_deg": round(convergence_deg, 1),
        "vertical_deg": 0.0,
        "at": "this distance" if looks.distance_mm is not None else WHERE[looks.distance],
    }


def convergence(distance_mm: float) -> float:
    """Between the lines of sight of both eyes, degrees."""
    return 2 * float(np.degrees(np.arctan(0.5 * PUPILS_MM / distance_mm)))


def note(expected: dict[str, Any] | None) -> str:
    """How to read the signs, and what straight eyes would show."""
    signs = (
        "Of the optical axes; positive: the left eye points further to the patient's left, or higher, than "
        "the right. horizontal_deg and vertical_deg pool all directions of gaze: read primary_position. "
    )
    if expected is None:
        return signs + "What straight eyes would show depends on the distance, which is not known here."
    low, high = expected["interval_95"]
    return signs + (
        f"Straight eyes that look into the camera at {expected['at']} are expected at "
        f"{expected['horizontal_deg']:g} degrees horizontally ({low:g} to {high:g}): twice the angle kappa, "
        f"{expected['twice_kappa_deg']:g}, less {expected['convergence_deg']:g} of convergence; an "
        "expectation for adults, no norm. Into the distance there is no convergence."
    )
