"""What is left of the eye signs in a mask or an obscured picture, as dmask itself measures it there.

Arrays are (N, 2, 3): of N pictures the eyes OD and OS, each with its openness and the yaw and pitch of its
gaze in degrees, NaN where it is not measured. A picture in which nothing is found is all NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dmask.arrays import Floats
from dmask.axes import gaze_axis

if TYPE_CHECKING:
    from dmask._core import FrameResult

FEWEST = 3  # eyes that a correlation is told of


class Signs(NamedTuple):
    """Shares are of the eyes that were measured in the originals; NaN where nothing was."""

    eyes: int  # whose lids were measured in the originals
    lids_measured: float
    openness_r: float
    gaze_measured: float
    gaze_error_deg: float  # median
    yaw_r: float
    pitch_r: float


def measured(result: FrameResult | None) -> Floats:
    """(2, 3) of one picture; None is one without a face."""
    if result is None or not result.face_valid:
        return np.full((2, 3), np.nan)
    return np.array(
        [[eye.openness, eye.yaw_deg, eye.pitch_deg] for eye in (result.od, result.os)], np.float64
    )


def signs(original: Floats, seen: Mapping[str, Floats]) -> dict[str, Signs]:
    """By method, from the same pictures in the same order."""
    return {method: compared(original, values) for method, values in seen.items()}


def compared(original: Floats, seen: Floats) -> Signs:
    if original.shape != seen.shape or original.ndim != 3 or original.shape[1:] != (2, 3):
        raise ValueError(
            f"got signs of {original.shape} and {seen.shape}; expected (N, 2, 3) of the same pictures"
        )
    truth, found = original.reshape(-1, 3), seen.reshape(-1, 3)
    lids = np.isfinite(truth[:, 0])
    lids_too = lids & np.isfinite(found[:, 0])
    gaze = np.isfinite(truth[:, 1:].sum(1))
    gaze_too = gaze & np.isfinite(found[:, 1:].sum(1))
    error_deg = apart_deg(truth[gaze_too, 1:], found[gaze_too, 1:])
    return Signs(
        eyes=int(lids.sum()),
        lids_measured=share(lids_too, lids),
        openness_r=pearson(truth[lids_too, 0], found[lids_too, 0]),
        gaze_measured=share(gaze_too, gaze),
        gaze_error_deg=float(np.median(error_deg)) if error_deg.size else np.nan,
        yaw_r=pearson(truth[gaze_too, 1], found[gaze_too, 1]),
        pitch_r=pearson(truth[gaze_too, 2], found[gaze_too, 2]),
    )


def apart_deg(a: Floats, b: Floats) -> Floats:
    """(M,) angles between gazes of (M, 2) yaw and pitch in degrees."""
    chord = np.linalg.norm(gaze_axis(*a.T) - gaze_axis(*b.T), axis=1)
    return np.asarray(np.degrees(2 * np.arcsin(np.clip(chord / 2, 0, 1))))


def share(part: np.ndarray, whole: np.ndarray) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else np.nan


def pearson(a: Floats, b: Floats) -> float:
    """NaN of fewer than FEWEST, or where one never varies."""
    if len(a) < FEWEST or np.ptp(a) == 0 or np.ptp(b) == 0:
        return np.nan
    return float(np.corrcoef(a, b)[0, 1])
