"""What a rendered head wears and what is round it: hair, hats, clothes, spectacles, objects, background."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from dmask.train.render_faces.head import CENTRE_MM, HeadModel
from dmask.train.render_faces.paint import hair_colour, noise

COLUMNS = 49  # azimuth steps of a hair grid, -180 .. 180 degrees
SKULL_ROWS, FALL_ROWS = 13, 9
AZIMUTHS = np.linspace(-180, 180, COLUMNS)
FRAME, DARK_LENS, GLARE, HAIR, OBJECT = 1, 2, 4, 8, 16


@dataclass
class Sheet:
    """A textured grid round the head or the trunk."""

    points: np.ndarray  # (n,3) mm
    normals: np.ndarray  # (n,3)
    triangles: np.ndarray  # (t,3)
    texture_px: np.ndarray  # (n,2) places in `texture`
    margin: np.ndarray  # (n) how far inside of its ragged border, > 0 inside
    texture: np.ndarray  # (h,w,3) linear albedo
    ragged: np.ndarray  # (h,w) what is added to the margin
    gloss: float = 0.0


def _grid_triangles(rows: int, columns: int) -> np.ndarray:
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    a = (i * columns + j).ravel()
    b, c, d = a + 1, a + columns, a + columns + 1
    return np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]).astype(np.int32)


def _grid_normals(grid: np.ndarray, outward: np.ndarray) -> np.ndarray:
    normal = np.cross(np.gradient(grid, axis=0), np.gradient(grid, axis=1)).reshape(-1, 3)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    return normal * np.where((normal * outward.reshape(-1, 3)).sum(1, keepdims=True) < 0, -1, 1)


def _smooth_random(rng: np.random.Generator, rows: int, columns: int, size: int = 6) -> np.ndarray:
    coarse = rng.normal(0, 1, (size, size)).astype(np.float32)
    field = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    share = np.abs(AZIMUTHS[:columns] / 180) ** 4 if columns == COLUMNS else np.zeros(columns)
    return field * (1 - share) + share * field[:, [columns // 2]]  # the ends meet


def _hairline(rng: np.random.Generator, fringe_deg: float, ears: bool) -> np.ndarray:
    """(COLUMNS) elevation where the hair ends, deg."""
    at = np.abs(AZIMUTHS)
    temple = 33 + rng.normal(0, 4)
    side = rng.uniform(-8, 5) if ears else 22 + rng.normal(0, 4)
    knots = [0, 25, 48, 66, 78, 86, 96, 116, 135, 180]
    front = 50 + rng.normal(0, 5)
    burn = rng.uniform(-15, 25)
    line = np.interp(at, knots, [front, front - 2, temple, 26, burn, side, side, -10, -38, -42])
    if fringe_deg > 0:
        reach = rng.uniform(35, 70)
        shift = rng.uniform(-15, 15)
        line = line - fringe_deg * np.clip((reach - np.abs(AZIMUTHS - shift)) / 18, 0, 1)
    return line + 1.5 * rng.normal(0, 1) * np.sin(AZIMUTHS / 40 + rng.uniform(0, 6))


def make_hair(
    model: HeadModel, points: np.ndarray, colour: np.ndarray, rng: np.random.Generator
) -> Sheet | None:
    """Hair (or a scarf over it) on a posed head (V,3) in its own frame; None is a bald head."""
    kind = rng.choice(["none", "short", "long", "scarf"], p=[0.10, 0.42, 0.42, 0.06])
    if kind == "none":
        return None
    falls = kind != "short"
    ears = falls and rng.random() < 0.75
    draw = rng.random()
    fringe = rng.uniform(8, 24) if draw < 0.3 else rng.uniform(24, 46) if draw < 0.4 else 0.0
    line = _hairline(rng, fringe if kind != "scarf" else rng.uniform(0, 15), ears or kind == "scarf")
    if kind == "scarf":
        line = np.minimum(line, np.interp(np.abs(AZIMUTHS), [0, 40, 62, 75, 180], [40, 30, 5, -35, -45]))
    share = np.linspace(0, 1, SKULL_ROWS)[:, None] ** 0.9
    elevation = 86 + share * (line - 86)
    places = np.stack([np.broadcast_to(AZIMUTHS, elevation.shape), elevation], -1)
    skull = model.anchors(places.reshape(-1, 2)).on(points).reshape(*elevation.shape, 3)
    outward = skull - CENTRE_MM
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    thick = np.exp(rng.uniform(np.log(3), np.log(28 if kind != "scarf" else 9)))
    field = _smooth_random(rng, SKULL_ROWS, COLUMNS)
    height = thick * np.exp(0.35 * field)
    lifted = fringe > 0 or kind == "scarf" or rng.random() < 0.4  # else it lies flat at the line
    height *= np.clip((1 - share) * 5 + (0.5 if lifted else 0.12), 0, 1)
    grid = skull + outward * height[..., None]
    margin = np.broadcast_to((1 - share) * (86 - line), elevation.shape) + 1.0
    rows = SKULL_ROWS
    if falls:
        grid, outward, margin = _fall(grid, outward, margin, line, rng, kind == "scarf")
        rows += FALL_ROWS
    length = np.concatenate(
        [np.zeros((1, COLUMNS)), np.cumsum(np.linalg.norm(np.diff(grid, axis=0), axis=2), 0)]
    )
    wave = rng.uniform(0, 6) * np.sin(length / rng.uniform(8, 30) + rng.uniform(0, 6))
    texture_px = np.stack([np.broadcast_to(AZIMUTHS + 180, length.shape) * 1.4 + wave, length], -1)
    texture, ragged = _hair_texture(kind, colour, rng)
    return Sheet(
        points=grid.reshape(-1, 3),
        normals=_grid_normals(grid, outward),
        triangles=_grid_triangles(rows, COLUMNS),
        texture_px=texture_px.reshape(-1, 2),
        margin=margin.ravel(),
        texture=texture,
        ragged=ragged,
        gloss=0.0 if kind == "scarf" else float(rng.exponential(0.25)),
    )


def _fall(
    grid: np.ndarray,
    outward: np.ndarray,
    margin: np.ndarray,
    line: np.ndarray,
    rng: np.random.Generator,
    scarf: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Carry the grid on downwards, beside and behind the face."""
    at = np.abs(AZIMUTHS)
    opening = rng.uniform(52, 100) if not scarf else rng.uniform(55, 70)
    if rng.random() < 0.3:  # one side is combed back
        at = at - np.sign(AZIMUTHS) * rng.choice([-1, 1]) * rng.uniform(5, 30)
    end_y = rng.uniform(-210, -60)
    t = np.linspace(0, 1, FALL_ROWS + 1)[1:, None]
    share = np.clip((at - opening) / 14, 0, 1) ** 0.7
    last = grid[-1]
    radial = last - CENTRE_MM
    radial[:, 1] = 0
    radial /= np.linalg.norm(radial, axis=1, keepdims=True)
    wide = np.linalg.norm((last - CENTRE_MM)[:, [0, 2]], axis=1)
    least = np.where(at > 110, 70, 80) + rng.uniform(-5, 15)
    target = np.maximum(wide, least) + rng.uniform(-15, 35)
    fields = _smooth_random(rng, FALL_ROWS, COLUMNS)
    radius = wide + (target - wide) * np.sin(t * np.pi / 2) ** 0.8 + 6 * fields * t
    y = last[:, 1] + t * np.minimum(end_y - last[:, 1], -1)
    fall = CENTRE_MM + radial * radius[..., None]
    fall[..., 1] = y
    if scarf:  # and closed under the chin
        fall[..., 2] += 25 * t * (at < 110)
    fall = last + (fall - last) * share[None, :, None]
    border = np.minimum((1 - t) * 30, 60 * share) + 0.5
    joined = np.concatenate([grid, fall])
    # Where hair goes on falling the skull's border is no border.
    margin = np.maximum(margin, 40 * share)
    return (
        joined,
        np.concatenate([outward, np.broadcast_to(radial, fall.shape)]),
        np.concatenate([margin, border]),
    )


def _hair_texture(kind: str, colour: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    height = width = 384
    if kind == "scarf":
        cloth = cloth_texture(rng, height, width)
        return cloth, 0.3 * noise("broad", height, width, rng)
    curly = rng.random() < 0.25
    strands = noise("curls" if curly else "strands", height, width, rng)
    if curly and rng.random() < 0.5:
        strands = 0.5 * strands + 0.7 * noise("pores", height, width, rng)
    shade = cv2.exp(np.float32(rng.uniform(0.15, 0.6)) * np.clip(strands, -2, 2))
    texture = shade[..., None] * colour.astype(np.float32)
    if rng.random() < 0.15:  # dyed strands
        streak = np.clip(noise("strands", height, width, rng) - 0.8, 0, 1)[..., None]
        texture += streak * (hair_colour(rng).astype(np.float32) - texture)
    return texture.astype(np.float32), (rng.uniform(0.5, 4.0) * strands).astype(np.float32)


def make_hat(model: HeadModel, points: np.ndarray, rng: np.random.Generator) -> Sheet:
    """A cap, a knitted hat, a hat with a brim, a band or a helmet."""
    kind = rng.choice(["cap", "knitted", "brim", "band"], p=[0.35, 0.3, 0.2, 0.15])
    at = np.abs(AZIMUTHS)
    low = rng.uniform(22, 48)
    line = np.interp(at, [0, 60, 90, 180], [low, low - 4, rng.uniform(5, 25), rng.uniform(-20, 10)])
    top = 86.0 if kind != "band" else line + rng.uniform(10, 25)
    share = np.linspace(0, 1, SKULL_ROWS)[:, None]
    elevation = top + share * (line - top)
    places = np.stack([np.broadcast_to(AZIMUTHS, elevation.shape), elevation], -1)
    skull = model.anchors(places.reshape(-1, 2)).on(points).reshape(*elevation.shape, 3)
    outward = skull - CENTRE_MM
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    high = rng.uniform(4, 10) if kind == "band" else rng.uniform(8, 30)
    grid = (
        skull
        + outward
        * (5 + high * (1 - share) ** 0.5 * (1 + 0.15 * _smooth_random(rng, SKULL_ROWS, COLUMNS)))[..., None]
    )
    rows = SKULL_ROWS
    if kind in ("cap", "brim"):
        reach = rng.uniform(40, 85)
        wide = np.clip((62 - at) / 45, 0, 1) ** 0.6 if kind == "cap" else np.ones(COLUMNS)
        flat = grid[-1] - CENTRE_MM
        flat[:, 1] = 0
        flat /= np.linalg.norm(flat, axis=1, keepdims=True)
        t = np.linspace(0, 1, FALL_ROWS + 1)[1:, None, None]
        out = grid[-1] + t * reach * wide[:, None] * (flat + [0, rng.uniform(-0.55, 0.15), 0])
        grid = np.concatenate([grid, out])
        outward = np.concatenate([outward, np.broadcast_to([0.0, 1, 0], out.shape)])
        rows += FALL_ROWS
    down = np.arange(rows)[:, None] * np.ones(COLUMNS) * 14
    texture_px = np.stack([np.broadcast_to(AZIMUTHS + 180, down.shape) * 1.4, down], -1)
    return Sheet(
        points=grid.reshape(-1, 3),
        normals=_grid_normals(grid, outward),
        triangles=_grid_triangles(rows, COLUMNS),
        texture_px=texture_px.reshape(-1, 2),
        margin=np.full(rows * COLUMNS, 9.0),
        texture=cloth_texture(rng, 256, 256),
        ragged=np.zeros((1, 1), np.float32),
    )


def make_clothes(skin: np.ndarray, rng: np.random.Generator) -> Sheet:
    """Neck of a garment, shoulders and chest; origin at the base of the neck."""
    collar = rng.uniform(-20, 25)  # mm above the base of the neck
    neck = rng.uniform(58, 78)
    heights = np.array([collar, collar - 12, min(collar - 30, -30), -62, -110, -300])
    half_width = np.array([neck, neck + 4, neck + 22, rng.uniform(150, 190), rng.uniform(195, 240), 245])
    half_depth = np.array([neck * 0.95, neck, neck + 10, 90, 110, 130])
    row = np.linspace(0, 5, 16)
    y = np.interp(row, range(6), heights)
    a, b = np.interp(row, range(6), half_width), np.interp(row, range(6), half_depth)
    az = np.radians(AZIMUTHS)
    grid = np.stack(
        [a[:, None] * np.sin(az), np.broadcast_to(y[:, None], (16, COLUMNS)), b[:, None] * np.cos(az) - 10],
        -1,
    )
    neckline = rng.uniform(0, 60) * np.clip(np.cos(az), 0, 1) ** rng.uniform(2, 8)
    grid[..., 1] -= neckline * np.linspace(1, 0, 16)[:, None] ** 2
    outward = np.stack([np.sin(az), np.full(COLUMNS, 0.3), np.cos(az)], -1)
    texture_px = np.stack(
        [
            np.broadcast_to((AZIMUTHS + 180) * 1.4, (16, COLUMNS)),
            np.broadcast_to(row[:, None] * 90, (16, COLUMNS)),
        ],
        -1,
    )
    texture = cloth_texture(rng, 256, 256)
    if rng.random() < 0.25:  # bare shoulders
        texture[:] = skin
    return Sheet(
        points=grid.reshape(-1, 3),
        normals=_grid_normals(grid, np.broadcast_to(outward, grid.shape)),
        triangles=_grid_triangles(16, COLUMNS),
        texture_px=texture_px.reshape(-1, 2),
        margin=np.full(16 * COLUMNS, 9.0),
        texture=texture,
        ragged=np.zeros((1, 1), np.float32),
    )


def any_colour(rng: np.random.Generator) -> np.ndarray:
    grey = np.exp(rng.uniform(np.log(0.01), np.log(0.9)))
    colour = grey * np.exp(rng.normal(0, 0.7 if rng.random() < 0.6 else 0.1, 3))
    return np.clip(colour, 0.004, 0.95).astype(np.float32)


def cloth_texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Plain, striped, checked, blotched or knitted, linear (h,w,3) f32."""
    texture = np.ones((height, width, 1), np.float32) * any_colour(rng)
    kind = rng.integers(6)
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    period, turn = rng.uniform(6, 60), rng.uniform(0, np.pi)
    if kind in (1, 2):
        c, s = np.float32(np.cos(turn) / period), np.float32(np.sin(turn) / period)
        mask = (c * x + s * y) % 1 > np.float32(rng.uniform(0.25, 0.75))
        if kind == 2:
            mask ^= (c * y - s * x) % 1 > np.float32(0.5)
        texture[mask] = any_colour(rng)
    elif kind == 3:
        texture[noise("broad" if rng.random() < 0.5 else "blotches", height, width, rng) > 0.5] = any_colour(
            rng
        )
    elif kind == 4:
        texture *= np.exp(0.3 * np.sin(x * np.float32(2 * np.pi / rng.uniform(4, 9))))[:, None]
    return texture * cv2.exp(np.float32(rng.uniform(0, 0.2)) * noise("pores", height, width, rng))[..., None]


def make_background(rng: np.random.Generator, size: int) -> np.ndarray:
    """Linear (size,size,3): gradients, blurred blobs, edges, textures, other patches."""
    corners = np.stack([any_colour(rng) for _ in range(4)]).reshape(2, 2, 3)
    if rng.random() < 0.4:
        corners[:] = corners[0, 0] * np.exp(rng.normal(0, 0.2, (2, 2, 1)))
    picture = cv2.resize(corners, (size, size), interpolation=cv2.INTER_LINEAR)
    for _ in range(int(rng.choice([0, 2, 6, 16]))):
        colour = any_colour(rng).tolist()
        x, y, w, h = rng.uniform(-0.2, 1.2, 2).tolist() + np.exp(rng.uniform(-4, -0.5, 2)).tolist()
        if rng.random() < 0.5:
            cv2.ellipse(
                picture, ((x * size, y * size), (w * size, h * size), float(rng.uniform(0, 180))), colour, -1
            )
        else:
            box = cv2.boxPoints(
                (
                    (x * size, y * size),
                    (w * size, 4 * h * size),
                    float(rng.choice([0, 90, rng.uniform(0, 180)])),
                )
            )
            cv2.fillPoly(picture, [box.astype(np.int32)], colour)
    if rng.random() < 0.3:
        cloth = cloth_texture(rng, size, size)
        place = noise("broad", size, size, rng) > rng.uniform(-1, 1)
        picture[place] = cloth[place]
    if rng.random() < 0.6:
        kind = str(rng.choice(["broad", "blotches", "pores", "curls", "strands"]))
        picture *= cv2.exp(np.float32(rng.uniform(0.05, 0.7)) * noise(kind, size, size, rng))[..., None]
    if rng.random() < 0.65:
        picture = cv2.GaussianBlur(picture, (0, 0), np.exp(rng.uniform(-0.5, 2.3)))
    return np.clip(picture, 0, 2).astype(np.float32)


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.round(np.clip(points, -2000, 2000) * 16).astype(np.int32)


@dataclass
class _Spectacles:
    """Spectacles as drawn: (h,w) cover of rim and lenses 0..1, the eyes (2,2) px, pixels a mm."""

    rim: np.ndarray
    lens: np.ndarray
    eyes_px: np.ndarray
    px_per_mm: float


def add_spectacles(
    linear: np.ndarray,
    hidden: np.ndarray,
    points: np.ndarray,
    model: HeadModel,
    project: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    depth: np.ndarray,
    light: np.ndarray,
    rng: np.random.Generator,
    clear: bool = False,
) -> int:
    """Draw spectacles into the linear picture; `hidden` (h,w) 0..1 takes what cannot be seen through.

    points (V,3) mm of the head, `project` gives their pixels and depths, depth (h,w) mm of what is drawn;
    returns the flags. `clear`: no sunglasses.
    """
    worn = _make_spectacles(points[model.landmarks], project, depth, rng)
    shade = np.roll(worn.rim, int(4 * worn.px_per_mm), 0)
    linear *= 1 - 0.35 * cv2.GaussianBlur(shade, (0, 0), 1 + worn.px_per_mm)[..., None]
    flags = FRAME
    if rng.random() < 0.3 and not clear:
        _darken(linear, hidden, worn.lens, light, rng)
        flags |= DARK_LENS
    elif rng.random() < 0.5:
        tint = (rng.uniform(0, 0.35) * rng.uniform(0.3, 1, 3)).astype(np.float32)
        linear *= 1 - worn.lens[..., None] * tint
    if rng.random() < 0.4:
        _add_glare(linear, hidden, worn, light, rng)
        flags |= GLARE
    colour = any_colour(rng) * (0.25 if rng.random() < 0.6 else 1.0)
    linear += worn.rim[..., None] * (colour * light - linear)
    return flags


def _make_spectacles(
    mark: np.ndarray,
    project: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    depth: np.ndarray,
    rng: np.random.Generator,
) -> _Spectacles:
    """Rims, bridge and temples around the eyes of the 68 points `mark` (68,3), mm."""
    size = depth.shape[0]
    eyes = np.stack([mark[36:42].mean(0), mark[42:48].mean(0)])
    apart = np.linalg.norm(eyes[1] - eyes[0])
    half = apart * np.array([rng.uniform(0.36, 0.47), rng.uniform(0.2, 0.42)])
    power, drop = rng.uniform(2, 6), rng.uniform(-4, 10)
    front = max(mark[27, 2], eyes[:, 2].max() + 6) + rng.uniform(2, 7)
    bend = rng.uniform(0.02, 0.2)
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    oval = np.stack(
        [
            np.sign(np.cos(t)) * np.abs(np.cos(t)) ** (2 / power),
            np.sign(np.sin(t)) * np.abs(np.sin(t)) ** (2 / power),
        ],
        1,
    )
    eyes_px = project(eyes)[0]
    px_per_mm = max(np.linalg.norm(np.subtract(*eyes_px)) / apart, size / 420)
    thin = rng.random() < 0.5
    thickness = px_per_mm * (rng.uniform(0.7, 1.6) if thin else rng.uniform(2, 5.5))
    rim, lens = np.zeros((size, size), np.uint8), np.zeros((size, size), np.float32)
    half_rim = rng.random() < 0.2
    lines = []
    for side, eye in zip((-1, 1), eyes, strict=True):
        centre = np.array([eye[0] + side * rng.uniform(0, 2), eye[1] - drop])
        shape = oval * half * np.array([1, 1.0])
        shape[:, 1] *= np.where(shape[:, 1] < 0, rng.uniform(0.9, 1.2), 1)
        shape = centre + shape
        outline = np.column_stack([shape, front - bend * np.abs(shape[:, 0]) ** 1.3 * 0.25])
        pixels, _ = project(outline)
        cv2.fillPoly(lens, [_fixed(pixels)], 1.0, cv2.LINE_8, 4)
        lines.append(pixels[:25] if half_rim else pixels[np.r_[0:48, 0]])
        lines += _temple(mark, outline[0 if side > 0 else 24], side, centre[1], project, depth)
    (od_x, od_y), (os_x, os_y) = eyes[:, :2] - [0, drop]
    bridge = [[od_x + half[0], od_y + 0.3 * half[1], front], [0, od_y + 0.45 * half[1], front + 3],
              [os_x - half[0], os_y + 0.3 * half[1], front]]  # fmt: skip
    lines.append(project(np.array(bridge))[0])
    cv2.polylines(
        rim, [_fixed(line) for line in lines], False, 255, max(1, int(round(thickness))), cv2.LINE_AA, 4
    )
    cover = rim.astype(np.float32) / 255 * min(1.0, max(0.35, thickness))
    return _Spectacles(cover, lens, eyes_px, px_per_mm)


def _temple(
    mark: np.ndarray,
    hinge: np.ndarray,
    side: int,
    height_mm: float,
    project: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    depth: np.ndarray,
) -> list[np.ndarray]:
    """The parts of the way from the hinge to the ear that nothing hides, as lines (2,2) px."""
    size = depth.shape[0]
    ear = np.array([side * (np.abs(mark[[1, 15], 0]).mean() + 4), height_mm + 2, mark[[0, 16], 2].mean() - 8])
    temple = hinge + np.linspace(0, 1, 20)[:, None] * (ear - hinge)
    pixels, z = project(temple)
    column, row = np.clip(np.rint(pixels).astype(int), 0, size - 1).T
    seen = z < depth[row, column] + 3
    return [pixels[k : k + 2] for k in range(19) if seen[k]]


def _darken(
    linear: np.ndarray, hidden: np.ndarray, lens: np.ndarray, light: np.ndarray, rng: np.random.Generator
) -> None:
    """Make sunglasses of the lenses, darker at the top."""
    lens_colour = any_colour(rng) * 0.15 * light
    opacity = rng.uniform(0.55, 1.0)
    fade = np.linspace(1, rng.uniform(0.4, 1), len(lens), dtype=np.float32)[:, None]
    share = lens * opacity * fade
    linear += share[..., None] * (lens_colour - linear)
    np.maximum(hidden, np.where(share > 0.8, lens, 0), out=hidden)


def _add_glare(
    linear: np.ndarray, hidden: np.ndarray, worn: _Spectacles, light: np.ndarray, rng: np.random.Generator
) -> None:
    """Draw a window's reflection on each lens, somewhere near the eye."""
    spot = np.zeros(worn.lens.shape, np.float32)
    for centre in worn.eyes_px:
        at = centre + rng.normal(0, 9 * worn.px_per_mm, 2)
        extent = worn.px_per_mm * rng.uniform(2, 16, 2)
        box = (tuple(at.tolist()), tuple(extent.tolist()), float(rng.uniform(0, 180)))
        cv2.fillPoly(spot, [cv2.boxPoints(box).astype(np.int32)], float(rng.uniform(0.2, 1)))
    soft = cv2.GaussianBlur(spot, (0, 0), rng.uniform(0.5, 3))
    glare = soft * worn.lens * np.float32(rng.uniform(0.2, 1.0))
    linear += glare[..., None] * light
    np.maximum(hidden, np.clip(2 * glare - 0.8, 0, 1), out=hidden)


def add_objects(
    linear: np.ndarray,
    hidden: np.ndarray,
    face_px: np.ndarray,
    skin: np.ndarray,
    light: np.ndarray,
    rng: np.random.Generator,
) -> int:
    """Hands, phones, microphones, scarves, blobs before the face; face_px (68,2)."""
    size = linear.shape[0]
    low, high = face_px.min(0), face_px.max(0)
    extent = float((high - low).max())
    mask = np.zeros((size, size), np.float32)
    kind = rng.random()
    relief = np.exp(0.15 * noise("blotches", size, size, rng))[..., None]
    if kind < 0.4:  # a hand: fingers side by side, from below or from a side
        colour = skin.astype(np.float32) * np.exp(rng.normal(0, 0.1))
        at = low + rng.uniform(-0.1, 1.1, 2) * (high - low)
        turn = rng.uniform(0, np.pi)
        along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        width = extent * rng.uniform(0.09, 0.13)
        for k in range(int(rng.integers(1, 5))):
            start = at + across * width * 1.05 * k + along * width * rng.normal(0, 0.5)
            end = start + (along + across * rng.normal(0, 0.06)) * extent * rng.uniform(0.6, 1.2)
            finger = np.zeros_like(mask)
            cv2.line(
                finger,
                *[tuple(_fixed(p).tolist()) for p in (start, end)],
                1.0,
                max(2, int(width)),
                cv2.LINE_8,
                4,
            )
            mask = np.maximum(mask, finger)
            middle = np.zeros_like(mask)
            cv2.line(
                middle,
                *[tuple(_fixed(p).tolist()) for p in (start, end)],
                1.0,
                max(1, int(width / 3)),
                cv2.LINE_8,
                4,
            )
            relief = relief * (0.8 + 0.35 * cv2.GaussianBlur(middle, (0, 0), width / 4))[..., None]
    else:
        colour = any_colour(rng)
        at = low + rng.uniform(-0.1, 1.1, 2) * (high - low)
        axes = extent * np.exp(rng.uniform(np.log(0.12), np.log(0.9), 2))
        box = (tuple(at.tolist()), tuple(axes.tolist()), float(rng.uniform(0, 180)))
        if rng.random() < 0.5:
            cv2.ellipse(mask, box, 1.0, -1)
        else:
            cv2.fillPoly(mask, [cv2.boxPoints(box).astype(np.int32)], 1.0)
        if rng.random() < 0.5:
            colour = cloth_texture(rng, size, size)
    inside = np.clip(np.rint(face_px).astype(int), 0, size - 1)
    if (mask[inside[:, 1], inside[:, 0]] > 0.5).mean() > 0.6:
        return 0
    shadow = cv2.GaussianBlur(mask, (0, 0), extent * 0.04)
    linear *= 1 - 0.4 * shadow[..., None]
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 1.5))
    linear += soft[..., None] * (relief * colour * light * 0.8 - linear)
    np.maximum(hidden, mask, out=hidden)
    return OBJECT
