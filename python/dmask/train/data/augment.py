"""What cameras, light and hands do to a picture: in numpy and OpenCV on uint8, far cheaper than the nets."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dmask.crops import LUMA, exposure_gain

Image = NDArray[np.uint8]
Array = NDArray[np.float32]

_noise = np.random.default_rng(0).normal(0, 1, (512, 512, 3)).astype(np.float32)


def transform(matrix: Array, xy: Array) -> Array:
    return (xy @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def warp(
    image: Image, matrix: Array, height_px: int, width_px: int, border: int = cv2.BORDER_CONSTANT
) -> Image:
    return cv2.warpAffine(image, matrix, (width_px, height_px), flags=cv2.INTER_LINEAR, borderMode=border)


def tone_curve(rng: np.random.Generator, strength: float) -> Image:
    """(256,1,3) look-up table: exposure, gamma, contrast, tint; dark and blown-out pictures are in it."""
    v = np.linspace(0, 1, 256)[:, None]
    gamma = np.exp(rng.normal(0, 0.30 * strength))
    gain = np.exp(rng.normal(0, 0.22 * strength) + rng.normal(0, 0.06 * strength, 3))
    if rng.random() < 0.08 * strength:
        gain *= rng.choice([0.25, 0.4, 1.7])
    offset = rng.normal(0, 0.05 * strength)
    contrast = np.exp(rng.normal(0, 0.15 * strength))
    y = ((v**gamma - 0.45) * contrast + 0.45) * gain + offset
    return np.clip(y * 255 + 0.5, 0, 255).astype(np.uint8)[:, None, :]


def degrade(image: Image, rng: np.random.Generator, strength: float) -> Image:
    """Colour, greyscale, blur, low resolution, noise, compression; `strength` 0..1 scales the odds."""
    h, w = image.shape[:2]
    image = cv2.LUT(image, tone_curve(rng, strength))
    if rng.random() < 0.12 * strength:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if rng.random() < 0.20 * strength:
        if rng.random() < 0.6:
            image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.8))
        else:
            length = int(rng.integers(3, 8))
            kernel = np.zeros((length, length), np.float32)
            half = (length - 1) / 2
            t = rng.uniform(0, np.pi)
            d = np.array([np.cos(t), np.sin(t)]) * half
            ends = [tuple(int(round(v)) for v in half + sign * d) for sign in (-1, 1)]
            cv2.line(kernel, ends[0], ends[1], 1.0)
            image = cv2.filter2D(image, -1, kernel / kernel.sum())
    if rng.random() < 0.25 * strength:
        factor = rng.uniform(0.25, 0.9)
        small = cv2.resize(image, (int(w * factor), int(h * factor)), interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.30 * strength:
        y, x = rng.integers(0, 512 - h), rng.integers(0, 512 - w)
        noise = _noise[y : y + h, x : x + w] * np.float32(rng.uniform(2, 14))
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.15 * strength:
        _, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 80))])
        image = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return image


def restyle(image: Image, rng: np.random.Generator, strength: float) -> Image:
    """Light, colour and texture as no renderer makes them: a lamp from aside, mixed channels, odd filters."""
    h, w = image.shape[:2]
    if rng.random() < 0.6 * strength:
        lamps = rng.normal(0, 0.35, (int(rng.integers(2, 5)), int(rng.integers(2, 5)), 1)).astype(np.float32)
        tint = rng.normal(0, 0.08, 3).astype(np.float32)
        gain = np.exp(cv2.resize(lamps, (w, h), interpolation=cv2.INTER_CUBIC)[..., None] + tint)
        image = np.clip(image * gain + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.5 * strength:
        mix = np.eye(3) + rng.normal(0, 0.15, (3, 3))
        mix /= mix.sum(1, keepdims=True)
        image = cv2.transform(image, mix.astype(np.float32))
    if rng.random() < 0.4 * strength:
        kernel = rng.normal(0, 0.06, (3, 3)).astype(np.float32)
        kernel[1, 1] += 1 - kernel.sum()
        image = cv2.filter2D(image, -1, kernel)
    if rng.random() < 0.3 * strength:
        soft = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(1, 3)))
        amount = float(rng.uniform(-0.6, 1.0))
        image = cv2.addWeighted(image, 1 + amount, soft, -amount, 0)
    if rng.random() < 0.3 * strength:  # skin that is not as smooth as paint
        cells = int(rng.integers(8, 48))
        grain = rng.normal(0, rng.uniform(2, 14), (cells, cells, 1)).astype(np.float32)
        grain = cv2.resize(grain, (w, h), interpolation=cv2.INTER_LINEAR)[..., None]
        image = np.clip(image + grain, 0, 255).astype(np.uint8)
    return image


def dim(image: Image, rng: np.random.Generator) -> Image:
    """Little light: a gain of 0.03 to 0.4, a sensor's noise, eight bits, and what a camera makes of them."""
    h, w = image.shape[:2]
    gain = np.exp(rng.uniform(np.log(0.03), np.log(0.4))) * np.exp(rng.normal(0, 0.05, 3))
    dark = image * gain.astype(np.float32)
    y, x = rng.integers(0, 512 - h), rng.integers(0, 512 - w)
    noise = _noise[y : y + h, x : x + w]
    if rng.random() < 0.25:  # of the brightness alone
        noise = noise[..., :1]
    read, shot = rng.uniform(0.3, 4), rng.uniform(0, 0.3)
    dark = dark + noise * np.sqrt(read**2 + shot * dark).astype(np.float32)
    if rng.random() < 0.2:  # banding
        rows = rng.normal(0, rng.uniform(0.3, 2), (h, 1, 1)).astype(np.float32)
        dark = dark + (rows if rng.random() < 0.5 else cv2.resize(rows[::4], (1, h))[..., None])
    if rng.random() < 0.25:  # black is clipped
        dark = dark - np.float32(rng.uniform(0, 3))
    dark = np.clip(dark + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        dark = cv2.GaussianBlur(dark, (0, 0), rng.uniform(0.5, 1.5))
    if rng.random() < 0.3:
        _, code = cv2.imencode(".jpg", dark, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 95))])
        dark = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return dark


def brighten(image: Image, mean_luma: float | None = None) -> Image:
    """As the core shows a crop to the nets; mean_luma: of the face's crop, this picture's own by default."""
    if mean_luma is None:
        mean_luma = float(image.reshape(-1, 3).mean(0) @ np.array(LUMA))
    gain = exposure_gain(mean_luma)
    if gain == 1:
        return image
    return np.clip(image * np.float32(gain) + 0.5, 0, 255).astype(np.uint8)


def patch_mask(rng: np.random.Generator, height_px: int, width_px: int) -> Image:
    """One occluder's outline: an ellipse or a bar, anywhere, anyhow turned."""
    mask = np.zeros((height_px, width_px), np.uint8)
    centre = (float(rng.uniform(0, width_px)), float(rng.uniform(0, height_px)))
    axes = np.exp(rng.normal(np.log(0.14), 0.5, 2)) * width_px * 2
    box = (centre, (float(axes[0]), float(axes[1])), float(rng.uniform(0, 180)))
    if rng.random() < 0.5:
        cv2.ellipse(mask, box, 255, -1)
    else:
        cv2.fillConvexPoly(mask, cv2.boxPoints(box).astype(np.int32), 255)
    return mask


def occlude(
    image: Image, xy: Array, rng: np.random.Generator, donor: Image
) -> tuple[Image, NDArray[np.bool_]]:
    """Patches of another picture or of plain colour over this one; returns which points (K,2) they hide."""
    h, w = image.shape[:2]
    hidden = np.zeros(len(xy), bool)
    ij = np.rint(xy).astype(int)
    within = (ij >= 0).all(1) & (ij[:, 0] < w) & (ij[:, 1] < h)
    for _ in range(int(rng.integers(1, 3))):
        mask = patch_mask(rng, h, w)
        if rng.random() < 0.3:
            filling = np.full_like(image, 0)
            filling[:] = rng.integers(0, 256, 3, dtype=np.uint8)
        else:
            y, x = rng.integers(0, donor.shape[0] - h + 1), rng.integers(0, donor.shape[1] - w + 1)
            filling = donor[y : y + h, x : x + w]
        covered = np.zeros(len(xy), bool)
        covered[within] = mask[ij[within, 1], ij[within, 0]] > 0
        if (hidden | covered).sum() > 0.6 * len(xy):
            continue
        hidden |= covered
        image = cv2.copyTo(np.ascontiguousarray(filling), mask, np.ascontiguousarray(image).copy())
    return image, hidden
