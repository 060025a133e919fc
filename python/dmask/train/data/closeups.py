"""Views for the net that finds eyes: pictures with known canthi, shown near and far, turned, badly lit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dmask.crops import FINDER_HEIGHT_PX, FINDER_WIDTH_PX, similarity
from dmask.evaluate.held_out import is_held_out
from dmask.io.globe_masks import find_masks, read_masks, rough_canthi
from dmask.io.picture import read_named
from dmask.synthetic import slit_light
from dmask.synthetic.patterns import nothing
from dmask.train.data import augment, covers, faces
from dmask.train.data.finder_maps import targets

Image = NDArray[np.uint8]
Array = NDArray[np.float32]

SMALLEST_PX, LARGEST_PX = 11.0, 210.0  # between the canthi, in the view
COUNTS_FROM_PX = 9.0  # smaller ones need neither be found nor not
LEAST_OF_VIEW = 0.7  # that a picture of an eye alone fills
LEAST_CONTRAST = 4.0  # grey levels
COVERED = 0.5  # of the points between the canthi, from which on an eye does not count
EYELESS_SHARE = 0.22  # of the views
COVER_SHARE, DIM_SHARE, RESTYLE_SHARE = 0.2, 0.15, 0.3
SMALLEST_SOURCE_PX = 380  # longer side that photographs are shrunk to
TRIES = 30


@dataclass
class Scene:
    """A picture, RGB, and all of its eyes: (K,2,2) px of the canthi, inner and outer."""

    image: Image
    canthi: Array
    alone: bool = False  # it shows no more than the eye and the skin about it


def of_68(image: Image, xy: Array) -> Scene:
    """Of a face by its 68 points; the picture is shrunk."""
    share = min(1.0, SMALLEST_SOURCE_PX / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA) if share < 1 else image
    eyes = xy[[[39, 36], [42, 45]]]
    return Scene(np.ascontiguousarray(small), ((eyes + 0.5) * share - 0.5).astype(np.float32))


def photographs(data: Path, validation: bool, machine_limit: int = 2500) -> Iterator[Scene]:
    """People's faces, and without `validation` some that a machine labelled."""
    human = faces.split_human(data)
    for people in (human[1],) if validation else (faces.unbiased(human[0]),):
        for path, xy in zip(people.paths, people.image_xy, strict=True):
            yield of_68(read_named(path)[:, :, ::-1], xy)
    if validation:
        return
    machine, agreed = faces.machine_faces(data, human[0], faces.EYES_AGREE)
    for i in np.flatnonzero(agreed)[:machine_limit]:
        yield of_68(read_named(machine.paths[i])[:, :, ::-1], machine.image_xy[i])


def masked(data: Path, validation: bool) -> Iterator[Scene]:
    """Close-ups with masks of the globe."""
    files = [file for file in find_masks(data / "eyes_masks") if is_held_out(file) == validation]
    for eye in read_masks(files):
        if (eye.globe > 0).sum() > 100:
            canthi = rough_canthi(eye)[None].astype(np.float32)
            yield Scene(np.ascontiguousarray(eye.picture[:, :, ::-1]), canthi, True)


def rendered_faces(folder: Path, validation: bool) -> Iterator[Scene]:
    """Of `render-patients --faces` and `render-faces`."""
    for file in sorted(folder.glob("validation*.npz" if validation else "train*.npz")):
        with np.load(file) as z:
            for image, xy in zip(z["images"], z["xy"], strict=True):
                yield Scene(image, xy[[[39, 36], [42, 45]]].astype(np.float32))


def rendered_eyes(folder: Path, pattern: str, limit: int) -> Iterator[Scene]:
    """Of `render-eyes` and `render-patients`: the inner canthus is left in all of them."""
    files = sorted(folder.glob(pattern))
    for file in files:
        with np.load(file) as z:
            images, canthi = z["images"], z["lid"][:, [0, 10]]
        for k in range(min(len(images), -(-limit // len(files)))):
            yield Scene(images[k], canthi[None, k].astype(np.float32), True)


@dataclass
class Source:
    scenes: list[Scene]
    share: float  # of the views


class View(NamedTuple):
    image: Image  # (128,192,3) RGB
    canthi: Array  # (K,2,2) px, left and right in the picture
    inner_right: Array  # (K) 1 where the right one is the inner
    counts: NDArray[np.bool_]  # (K) whether it has to be found


NO_EYES = np.zeros((0, 2, 2), np.float32), np.zeros(0, np.float32), np.zeros(0, bool)


class CloseUpSampler:
    """batch(rng, n, strength) -> views (n,128,192,3) and the maps that they should give."""

    def __init__(self, sources: list[Source]) -> None:
        self.sources = [source for source in sources if source.scenes]
        shares = np.array([source.share for source in self.sources])
        self.cumulative = np.cumsum(shares / shares.sum())

    def batch(self, rng: np.random.Generator, n: int, strength: float = 1.0) -> dict[str, NDArray]:
        rows = [self.view(rng, strength) for _ in range(n)]
        maps = [targets(row.canthi, row.inner_right, row.counts) for row in rows]
        image = np.stack([row.image for row in rows])
        return {"image": image} | {name: np.stack([one[name] for one in maps]) for name in maps[0]}

    def drawn(self, rng: np.random.Generator) -> Scene:
        source = self.sources[min(int(np.searchsorted(self.cumulative, rng.random())), len(self.sources) - 1)]
        return source.scenes[int(rng.integers(len(source.scenes)))]

    def eyeless(self, rng: np.random.Generator, strength: float) -> Image:
        return self.photographed(self.without_eyes(rng), np.zeros((0, 2, 2), np.float32), rng, strength)[0]

    def view(self, rng: np.random.Generator, strength: float, eyeless: bool = True) -> View:
        """`eyeless`: some without an eye."""
        if eyeless and rng.random() < EYELESS_SHARE:
            return View(self.eyeless(rng, strength), *NO_EYES)
        image, canthi = placed(self.drawn(rng), rng)
        image, hidden = self.photographed(image, canthi, rng, strength)
        ordered, inner_right = left_and_right(canthi)
        return View(image, ordered, inner_right, ~hidden & countable(canthi))

    def photographed(
        self, image: Image, canthi: Array, rng: np.random.Generator, strength: float
    ) -> tuple[Image, NDArray[np.bool_]]:
        """As a lamp and a camera show it; and which of the eyes (K,2,2) something hides."""
        hidden = np.zeros(len(canthi), bool)
        if len(canthi):
            middle = np.array([FINDER_WIDTH_PX, FINDER_HEIGHT_PX]) / 2
            nearest = int(np.argmin(np.linalg.norm(canthi.mean(1) - middle, axis=1)))
            if rng.random() < COVER_SHARE * strength:
                image, hidden = self.cover(image, canthi, nearest, rng)
            image = slit_light.light_up(image, canthi[nearest], rng, strength)
        else:
            middle = np.array([[60, 64], [130, 64]], np.float32) + rng.normal(0, 15, (2, 2)).astype(
                np.float32
            )
            image = slit_light.light_up(image, middle, rng, strength)
        if rng.random() < RESTYLE_SHARE * strength:
            image = augment.restyle(image, rng, strength)
        image = augment.degrade(image, rng, strength)
        if rng.random() < DIM_SHARE * strength:
            image = augment.dim(image, rng)
        image = augment.brighten(image, float(image.mean()) * float(np.exp(rng.normal(0, 0.2))))
        return image, hidden | ~in_sight(image, canthi)

    def cover(
        self, image: Image, canthi: Array, which: int, rng: np.random.Generator
    ) -> tuple[Image, NDArray[np.bool_]]:
        """Something before an eye; an eye of which most is hidden does not count."""
        along = np.linspace(0, 1, 9, dtype=np.float32)[:, None]
        points = [inner + along * (outer - inner) for inner, outer in canthi]
        donor = nothing(rng, FINDER_HEIGHT_PX, FINDER_WIDTH_PX)
        if rng.random() < 0.5:
            skin = covers.texture_of(self.drawn(rng).image, FINDER_HEIGHT_PX, FINDER_WIDTH_PX, rng)
            donor = np.clip(skin, 0, 255).astype(np.uint8)
        image, hides = augment.occlude(image, points[which], rng, donor)
        hidden = np.zeros(len(canthi), bool)
        hidden[which] = hides.mean() > COVERED
        return image, hidden

    def without_eyes(self, rng: np.random.Generator) -> Image:
        """A part of a picture in which no eye is, or no picture of anything."""
        if rng.random() < 0.7:
            for _ in range(TRIES):
                scene = self.drawn(rng)
                if scene.alone:
                    continue
                matrix = somewhere(scene, rng)
                canthi = augment.transform(matrix, scene.canthi.reshape(-1, 2)).reshape(-1, 2, 2)
                if not near_view(canthi).any():
                    return shown(scene.image, matrix, rng)
        return nothing(rng, FINDER_HEIGHT_PX, FINDER_WIDTH_PX)


def placed(scene: Scene, rng: np.random.Generator) -> tuple[Image, Array]:
    """A view of a scene with one of its eyes in it, and all eyes' canthi in it."""
    inner, outer = scene.canthi[int(rng.integers(len(scene.canthi)))]
    apart_px = max(float(np.linalg.norm(outer - inner)), 1.0)
    least = SMALLEST_PX
    if scene.alone:  # it fills most of the view
        least = LEAST_OF_VIEW * FINDER_WIDTH_PX / scene.image.shape[1] * apart_px
    wide = np.exp(rng.uniform(np.log(least), np.log(LARGEST_PX)))
    turn = np.radians(np.clip(rng.normal(0, 15) if rng.random() < 0.7 else rng.uniform(-50, 50), -50, 50))
    size = np.array([FINDER_WIDTH_PX, FINDER_HEIGHT_PX])
    # Its middle lies in the view; of a large one an end may lie outside.
    target = rng.uniform(0.04, 0.96, 2) * size if rng.random() < 0.6 else rng.normal(0.5, 0.12, 2) * size
    mirror = bool(rng.random() < 0.5)
    own = np.arctan2(*(outer - inner)[::-1])
    if np.cos(own) < 0:
        own += np.pi
    angle = turn - own if not mirror else turn + own
    matrix = similarity(wide / apart_px, angle, 0.5 * (inner + outer), target, mirror)
    canthi = augment.transform(matrix, scene.canthi.reshape(-1, 2)).reshape(-1, 2, 2)
    return shown(scene.image, matrix, rng), canthi[near_view(canthi)]


def somewhere(scene: Scene, rng: np.random.Generator) -> Array:
    """A map from a scene to a view of any part of it."""
    height, width = scene.image.shape[:2]
    scale = np.exp(rng.uniform(np.log(0.6), np.log(5))) * FINDER_WIDTH_PX / width
    centre = rng.uniform(0, 1, 2) * [width, height]
    middle = [FINDER_WIDTH_PX / 2, FINDER_HEIGHT_PX / 2]
    return similarity(scale, rng.uniform(-0.9, 0.9), centre, middle, bool(rng.random() < 0.5))


def near_view(canthi: Array) -> NDArray[np.bool_]:
    """(K) whether anything of each eye (K,2,2) may be in the view."""
    width = np.linalg.norm(canthi[:, 1] - canthi[:, 0], axis=1)[:, None]
    middle, size = canthi.mean(1), np.array([FINDER_WIDTH_PX, FINDER_HEIGHT_PX])
    return np.asarray(((middle > -0.6 * width) & (middle < size + 0.6 * width)).all(1))


def countable(canthi: Array) -> NDArray[np.bool_]:
    """(K) whether an eye has to be found: its middle is in the view, and it is neither tiny nor huge."""
    width = np.linalg.norm(canthi[:, 1] - canthi[:, 0], axis=1)
    middle, size = canthi.mean(1), np.array([FINDER_WIDTH_PX, FINDER_HEIGHT_PX])
    inside = ((middle > 0) & (middle < size - 1)).all(1)
    return np.asarray(inside & (width > COUNTS_FROM_PX) & (width < 1.1 * LARGEST_PX))


def in_sight(image: Image, canthi: Array) -> NDArray[np.bool_]:
    """(K) whether light and camera leave anything of an eye: where it is, the picture is not all alike."""
    soft = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    told = []
    for ends in canthi:
        half = 0.5 * float(np.linalg.norm(ends[1] - ends[0]))
        low = np.clip(ends.mean(0) - [half, 0.6 * half], 0, None).astype(int)
        x0, y0, x1, y1 = (*low, *np.ceil(ends.mean(0) + [half, 0.6 * half]).astype(int))
        part = soft[y0 : max(y1, 0), x0 : max(x1, 0)]
        told.append(part.size > 0 and float(part.std()) > LEAST_CONTRAST)
    return np.array(told, bool)


def left_and_right(canthi: Array) -> tuple[Array, Array]:
    """(K,2,2) inner and outer -> left and right in the picture; (K) 1 where the right one is inner."""
    inner_right = canthi[:, 0, 0] > canthi[:, 1, 0]
    ordered = np.where(inner_right[:, None, None], canthi[:, ::-1], canthi)
    return ordered.astype(np.float32), inner_right.astype(np.float32)


def shown(image: Image, matrix: Array, rng: np.random.Generator) -> Image:
    """The view that a map leads to; what lies outside of the picture is black, of one colour, or smeared."""
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 1:
        image = cv2.GaussianBlur(image, (0, 0), 0.45 * np.sqrt(1 / scale**2 - 1) + 1e-3)
    draw = rng.random()
    border = cv2.BORDER_REPLICATE if draw < 0.35 else cv2.BORDER_CONSTANT
    colour = (0, 0, 0) if draw < 0.75 else tuple(float(v) for v in rng.integers(0, 256, 3))
    size = FINDER_WIDTH_PX, FINDER_HEIGHT_PX
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border, borderValue=colour)


def research_sources(data: Path, synthetic: Path, synthetic_faces: Path) -> list[Source]:
    return [
        Source(list(photographs(data, False)), 0.38),
        Source(list(masked(data, False)), 0.12),
        *open_sources(synthetic, synthetic_faces, 0.5),
    ]


def open_sources(synthetic: Path, synthetic_faces: Path, share: float = 1.0) -> list[Source]:
    """Renders alone."""
    return [
        Source(list(rendered_faces(synthetic_faces, False)), 0.4 * share),
        Source(list(rendered_eyes(synthetic, "train*.npz", 3000)), 0.25 * share),
        Source(list(rendered_eyes(synthetic, "studio_train*.npz", 2000)), 0.25 * share),
        Source(list(rendered_eyes(synthetic, "patients_train*.npz", 1200)), 0.1 * share),
    ]


def held_out_sources(data: Path, synthetic: Path, synthetic_faces: Path) -> dict[str, list[Source]]:
    """By what they are of."""
    return {
        "photo": [Source(list(photographs(data, True)), 1)],
        "mask": [
            Source(list(masked(data, True)), 1),
            Source(list(rendered_faces(synthetic_faces, True)), 0),
        ],
        "render": [
            Source(list(rendered_eyes(synthetic, "validation*.npz", 600)), 0.6),
            Source(list(rendered_faces(synthetic_faces, True)), 0.4),
        ],
    }
