"""The published pictures and meshes the eyes are rendered from: skins, irises, lid mesh."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from dmask.io.picture import read_named, read_unchanged
from dmask.train.render_eyes.geometry import EyeRegion, load_eye_region

VALIDATION_SKINS = ("f05", "m13", "m14", "m15")
VALIDATION_IRISES = ("green",)
# Skins whose looking-down picture shows the crease like the other one.
CREASE_IN_BOTH = ("m01",)
TEXTURE_PX = 640
BORDER_PX = 128  # the skin carried on beyond the published pictures
CANVAS_PX = TEXTURE_PX + 2 * BORDER_PX
IRIS_PX = 512
GROOVE_WIDTHS_MM = (0.5, 0.8, 1.2)  # below the lower lid's bulge
IRIS_TEXTURE_RADIUS = 0.1385  # of the picture's width; the limbus in the eyeball pictures
PUPIL_TEXTURE_RADIUS = 0.0685


@dataclass(frozen=True)
class Skin:
    name: str
    colour: list[np.ndarray]  # uint8 (h,w,3) RGB, sRGB; fine and at half the size
    colour_looking_down: list[np.ndarray]
    slope: list[np.ndarray]  # f32 (h,w,2) of the displacement, full scale = 1, per unit of u and of v
    tone: np.ndarray  # (3) mean linear colour


@dataclass(frozen=True)
class EyeAssets:
    folder: Path
    region: EyeRegion
    skin_names: tuple[str, ...]  # those of the split
    iris_names: tuple[str, ...]
    all_skin_names: tuple[str, ...]
    all_iris_names: tuple[str, ...]
    crease_band: np.ndarray  # f32 (h,w) 1 on the upper half of the crease in texture space
    bulge_reliefs: tuple[np.ndarray, ...]  # f32 (h,w,3), narrow to wide; see _bulge_relief

    def skin(self, name: str) -> Skin:
        return _read_skin(self.folder, name)

    def iris(self, name: str) -> np.ndarray:
        """uint8 (IRIS_PX,IRIS_PX,3) RGB."""
        return _read_iris(self.folder, name)


def load_assets(folder: Path, split: str) -> EyeAssets:
    """split: "train" or "validation"; people and iris pictures of the two are apart.

    Raises FileNotFoundError if `folder` is not the UnityEyes2 data, ValueError for another split.
    """
    if split not in ("train", "validation"):
        raise ValueError(f"split is {split!r}, expected 'train' or 'validation'")
    if not (folder / "topology.json").is_file():
        raise FileNotFoundError(
            f"{folder} has no topology.json: name the folder `unityeyes2` of the training data"
        )
    skins = tuple(sorted(path.name.split("_")[0] for path in (folder / "skin").glob("*_color.jpg")))
    irises = tuple(sorted(path.stem.removeprefix("eyeball_") for path in (folder / "iris").glob("*.png")))
    held_out = split == "validation"
    region = load_eye_region(folder)
    region.uv = (region.uv * TEXTURE_PX + BORDER_PX) / CANVAS_PX
    return EyeAssets(
        folder=folder,
        region=region,
        skin_names=tuple(name for name in skins if (name in VALIDATION_SKINS) == held_out),
        iris_names=tuple(name for name in irises if (name in VALIDATION_IRISES) == held_out),
        all_skin_names=skins,
        all_iris_names=irises,
        crease_band=_crease_band(region),
        bulge_reliefs=tuple(_bulge_relief(region, width_mm) for width_mm in GROOVE_WIDTHS_MM),
    )


def _read_rgb(path: Path, size: int) -> np.ndarray:
    picture = read_named(path)
    return cv2.cvtColor(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)


@lru_cache(maxsize=64)
def _read_skin(folder: Path, name: str) -> Skin:
    colour = _extend(_read_rgb(folder / f"skin/{name}_color.jpg", TEXTURE_PX))
    down = _extend(_read_rgb(folder / f"skin/{name}_color_look_down.jpg", TEXTURE_PX))
    raised = read_unchanged(folder / f"skin/{name}_disp.png")
    raised = raised if raised.ndim == 2 else raised[..., 0]
    height = cv2.resize(
        raised.astype(np.float32) / 65535, (TEXTURE_PX, TEXTURE_PX), interpolation=cv2.INTER_AREA
    )
    height = cv2.GaussianBlur(height, (0, 0), 1.0)
    height = cv2.copyMakeBorder(height, *[BORDER_PX] * 4, cv2.BORDER_REPLICATE)
    slope = (
        np.stack([cv2.Sobel(height, cv2.CV_32F, 1, 0), cv2.Sobel(height, cv2.CV_32F, 0, 1)], -1)
        / 8
        * CANVAS_PX
    )
    first = np.round(BORDER_PX + np.array([0.78, 0.35]) * TEXTURE_PX).astype(int)
    last = np.round(BORDER_PX + np.array([0.88, 0.80]) * TEXTURE_PX).astype(int)
    cheek = colour[first[0] : last[0], first[1] : last[1]]
    return Skin(name, _levels(colour), _levels(down), _levels(slope), ((cheek / 255.0) ** 2.2).mean((0, 1)))


def _levels(texture: np.ndarray) -> list[np.ndarray]:
    return [texture, cv2.resize(texture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)]


def _extend(picture: np.ndarray) -> np.ndarray:
    """Replace the plain surround of the photographed skin by its colours carried outwards, with grain."""
    plain = picture[-3:, -3:].reshape(-1, 3).mean(0)
    border = [BORDER_PX] * 4
    picture = cv2.copyMakeBorder(picture, *border, cv2.BORDER_CONSTANT, value=plain.tolist())
    same = (np.abs(picture - plain).max(-1) < 14).astype(np.uint8)
    _, label = cv2.connectedComponents(same)
    corners = {label[y, x] for y in (2, -3) for x in (2, -3, CANVAS_PX // 2) if same[y, x]}
    surround = np.isin(label, list(corners)).astype(np.uint8)
    surround = cv2.morphologyEx(surround, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    keep = 1 - cv2.dilate(surround, np.ones((25, 25), np.uint8))
    _, island, stats, _ = cv2.connectedComponentsWithStats(keep)
    keep = (island == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()).astype(np.float32)
    small = (CANVAS_PX // 4, CANVAS_PX // 4)
    rim = keep * cv2.dilate(1 - keep, np.ones((41, 41), np.uint8))  # brow and lids would darken the mean
    weight = cv2.resize(rim, small, interpolation=cv2.INTER_AREA)
    source = cv2.resize(picture * rim[..., None], small, interpolation=cv2.INTER_AREA)
    filled, known = np.zeros_like(source), np.zeros_like(weight)
    for sigma in (1, 3, 8, 20, 50):
        near = cv2.GaussianBlur(weight, (0, 0), sigma)
        colour = cv2.GaussianBlur(source, (0, 0), sigma) / np.maximum(near, 1e-6)[..., None]
        share = np.clip(near * 8 - 0.5, 0, 1) * (1 - known)
        filled += share[..., None] * colour
        known += share
    filled += (1 - known)[..., None] * plain
    filled = cv2.resize(filled, keep.shape[::-1], interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 1, (3, *keep.shape)).astype(np.float32)
    for layer, sigma, strength in zip(grain, (0.8, 4, 14), (3, 2.5, 3), strict=True):
        layer[:] = cv2.GaussianBlur(layer, (0, 0), sigma)
        filled += strength * (layer / layer.std())[..., None]
    soft = np.clip(2 * cv2.GaussianBlur(keep, (0, 0), 10) - 1, 0, 1)[..., None]
    return np.clip(soft * picture + (1 - soft) * filled, 0, 255).astype(np.uint8)


@lru_cache(maxsize=16)
def _read_iris(folder: Path, name: str) -> np.ndarray:
    return _read_rgb(folder / f"iris/eyeball_{name}.png", IRIS_PX)


def _crease_band(region: EyeRegion) -> np.ndarray:
    chain = region.chains[4][: region.half + 1]
    band = np.zeros((CANVAS_PX, CANVAS_PX), np.float32)
    points = np.round(region.uv[chain] * CANVAS_PX).astype(np.int32)
    cv2.polylines(band, [points], False, 1.0, 26)
    return np.minimum(1, cv2.GaussianBlur(band, (0, 0), 6))


def _bulge_relief(region: EyeRegion, width_mm: float) -> np.ndarray:
    """f32 (h,w,3): the roll of the lower lid before the tarsus and the groove below it.

    Slopes (mm) per unit of u and of v for a bulge of 1 mm, and where the groove is, 0 .. 1.
    """
    half, column = region.half, region.half // 10
    fold, rim = (np.append(region.chains[k][half:], region.chains[k][0]) for k in (3, 1))
    line = region.uv[fold] * CANVAS_PX
    px_per_mm = (
        np.linalg.norm(np.diff(line, axis=0), axis=1).sum()
        / np.linalg.norm(np.diff(region.smooth[fold] @ region.mean_mm, axis=0), axis=1).sum()
    )
    off_line = np.full((CANVAS_PX, CANVAS_PX), 255, np.uint8)
    cv2.polylines(off_line, [np.round(line).astype(np.int32)], False, 0, 1)
    distance = cv2.distanceTransform(off_line, cv2.DIST_L2, 5) / px_per_mm
    lid = np.zeros_like(off_line)
    outline = np.concatenate([line, region.uv[rim[::-1]] * CANVAS_PX])
    cv2.fillPoly(lid, [np.round(outline).astype(np.int32)], 1)
    height_mm = np.linalg.norm((region.uv[rim] - region.uv[fold])[len(fold) // 2]) * CANVAS_PX / px_per_mm
    groove = np.exp(-((distance / width_mm) ** 2))
    share = np.clip(distance / height_mm, 0, 1)
    roll = lid * np.sin(np.pi * share**0.6) ** 2
    # It runs out towards the canthi.
    first, last = line[-1 - column, 0], line[column, 0]
    s = np.clip((np.arange(CANVAS_PX) - first) / (last - first), 0, 1)
    taper = (np.sin(np.pi * s) ** 0.5)[None, :]
    raised = cv2.GaussianBlur((0.5 * roll - 0.4 * width_mm * groove) * taper, (0, 0), 1.0)
    slope = [cv2.Sobel(raised, cv2.CV_64F, *step) / 8 * CANVAS_PX for step in ((1, 0), (0, 1))]
    return np.stack([*slope, groove * taper], -1).astype(np.float32)
