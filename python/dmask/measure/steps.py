"""Steps of gaze: saccades that lead from one place to another, and pairs of them that lead away and back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dmask.measure.rhythm import parts

Array = np.ndarray

SIDE_S = 0.1  # gaze before and behind a step is the median over so long
GUARD_S = 0.025  # and leaves out what lies so near to its middle
LEAST_FRAMES = 2
ALIKE = 0.5  # what the way back may differ from the way there, as a share
BACK_SHARE = 0.35  # of the step, that gaze may end from where it was


class Steps(NamedTuple):
    at_s: Array
    size_deg: Array  # signed


class Intrusion(NamedTuple):
    start_s: float
    end_s: float
    size_deg: float


def steps(time_s: Array, angle_deg: Array, least_deg: float) -> Steps:
    """Of (N,) finite angles; the largest of each neighbourhood, never over a gap."""
    at_s: list[Array] = []
    sizes: list[Array] = []
    for part in parts(time_s) if time_s.size > 2 * LEAST_FRAMES else []:
        middle_s = 0.5 * (time_s[part][1:] + time_s[part][:-1])
        size = side(time_s[part], angle_deg[part], middle_s, 1) - side(
            time_s[part], angle_deg[part], middle_s, -1
        )
        large = np.where(np.isfinite(size), np.abs(size), 0.0)
        # Medians see a step from anywhere near it; it is where gaze itself changes most.
        clear = large + 0.3 * np.abs(np.diff(angle_deg[part]))
        chosen: list[int] = []
        for k in np.flatnonzero(large >= least_deg):
            apart_s = middle_s[k] - middle_s[chosen[-1]] if chosen else np.inf
            alike = bool(chosen) and size[k] * size[chosen[-1]] > 0
            if apart_s < (1.3 if alike else 0.6) * SIDE_S:
                if clear[k] > clear[chosen[-1]]:
                    chosen[-1] = int(k)
            else:
                chosen.append(int(k))
        at_s.append(middle_s[chosen])
        sizes.append(size[chosen])
    if not at_s:
        return Steps(np.array([]), np.array([]))
    return Steps(np.concatenate(at_s), np.concatenate(sizes))


def side(time_s: Array, angle_deg: Array, at_s: Array, towards: int) -> Array:
    """(C,) median of gaze before (-1) or behind (+1) each moment; NaN where too few frames are there."""
    near, far = (at_s + towards * off_s for off_s in (GUARD_S, GUARD_S + SIDE_S))
    first = np.searchsorted(time_s, np.minimum(near, far))
    count = np.searchsorted(time_s, np.maximum(near, far)) - first
    index = first[:, None] + np.arange(max(int(count.max(initial=0)), 1))
    inside = np.arange(index.shape[1]) < count[:, None]
    values = np.where(inside, angle_deg[np.minimum(index, time_s.size - 1)], np.inf)
    ordered = np.sort(values, axis=1)
    row = np.arange(at_s.size)
    middle = 0.5 * (ordered[row, np.maximum(count - 1, 0) // 2] + ordered[row, np.maximum(count, 1) // 2])
    return np.where(count >= LEAST_FRAMES, middle, np.nan)


def intrusions(found: Steps, least_s: float, most_s: float, most_deg: float) -> list[Intrusion]:
    """Steps away from a place that the next one takes back."""
    pairs: list[Intrusion] = []
    for k in range(found.at_s.size - 1):
        away, back = float(found.size_deg[k]), float(found.size_deg[k + 1])
        stays_s = float(found.at_s[k + 1] - found.at_s[k])
        if pairs and found.at_s[k] < pairs[-1].end_s + 1e-9:
            continue  # the way back of the one before
        if (
            away * back < 0
            and least_s <= stays_s <= most_s
            and abs(away) <= most_deg
            and abs(away + back) <= min(ALIKE, BACK_SHARE) * abs(away)
        ):
            pairs.append(Intrusion(float(found.at_s[k]), float(found.at_s[k + 1]), away))
    return pairs
