"""Blinks of one eye, from its openness over time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

CLOSING = 0.5  # share of the open-lid baseline that has to go before it counts at all
COMPLETE = 0.9
LONGEST_BLINK_S = 1.0  # longer is a closure, not a blink
EDGE_SHARE = 0.8  # below this share of the baseline the lid has left it


class Blink(NamedTuple):
    start_s: float
    end_s: float
    closure: float  # largest, as a share of the open-lid baseline: 1 is shut
    complete: bool


def open_baseline(openness: np.ndarray) -> float:
    """The open lid's openness: median of what lies above half of the 90th percentile. NaN without data."""
    seen = openness[np.isfinite(openness)]
    if not seen.size:
        return float("nan")
    return float(np.median(seen[seen >= 0.5 * np.percentile(seen, 90)]))


def find_blinks(time_s: np.ndarray, openness: np.ndarray) -> tuple[list[Blink], list[Blink]]:
    """Blinks and longer closures, each in order, from (F,) times and openness (NaN where not measured).

    Closures that are already under way when the recording starts, or still when it ends, are left out.
    """
    seen = np.isfinite(openness)
    time_s, openness = time_s[seen], openness[seen]
    baseline = open_baseline(openness)
    blinks: list[Blink] = []
    closures: list[Blink] = []
    if not baseline > 0:
        return blinks, closures
    low = openness < EDGE_SHARE * baseline
    edges = np.flatnonzero(np.diff(low.astype(np.int8)))
    starts = [i + 1 for i in edges if not low[i]]
    for start in starts:
        ends = np.flatnonzero(~low[start:])
        if not ends.size:
            continue
        end = start + int(ends[0])
        closure = float(1.0 - openness[start:end].min() / baseline)
        if closure < CLOSING:
            continue
        blink = Blink(float(time_s[start]), float(time_s[end]), closure, closure >= COMPLETE)
        (blinks if blink.end_s - blink.start_s <= LONGEST_BLINK_S else closures).append(blink)
    return blinks, closures
