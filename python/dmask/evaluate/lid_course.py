"""The course of each blink: does the lid go down and come up again without turning back, and how far down?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dmask.arrays import Floats
from dmask.measure.blinks import CLOSING, EDGE_SHARE, open_baseline
from dmask.measure.turning import turning_points

MONOTONE = 0.01  # openness that the lid may go back on its way
REOPENED = 0.1  # openness: one blink is over, and another may follow


class BlinkCourse(NamedTuple):
    eye: str
    start: int  # frames
    lowest: int
    end: int
    openness: float  # at the lowest
    back: float  # openness that the lid went the wrong way, on its way down or up

    @property
    def monotone(self) -> bool:
        return self.back <= MONOTONE


def openness(eye: str, lid: Floats) -> Floats:
    """(F, 20, 2) lid points -> (F,) largest distance between the margins, as a share of the canthal distance.

    Measured normal to the line through the canthi; negative where the margins have crossed everywhere.
    """
    along = lid[:, 10] - lid[:, 0]
    upwards = np.stack([along[:, 1], -along[:, 0]], axis=1) * (1 if eye == "os" else -1)
    gap = ((lid[:, 1:10] - lid[:, 19:10:-1]) * upwards[:, None]).sum(axis=2)
    share: Floats = gap.max(axis=1) / (along**2).sum(axis=1)
    return share


def blink_courses(eye: str, opened: Floats) -> list[BlinkCourse]:
    """Blinks and longer closures of one eye in order, from (F,) openness, NaN where not measured.

    The lid turns round by REOPENED at both ends, having lost the share CLOSING of its open baseline; from and
    to where it passes EDGE_SHARE of the baseline, if it comes as far. One that begins or ends out of sight is
    left out.
    """
    seen = np.flatnonzero(np.isfinite(opened))
    values = opened[seen]
    baseline = open_baseline(opened)
    turns = turning_points(values, REOPENED)
    courses = []
    for k, (low, kind) in enumerate(turns):
        if kind > 0 or k == 0 or not values[low] <= (1 - CLOSING) * baseline:
            continue
        start, end = turns[k - 1][0], turns[k + 1][0] if k + 1 < len(turns) else len(values) - 1
        wide = np.flatnonzero(values >= EDGE_SHARE * baseline)
        start, end = max([start, *wide[wide < low]]), min([end, *wide[wide > low]])
        down, up = values[start : low + 1], values[low : end + 1]
        back = max((down - np.minimum.accumulate(down)).max(), (np.maximum.accumulate(up) - up).max())
        first, lowest, last = (int(frame) for frame in seen[[start, low, end]])
        courses.append(BlinkCourse(eye, first, lowest, last, float(values[low]), float(back)))
    return courses


def winks(courses: list[BlinkCourse]) -> list[BlinkCourse]:
    """The blinks of one eye during which the other eye has none."""

    def accompanied(one: BlinkCourse) -> bool:
        return any(two.eye != one.eye and two.start <= one.end and one.start <= two.end for two in courses)

    return [one for one in courses if not accompanied(one)]
