"""What the net that finds eyes is to answer: the maps of dmask.train.nets.finder."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dmask.crops import FINDER_HEIGHT_PX, FINDER_WIDTH_PX, HEATMAP_STRIDE_PX

REGRESSED = 0.3  # of a peak: from there inwards canthi and side are learnt


def targets(
    canthi: NDArray[np.float32], inner_right: NDArray[np.float32], counts: NDArray[np.bool_]
) -> dict[str, NDArray[np.float32]]:
    """The maps that a view's eyes (K,2,2) px, left and right in the picture, should give.

    inner_right (K) 0 or 1, NaN where nobody knows; `counts` (K): others may be
    found or not.
    """
    h, w = FINDER_HEIGHT_PX // HEATMAP_STRIDE_PX, FINDER_WIDTH_PX // HEATMAP_STRIDE_PX
    y, x = (np.mgrid[:h, :w].astype(np.float32) + 0.5) * HEATMAP_STRIDE_PX - 0.5
    out = {name: np.zeros((h, w), np.float32) for name in ("peak", "inside", "inner_right", "side_known")}
    out |= {"weight": np.ones((h, w), np.float32), "width": np.ones((h, w), np.float32)}
    out["canthi"] = np.zeros((4, h, w), np.float32)
    for (left, right), side, told in zip(canthi, inner_right, counts, strict=True):
        width_px = float(np.linalg.norm(right - left))
        centre = 0.5 * (left + right)
        if not told:
            out["weight"][np.hypot(x - centre[0], y - centre[1]) < 0.7 * width_px] = 0
            continue
        cell = np.clip(np.floor((centre + 0.5) / HEATMAP_STRIDE_PX).astype(int), 0, [w - 1, h - 1])
        middle = (cell + 0.5) * HEATMAP_STRIDE_PX - 0.5
        sigma = max(0.08 * width_px, 0.7 * HEATMAP_STRIDE_PX)
        bump = np.exp(-((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / (2 * sigma**2)).astype(np.float32)
        mine = (bump > REGRESSED) & (bump >= out["peak"])
        out["peak"] = np.maximum(out["peak"], bump)
        out["inside"][mine] = 1
        out["width"][mine] = width_px / FINDER_WIDTH_PX
        for k, point in enumerate((left, right)):
            out["canthi"][2 * k][mine] = (point[0] - x[mine]) / FINDER_WIDTH_PX
            out["canthi"][2 * k + 1][mine] = (point[1] - y[mine]) / FINDER_WIDTH_PX
        if np.isfinite(side):
            out["inner_right"][mine], out["side_known"][mine] = side, 1
    return out
