"""From a posed eye to linear light: z-buffered skin, an eyeball cast by rays, lashes drawn as strands."""

from dataclasses import dataclass

import cv2
import numpy as np

from dmask._core import gbuffer
from dmask.train.render_eyes.assets import Skin
from dmask.train.render_eyes.geometry import EyeRegion, texture_gradients, vertex_normals
from dmask.train.render_eyes.globe import draw_globe
from dmask.train.render_eyes.light import (
    SRGB_TO_LINEAR,
    Lashes,
    Look,
    View,
    blur_shadow,
    frame_of_light,
    key_light_share,
    sample,
    shadow_map,
)

CHUNK_PX = 8192  # pixels shaded at a time, so that they stay in the cache


@dataclass
class Rendered:
    linear: np.ndarray  # f32 (h,w,3)
    without_lashes: np.ndarray  # f32 (h,w,3)
    depth_mm: np.ndarray  # (h,w) of the lids' mesh, inf = none
    globe_seen: np.ndarray  # (h,w) 0 .. 1: share of the pixel that shows the eyeball


def render(
    region: EyeRegion,
    vertices: np.ndarray,
    axes: np.ndarray,
    skin: Skin,
    iris: np.ndarray,
    crease_band: np.ndarray,
    bulge_relief: np.ndarray,
    look: Look,
    view: View,
    width: int,
    height: int,
    rng: np.random.Generator,
) -> Rendered:
    """Draw the eye; `axes` are the eyeball's (geometry.gaze_axes). The opening is drawn at twice the size."""
    light_frame = frame_of_light(look.key.direction)
    attributes = _vertex_attributes(region, vertices, light_frame)
    shadow_depth = shadow_map(attributes[: len(region.smooth), 11:14], region.triangles)
    shade = (skin, crease_band, bulge_relief, look, shadow_depth)

    background = cv2.resize(look.background, (width, height), interpolation=cv2.INTER_LINEAR)
    rim, _ = view.project(vertices[region.chains[2]])
    x0, y0 = np.clip(np.floor(rim.min(0)).astype(int) - 3, 0, [width, height])
    x1, y1 = np.clip(np.ceil(rim.max(0)).astype(int) + 4, [x0, y0], [width, height])
    opening = np.s_[y0:y1, x0:x1]
    picture, depth = _draw_skin(
        region, vertices, attributes, view, background.copy(), 1, *shade, leave_out=opening
    )
    picture = smooth_outlines(picture, depth)
    globe_seen = np.zeros((height, width), np.float32)
    if x1 > x0 and y1 > y0:
        # Pixel p of the picture covers pixels 2p and 2p + 1 of the fine one.
        finer = 2 * (view.to_region - np.array([[0, 0, x0], [0, 0, y0]])) + np.array(
            [[0, 0, 0.5], [0, 0, 0.5]]
        )
        fine_view = View(view.rotation, view.translation_mm, finer)
        fine = np.repeat(np.repeat(background[opening], 2, 0), 2, 1)
        fine, fine_depth = _draw_skin(region, vertices, attributes, fine_view, fine, 0, *shade)
        margin, _ = fine_view.project(vertices[region.chains[1]])
        seen = draw_globe(fine, fine_depth, margin, axes, iris, look, fine_view, shadow_depth, light_frame)
        size = (int(x1 - x0), int(y1 - y0))
        picture[opening] = cv2.resize(np.minimum(fine, 3.0), size, interpolation=cv2.INTER_AREA)
        globe_seen[opening] = cv2.resize(seen.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    without_lashes = picture.copy()
    draw_lashes(picture, depth, _lash_lines(region, vertices, look), look, view, rng)
    return Rendered(picture, without_lashes, depth, globe_seen)


def smooth_outlines(picture: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Anti-aliasing where the depth jumps: nose and cheek against what is behind them."""
    flat = np.minimum(depth, np.float32(1e4))
    jump = cv2.dilate(flat, np.ones((3, 3), np.uint8)) - cv2.erode(flat, np.ones((3, 3), np.uint8)) > 6
    if jump.any():
        picture[jump] = cv2.GaussianBlur(picture, (0, 0), 0.7)[jump]
    return picture


def _vertex_attributes(region: EyeRegion, vertices: np.ndarray, light_frame: np.ndarray) -> np.ndarray:
    """(n,17): u v, normal, gradients of u and v, place in the light's frame, paint."""
    count = len(region.smooth)
    own, triangles = vertices[:count], region.triangles[: region.skin_triangles]
    parts = [
        vertex_normals(own, triangles, 1.0),
        texture_gradients(own, region.uv[:count], triangles),
        own @ light_frame.T,
        region.paint,
    ]
    # The skirts look like the rim they hang on.
    rim = np.concatenate([np.arange(count), region.inner_border, region.outer_border])
    return np.concatenate([region.uv, np.concatenate(parts, 1)[rim]], 1).astype(np.float32)


def _draw_skin(
    region: EyeRegion,
    vertices: np.ndarray,
    attributes: np.ndarray,
    view: View,
    picture: np.ndarray,
    level: int,
    skin: Skin,
    crease_band: np.ndarray,
    bulge_relief: np.ndarray,
    look: Look,
    shadow_depth: np.ndarray,
    leave_out: tuple[slice, slice] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The skin drawn into a background (h,w,3), except in `leave_out`, and its depth (h,w)."""
    height, width = picture.shape[:2]
    pixels, depth = view.project(vertices)
    triangle, _, mesh_depth, surface = gbuffer(
        pixels.astype(np.float32), depth.astype(np.float32), region.triangles, width, height, attributes
    )
    toward_camera = view.position_mm / np.linalg.norm(view.position_mm)
    wanted = triangle >= 0
    covered = np.flatnonzero(wanted)
    flat_picture, flat_surface = picture.reshape(-1, 3), surface.reshape(width * height, -1)
    lit = np.ones(width * height, np.float32)
    for first in range(0, len(covered), CHUNK_PX):
        part = covered[first : first + CHUNK_PX]
        lit[part] = key_light_share(flat_surface[part, 11:14], shadow_depth)
    lit = blur_shadow(lit.reshape(height, width), wanted, look.key, view).ravel()
    if leave_out is not None:
        wanted[leave_out] = False
        covered = np.flatnonzero(wanted)
    for first in range(0, len(covered), CHUNK_PX):
        part = covered[first : first + CHUNK_PX]
        flat_picture[part] = _skin(
            flat_surface[part], lit[part], skin, level, crease_band, bulge_relief, look, toward_camera
        )
    return picture, mesh_depth


def _skin(
    surface: np.ndarray,
    lit: np.ndarray,
    skin: Skin,
    level: int,
    crease_band: np.ndarray,
    bulge_relief: np.ndarray,
    look: Look,
    camera: np.ndarray,
) -> np.ndarray:
    """Linear colour (n,3) of surface points (n,17), see _vertex_attributes; `lit` (n) by the key light."""
    # Channels first from here on: numpy is slow along short last axes.
    rows = np.ascontiguousarray(surface.T)
    u, v, (wet, liner, shadow_paint) = rows[0], rows[1], rows[14:17]
    colour = sample(skin.colour[level], u, v)
    if look.look_down > 0.01:
        down = sample(skin.colour_looking_down[level], u, v)
        colour = cv2.addWeighted(colour, 1 - look.look_down, down, look.look_down, 0)
    albedo = np.ascontiguousarray(cv2.LUT(colour, SRGB_TO_LINEAR).reshape(-1, 3).T)
    slope = np.ascontiguousarray(sample(skin.slope[level], u, v).T) * np.float32(look.bump_mm)
    if look.crease_smoothing > 0:
        slope *= 1 - np.float32(look.crease_smoothing) * sample(crease_band, u, v)[:, 0]
    if look.bulge_relief_mm > 0:
        relief = np.ascontiguousarray(sample(bulge_relief, u, v).T)
        slope += np.float32(look.bulge_relief_mm) * relief[:2]
        albedo *= 1 - np.array([[0.8], [1.0], [1.0]], np.float32) * np.float32(look.bulge_tone) * relief[2]
    normal = rows[2:5] - slope[0] * rows[5:8] - slope[1] * rows[8:11]
    normal /= np.sqrt((normal * normal).sum(0))

    albedo *= look.tone_gain[:, None] * (1 - np.float32(look.eyeliner) * np.clip(1.6 * liner - 0.4, 0, 1))
    pink = np.array([[0.05], [0.25], [0.25]], np.float32)
    albedo *= 1 - pink * np.clip(2 * wet - 1, 0, 1)
    albedo *= 1 - (1 - look.eyeshadow)[:, None] * shadow_paint

    half_key, half_fill = look.key.direction + camera, look.fill.direction + camera
    directions = [
        look.key.direction,
        look.fill.direction,
        half_key / np.linalg.norm(half_key),
        half_fill / np.linalg.norm(half_fill),
    ]
    cosines = np.stack(directions).astype(np.float32) @ normal
    # Light that enters beside the shadow's edge comes out red: wrap the red channel farther.
    wrap = np.array([[0.32], [0.16], [0.10]], np.float32)
    light = np.maximum(cosines[0] + wrap, 0) * lit * (look.key.colour[:, None] / (1 + wrap))
    light += np.maximum(cosines[1] + wrap, 0) * (look.fill.colour[:, None] / (1 + wrap))
    light += look.ambient[:, None] + look.ambient_up[:, None] * normal[1]
    albedo *= light
    highlight = np.maximum(cosines[2:], 0)
    for _ in range(4):
        highlight *= highlight
    highlight *= np.float32(look.gloss) * (1 + 3 * wet)
    albedo += highlight[0] * lit * look.key.colour[:, None] + highlight[1] * look.fill.colour[:, None]
    return albedo.T


@dataclass
class LashLine:
    """Where a lid's lashes grow: from `root` (N,3) away from `crest` (N,3), inner to outer; eye frame, mm."""

    lashes: Lashes
    root: np.ndarray
    crest: np.ndarray
    upper: bool


def _lash_lines(region: EyeRegion, vertices: np.ndarray, look: Look) -> list[LashLine]:
    half, chains = region.half, region.chains
    upper, lower = slice(2, half - 1), slice(None, half + 3, -1)
    return [
        LashLine(look.upper_lashes, vertices[chains[1][upper]], vertices[chains[2][upper]], True),
        LashLine(look.lower_lashes, vertices[chains[1][lower]], vertices[chains[2][lower]], False),
    ]


def draw_lashes(
    picture: np.ndarray,
    mesh_depth: np.ndarray,
    lines: list[LashLine],
    look: Look,
    view: View,
    rng: np.random.Generator,
) -> None:
    height, width = picture.shape[:2]
    cover = np.zeros((2 * height, 2 * width), np.uint8)
    for line in lines:
        lashes = line.lashes
        if lashes.count == 0:
            continue
        along = np.linspace(0.12 if line.upper else 0.3, 1.0, lashes.count) + rng.normal(
            0, 0.004, lashes.count
        )
        position = np.clip(along, 0, 1) * (len(line.root) - 1)
        root = _along(line.root, position) + rng.normal(0, 0.12, (lashes.count, 3))
        outward = root / np.linalg.norm(root, axis=1, keepdims=True)
        away = _along(line.crest, position) - root
        away -= np.einsum("ij,ij->i", away, outward)[:, None] * outward
        away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-3)
        fan = (np.clip(along, 0, 1) - 0.42)[:, None] * lashes.spread * np.array([1.0, 0, 0])
        stray = rng.normal(0, 0.13, (lashes.count, 3))
        first = outward - lashes.droop * away + fan + stray
        last = 0.7 * outward + (lashes.curl - lashes.droop) * away + 1.3 * fan + 1.4 * stray
        envelope = 0.55 + 0.45 * np.sin(np.pi * np.clip(along, 0, 1) ** 0.7)
        length = lashes.length_mm * envelope * rng.uniform(0.6, 1.1, lashes.count)
        bend = root + first * (0.5 * length)[:, None]
        tip = bend + last * (0.5 * length)[:, None]
        steps = np.linspace(0, 1, 5)[None, :, None]
        curve = (
            (1 - steps) ** 2 * root[:, None]
            + 2 * steps * (1 - steps) * bend[:, None]
            + steps**2 * tip[:, None]
        )
        root_px, root_depth = view.project(root)
        column, row = np.clip(np.round(root_px).astype(int), 0, [width - 1, height - 1]).T
        curve = curve[mesh_depth[row, column] > root_depth - 3.0]  # not behind the nose
        if len(curve) == 0:
            continue
        drawn = 2 * view.project(curve.reshape(-1, 3))[0].reshape(-1, 5, 2) + 0.5
        _draw_strands(cover, drawn, lashes.thickness_px, lashes.opacity)
    cover = cv2.resize(cover, (width, height), interpolation=cv2.INTER_AREA)
    rows, columns = np.flatnonzero(cover.any(1)), np.flatnonzero(cover.any(0))
    if len(rows):
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        share = cover[box][..., None].astype(np.float32) / 255
        picture[box] += share * (look.lash_colour * (look.ambient + 0.4 * look.key.colour) - picture[box])


def _along(points: np.ndarray, position: np.ndarray) -> np.ndarray:
    index = np.arange(len(points))
    return np.stack([np.interp(position, index, points[:, k]) for k in range(3)], 1)


def _draw_strands(cover: np.ndarray, curves: np.ndarray, thickness_px: float, opacity: float) -> None:
    fixed = np.round(curves * 16).astype(np.int32)
    thick = max(1, int(round(thickness_px)))
    dark = 250 * opacity * min(1.0, thickness_px)
    cv2.polylines(cover, list(fixed[:, 2:]), False, int(0.6 * dark), max(1, thick - 1), cv2.LINE_AA, 4)
    cv2.polylines(cover, list(fixed[:, :4]), False, int(dark), thick, cv2.LINE_AA, 4)
