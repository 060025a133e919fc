"""What stands between a rendered eye and its picture: spectacles, hair, objects, and a real camera."""

import cv2
import numpy as np

FRAME, GLARE, HAIR, OBJECT, COVERED = 1, 2, 4, 8, 16


def add_occluders(
    linear: np.ndarray, canthal_px: float, light: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, int]:
    """Draw occluders over a linear picture (h,w,3); canthal_px: distance of the canthi.

    Returns the picture, how much is covered (h,w) 0..1, and the flags.
    """
    height, width = linear.shape[:2]
    covered = np.zeros((height, width), np.float32)
    flags = 0
    draw = rng.random()
    if draw < 0.14:
        linear, flags = _spectacles(linear, covered, canthal_px, light, rng)
    if rng.random() < 0.07:
        _hair(linear, covered, canthal_px, light, rng)
        flags |= HAIR
    if rng.random() < 0.05:
        flags |= _object(linear, covered, canthal_px, light, rng)
    return linear, covered, flags


def _paint(linear: np.ndarray, covered: np.ndarray, mask: np.ndarray, colour: np.ndarray) -> None:
    linear *= 1 - mask[..., None]
    linear += mask[..., None] * colour.astype(np.float32)
    np.maximum(covered, mask, out=covered)


def _rounded_outline(centre: np.ndarray, size: np.ndarray, power: float, turn: float) -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    x = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** (2 / power) * size[0]
    y = np.sign(np.sin(t)) * np.abs(np.sin(t)) ** (2 / power) * size[1]
    cosine, sine = np.cos(turn), np.sin(turn)
    return np.round(16 * (centre + np.stack([cosine * x - sine * y, sine * x + cosine * y], 1))).astype(
        np.int32
    )


def _spectacles(
    linear: np.ndarray, covered: np.ndarray, canthal_px: float, light: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    height, width = linear.shape[:2]
    flags = FRAME
    size = canthal_px * np.array([rng.uniform(0.75, 1.15), rng.uniform(0.45, 0.85)])
    centre = np.array([width, height]) / 2 + canthal_px * rng.normal(0, [0.12, 0.16])
    outline = _rounded_outline(centre, size, rng.uniform(2, 6), rng.normal(0, 0.06))
    lens = np.zeros((height, width), np.float32)
    cv2.fillPoly(lens, [outline], 1.0, cv2.LINE_8, 4)
    tint = 1 - rng.random() ** 3 * rng.uniform(0.1, 0.75) * rng.uniform(0.7, 1.0, 3)
    linear *= 1 - lens[..., None] * (1 - tint.astype(np.float32))
    rim = np.zeros((height, width), np.uint8)
    thickness = max(1, int(canthal_px * rng.choice([rng.uniform(0.01, 0.03), rng.uniform(0.05, 0.13)])))
    cv2.polylines(rim, [outline], True, 255, thickness, cv2.LINE_AA, 4)
    bridge = centre + [[-size[0], -0.1 * size[1]], [-size[0] - canthal_px, -0.2 * size[1]]]
    temple = centre + [[size[0], -0.25 * size[1]], [size[0] + canthal_px, -0.3 * size[1]]]
    for bar in (bridge, temple):
        cv2.polylines(rim, [np.round(16 * bar).astype(np.int32)], False, 255, thickness + 1, cv2.LINE_AA, 4)
    mask = rim.astype(np.float32) / 255
    shade = cv2.warpAffine(mask, np.float32([[1, 0, 0], [0, 1, 0.06 * canthal_px]]), (width, height))
    linear *= 1 - 0.4 * cv2.GaussianBlur(shade, (0, 0), max(0.8, 0.03 * canthal_px))[..., None]
    metal = (
        rng.uniform(0.005, 0.06, 3) if rng.random() < 0.7 else rng.uniform(0.1, 0.5) * rng.uniform(0.6, 1, 3)
    )
    slope = np.linspace(1.4, 0.6, height, dtype=np.float32)[:, None, None]
    linear = linear * (1 - mask[..., None]) + mask[..., None] * slope * (metal * light).astype(np.float32)
    np.maximum(covered, mask, out=covered)
    if rng.random() < 0.5:  # reflections of lamps or windows
        glare = np.zeros((height, width), np.float32)
        for _ in range(rng.integers(1, 4)):
            middle = centre + size * rng.uniform(-0.9, 0.9, 2)
            extent = canthal_px * rng.uniform(0.03, 0.45, 2)
            patch = _rounded_outline(middle, extent, rng.uniform(2, 8), rng.normal(0, 0.4))
            cv2.fillPoly(glare, [patch], float(rng.uniform(0.2, 1.0)), cv2.LINE_8, 4)
        glare = cv2.GaussianBlur(glare, (0, 0), canthal_px * rng.uniform(0.01, 0.06)) * lens
        tinted = rng.uniform(0.75, 1.0, 3).astype(np.float32)
        linear = linear + (glare * rng.uniform(0.2, 1.3))[..., None] * tinted
        np.maximum(covered, np.clip(glare * 1.2 - 0.2, 0, 1), out=covered)
        flags |= GLARE
    return linear.astype(np.float32), flags


def _hair(
    linear: np.ndarray, covered: np.ndarray, canthal_px: float, light: np.ndarray, rng: np.random.Generator
) -> None:
    height, width = linear.shape[:2]
    count = int(rng.choice([3, 8, 25, 60]))
    start = np.array([rng.uniform(0.1, 1.0) * width, -20.0])
    end = np.array([rng.uniform(-0.1, 1.1) * width, height + 20.0])
    spread = canthal_px * rng.uniform(0.05, 0.5)
    bend = rng.normal(0, 0.3 * canthal_px, 2)
    tone = np.array([0.10, 0.055, 0.03]) * rng.uniform(0.1, 4.0)
    for shade in (0.5, 1.0, 1.5):
        layer = np.zeros((height, width), np.uint8)
        t = np.linspace(0, 1, 12)[:, None]
        for _ in range(max(1, count // 3)):
            a, b = start + rng.normal(0, spread, 2), end + rng.normal(0, spread * 1.5, 2)
            middle = (a + b) / 2 + bend + rng.normal(0, 0.2 * spread, 2)
            curve = (1 - t) ** 2 * a + 2 * t * (1 - t) * middle + t**2 * b
            cv2.polylines(
                layer,
                [np.round(16 * curve).astype(np.int32)],
                False,
                int(rng.integers(120, 256)),
                int(rng.choice([1, 1, 2])),
                cv2.LINE_AA,
                4,
            )
        _paint(linear, covered, layer.astype(np.float32) / 255, tone * shade * light)


def _object(
    linear: np.ndarray, covered: np.ndarray, canthal_px: float, light: np.ndarray, rng: np.random.Generator
) -> int:
    """A hand, an occluder paddle, a patch: a blob with soft inner shading."""
    height, width = linear.shape[:2]
    whole = rng.random() < 0.4
    if whole:
        centre = np.array([width, height]) / 2 + rng.normal(0, 0.12 * canthal_px, 2)
        size = canthal_px * rng.uniform(0.8, 1.7, 2)
    else:
        angle = rng.uniform(0, 2 * np.pi)
        size = canthal_px * rng.uniform(0.3, 1.2, 2)
        reach = rng.uniform(0.15, 0.6) * canthal_px + size
        centre = np.array([width, height]) / 2 + reach * [np.cos(angle), np.sin(angle)]
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(
        mask, [_rounded_outline(centre, size, rng.uniform(2, 6), rng.uniform(0, np.pi))], 255, cv2.LINE_AA, 4
    )
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), rng.uniform(0.6, 2.5))
    shadow = cv2.GaussianBlur(soft, (0, 0), 0.08 * canthal_px)
    linear *= 1 - 0.6 * shadow[..., None]
    kind = rng.random()
    if kind < 0.45:
        tone = np.array([0.52, 0.28, 0.19]) * rng.uniform(0.25, 1.3)
    elif kind < 0.75:
        tone = np.full(3, rng.choice([0.01, 0.03, 0.6]))
    else:
        tone = rng.uniform(0.02, 0.6, 3)
    coarse = rng.normal(1, 0.18, (5, 6)).astype(np.float32)
    relief = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    _paint(linear, covered, soft, np.clip(relief, 0.2, 2)[..., None] * tone * light)
    return COVERED if whole else OBJECT


def take_picture(linear: np.ndarray, light: float, rng: np.random.Generator) -> np.ndarray:
    """uint8 sRGB of a linear picture, through exposure, tone curve, blur, noise, low resolution and JPEG."""
    height, width = linear.shape[:2]
    exposure = 2 ** np.clip(rng.normal(0, 0.55), -1.8, 1.2)
    cast = np.exp(rng.normal(0, 0.10, 3))
    # Cameras meter the scene, not only this skin: dark skin stays darker.
    around = linear[height // 4 : 3 * height // 4 : 4, width // 4 : 3 * width // 4 : 4, 1]
    metered = max(float(np.quantile(around, 0.6)), 1e-3) ** 0.5 * (0.25 * light) ** 0.5
    level = linear * (0.21 / max(metered, 1e-3) * exposure * cast).astype(np.float32)
    shoulder = rng.uniform(0.0, 0.5)
    level = np.clip(level, 0, None)
    level = (1 - shoulder) * np.minimum(level, 1) + shoulder * level / (0.5 + level) * 1.3
    picture = np.clip(level, 0, 1) ** (1 / rng.uniform(1.9, 2.6))
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
