"""What occluders look like: a colour and what varies about it, in millimetres of the thing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat

import cv2
import numpy as np

from dmask.arrays import Floats, Pixels
from dmask.synthetic.occluders.shapes import strands
from dmask.synthetic.occluders.sheet import Sheet

# (sheet, (H, W) where the thing is, BGR, chance) to (H, W, 3)
Texture = Callable[[Sheet, Pixels, Floats, np.random.Generator], Floats]


def toned(gain: Floats, bgr: Floats) -> Floats:
    return np.asarray(gain[..., None] * bgr)


def coarse(shape: tuple[int, ...], cells: tuple[int, int], random: np.random.Generator) -> Floats:
    """(H, W) of a normal distribution, smooth between the cells."""
    values = cv2.resize(random.normal(0, 1, cells), shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(values, np.float64)


def flat(sheet: Sheet, mask: Pixels, bgr: Floats, random: np.random.Generator) -> Floats:
    return toned(np.ones(sheet.shape), bgr)


def lit(sheet: Sheet, mask: Pixels, bgr: Floats, random: np.random.Generator) -> Floats:
    """Matt, with light from one side."""
    slope = random.choice([-1, 1]) * random.uniform(0.15, 0.5)
    return toned(1 + slope * np.clip(sheet.xy_mm()[0] / 40, -1.5, 1.5), bgr)


def noise(sheet: Sheet, mask: Pixels, bgr: Floats, random: np.random.Generator) -> Floats:
    """Cloth: blotches a few millimetres wide."""
    return toned(1 + 0.35 * coarse(sheet.shape, (48, 48), random), bgr)


def stripes(sheet: Sheet, mask: Pixels, bgr: Floats, random: np.random.Generator) -> Floats:
    return toned(1 + 0.5 * np.sign(np.sin(2 * np.pi * sheet.xy_mm()[1] / 6.0)), bgr)


def checks(sheet: Sheet, mask: Pixels, bgr: Floats, random: np.random.Generator) -> Floats:
    x, y = sheet.xy_mm()
    return toned(1 + 0.6 * np.sign(np.sin(2 * np.pi * x / 10.0) * np.sin(2 * np.pi * y / 10.0)), bgr)


def shaded(sheet: Sheet, mask: Pixels, bgr: Floats, random: np.random.Generator) -> Floats:
    """Rounder than it is: light from above left."""
    x, y = sheet.xy_mm()
    return toned(1 + 0.25 * np.tanh(-(x + y) / 25.0), bgr)


def wood(sheet: Sheet, mask: Pixels, bgr: Floats, random: np.random.Generator) -> Floats:
    """Rings round a far centre."""
    x, y = sheet.xy_mm()
    centre = random.normal(0, 700, 2)
    rings = np.hypot(x - centre[0], 0.3 * (y - centre[1]))
    return toned(1 + 0.25 * np.sin(2 * np.pi * rings / random.uniform(4, 25)), bgr)


def knitted(sheet: Sheet, mask: Pixels, bgr: Floats, random: np.random.Generator) -> Floats:
    """V-shaped stitches in two wools."""
    x, y = sheet.xy_mm()
    step_mm = random.uniform(1.5, 5)
    stitch = (y + np.abs(x % step_mm - step_mm / 2)) % step_mm < step_mm / 4
    return toned(np.where(stitch, random.choice([0.4, 0.7]), 1.0), bgr)


def printed(sheet: Sheet, mask: Pixels, bgr: Floats, random: np.random.Generator) -> Floats:
    """Lines of writing across the picture."""
    ink = np.zeros(sheet.shape, np.uint8)
    high_px = max(5, round(random.uniform(2, 6) * sheet.px_per_mm))
    for y in range(high_px, sheet.shape[0], int(1.7 * high_px)):
        text = "".join(random.choice(list("abcdefghiklmnoprstuw  "), 90))
        cv2.putText(ink, text, (0, y), cv2.FONT_HERSHEY_DUPLEX, high_px / 24, (255,), 1, cv2.LINE_AA)
    return toned(1 - 0.85 * ink / 255, bgr)


def skin(sheet: Sheet, mask: Pixels, bgr: Floats, random: np.random.Generator) -> Floats:
    """Round towards its edge, in uneven light, with folds between the fingers."""
    within = cv2.GaussianBlur(mask, (0, 0), max(0.5, 3 * sheet.px_per_mm)) / 255.0
    gain = (0.55 + 0.45 * np.sqrt(np.clip(2 * within - 1, 0, 1))) * (
        1 + 0.12 * coarse(sheet.shape, (6, 7), random)
    )
    starts = random.normal(0, 18, (int(random.integers(0, 5)), 1, 2))
    folds = sheet.stroked(starts + random.normal(0, 36, (len(starts), 2, 2)) * [[[0], [1]]], repeat(0.8))
    grain = cv2.GaussianBlur(random.normal(0, 0.06, sheet.shape), (0, 0), 1.2)
    return toned(gain * (1 - 0.6 * folds / 255) + grain, bgr)


def hairs(sheet: Sheet, mask: Pixels, bgr: Floats, random: np.random.Generator) -> Floats:
    """The strands of a fringe with the same seed, each in its own shade."""
    paths, widths_mm = strands(random)
    shades = np.clip(64 * np.exp(random.normal(0, 0.3, len(paths))), 0, 255).tolist()
    gain = sheet.stroked(paths, widths_mm, shades)
    return toned(gain / 64.0, bgr)


TEXTURES: dict[str, Texture] = {
    "flat": flat, "lit": lit, "noise": noise, "stripes": stripes, "checks": checks, "shaded": shaded,
    "wood": wood, "knitted": knitted, "printed": printed, "skin": skin, "hairs": hairs,
}  # fmt: skip
