"""Recordings of one eye or two without a face: what of them there is, and what they cannot tell."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dmask.io.tables import EYES
from dmask.measure.record import BOTH, Estimate, not_measured

NO_HEAD = "a close-up shows no head: angles are against where the eye rests"
OF_A_HEAD = ("alignment.", "cover.", "face.", "signs.horizontal_deviation", "signs.vertical_deviation")


def close_up_frames(frames: Mapping[str, np.ndarray]) -> np.ndarray:
    """(F,) bool: eyes are seen, and no face."""
    eyes = np.any([frames[f"{eye}_reason"] != "no_face" for eye in EYES], axis=0)
    return np.asarray((frames["face_reason"] == "no_face") & eyes)


def eyes_in_view(frames: Mapping[str, np.ndarray]) -> list[str]:
    """Of a recording of close-ups: od, os or both; an eye that nobody can name stands under od."""
    seen = close_up_frames(frames)
    return [eye for eye in EYES if (seen & (frames[f"{eye}_reason"] != "not_in_view")).any()]


def is_close_up(frames: Mapping[str, np.ndarray]) -> bool:
    """Whether there is no face in any frame, and eyes in some."""
    return bool(not (frames["face_valid"] == 1).any() and close_up_frames(frames).any())


def told(measure: str, eye: str, estimate: Estimate, in_view: list[str]) -> Estimate:
    """What a close-up can say of it."""
    if measure.startswith(OF_A_HEAD):
        return not_measured(NO_HEAD)
    if eye in EYES and eye not in in_view:
        return not_measured("not in view")
    return not_measured("not in view") if eye == BOTH and len(in_view) < len(EYES) else estimate


def laterality(frames: Mapping[str, np.ndarray]) -> str | None:
    """Which eye a close-up of one eye shows, od or os; None where it changes, or nobody can say."""
    named = set(frames["laterality"][close_up_frames(frames)].tolist())
    return str(named.pop()) if len(named) == 1 and named <= set(EYES) else None
