"""What happens to a picture on its way: little light, and more than one person in it."""

from __future__ import annotations

import cv2
import numpy as np

from dmask.arrays import Pixels

WALL = 200  # grey level of what is behind


def dimmed(frame: Pixels, light: float, noise_sd: float, random: np.random.Generator) -> Pixels:
    """The frame in a share of its light, with a sensor's noise in grey levels."""
    noisy = frame * light + random.normal(0, noise_sd, frame.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def two_people(left: Pixels | None, right: Pixels | None, size: int, right_scale: float = 0.8) -> Pixels:
    """(size, 2 size, 3): square pictures of people side by side; None where nobody is.

    The right one is `right_scale` as large, as somebody who stands farther off.
    """
    scene = np.full((size, 2 * size, 3), WALL, np.uint8)
    if left is not None:
        scene[:, :size] = cv2.resize(left, (size, size), interpolation=cv2.INTER_AREA)
    if right is not None:
        small = round(size * right_scale)
        border = (size - small) // 2
        scene[border : border + small, size + border : size + border + small] = cv2.resize(
            right, (small, small), interpolation=cv2.INTER_AREA
        )
    return scene
