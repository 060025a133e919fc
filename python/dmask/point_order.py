"""Which landmark is which: 68 points in iBUG's order, the iris' 19, and their partners in a mirror."""

from __future__ import annotations

import numpy as np

POINT_GROUPS = {
    "jaw": range(17),
    "brows": range(17, 27),
    "nose": range(27, 36),
    "eyes": range(36, 48),
    "mouth": range(48, 68),
}
CANTHI = {"od": (39, 36), "os": (42, 45)}  # inner, outer
OUTER_CORNERS = (36, 45)

# Each point's partner on the other side of the face.
MIRROR_68 = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31]
    + [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    + [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
)
# The limbus runs clockwise in the mirror too: k >= 2 -> 20 - k.
MIRROR_IRIS = np.array([0, 1, *range(18, 1, -1)])
