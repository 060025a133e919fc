"""The plane that occluders are drawn in: millimetres there, pixels here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat

import cv2
import numpy as np

from dmask.arrays import Floats, Pixels

SHIFT = 4  # bits of a pixel's fraction
FINE = 3  # what OpenCV draws is half a pixel too wide: drawn that much larger, it hardly is


@dataclass(frozen=True)
class Place:
    """A point of a face in a picture, how large a millimetre is there, and how far the face is rolled."""

    at_px: Floats  # (2)
    px_per_mm: float
    roll_deg: float = 0.0


def rotation(deg: float) -> Floats:
    """(2, 2) of columns right and down; positive is anticlockwise: what is at the right goes up."""
    c, s = np.cos(np.radians(deg)), np.sin(np.radians(deg))
    return np.array([[c, s], [-s, c]])


class Sheet:
    """A picture's pixels as millimetres of a thing: x to its right, y down, the origin in its middle."""

    def __init__(
        self,
        shape: tuple[int, ...],
        place: Place,
        offset_mm: tuple[float, float] = (0.0, 0.0),
        turn_deg: float = 0.0,
        scale: float = 1.0,
    ) -> None:
        self.shape = shape[:2]
        self.px_per_mm = place.px_per_mm * scale
        self._turned: Floats = self.px_per_mm * rotation(place.roll_deg + turn_deg)
        self._middle_px: Floats = place.at_px + place.px_per_mm * rotation(place.roll_deg) @ np.array(
            offset_mm
        )

    def filled(self, *outlines_mm: Floats) -> Pixels:
        """(H, W) 255 within any of the outlines (n, 2)."""
        fine = self._fine()
        for outline in outlines_mm:
            cv2.fillPoly(fine, [self._fixed(outline)], (255,), cv2.LINE_AA, SHIFT)
        return self._in_pixels(fine)

    def stroked(
        self,
        paths_mm: Iterable[Floats],
        widths_mm: Iterable[float],
        values: Iterable[float] = repeat(255),
        closed: bool = False,
    ) -> Pixels:
        """(H, W) the values on the paths (n, 2), whose ends are round, the last one on top; 0 beside them."""
        fine = self._fine()
        for path, width_mm, value in zip(paths_mm, widths_mm, values, strict=False):
            thick = max(1, round(width_mm * self.px_per_mm * FINE))
            cv2.polylines(fine, [self._fixed(path)], closed, (value,), thick, cv2.LINE_AA, SHIFT)
        return self._in_pixels(fine)

    def xy_mm(self) -> tuple[Floats, Floats]:
        """(H, W) each: where the pixels lie."""
        rows, columns = np.mgrid[: self.shape[0], : self.shape[1]]
        away = np.stack([columns - self._middle_px[0], rows - self._middle_px[1]], -1)
        x, y = np.moveaxis(away @ np.linalg.inv(self._turned).T, -1, 0)
        return x, y

    def _fine(self) -> Pixels:
        return np.zeros((FINE * self.shape[0], FINE * self.shape[1]), np.uint8)

    def _in_pixels(self, fine: Pixels) -> Pixels:
        smaller = cv2.resize(fine, self.shape[::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(smaller, np.uint8)

    def _fixed(self, points_mm: Floats) -> np.ndarray:
        points_px = points_mm @ self._turned.T + self._middle_px
        return np.rint((FINE * (points_px + 0.5) - 0.5) * (1 << SHIFT)).astype(np.int32)
