"""Close-ups of single eyes with what is seen of the eyeball pixel by pixel: sclera, iris, pupil."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dmask.crops import EYE_CANTHAL_WIDTHS, REGIONS_HEIGHT_PX, REGIONS_WIDTH_PX, similarity
from dmask.evaluate.held_out import is_held_out
from dmask.evaluate.single_eye import EyeNets
from dmask.io.globe_masks import find_masks, read_masks, rough_canthi
from dmask.io.picture import read_unchanged
from dmask.synthetic import slit_light
from dmask.train.data import augment

Image = NDArray[np.uint8]
Shares = NDArray[np.uint8]  # (h,w,4) of 255
Array = NDArray[np.float32]

SCLERA, IRIS, PUPIL, UNTOLD = 1, 2, 3, 255
TOLD = 3  # the last of the shares
COVER_SHARE, DIM_SHARE, RESTYLE_SHARE = 0.15, 0.12, 0.25


@dataclass
class RegionEye:
    image: Image  # (h,w,3) RGB
    regions: Image  # (h,w) 0 none, SCLERA, IRIS, PUPIL, UNTOLD
    canthi: Array  # (2,2) px, inner and outer


def rendered(folder: Path, pattern: str) -> list[RegionEye]:
    """Of `render-eyes --finer`."""
    found = []
    for file in sorted(folder.glob(pattern)):
        with np.load(file) as z:
            parts = zip(z["images"], z["regions"], z["lid"][:, [0, 10]], strict=True)
            found += [RegionEye(image, regions, canthi) for image, regions, canthi in parts]
    if not found:
        raise FileNotFoundError(
            f"no {pattern} in {folder}; make them with dmask train render-eyes --finer 1.6"
        )
    return found


def masked(data: Path, validation: bool, nets: EyeNets) -> list[RegionEye]:
    """Close-ups with masks; their canthi are where the nets see them."""
    files = [file for file in find_masks(data / "eyes_masks") if is_held_out(file) == validation]
    found = []
    for file, eye in zip(files, read_masks(files), strict=True):
        picture = np.ascontiguousarray(eye.picture[:, :, ::-1])
        canthi = rough_canthi(eye)
        if (eye.globe > 0).sum() > 100:
            canthi = nets.look(picture, canthi, eye.right).lid[[0, 10]]
        regions = read_unchanged(file)
        regions = np.where(regions > PUPIL, 0, regions).astype(np.uint8)
        found.append(RegionEye(picture, regions, canthi.astype(np.float32)))
    return found


class RegionSampler:
    """batch(rng, n, strength) -> crops (n,192,256,3) and what of their pixels is what."""

    def __init__(self, sources: list[tuple[list[RegionEye], float]]) -> None:
        self.sources = [eyes for eyes, _ in sources]
        shares = np.array([share for _, share in sources])
        self.cumulative = np.cumsum(shares / shares.sum())

    def batch(self, rng: np.random.Generator, n: int, strength: float = 1.0) -> dict[str, NDArray]:
        rows = [self.crop(rng, strength) for _ in range(n)]
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    def drawn(self, rng: np.random.Generator) -> RegionEye:
        k = min(int(np.searchsorted(self.cumulative, rng.random())), len(self.sources) - 1)
        return self.sources[k][int(rng.integers(len(self.sources[k])))]

    def crop(self, rng: np.random.Generator, strength: float) -> dict[str, NDArray]:
        eye = self.drawn(rng)
        matrix = placed(eye, rng, strength)
        image, shares = cut(eye, matrix)
        canthi = augment.transform(matrix, eye.canthi)
        if rng.random() < COVER_SHARE * strength:
            other = self.drawn(rng)
            donor, _ = cut(other, placed(other, rng, 1.0))
            image, shares = covered(image, shares, donor, rng)
        # What a beam or a reflex hides stays what it is: the lamp changes the picture alone.
        image = slit_light.light_up(image, canthi, rng, strength)
        if rng.random() < RESTYLE_SHARE * strength:
            image = augment.restyle(image, rng, strength)
        image = augment.degrade(image, rng, strength)
        if rng.random() < DIM_SHARE * strength:
            image = augment.dim(image, rng)
        image = augment.brighten(image)
        return {"image": image} | maps_of(shares)


def placed(eye: RegionEye, rng: np.random.Generator | None, strength: float) -> Array:
    """(2,3) map to a crop, with a tracker's errors; without `rng` as a perfect one would cut it."""
    inner, outer = eye.canthi.astype(float)
    along = outer - inner
    scale = REGIONS_WIDTH_PX / (EYE_CANTHAL_WIDTHS * max(float(np.linalg.norm(along)), 1.0))
    mirror = bool(along[0] < 0)
    angle = -np.arctan2(along[1], -along[0] if mirror else along[0])
    target = np.array([REGIONS_WIDTH_PX - 1, REGIONS_HEIGHT_PX - 1]) / 2
    if rng is not None:
        spread = 0.5 + 0.5 * strength
        scale *= 1 + 0.2 * spread * rng.uniform(-1, 1)
        angle += np.deg2rad(12) * spread * rng.uniform(-1, 1)
        target = target + 0.06 * spread * REGIONS_WIDTH_PX * rng.uniform(-1, 1, 2)
        mirror ^= bool(rng.random() < 0.5)  # the regions of an eye have no side
        if mirror != bool(along[0] < 0):
            angle = -np.arctan2(along[1], -along[0] if mirror else along[0])
            angle = np.remainder(angle + np.pi / 2, np.pi) - np.pi / 2
    return similarity(scale, angle, 0.5 * (inner + outer), target, mirror)


def cut(eye: RegionEye, matrix: Array) -> tuple[Image, Shares]:
    """Picture of a crop, and what share of each of its pixels is eyeball, iris with pupil, pupil, told."""
    scale, size = float(np.hypot(matrix[0, 0], matrix[1, 0])), (REGIONS_WIDTH_PX, REGIONS_HEIGHT_PX)
    image = eye.image
    if scale < 1:
        image = cv2.GaussianBlur(image, (0, 0), 0.45 * np.sqrt(1 / scale**2 - 1) + 1e-3)
    image = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    told = eye.regions != UNTOLD
    layers = [told & (eye.regions >= SCLERA), told & (eye.regions >= IRIS), eye.regions == PUPIL, told]
    # Twice as fine, and the mean of four: a border through a pixel has a share of it.
    finer = np.array([[2, 0, 0.5], [0, 2, 0.5]]) @ np.vstack([matrix, [0, 0, 1]])
    twice = size[0] * 2, size[1] * 2
    drawn = cv2.warpAffine(
        np.stack(layers, -1).astype(np.uint8) * 255, finer, twice,
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0),
    )  # fmt: skip
    return image, cv2.resize(drawn, size, interpolation=cv2.INTER_AREA)


def covered(image: Image, shares: Shares, donor: Image, rng: np.random.Generator) -> tuple[Image, Shares]:
    """Something before the eye: what it hides is no eyeball."""
    mask = augment.patch_mask(rng, *shares.shape[:2])
    filling = np.roll(donor, int(rng.integers(40, 120)), 0)
    if rng.random() < 0.5:
        filling = np.full_like(image, rng.integers(0, 256, 3))
    inside = mask > 127
    out, hidden = image.copy(), shares.copy()
    out[inside], hidden[inside, :TOLD] = filling[inside], 0
    return out, hidden


def maps_of(shares: Shares) -> dict[str, NDArray]:
    """What the net should say, (3,h,w) shares of eyeball, iris with pupil, pupil; and what counts."""
    planes = shares.transpose(2, 0, 1)
    known = np.repeat((planes[TOLD:] > 250).astype(np.float32), TOLD, 0)
    return {"regions": planes[:TOLD].astype(np.float32) / 255, "known": known}
