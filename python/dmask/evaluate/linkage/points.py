"""Where a face is, from its 68 points (iBUG), (68, 2) px."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dmask.arrays import Floats

FOREHEAD = 0.33  # of the points' height: as far above the brows as face detectors' boxes reach


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def grown(self, left: float, top: float, right: float, bottom: float) -> Box:
        """By shares of its own width and height."""
        return Box(
            self.left - left * self.width,
            self.top - top * self.height,
            self.right + right * self.width,
            self.bottom + bottom * self.height,
        )


def checked(landmarks: np.ndarray) -> Floats:
    points = np.asarray(landmarks, np.float64)
    if points.shape != (68, 2) or not np.isfinite(points).all():
        raise ValueError(
            f"got landmarks of {points.shape}, or NaN among them; expected 68 known points, (68, 2)"
        )
    return points


def bounds(points: Floats) -> Box:
    (left, top), (right, bottom) = points.min(0), points.max(0)
    return Box(left, top, right, bottom)


def face_box(landmarks: Floats) -> Box:
    """As face detectors draw it: from the forehead to the chin."""
    return bounds(landmarks).grown(0, FOREHEAD, 0, 0)


def five_points(landmarks: Floats) -> Floats:
    """Centres of the eyes, tip of the nose, corners of the mouth; the picture's left before its right."""
    eyes = [landmarks[36:42].mean(0), landmarks[42:48].mean(0)]
    return np.array([*eyes, landmarks[30], landmarks[48], landmarks[54]])
