"""The eyeball where the lids leave it free: sclera, the iris through the cornea, what it mirrors."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dmask.train.render_eyes.assets import IRIS_TEXTURE_RADIUS, PUPIL_TEXTURE_RADIUS
from dmask.train.render_eyes.geometry import (
    CORNEA_RADIUS_MM,
    GLOBE_RADIUS_MM,
    USUAL_CORNEA,
    Cornea,
)
from dmask.train.render_eyes.light import (
    SRGB_TO_LINEAR,
    Look,
    View,
    blur_shadow,
    key_light_share,
    pixels_per_mm,
    sample,
)

LIMBUS_SHIFT = 0.2  # of the softness
AIR_TO_EYE = 1 / 1.336  # ratio of the refractive indices
IRIS_BEHIND_LIMBUS_MM = 0.15
PUPIL_POINTS = 13  # centre and rim
REFRACTION_STEPS, REFRACTION_MM = 12, 0.02  # until the refracted rays meet the pupil's rim


@dataclass
class Hits:
    """Where the rays of n seen pixels meet the eyeball; head frame, mm."""

    rays: np.ndarray  # (n,3) unit
    point: np.ndarray  # (n,3)
    axes: np.ndarray  # (3,3) rows: the eye's temporal, up and optical axis
    cornea: Cornea
    axial: np.ndarray  # (n) along the optical axis
    x: np.ndarray  # (n) along the temporal axis
    y: np.ndarray  # (n) along the eye's up
    across: np.ndarray  # (n) from the optical axis


@dataclass
class Surface:
    """What light meets at the hits."""

    albedo: np.ndarray  # (n,3)
    normal: np.ndarray  # (n,3)
    outside: np.ndarray  # (n,1) 0 on the iris .. 1 on the sclera


@dataclass
class LidShade:
    """How the lids shade the hits."""

    edge_mm: np.ndarray  # (n) to the nearest lid
    occlusion: np.ndarray  # (n) 0..1, the share of the surroundings' light that arrives


def draw_globe(
    picture: np.ndarray,
    mesh_depth: np.ndarray,
    margin_px: np.ndarray,
    axes: np.ndarray,
    iris: np.ndarray,
    look: Look,
    view: View,
    shadow_depth: np.ndarray,
    light_frame: np.ndarray,
    lids_rise: bool = True,
    cornea: Cornea = USUAL_CORNEA,
) -> np.ndarray:
    """Draw the eyeball into the picture; returns where it is seen, bool (h,w).

    lids_rise: the mesh clears the cornea; else it clears the sphere alone, and the cornea stays behind it.
    """
    hits, seen = _cast(view, mesh_depth, axes, cornea, lids_rise)
    _draw_gap(picture, mesh_depth, margin_px, seen, look)
    if not len(hits.point):
        return seen
    surface = _surface(hits, iris, look)
    shade = _lid_shade(seen, look, view)
    arriving = np.zeros(seen.shape, np.float32)
    arriving[seen] = key_light_share(hits.point @ light_frame.T.astype(np.float32), shadow_depth)
    arriving = blur_shadow(arriving, seen, look.key, view)[seen]
    colour = surface.albedo * _light(surface.normal, arriving, shade.occlusion, look)
    colour += _mirrored(hits, surface, shade, look)
    # The tear meniscus lies along the lids.
    meniscus = look.tear_line * np.exp(-(((shade.edge_mm - 0.25) / 0.15) ** 2))
    meniscus = meniscus * (surface.normal[:, 1] < 0) * shade.occlusion
    colour += meniscus[:, None] * (0.5 * look.ambient + 0.25 * look.key.colour)
    picture[seen] = colour
    return seen


def _cast(
    view: View, mesh_depth: np.ndarray, axes: np.ndarray, cornea: Cornea, lids_rise: bool
) -> tuple[Hits, np.ndarray]:
    """The hits in front of the lids' mesh, and where they are, bool (h,w)."""
    height, width = mesh_depth.shape
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(-1, 2)
    hits, reach = _meet(grid, view, axes, cornea, lids_rise)
    depth = reach.reshape(height, width)
    seen = np.isfinite(depth) & (depth < mesh_depth - 0.5)
    visible = seen.ravel()
    columns = (hits.rays, hits.point, hits.axial, hits.x, hits.y, hits.across)
    rays, point, axial, x, y, across = (values[visible] for values in columns)
    return Hits(rays, point, hits.axes, cornea, axial, x, y, across), seen


def _meet(
    pixels: np.ndarray, view: View, axes: np.ndarray, cornea: Cornea, lids_rise: bool
) -> tuple[Hits, np.ndarray]:
    """Where the rays of pixels (n,2) meet the eyeball, and how deep that is (n); inf where they do not."""
    rays = view.rays(pixels).astype(np.float32)
    length = np.linalg.norm(rays, axis=1)
    rays /= length[:, None]
    origin = view.position_mm.astype(np.float32)
    axes = axes.astype(np.float32)
    right, up, optical = axes
    to_globe = _near_hit(origin, rays, np.zeros(3), GLOBE_RADIUS_MM)
    to_cornea = _near_hit(origin, rays, cornea.centre_mm * optical, CORNEA_RADIUS_MM)
    with np.errstate(invalid="ignore"):
        cap = (origin + np.where(np.isfinite(to_cornea), to_cornea, 0)[:, None] * rays) @ optical
        is_cornea = np.isfinite(to_cornea) & (cap > cornea.limbus_plane_mm)
        distance = np.where(is_cornea, np.minimum(to_cornea, to_globe), to_globe)
        depth = (distance if lids_rise else to_globe) / length
    with np.errstate(invalid="ignore"):
        point = origin + distance[:, None] * rays
        axial, x, y = point @ optical, point @ right, point @ up
        return Hits(rays, point, axes, cornea, axial, x, y, np.hypot(x, y)), depth


def _near_hit(origin: np.ndarray, rays: np.ndarray, centre: np.ndarray, radius: float) -> np.ndarray:
    """Distance along unit rays to the sphere's near side, inf where it is missed."""
    offset = origin - centre
    b = rays @ offset
    root = b * b - (offset @ offset - radius**2)
    return np.where(root > 0, -b - np.sqrt(np.maximum(root, 0)), np.inf)


def _draw_gap(
    picture: np.ndarray, mesh_depth: np.ndarray, margin_px: np.ndarray, seen: np.ndarray, look: Look
) -> None:
    """Deep in the canthi there is neither lid nor eyeball: draw that dark red."""
    opening = np.zeros(mesh_depth.shape, np.uint8)
    cv2.fillPoly(opening, [np.round(margin_px).astype(np.int32)], 1)
    gap = (opening > 0) & ~np.isfinite(mesh_depth) & ~seen
    picture[gap] = np.array([0.10, 0.03, 0.025], np.float32) * (look.ambient + 0.3 * look.key.colour)


def _surface(hits: Hits, iris: np.ndarray, look: Look) -> Surface:
    """Sclera and iris, blended over the limbus."""
    sclera = _sclera(hits, iris, look)
    normal = hits.point / np.maximum(np.linalg.norm(hits.point, axis=1, keepdims=True), 1e-6)
    bulged = _bulged(hits)
    stroma = _iris(hits, bulged, iris, look)
    # In a picture the edge is seen nearer to its dark side, so that the ramp starts farther out.
    outside = np.clip(
        (hits.across - hits.cornea.limbus_radius_mm) / look.limbus_softness_mm + 0.5 - LIMBUS_SHIFT, 0, 1
    )
    outside = np.where(hits.axial > 0, outside * outside * (3 - 2 * outside), 1.0)[:, None]
    albedo = (stroma * (1 - outside) + sclera * outside).astype(np.float32)
    normal = bulged * (1 - outside) + normal * outside
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return Surface(albedo, normal, outside)


def _sclera(hits: Hits, iris: np.ndarray, look: Look) -> np.ndarray:
    """(n,3) albedo, unrolled by the angle from the optical axis as the eyeball pictures are."""
    across = hits.across
    angle = np.arctan2(across, hits.axial)
    unrolled = np.where(angle < 0.5, 0.277 * angle, IRIS_TEXTURE_RADIUS + (angle - 0.5) * 0.181)
    unrolled = np.maximum(unrolled, IRIS_TEXTURE_RADIUS * 1.06)
    cosine, sine = hits.x / np.maximum(across, 1e-6), hits.y / np.maximum(across, 1e-6)
    sclera = SRGB_TO_LINEAR[sample(iris, 0.5 + unrolled * cosine, 0.5 - unrolled * sine)]
    pale = np.array([0.62, 0.55, 0.52], np.float32)
    return (pale + (sclera - pale) * look.veins) * look.sclera_gain.astype(np.float32)


def _iris(hits: Hits, bulged: np.ndarray, iris: np.ndarray, look: Look) -> np.ndarray:
    """(n,3) albedo of what the rays meet behind the refracting cornea, whose normals are `bulged` (n,3)."""
    limbus_mm = hits.cornea.limbus_radius_mm
    iris_x, iris_y = _behind_cornea(hits, bulged)
    rho = np.minimum(np.hypot(iris_x, iris_y), limbus_mm * 0.99)
    span = IRIS_TEXTURE_RADIUS - PUPIL_TEXTURE_RADIUS
    texture_radius = np.where(
        rho < look.pupil_mm,
        rho / look.pupil_mm * PUPIL_TEXTURE_RADIUS,
        PUPIL_TEXTURE_RADIUS + (rho - look.pupil_mm) / (limbus_mm - look.pupil_mm) * span,
    )
    angle = np.arctan2(iris_y, iris_x)
    stroma = SRGB_TO_LINEAR[
        sample(iris, 0.5 + texture_radius * np.cos(angle), 0.5 - texture_radius * np.sin(angle))
    ]
    stroma = 0.12 + (stroma - 0.12) * look.iris_contrast if look.iris_contrast != 1 else stroma
    stroma = np.clip(stroma, 0, None) * look.iris_gain.astype(np.float32)
    stroma *= np.clip((rho - look.pupil_mm) / 0.12 + 0.5, 0.03, 1)[:, None]
    stroma *= (1 - 0.45 * np.clip((rho - limbus_mm + 0.95) / 0.9, 0, 1))[:, None]
    return stroma


def _bulged(hits: Hits) -> np.ndarray:
    """(n,3) normals of the cornea's sphere."""
    bulged = hits.point - hits.cornea.centre_mm * hits.axes[2]
    return np.asarray(bulged / np.linalg.norm(bulged, axis=1, keepdims=True))


def _behind_cornea(hits: Hits, bulged: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n) and (n) mm temporal and up, where the refracted rays meet the iris' plane."""
    right, up, optical = hits.axes
    ratio = AIR_TO_EYE
    entering = -np.einsum("ij,ij->i", hits.rays, bulged)
    inside = (
        ratio * hits.rays
        + (ratio * entering - np.sqrt(np.maximum(1e-4, 1 - ratio**2 * (1 - entering**2))))[:, None] * bulged
    )
    plane_mm = hits.cornea.limbus_plane_mm - IRIS_BEHIND_LIMBUS_MM
    travel = (plane_mm - hits.axial) / np.minimum(inside @ optical, -1e-3)
    on_iris = hits.point + travel[:, None] * inside
    return on_iris @ right, on_iris @ up


def pupil_points(
    axes: np.ndarray, pupil_mm: float, view: View, cornea: Cornea = USUAL_CORNEA
) -> np.ndarray | None:
    """(PUPIL_POINTS,2) px of the pupil as it is seen through the cornea, whatever hides it: its centre, then
    its rim clockwise in the picture, from 12 o'clock of the eye. None where the eye looks too far away."""
    right, up, optical = axes
    angle = 2 * np.pi * np.arange(PUPIL_POINTS - 1) / (PUPIL_POINTS - 1)
    # Seen from in front, the temporal axis is the picture's right for the left eye, which is drawn.
    rim = pupil_mm * np.column_stack([np.sin(angle), np.cos(angle)])
    wanted = np.vstack([np.zeros(2), rim])

    def straight(on_iris: np.ndarray) -> np.ndarray:
        plane = (cornea.limbus_plane_mm - IRIS_BEHIND_LIMBUS_MM) * optical
        return np.asarray(view.project(on_iris[:, :1] * right + on_iris[:, 1:] * up + plane)[0])

    aim = straight(wanted)
    pixels = aim.copy()
    for _ in range(REFRACTION_STEPS):
        hits, depth = _meet(pixels, view, axes, cornea, True)
        if not np.isfinite(depth).all():
            return None
        met = np.column_stack(_behind_cornea(hits, _bulged(hits)))
        pixels = pixels + aim - straight(met)
    return pixels if np.abs(met - wanted).max() < REFRACTION_MM else None


def _lid_shade(seen: np.ndarray, look: Look, view: View) -> LidShade:
    """The lids shade the globe by their distance, and the upper one by its overhang."""
    height, width = seen.shape
    scale = pixels_per_mm(view)
    lid = (~seen).astype(np.uint8)
    edge_mm = cv2.distanceTransform(seen.astype(np.uint8), cv2.DIST_L2, 3)[seen] / scale
    overhang = cv2.GaussianBlur(lid.astype(np.float32), (0, 0), max(0.5, 1.3 * scale))
    shift = np.float32([[1, 0, 0], [0, 1, 1.6 * scale]])
    overhang = cv2.warpAffine(overhang, shift, (width, height), borderMode=cv2.BORDER_REPLICATE)[seen]
    occlusion = (1 - look.globe_shade * np.clip(overhang, 0, 1)) * (1 - 0.45 * np.exp(-edge_mm / 0.5))
    return LidShade(edge_mm, occlusion)


def _light(normal: np.ndarray, arriving: np.ndarray, occlusion: np.ndarray, look: Look) -> np.ndarray:
    """(n,3) light on the surface; `arriving` (n) is the share of the key light."""
    toward_key = np.clip(normal @ look.key.direction * 0.8 + 0.2, 0, None) * arriving
    toward_fill = np.clip(normal @ look.fill.direction * 0.8 + 0.2, 0, None)
    light = toward_key[:, None] * look.key.colour + toward_fill[:, None] * look.fill.colour
    return (
        light * (0.35 + 0.65 * occlusion[:, None])
        + (look.ambient + look.ambient_up * normal[:, 1:2]) * occlusion[:, None]
    )


def _mirrored(hits: Hits, surface: Surface, shade: LidShade, look: Look) -> np.ndarray:
    """(n,3) what the wet surface mirrors of the surroundings."""
    rays, normal = hits.rays, surface.normal
    mirrored = rays - 2 * np.einsum("ij,ij->i", rays, normal)[:, None] * normal
    facing = np.clip(-np.einsum("ij,ij->i", rays, normal), 0, 1)
    fresnel = look.reflectance + (1 - look.reflectance) * (1 - facing) ** 5 * 0.5
    wet = (1 - 0.7 * surface.outside[:, 0]) * np.clip(shade.edge_mm / 0.4, 0, 1)
    blocked = 0.1 + 0.9 * shade.occlusion
    return _mirror(look.environment, mirrored) * (fresnel * wet * blocked)[:, None]


def _mirror(environment: np.ndarray, direction: np.ndarray) -> np.ndarray:
    azimuth = np.arctan2(direction[:, 0], direction[:, 2]) / (2 * np.pi) + 0.5
    polar = np.arccos(np.clip(direction[:, 1], -1, 1)) / np.pi
    return sample(environment, azimuth, polar)
