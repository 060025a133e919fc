"""The crops that the nets look at; cpp/src/detect/face_crop.cc cuts the same ones."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

FACE_PX = 128
FACE_MARGIN = 1.3  # side of the crop / larger side of the 68 points' bounding box
EYE_WIDTH_PX, EYE_HEIGHT_PX = 160, 128
EYE_CANTHAL_WIDTHS = 1.75  # width of the crop / distance of the canthi
# Training and close-ups cut 1.5 times the eye's crop, which then is its middle.
EYE_SQUARE_PX = (240, 192)  # width, height
EYE_CROP_AT = (40, 32)  # corner of the crop in it
REGIONS_WIDTH_PX, REGIONS_HEIGHT_PX = 256, 192  # an eye as large as its crop is wide, seen more finely
FINDER_WIDTH_PX, FINDER_HEIGHT_PX = 192, 128  # of a view in which eyes are sought without a face
CANTHAL_PX = EYE_WIDTH_PX / EYE_CANTHAL_WIDTHS
LEAST_OF_OTHER_EYE = 0.8  # a turned eye's canthal distance counts as at least this share of the other's
HEATMAP_STRIDE_PX = 4  # crop pixels a cell of a heat map
EDGE_STRIDE_PX = 2  # ... of an edge map

# A dark picture is brightened before the nets look: see `exposure_gain`.
DARK_LUMA = 40.0  # mean of a crop of the face, 0..255, below which it is dark; photographs' are 43 and more
MOST_GAIN = 16.0
LUMA = (0.299, 0.587, 0.114)  # of R, G, B


def exposure_gain(mean_luma: float) -> float:
    """What the pixels of face and eye crops are multiplied by; 1 in usual light, which stays to the byte."""
    return min(max(DARK_LUMA / max(mean_luma, 1e-3), 1.0), MOST_GAIN)


def similarity(
    scale: float, angle_rad: float, source_xy: ArrayLike, target_xy: ArrayLike, mirror: bool = False
) -> np.ndarray:
    """(2,3) map: rotate by the angle, scale, bring source_xy to target_xy; `mirror` turns x round first."""
    c, s = scale * np.cos(angle_rad), scale * np.sin(angle_rad)
    a = np.array([[c, -s], [s, c]])
    if mirror:
        a[:, 0] *= -1
    return np.column_stack([a, np.asarray(target_xy) - a @ np.asarray(source_xy)]).astype(np.float32)


def apply(matrix: NDArray[np.float64], xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """(...,2) points through a map (2,3)."""
    return np.asarray(np.asarray(xy, float) @ matrix[:, :2].T + matrix[:, 2])


def inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2,3) back from where a map (2,3) leads."""
    a = np.linalg.inv(matrix[:, :2])
    return np.column_stack([a, -a @ matrix[:, 2]])


def cut_eye(
    picture: NDArray[np.uint8], canthi: NDArray[np.float64], mirror: bool, reference_px: float | None = None
) -> tuple[NDArray[np.uint8], np.ndarray]:
    """(192,240,3) of an eye in the channels of `picture`, and the (2,3) map to it.

    canthi (2,2), inner and outer, px: they come to lie along x, the inner one left; `mirror`: it was right.
    reference_px: c of the crop, where it is not their distance.
    """
    axis = canthi[1] - canthi[0]
    angle = -np.arctan2(axis[1], -axis[0] if mirror else axis[0])
    scale = CANTHAL_PX / (reference_px or float(np.linalg.norm(axis)))
    middle = 0.5 * (np.array(EYE_SQUARE_PX) - 1)
    matrix = similarity(scale, angle, canthi.mean(0), middle, mirror)
    if scale < 1:
        picture = np.asarray(
            cv2.GaussianBlur(picture, (0, 0), 0.45 * np.sqrt(1 / scale**2 - 1) + 1e-3), np.uint8
        )
    eye = cv2.warpAffine(picture, matrix, EYE_SQUARE_PX, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(eye, np.uint8), matrix
