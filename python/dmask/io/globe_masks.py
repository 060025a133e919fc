"""Close-ups of single eyes with masks of what is seen of the globe: `images/NAME.*` and `masks/NAME.png`.

A mask is an 8-bit grey picture of its picture's size: 0 none, 1 sclera, 2 iris, 3 pupil; other levels are
none. A name that ends in _od is a right eye, its inner canthus on the picture's right; every other is a left
one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dmask.errors import Error, WrongUse
from dmask.io.labelled import NoPicture, picture_of
from dmask.io.picture import read_named, read_unchanged

SCLERA, IRIS, PUPIL = 1, 2, 3
LEAST_ARC = 0.5  # of the limbus that has to be seen against the sclera for an ellipse to be fitted
FLATTEST = 0.6  # least ratio of its axes: the limbus of an eye turned by 53 degrees; less is a bad fit
LEAST_LIMBUS_PX = 20
BEFORE_MASK, AFTER_MASK = 0.12, 0.03  # what a mask leaves out at the inner and outer canthus, of its length


@dataclass
class MaskedEye:
    name: str
    picture: NDArray[np.uint8]  # (H,W,3) BGR
    globe: NDArray[np.uint8]  # (H,W) 255 where globe is seen
    disc: NDArray[np.uint8]  # (H,W) 255 where iris or pupil is seen
    right: bool  # OD


def find_masks(root: Path) -> list[Path]:
    """The masks below `root`, by name. Raises WrongUse where there are none."""
    files = sorted(file for file in (root / "masks").glob("[!.]*") if file.suffix.lower() == ".png")
    if not files:
        raise WrongUse(f"{root}/masks holds no .png files; expected masks there, pictures in {root}/images")
    return files


def read_masks(files: list[Path]) -> Iterator[MaskedEye]:
    """Raises Error where a picture is missing or a file is damaged."""
    for file in files:
        yield read_mask(file)


def read_mask(file: Path) -> MaskedEye:
    """Raises Error."""
    pictures = file.parent.parent / "images"
    try:
        picture = read_named(picture_of(pictures / file.name))
    except NoPicture:
        raise Error(f"{file} has no picture in {pictures}; expected one of its name (.png, .jpg)") from None
    mask = read_unchanged(file)
    if mask.ndim != 2 or mask.dtype != np.uint8:
        raise Error(f"{file}: not an 8-bit grey picture; expected levels 0 to 3: convert it")
    if mask.shape != picture.shape[:2]:
        raise Error(
            f"{file} is {mask.shape[1]}x{mask.shape[0]} px; expected its picture's "
            f"{picture.shape[1]}x{picture.shape[0]}: draw it anew"
        )
    globe = np.where((mask >= SCLERA) & (mask <= PUPIL), 255, 0).astype(np.uint8)
    disc = np.where((mask == IRIS) | (mask == PUPIL), 255, 0).astype(np.uint8)
    return MaskedEye(file.stem, picture, globe, disc, file.stem.lower().endswith("_od"))


def rough_canthi(eye: MaskedEye) -> NDArray[np.float64]:
    """(2,2) px, inner and outer: the ends of the visible globe along its longer axis, and what no mask shows
    of the caruncle and of the outer corner."""
    ys, xs = np.nonzero(eye.globe)
    xy = np.column_stack([xs, ys]).astype(float)
    centre = xy.mean(0)
    axis = np.linalg.svd(xy - centre, full_matrices=False)[2][0]
    axis *= (np.sign(axis[0]) or 1.0) * (-1.0 if eye.right else 1.0)  # towards the outer canthus
    along = (xy - centre) @ axis
    inner, outer = along.min(), along.max()
    inner, outer = inner - BEFORE_MASK * (outer - inner), outer + AFTER_MASK * (outer - inner)
    return np.stack([centre + inner * axis, centre + outer * axis])


@dataclass
class Limbus:
    """An ellipse, px of the picture."""

    centre: NDArray[np.float64]  # (2)
    long: NDArray[np.float64]  # (2) half axes
    short: NDArray[np.float64]

    def ring(self, count: int) -> NDArray[np.float64]:
        """(count,2) points, evenly spread by the ellipse's parameter."""
        angle = 2 * np.pi * np.arange(count)[:, None] / count
        return np.asarray(self.centre + np.cos(angle) * self.long + np.sin(angle) * self.short)


def limbus_of(eye: MaskedEye) -> Limbus | None:
    """The ellipse through where iris meets sclera.

    None where too little of it is seen: what a lid cuts off is no limbus.
    """
    contours, _ = cv2.findContours(eye.disc, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    edge = max(contours, key=len)[:, 0]
    # 2 px around a point of the limbus there is nothing but globe.
    inside = cv2.erode(eye.globe, np.ones((5, 5), np.uint8), borderValue=255)[edge[:, 1], edge[:, 0]] > 0
    edge = edge[inside]
    if len(edge) < LEAST_LIMBUS_PX:
        return None
    (x, y), axes, degrees = cv2.fitEllipseDirect(edge.astype(np.float32))
    around = np.unique((np.arctan2(edge[:, 1] - y, edge[:, 0] - x) * 36 / np.pi).astype(int))
    if len(around) < 72 * LEAST_ARC or not np.isfinite([x, y, *axes, degrees]).all():
        return None
    if min(axes) < FLATTEST * max(axes):
        return None
    first, second = (0.5 * axis + 0.5 for axis in axes)  # the border is half a pixel outside of its pixels
    turn = np.radians(degrees)
    half = first * np.array([np.cos(turn), np.sin(turn)]), second * np.array([-np.sin(turn), np.cos(turn)])
    return Limbus(np.array([x, y]), *(half if first >= second else half[::-1]))


def margins_in(globe: NDArray[np.uint8], column_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2,K) y of the visible globe's upper and lower border at columns of a mask (H,W) 0..255, to parts of a
    pixel; NaN where a column shows none, or its border lies on the picture's."""
    height, width = globe.shape
    out = np.full((2, len(column_px)), np.nan)
    for k, x in enumerate(column_px.tolist()):
        if not 0 <= x <= width - 1:
            continue
        first = min(int(x), width - 2)
        column = (1 - (x - first)) * globe[:, first] + (x - first) * globe[:, first + 1].astype(float)
        on = np.flatnonzero(column > 127.5)
        if len(on) < 2 or on[0] == 0 or on[-1] == height - 1:
            continue
        for side, (row, outside) in enumerate(((on[0], on[0] - 1), (on[-1], on[-1] + 1))):
            share = (column[row] - 127.5) / max(column[row] - column[outside], 1e-6)
            out[side, k] = row + (outside - row) * share
    return out
