"""Why frames have no number: each reason with its share of the frames and its time."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

NAME = re.compile(r"[a-z][a-z_]{0,30}")  # of a reason, as the core writes it

# Those that are known are counted even where there are none. A newer core may have more.
FACE_REASONS = ("no_face", "lost", "another_person", "dark", "dropped")
EYE_REASONS = (
    "closed", "covered", "low_resolution", "dark", "out_of_range", "lost", "no_face", "another_person",
    "dropped", "not_in_view",
)  # fmt: skip


def labels(valid: np.ndarray, reason: np.ndarray) -> np.ndarray:
    """(F,) text: 'valid', the reason, or 'unknown' where none is given that could be one."""
    names = np.array([str(one) if NAME.fullmatch(str(one)) else "unknown" for one in np.unique(reason)])
    told = names[np.unique(reason, return_inverse=True)[1]] if reason.size else reason
    named: np.ndarray = np.where(valid == 1, "valid", told)
    return named


def shares(valid: np.ndarray, reason: np.ndarray) -> dict[str, float]:
    """Share of the frames by reason; 'valid' is one of them."""
    names, counts = np.unique(labels(valid, reason), return_counts=True)
    return {
        str(name): round(count / valid.size, 4) for name, count in zip(names, counts.tolist(), strict=True)
    }


def counted(
    time_s: np.ndarray, valid: np.ndarray, reason: np.ndarray, known: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """Frames, share and seconds of each reason that a frame has, and of the known ones without any."""
    named, lasts_s = labels(valid, reason), frame_durations(time_s)
    report = {}
    for name in (*known, *sorted({str(one) for one in named} - {"valid", *known})):
        here = named == name
        report[name] = {
            "frames": int(here.sum()),
            "share": round(float(here.mean()), 4) if here.size else None,
            "seconds": round(float(lasts_s[here].sum()), 3),
        }
    return report


def frame_durations(time_s: np.ndarray) -> np.ndarray:
    """(F,) seconds until the next frame; the last is taken to last as long as most do."""
    if time_s.size < 2:
        return np.zeros(time_s.size)
    intervals_s = np.diff(time_s)
    return np.append(intervals_s, np.median(intervals_s))
