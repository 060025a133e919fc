"""Lid margins and lines as curves, and how far points are from them."""

from __future__ import annotations

import numpy as np

from dmask.arrays import Floats


def cubic(margin: Floats, count: int = 100) -> Floats:
    """(count,2) points of the cubic through a lid margin (K,2), x along the canthi: Eqs. (6-8)."""
    axis = margin[-1] - margin[0]
    length = max(float(np.linalg.norm(axis)), 1e-9)
    frame = np.array([axis, [-axis[1], axis[0]]]) / length
    x, y = frame @ (margin - margin[0]).T
    at = np.linspace(0, length, count)
    along = np.column_stack([at, np.polyval(np.polyfit(x, y, 3), at)])
    points: Floats = margin[0] + along @ frame
    return points


def distance_to_polyline(points: Floats, line: Floats) -> Floats:
    """(M) distances of points (M,2) to the segments of a line (K,2)."""
    start, step = line[:-1], np.diff(line, axis=0)
    relative = points[:, None] - start
    along = (relative * step).sum(2) / np.maximum((step**2).sum(1), 1e-12)
    distance: Floats = np.linalg.norm(relative - np.clip(along, 0, 1)[..., None] * step, axis=2).min(1)
    return distance
