"""Rendered faces with exact 68-point labels, for training a face net on the project's own renders alone.

`dmask train render-faces --ict DIR -o OUT.npz --count N --seed S [--first I] [--shard K]`

Writes one .npz (with `--shard K`: OUT_000.npz, OUT_001.npz, ... of K faces each). The picture is the square
that training cuts its crops from: 1.6 crop sides around the 68 points (dmask.train.data.faces: CACHE_PX,
CACHE_MARGIN). Points are (x, y) in pixels of that picture, 0-based pixel centres, in iBUG order.

  images      uint8 (n,208,208,3)  RGB
  xy          f32 (n,68,2)   0-16 the visible end of the face from the patient's right ear round the chin: on
                             a turned head the far half is the silhouette of the cheek, the near half the
                             edge of the jaw; 17-26 upper edge of the drawn brows; 27-35 nose; 36-47 lid
                             margins; 48-59 border of the lips; 60-67 edges of the mouth's opening
  visible     uint8 (n,68)   0 behind an object, hair or a dark lens, or hidden by the head itself
  yaw_deg, pitch_deg, roll_deg   f32 (n)  head in the camera frame, + towards the patient's left, up, and
                             clockwise in the picture
  occluder    uint8 (n)      bits: 1 spectacle frame, 2 dark lens, 4 glare, 8 hair over a point, 16 object
  seed, index int64 (n)      `render_face(np.random.default_rng([seed, index]), head)` makes it again

The labels come from the geometry of the mesh alone: no photograph and no label of one has a part in them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from dmask._core import gbuffer
from dmask.axes import HEAD_TO_CAMERA, about_x, about_y, about_z, gaze_axis
from dmask.crops import FACE_MARGIN
from dmask.errors import WrongUse
from dmask.train.data.shards import render_all, write_shards
from dmask.train.render_faces import dress, paint
from dmask.train.render_faces.head import (
    EYE_OD,
    EYE_OS,
    GUM,
    JAW_STEPS,
    MOUTH,
    SKIN,
    TEETH,
    HeadModel,
    JawPaths,
    jaw_paths,
    light_frame,
    load_head,
)

SIZE = 208
SQUARE_PER_FACE = FACE_MARGIN * 1.6  # side of the picture / larger side of the points' bounding box
FINER = 1.5  # drawn pixels a picture pixel
DRAWN = int(SIZE * FINER)
NECK_MM = np.array([0.0, -105.0, -25.0])
SHADOW_PX, SHADOW_HALF_MM = 160, 200.0
IRIS_SINE = 5.9 / 15.8  # radius of the limbus over that of ICT's eyeball
ODD_UNITS = ["mouthLeft", "mouthRight", "jawLeft", "jawRight", "mouthRollLower", "mouthRollUpper",
             "mouthShrugUpper", "jawForward", "mouthPucker"]  # fmt: skip
HIDDEN_MM = 6.0  # a point this far behind what is drawn is hidden


@dataclass(frozen=True)
class Head:
    """What all faces share."""

    model: HeadModel
    regions: paint.Regions
    jaw: JawPaths


def load(folder: Path) -> Head:
    """From ICT-FaceKit's folder; raises FileNotFoundError if it is not there."""
    model = load_head(folder)
    return Head(model, paint.find_regions(model), jaw_paths(model))


@dataclass
class Pose:
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    distance_mm: float
    offset: np.ndarray  # (2) place in the frame, fractions of the distance

    @property
    def rotation(self) -> np.ndarray:
        return rotation(self.yaw_deg, self.pitch_deg, self.roll_deg)

    @property
    def translation_mm(self) -> np.ndarray:
        return self.distance_mm * np.array([*self.offset, 1.0])


def rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> np.ndarray:
    """(3,3) head -> camera; the picture's own roll comes last, about the camera's axis."""
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    return HEAD_TO_CAMERA @ about_z(-roll) @ about_y(yaw) @ about_x(-pitch)


def sample_pose(rng: np.random.Generator) -> Pose:
    wide = rng.random() < 0.4
    yaw = rng.uniform(-60, 60) if wide else np.clip(rng.normal(0, 18), -60, 60)
    pitch = rng.uniform(-35, 35) if rng.random() < 0.25 else np.clip(rng.normal(0, 10), -35, 35)
    if abs(yaw) > 40:
        pitch *= 0.6
    return Pose(
        float(yaw),
        float(pitch),
        float(np.clip(rng.normal(0, 10), -30, 30)),
        float(np.exp(rng.uniform(np.log(380), np.log(2500)))),
        rng.uniform(-0.12, 0.12, 2),
    )


def sample_identity(rng: np.random.Generator) -> np.ndarray:
    return np.clip(rng.normal(0, 1, 100) * rng.uniform(0.6, 1.15), -2.6, 2.6)


def sample_expression(rng: np.random.Generator, gaze_deg: np.ndarray) -> dict[str, float]:
    """Weights of ICT's units in combinations that faces make; a side may lag behind the other."""
    units: dict[str, float] = {}

    def add(name: str, weight: float, paired: bool = True, uneven: float = 0.15) -> None:
        for side in ("_L", "_R") if paired else ("",):
            value = weight * (1 + uneven * rng.normal()) if paired else weight
            units[name + side] = float(np.clip(units.get(name + side, 0) + value, 0, 1.1))

    jaw = 0.0
    kind = rng.choice(["calm", "smile", "laugh", "talk", "wide", "sad", "pout", "odd"],
                      p=[0.24, 0.2, 0.14, 0.14, 0.07, 0.07, 0.07, 0.07])  # fmt: skip
    if kind == "smile":
        add("mouthSmile", rng.uniform(0.2, 1.0))
        add("cheekSquint", rng.uniform(0, 0.7))
        add("mouthDimple", rng.uniform(0, 0.4))
        jaw = max(0.0, rng.normal(0, 0.06))
    elif kind == "laugh":
        add("mouthSmile", rng.uniform(0.5, 1.0))
        add("mouthUpperUp", rng.uniform(0.1, 0.7))
        add("mouthLowerDown", rng.uniform(0, 0.6))
        add("cheekSquint", rng.uniform(0.2, 1.0))
        add("eyeSquint", rng.uniform(0, 0.8))
        jaw = rng.uniform(0.0, 0.4)
    elif kind == "talk":
        jaw = rng.uniform(0.03, 0.35)
        add("mouthFunnel", rng.uniform(0, 0.6), False)
        add("mouthStretch", rng.uniform(0, 0.5))
        add("mouthLowerDown", rng.uniform(0, 0.4))
        add("mouthUpperUp", rng.uniform(0, 0.3))
    elif kind == "wide":
        jaw = rng.uniform(0.4, 1.0)
        add("eyeWide", rng.uniform(0, 0.8))
        add("browInnerUp", rng.uniform(0, 0.8))
        add("browOuterUp", rng.uniform(0, 0.8))
    elif kind == "sad":
        add("mouthFrown", rng.uniform(0.2, 0.9))
        add("browInnerUp", rng.uniform(0, 0.8))
        add("mouthShrugLower", rng.uniform(0, 0.6), False)
    elif kind == "pout":
        add(str(rng.choice(["mouthPucker", "mouthFunnel"])), rng.uniform(0.2, 0.9), False)
        add("cheekPuff", max(0.0, rng.normal(0, 0.4)))
    elif kind == "odd":
        for name in rng.choice(ODD_UNITS, 2, replace=False):
            add(str(name), rng.uniform(0.1, 0.7), False)
        add("noseSneer", rng.uniform(0, 0.7))
        add("mouthSmile", rng.uniform(0, 0.8), uneven=0.8)
        jaw = max(0.0, rng.normal(0, 0.2))
    if jaw > 0.01:
        add("jawOpen", jaw, False)
    if rng.random() < 0.35:
        name = str(rng.choice(["browDown", "browInnerUp", "browOuterUp"]))
        add(name, rng.uniform(0.1, 0.9), uneven=0.3)
        if rng.random() < 0.15:
            units[name + str(rng.choice(["_L", "_R"]))] = 0.0
    if rng.random() < 0.3:
        for name in rng.choice(
            ["mouthPress", "mouthDimple", "cheekPuff", "eyeSquint", "noseSneer", "mouthStretch"], 2
        ):
            add(str(name), max(0.0, rng.normal(0, 0.25)))
    lids = rng.random()
    if lids < 0.10:
        add("eyeBlink", 1.0, uneven=0.0)
    elif lids < 0.13:
        units["eyeBlink" + str(rng.choice(["_L", "_R"]))] = 1.0
    elif lids < 0.33:
        add("eyeBlink", rng.uniform(0.05, 0.7), uneven=0.1)
    elif lids < 0.43:
        add("eyeWide", rng.uniform(0.1, 1.0))
    elif lids < 0.58:
        add("eyeSquint", rng.uniform(0.1, 1.0))
    if gaze_deg[1] < 0:
        add("eyeLookDown", min(1.0, -gaze_deg[1] / 32), uneven=0.0)
    else:
        add("eyeLookUp", min(1.0, gaze_deg[1] / 32), uneven=0.0)
    if units.get("eyeBlink_L", 0) + units.get("eyeLookDown_L", 0) > 1:
        for side in "LR":
            units["eyeLookDown_" + side] = max(0.0, 1 - units.get("eyeBlink_" + side, 0))
    return {name: weight for name, weight in units.items() if weight > 1e-3}


def _stretch(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Proportions beyond the scans': wider, longer, fuller below or above."""
    a, b = rng.normal(0, 0.03), rng.normal(0, 0.035)
    y = np.clip(points[:, 1:2] / 100, -1.2, 1.2)
    scale = np.array([[1 + a, 1.0 + rng.normal(0, 0.03), 1.0 + rng.normal(0, 0.02)]])
    scale = np.repeat(scale, len(points), 0)
    scale[:, :1] *= 1 + b * y
    return (points * scale).astype(np.float32)


@dataclass
class Light:
    towards: np.ndarray  # (3) unit, camera frame
    colour: np.ndarray  # (3)


@dataclass
class Lighting:
    key: Light
    others: list[Light]
    ambient: np.ndarray  # (3)
    gradient: np.ndarray  # (3) of the ambient along the normal, camera frame
    shadow: float
    softness_px: float


def sample_lighting(rng: np.random.Generator) -> Lighting:
    def light(strength: float, side_deg: float) -> Light:
        azimuth, elevation = np.radians([rng.normal(0, side_deg), np.clip(rng.normal(30, 28), -50, 85)])
        towards = np.array(
            [np.sin(azimuth) * np.cos(elevation), -np.sin(elevation), -np.cos(azimuth) * np.cos(elevation)]
        )
        colour = strength * np.exp(rng.normal(0, 0.15) * np.array([1.0, 0.1, -1.0]) + rng.normal(0, 0.04, 3))
        return Light(towards, colour.astype(np.float32))

    hard = rng.random() < 0.3
    ambient = rng.uniform(0.05, 0.25) if hard else rng.uniform(0.15, 0.6)
    gradient = rng.normal(0, 0.3, 3) + [0, -0.3, -0.15]
    return Lighting(
        key=light(rng.uniform(0.7, 1.5) if hard else rng.uniform(0.25, 1.0), 50),
        others=[light(rng.uniform(0, 0.5), 80) for _ in range(int(rng.integers(0, 3)))],
        ambient=(ambient * np.exp(rng.normal(0, 0.08, 3))).astype(np.float32),
        gradient=np.clip(gradient, -0.8, 0.8).astype(np.float32),
        shadow=float(rng.uniform(0.4, 1)),
        softness_px=float(rng.exponential(2.0) + 0.5),
    )


def shade(
    albedo: np.ndarray,
    normal: np.ndarray,
    openness: np.ndarray,
    lit: np.ndarray,
    gloss: np.ndarray,
    light: Lighting,
) -> np.ndarray:
    """Linear light (n,3) of Lambertian surfaces with a broad highlight; light bleeds red round edges.

    albedo (n,3), unit normals (n,3) in the camera frame; shares of the sky, of the key light, of gloss (n).
    """
    nx, ny, nz = np.ascontiguousarray(normal.T)  # channels first: numpy is slow along short last axes

    def along(d: np.ndarray) -> np.ndarray:
        x, y, z = (np.float32(v) for v in d)
        return nx * x + ny * y + nz * z

    ambient = np.maximum(1 + along(light.gradient), np.float32(0.1)) * openness
    total = [ambient * a for a in light.ambient]
    shine = np.zeros_like(nx)
    for k, source in enumerate([light.key, *light.others]):
        cosine = along(source.towards)
        arriving = lit if k == 0 else np.minimum(1, np.float32(1.5) * openness)
        for channel, wrap in enumerate(np.float32([0.3, 0.15, 0.1])):
            total[channel] += np.maximum(cosine + wrap, 0) * arriving * (source.colour[channel] / (1 + wrap))
        half = source.towards + [0, 0, -1]
        highlight = np.maximum(along(half / max(np.linalg.norm(half), 1e-3)), 0)
        for _ in range(4):
            highlight *= highlight
        shine += highlight * arriving * np.float32(source.colour.mean())
    shine *= gloss
    return np.stack([albedo[:, k] * total[k] + shine for k in range(3)], 1)


@dataclass
class Scene:
    """All that is drawn, in the camera frame (mm)."""

    points: np.ndarray  # (n,3) head, then clothes
    normals: np.ndarray
    triangles: np.ndarray
    sheets: list[tuple[dress.Sheet, np.ndarray, np.ndarray]]  # hair, hat: with their points and normals


def project(camera: np.ndarray, to_drawn: np.ndarray) -> np.ndarray:
    return (camera[:, :2] / camera[:, 2:]) @ to_drawn[:, :2].T + to_drawn[:, 2]


def lit_by_key(scene: Scene, place: np.ndarray, middle: np.ndarray, light: Lighting) -> np.ndarray:
    """(h,w) 0..1: how much of the key light reaches the drawn places (h,w,3)."""
    frame = light_frame(light.key.towards).astype(np.float32)
    meshes = [(scene.points, scene.triangles)] + [(p, sheet.triangles) for sheet, p, _ in scene.sheets]
    points = np.concatenate([p for p, _ in meshes])
    first = np.cumsum([0] + [len(p) for p, _ in meshes])
    triangles = np.concatenate([t + n for (_, t), n in zip(meshes, first, strict=False)])
    flat = (points - middle) @ frame.T
    scale = SHADOW_PX / (2 * SHADOW_HALF_MM)
    pixels = (flat[:, :2] + SHADOW_HALF_MM) * scale - 0.5
    _, _, depth = gbuffer(
        pixels.astype(np.float32),
        (2000 - flat[:, 2]).astype(np.float32),
        triangles.astype(np.int32),
        SHADOW_PX,
        SHADOW_PX,
    )
    at = (place - middle.astype(np.float32)) @ frame.T
    mapped = ((at[..., :2] + np.float32(SHADOW_HALF_MM)) * np.float32(scale) - np.float32(0.5)).astype(
        np.float32
    )
    nearest = cv2.remap(
        np.minimum(depth, 1e4),
        mapped,
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=1e4,
    )
    behind = (2000 - at[..., 2]) - nearest
    lit = 1 - np.clip((behind - 3) / 3, 0, 1)
    return 1 - light.shadow * (1 - cv2.GaussianBlur(lit.astype(np.float32), (0, 0), light.softness_px))


def _eyes(
    albedo: np.ndarray,
    gloss: np.ndarray,
    part: np.ndarray,
    place: np.ndarray,
    camera: np.ndarray,
    head: Head,
    turn: np.ndarray,
    gaze_deg: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Paint sclera, iris, pupil and a catch-light onto the drawn eyeballs, in place.

    albedo (h,w,3), gloss, part (h,w), place (h,w,3) mm of what is drawn; camera (V,3) mm of the vertices, all
    in the camera frame; turn (3,3) head -> camera.
    """
    sclera = np.array([0.62, 0.56, 0.53]) * rng.uniform(0.4, 1.0) * np.exp(rng.normal(0, 0.05, 3))
    kinds = np.array(
        [
            [0.035, 0.018, 0.010],
            [0.09, 0.045, 0.02],
            [0.10, 0.16, 0.24],
            [0.09, 0.13, 0.08],
            [0.16, 0.17, 0.17],
        ]
    )
    iris = kinds[rng.choice(5, p=[0.45, 0.2, 0.17, 0.09, 0.09])] * np.exp(
        rng.normal(0, 0.25) + rng.normal(0, 0.08, 3)
    )
    pupil, limbus = rng.uniform(0.25, 0.6), IRIS_SINE * rng.uniform(0.94, 1.08)
    catch = rng.normal(0, 0.12, 2) + [0, -0.08]
    catch_size, catch_light = rng.uniform(0.03, 0.10), rng.uniform(0, 1.2) * (rng.random() < 0.75)
    squint = rng.normal(0, 1.5) if rng.random() < 0.9 else rng.uniform(-20, 20)
    for name, side in ((EYE_OS, 1), (EYE_OD, -1)):
        where = part == name
        if not where.any():
            continue
        ball = camera[head.model.part == name]
        solved = np.linalg.lstsq(np.c_[2 * ball, np.ones(len(ball))], (ball**2).sum(1), rcond=None)[0]
        direction = place[where] - solved[:3].astype(np.float32)
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        axis = turn @ gaze_axis(gaze_deg[0] - 2 * side + side * squint / 2, gaze_deg[1])
        frame = light_frame(axis).astype(np.float32)
        local = direction @ frame.T
        sine = np.hypot(local[:, 0], local[:, 1])
        sine[local[:, 2] < 0] = 1
        rho = sine / limbus
        angle = np.arctan2(local[:, 1], local[:, 0])
        stroma = iris * (0.75 + 0.5 * np.cos(angle * 9 + 4 * np.sin(angle * 5)) ** 2)[:, None]
        stroma *= (1 - 0.6 * np.clip((rho - 0.75) / 0.25, 0, 1))[:, None]
        stroma = np.where((rho < pupil)[:, None], 0.006, stroma)
        outside = np.clip((rho - 1) / 0.12 + 0.5, 0, 1)[:, None]
        colour = stroma * (1 - outside) + sclera * outside
        seen = (turn.T @ (direction - frame[2]).T).T
        spot = np.hypot(seen[:, 0] - catch[0], -seen[:, 1] - catch[1]) < catch_size
        albedo[where] = colour + (spot * catch_light)[:, None]
        gloss[where] = 0.08


def _lashes(
    linear: np.ndarray, xy: np.ndarray, seen: np.ndarray, light: np.ndarray, rng: np.random.Generator
) -> None:
    made_up = rng.random() < 0.25
    strength = rng.uniform(0.6, 1.0) if made_up else rng.uniform(0.0, 0.8)
    length = rng.uniform(0.08, 0.2) if made_up else rng.uniform(0.02, 0.12)
    cover = np.zeros(linear.shape[:2], np.uint8)
    for corner, inner, upper, lower in ((0, 3, (1, 2), (5, 4)), (9, 6, (8, 7), (10, 11))):
        width = np.linalg.norm(xy[corner] - xy[inner])
        if not seen[[*upper]].all() or width < 4:
            continue
        for lid, sense in ((upper, 1.0), (lower, 0.35)):
            knots = xy[[corner, *lid, inner]]
            t = np.linspace(0, 0.93, 15)
            curve = np.stack(
                [np.polyval(np.polyfit([0, 0.33, 0.67, 1], knots[:, k], 3), t) for k in range(2)], 1
            )
            line = int(255 * strength * sense)
            cv2.polylines(
                cover,
                [np.round(curve * 16).astype(np.int32)],
                False,
                line,
                2 if made_up and sense == 1 else 1,
                cv2.LINE_AA,
                4,
            )
            away = xy[[*lid]].mean(0) - xy[[*(lower if sense == 1 else upper)]].mean(0)
            away = (
                away / max(np.linalg.norm(away), 1)
                + (xy[corner] - xy[inner]) / width * np.linspace(1, -0.3, 15)[:, None] * 0.8
            )
            tips = curve + away * length * width * sense
            strokes = np.round(np.stack([curve, tips], 1) * 16).astype(np.int32)
            cv2.polylines(cover, list(strokes), False, int(0.7 * line), 1, cv2.LINE_AA, 4)
    share = cover.astype(np.float32)[..., None] / 255
    linear += share * (0.02 * light - linear)


def labelled_points(head: Head, points: np.ndarray, brows_deg: np.ndarray) -> np.ndarray:
    """(68 + 17 * JAW_STEPS, 3) in the frame of `points`: the 68 points, then places of the jaw's."""
    marks = points[head.model.marked]
    marks[17:27] = head.model.anchors(brows_deg).on(points)
    return np.concatenate([marks, head.jaw.anchors.on(points)])


def _outermost(head: Head, pixels: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(17) which place of each jaw path (17,JAW_STEPS,2) ends the face; `up`: where the head's up is."""
    up = up / np.linalg.norm(up)
    turn = np.array([[-up[1], -up[0]], [up[0], -up[1]]])  # takes (0,-1) to up
    outward = head.jaw.outward @ turn.T
    return np.einsum("jsc,jc->js", pixels, outward).argmax(1)


def take_picture(linear: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """uint8 sRGB (208,208,3): exposure, tone, colour, a little blur, noise and compression."""
    picture = cv2.resize(linear, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    middle = picture[SIZE // 4 : -SIZE // 4 : 4, SIZE // 4 : -SIZE // 4 : 4].mean(-1)
    # Cameras meter the scene, not only the skin: dark skin stays darker.
    metered = max(float(np.quantile(middle, 0.6)), 1e-3) ** 0.75 * 0.25**0.25
    level = picture * np.float32(0.27 / metered * 2 ** rng.normal(0, 0.55))
    level *= np.exp(rng.normal(0, 0.07, 3)).astype(np.float32)
    shoulder = np.float32(rng.uniform(0, 0.6))
    level = (1 - shoulder) * level + shoulder * 1.4 * level / (0.5 + level)
    picture = np.clip(level, 0, 1) ** np.float32(1 / rng.uniform(1.9, 2.5))
    picture = 0.45 + (picture - 0.45) * np.float32(rng.uniform(0.9, 1.6))
    if rng.random() < 0.4:
        grey = picture.mean(-1, keepdims=True)
        picture += (1.0 if rng.random() < 0.2 else rng.uniform(-0.5, 0.4)) * (grey - picture)
    draw = rng.random()
    if draw < 0.35:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.3))
    elif draw < 0.55:  # sharpened in the camera
        picture += np.float32(rng.uniform(0.2, 0.9)) * (picture - cv2.GaussianBlur(picture, (0, 0), 1.2))
    if rng.random() < 0.5:
        grain = rng.standard_normal(picture.shape, dtype=np.float32)
        picture = picture + grain * np.float32(min(rng.exponential(0.012), 0.05))
    image = np.clip(np.round(picture * 255), 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))])[1]
        image = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return image


def render_face(rng: np.random.Generator, head: Head) -> tuple[np.ndarray, dict]:
    """One face: picture uint8 (208,208,3) RGB and its labels, named as in this module's description."""
    model = head.model
    pose = sample_pose(rng)
    gaze_deg = rng.normal(0, [11, 8])
    if rng.random() < 0.5:  # into the camera, as far as the eyes can go
        gaze_deg = 0.5 * gaze_deg - [pose.yaw_deg, pose.pitch_deg]
    gaze_deg = np.clip(gaze_deg, [-32, -30], [32, 28])
    points = _stretch(model.shape(sample_identity(rng), sample_expression(rng, gaze_deg)), rng)
    light = sample_lighting(rng)
    skin, hair = paint.tone(rng), paint.hair_colour(rng)
    turn = pose.rotation
    key_head = turn.T @ light.key.towards
    albedo_map, brows, skin_gloss = paint.paint(
        head.regions, skin, hair, np.array([key_head[0], -key_head[1]]), rng
    )
    marks, flat = marks_of(head, points, brows, turn, pose.translation_mm)
    xy, to_drawn = _frame(flat)

    clothes, scene = _dress(model, points, pose, skin, hair, rng)
    openness = _openness(model, points, rng)
    background = dress.make_background(rng, DRAWN)
    linear, depth, lit_by = _draw(
        scene,
        head,
        clothes,
        albedo_map,
        openness,
        skin_gloss,
        light,
        pose,
        to_drawn,
        gaze_deg,
        background,
        rng,
    )

    def in_picture(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        camera = _to_camera(places, pose)
        return project(camera, to_drawn), camera[:, 2]

    drawn_xy = (xy + 0.5) * FINER - 0.5
    in_front = cv2.dilate(np.minimum(depth, 1e5), np.ones((3, 3), np.uint8))
    drawn_lids, lids_z = in_picture(points[model.landmarks[36:48]])
    lids_seen = lids_z < _look_up(in_front, drawn_lids, 1e5) + HIDDEN_MM
    seen = marks[:, 2] < _look_up(in_front, drawn_xy, 1e5) + np.where(np.arange(68) < 17, 4, 1) * HIDDEN_MM
    _lashes(linear, drawn_lids, lids_seen, lit_by, rng)
    hidden = draw_sheets(linear, depth, scene, light, to_drawn)
    occluder = dress.HAIR if (_look_up(hidden, drawn_xy, 0) > 0.5).any() else 0
    if rng.random() < 0.33:
        occluder |= dress.add_spectacles(linear, hidden, points, model, in_picture, depth, lit_by, rng)
    if rng.random() < 0.13:
        occluder |= dress.add_objects(linear, hidden, drawn_xy, skin, lit_by, rng)
    seen &= _look_up(hidden, drawn_xy, 0) < 0.5
    return take_picture(linear, rng), {
        "xy": xy,
        "visible": seen,
        "yaw_deg": pose.yaw_deg,
        "pitch_deg": pose.pitch_deg,
        "roll_deg": pose.roll_deg,
        "occluder": occluder,
    }


def _to_camera(places: np.ndarray, pose: Pose) -> np.ndarray:
    """(n,3) mm from the head's frame to the camera's."""
    return places @ pose.rotation.T + pose.translation_mm


def marks_of(
    head: Head, points: np.ndarray, brows: np.ndarray, turn: np.ndarray, translation_mm: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The 68 landmarks in the camera's frame (68,3), mm, and over their depth (68,2); head -> camera."""
    marks = labelled_points(head, points, brows) @ turn.T + translation_mm
    flat = marks[:, :2] / marks[:, 2:]
    chosen = _outermost(head, flat[68:].reshape(17, JAW_STEPS, 2), turn[:2, 1])
    rows = np.concatenate([68 + np.arange(17) * JAW_STEPS + chosen, np.arange(17, 68)])
    return marks[rows], flat[rows]


def _frame(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks (68,2) in pixels of the picture that holds them, and the map (2,3) to the drawn pixels."""
    low, high = flat.min(0), flat.max(0)
    scale = SIZE / (SQUARE_PER_FACE * (high - low).max())
    to_picture = np.column_stack([scale * np.eye(2), (SIZE - 1) / 2 - scale * (low + high) / 2])
    to_drawn = FINER * to_picture + [[0, 0, FINER / 2 - 0.5], [0, 0, FINER / 2 - 0.5]]
    return flat @ to_picture[:, :2].T + to_picture[:, 2], to_drawn


def _dress(
    model: HeadModel,
    points: np.ndarray,
    pose: Pose,
    skin: np.ndarray,
    hair: np.ndarray,
    rng: np.random.Generator,
) -> tuple[dress.Sheet, Scene]:
    """Clothes, and the head with its clothes, its hair and perhaps a hat."""
    turn = pose.rotation
    clothes = dress.make_clothes(skin, rng)
    follow = rng.uniform(0, 1)
    trunk = rotation(
        pose.yaw_deg * follow + rng.normal(0, 8), pose.pitch_deg * 0.3 * follow, pose.roll_deg * 0.4
    )
    clothes_points = clothes.points @ trunk.T + _to_camera(NECK_MM[None], pose)
    sheets = [dress.make_hair(model, points, hair, rng)]
    if rng.random() < 0.14:
        sheets.append(dress.make_hat(model, points, rng))
    scene = Scene(
        points=np.concatenate([_to_camera(points, pose), clothes_points]),
        normals=np.concatenate([model.normals(points) @ turn.T, clothes.normals @ trunk.T]),
        triangles=np.concatenate([model.triangles, clothes.triangles + len(points)]).astype(np.int32),
        sheets=[(s, _to_camera(s.points, pose), s.normals @ turn.T) for s in sheets if s is not None],
    )
    return clothes, scene


def _openness(model: HeadModel, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How much of the surroundings' light reaches each vertex (V): little of it gets into the mouth."""
    openness = model.openness.copy()
    lips_z = points[model.landmarks[[51, 57]], 2].mean()
    inside = (model.part == MOUTH) | (model.part == GUM) | (model.part == TEETH)
    openness[inside] = np.exp(-np.maximum(lips_z - points[inside, 2] - 4, 0) / 14)
    openness[model.part >= EYE_OS] = rng.uniform(0.5, 0.9)
    return openness


def _look_up(picture: np.ndarray, points: np.ndarray, outside: float) -> np.ndarray:
    column, row = np.round(points).astype(int).T
    height, width = picture.shape
    within = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return np.where(within, picture[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)], outside)


def _draw(
    scene: Scene,
    head: Head,
    clothes: dress.Sheet,
    albedo_map: np.ndarray,
    openness: np.ndarray,
    skin_gloss: float,
    light: Lighting,
    pose: Pose,
    to_drawn: np.ndarray,
    gaze_deg: np.ndarray,
    background: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Head and clothes before a background: linear (h,w,3), depth (h,w) mm, and the light (3) falling in."""
    model = head.model
    count = len(model.part)
    on_map = np.concatenate([paint.to_map(model.uv_deg), clothes.texture_px])
    attributes = np.concatenate(
        [
            on_map,
            scene.normals,
            np.concatenate([openness, np.ones(len(scene.points) - count)])[:, None],
            scene.points,
        ],
        1,
    ).astype(np.float32)
    pixels = project(scene.points, to_drawn).astype(np.float32)
    triangle, _, depth, surface = gbuffer(
        pixels, scene.points[:, 2].astype(np.float32), scene.triangles, DRAWN, DRAWN, attributes
    )
    cloth = len(clothes.points)
    part_of = np.concatenate([model.part, np.full(cloth, 99, np.uint8)])[scene.triangles[:, 0]]
    part = np.where(triangle >= 0, part_of[triangle], 255)
    at = np.ascontiguousarray(surface[..., :2])
    albedo = cv2.remap(albedo_map, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    albedo[part == 99] = cv2.remap(clothes.texture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)[
        part == 99
    ]
    for name, colour in (
        (MOUTH, [0.16, 0.035, 0.03]),
        (GUM, [0.38, 0.12, 0.11]),
        (TEETH, [0.55, 0.50, 0.41]),
    ):
        albedo[part == name] = np.array(colour) * rng.uniform(0.6, 1.2)
    normal = np.ascontiguousarray(surface[..., 2:5])
    normal /= np.maximum(np.sqrt((normal * normal).sum(-1, keepdims=True)), 1e-6)
    place = np.ascontiguousarray(surface[..., 6:9])
    gloss = np.where(part == SKIN, np.float32(skin_gloss), 0).astype(np.float32)
    gloss[(part == TEETH) | (part == GUM)] = 0.1
    _eyes(albedo, gloss, part, place, scene.points[:count], head, pose.rotation, gaze_deg, rng)
    lit = lit_by_key(scene, place, pose.translation_mm, light)
    fall_in = light.ambient + 0.6 * light.key.colour
    linear = background * (fall_in * np.float32(np.exp(rng.normal(0, 0.5))))
    full = np.flatnonzero(triangle.ravel() >= 0)
    linear.reshape(-1, 3)[full] = shade(
        albedo.reshape(-1, 3)[full], normal.reshape(-1, 3)[full], surface.reshape(-1, 9)[full, 5],
        lit.ravel()[full], gloss.ravel()[full], light,
    )  # fmt: skip
    # The lids' shadow on the eyeball.
    eye = ((part == EYE_OS) | (part == EYE_OD)).astype(np.float32)
    linear *= np.where(eye > 0, 0.45 + 0.55 * cv2.blur(eye, (5, 5)), 1)[..., None]
    return linear.astype(np.float32), depth, fall_in


def draw_sheets(
    linear: np.ndarray, depth: np.ndarray, scene: Scene, light: Lighting, to_drawn: np.ndarray
) -> np.ndarray:
    """Draw hair and hat over the head in place; returns how much they cover (h,w) 0..1."""
    covered = np.zeros(depth.shape, np.float32)
    nearest = depth.copy()
    for sheet, points, normals in scene.sheets:
        attributes = np.concatenate([sheet.texture_px, sheet.margin[:, None], normals], 1).astype(np.float32)
        triangle, _, z, surface = gbuffer(
            project(points, to_drawn).astype(np.float32),
            points[:, 2].astype(np.float32),
            sheet.triangles,
            depth.shape[1],
            depth.shape[0],
            attributes,
        )
        at = np.ascontiguousarray(surface[..., :2])
        margin = surface[..., 2] + cv2.remap(
            sheet.ragged, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
        )
        share = np.where((triangle >= 0) & (z < nearest + 1), np.clip(margin / 3, 0, 1), 0).astype(np.float32)
        share = cv2.blur(share, (3, 3)) * (share > 0) if sheet.ragged.any() else share
        albedo = cv2.remap(sheet.texture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        full = np.flatnonzero(share.ravel() > 0)
        normal = surface.reshape(len(share.ravel()), -1)[full, 3:6]
        normal *= np.where(normal[:, 2:] > 0, -1, 1).astype(np.float32)
        ones = np.ones(len(full), np.float32)
        shaded = shade(
            albedo.reshape(-1, 3)[full], normal, 0.8 * ones, ones, np.float32(0.2 * sheet.gloss) * ones, light
        )
        flat = linear.reshape(-1, 3)
        flat[full] += share.ravel()[full, None] * (shaded - flat[full])
        nearest = np.where(share > 0.5, z, nearest)
        np.maximum(covered, share, out=covered)
    return covered


DTYPES = {
    "xy": np.float32,
    "visible": np.uint8,
    "yaw_deg": np.float32,
    "pitch_deg": np.float32,
    "roll_deg": np.float32,
    "occluder": np.uint8,
}


def render_faces(head: Head, seed: int, first: int, count: int) -> dict[str, np.ndarray]:
    """The arrays of faces first .. first + count - 1 of a seed."""
    return render_all(lambda rng: render_face(rng, head), DTYPES, seed, first, count)


def run(options: argparse.Namespace) -> int:
    """Writes the pictures. Raises WrongUse."""
    if options.count < 1 or options.shard < 0:
        raise WrongUse(
            f"--count {options.count} --shard {options.shard}: expected at least 1 face and no negative shard"
        )
    cv2.setNumThreads(1)
    head = load(options.ict)
    write_shards(
        options.output,
        lambda first, count: render_faces(head, options.seed, first, count),
        options.first,
        options.count,
        options.shard,
        "faces",
        options.overwrite,
    )
    return 0
