"""Things held, worn or fallen before eyes, drawn over whole frames for `dmask eval covered`.

None of these drawings is among those that training shows (`dmask.train.data.covers`): outlines are built from
points instead of distances, textures are drawn line by line, edges are blurred as a lens or a motion blurs
them. All lengths are in canthal distances of the eye before which the thing is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from dmask.arrays import Floats, Pixels

Mask = NDArray[np.float32]  # (h,w) 0..1
Texture = NDArray[np.float32]  # (h,w,3) BGR, 0..255


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

    def place(self, outline: Floats, centre: Floats, turn_rad: float) -> Floats:
        """Points in canthal distances, turned, about a centre in px."""
        c, s = np.cos(turn_rad), np.sin(turn_rad)
        return np.asarray(self.canthal_px * outline @ np.array([[c, s], [-s, c]]) + centre, np.float64)


def smooth_outline(corners: Floats, count: int = 96) -> Floats:
    """A closed curve (count,2) along corners (n,2), which it rounds off."""
    at = np.linspace(0, len(corners), count, endpoint=False)
    closed = np.vstack([corners, corners[:1]])
    line = np.stack([np.interp(at, np.arange(len(closed)), closed[:, k]) for k in range(2)], 1)
    kernel = np.hanning(9)[:, None] / np.hanning(9).sum()
    padded = np.vstack([line[-4:], line, line[:4]])
    return np.stack([np.convolve(padded[:, k], kernel[:, 0], "valid") for k in range(2)], 1)


def filled(shape: tuple[int, ...], *outlines: Floats) -> Mask:
    mask = np.zeros(shape[:2], np.uint8)
    for outline in outlines:
        cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return np.asarray(mask / 255, np.float32)


# --- Textures ---------------------------------------------------------------


def shown(values: ArrayLike) -> Texture:
    return np.clip(np.asarray(values, np.float32), 0, 255)


def plain(shape: tuple[int, ...], level: float) -> Texture:
    return np.full((*shape[:2], 3), level, np.float32)


def matt(shape: tuple[int, ...], rng: np.random.Generator) -> Texture:
    """A grey from black to white, lit from one side, with a sensor's noise."""
    level = rng.choice([3, 8, 15, 25, 40, 70, 110, 160, 220]) * np.ones(3) + rng.normal(0, 3, 3)
    side = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :, None] * rng.normal(0, 0.25)
    return shown(level * (1 + side) + rng.normal(0, 2, (*shape[:2], 3)))


def colour(shape: tuple[int, ...], rng: np.random.Generator) -> Texture:
    hsv = rng.integers([0, 60, 20], [180, 256, 256], (1, 1, 3)).astype(np.uint8)
    bgr = np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0], np.float64)
    return shown(bgr + rng.normal(0, 2, (*shape[:2], 3)))


def wood(shape: tuple[int, ...], rng: np.random.Generator) -> Texture:
    """Rings round a far centre, in brown."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    cx, cy = rng.normal(0, 3, 2) * shape[0]
    wave = np.sin(np.hypot(x - cx, (y - cy) * 0.3) * rng.uniform(0.1, 0.6))
    tone = np.array([40, 80, 130], np.float32) * rng.uniform(0.3, 1.4)
    return shown(tone * (1 + 0.25 * wave[..., None]))


def knitted(shape: tuple[int, ...], rng: np.random.Generator) -> Texture:
    """V-shaped stitches in two wools."""
    step = int(rng.integers(4, 14))
    one, two = colour((1, 1), rng)[0, 0], colour((1, 1), rng)[0, 0] * rng.choice([1.0, 0.4])
    out = np.empty((*shape[:2], 3), np.float32)
    out[:] = one
    for y in range(-step, shape[0] + step, step):
        for x in range(-step, shape[1] + step, step):
            v = np.array([[x, y], [x + step // 2, y + step // 2], [x + step, y]], np.int32)
            cv2.polylines(out, [v], False, two.tolist(), max(1, step // 4), cv2.LINE_AA)
    return out


def printed(shape: tuple[int, ...], rng: np.random.Generator) -> Texture:
    """A card with lines of writing."""
    out = np.full((*shape[:2], 3), int(rng.integers(150, 245)), np.uint8)
    height = int(rng.integers(5, 16))
    for y in range(height, shape[0], int(1.7 * height)):
        text = "".join(rng.choice(list("abcdefghiklmnoprstuw  "), 60))
        cv2.putText(out, text, (0, y), cv2.FONT_HERSHEY_DUPLEX, height / 24, (30, 30, 30), 1, cv2.LINE_AA)
    return out.astype(np.float32)


def skin(shape: tuple[int, ...], rng: np.random.Generator, like: Floats) -> Texture:
    """Skin of the face's tone, or another's, with the shade of something round."""
    tone = like if rng.random() < 0.6 else np.array([60, 85, 125]) * rng.uniform(0.3, 1.6)
    small = rng.normal(1, 0.12, (6, 7)).astype(np.float32)
    shade = cv2.resize(small, shape[1::-1], interpolation=cv2.INTER_CUBIC)[..., None]
    grain = cv2.GaussianBlur(rng.normal(0, 6, (*shape[:2], 1)).astype(np.float32), (0, 0), 1.2)[..., None]
    return shown(tone * rng.uniform(0.7, 1.2) * shade + grain)


def any_texture(shape: tuple[int, ...], rng: np.random.Generator) -> Texture:
    return (matt, matt, matt, colour, wood, knitted, printed)[int(rng.integers(7))](shape, rng)


# --- Things: (mask, what they look like) ------------------------------------

Thing = tuple[Mask, Texture]


def paddle(frame: Pixels, eye: Eye, aside: Floats, rng: np.random.Generator) -> Thing:
    """A cover test's occluder: a spoon with a handle."""
    centre, turn = eye.iris + aside, rng.uniform(0, 2 * np.pi)
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    bowl = np.stack([rng.uniform(0.55, 0.95) * np.cos(t), rng.uniform(0.6, 0.8) * np.sin(t)], 1)
    handle = np.array([[0.5, -0.13], [4, -0.1], [4, 0.1], [0.5, 0.13]])
    outlines = [eye.place(outline, centre, turn) for outline in (bowl, handle)]
    return filled(frame.shape, *outlines), matt(frame.shape, rng)


def card(frame: Pixels, eye: Eye, aside: Floats, rng: np.random.Generator) -> Thing:
    """A card, a book, a telephone: four corners, none quite square."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * rng.uniform([0.7, 0.6], [1.8, 2.0])
    corners = corners + rng.normal(0, 0.06, (4, 2))
    mask = filled(frame.shape, eye.place(corners, eye.iris + aside, rng.normal(0, 0.5)))
    return mask, any_texture(frame.shape, rng)


def hand(frame: Pixels, eye: Eye, aside: Floats, rng: np.random.Generator) -> Thing:
    """A flat hand with the thumb away, or a fist."""
    palm = np.array(
        [[-0.6, 2.6], [-0.7, 0.5], [-0.6, -0.5], [-0.3, -0.9], [0.1, -1.0], [0.5, -0.85], [0.75, -0.3]]
        + [[0.8, 0.4], [1.25, 0.1], [1.45, 0.3], [1.0, 1.0], [0.7, 1.6], [0.7, 2.6]]
    )
    if rng.random() < 0.3:
        palm = palm * [1.2, 0.6]
    palm = smooth_outline(palm * rng.uniform(0.9, 1.4) + rng.normal(0, 0.04, palm.shape))
    mask = filled(frame.shape, eye.place(palm, eye.iris + aside, rng.uniform(0, 2 * np.pi)))
    texture = skin(frame.shape, rng, cheek_tone(frame, eye))
    edges = cv2.GaussianBlur(mask, (0, 0), max(0.1 * eye.canthal_px, 0.5))
    texture = texture * (0.55 + 0.45 * np.clip(2 * edges - 1, 0, 1) ** 0.5)[..., None]
    for _ in range(int(rng.integers(0, 5))):  # folds between the fingers
        a = eye.iris + aside + rng.normal(0, 0.6 * eye.canthal_px, 2)
        b = a + rng.normal(0, 1.2 * eye.canthal_px, 2)
        line = [np.rint(np.stack([a, b]) * 16).astype(np.int32)]
        cv2.polylines(texture, line, False, (cheek_tone(frame, eye) * 0.4).tolist(), 2, cv2.LINE_AA, 4)
    return mask, texture


def hair(frame: Pixels, eye: Eye, aside: Floats, rng: np.random.Generator) -> Thing:
    """Hundreds of strands, dense enough to hide what is behind their middle."""
    c = eye.canthal_px
    mask = np.zeros(frame.shape[:2], np.uint8)
    texture = np.zeros((*frame.shape[:2], 3), np.float32)
    tone = np.array([25, 40, 60]) * np.exp(rng.uniform(-2, 1.1))
    lean, t = rng.normal(0, 0.5), np.linspace(-2.2, 2.2, 14)
    curl, phase = rng.uniform(0, 0.25), rng.uniform(0, 6)
    for _ in range(900):
        across = np.clip(rng.normal(0, 0.33), -1.0, 1.0)
        wave = curl * np.sin(2 * t + phase + rng.normal(0, 0.2))
        path = eye.iris + aside + c * np.stack([across + lean * t + wave, t], 1)
        line = [np.rint(path * 16).astype(np.int32)]
        thick = max(1, int(rng.uniform(0.01, 0.05) * c))
        shade = np.clip(tone * np.exp(rng.normal(0, 0.3)), 0, 255).tolist()
        cv2.polylines(texture, line, False, shade, thick, cv2.LINE_AA, 4)
        cv2.polylines(mask, line, False, 255, thick, cv2.LINE_AA, 4)
    return np.asarray(mask / 255, np.float32), texture


def patch(frame: Pixels, eye: Eye, aside: Floats, rng: np.random.Generator) -> Thing:
    """An eye patch on its strap, or a bandage: a shield with two bands."""
    shield = np.array([[-0.8, -0.55], [0.8, -0.55], [0.85, 0.1], [0.35, 0.75], [-0.35, 0.75], [-0.85, 0.1]])
    shield = smooth_outline(shield * rng.uniform(0.95, 1.3, 2))
    turn, w = rng.normal(0, 0.5), rng.uniform(0.06, 0.4)
    band = np.array([[-9, -w], [9, -w], [9, w], [-9, w]])
    outlines = [eye.place(outline, eye.iris + aside, turn) for outline in (shield, band)]
    return filled(frame.shape, *outlines), any_texture(frame.shape, rng)


def sunglasses(frame: Pixels, eye: Eye, aside: Floats, rng: np.random.Generator) -> Thing:
    """Opaque lenses with a frame; they mirror a window or nothing."""
    wide, high = rng.uniform(0.75, 1.15), rng.uniform(0.55, 0.95)
    lens = np.array([[-1, -0.7], [0, -0.85], [1, -0.75], [1, 0.1], [0.55, 0.9], [-0.4, 0.9], [-0.95, 0.3]])
    lens = smooth_outline(lens * [wide, high])
    middle = 0.5 * (eye.inner + eye.outer) + aside
    along = eye.outer - eye.inner
    turn = float(np.arctan2(along[1], along[0]))
    outline = eye.place(lens, middle, turn)
    mask = filled(frame.shape, outline)
    texture = plain(frame.shape, rng.choice([0, 6, 14, 26])) * rng.uniform(0.6, 1.0, 3).astype(np.float32)
    if rng.random() < 0.6:
        window = eye.place(np.array([[-0.5, -0.5], [-0.1, -0.55], [-0.1, 0.1], [-0.5, 0.15]]), middle, turn)
        glint = cv2.GaussianBlur(filled(frame.shape, window), (0, 0), rng.uniform(0.5, 6))
        texture = texture + glint[..., None] * np.float32(rng.uniform(10, 120))
    rim = np.zeros(frame.shape[:2], np.uint8)
    thick = max(1, int(rng.uniform(0.02, 0.12) * eye.canthal_px))
    cv2.polylines(rim, [np.rint(outline * 16).astype(np.int32)], True, 255, thick, cv2.LINE_AA, 4)
    rim_share = rim.astype(np.float32)[..., None] / 255
    texture = texture + rim_share * (np.float32(rng.uniform(5, 160)) - texture)
    return np.maximum(mask, rim_share[..., 0]), texture


def blindfold(frame: Pixels, eye: Eye, aside: Floats, rng: np.random.Generator) -> Thing:
    """A band across the face: a scarf, a strap, a sleeve."""
    along = eye.outer - eye.inner
    turn = float(np.arctan2(along[1], along[0])) + rng.normal(0, 0.3)
    upper = np.stack([np.linspace(-9, 9, 40), -rng.uniform(0.4, 1.0) + rng.normal(0, 0.04, 40)], 1)
    lower = np.stack([np.linspace(9, -9, 40), rng.uniform(0.4, 1.0) + rng.normal(0, 0.04, 40)], 1)
    mask = filled(frame.shape, eye.place(np.vstack([upper, lower]), eye.iris + aside, turn))
    return mask, any_texture(frame.shape, rng)


THINGS: dict[str, Callable[[Pixels, Eye, Floats, np.random.Generator], Thing]] = {
    "paddle": paddle,
    "card": card,
    "hand": hand,
    "hair": hair,
    "patch": patch,
    "sunglasses": sunglasses,
    "blindfold": blindfold,
}


def cheek_tone(frame: Pixels, eye: Eye) -> Floats:
    """(3) the median colour below the eye."""
    c = eye.canthal_px
    x, y = np.rint(eye.iris + [0, 0.9 * c]).astype(int)
    r = max(2, int(0.25 * c))
    part = frame[max(y - r, 0) : y + r, max(x - r, 0) : x + r].reshape(-1, 3)
    return np.median(part, 0) if len(part) else np.array([90.0, 110, 150])


def put_before(
    frame: Pixels, eye: Eye, name: str, half: bool, rng: np.random.Generator
) -> tuple[Pixels, Mask]:
    """The frame with a thing before an eye, or pushed aside; and how much of each pixel it hides."""
    angle = rng.uniform(0, 2 * np.pi)
    reach = eye.canthal_px * (rng.uniform(0.3, 1.1) if half else rng.uniform(0, 0.15))
    mask, texture = THINGS[name](frame, eye, reach * np.array([np.cos(angle), np.sin(angle)]), rng)
    blur_px = eye.canthal_px * rng.choice([0.005, rng.uniform(0.005, 0.1)])
    mask = np.clip(np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.3, blur_px)), np.float32), 0, 1)
    out = shown(frame + mask[..., None] * (texture - frame))
    if rng.random() < 0.3:  # the camera is out of focus
        out = shown(cv2.GaussianBlur(out, (0, 0), max(0.3, eye.canthal_px * rng.uniform(0.005, 0.03))))
    return out.astype(np.uint8), mask


def pupil_hidden(mask: Mask, eye: Eye) -> float:
    """Share of the pupil and what is next to it (0.45 iris radii) that a mask hides."""
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    near = np.hypot(x - eye.iris[0], y - eye.iris[1]) <= max(0.45 * eye.radius_px, 1)
    return float((mask[near] > 0.9).mean()) if near.any() else 0.0


def eye_touched(mask: Mask, eye: Eye) -> bool:
    """Whether anything lies within a canthal distance's 0.6 of the iris."""
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    near = np.hypot(x - eye.iris[0], y - eye.iris[1]) <= 0.6 * eye.canthal_px
    return bool((mask[near] > 0.02).any())
