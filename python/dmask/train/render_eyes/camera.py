"""From linear light to the picture of a real camera."""

import cv2
import numpy as np


def scene_level(linear: np.ndarray) -> float:
    """What an exposure meter reads in the middle of a linear picture (h,w,3)."""
    height, width = linear.shape[:2]
    middle = linear[height // 4 : 3 * height // 4 : 4, width // 4 : 3 * width // 4 : 4, 1]
    return max(float(np.quantile(middle, 0.6)), 1e-3)


def take_picture(linear: np.ndarray, level: float, light: float, rng: np.random.Generator) -> np.ndarray:
    """uint8 sRGB of a linear picture, through exposure, tone curve, blur, noise, low resolution and JPEG.

    level: the scene's (scene_level); light: what a white surface sends back.
    """
    height, width = linear.shape[:2]
    exposure = 2 ** np.clip(rng.normal(0, 0.55), -1.8, 1.2)
    cast = np.exp(rng.normal(0, 0.10, 3))
    # Cameras meter the scene, not only this skin: dark skin stays darker.
    metered = level**0.5 * (0.25 * light) ** 0.5
    linear = linear * (0.21 / max(metered, 1e-3) * exposure * cast).astype(np.float32)
    shoulder = rng.uniform(0.0, 0.5)
    linear = np.clip(linear, 0, None)
    toned = (1 - shoulder) * np.minimum(linear, 1) + shoulder * linear / (0.5 + linear) * 1.3
    picture = np.clip(toned, 0, 1) ** (1 / rng.uniform(1.9, 2.6))
    if rng.random() < 0.5:
        picture = np.clip((picture - 0.5) * rng.uniform(0.75, 1.25) + 0.5 + rng.normal(0, 0.03), 0, 1)
    if rng.random() < 0.45:
        grey = picture.mean(-1, keepdims=True)
        share = 1.0 if rng.random() < 0.2 else rng.uniform(-0.2, 0.6)
        picture = np.clip(picture + share * (grey - picture), 0, 1)
    draw = rng.random()
    if draw < 0.40:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 2.2))
    elif draw < 0.50:
        picture = cv2.filter2D(picture, -1, _motion_kernel(rng.uniform(2, 11), rng.uniform(0, np.pi)))
    if rng.random() < 0.45:
        scale = rng.uniform(0.12, 0.7) if rng.random() < 0.7 else rng.uniform(0.5, 0.9)
        small = (max(16, int(width * scale)), max(12, int(height * scale)))
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
        picture = _noise_and_jpeg(picture, rng)
        back = [cv2.INTER_LINEAR, cv2.INTER_CUBIC][rng.integers(2)]
        picture = cv2.resize(picture, (width, height), interpolation=back)
    else:
        picture = _noise_and_jpeg(picture, rng)
    return np.clip(np.round(picture * 255), 0, 255).astype(np.uint8)


def _noise_and_jpeg(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.6:
        noise = rng.standard_normal(picture.shape, dtype=np.float32)
        if rng.random() < 0.4:
            noise[..., 1:] = noise[..., :1]
        if rng.random() < 0.4:
            noise = cv2.GaussianBlur(noise, (0, 0), 0.8) * 2
        picture = picture + noise * np.float32(min(rng.exponential(0.018), 0.07))
    if rng.random() < 0.5:
        quality = int(rng.integers(25, 96))
        coded = cv2.imencode(
            ".jpg", np.clip(picture * 255, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality]
        )[1]
        picture = cv2.imdecode(coded, cv2.IMREAD_COLOR).astype(np.float32) / 255
    return picture


def _motion_kernel(length: float, angle: float) -> np.ndarray:
    size = int(length) // 2 * 2 + 3
    kernel = np.zeros((size, size), np.float32)
    middle = np.array([size // 2, size // 2], float)
    reach = length / 2 * np.array([np.cos(angle), np.sin(angle)])
    ends = [tuple(np.round(16 * (middle + side * reach)).astype(int).tolist()) for side in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
    return kernel / kernel.sum() if kernel.sum() > 0 else np.ones((1, 1), np.float32)
