"""Where people put the 68 points, where the mesh's own places differ.

The order leaves open where along a contour a point lies. People space the jaw evenly from beside the eyes,
put the lips' points nearer to the middle than the mesh has them, the brows' inside the brow, not on its
upper edge, and the nostrils' outer points where the wings begin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

JAW_START = 0.25  # of the way from the mesh's first point to its second, at both ends
OUTER_LIP = (0.42, 0.77)  # of the way from a corner of the mouth to the middle of the lip
INNER_LIP = (0.35, 0.50, 0.65)  # of the way from corner to corner
BROW_DOWN, WING_UP = 0.05, 0.04  # of the distance of the eyes
HALF_LIPS = ((48, 49, 50, 51), (54, 53, 52, 51), (54, 55, 56, 57), (48, 59, 58, 57))
INNER_LIPS = ((60, 61, 62, 63, 64), (60, 67, 66, 65, 64))


def along(line: NDArray, shares: NDArray) -> NDArray[np.float64]:
    """(N,K,2) polylines -> (N,len(shares),2) points at these shares of their length."""
    out = np.empty((len(line), len(shares), 2))
    for i, p in enumerate(np.asarray(line, np.float64)):
        length = np.r_[0, np.linalg.norm(np.diff(p, axis=0), axis=1).cumsum()]
        for axis in (0, 1):
            out[i, :, axis] = np.interp(shares * length[-1], length, p[:, axis])
    return out


def as_people_mark(xy: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,68,2) the mesh's points -> people's; in the same pixels."""
    out = np.array(xy, np.float64)
    ends = xy[:, [0, 16]] + JAW_START * (xy[:, [1, 15]] - xy[:, [0, 16]])
    jaw = np.concatenate([ends[:, :1], xy[:, 1:16], ends[:, 1:]], 1)
    out[:, :17] = along(jaw, np.arange(17) / 16)
    for ids in HALF_LIPS:
        out[:, list(ids[1:3])] = along(xy[:, list(ids)], np.array(OUTER_LIP))
    for ids in INNER_LIPS:
        out[:, list(ids[1:4])] = along(xy[:, list(ids)], np.array(INNER_LIP))
    across = xy[:, 42:48].mean(1) - xy[:, 36:42].mean(1)
    down = np.stack([-across[:, 1], across[:, 0]], 1)[:, None]
    out[:, 17:27] += BROW_DOWN * down
    out[:, [31, 35]] -= WING_UP * down
    return out.astype(np.float32)
