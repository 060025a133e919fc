"""Things that cover an eye or a part of a face, drawn over training crops: of any shape, tone, texture, edge.

A shape is a picture of signed distances, negative inside, so that one shape serves three ways: grown until it
hides all of some points, moved so that its edge runs through one of them, or kept just beside them.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Array = NDArray[np.float32]
Bools = NDArray[np.bool_]

OPAQUE = 0.5  # of a cover's share from which a point counts as hidden
FAINTEST_LENS = 0.02  # a lens that lets through at most this much hides what is behind it


# --- Shapes -------------------------------------------------------------------------------------------------


def _grid(height_px: int, width_px: int, centre: Array, turn_rad: float) -> tuple[Array, Array]:
    """Coordinates along and across a turned axis through `centre`."""
    y, x = np.mgrid[:height_px, :width_px].astype(np.float32)
    x, y = x - np.float32(centre[0]), y - np.float32(centre[1])
    c, s = np.float32(np.cos(turn_rad)), np.float32(np.sin(turn_rad))
    return c * x + s * y, c * y - s * x


def _disc(u: Array, v: Array, size_px: float, rng: np.random.Generator) -> Array:
    """Discs, ellipses, rounded rectangles: paddles, cards, lenses, patches."""
    power = rng.choice([2.0, rng.uniform(2, 3), rng.uniform(3, 12)])
    a, b = size_px * np.exp(rng.normal(0, 0.2, 2))
    norm = ((np.abs(u) / a) ** power + (np.abs(v) / b) ** power + 1e-9) ** (1 / power)
    return ((norm - 1) * min(a, b)).astype(np.float32)


def _bar(u: Array, v: Array, size_px: float, rng: np.random.Generator) -> Array:
    """A strap, a stick, an arm: its edges are parallel or nearly so, and leave the picture."""
    return np.abs(v + u * np.float32(rng.normal(0, 0.1))) - np.float32(size_px * rng.uniform(0.4, 1.0))


def _edge(u: Array, v: Array, size_px: float, rng: np.random.Generator) -> Array:
    """A card's or a sheet's edge, straight or a little bent: all beyond it is covered."""
    return v + np.float32(rng.normal(0, 0.15) / size_px) * u * u


def _fingers(u: Array, v: Array, size_px: float, rng: np.random.Generator) -> Array:
    """Fingers side by side: capsules that come in from one side."""
    radius = size_px * rng.uniform(0.25, 0.45)
    count = int(rng.integers(2, 5))
    distance = np.full(u.shape, 1e3, np.float32)
    for k in range(count):
        across = v - np.float32(radius * 1.9 * (k - (count - 1) / 2) + rng.normal(0, 0.1) * radius)
        along = np.maximum(u - np.float32(rng.normal(0.3, 0.4) * size_px), 0)
        np.minimum(distance, np.hypot(along, across) - np.float32(radius), out=distance)
    return distance


def _locks(u: Array, v: Array, size_px: float, rng: np.random.Generator) -> Array:
    """Hair: wavy bands with gaps between them."""
    bend = (
        size_px * rng.uniform(0.05, 0.4) * np.sin(u / (size_px * rng.uniform(0.6, 2.5)) + rng.uniform(0, 6))
    )
    period = size_px * rng.uniform(0.25, 0.9)
    phase = np.abs((v + bend.astype(np.float32)) / np.float32(period) % 1 - 0.5) * 2
    return (phase - np.float32(rng.uniform(0.5, 0.95))) * np.float32(period / 2)


SHAPES: tuple[tuple[Callable[..., Array], float], ...] = (
    (_disc, 0.42),
    (_bar, 0.16),
    (_edge, 0.22),
    (_fingers, 0.12),
    (_locks, 0.08),
)


def signed_distance(
    height_px: int, width_px: int, centre: Array, size_px: float, rng: np.random.Generator
) -> tuple[Array, bool]:
    """One random shape; and whether it is hair, which covers in bands."""
    draw = rng.random()
    shape = SHAPES[int(np.searchsorted(np.cumsum([share for _, share in SHAPES]), draw))][0]
    u, v = _grid(height_px, width_px, centre, rng.uniform(0, 2 * np.pi))
    distance = shape(u, v, size_px, rng)
    if rng.random() < 0.3:  # nothing outside a laboratory is quite regular
        rough = rng.normal(0, 1, (int(rng.integers(3, 9)), int(rng.integers(3, 11)))).astype(np.float32)
        rough = cv2.resize(rough, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
        distance = distance + rough * np.float32(size_px * rng.uniform(0.03, 0.2))
    return distance, shape is _locks


def at(picture: Array, xy: Array, outside: float) -> Array:
    """Values (K) of a picture at points (K,2)."""
    column, row = np.rint(xy).astype(int).T
    height, width = picture.shape
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    values = picture[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    return np.where(inside, values, np.float32(outside))


# --- Fillings -----------------------------------------------------------------------------------------------


def _tone(image: Image, rng: np.random.Generator) -> Array:
    """(3) a colour: dark greys most of all, then any grey, any colour, and skin like the picture's own."""
    draw = rng.random()
    if draw < 0.36:
        return rng.choice([rng.uniform(0, 12), rng.uniform(0, 60)]) + rng.normal(0, 2, 3)
    if draw < 0.56:
        return np.full(3, rng.uniform(0, 255)) + rng.normal(0, 3, 3)
    if draw < 0.80:
        return rng.uniform(0, 255, 3) * rng.choice([0.35, 1.0])
    skin = np.median(image[::8, ::8].reshape(-1, 3), 0)
    return skin * np.exp(rng.normal(0, 0.25)) * np.exp(rng.normal(0, 0.07, 3))


def _pattern(height_px: int, width_px: int, rng: np.random.Generator) -> Array:
    """(h,w,1) 0..1: stripes, weave, blotches or grain."""
    draw = rng.random()
    if draw < 0.6:
        u, v = _grid(height_px, width_px, rng.uniform(0, 100, 2), rng.uniform(0, np.pi))
        period = np.exp(rng.uniform(np.log(3), np.log(40)))
        wave = 0.5 + 0.5 * np.sin(2 * np.pi * u / period)
        if draw < 0.25:
            wave = wave * (0.5 + 0.5 * np.sin(2 * np.pi * v / (period * rng.uniform(0.5, 2))))
        if rng.random() < 0.5:
            wave = wave > rng.uniform(0.3, 0.7)
        return wave[..., None].astype(np.float32)
    cells = (int(rng.integers(3, height_px // 2)), int(rng.integers(3, width_px // 2)))
    return cv2.resize(
        rng.random(cells, dtype=np.float32), (width_px, height_px), interpolation=cv2.INTER_LINEAR
    )[..., None]


def texture_of(donor: Image, height_px: int, width_px: int, rng: np.random.Generator) -> Array:
    """(h,w,3) skin, cloth or background from a corner of another picture: never the eye in its middle."""
    size = int(rng.integers(donor.shape[0] // 8, donor.shape[0] // 4))
    y, x = (int(rng.choice([0, side - size])) for side in donor.shape[:2])
    patch = donor[y : y + size, x : x + size]
    scale = rng.uniform(0.6, 3)
    patch = cv2.resize(patch, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    rows, columns = -(-height_px // len(patch)), -(-width_px // patch.shape[1])
    tiles = [
        np.hstack([patch[:: 1 - 2 * (i % 2), :: 1 - 2 * (k % 2)] for k in range(columns)])
        for i in range(rows)
    ]
    return np.vstack(tiles)[:height_px, :width_px].astype(np.float32)


def filling(image: Image, donor: Image, distance: Array, size_px: float, rng: np.random.Generator) -> Array:
    """(h,w,3) 0..255 what a cover looks like; donor: another picture with an eye or a face in its middle."""
    height, width = image.shape[:2]
    draw = rng.random()
    if draw < 0.18:
        colour = texture_of(donor, height, width, rng)
        colour = colour * np.float32(rng.choice([1.0, rng.uniform(0.05, 1.2)]))
    else:
        colour = np.broadcast_to(_tone(image, rng), (height, width, 3)).astype(np.float32)
        if draw < 0.42:
            share = _pattern(height, width, rng) * np.float32(rng.choice([1.0, rng.uniform(0.1, 0.6)]))
            colour = colour + share * (_tone(image, rng).astype(np.float32) - colour)
    if rng.random() < 0.6:  # light falls on it unevenly
        coarse = rng.normal(0, rng.uniform(0.02, 0.3), (3, 4)).astype(np.float32)
        colour = colour * np.exp(
            cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
        )
    if rng.random() < 0.35:  # and it is round: darker, or lighter, towards its edge
        depth = np.clip(-distance / np.float32(size_px * rng.uniform(0.2, 1)), 0, 1)
        colour = colour * (1 + np.float32(rng.uniform(-0.3, 0.6)) * (np.sqrt(depth) - 1))[..., None]
    if rng.random() < 0.5:
        noise = rng.normal(0, rng.uniform(0.5, 5), (height, width, 3)).astype(np.float32)
        colour = colour + noise
    return np.clip(colour, 0, 255)


def _lens(image: Image, donor: Image, distance: Array, rng: np.random.Generator) -> Array:
    """(h,w,3) 0..255 a lens too dark to see through: what it mirrors, and what little it lets through."""
    height, width = image.shape[:2]
    through = image * np.float32(rng.choice([0.0, rng.uniform(0, FAINTEST_LENS)]))
    room = cv2.GaussianBlur(texture_of(donor, height, width, rng), (0, 0), rng.uniform(1, 12))
    mirrored = rng.choice([0.0, rng.uniform(0.0, 0.15), rng.uniform(0.1, 0.5)])
    body = rng.uniform(0, 25) * rng.uniform(0.4, 1, 3)
    down = np.linspace(1, 1 - rng.uniform(0, 1), height, dtype=np.float32)[:, None, None]
    colour = through + (room * np.float32(mirrored) + body) * down
    if rng.random() < 0.5:  # its rim
        rim = np.abs(distance) < rng.uniform(1, 6)
        colour[rim] = rng.uniform(0, 200) * rng.uniform(0.5, 1, 3)
    return np.clip(colour, 0, 255)


# --- Covers -------------------------------------------------------------------------------------------------


def lay(image: Image, share: Array, colour: Array) -> Image:
    """`colour` (h,w,3) over a picture where `share` (h,w) says."""
    out = image + share[..., None] * (colour.astype(np.float32) - image)
    return np.clip(out + 0.5, 0, 255).astype(np.uint8)


def soft_share(distance: Array, rng: np.random.Generator) -> Array:
    """0..1 from signed distances: a sharp edge, or one out of focus."""
    blur_px = rng.choice([0.7, np.exp(rng.uniform(np.log(0.7), np.log(6)))])
    return np.clip(0.5 - distance / np.float32(2 * blur_px), 0, 1)


def cast_shadow(image: Image, distance: Array, size_px: float, rng: np.random.Generator) -> Image:
    """The shadow of a shape on what is behind it."""
    reach = np.float32(size_px * rng.uniform(0.1, 0.8))
    shade = np.clip(1 - distance / reach, 0, 1) ** 2 * np.float32(rng.uniform(0.1, 0.7))
    fall = rng.normal(0, 0.2 * size_px, 2)
    shade = cv2.warpAffine(
        shade,
        np.float32([[1, 0, fall[0]], [0, 1, fall[1]]]),
        image.shape[1::-1],
        borderMode=cv2.BORDER_REPLICATE,
    )
    return (image * (1 - shade[..., None])).astype(np.uint8)


def shade_eye(image: Image, xy: Array, size_px: float, rng: np.random.Generator) -> Image:
    """A shadow over open skin and eye: everything stays to be seen, so that dark alone is not covered."""
    distance, _ = signed_distance(*image.shape[:2], xy.mean(0), size_px, rng)
    level = np.quantile(at(distance, xy, 0), rng.uniform(0, 1))
    soft = np.clip(0.5 - (distance - level) / np.float32(size_px * rng.uniform(0.05, 0.6)), 0, 1)
    darker = 1 - np.float32(rng.uniform(0.2, 0.8)) * soft[..., None]
    return (image * darker).astype(np.uint8)


def cover_eye(image: Image, xy: Array, rng: np.random.Generator, donor: Image) -> tuple[Image, Bools]:
    """One thing over, half over or beside an eye, or over its pupil alone; which of the points it hides.

    xy (K,2): the lid's 20 points, the iris' 19, any others, and last 12 around the pupil.
    """
    lid, iris, eye, pupil = xy[:20], xy[20:39], xy[:39], np.vstack([xy[20:21], xy[-12:]])
    height, width = image.shape[:2]
    canthal_px = float(np.linalg.norm(lid[10] - lid[0]))
    size_px = canthal_px * float(np.exp(rng.normal(np.log(0.55), 0.35)))
    centre = lid.mean(0) + rng.normal(0, 0.15 * canthal_px, 2)
    distance, hair = signed_distance(height, width, centre, size_px, rng)
    way = rng.random()
    lens = way < 0.66 and not hair and rng.random() < 0.15
    if way < 0.18:  # nothing but the cover is seen
        distance = np.full((height, width), -1e3, np.float32)
    elif way < 0.66:  # the whole eye, its iris or its pupil, and a margin that is narrow at times
        target = [np.vstack([lid, iris[:1]]), iris, pupil][int(np.searchsorted([0.55, 0.7], rng.random()))]
        widest = 0.1 if hair or target is pupil else 0.5
        margin_px = canthal_px * rng.uniform(0.02, widest)
        distance = distance - at(distance, target, -1e3).max() - np.float32(margin_px)
    elif way < 0.86:  # its edge runs through the eye
        inner = eye[int(rng.integers(len(eye)))] + rng.normal(0, 0.05 * canthal_px, 2)
        distance = distance - at(distance, inner[None], 0)[0]
    else:  # beside the eye
        free = at(distance, eye, 0)
        distance = distance - free.min() + np.float32(canthal_px * rng.uniform(0.03, 0.4))
    if rng.random() < 0.3:
        image = cast_shadow(image, distance, size_px, rng)
    colour = _lens(image, donor, distance, rng) if lens else filling(image, donor, distance, size_px, rng)
    share = soft_share(distance, rng)
    return lay(image, share, colour), at(share, xy, 0) > OPAQUE


# --- Over a face --------------------------------------------------------------------------------------------

# Outlines of face coverings by iBUG points; a mask's upper edge lies across the nose.
LOWER_JAW = tuple(range(1, 16))


def face_covering(xy: Array, rng: np.random.Generator) -> NDArray[np.float32]:
    """(n,2) outline of a surgical mask, a scarf or a veil by the 68 points of a face."""
    nose_point = rng.uniform(0.1, 1.0)  # along the bridge, from between the eyes to the tip
    bridge = xy[27] + nose_point * (xy[30] - xy[27])
    first = int(rng.integers(1, 4))
    jaw = xy[first : 17 - first]
    middle = xy[33]
    grown = middle + (jaw - middle) * np.float32(np.exp(rng.normal(0.03, 0.06)))
    if rng.random() < 0.4:  # coarse, as one draws it by hand
        keep = np.r_[0, np.sort(rng.choice(np.arange(1, len(grown) - 1), 3, replace=False)), len(grown) - 1]
        grown = grown[keep]
    if rng.random() < 0.35:  # a scarf: down to below the picture
        down = xy[8] - xy[27]
        grown = np.vstack([grown[:1], grown[:1] + down, grown[-1:] + down, grown[-1:]])
    cheeks = [0.5 * (grown[-1] + bridge), 0.5 * (grown[0] + bridge)]
    rise = np.float32(rng.uniform(-0.12, 0.08)) * (xy[27] - xy[8])
    return np.vstack([grown, cheeks[0] + rise, bridge, cheeks[1] + rise]).astype(np.float32)


def mask_distance(height_px: int, width_px: int, xy: Array, rng: np.random.Generator) -> Array:
    """Signed distances to the outline of a mask or a scarf."""
    mask = np.zeros((height_px, width_px), np.uint8)
    cv2.fillPoly(mask, [np.rint(face_covering(xy, rng) * 16).astype(np.int32)], 255, cv2.LINE_8, 4)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    return cv2.distanceTransform(255 - mask, cv2.DIST_L2, 3) - inside


def mask_face(image: Image, xy: Array, rng: np.random.Generator, donor: Image) -> tuple[Image, Bools]:
    """A mask or a scarf over the lower half of a face; which points (68) it hides."""
    distance = mask_distance(*image.shape[:2], xy, rng)
    share = soft_share(distance, rng)
    size_px = 0.22 * float(np.ptp(xy, axis=0).max())
    return lay(image, share, filling(image, donor, distance, size_px, rng)), at(share, xy, 0) > OPAQUE


def cover_face(image: Image, xy: Array, rng: np.random.Generator, donor: Image) -> tuple[Image, Bools]:
    """A mask, a scarf, a hand, a bar or a disc over a part of a face; which points (68) it hides."""
    height, width = image.shape[:2]
    face_px = float(np.ptp(xy, axis=0).max())
    size_px = face_px * float(np.exp(rng.normal(np.log(0.22), 0.35)))
    if rng.random() < 0.5:
        distance = mask_distance(height, width, xy, rng)
    else:
        parts = (
            range(17),
            range(27, 36),
            range(48, 68),
            range(36, 42),
            range(42, 48),
            range(31, 68),
            range(68),
        )
        target = xy[list(parts[int(rng.integers(len(parts)))])]
        centre = target.mean(0) + rng.normal(0, 0.08 * face_px, 2)
        distance, _ = signed_distance(height, width, centre, size_px, rng)
        if rng.random() < 0.4 and len(target) <= 37:
            distance = distance - np.quantile(at(distance, target, 1e3), rng.uniform(0.5, 1))
    share = soft_share(distance, rng)
    hidden = at(share, xy, 0) > OPAQUE
    if hidden.mean() > 0.75:  # too little of a face is left to be one
        return image, np.zeros(len(xy), bool)
    if rng.random() < 0.3:
        image = cast_shadow(image, distance, size_px, rng)
    return lay(image, share, filling(image, donor, distance, size_px, rng)), hidden
