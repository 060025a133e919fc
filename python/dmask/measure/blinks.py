"""Blinks of one eye, from its openness over time.

A blink is a valley of the openness against the open lid about it (`open_lid.py`): the lid loses CLOSING of it
or more, turns round, and comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from dmask.measure.open_lid import local_baseline, open_baseline
from dmask.measure.turning import turning_points
from dmask.measure.watched import longest_gap_s

__all__ = ["Blink", "blinks_of", "find_blinks", "open_baseline"]

CLOSING = 0.5  # share of the open-lid baseline that has to go before it counts at all
COMPLETE = 0.9
LONGEST_BLINK_S = 1.0  # half shut for longer is a closure, not a blink
SHORTEST_BLINK_S = 0.07  # no lid is quicker: a single wrong frame
EDGE_SHARE = 0.8  # below this share of the baseline the lid has left it
TURNED = 0.3  # share of the baseline: the lid has turned round, and a next blink is one of its own
NOISES = 6.0  # a valley that is no deeper than this many standard deviations is noise
DEEPEST = 0.85  # of the noise that a blink has to exceed: a shut lid is always one
LOOK_DEG = 15.0  # downwards: the lid went along with the eye, which stays in sight
BESIDE_S = 0.3  # before and after a valley, where the eye looked else


class Blink(NamedTuple):
    start_s: float
    end_s: float
    closure: float  # largest, as a share of the open-lid baseline: 1 is shut
    complete: bool


def blinks_of(frames: Mapping[str, np.ndarray], eye: str) -> tuple[list[Blink], list[Blink]]:
    """Blinks and longer closures of one eye in the columns of frames.csv, its looks down left out."""
    time_s = frames["time_s"]
    pitch_deg = np.where(frames[f"{eye}_valid"] == 1, frames[f"{eye}_pitch_deg"], np.nan)
    blinks, closures = find_blinks(time_s, frames[f"{eye}_openness"])
    return (
        [one for one in blinks if not looks_down(one, time_s, pitch_deg)],
        [one for one in closures if not looks_down(one, time_s, pitch_deg)],
    )


def looks_down(blink: Blink, time_s: np.ndarray, pitch_deg: np.ndarray) -> bool:
    """Whether the lid only went down with the eye, which is seen through most of it, and far lower."""
    if blink.complete:
        return False
    inside = (time_s >= blink.start_s) & (time_s <= blink.end_s)
    beside = (time_s >= blink.start_s - BESIDE_S) & (time_s <= blink.end_s + BESIDE_S) & ~inside
    seen = np.isfinite(pitch_deg)
    if not (beside & seen).any() or 2 * (inside & seen).sum() <= inside.sum():
        return False
    return float(np.median(pitch_deg[beside & seen]) - pitch_deg[inside & seen].min()) >= LOOK_DEG


def find_blinks(time_s: np.ndarray, openness: np.ndarray) -> tuple[list[Blink], list[Blink]]:
    """Blinks and longer closures, each in order, from (F,) times and openness (NaN where not measured).

    Closures that are already under way when the recording, or its part between two gaps, starts, or still
    when it ends, are left out.
    """
    seen = np.isfinite(openness)
    time_s, openness = time_s[seen], openness[seen]
    blinks: list[Blink] = []
    closures: list[Blink] = []
    if not open_baseline(openness) > 0:
        return blinks, closures
    share = openness / local_baseline(time_s, openness)
    step = max(TURNED, min(NOISES * noise_sd(share), DEEPEST))
    for part in unbroken(time_s):
        for valley in valleys(share[part], step):
            blink, half_shut_s = describe(time_s[part], share[part], *valley)
            if blink.closure >= CLOSING and blink.end_s - blink.start_s >= SHORTEST_BLINK_S:
                (blinks if half_shut_s <= LONGEST_BLINK_S else closures).append(blink)
    return blinks, closures


def noise_sd(values: np.ndarray) -> float:
    """Standard deviation of what changes from sample to sample, by the median of second differences."""
    if values.size < 3:
        return 0.0
    return float(np.median(np.abs(np.diff(values, 2))) / (0.6745 * np.sqrt(6.0)))


def unbroken(time_s: np.ndarray) -> list[slice]:
    """The parts of the recording between its gaps: what reaches into one is left out."""
    interval_s = np.diff(time_s)
    edges = [0, *(np.flatnonzero(interval_s > longest_gap_s(interval_s)) + 1).tolist(), time_s.size]
    return [slice(start, end) for start, end in zip(edges, edges[1:], strict=False)]


def valleys(share: np.ndarray, step: float) -> list[tuple[int, int, int]]:
    """(last sample before it, lowest, first after it) of each dip of (F,) share that comes back.

    Two dips are apart where the lid opens by `step` between them.
    """
    turns = turning_points(share, step)
    found = []
    for k, (low, kind) in enumerate(turns):
        if kind > 0 or k == 0:
            continue
        left = turns[k - 1][0]
        right = turns[k + 1][0] if k + 1 < len(turns) else low + int(np.argmax(share[low:]))
        wide = np.flatnonzero(share[left : right + 1] >= EDGE_SHARE) + left
        before, after = wide[wide < low], wide[wide > low]
        # At the ends of the recording the lid has to be seen open; between two dips their ridge will do.
        if (k == 1 and not before.size) or (k + 1 == len(turns) and not after.size):
            continue
        found.append((int(before[-1]) if before.size else left, low, int(after[0]) if after.size else right))
    return found


def describe(time_s: np.ndarray, share: np.ndarray, before: int, low: int, after: int) -> tuple[Blink, float]:
    """A valley as a blink, and for how long, in seconds, the lid was more than half shut."""
    closure = 1.0 - float(share[low])
    start_s, end_s = (crossing_s(time_s, share, low, end, EDGE_SHARE) for end in (before, after))
    half = 1.0 - CLOSING
    half_shut_s = 0.0
    if share[low] < half:
        half_shut_s = crossing_s(time_s, share, low, after, half)
        half_shut_s -= crossing_s(time_s, share, low, before, half)
    return Blink(start_s, end_s, closure, closure >= COMPLETE), half_shut_s


def crossing_s(time_s: np.ndarray, share: np.ndarray, low: int, end: int, level: float) -> float:
    """When the lid, seen from `end` of a valley towards its lowest sample, first goes below `level`."""
    toward = 1 if low > end else -1
    path = np.arange(end, low + toward, toward)
    below = np.flatnonzero(share[path] < level)
    if not below.size or below[0] == 0:
        return float(time_s[end])
    inner, outer = path[below[0]], path[below[0] - 1]
    way = (share[outer] - level) / (share[outer] - share[inner])
    return float(time_s[outer] + way * (time_s[inner] - time_s[outer]))
