"""From a posed eye to linear light: z-buffered skin, an eyeball cast by rays, lashes drawn as strands."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from dmask._core import gbuffer
from dmask.train.render_eyes.assets import IRIS_TEXTURE_RADIUS, PUPIL_TEXTURE_RADIUS, Skin
from dmask.train.render_eyes.geometry import (
    CORNEA_CENTRE_MM,
    CORNEA_RADIUS_MM,
    GLOBE_RADIUS_MM,
    LIMBUS_PLANE_MM,
    LIMBUS_RADIUS_MM,
    EyeRegion,
    texture_gradients,
    vertex_normals,
)

SRGB_TO_LINEAR = ((np.arange(256) / 255.0) ** 2.2).astype(np.float32)
LIMBUS_SHIFT = 0.2  # of the softness
SHADOW_PX = 176
SHADOW_HALF_MM = 44.0
CHUNK_PX = 8192  # pixels shaded at a time, so that they stay in the cache
FAR_MM = 5000.0  # an orthographic light looks like a perspective one from this far


@dataclass
class View:
    """A pinhole camera and the affine map of its picture to the drawn region."""

    rotation: np.ndarray  # (3,3) head -> camera
    translation_mm: np.ndarray  # (3)
    to_region: np.ndarray  # (2,3) normalised picture coordinates -> region pixels

    def project(self, points_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Region pixels (n,2) and depth (n) of head-frame points (n,3)."""
        camera = points_mm @ self.rotation.T + self.translation_mm
        flat = camera[:, :2] / camera[:, 2:]
        return flat @ self.to_region[:, :2].T + self.to_region[:, 2], camera[:, 2]

    @property
    def position_mm(self) -> np.ndarray:
        return -self.rotation.T @ self.translation_mm

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """(n,3) directions in the head frame which advance 1 mm in depth."""
        flat = (pixels - self.to_region[:, 2]) @ np.linalg.inv(self.to_region[:, :2]).T
        return np.concatenate([flat, np.ones((len(flat), 1))], 1) @ self.rotation


@dataclass
class Light:
    direction: np.ndarray  # (3) unit, head frame, towards the light
    colour: np.ndarray  # (3)
    softness_mm: float = 1.5  # of shadows
    shadow: float = 1.0  # their depth


@dataclass
class Lashes:
    count: int
    length_mm: float
    thickness_px: float  # at two drawn pixels a picture pixel
    opacity: float
    droop: float  # 0 horizontal .. 1 downwards at the root
    curl: float  # how far they bend upwards
    spread: float


@dataclass
class Look:
    """Everything about an eye's appearance that is not shape."""

    key: Light
    fill: Light
    ambient: np.ndarray  # (3) mean, and
    ambient_up: np.ndarray  # (3) its change towards the top
    environment: np.ndarray  # (h,w,3) linear, equirectangular, what the cornea mirrors
    tone_gain: np.ndarray  # (3) on skin
    look_down: float  # 0 .. 1 share of the looking-down skin
    bump_mm: float
    crease_smoothing: float
    bulge_relief_mm: float  # of the lower lid's roll, in the skin's relief
    bulge_tone: float  # 0 .. 1 how much darker its groove is
    gloss: float
    sclera_gain: np.ndarray
    veins: float
    iris_gain: np.ndarray
    iris_contrast: float
    pupil_mm: float  # radius
    limbus_softness_mm: float
    reflectance: float
    tear_line: float
    eyeliner: float
    eyeshadow: np.ndarray  # (3) factor on the lid's skin
    lash_colour: np.ndarray
    upper_lashes: Lashes
    lower_lashes: Lashes
    globe_shade: float  # occlusion by lids
    background: np.ndarray = field(default_factory=lambda: np.full((2, 2, 3), 0.2, np.float32))

    def __post_init__(self) -> None:
        for item in (self, self.key, self.fill):
            for name, value in vars(item).items():
                if isinstance(value, np.ndarray):
                    setattr(item, name, value.astype(np.float32))


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
    light_frame = _light_frame(look.key.direction)
    attributes = _vertex_attributes(region, vertices, light_frame)
    shadow_depth = _shadow_map(attributes[: len(region.smooth), 11:14], region.triangles)
    shade = (skin, crease_band, bulge_relief, look, shadow_depth)

    background = cv2.resize(look.background, (width, height), interpolation=cv2.INTER_LINEAR)
    rim, _ = view.project(vertices[region.chains[2]])
    x0, y0 = np.clip(np.floor(rim.min(0)).astype(int) - 3, 0, [width, height])
    x1, y1 = np.clip(np.ceil(rim.max(0)).astype(int) + 4, [x0, y0], [width, height])
    opening = np.s_[y0:y1, x0:x1]
    picture, depth = _draw_skin(
        region, vertices, attributes, view, background.copy(), 1, *shade, leave_out=opening
    )
    picture = _smooth_outlines(picture, depth)
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
        seen = _draw_globe(fine, fine_depth, margin, axes, iris, look, fine_view, shadow_depth, light_frame)
        size = (int(x1 - x0), int(y1 - y0))
        picture[opening] = cv2.resize(np.minimum(fine, 3.0), size, interpolation=cv2.INTER_AREA)
        globe_seen[opening] = cv2.resize(seen.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    without_lashes = picture.copy()
    _draw_lashes(picture, depth, region, vertices, look, view, rng)
    return Rendered(picture, without_lashes, depth, globe_seen)


def _smooth_outlines(picture: np.ndarray, depth: np.ndarray) -> np.ndarray:
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
        lit[part] = _lit(flat_surface[part, 11:14], shadow_depth)
    lit = _blur_shadow(lit.reshape(height, width), wanted, look.key, view).ravel()
    if leave_out is not None:
        wanted[leave_out] = False
        covered = np.flatnonzero(wanted)
    for first in range(0, len(covered), CHUNK_PX):
        part = covered[first : first + CHUNK_PX]
        flat_picture[part] = _skin(
            flat_surface[part], lit[part], skin, level, crease_band, bulge_relief, look, toward_camera
        )
    return picture, mesh_depth


def _light_frame(direction: np.ndarray) -> np.ndarray:
    right = np.cross([0.0, 1.0, 0.0], direction)
    right /= max(np.linalg.norm(right), 1e-6)
    return np.stack([right, np.cross(direction, right), direction])


def _shadow_map(in_light: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Height towards the light (mm) of the nearest surface; low where nothing is. Skirts cast no shadow."""
    triangles = triangles[(triangles < len(in_light)).all(1)]
    scale = SHADOW_PX / (2 * SHADOW_HALF_MM)
    pixels = (in_light[:, :2] + SHADOW_HALF_MM) * scale - 0.5
    _, _, depth = gbuffer(
        pixels.astype(np.float32),
        (FAR_MM - in_light[:, 2]).astype(np.float32),
        triangles,
        SHADOW_PX,
        SHADOW_PX,
    )
    return np.where(np.isfinite(depth), FAR_MM - depth, -99.0).astype(np.float32)


def _lit(in_light: np.ndarray, shadow_depth: np.ndarray) -> np.ndarray:
    """0 .. 1: how much of the key light arrives at points (n,3) given in its frame."""
    at = (in_light[:, :2] + np.float32(SHADOW_HALF_MM)) * np.float32(1 / (2 * SHADOW_HALF_MM))
    above = _sample(shadow_depth, at[:, 0], at[:, 1])[:, 0] - in_light[:, 2]
    return 1 - np.clip(above - 0.8, 0, 1).astype(np.float32)


def _blur_shadow(lit: np.ndarray, where: np.ndarray, light: Light, view: View) -> np.ndarray:
    """Penumbra: `lit` (h,w) averaged over the neighbourhood, only there where it is known."""
    sigma = max(0.6, light.softness_mm * _pixels_per_mm(view))
    side = 2 * int(sigma) + 1
    known = where.astype(np.float32)
    share, total = lit * known, known
    for _ in range(2):
        share, total = cv2.blur(share, (side, side)), cv2.blur(total, (side, side))
    return 1 - light.shadow * (1 - share / np.maximum(total, 1e-3))


def _sample(texture: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Bilinear; u, v (n) in 0..1 -> (n,channels). OpenCV wants a side below 32768."""
    n = len(u)
    columns = 256
    rows = -(-n // columns)
    map_x = np.zeros(rows * columns, np.float32)
    map_y = np.zeros_like(map_x)
    np.multiply(u, texture.shape[1], out=map_x[:n], casting="unsafe")
    np.multiply(v, texture.shape[0], out=map_y[:n], casting="unsafe")
    out = cv2.remap(
        texture,
        map_x.reshape(rows, columns) - 0.5,
        map_y.reshape(rows, columns) - 0.5,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    return out.reshape(rows * columns, -1)[:n]


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
    colour = _sample(skin.colour[level], u, v)
    if look.look_down > 0.01:
        down = _sample(skin.colour_looking_down[level], u, v)
        colour = cv2.addWeighted(colour, 1 - look.look_down, down, look.look_down, 0)
    albedo = np.ascontiguousarray(cv2.LUT(colour, SRGB_TO_LINEAR).reshape(-1, 3).T)
    slope = np.ascontiguousarray(_sample(skin.slope[level], u, v).T) * np.float32(look.bump_mm)
    if look.crease_smoothing > 0:
        slope *= 1 - np.float32(look.crease_smoothing) * _sample(crease_band, u, v)[:, 0]
    if look.bulge_relief_mm > 0:
        relief = np.ascontiguousarray(_sample(bulge_relief, u, v).T)
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


def _mirror(environment: np.ndarray, direction: np.ndarray) -> np.ndarray:
    azimuth = np.arctan2(direction[:, 0], direction[:, 2]) / (2 * np.pi) + 0.5
    polar = np.arccos(np.clip(direction[:, 1], -1, 1)) / np.pi
    return _sample(environment, azimuth, polar)


def _near_hit(origin: np.ndarray, rays: np.ndarray, centre: np.ndarray, radius: float) -> np.ndarray:
    """Distance along unit rays to the sphere's near side, inf where it is missed."""
    offset = origin - centre
    b = rays @ offset
    root = b * b - (offset @ offset - radius**2)
    return np.where(root > 0, -b - np.sqrt(np.maximum(root, 0)), np.inf)


def _draw_globe(
    picture: np.ndarray,
    mesh_depth: np.ndarray,
    margin_px: np.ndarray,
    axes: np.ndarray,
    iris: np.ndarray,
    look: Look,
    view: View,
    shadow_depth: np.ndarray,
    light_frame: np.ndarray,
) -> np.ndarray:
    """Draw the eyeball where the lids leave it free; returns where it is seen, bool (h,w)."""
    height, width = mesh_depth.shape
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(-1, 2)
    rays = view.rays(grid).astype(np.float32)
    length = np.linalg.norm(rays, axis=1)
    rays /= length[:, None]
    origin = view.position_mm.astype(np.float32)
    right, up, optical = axes.astype(np.float32)
    to_globe = _near_hit(origin, rays, np.zeros(3), GLOBE_RADIUS_MM)
    to_cornea = _near_hit(origin, rays, CORNEA_CENTRE_MM * optical, CORNEA_RADIUS_MM)
    with np.errstate(invalid="ignore"):
        cap = (origin + np.where(np.isfinite(to_cornea), to_cornea, 0)[:, None] * rays) @ optical
        is_cornea = np.isfinite(to_cornea) & (cap > LIMBUS_PLANE_MM)
        distance = np.where(is_cornea, np.minimum(to_cornea, to_globe), to_globe)
    depth = (distance / length).reshape(height, width)
    seen = np.isfinite(depth) & (depth < mesh_depth - 0.5)
    # Neither lids nor eyeball: a gap deep in the canthi.
    opening = np.zeros((height, width), np.uint8)
    cv2.fillPoly(opening, [np.round(margin_px).astype(np.int32)], 1)
    gap = (opening > 0) & ~np.isfinite(mesh_depth) & ~seen
    picture[gap] = np.array([0.10, 0.03, 0.025], np.float32) * (look.ambient + 0.3 * look.key.colour)
    visible = seen.ravel()
    if not visible.any():
        return seen
    rays, distance, is_cornea = rays[visible], distance[visible], is_cornea[visible]
    point = origin + distance[:, None] * rays
    axial, x, y = point @ optical, point @ right, point @ up
    across = np.hypot(x, y)

    # Sclera, unrolled by the angle from the optical axis as the eyeball pictures are.
    angle = np.arctan2(across, axial)
    unrolled = np.where(angle < 0.5, 0.277 * angle, IRIS_TEXTURE_RADIUS + (angle - 0.5) * 0.181)
    unrolled = np.maximum(unrolled, IRIS_TEXTURE_RADIUS * 1.06)
    cosine, sine = x / np.maximum(across, 1e-6), y / np.maximum(across, 1e-6)
    sclera = SRGB_TO_LINEAR[_sample(iris, 0.5 + unrolled * cosine, 0.5 - unrolled * sine)]
    pale = np.array([0.62, 0.55, 0.52], np.float32)
    sclera = (pale + (sclera - pale) * look.veins) * look.sclera_gain.astype(np.float32)

    # Iris, through the refracting cornea.
    normal = point / np.maximum(np.linalg.norm(point, axis=1, keepdims=True), 1e-6)
    bulged = point - CORNEA_CENTRE_MM * optical
    bulged /= np.linalg.norm(bulged, axis=1, keepdims=True)
    ratio = 1 / 1.336
    entering = -np.einsum("ij,ij->i", rays, bulged)
    inside = (
        ratio * rays
        + (ratio * entering - np.sqrt(np.maximum(1e-4, 1 - ratio**2 * (1 - entering**2))))[:, None] * bulged
    )
    travel = (LIMBUS_PLANE_MM - 0.15 - axial) / np.minimum(inside @ optical, -1e-3)
    on_iris = point + travel[:, None] * inside
    iris_x, iris_y = on_iris @ right, on_iris @ up
    rho = np.minimum(np.hypot(iris_x, iris_y), LIMBUS_RADIUS_MM * 0.99)
    span = IRIS_TEXTURE_RADIUS - PUPIL_TEXTURE_RADIUS
    texture_radius = np.where(
        rho < look.pupil_mm,
        rho / look.pupil_mm * PUPIL_TEXTURE_RADIUS,
        PUPIL_TEXTURE_RADIUS + (rho - look.pupil_mm) / (LIMBUS_RADIUS_MM - look.pupil_mm) * span,
    )
    iris_angle = np.arctan2(iris_y, iris_x)
    stroma = SRGB_TO_LINEAR[
        _sample(iris, 0.5 + texture_radius * np.cos(iris_angle), 0.5 - texture_radius * np.sin(iris_angle))
    ]
    stroma = 0.12 + (stroma - 0.12) * look.iris_contrast if look.iris_contrast != 1 else stroma
    stroma = np.clip(stroma, 0, None) * look.iris_gain.astype(np.float32)
    stroma *= np.clip((rho - look.pupil_mm) / 0.12 + 0.5, 0.03, 1)[:, None]
    stroma *= (1 - 0.45 * np.clip((rho - 4.9) / 0.9, 0, 1))[:, None]

    soft = look.limbus_softness_mm
    # In a picture the edge is seen nearer to its dark side, so that the ramp starts farther out.
    outside = np.clip((across - LIMBUS_RADIUS_MM) / soft + 0.5 - LIMBUS_SHIFT, 0, 1)
    outside = np.where(axial > 0, outside * outside * (3 - 2 * outside), 1.0)[:, None]
    albedo = (stroma * (1 - outside) + sclera * outside).astype(np.float32)
    normal = bulged * (1 - outside) + normal * outside
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)

    # The lids shade the globe: distance to the nearest lid, and the upper lid's overhang.
    scale = _pixels_per_mm(view)
    lid = (~seen).astype(np.uint8)
    edge_mm = cv2.distanceTransform(seen.astype(np.uint8), cv2.DIST_L2, 3)[seen] / scale
    overhang = cv2.GaussianBlur(lid.astype(np.float32), (0, 0), max(0.5, 1.3 * scale))
    shift = np.float32([[1, 0, 0], [0, 1, 1.6 * scale]])
    overhang = cv2.warpAffine(overhang, shift, (width, height), borderMode=cv2.BORDER_REPLICATE)[seen]
    occlusion = (1 - look.globe_shade * np.clip(overhang, 0, 1)) * (1 - 0.45 * np.exp(-edge_mm / 0.5))

    lit = np.zeros((height, width), np.float32)
    lit[seen] = _lit(point @ light_frame.T.astype(np.float32), shadow_depth)
    lit = _blur_shadow(lit, seen, look.key, view)[seen]
    toward_key = np.clip(normal @ look.key.direction * 0.8 + 0.2, 0, None) * lit
    toward_fill = np.clip(normal @ look.fill.direction * 0.8 + 0.2, 0, None)
    light = toward_key[:, None] * look.key.colour + toward_fill[:, None] * look.fill.colour
    light = (
        light * (0.35 + 0.65 * occlusion[:, None])
        + (look.ambient + look.ambient_up * normal[:, 1:2]) * occlusion[:, None]
    )
    colour = albedo * light

    mirrored = rays - 2 * np.einsum("ij,ij->i", rays, normal)[:, None] * normal
    facing = np.clip(-np.einsum("ij,ij->i", rays, normal), 0, 1)
    fresnel = look.reflectance + (1 - look.reflectance) * (1 - facing) ** 5 * 0.5
    wet = (1 - 0.7 * outside[:, 0]) * np.clip(edge_mm / 0.4, 0, 1)
    blocked = 0.1 + 0.9 * occlusion
    colour += _mirror(look.environment, mirrored) * (fresnel * wet * blocked)[:, None]
    # The tear meniscus along the lids.
    meniscus = look.tear_line * np.exp(-(((edge_mm - 0.25) / 0.15) ** 2)) * (normal[:, 1] < 0) * occlusion
    colour += meniscus[:, None] * (0.5 * look.ambient + 0.25 * look.key.colour)
    picture[seen] = colour
    return seen


def _pixels_per_mm(view: View) -> float:
    return float(np.sqrt(abs(np.linalg.det(view.to_region[:, :2]))) / view.translation_mm[2])


def _draw_lashes(
    picture: np.ndarray,
    mesh_depth: np.ndarray,
    region: EyeRegion,
    vertices: np.ndarray,
    look: Look,
    view: View,
    rng: np.random.Generator,
) -> None:
    height, width = picture.shape[:2]
    cover = np.zeros((2 * height, 2 * width), np.uint8)
    half = region.half
    for lashes, chain, crest, sign in (
        (look.upper_lashes, region.chains[1][2 : half - 1], region.chains[2][2 : half - 1], 1.0),
        (look.lower_lashes, region.chains[1][: half + 3 : -1], region.chains[2][: half + 3 : -1], -1.0),
    ):
        if lashes.count == 0:
            continue
        along = np.linspace(0.12 if sign > 0 else 0.3, 1.0, lashes.count) + rng.normal(0, 0.004, lashes.count)
        position = np.clip(along, 0, 1) * (len(chain) - 1)
        root = _along(vertices[chain], position) + rng.normal(0, 0.12, (lashes.count, 3))
        outward = root / np.linalg.norm(root, axis=1, keepdims=True)
        away = _along(vertices[crest], position) - root
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
