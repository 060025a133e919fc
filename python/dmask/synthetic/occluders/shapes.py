"""What occluders are shaped like: outlines and strokes in millimetres, about the point that they hide.

Some leave their size and bends to chance, within what is held or worn before an eye.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dmask.arrays import Floats, Pixels
from dmask.synthetic.occluders.sheet import Sheet

FAR_MM = 600.0  # beyond any picture

Shape = Callable[[Sheet, np.random.Generator], Pixels]  # (H, W), 255 where it is


def box(half_x: float, half_y: float) -> Floats:
    return np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [half_x, half_y]


def ellipse(half_x: float, half_y: float, count: int = 64) -> Floats:
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([half_x * np.cos(turn), half_y * np.sin(turn)], 1)


def rounded_box(half_x: float, half_y: float, radius: float) -> Floats:
    corner = ellipse(radius, radius)
    return np.asarray(corner + np.sign(np.round(corner, 9)) * [half_x - radius, half_y - radius])


def smooth(corners: Floats, count: int = 96) -> Floats:
    """A closed curve (count, 2) along corners (n, 2), which it rounds off."""
    at = np.linspace(0, len(corners), count, endpoint=False)
    closed = np.vstack([corners, corners[:1]])
    line = np.stack([np.interp(at, np.arange(len(closed)), closed[:, k]) for k in range(2)], 1)
    kernel = np.hanning(9) / np.hanning(9).sum()
    padded = np.vstack([line[-4:], line, line[:4]])
    return np.stack([np.convolve(padded[:, k], kernel, "valid") for k in range(2)], 1)


# --- Of one size ------------------------------------------------------------


def disc(sheet: Sheet, random: np.random.Generator) -> Pixels:
    return sheet.filled(ellipse(24.0, 24.0))


def bar(sheet: Sheet, random: np.random.Generator) -> Pixels:
    slope = np.tan(np.radians(random.uniform(-20, 20)))
    outline = box(80.0, 11.0)
    return sheet.filled(outline + np.stack([0 * outline[:, 0], slope * outline[:, 0]], 1))


def hand(sheet: Sheet, random: np.random.Generator) -> Pixels:
    """Four fingers side by side that come from below, with a palm."""
    fingers = [
        np.array([[8.0 * k - 12, 45.0], [9.5 * k - 14, tip]])
        for k, tip in enumerate((-12.0, -20.0, -22.0, -14.0))
    ]
    return np.maximum(sheet.stroked(fingers, [13.6] * 4), sheet.filled(box(24.0, 26.0) + [0, 62.0]))


def hair(sheet: Sheet, random: np.random.Generator) -> Pixels:
    """A lock of strands from above, with gaps."""
    y = np.linspace(-45, 30, 20)
    strands, widths_mm = [], []
    for start_x in random.uniform(-20, 20, 28):
        bend, half_mm = random.uniform(-12, 12), random.uniform(0.5, 1.3)
        strands.append(np.stack([start_x + bend * ((y + 45) / 75) ** 2, y], 1))
        widths_mm.append(2 * half_mm)
    return sheet.stroked(strands, widths_mm)


def card(sheet: Sheet, random: np.random.Generator) -> Pixels:
    return sheet.filled(box(27.0, 43.0))


LENS = rounded_box(23.0, 18.0, 9.0) + [0, 2.0]


def lens(sheet: Sheet, random: np.random.Generator) -> Pixels:
    """A spectacle lens."""
    return sheet.filled(LENS)


def rim(sheet: Sheet, random: np.random.Generator) -> Pixels:
    """Its frame alone."""
    return sheet.stroked([LENS], [3.2], closed=True)


def glare(sheet: Sheet, random: np.random.Generator) -> Pixels:
    """A window's reflection in it."""
    return sheet.filled(box(7.0, 9.0) @ np.array([[0.93, 0.41], [-0.41, 0.93]]))


def mask(sheet: Sheet, random: np.random.Generator) -> Pixels:
    """A surgical mask, about the middle between the eyes: from the bridge of the nose to below the chin."""
    x = np.linspace(-63.5, 63.5, 40)
    top = np.stack([x, 24 - 8 * np.cos(np.clip(x / 62, -1, 1) * np.pi / 2)], 1)
    return sheet.filled(np.vstack([top, [[52, 88], [25, 112], [-25, 112], [-52, 88]]]))


def scarf(sheet: Sheet, random: np.random.Generator) -> Pixels:
    """All that lies below the nose, wider than the face."""
    x = np.linspace(-110, 110, 90)
    top = np.stack([x, 42 + 3 * np.sin(x / 14)], 1)
    return sheet.filled(np.vstack([top, [[110, FAR_MM], [-110, FAR_MM]]]))


def fist(sheet: Sheet, random: np.random.Generator) -> Pixels:
    """A hand before the mouth."""
    knuckles = [np.array([[-26.0, 58 + 13 * k], [24.0, 56 + 13 * k]]) for k in range(4)]
    arm = np.array([[20.0, 80], [60.0, 130]])
    return sheet.stroked([*knuckles, arm], [15.0] * 4 + [40.0])


# --- Of many sizes ----------------------------------------------------------


def paddle(sheet: Sheet, random: np.random.Generator) -> Pixels:
    """A cover test's occluder: a spoon with a handle."""
    handle = np.array([[15.0, -4], [120, -3], [120, 3], [15, 4]])
    return sheet.filled(ellipse(random.uniform(16, 29), random.uniform(18, 24)), handle)


def leaf(sheet: Sheet, random: np.random.Generator) -> Pixels:
    """A sheet of paper, a book, a telephone: four corners, none quite square."""
    corners = box(random.uniform(21, 54), random.uniform(18, 60))
    return sheet.filled(corners + random.normal(0, 1.8, (4, 2)))


def palm(sheet: Sheet, random: np.random.Generator) -> Pixels:
    """A flat hand with the thumb away, or a fist."""
    corners = np.array(
        [[-18.0, 78], [-21, 15], [-18, -15], [-9, -27], [3, -30], [15, -25], [22, -9]]
        + [[24.0, 12], [37, 3], [43, 9], [30, 30], [21, 48], [21, 78]]
    )
    if random.random() < 0.3:
        corners = corners * [1.2, 0.6]
    return sheet.filled(smooth(corners * random.uniform(0.9, 1.4) + random.normal(0, 1.2, corners.shape)))


def strands(random: np.random.Generator) -> tuple[list[Floats], list[float]]:
    """Paths and widths of hundreds of hairs, dense enough to hide what is behind their middle."""
    along = np.linspace(-2.2, 2.2, 14)
    lean, curl, phase = random.normal(0, 0.5), random.uniform(0, 0.25), random.uniform(0, 6)
    paths, widths_mm = [], []
    for _ in range(900):
        across = np.clip(random.normal(0, 0.33), -1.0, 1.0)
        wave = curl * np.sin(2 * along + phase + random.normal(0, 0.2))
        paths.append(30.0 * np.stack([across + lean * along + wave, along], 1))
        widths_mm.append(random.uniform(0.3, 1.5))
    return paths, widths_mm


def fringe(sheet: Sheet, random: np.random.Generator) -> Pixels:
    return sheet.stroked(*strands(random))


def patch(sheet: Sheet, random: np.random.Generator) -> Pixels:
    """An eye patch on its strap, or a bandage: a shield with a band."""
    shield = np.array([[-24.0, -16], [24, -16], [26, 3], [11, 22], [-11, 22], [-26, 3]])
    shield = smooth(shield * random.uniform(0.95, 1.3, 2))
    return sheet.filled(shield, box(FAR_MM, random.uniform(1.8, 12)))


def dark_lens_outline(random: np.random.Generator) -> Floats:
    corners = np.array([[-30.0, -21], [0, -26], [30, -22], [30, 3], [16, 27], [-12, 27], [-28, 9]])
    return smooth(corners * [random.uniform(0.75, 1.15), random.uniform(0.55, 0.95)])


def dark_lens(sheet: Sheet, random: np.random.Generator) -> Pixels:
    """A lens of sunglasses."""
    return sheet.filled(dark_lens_outline(random))


def dark_lens_rim(sheet: Sheet, random: np.random.Generator) -> Pixels:
    """The rim of the lens with the same seed."""
    return sheet.stroked([dark_lens_outline(random)], [random.uniform(1.0, 3.6)], closed=True)


def blindfold(sheet: Sheet, random: np.random.Generator) -> Pixels:
    """A band across the face: a scarf, a strap, a sleeve."""
    x = np.linspace(-270, 270, 40)
    upper, lower = (side * random.uniform(12, 30) + random.normal(0, 1.2, 40) for side in (-1, 1))
    return sheet.filled(np.vstack([np.stack([x, upper], 1), np.stack([x, lower], 1)[::-1]]))


SHAPES: dict[str, Shape] = {
    "disc": disc, "bar": bar, "hand": hand, "hair": hair, "card": card, "lens": lens, "rim": rim,
    "glare": glare, "mask": mask, "scarf": scarf, "fist": fist, "paddle": paddle, "leaf": leaf, "palm": palm,
    "fringe": fringe, "patch": patch, "dark lens": dark_lens, "dark lens rim": dark_lens_rim,
    "blindfold": blindfold,
}  # fmt: skip
