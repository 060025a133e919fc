"""Where a curve turns round, small wobbles left aside."""

from __future__ import annotations

import numpy as np


def turning_points(values: np.ndarray, step: float) -> list[tuple[int, int]]:
    """(index, 1 for a maximum, -1 for a minimum) in turn, where (F,) values turn round by `step` or more."""
    turns: list[tuple[int, int]] = []
    heading, high, low = 0, 0, 0
    for i, value in enumerate(values.tolist()):
        high = i if value > values[high] else high
        low = i if value < values[low] else low
        if heading >= 0 and values[high] - value >= step:
            turns.append((high, 1))
            heading, low = -1, i
        elif heading <= 0 and value - values[low] >= step:
            turns.append((low, -1))
            heading, high = 1, i
    return turns
