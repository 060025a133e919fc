"""The cumulative error curve: which share of the pictures has at most this error."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dmask.arrays import Floats, Pixels

WIDTH_PX, HEIGHT_PX = 640, 480
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 20, 60
INK, GRID, CURVE = (40, 40, 40), (225, 225, 225), (160, 90, 20)  # BGR
FONT = cv2.FONT_HERSHEY_SIMPLEX


def area_under_curve(error: Floats, limit: float = 0.1) -> float:
    """Area under the curve up to `limit`, 1 at best; error (N), inf where no face was found."""
    return float(np.clip(1 - error / limit, 0, None).mean())


def draw(error: Floats, limit: float, legend: str, x_label: str) -> Pixels:
    """(480,640,3) BGR plot of the share of pictures over the error (N), in %, up to `limit`."""
    picture = np.full((HEIGHT_PX, WIDTH_PX, 3), 255, np.uint8)
    span = np.array([WIDTH_PX - LEFT - RIGHT, HEIGHT_PX - TOP - BOTTOM])

    def place(x: Floats, share: Floats) -> NDArray[np.int32]:
        """Sixteenths of a pixel, as cv2's shift=4 wants them."""
        xy = np.column_stack([LEFT + x / limit * span[0], TOP + (1 - share) * span[1]])
        sixteenths: NDArray[np.int32] = np.rint(xy * 16).astype(np.int32)
        return sixteenths

    def line(x: Floats, share: Floats, colour: tuple[int, int, int], width: int) -> None:
        cv2.polylines(picture, [place(x, share)], False, colour, width, cv2.LINE_AA, 4)

    def write(text: str, x: float, y: float, scale: float = 0.45) -> None:
        """Text whose middle is at (x, y) px."""
        (w, h), _ = cv2.getTextSize(text, FONT, scale, 1)
        cv2.putText(picture, text, (int(x - w / 2), int(y + h / 2)), FONT, scale, INK, 1, cv2.LINE_AA)

    for k in range(6):
        share, x = k / 5, limit * k / 5
        line(np.array([0, limit]), np.full(2, share), GRID, 1)
        line(np.full(2, x), np.array([0, 1]), GRID, 1)
        write(f"{100 * share:.0f}", LEFT - 22, TOP + (1 - share) * span[1])
        write(f"{100 * x:g}", LEFT + x / limit * span[0], HEIGHT_PX - BOTTOM + 16)
    line(np.array([0.0, 0, limit]), np.array([1.0, 0, 0]), INK, 1)
    write(x_label, LEFT + span[0] / 2, HEIGHT_PX - 18)
    upright = np.full((24, span[1], 3), 255, np.uint8)
    cv2.putText(upright, "pictures, %", (int(span[1] / 2 - 45), 17), FONT, 0.45, INK, 1, cv2.LINE_AA)
    picture[TOP : TOP + span[1], 4:28] = np.rot90(upright)

    found = np.sort(error[error <= limit])
    reached = np.arange(1, len(found) + 1) / len(error)
    steps_x = np.repeat(np.r_[0, found, limit], 2)[1:]
    steps_y = np.repeat(np.r_[0, reached, reached[-1] if len(reached) else 0], 2)[:-1]
    line(steps_x, steps_y, CURVE, 2)
    (width, _), _ = cv2.getTextSize(legend, FONT, 0.5, 1)
    x, y = WIDTH_PX - RIGHT - width - 20, HEIGHT_PX - BOTTOM - 24
    cv2.line(picture, (x - 40, y - 5), (x - 10, y - 5), CURVE, 2, cv2.LINE_AA)
    cv2.putText(picture, legend, (x, y), FONT, 0.5, INK, 1, cv2.LINE_AA)
    return picture
