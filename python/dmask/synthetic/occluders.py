"""Things in front of a face, drawn into a frame together with what they hide.

An occluder is a shape in millimetres of the face's plane, about a point of it and turned with the head. Each
shape is a function of all pixels' places at once: how far inside it they lie, in mm. It is filled with a
colour and a texture, and its edge may be out of focus. Nothing here is shared with the occluders that the
nets were trained on, so that they meet these for the first time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from dmask.arrays import Floats, Pixels

TEXTURES = ("flat", "noise", "stripes", "checks", "shaded")
Inside = Callable[[Floats, Floats, np.random.Generator], Floats]  # mm; positive within the shape


@dataclass(frozen=True)
class Occluder:
    """A thing about a point of the face. `offset_mm` is towards the picture's right and down, at roll 0."""

    kind: str  # of SHAPES
    bgr: tuple[float, float, float] = (10.0, 10.0, 10.0)
    texture: str = "flat"
    blur_mm: float = 0.3  # of the edge
    offset_mm: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    opacity: float = 1.0
    seed: int = 0


def grey(level: float) -> tuple[float, float, float]:
    return (level, level, level)


def cover(
    frame: Pixels, occluder: Occluder, at_px: Floats, px_per_mm: float, roll_deg: float = 0.0
) -> tuple[Pixels, Floats]:
    """(the frame with the occluder about `at_px`, (H, W) how much of each pixel it hides, 0 to 1)."""
    random = np.random.default_rng(occluder.seed)
    rows, columns = np.mgrid[: frame.shape[0], : frame.shape[1]]
    across, down = (columns - at_px[0]) / px_per_mm, (rows - at_px[1]) / px_per_mm
    turn = np.radians(roll_deg)  # the patient's left, at the picture's right, goes up with the roll
    x_mm = across * np.cos(turn) - down * np.sin(turn) - occluder.offset_mm[0]
    y_mm = across * np.sin(turn) + down * np.cos(turn) - occluder.offset_mm[1]
    x_mm, y_mm = x_mm / occluder.scale, y_mm / occluder.scale
    inside_mm = SHAPES[occluder.kind](x_mm, y_mm, random) * occluder.scale
    soft_mm = max(occluder.blur_mm, 1.0 / px_per_mm)
    hidden = occluder.opacity * np.clip(0.5 + inside_mm / soft_mm, 0, 1)
    filling = painted(occluder, x_mm, y_mm, random)
    mixed = frame * (1 - hidden[..., None]) + filling * hidden[..., None]
    return np.clip(mixed, 0, 255).astype(np.uint8), hidden


def painted(occluder: Occluder, x_mm: Floats, y_mm: Floats, random: np.random.Generator) -> Floats:
    """(H, W, 3) of the occluder's colour and texture, with a camera's noise."""
    if occluder.texture == "noise":  # cloth: blotches a few millimetres wide
        coarse = cv2.resize(random.normal(0, 1, (48, 48)), x_mm.shape[::-1], interpolation=cv2.INTER_CUBIC)
        gain = 1 + 0.35 * coarse
    elif occluder.texture == "stripes":
        gain = 1 + 0.5 * np.sign(np.sin(2 * np.pi * y_mm / 6.0))
    elif occluder.texture == "checks":
        gain = 1 + 0.6 * np.sign(np.sin(2 * np.pi * x_mm / 10.0) * np.sin(2 * np.pi * y_mm / 10.0))
    elif occluder.texture == "shaded":  # rounder than it is: light from above left
        gain = 1 + 0.25 * np.tanh(-(x_mm + y_mm) / 25.0)
    else:
        gain = np.ones_like(x_mm)
    return np.asarray(gain[..., None] * np.array(occluder.bgr) + random.normal(0, 2, (*x_mm.shape, 3)))


def _disc(x: Floats, y: Floats, random: np.random.Generator) -> Floats:
    return 24.0 - np.hypot(x, y)


def _box(x: Floats, y: Floats, half_x: float, half_y: float) -> Floats:
    return np.minimum(half_x - np.abs(x), half_y - np.abs(y))


def _capsule(x: Floats, y: Floats, start: Floats, end: Floats, radius: float) -> Floats:
    along = end - start
    share = np.clip(((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (along @ along), 0, 1)
    inside: Floats = radius - np.hypot(x - start[0] - share * along[0], y - start[1] - share * along[1])
    return inside


def _bar(x: Floats, y: Floats, random: np.random.Generator) -> Floats:
    slope = np.radians(random.uniform(-20, 20))
    return _box(x, y * np.cos(slope) - x * np.sin(slope), 80.0, 11.0)


def _hand(x: Floats, y: Floats, random: np.random.Generator) -> Floats:
    """Four fingers side by side that come from below, with a palm."""
    fingers = [
        _capsule(x, y, np.array([8.0 * k - 12, 45.0]), np.array([9.5 * k - 14, tip]), 6.8)
        for k, tip in enumerate((-12.0, -20.0, -22.0, -14.0))
    ]
    inside: Floats = np.maximum(np.max(fingers, axis=0), _box(x, y - 62.0, 24.0, 26.0))
    return inside


def _hair(x: Floats, y: Floats, random: np.random.Generator) -> Floats:
    """A lock of strands from above, with gaps."""
    inside = np.full_like(x, -1e3)
    for start_x in random.uniform(-20, 20, 28):
        bend, width = random.uniform(-12, 12), random.uniform(0.5, 1.3)
        way = np.clip((y + 45) / 75, 0, None)
        strand = width - np.abs(x - start_x - bend * way**2)
        inside = np.maximum(inside, np.minimum(strand, np.minimum(y + 45, 30 - y)))
    return inside


def _card(x: Floats, y: Floats, random: np.random.Generator) -> Floats:
    return _box(x, y, 27.0, 43.0)


def _lens(x: Floats, y: Floats, random: np.random.Generator) -> Floats:
    """A spectacle lens."""
    return 1.0 * _rounded(x, y - 2, 23.0, 18.0, 9.0)


def _rim(x: Floats, y: Floats, random: np.random.Generator) -> Floats:
    """Its frame alone."""
    return 1.6 - np.abs(_rounded(x, y - 2, 23.0, 18.0, 9.0))


def _glare(x: Floats, y: Floats, random: np.random.Generator) -> Floats:
    """A window's reflection in it."""
    return _box(x * 0.9 + y * 0.4, y * 0.9 - x * 0.4, 7.0, 9.0)


def _rounded(x: Floats, y: Floats, half_x: float, half_y: float, radius: float) -> Floats:
    over_x, over_y = np.abs(x) - half_x + radius, np.abs(y) - half_y + radius
    outside = np.hypot(np.maximum(over_x, 0), np.maximum(over_y, 0))
    inner = np.minimum(np.maximum(over_x, over_y), 0)
    return np.asarray(radius - outside - inner)


def _mask(x: Floats, y: Floats, random: np.random.Generator) -> Floats:
    """A surgical mask, about the middle between the eyes: from the bridge of the nose to below the chin."""
    top = 24 - 8 * np.cos(np.clip(x / 62, -1, 1) * np.pi / 2)
    half_width = np.interp(y, [20, 88, 112], [64, 52, 25])
    inside: Floats = np.minimum(np.minimum(y - top, 112 - y), half_width - np.abs(x))
    return inside


def _scarf(x: Floats, y: Floats, random: np.random.Generator) -> Floats:
    """All that lies below the nose, wider than the face."""
    inside: Floats = np.minimum(y - 42 - 3 * np.sin(x / 14), 110 - np.abs(x))
    return inside


def _fist(x: Floats, y: Floats, random: np.random.Generator) -> Floats:
    """A hand before the mouth."""
    knuckles = [
        _capsule(x, y, np.array([-26.0, 58 + 13 * k]), np.array([24.0, 56 + 13 * k]), 7.5) for k in range(4)
    ]
    inside: Floats = np.maximum(
        np.max(knuckles, axis=0), _capsule(x, y, np.array([20.0, 80]), np.array([60.0, 130]), 20.0)
    )
    return inside


SHAPES: dict[str, Inside] = {
    "disc": _disc, "bar": _bar, "hand": _hand, "hair": _hair, "card": _card, "lens": _lens, "rim": _rim,
    "glare": _glare, "mask": _mask, "scarf": _scarf, "fist": _fist,
}  # fmt: skip
