"""What is painted on a rendered head: skin, lips, brows, beard, make-up, all procedural, on the skin map."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from dmask.train.render_faces.head import HeadModel, spherical

MAP_WIDTH, MAP_HEIGHT = 512, 396
AZIMUTH_DEG = 110.0  # the map reaches from -110 to +110
TOP_DEG = 80.0
PX_PER_DEG = MAP_WIDTH / (2 * AZIMUTH_DEG)
POOL_PX = 1024


def to_map(uv_deg: np.ndarray) -> np.ndarray:
    """Pixels (n,2) of the painted map."""
    return (np.asarray(uv_deg) * [1, -1] + [AZIMUTH_DEG, TOP_DEG]) * PX_PER_DEG - 0.5


def to_uv(pixels: np.ndarray) -> np.ndarray:
    return ((np.asarray(pixels) + 0.5) / PX_PER_DEG - [AZIMUTH_DEG, TOP_DEG]) * [1, -1]


@lru_cache(maxsize=1)
def _noise_pool() -> dict[str, np.ndarray]:
    """Textures (1024,1024) f32, mean 0, deviation 1; pieces of them are cut out at random places."""
    rng = np.random.default_rng(0)
    white = rng.normal(0, 1, (6, POOL_PX, POOL_PX)).astype(np.float32)
    pool = {
        "fine": cv2.GaussianBlur(white[0], (0, 0), 0.7),
        "pores": cv2.GaussianBlur(white[1], (0, 0), 1.6),
        "blotches": cv2.GaussianBlur(white[2], (0, 0), 7),
        "broad": cv2.GaussianBlur(white[3], (0, 0), 32),
        "curls": cv2.GaussianBlur(white[5], (0, 0), 4) ** 2,
    }
    thin = cv2.GaussianBlur(white[4], (3, 121), 0.6, sigmaY=24)
    locks = cv2.GaussianBlur(white[5], (31, 151), 5, sigmaY=30)
    pool["strands"] = thin / thin.std() + locks / locks.std()
    return {name: ((a - a.mean()) / a.std()).astype(np.float32) for name, a in pool.items()}


def noise(kind: str, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    y, x = rng.integers(0, POOL_PX - height + 1), rng.integers(0, POOL_PX - width + 1)
    piece = _noise_pool()[kind][y : y + height, x : x + width]
    return piece[:, ::-1] if rng.random() < 0.5 else piece


@dataclass(frozen=True)
class Regions:
    """Soft masks (h,w) f32 0..1 on the painted map, and outlines (n,2) in its pixels."""

    lips: np.ndarray
    cheeks: np.ndarray
    nose: np.ndarray
    beard: np.ndarray
    moustache: np.ndarray
    lids: np.ndarray
    under_eyes: np.ndarray
    brows: tuple[np.ndarray, np.ndarray]  # OD, OS: the five landmarks from the tail inwards
    folds: tuple[np.ndarray, ...]  # lines that wrinkle
    creases: tuple[np.ndarray, ...]  # of the upper lids


def find_regions(model: HeadModel) -> Regions:
    px = to_map(spherical(model.mean_mm[model.landmarks])[:, :2])

    def area(points: np.ndarray, blur: float) -> np.ndarray:
        mask = np.zeros((MAP_HEIGHT, MAP_WIDTH), np.float32)
        cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 1.0, cv2.LINE_8, 4)
        return cv2.GaussianBlur(mask, (0, 0), blur) if blur else mask

    def spots(centres: np.ndarray, sigma_px: float) -> np.ndarray:
        y, x = np.mgrid[:MAP_HEIGHT, :MAP_WIDTH].astype(np.float32)
        near = [np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * sigma_px**2)) for a, b in centres]
        return np.max(near, 0).astype(np.float32)

    eyes = [px[36:42], px[42:48]]
    middles = np.stack([eye.mean(0) for eye in eyes])
    mouth = px[48:60].mean(0)
    cheeks = np.stack([[0.45 * m[0] + 0.55 * px[k][0], 0.5 * (m[1] + mouth[1]) - 3]
                       for m, k in zip(middles, (2, 14), strict=True)])  # fmt: skip
    moustache = np.array([px[48] - [4, 0], px[31] + [-6, 6], px[33] + [0, 4], px[35] + [6, 6],
                          px[54] + [4, 0], px[52], px[51], px[50]])  # fmt: skip
    below = px[8] + [0, 40]
    jaw = np.concatenate([px[1:3] + [3, 0], px[3:8] + [0, 6], [below], px[9:14] + [0, 6], px[14:16] - [3, 0]])
    inner = np.array([px[13] - [22, 4], px[54] + [14, 6], px[54] + [4, -2], px[48] + [-4, -2],
                      px[48] + [-14, 6], px[3] + [22, -4]])  # fmt: skip
    beard = np.maximum(area(np.concatenate([jaw, inner]), 9), area(moustache, 3))
    lids = np.max([spots([m + [0, -4]], 11) for m in middles], 0)
    folds = (
        np.array([px[31] + [-4, -8], px[48] + [-12, -10], px[48] + [-11, 14]]),
        np.array([px[35] + [4, -8], px[54] + [12, -10], px[54] + [11, 14]]),
        *[np.array([px[19] + [0, d], px[27] + [0, d - 14], px[24] + [0, d]]) for d in (-20, -32, -44)],
        *[np.array([px[36] - [3, 0], px[36] + [-22, d]]) for d in (-8, 2, 10)],
        *[np.array([px[45] + [3, 0], px[45] + [22, d]]) for d in (-8, 2, 10)],
        np.array([px[40] + [4, 5], px[41] + [-2, 9], px[36] + [-3, 5]]),
        np.array([px[47] + [-4, 5], px[46] + [2, 9], px[45] + [3, 5]]),
    )  # fmt: skip
    return Regions(
        lips=area(px[48:60], 0.8),
        cheeks=spots(cheeks, 26),
        nose=spots(px[[30]], 15),
        beard=beard,
        moustache=area(moustache, 3),
        lids=lids,
        under_eyes=np.max([spots([m + [0, 13]], 9) for m in middles], 0),
        brows=(px[17:22], px[26:21:-1]),
        folds=folds,
        creases=tuple(px[list(k)] - [0, 6] for k in ((36, 37, 38, 39), (42, 43, 44, 45))),
    )


def tone(rng: np.random.Generator) -> np.ndarray:
    """(3) linear albedo of a skin, from very dark to very pale."""
    share = rng.uniform(0, 1) ** 0.8
    dark, pale = np.log([0.070, 0.034, 0.019]), np.log([0.66, 0.42, 0.29])
    colour = np.exp(dark + share * (pale - dark) + rng.normal(0, 0.08, 3))
    return colour * np.exp(rng.normal(0, 0.12) * np.array([0.3, 0, -0.6]))


def hair_colour(rng: np.random.Generator) -> np.ndarray:
    kinds = np.array([[0.012, 0.010, 0.009], [0.045, 0.026, 0.016], [0.12, 0.07, 0.04], [0.38, 0.26, 0.13],
                      [0.22, 0.07, 0.03], [0.40, 0.38, 0.36]])  # fmt: skip
    if rng.random() < 0.03:
        return rng.uniform(0.02, 0.6, 3)
    pick = kinds[rng.choice(6, p=[0.34, 0.24, 0.17, 0.1, 0.05, 0.1])]
    return pick * np.exp(rng.normal(0, 0.25) + rng.normal(0, 0.06, 3))


def paint(
    regions: Regions, skin: np.ndarray, hair: np.ndarray, light_xy: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, float]:
    """Linear albedo (h,w,3) f32 of a random face, its brows' points 17-26 (10,2) deg, and the share of gloss.

    light_xy: where on the map the main light comes from; wrinkles and pores are embossed accordingly.
    """
    height, width = MAP_HEIGHT, MAP_WIDTH
    age = rng.uniform(0, 1)
    shade = np.float32(rng.uniform(0.01, 0.07)) * noise("blotches", height, width, rng)
    shade += rng.uniform(0.02, 0.12) * noise("broad", height, width, rng)
    shade += np.float32(rng.uniform(0.0, 0.05)) * noise("pores", height, width, rng)
    shade += rng.uniform(0.0, 0.05) * noise("fine", height, width, rng)
    shade -= rng.uniform(0, 0.5) ** 1.5 * regions.under_eyes
    shade -= max(0.0, rng.normal(0, 0.15)) * regions.lids
    _wrinkles(shade, regions, light_xy, age, rng)
    _marks(shade, rng)
    red = rng.uniform(0, 0.35) * regions.cheeks + rng.uniform(0, 0.4) * regions.nose
    red += rng.uniform(0.0, 0.06) * noise("blotches", height, width, rng)
    layers = zip(skin, (0.05, 0.55, 0.5), strict=True)
    colour = np.stack([np.float32(s) * cv2.exp(shade - np.float32(k) * red) for s, k in layers], -1)

    if rng.random() < 0.22:  # eye shadow
        strength = (rng.uniform(0.3, 0.9) * regions.lids)[..., None]
        colour *= 1 - strength * (1 - rng.uniform(0.05, 1.0, 3)).astype(np.float32)
    if rng.random() < 0.02:  # face paint
        spot = (noise("broad", height, width, rng) > rng.uniform(0.6, 1.5)).astype(np.float32)
        colour += (
            0.8
            * cv2.GaussianBlur(spot, (0, 0), 1)[..., None]
            * (rng.uniform(0.02, 0.7, 3).astype(np.float32) - colour)
        )
    beard = _beard(regions, rng)
    if beard is not None:
        colour += beard[..., None] * ((0.7 * hair + 0.004).astype(np.float32) - colour)
    _lips(colour, regions, skin, rng)
    brows = _brows(colour, regions, skin, hair, rng)
    return np.maximum(colour, 0.002), brows, float(rng.exponential(0.06))


def _wrinkles(
    shade: np.ndarray, regions: Regions, light_xy: np.ndarray, age: float, rng: np.random.Generator
) -> None:
    relief = np.zeros(shade.shape, np.float32)
    depth = max(0.0, rng.normal(age - 0.35, 0.3))
    for line in regions.folds:
        if rng.random() > 0.35 + 0.6 * age:
            continue
        curve = _spline(line + rng.normal(0, 2, line.shape), 14)
        box = _box(curve, 14)
        layer = np.zeros(relief[box].shape, np.float32)
        curve -= [box[1].start, box[0].start]
        cv2.polylines(layer, [_fixed(curve)], False, 1.0, int(rng.integers(1, 4)), cv2.LINE_8, 4)
        relief[box] -= rng.uniform(0.3, 1.3) * depth * cv2.GaussianBlur(layer, (0, 0), rng.uniform(1.0, 2.4))
    strength, lift = rng.uniform(0, 0.7) * (rng.random() < 0.8), rng.uniform(-1.5, 3)
    box = _box(np.concatenate(regions.creases), 18)
    layer = np.zeros(relief[box].shape, np.float32)
    corner = np.array([box[1].start, box[0].start])
    lines = [_fixed(_spline(line - [0, lift] - corner, 12)) for line in regions.creases]
    cv2.polylines(layer, lines, False, strength, 1, cv2.LINE_8, 4)
    relief[box] -= cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.7, 1.5))
    shade += 0.5 * relief  # light hardly gets into a fold
    relief += rng.uniform(0, 0.08) * noise("pores", *shade.shape, rng)
    relief += rng.uniform(0, 0.25) * age * noise("blotches", *shade.shape, rng)
    shift = np.float32([[1, 0, 1.2 * light_xy[0]], [0, 1, 1.2 * light_xy[1]]])
    shade += 1.2 * (
        relief - cv2.warpAffine(relief, shift, relief.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    )


def _marks(shade: np.ndarray, rng: np.random.Generator) -> None:
    """Freckles and moles."""
    layer = np.zeros(shade.shape, np.float32)
    count = int(rng.integers(20, 250)) if rng.random() < 0.15 else int(rng.integers(0, 8))
    strength = rng.uniform(0.2, 0.7)
    for x, y in rng.normal([MAP_WIDTH / 2, MAP_HEIGHT * 0.5], [60, 45], (count, 2)):
        cv2.circle(layer, (int(16 * x), int(16 * y)), int(rng.uniform(6, 22)), strength, -1, cv2.LINE_8, 4)
    shade -= cv2.GaussianBlur(layer, (0, 0), 0.8)


def _beard(regions: Regions, rng: np.random.Generator) -> np.ndarray | None:
    kind = rng.random()
    if kind > 0.33:
        return None
    height, width = MAP_HEIGHT, MAP_WIDTH
    area = regions.moustache if kind < 0.06 else regions.beard
    if 0.06 < kind < 0.11:  # around the mouth only
        x = np.abs(np.arange(width) - width / 2) / PX_PER_DEG
        area = area * np.clip((28 - x) / 5, 0, 1).astype(np.float32)
    edge = np.clip(area * 1.6 - 0.4 + 0.25 * noise("blotches", height, width, rng), 0, 1)
    hairs = 0.5 + 0.5 * noise("fine" if rng.random() < 0.6 else "strands", height, width, rng)
    density = rng.uniform(0.15, 0.6) if rng.random() < 0.5 else rng.uniform(0.6, 1.2)
    return (edge * np.clip(density * (0.75 + 0.5 * hairs), 0, 0.95)).astype(np.float32)


def _lips(colour: np.ndarray, regions: Regions, skin: np.ndarray, rng: np.random.Generator) -> None:
    if rng.random() < 0.25:
        lip = np.array([0.45, 0.05, 0.06]) * np.exp(rng.normal(0, [0.5, 0.6, 0.6]))
        share = rng.uniform(0.5, 1.0)
    else:
        lip = skin * np.array([0.85, 0.55, 0.56]) * np.exp(rng.normal(0, 0.15) + rng.normal(0, 0.07, 3))
        share = rng.uniform(0.25, 1.0)
    grain = 1 + rng.uniform(0, 0.15) * noise("fine", MAP_HEIGHT, MAP_WIDTH, rng)
    mask = cv2.GaussianBlur(regions.lips, (0, 0), rng.uniform(0.5, 1.6)) * np.float32(share)
    box = np.s_[100:340, 150:362]
    colour[box] += mask[box][..., None] * (grain[box][..., None] * lip.astype(np.float32) - colour[box])


def _brows(
    colour: np.ndarray, regions: Regions, skin: np.ndarray, hair: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw both brows hair by hair, not quite where the mean face has them; their upper edges (10,2) deg."""
    thickness = rng.uniform(3.0, 9.0)  # px of the map, at the widest
    lift, arch = rng.normal(0, 2.0), rng.normal(0, 1.6)
    inner, outer = rng.normal(0, 2.5), rng.normal(0, 3.0)
    dark = np.minimum(hair * rng.uniform(0.5, 1.2), 0.75 * skin) * rng.uniform(0.4, 1.0)
    opacity = rng.uniform(0.5, 1.0) if rng.random() < 0.85 else rng.uniform(0.08, 0.4)
    painted = rng.random() < 0.15
    count = 0 if painted and rng.random() < 0.5 else int(rng.uniform(60, 170))
    cover = np.zeros((MAP_HEIGHT, MAP_WIDTH), np.uint8)
    solid = np.zeros_like(cover)
    edges = []
    for side, base in zip((-1, 1), regions.brows, strict=True):
        line = base.copy()
        line[:, 1] += -lift - arch * np.array([-0.6, 0.3, 1.0, 0.3, -0.6]) + rng.normal(0, 0.7)
        line[:, 0] += side * (outer * np.array([1, 0.6, 0.3, 0, 0]) - inner * np.array([0, 0, 0.1, 0.4, 1]))
        upper = _spline(line, 24)
        s = np.linspace(0, 1, 24)  # tail .. head
        width = thickness * np.clip(0.25 + 1.5 * s, 0, 1) * np.clip(1.6 - 0.75 * s, 0, 1)
        lower = upper + np.stack([np.zeros(24), width], 1)
        cv2.fillPoly(
            solid, [_fixed(np.concatenate([upper + [0, 0.8], lower[::-1] - [0, 0.5]]))], 255, cv2.LINE_AA, 4
        )
        k = rng.integers(0, 24, count)
        across = rng.uniform(0.05, 1.0, count)[:, None]
        root = upper[k] + across * (lower[k] - upper[k])
        length = rng.uniform(0.5, 1.1, count)[:, None] * thickness
        # At the inner end the hairs stand up, at the tail they lie along.
        lean = np.stack(
            [side * np.clip(1.15 - s[k], 0.2, 1), np.where(across[:, 0] > 0.5, -0.5, 0.1) * s[k]], 1
        )
        tip = root + length * lean
        tip[:, 1] = np.maximum(tip[:, 1], upper[k, 1] - 0.3)
        strokes = [_fixed(np.stack([a, b])) for a, b in zip(root, tip, strict=True)]
        cv2.polylines(cover, strokes, False, 255, 1, cv2.LINE_AA, 4)
        edges.append(line if side < 0 else line[::-1])
    box = _box(np.concatenate([*regions.brows]), 36)
    solid, cover, colour = solid[box], cover[box], colour[box]
    soft = cv2.GaussianBlur(solid, (0, 0), 0.6 if painted else rng.uniform(0.8, 2.0)).astype(np.float32) / 255
    share = np.maximum(
        cover.astype(np.float32) / 255, soft * np.float32(0.95 if painted else rng.uniform(0.3, 0.8))
    )
    share *= np.float32(opacity)
    colour += share[..., None] * (dark.astype(np.float32) - colour)
    return to_uv(np.concatenate(edges))


def _spline(points: np.ndarray, count: int) -> np.ndarray:
    """Quadratic through few points: smooth enough for brows and folds."""
    t = np.linspace(0, 1, len(points))
    degree = min(2 if len(points) < 5 else 3, len(points) - 1)
    at = np.linspace(0, 1, count)
    return np.stack([np.polyval(np.polyfit(t, points[:, k], degree), at) for k in range(2)], 1)


def _box(points: np.ndarray, border_px: int) -> tuple[slice, slice]:
    """Rows and columns of the map around points (n,2): what is painted there needs no work elsewhere."""
    x0, y0 = np.maximum(np.floor(points.min(0)).astype(int) - border_px, 0)
    x1, y1 = np.ceil(points.max(0)).astype(int) + border_px
    return slice(int(y0), int(min(y1, MAP_HEIGHT))), slice(int(x0), int(min(x1, MAP_WIDTH)))


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.round(points * 16).astype(np.int32)
