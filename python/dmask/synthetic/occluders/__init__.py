"""Things in front of a face, drawn into a frame together with what they hide.

An occluder is a shape in millimetres of the face's plane, about a point of it and turned with the head,
filled with a colour and a texture; its edge may be out of focus. `before_eyes` draws them at random. Nothing
here is shared with the covers that the nets were trained on, so that they meet these for the first time:
shapes are outlines and strokes (`shapes`), not distances, and textures are laid out in mm (`textures`).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dmask.arrays import Floats, Pixels
from dmask.synthetic.occluders.shapes import SHAPES
from dmask.synthetic.occluders.sheet import Place, Sheet
from dmask.synthetic.occluders.textures import TEXTURES

__all__ = ["SHAPES", "TEXTURES", "Occluder", "Place", "cover", "grey"]

NOISE_SD = 2.0  # grey levels, a camera's
SHARPEST_PX = 0.3  # standard deviation of an edge


@dataclass(frozen=True)
class Occluder:
    """A thing about a point of the face. `offset_mm` is towards the picture's right and down, at roll 0."""

    kind: str  # of SHAPES
    bgr: tuple[float, float, float] = (10.0, 10.0, 10.0)
    texture: str = "flat"  # of TEXTURES
    blur_mm: float = 0.3  # width of the edge
    offset_mm: tuple[float, float] = (0.0, 0.0)
    turn_deg: float = 0.0  # anticlockwise, against the face
    scale: float = 1.0
    opacity: float = 1.0
    seed: int = 0  # of what a shape and a texture leave to chance


def grey(level: float) -> tuple[float, float, float]:
    return (level, level, level)


def cover(frame: Pixels, occluder: Occluder, place: Place) -> tuple[Pixels, Floats]:
    """(the frame with the occluder at `place`, (H, W) how much of each pixel it hides, 0 to 1)."""
    sheet = Sheet(frame.shape, place, occluder.offset_mm, occluder.turn_deg, occluder.scale)
    mask = SHAPES[occluder.kind](sheet, np.random.default_rng(occluder.seed))
    sd_px = occluder.blur_mm * place.px_per_mm / np.sqrt(12)  # as wide as an even slope of that width
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), max(SHARPEST_PX, sd_px)), np.float64) / 255
    hidden: Floats = occluder.opacity * soft
    random = np.random.default_rng(occluder.seed)  # a texture may have to draw its shape's chances again
    filling = TEXTURES[occluder.texture](sheet, mask, np.array(occluder.bgr), random)
    filling = filling + random.normal(0, NOISE_SD, frame.shape)
    mixed = frame * (1 - hidden[..., None]) + np.clip(filling, 0, 255) * hidden[..., None]
    return np.clip(mixed, 0, 255).astype(np.uint8), hidden
