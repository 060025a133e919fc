"""Things held, worn or fallen before eyes, drawn at random over whole frames, and what they hide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from dmask.arrays import Floats, Pixels
from dmask.synthetic.occluders import Occluder, Place, cover, grey

CANTHAL_MM = 30.0  # between the canthi of an eye, adults: with it a frame without a scale gets one

Bgr = tuple[float, float, float]


@dataclass
class Eye:
    """Where an eye is in a frame, px."""

    inner: Floats  # (2)
    outer: Floats
    iris: Floats  # its centre
    radius_px: float

    @property
    def canthal_px(self) -> float:
        return float(np.linalg.norm(self.outer - self.inner))

    def place(self, at_px: Floats) -> Place:
        """A point near the eye, with the line between the canthi for the roll: the upper side stays up."""
        x, y = self.outer - self.inner if self.outer[0] > self.inner[0] else self.inner - self.outer
        return Place(at_px, self.canthal_px / CANTHAL_MM, float(np.degrees(np.arctan2(-y, x))))


# --- Colours ----------------------------------------------------------------


def three(values: Floats) -> Bgr:
    b, g, r = np.clip(values, 0, 255).tolist()
    return (b, g, r)


def any_grey(random: np.random.Generator) -> Bgr:
    """From black to white, the dark ones more often, hardly tinted."""
    return three(random.choice([3, 8, 15, 25, 40, 70, 110, 160, 220]) + random.normal(0, 3, 3))


def any_colour(random: np.random.Generator) -> Bgr:
    hsv = random.integers([0, 60, 20], [180, 256, 256], (1, 1, 3)).astype(np.uint8)
    return three(np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0], np.float64))


def any_filling(random: np.random.Generator) -> tuple[Bgr, str]:
    """A colour and a texture that suit each other; matt greys in three of ten."""
    draw = int(random.integers(10))
    if draw < 3:
        return any_grey(random), "lit"
    if draw == 3:
        return three(np.array([40, 80, 130]) * random.uniform(0.3, 1.4)), "wood"
    if draw == 4:
        return grey(float(random.integers(150, 245))), "printed"
    texture = ("flat", "knitted", "noise", "stripes", "checks")[draw - 5]
    return any_colour(random), texture


def cheek_tone(frame: Pixels, eye: Eye) -> Floats:
    """(3) the median colour below the eye."""
    c = eye.canthal_px
    x, y = np.rint(eye.iris + [0, 0.9 * c]).astype(int)
    r = max(2, int(0.25 * c))
    part = frame[max(y - r, 0) : y + r, max(x - r, 0) : x + r].reshape(-1, 3)
    return np.median(part, 0) if len(part) else np.array([90.0, 110, 150])


def any_skin(like: Floats, random: np.random.Generator) -> Bgr:
    """The face's own tone, or another's."""
    tone = like if random.random() < 0.6 else np.array([60, 85, 125]) * random.uniform(0.3, 1.6)
    return three(tone * random.uniform(0.7, 1.2))


# --- Things -----------------------------------------------------------------


@dataclass
class Chance:
    """What is left to chance in every thing alike."""

    random: np.random.Generator
    offset_mm: tuple[float, float]
    blur_mm: float
    skin: Bgr
    seed: int

    def one(self, kinds: tuple[str, ...], filling: tuple[Bgr, str], turn_sd_deg: float) -> Occluder:
        kind = kinds[int(self.random.integers(len(kinds)))]
        turn_deg = float(self.random.normal(0, turn_sd_deg))
        bgr, texture = filling
        return Occluder(kind, bgr, texture, self.blur_mm, self.offset_mm, turn_deg, seed=self.seed)


ANYHOW_DEG = 360.0  # so wide that every turn is as likely


def paddle(chance: Chance) -> list[Occluder]:
    return [chance.one(("paddle", "disc"), (any_grey(chance.random), "lit"), ANYHOW_DEG)]


def card(chance: Chance) -> list[Occluder]:
    return [chance.one(("leaf", "card"), any_filling(chance.random), 29)]


def hand(chance: Chance) -> list[Occluder]:
    texture = ("skin", "skin", "shaded")[int(chance.random.integers(3))]
    return [chance.one(("palm", "palm", "hand"), (chance.skin, texture), ANYHOW_DEG)]


def hair(chance: Chance) -> list[Occluder]:
    tone = three(np.array([25, 40, 60]) * np.exp(chance.random.uniform(-2, 1.1)))
    return [chance.one(("fringe",), (tone, "hairs"), 0)]


def patch(chance: Chance) -> list[Occluder]:
    return [chance.one(("patch",), any_filling(chance.random), 29)]


def blindfold(chance: Chance) -> list[Occluder]:
    return [chance.one(("blindfold", "blindfold", "bar"), any_filling(chance.random), 17)]


def sunglasses(chance: Chance) -> list[Occluder]:
    """An opaque lens in its rim; it mirrors a window or nothing."""
    random = chance.random
    level = random.choice([0, 6, 14, 26])
    worn = [chance.one(("dark lens",), (three(level * random.uniform(0.6, 1.0, 3)), "flat"), 0)]
    if random.random() < 0.6:
        at_mm = (chance.offset_mm[0] - 9.0, chance.offset_mm[1] - 6.0)
        opacity, blur_mm = random.uniform(0.04, 0.47), random.uniform(0.6, 8)
        worn.append(Occluder("glare", grey(255), blur_mm=blur_mm, offset_mm=at_mm, opacity=opacity))
    return [*worn, chance.one(("dark lens rim",), (grey(random.uniform(5, 160)), "flat"), 0)]


THINGS: dict[str, Callable[[Chance], list[Occluder]]] = {
    "paddle": paddle, "card": card, "hand": hand, "hair": hair, "patch": patch, "sunglasses": sunglasses,
    "blindfold": blindfold,
}  # fmt: skip


def put_before(
    frame: Pixels, eye: Eye, name: str, half: bool, random: np.random.Generator
) -> tuple[Pixels, Floats]:
    """The frame with a thing before an eye, or pushed aside; and how much of each pixel it hides."""
    way = random.uniform(0, 2 * np.pi)
    reach_mm = CANTHAL_MM * (random.uniform(0.3, 1.1) if half else random.uniform(0, 0.15))
    chance = Chance(
        random,
        (float(reach_mm * np.cos(way)), float(reach_mm * np.sin(way))),
        float(random.choice([0.5, random.uniform(0.5, 10)])),
        any_skin(cheek_tone(frame, eye), random),
        int(random.integers(1 << 31)),
    )
    at_px = 0.5 * (eye.inner + eye.outer) if name == "sunglasses" else eye.iris
    out, hidden = frame, np.zeros(frame.shape[:2])
    for occluder in THINGS[name](chance):
        out, more = cover(out, occluder, eye.place(at_px))
        hidden = np.maximum(hidden, more)
    if random.random() < 0.3:  # the camera is out of focus
        sd_px = max(0.3, eye.canthal_px * random.uniform(0.005, 0.03))
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), sd_px), np.uint8)
    return out, hidden


# --- What is hidden ---------------------------------------------------------


def pupil_hidden(hidden: Floats, eye: Eye) -> float:
    """Share of the pupil and what is next to it (0.45 iris radii) that is hidden."""
    y, x = np.mgrid[: hidden.shape[0], : hidden.shape[1]]
    near = np.hypot(x - eye.iris[0], y - eye.iris[1]) <= max(0.45 * eye.radius_px, 1)
    return float((hidden[near] > 0.9).mean()) if near.any() else 0.0


def eye_touched(hidden: Floats, eye: Eye) -> bool:
    """Whether anything lies within a canthal distance's 0.6 of the iris."""
    y, x = np.mgrid[: hidden.shape[0], : hidden.shape[1]]
    near = np.hypot(x - eye.iris[0], y - eye.iris[1]) <= 0.6 * eye.canthal_px
    return bool((hidden[near] > 0.02).any())
