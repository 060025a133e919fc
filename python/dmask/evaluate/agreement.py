"""Bland and Altman's plots: the difference of a measure from the truth over their mean, a panel a measure."""

from __future__ import annotations

import cv2
import numpy as np

from dmask.arrays import Floats, Pixels

PANEL_PX = (420, 320)  # width, height
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 30, 34
INK, POINT, LINE = (40, 40, 40), (170, 110, 40), (60, 60, 200)  # BGR
FONT = cv2.FONT_HERSHEY_SIMPLEX
LIMITS = 1.96  # standard deviations: the limits of agreement
COLUMNS = 3


def draw(panels: dict[str, tuple[Floats, Floats]]) -> Pixels:
    """BGR; panels: name -> (measured (N,), true (N,)), of which those count that are finite."""
    drawn = [panel(name, *pair) for name, pair in panels.items()]
    width, height = PANEL_PX
    rows = -(-len(drawn) // COLUMNS)
    picture = np.full((rows * height, COLUMNS * width, 3), 255, np.uint8)
    for k, one in enumerate(drawn):
        row, column = divmod(k, COLUMNS)
        picture[row * height : (row + 1) * height, column * width : (column + 1) * width] = one
    return picture


def panel(name: str, measured: Floats, true: Floats) -> Pixels:
    width, height = PANEL_PX
    picture = np.full((height, width, 3), 255, np.uint8)
    told = np.isfinite(measured) & np.isfinite(true)
    write(picture, f"{name}, n = {told.sum()}", (LEFT, 20), 0.45)
    if told.sum() < 2:
        return picture
    mean, difference = 0.5 * (measured + true)[told], (measured - true)[told]
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    x = np.percentile(mean, [0.5, 99.5])
    reach = 1.3 * max(LIMITS * sd + abs(bias), 1e-6)
    span = np.array([width - LEFT - RIGHT, height - TOP - BOTTOM])

    def place(a: Floats, b: Floats) -> np.ndarray:
        across = LEFT + (a - x[0]) / max(x[1] - x[0], 1e-9) * span[0]
        down = TOP + (1 - (b + reach) / (2 * reach)) * span[1]
        return np.asarray(np.rint(np.column_stack([across, down])).astype(int))

    for column, row in place(np.clip(mean, *x), np.clip(difference, -reach, reach)).tolist():
        cv2.circle(picture, (column, row), 1, POINT, -1, cv2.LINE_AA)
    for level, thick in ((bias, 2), (bias - LIMITS * sd, 1), (bias + LIMITS * sd, 1)):
        ends = place(x, np.full(2, level)).tolist()
        cv2.line(picture, tuple(ends[0]), tuple(ends[1]), LINE, thick, cv2.LINE_AA)
        write(picture, f"{level:+.2f}", (4, ends[0][1] + 4), 0.38)
    for value, at in zip(x, (LEFT, width - RIGHT - 40), strict=True):
        write(picture, f"{value:.1f}", (at, height - 12), 0.38)
    return picture


def write(picture: Pixels, text: str, corner: tuple[int, int], scale: float) -> None:
    cv2.putText(picture, text, corner, FONT, scale, INK, 1, cv2.LINE_AA)
