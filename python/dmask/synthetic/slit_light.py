"""What a slit lamp does to the picture of an eye: its light, its filters, what is held into it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Array = NDArray[np.float32]

SLIT_SHARE, REFLEX_SHARE, FILTER_SHARE = 0.3, 0.4, 0.25
RETRACTOR_SHARE, TUBE_SHARE = 0.08, 0.12


def light_up(image: Image, canthi: Array, rng: np.random.Generator, strength: float) -> Image:
    """A close-up as a lamp and its camera show it, at the odds of an examination.

    image (H,W,3) RGB; canthi (2,2) px of the eye that the lamp looks at.
    """
    eye = Eye(canthi)
    if rng.random() < RETRACTOR_SHARE * strength:
        image = retract(image, eye, rng)
    if rng.random() < SLIT_SHARE * strength:
        image = slit(image, eye, rng)
    if rng.random() < REFLEX_SHARE * strength:
        image = reflexes(image, eye, rng)
    if rng.random() < FILTER_SHARE * strength:
        image = FILTERS[int(rng.integers(len(FILTERS)))](image, eye, rng)
    if rng.random() < TUBE_SHARE * strength:
        image = look_through_tube(image, rng)
    return image


class Eye:
    def __init__(self, canthi: Array) -> None:
        along = canthi[1] - canthi[0]
        self.width_px = max(float(np.linalg.norm(along)), 1.0)
        self.centre = canthi.mean(0)
        self.turn_rad = float(np.arctan2(along[1], along[0]))

    def grid(self, image: Image) -> tuple[Array, Array]:
        """Along and across the eye from its middle, in widths."""
        y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
        x, y = x - np.float32(self.centre[0]), y - np.float32(self.centre[1])
        c, s = np.float32(np.cos(self.turn_rad)), np.float32(np.sin(self.turn_rad))
        return (c * x + s * y) / np.float32(self.width_px), (c * y - s * x) / np.float32(self.width_px)


def lit(image: np.ndarray, gain: Array | float | np.floating) -> Image:
    """Times a gain (h,w,1), (3) or a number, up to white."""
    return whole(image * gain)


def whole(levels: np.ndarray) -> Image:
    return np.asarray(np.clip(levels + 0.5, 0, 255), np.uint8)


@dataclass(frozen=True)
class Beam:
    """Of a slit lamp, in widths of the eye; gains are of what the picture shows without the lamp."""

    at: float  # from the eye's middle
    half_width: float
    length: float  # half of it
    aslant: float = 0.0
    bent: float = 0.0
    soft: float = 0.01
    beside: float = 0.1  # where its second half stands on the iris, as light goes through the cornea aslant
    beside_share: float = 0.3
    room: float = 0.5
    gain: float = 1.0
    haze: float = 10.0  # grey levels: a cornea scatters
    warm: float = 1.0  # of the third channel

    @staticmethod
    def drawn(rng: np.random.Generator) -> Beam:
        """From a line to a broad light, in a dark or dim room."""
        return Beam(
            aslant=rng.normal(0, 0.15), bent=rng.normal(0, 0.25), at=rng.uniform(-0.45, 0.45),
            half_width=float(np.exp(rng.uniform(np.log(0.008), np.log(0.3)))), length=rng.uniform(0.15, 1.2),
            soft=rng.uniform(0.004, 0.03), beside=rng.normal(0, 0.12), warm=rng.uniform(0.75, 1.2),
            room=rng.uniform(0.15, 1), gain=rng.uniform(0.6, 3), beside_share=rng.uniform(0, 0.5),
            haze=rng.uniform(0, 25),
        )  # fmt: skip


def slit(image: Image, eye: Eye, rng: np.random.Generator) -> Image:
    """A beam of any kind across the eye."""
    return shine(image, eye, Beam.drawn(rng))


def shine(image: Image, eye: Eye, beam: Beam) -> Image:
    u, v = eye.grid(image)
    across = u - np.float32(beam.at) - np.float32(beam.aslant) * v - np.float32(beam.bent) * v * v
    half, soft = np.float32(beam.half_width), np.float32(beam.soft)
    inside = np.clip((half - np.abs(across)) / soft, 0, 1)
    inside *= np.clip((np.float32(beam.length) - np.abs(v)) / np.float32(0.05), 0, 1)
    beside = np.clip((np.float32(0.4) * half - np.abs(across - np.float32(beam.beside))) / soft, 0, 1)
    beside *= np.clip((np.float32(0.22) - np.abs(v)) / np.float32(0.1), 0, 1)
    colour = np.array([1.0, 1.0, beam.warm], np.float32)
    share = (inside + np.float32(beam.beside_share) * beside)[..., None]
    gain = np.float32(beam.room) + np.float32(beam.gain) * share
    haze = np.float32(beam.haze) * inside[..., None]
    return whole(image * gain * colour + haze * colour)


def reflexes(image: Image, eye: Eye, rng: np.random.Generator) -> Image:
    """Of lamps and their housings in the cornea: dots, rings, bars and windows."""
    share = np.zeros(image.shape[:2], np.uint8)
    at = eye.centre + eye.width_px * rng.normal(0, 0.1, 2)
    for _ in range(int(rng.integers(1, 5))):
        place = np.rint((at + eye.width_px * rng.normal(0, 0.07, 2)) * 16).astype(int)
        size = eye.width_px * np.exp(rng.uniform(np.log(0.008), np.log(0.09)))
        kind = rng.random()
        if kind < 0.5:
            thick = -1 if rng.random() < 0.8 else max(1, int(0.4 * size))
            cv2.circle(share, place.tolist(), int(16 * size), 255, thick, cv2.LINE_AA, 4)
        else:
            sides = size * (np.array([1, rng.uniform(0.8, 1.2)]) if kind < 0.75 else np.array([0.4, 4]))
            box = (place / 16).tolist(), sides.tolist(), float(rng.uniform(0, 180))
            cv2.fillConvexPoly(share, np.rint(cv2.boxPoints(box) * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    if rng.random() < 0.6:
        soft = max(0.01 * eye.width_px * rng.uniform(0.2, 2), 0.3)
        share = np.asarray(cv2.GaussianBlur(share, (0, 0), soft), np.uint8)
    part = share[..., None].astype(np.float32) / 255 * np.float32(rng.uniform(0.5, 1))
    return whole(image + part * (np.float32(255) - image))


def fluorescein(image: Image, eye: Eye, rng: np.random.Generator) -> Image:
    """Cobalt blue light, the green of the tear film along the lower lid and over the globe."""
    grey = image.mean(2, keepdims=True, dtype=np.float32)
    blue = grey * np.array([rng.uniform(0, 0.15), rng.uniform(0.05, 0.4), 1], np.float32)
    u, v = eye.grid(image)
    lies = rng.uniform(0.05, 0.2) - 0.3 * u * u
    film = np.exp(-(((v - lies) / np.float32(rng.uniform(0.02, 0.06))) ** 2)) * (np.abs(u) < 0.5)
    film += rng.uniform(0, 0.4) * (u * u / 0.2 + v * v / 0.03 < 1)
    green = np.array([0.35, 1.0, 0.15], np.float32) * np.float32(rng.uniform(40, 220))
    return whole(blue * np.float32(rng.uniform(0.5, 1.6)) + film[..., None] * green - 0.5)


def red_free(image: Image, eye: Eye, rng: np.random.Generator) -> Image:
    """Green light, shown green or grey."""
    green = image[..., 1:2].astype(np.float32)
    shown = [1, 1, 1] if rng.random() < 0.4 else [rng.uniform(0, 0.3), 1, rng.uniform(0.1, 0.7)]
    return lit(green, np.array(shown, np.float32) * np.float32(rng.uniform(0.7, 1.3)))


def infrared(image: Image, eye: Eye, rng: np.random.Generator) -> Image:
    """Grey; skin and iris are bright, with little contrast."""
    red = (image[..., 0:1].astype(np.float32) / 255) ** np.float32(rng.uniform(0.45, 0.9))
    return lit(np.repeat(red, 3, 2), 255 * np.float32(rng.uniform(0.6, 1.1)))


def retract(image: Image, eye: Eye, rng: np.random.Generator) -> Image:
    """Loops of wire or a finger's breadth of metal that hold the lids."""
    out = image.copy()
    level = rng.uniform(60, 255) + rng.normal(0, 8, 3)
    thick = max(1, int(eye.width_px * rng.uniform(0.015, 0.06)))
    c, s = np.cos(eye.turn_rad), np.sin(eye.turn_rad)
    turned = np.array([[c, -s], [s, c]])
    for side in (-1, 1) if rng.random() < 0.6 else (rng.choice([-1, 1]),):
        x = np.linspace(-1, 1, 24) * rng.uniform(0.15, 0.4)
        y = side * (rng.uniform(0.16, 0.34) - 0.35 * x * x)
        ends = np.array([[x[-1], side * 2.0], [x[0], side * 2.0]])
        line = np.vstack([ends[1:], np.column_stack([x, y]), ends[:1]])
        points = np.rint((line @ turned.T * eye.width_px + eye.centre) * 16).astype(np.int32)
        cv2.polylines(out, [points], False, level.tolist(), thick, cv2.LINE_AA, 4)
        cv2.polylines(
            out, [points + 8 * thick // 3], False, (255, 255, 255), max(1, thick // 4), cv2.LINE_AA, 4
        )
    return out


def look_through_tube(image: Image, rng: np.random.Generator) -> Image:
    """A round field of view, black around it."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    centre = np.array([width, height]) * rng.uniform(0.4, 0.6, 2)
    far = np.hypot(x - np.float32(centre[0]), y - np.float32(centre[1])) / (0.5 * max(width, height))
    return lit(image, np.clip((np.float32(rng.uniform(0.75, 1.15)) - far) * 20, 0, 1)[..., None])


FILTERS = (fluorescein, red_free, infrared)
