"""Spectacles before a rendered eye: rim, shadow, magnifying and tinted lenses, reflections."""

from dataclasses import dataclass

import cv2
import numpy as np

THICK = 0.05  # |magnification - 1| from which a lens counts as thick


@dataclass
class Lens:
    """A lens seen from in front. What is behind it appears at c + m (p - c), as far as it lies inside."""

    outline: np.ndarray  # f32 (n,2) pixels
    centre: np.ndarray  # (2) optical centre c
    magnification: float  # m
    mask: np.ndarray  # f32 (h,w) 1 inside
    dark: bool  # too dark to see through

    def encloses(self, points: np.ndarray) -> np.ndarray:
        """bool (n): inside of the outline."""
        return np.array(
            [cv2.pointPolygonTest(self.outline, (float(x), float(y)), False) >= 0 for x, y in points]
        )

    def move(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where points (n,2) behind the lens appear, and which of them its rim cuts off, bool (n)."""
        inside = self.encloses(points)
        moved = np.where(inside[:, None], self.centre + self.magnification * (points - self.centre), points)
        return moved, inside & ~self.encloses(moved)

    def refract(self, linear: np.ndarray) -> np.ndarray:
        """The picture (h,w,3) as seen past and through the lens."""
        # Output p shows c + (p - c) / m.
        to_source = np.eye(2) / self.magnification
        matrix = np.concatenate([to_source, (self.centre - to_source @ self.centre)[:, None]], 1)
        height, width = linear.shape[:2]
        through = cv2.warpAffine(
            linear, matrix, (width, height), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )  # fmt: skip
        return linear + self.mask[..., None] * (np.maximum(through, 0) - linear)


def put_on_spectacles(
    linear: np.ndarray,
    covered: np.ndarray,
    canthal_px: float,
    light: np.ndarray,
    toward_key: np.ndarray,
    dark_share: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, Lens, bool]:
    """Spectacles over a linear picture (h,w,3); `covered` (h,w) is updated.

    light (3): what a white surface sends back; toward_key (3): towards the key light, x right, y up, z out;
    dark_share: how many of the lenses are sunglasses. Returns the picture, the lens, and if there is glare.
    """
    height, width = linear.shape[:2]
    sunglasses = rng.random() < dark_share
    size = canthal_px * np.array([rng.uniform(0.75, 1.15), rng.uniform(0.45, 0.85)])
    if sunglasses:
        size *= rng.uniform(1.0, 1.2)
    middle = np.array([width - 1, height - 1]) / 2 + canthal_px * rng.normal(0, [0.12, 0.15])
    outline = (middle + _outline(size, rng)).astype(np.float32)
    mask = np.zeros((height, width), np.float32)
    cv2.fillPoly(mask, [_fixed(outline)], 1.0, cv2.LINE_8, 4)
    thick = rng.random() < (0.15 if sunglasses else 0.6)
    power = rng.choice([-1, 1]) * rng.uniform(0.05, 0.25) if thick else rng.normal(0, 0.02)
    magnification = float(np.clip(1 + power, 0.8, 1.25))
    transmission = rng.uniform(0.0, 0.10) if rng.random() < 0.62 else rng.uniform(0.12, 0.6)
    dark = bool(sunglasses and transmission <= 0.10)
    lens = Lens(outline, middle + canthal_px * rng.normal(0, 0.06, 2), magnification, mask, dark)

    rim = _rim(outline, middle, size, canthal_px, rng, (height, width), bold=sunglasses)
    depth = canthal_px * rng.uniform(0.08, 0.45)
    fall = depth * np.clip(toward_key[:2] * [-1, 1] / max(toward_key[2], 0.3), -1, 1)
    shadow = cv2.warpAffine(rim, np.float32([[1, 0, fall[0]], [0, 1, fall[1]]]), (width, height))
    shadow = cv2.GaussianBlur(shadow, (0, 0), canthal_px * rng.uniform(0.01, 0.05) + 0.4)
    linear = linear * (1 - rng.uniform(0.1, 0.65) * shadow[..., None])
    linear = lens.refract(linear) if abs(magnification - 1) > 1e-3 else linear
    if thick:  # the edge of a strong lens shows as a pale or dark ring
        ring = np.zeros((height, width), np.uint8)
        cv2.polylines(ring, [_fixed(outline)], True, 255, max(2, int(0.1 * canthal_px * abs(power) / 0.25)))
        ring = cv2.GaussianBlur(ring.astype(np.float32) / 255, (0, 0), 1.0) * mask
        linear = linear * (1 + rng.uniform(-0.5, 0.35) * ring[..., None])

    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    if sunglasses:
        gradient = 1 + rng.choice([0.0, rng.uniform(0.2, 0.8)]) * (down - 1)  # darker above
        tint = transmission * gradient * rng.uniform(0.6, 1.0, 3)
    else:
        tint = 1 - rng.random() ** 3 * rng.uniform(0.1, 0.3) * rng.uniform(0.5, 1.0, 3) * (1 - 0.5 * down)
    room = cv2.resize(
        rng.uniform(0, 1, (5, 6, 1)).astype(np.float32) ** 2, (width, height), interpolation=cv2.INTER_CUBIC
    )
    room = np.clip(room[..., None] * (1.4 - down), 0, None) * np.exp(rng.normal(0, 0.2, 3))
    mirrored = rng.uniform(0.02, 0.3) if dark else rng.uniform(0.0, 0.05)
    body = rng.uniform(0.0, 0.02) * rng.uniform(0.5, 1, 3) if sunglasses else np.zeros(3)
    seen = linear * tint + (room * mirrored + body) * light
    linear = linear + mask[..., None] * (seen - linear)
    if dark:
        np.maximum(covered, mask, out=covered)

    glare = rng.random() < 0.5
    if glare:
        linear = _reflect_lamps(linear, covered, mask, middle, size, canthal_px, rng)
    metal = rng.uniform(0.003, 0.06, 3)
    if rng.random() < 0.35:
        metal = rng.uniform(0.1, 0.6) * rng.uniform(0.4, 1, 3)
    edge = cv2.GaussianBlur(rim, (0, 0), max(0.6, 0.02 * canthal_px))
    relief = 1.0 + 3.0 * (
        cv2.Sobel(edge, cv2.CV_32F, 0, 1) * toward_key[1] - cv2.Sobel(edge, cv2.CV_32F, 1, 0) * toward_key[0]
    )
    shade = np.clip(relief, 0.4, 3.0)[..., None] * (1.3 - 0.6 * down)
    linear = linear + rim[..., None] * (shade * metal * light - linear)
    np.maximum(covered, rim, out=covered)
    return linear.astype(np.float32), lens, glare


def _fixed(points: np.ndarray) -> np.ndarray:
    """Points in the sixteenths of a pixel that OpenCV's drawing takes."""
    return np.round(16 * points).astype(np.int32)


def rounded(size: np.ndarray, power: float, turn: float) -> np.ndarray:
    """(64,2) a superellipse round the origin."""
    t = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    x = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** (2 / power) * size[0]
    y = np.sign(np.sin(t)) * np.abs(np.sin(t)) ** (2 / power) * size[1]
    cosine, sine = np.cos(turn), np.sin(turn)
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], 1)


def _outline(size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """f32 (64,2): round, square, pilot or butterfly lenses, about their middle."""
    points = rounded(size, rng.uniform(1.8, 7), 0.0)
    across = points[:, 0] / size[0]
    points[:, 1] *= np.where(points[:, 1] < 0, rng.uniform(0.65, 1.0), 1.0) * (
        1 + rng.normal(0, 0.1) * across
    )
    points[:, 0] *= 1 + rng.uniform(-0.18, 0.1) * points[:, 1] / size[1]
    points[:, 1] -= max(0.0, rng.normal(0, 0.15)) * size[1] * np.maximum(across, 0) ** 3
    turn = rng.normal(0, 0.07)
    cosine, sine = np.cos(turn), np.sin(turn)
    return (points @ np.array([[cosine, sine], [-sine, cosine]])).astype(np.float32)


def _rim(
    outline: np.ndarray,
    middle: np.ndarray,
    size: np.ndarray,
    canthal_px: float,
    rng: np.random.Generator,
    shape: tuple[int, int],
    bold: bool,
) -> np.ndarray:
    """f32 (h,w) 0 .. 1: rim, bridge and temple."""
    rim = np.zeros(shape, np.uint8)
    heavy = rng.random() < (0.65 if bold else 0.5)
    thickness = max(1, int(canthal_px * (rng.uniform(0.05, 0.2) if heavy else rng.uniform(0.01, 0.04))))
    kind = rng.random()
    if kind < 0.72 or heavy:
        cv2.polylines(rim, [_fixed(outline)], True, 255, thickness, cv2.LINE_AA, 4)
    elif kind < 0.88:  # rimmed above only
        cv2.polylines(rim, [_fixed(outline[32:])], False, 255, thickness, cv2.LINE_AA, 4)
        cv2.polylines(rim, [_fixed(outline[:33])], False, 90, 1, cv2.LINE_AA, 4)
    else:
        cv2.polylines(rim, [_fixed(outline)], True, int(rng.integers(50, 150)), 1, cv2.LINE_AA, 4)
    rise = rng.uniform(0, 0.6) * size[1]
    inner = middle + [[-size[0], -rise], [-size[0] - canthal_px, -rise - 0.1 * size[1]]]
    outer = middle + [[size[0], -rise], [size[0] + canthal_px, -rise - 0.05 * size[1]]]
    for bar in (inner, outer):
        cv2.polylines(
            rim, [_fixed(bar)], False, 255, int(thickness * rng.uniform(0.8, 1.6)) + 1, cv2.LINE_AA, 4
        )
    return rim.astype(np.float32) / 255


def _reflect_lamps(
    linear: np.ndarray,
    covered: np.ndarray,
    mask: np.ndarray,
    middle: np.ndarray,
    size: np.ndarray,
    canthal_px: float,
    rng: np.random.Generator,
) -> np.ndarray:
    glare = np.zeros(mask.shape, np.float32)
    for _ in range(rng.integers(1, 4)):
        place = middle + size * rng.uniform(-0.9, 0.9, 2)
        extent = canthal_px * rng.uniform(0.03, 0.45, 2)
        turn = rng.normal(0, 0.4)
        strength = float(rng.uniform(0.15, 1.0))
        cv2.fillPoly(
            glare, [_fixed(place + rounded(extent, rng.uniform(2, 9), turn))], strength, cv2.LINE_8, 4
        )
        if rng.random() < 0.4:  # a window's bars
            cosine, sine = np.cos(turn), np.sin(turn)
            for axis in (np.array([cosine, sine]) * extent[0], np.array([-sine, cosine]) * extent[1]):
                ends = _fixed(place + np.array([-axis, axis]) * 1.1)
                cv2.polylines(glare, [ends], False, 0.0, max(1, int(0.12 * extent.min())), cv2.LINE_8, 4)
    glare = cv2.GaussianBlur(glare, (0, 0), canthal_px * rng.choice([0.008, rng.uniform(0.01, 0.06)])) * mask
    glare *= rng.uniform(0.2, 1.3)
    np.maximum(covered, np.clip(glare / (3 * linear.mean()), 0, 1), out=covered)
    return linear + glare[..., None] * rng.uniform(0.75, 1.0, 3)
