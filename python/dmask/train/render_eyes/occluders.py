"""What stands between a rendered eye and the camera: spectacles, hair, hands, other objects."""

from dataclasses import dataclass

import cv2
import numpy as np

from dmask.train.render_eyes.spectacles import THICK, Lens, put_on_spectacles, rounded

FRAME, GLARE, HAIR, OBJECT, COVERED, THICK_LENS, DARK_LENS = 1, 2, 4, 8, 16, 32, 64
SPECTACLES_SHARE, SUNGLASSES_OF_THEM = 0.20, 0.38


@dataclass
class Occluded:
    """A picture behind occluders."""

    linear: np.ndarray  # f32 (h,w,3)
    covered: np.ndarray  # f32 (h,w) 0 .. 1
    flags: int
    lens: Lens | None


def add_occluders(
    linear: np.ndarray,
    canthal_px: float,
    light: np.ndarray,
    toward_key: np.ndarray,
    rng: np.random.Generator,
) -> Occluded:
    """Draw occluders over a linear picture (h,w,3).

    canthal_px: distance of the canthi; light (3): what a white surface sends back; toward_key (3): towards
    the key light, x right, y up, z out.
    """
    covered = np.zeros(linear.shape[:2], np.float32)
    skin = np.quantile(linear[::6, ::6].reshape(-1, 3), 0.6, axis=0)
    flags, lens = 0, None
    if rng.random() < SPECTACLES_SHARE:
        linear, lens, glare = put_on_spectacles(
            linear, covered, canthal_px, light, toward_key, SUNGLASSES_OF_THEM, rng
        )
        flags |= FRAME | GLARE * glare
        flags |= THICK_LENS * (abs(lens.magnification - 1) > THICK) | DARK_LENS * lens.dark
    draw = rng.random()
    if draw < 0.04:
        _strands(linear, covered, canthal_px, light, rng)
        flags |= HAIR
    elif draw < 0.10:
        _fringe(linear, covered, canthal_px, light, rng)
        flags |= HAIR
    draw = rng.random()
    if draw < 0.065:
        _hand(linear, covered, canthal_px, skin, toward_key, rng)
        flags |= OBJECT
    elif draw < 0.095:
        _object(linear, covered, canthal_px, light, rng)
        flags |= OBJECT
    return Occluded(linear, covered, int(flags), lens)


def _paint(linear: np.ndarray, covered: np.ndarray, mask: np.ndarray, colour: np.ndarray) -> None:
    linear *= 1 - mask[..., None]
    linear += mask[..., None] * colour.astype(np.float32)
    np.maximum(covered, mask, out=covered)


def _cast_shadow(linear: np.ndarray, mask: np.ndarray, fall: np.ndarray, sigma: float, depth: float) -> None:
    height, width = mask.shape
    shadow = cv2.warpAffine(mask, np.float32([[1, 0, fall[0]], [0, 1, fall[1]]]), (width, height))
    linear *= 1 - np.float32(depth) * cv2.GaussianBlur(shadow, (0, 0), sigma)[..., None]


def _strands(
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


def _fringe(
    linear: np.ndarray, covered: np.ndarray, canthal_px: float, light: np.ndarray, rng: np.random.Generator
) -> None:
    """Opaque locks which hang from above or from the temple, each tapering to its tip."""
    height, width = linear.shape[:2]
    cover, shade = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    locks = int(rng.integers(2, 13))
    slant = rng.normal(0, 0.7) * height
    left = rng.uniform(-0.4, 0.8) * width
    right = left + rng.uniform(0.3, 1.4) * width
    reach = height * rng.uniform(0.2, 1.1)
    curl = rng.normal(0, 0.25 * canthal_px)
    t = np.linspace(0, 1, 10)[:, None]
    for root_x in rng.permutation(np.linspace(left, right, locks)):
        root = np.array([root_x + rng.normal(0, 6), -15.0])
        tip = np.array([root_x + slant + rng.normal(0, 14), reach * rng.uniform(0.75, 1.15)])
        bend = (root + tip) / 2 + [curl + rng.normal(0, 8), rng.normal(0, 8)]
        spine = (1 - t) ** 2 * root + 2 * t * (1 - t) * bend + t**2 * tip
        aside = np.gradient(spine, axis=0)[:, ::-1] * [-1, 1]
        aside /= np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-6)
        half_width = canthal_px * rng.uniform(0.08, 0.28) * (1 - t**2.5)
        body = np.concatenate([spine + aside * half_width, (spine - aside * half_width)[::-1]])
        cv2.fillPoly(cover, [np.round(16 * body).astype(np.int32)], 255, cv2.LINE_AA, 4)
        level = rng.uniform(0.5, 1.1)
        cv2.fillPoly(shade, [np.round(16 * body).astype(np.int32)], int(70 * level), cv2.LINE_AA, 4)
        for u in rng.uniform(-1, 1, int(6 + half_width[0, 0] * 2)):
            strand = np.round(16 * (spine + aside * half_width * u)).astype(np.int32)
            tone = 110 * level * (1 - 0.6 * u * u) * np.exp(rng.normal(0, 0.35))
            cv2.polylines(shade, [strand], False, int(np.clip(tone, 5, 255)), 1, cv2.LINE_AA, 4)
            cv2.polylines(cover, [strand], False, 255, 1, cv2.LINE_AA, 4)
    mask = cover.astype(np.float32) / 255
    fall = canthal_px * np.array([rng.normal(0, 0.06), rng.uniform(0.03, 0.15)])
    _cast_shadow(linear, mask, fall, 0.05 * canthal_px, 0.5)
    gleam = np.exp(-(((np.linspace(0, 1, height) - rng.uniform(0, 0.6)) / 0.12) ** 2)).astype(np.float32)
    hair = np.exp(rng.uniform(np.log(0.05), np.log(4.0))) * np.array([0.11, 0.062, 0.034])
    if rng.random() < 0.12:
        hair = np.full(3, rng.uniform(0.1, 0.45))  # grey
    lit = shade.astype(np.float32) / 110 * (1 + rng.uniform(0, 1.2) * gleam[:, None])
    _paint(linear, covered, mask, lit[..., None] * hair * light)


def _hand(
    linear: np.ndarray,
    covered: np.ndarray,
    canthal_px: float,
    skin: np.ndarray,
    toward_key: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Fingers side by side, from any direction; `skin` (3) is the radiance of the face's own."""
    height, width = linear.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    whole = rng.random() < 0.3
    pointing = rng.uniform(0, 2 * np.pi)
    radius = canthal_px * rng.uniform(0.21, 0.32)
    count = int(rng.integers(4, 6)) if whole else int(rng.integers(1, 6))
    reach = canthal_px * (rng.uniform(0.6, 1.6) if whole else rng.uniform(-0.7, 1.0))
    aside = canthal_px * rng.normal(0, 0.08 if whole else 0.4)
    fan = rng.normal(0, 0.05)
    back_of_hand = rng.random() < 0.65
    albedo = skin * np.exp(rng.normal(0, 0.3)) * np.exp(rng.normal(0, 0.06, 3))
    if rng.random() < 0.15:  # a glove
        albedo = rng.uniform(0.1, 1.0) * rng.uniform(0.4, 1.0, 3) * skin.mean() * 2
    light = np.array([toward_key[0], -toward_key[1], toward_key[2]])
    contrast = rng.uniform(0.3, 0.8)
    grain = cv2.resize(
        rng.normal(1, 0.1, (8, 10)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    place = np.arange(count) - (count - 1) / 2
    for k in rng.permutation(count):
        turn = pointing + fan * place[k] + rng.normal(0, 0.03)
        along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        r = radius * rng.uniform(0.9, 1.08)
        side = aside + 2 * radius * place[k] * rng.uniform(0.93, 1.06)
        end = reach - 0.35 * radius * place[k] ** 2 + rng.normal(0, 0.3) * radius
        tip = (
            np.array([width, height]) / 2
            + along * end
            + side * np.array([-np.sin(pointing), np.cos(pointing)])
        )
        behind = -((x - tip[0]) * along[0] + (y - tip[1]) * along[1])  # from the tip towards the palm
        beside = (x - tip[0]) * across[0] + (y - tip[1]) * across[1]
        joints = r * np.array([3.0, 6.3]) * rng.uniform(0.9, 1.1)
        swell = 1 + 0.05 * sum(np.exp(-(((behind - j) / r) ** 2)) for j in joints)
        cap = np.minimum(behind - r, 0)
        u = np.sqrt(beside**2 + cap**2) / (r * swell)
        mask = np.clip((1 - u) * r + 0.5, 0, 1)
        if not mask.any():
            continue
        _cast_shadow(linear, mask, 0.1 * canthal_px * -light[:2], 0.06 * canthal_px, 0.55)
        z = np.sqrt(np.maximum(1 - u * u, 0.02))
        nx = (beside * across[0] - cap * along[0]) / r
        ny = (beside * across[1] - cap * along[1]) / r
        shade = np.clip((nx * light[0] + ny * light[1] + z * light[2] + 0.3) / 1.3, 0, None)
        shade = (1 - contrast) * (0.45 + 0.55 * z) + contrast * shade
        for j in joints:
            for wrinkle in (j, j + 0.22 * r):
                shade = shade * (1 - 0.22 * np.exp(-(((behind - wrinkle) / (0.06 * r + 0.5)) ** 2)))
        colour = (shade * grain)[..., None] * albedo
        # Light that passes through the thin edge comes out red.
        colour *= 1 + np.clip(u - 0.6, 0, 0.4)[..., None] * np.array([0.5, -0.1, -0.2])
        if back_of_hand:
            nail = ((behind - 1.0 * r) / (0.8 * r)) ** 2 + (beside / (0.62 * r)) ** 2
            on_nail = np.clip((1 - nail) * 3, 0, 1)[..., None]
            colour *= 1 + on_nail * np.array([0.22, 0.10, 0.10])
            colour *= 1 - 0.3 * np.exp(-(((nail - 1.0) / 0.12) ** 2))[..., None]
            gleam = np.exp(-(((beside / r + 0.25) / 0.14) ** 2) - ((behind / r - 0.9) / 0.45) ** 2)
            colour += 0.25 * gleam[..., None] * on_nail * skin.mean()
        else:
            colour *= 1 + 0.12 * np.exp(-((behind / r - 0.8) ** 2))[..., None] * np.array([1.0, 0.1, 0.1])
        _paint(linear, covered, mask.astype(np.float32), colour)


def _object(
    linear: np.ndarray, covered: np.ndarray, canthal_px: float, light: np.ndarray, rng: np.random.Generator
) -> None:
    """An occluder paddle, a patch, a phone: a blob with soft inner shading."""
    height, width = linear.shape[:2]
    middle = np.array([width, height]) / 2
    if rng.random() < 0.4:
        centre = middle + rng.normal(0, 0.12 * canthal_px, 2)
        size = canthal_px * rng.uniform(0.8, 1.7, 2)
    else:
        angle = rng.uniform(0, 2 * np.pi)
        size = canthal_px * rng.uniform(0.3, 1.2, 2)
        reach = rng.uniform(0.15, 0.6) * canthal_px + size
        centre = middle + reach * [np.cos(angle), np.sin(angle)]
    mask = np.zeros((height, width), np.uint8)
    outline = centre + rounded(size, rng.uniform(2, 6), rng.uniform(0, np.pi))
    cv2.fillPoly(mask, [np.round(16 * outline).astype(np.int32)], 255, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), rng.uniform(0.6, 2.5))
    _cast_shadow(linear, soft, np.zeros(2), 0.08 * canthal_px, 0.6)
    kind = rng.random()
    if kind < 0.3:
        tone = np.array([0.52, 0.28, 0.19]) * rng.uniform(0.25, 1.3)
    elif kind < 0.7:
        tone = np.full(3, rng.choice([0.01, 0.03, 0.6]))
    else:
        tone = rng.uniform(0.02, 0.6, 3)
    coarse = rng.normal(1, 0.18, (5, 6)).astype(np.float32)
    relief = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    _paint(linear, covered, soft, np.clip(relief, 0.2, 2)[..., None] * tone * light)
