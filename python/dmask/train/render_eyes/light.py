"""Camera, light and look of a rendered eye, and where the key light is blocked."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from dmask._core import gbuffer

SRGB_TO_LINEAR = ((np.arange(256) / 255.0) ** 2.2).astype(np.float32)
SHADOW_PX = 176
SHADOW_HALF_MM = 44.0
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


def pixels_per_mm(view: View) -> float:
    return float(np.sqrt(abs(np.linalg.det(view.to_region[:, :2]))) / view.translation_mm[2])


def frame_of_light(direction: np.ndarray) -> np.ndarray:
    right = np.cross([0.0, 1.0, 0.0], direction)
    right /= max(np.linalg.norm(right), 1e-6)
    return np.stack([right, np.cross(direction, right), direction])


def shadow_map(in_light: np.ndarray, triangles: np.ndarray) -> np.ndarray:
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


def key_light_share(in_light: np.ndarray, shadow_depth: np.ndarray) -> np.ndarray:
    """0 .. 1: how much of the key light arrives at points (n,3) given in its frame."""
    at = (in_light[:, :2] + np.float32(SHADOW_HALF_MM)) * np.float32(1 / (2 * SHADOW_HALF_MM))
    above = sample(shadow_depth, at[:, 0], at[:, 1])[:, 0] - in_light[:, 2]
    return 1 - np.clip(above - 0.8, 0, 1).astype(np.float32)


def blur_shadow(lit: np.ndarray, where: np.ndarray, light: Light, view: View) -> np.ndarray:
    """Penumbra: `lit` (h,w) averaged over the neighbourhood, only there where it is known."""
    sigma = max(0.6, light.softness_mm * pixels_per_mm(view))
    side = 2 * int(sigma) + 1
    known = where.astype(np.float32)
    share, total = lit * known, known
    for _ in range(2):
        share, total = cv2.blur(share, (side, side)), cv2.blur(total, (side, side))
    return 1 - light.shadow * (1 - share / np.maximum(total, 1e-3))


def sample(texture: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
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
