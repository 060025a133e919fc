"""Rendered eyes with exact labels, for training the eyelid, iris and line nets.

`dmask train render-eyes --unityeyes2 DIR -o OUT.npz --count N --seed S --split train|validation [--gaze far]`

Writes one .npz (with `--shard K`: OUT_000.npz, OUT_001.npz, ... of K eyes each). All eyes have OS
orientation, the inner canthus left. The picture shows 1.5 times the nominal eye crop, so that training can
shift, scale and turn it: the nominal crop (centre = midpoint of the canthi, x along the canthi, width 1.75 c,
height 1.4 c with c = max(own canthal distance, 0.8 of the other eye's)) is the central 160x128 of the 240x192
pixels. All points are (x, y) in pixels of that picture, 0-based pixel centres, also where hidden or outside.

  images          uint8 (n,192,240,3)  RGB
  lid             f32 (n,20,2)   0 inner canthus, 1-9 upper margin, 10 outer canthus, 11-19 lower margin back;
                                 1-9 and 11-19 lie at s = 0.1 ... 0.9 along the canthal line. The margin is
                                 the opening's apparent border: its rim farther in. Shut: upper = lower
  lid_visible     uint8 (n,20)   0 where the nose, an occluder or a dark lens hides the point
  iris            f32 (n,19,2)   0 centre of the limbus circle, 1-18 the whole limbus, hidden parts too, every
                                 20 degrees of the circle's parameter, clockwise as seen, from 12 o'clock of
                                 the eye (Fick frame)
  iris_visible    uint8 (n,19)   0 behind a lid, an occluder or turned away; all 0 when shut
  pupil           f32 (n,13,2)   0 the pupil's centre, 1-12 its rim clockwise from 12 o'clock, as
                                 the cornea shows them
  pupil_visible   uint8 (n,13)   0 behind a lid or an occluder, or where the pupil does not stand out from its
                                 iris; 255 where the eye looks too far away
  regions         uint8 (n,h,w)  with `finer`: 0 no eyeball is seen, 1 sclera, 2 iris, 3 pupil, 255 not told
  lines           f32 (n,4,20,2) crease, upper margin, lower margin, lower boundary of the bulge; inner ->
                                 outer, at equal arc length
  line_present    uint8 (n,4)    1 there, 0 not there, 255 undecided (faint, covered or broken by a lens's
                                 edge): not for the loss
  closed          uint8 (n)      1 when the lids touch all along
  openness        f32 (n)        largest distance of the margins across the canthal line / canthal distance,
                                 of the eye itself (no lens)
  gaze_yaw_deg, gaze_pitch_deg   f32 (n)  optical axis in the head frame, + temporal (an OS eye) and + up
  head_yaw_deg, head_pitch_deg   f32 (n)  head in the camera frame, + towards the patient's left and up
  iris_radius_px  f32 (n)        the limbus radius seen face-on, magnified as the iris is
  canthi          f32 (n,2,2)    inner, outer; without the lens, so that errors keep their scale
  skin, iris_texture             uint8 (n)  index into `skin_names`, `iris_names` (str)
  occluder        uint8 (n)      bits: 1 spectacle frame, 2 lens glare, 4 hair, 8 object or hand, 16 eye
                                 covered (no lid point is free), 32 thick lens (magnified by more than
                                 5 %), 64 dark lens (transmits at most 10 %: the eye behind it is hidden)
  seed, index     int64 (n)      made again by `render_eye(default_rng([seed, index]), assets, gaze)`

All points behind a spectacle lens are where the lens shows them. Crease and bulge start as loops of the
mesh, the topology's `crease` above and `between_peak_and_crease` below the eye, and are drawn to the valley
that the picture shows next to them (`folds.py`); its depth there, not what the renderer was asked
for, decides `line_present`. The limbus is where the picture's ramp from iris to sclera is half-way. Mirroring
an eye (x -> 239 - x) keeps `lid` and `lines` in order; limbus points k >= 2 become 20 - k.
"""

import argparse
from dataclasses import dataclass, field

import cv2
import numpy as np

from dmask.axes import head_rotation
from dmask.crops import EYE_CANTHAL_WIDTHS, EYE_WIDTH_PX, LEAST_OF_OTHER_EYE
from dmask.errors import WrongUse
from dmask.ranges import number, place, whole
from dmask.train.data.shards import render_all, write_shards
from dmask.train.render_eyes.assets import CREASE_IN_BOTH, EyeAssets, load_assets
from dmask.train.render_eyes.camera import scene_level, take_picture
from dmask.train.render_eyes.folds import find_fold, log_radiance, valley_depth
from dmask.train.render_eyes.geometry import (
    LIMBUS_RADIUS_MM,
    LidState,
    gaze_axes,
    limbus_points,
    pose_lids,
    rest_shape,
)
from dmask.train.render_eyes.globe import PUPIL_POINTS, pupil_points
from dmask.train.render_eyes.light import Lashes, Light, Look, View
from dmask.train.render_eyes.occluders import COVERED, THICK_LENS, Occluded, add_occluders
from dmask.train.render_eyes.shading import Rendered, render

WIDTH, HEIGHT = 240, 192
HALF_INTERPUPILLARY_MM = 31.5
LEAST_RIM, LEAST_CONTRAST = 4, 5.0  # points, grey levels: of a pupil that is told from its iris
STATIONS = np.linspace(0, 1, 11)
FOLD_GAP_PX = 2.5  # a fold nearer to the margin is not told from it
# Shares of the lids' states in `sample_pose`; far gaze is learnt from eyes that are open.
LID_STATES = {
    "usual": (0.32, 0.08, 0.12, 0.11, 0.11, 0.14, 0.07, 0.05),
    "far": (0.50, 0.11, 0.11, 0.07, 0.03, 0.03, 0.08, 0.07),
}
FAINTEST = 0.03  # depth of a fold's valley in the finished picture, in log radiance


@dataclass
class Pose:
    """Head, gaze and lids of one eye."""

    head_yaw_deg: float
    head_pitch_deg: float
    head_roll_deg: float
    distance_mm: float
    offset: np.ndarray  # (2) eye's place in the frame, fractions of the distance
    gaze_yaw_deg: float
    gaze_pitch_deg: float
    lids: LidState
    closed: bool


def _usual_gaze(rng: np.random.Generator) -> tuple[float, float]:
    """Yaw and pitch in degrees, most of them near straight ahead."""
    wide = rng.random() < 0.3
    yaw = rng.uniform(-40, 40) if wide else np.clip(rng.normal(0, 14), -40, 40)
    pitch = rng.uniform(-30, 30) if wide else np.clip(rng.normal(-3, 11), -30, 30)
    return yaw, pitch


def _far_gaze(rng: np.random.Generator) -> tuple[float, float]:
    """Yaw and pitch in degrees as far as eyes turn, in an ellipse; a share looks ahead all the same."""
    direction, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1.0) ** 0.7
    if rng.random() < 0.35:
        direction = rng.choice([0, np.pi]) + rng.normal(0, 0.15)  # sideways
    yaw = 62 * reach * np.cos(direction)
    pitch = (35 if np.sin(direction) > 0 else 50) * reach * np.sin(direction)
    return yaw, pitch


def sample_pose(rng: np.random.Generator, gaze: str = "usual") -> Pose:
    """Draw head, gaze and lid state; the lids follow the gaze, then do what they like."""
    gaze_yaw, gaze_pitch = _far_gaze(rng) if gaze == "far" else _usual_gaze(rng)
    follows = rng.normal(0.72, 0.12) if rng.random() < 0.9 else rng.uniform(0, 0.4)  # lid lag
    upper = -follows * gaze_pitch / 46.0
    lower = 0.25 * gaze_pitch / 46.0 + np.clip(rng.normal(-0.05, 0.04), -0.13, 0.05)
    upper = np.clip(upper + rng.normal(-0.02, 0.07), -0.25, 0.8)

    state = rng.choice(8, p=LID_STATES[gaze])
    closed = False
    tilt = rng.normal(0, 0.04)
    if state == 1:  # wide open
        upper -= rng.uniform(0.05, 0.3)
        lower -= rng.uniform(0, 0.1)
    elif state == 2:  # drooping, perhaps more on one side
        upper += rng.uniform(0.12, 0.5)
        tilt = rng.normal(0, 0.15)
    elif state == 3:  # half closed
        upper += rng.uniform(0.25, 0.65)
        lower += rng.uniform(0, 0.1)
    elif state == 4:  # nearly shut: a slit is left
        lower = np.clip(lower + rng.uniform(0.0, 0.2), -0.1, 0.4)
        upper = 1 - lower - rng.uniform(0.03, 0.16)
        tilt = rng.normal(0, 0.02)
    elif state == 5:
        closed = True
        lower = rng.uniform(0.02, 0.22) if rng.random() < 0.8 else rng.uniform(0.2, 0.4)
    elif state == 6:  # squint
        lower += rng.uniform(0.1, 0.38)
        upper += rng.uniform(0.05, 0.3)
    elif state == 7:  # lower lid sags or retracts
        lower -= rng.uniform(0.05, 0.2)
        upper -= rng.uniform(0, 0.12)
    s = np.linspace(0, 1, 20)
    shape = 1 + rng.normal(0, 0.05) * np.cos(2 * np.pi * s)
    upper_along = upper * shape + 2 * tilt * (s - 0.5)
    lower_along = np.full(20, lower) + rng.normal(0, 0.02) * (s - 0.5)
    if closed:
        upper_along = 1 - lower_along
    else:
        room = 0.97 - lower_along
        upper_along = np.clip(np.minimum(upper_along, room), -0.45, None)
    bulge = max(0.0, rng.normal(0.35, 0.35)) + 2.0 * max(0.0, float(lower) - 0.1) * rng.uniform(0.5, 1)
    hood = max(0.0, rng.normal(-0.3, 1.0)) if not closed else max(0.0, rng.normal(-0.6, 0.8))
    strong = rng.random() < 0.25
    head_yaw = rng.uniform(-40, 45) if strong else np.clip(rng.normal(0, 15), -40, 45)
    head_pitch = rng.uniform(-25, 25) if strong else np.clip(rng.normal(0, 9), -25, 25)
    if head_yaw < -25:
        head_pitch *= 0.5  # otherwise the nose hides this eye
    return Pose(
        head_yaw_deg=float(head_yaw),
        head_pitch_deg=float(head_pitch),
        head_roll_deg=float(rng.normal(0, 6)),
        distance_mm=float(np.exp(rng.uniform(np.log(250), np.log(1500)))),
        offset=rng.uniform(-0.2, 0.2, 2),
        gaze_yaw_deg=float(gaze_yaw),
        gaze_pitch_deg=float(gaze_pitch),
        lids=LidState(
            upper_along,
            lower_along,
            min(bulge, 1.4),
            min(hood, 2.5),
            float(np.clip(rng.normal(0.1, 0.2), -0.2, 0.6)),
        ),
        closed=closed,
    )


def _sample_light(rng: np.random.Generator) -> tuple[Light, Light, np.ndarray, np.ndarray]:
    """Key, fill, the ambient light (3) and its change towards the top (3)."""
    strong_side = rng.random() < 0.25
    azimuth = rng.uniform(-85, 85) if strong_side else rng.normal(0, 40)
    elevation = rng.uniform(-15, 60) if strong_side else np.clip(rng.normal(35, 22), -25, 80)
    warm = np.exp(rng.normal(0, 0.16) * np.array([1.0, 0.1, -1.0]))
    key_strength = rng.uniform(0.7, 1.4) if strong_side else rng.uniform(0.15, 1.1)
    fill_strength = rng.uniform(0, 0.12) if strong_side else rng.uniform(0, 0.4)
    ambient = (rng.uniform(0.06, 0.3) if strong_side else rng.uniform(0.2, 0.8)) * np.exp(
        rng.normal(0, 0.07, 3)
    )
    ambient_up = ambient * rng.uniform(-0.1, 0.6)
    key = Light(
        _direction(azimuth, elevation),
        key_strength * warm,
        float(rng.exponential(1.2) + 0.2),
        rng.uniform(0.3, 1),
    )
    fill = Light(
        _direction(rng.uniform(-80, 80), rng.uniform(-40, 60)), fill_strength * np.exp(rng.normal(0, 0.1, 3))
    )
    return key, fill, ambient, ambient_up


def _sample_lashes(closed_share: float, rng: np.random.Generator) -> tuple[Lashes, Lashes]:
    """Those of the upper and of the lower lid."""
    mascara = rng.random() < 0.2
    lash_scale = rng.choice([0.0, rng.uniform(0.3, 0.7), rng.uniform(0.7, 1.2)], p=[0.06, 0.44, 0.5])
    length = rng.uniform(5.0, 10.0) * (1.1 if mascara else 1.0)
    thickness = rng.uniform(1.4, 2.4) if mascara else rng.uniform(0.6, 1.5)
    opacity = rng.uniform(0.75, 0.97) if mascara else rng.uniform(0.3, 0.9)
    upper = Lashes(
        count=int(lash_scale * rng.uniform(55, 120)),
        length_mm=length,
        thickness_px=thickness,
        opacity=opacity,
        droop=rng.uniform(-0.1, 0.5) + 0.5 * closed_share,
        curl=rng.uniform(0.2, 1.3) * (1 - 0.35 * closed_share),
        spread=rng.uniform(0.3, 1.1),
    )
    lower = Lashes(
        count=int(lash_scale * rng.uniform(15, 60)),
        length_mm=length * rng.uniform(0.4, 0.65),
        thickness_px=thickness * 0.8,
        opacity=opacity * rng.uniform(0.4, 1),
        droop=rng.uniform(-0.7, 0.1),
        curl=rng.uniform(-0.2, 0.5),
        spread=rng.uniform(0.3, 1.0),
    )
    return upper, lower


def sample_look(pose: Pose, tone: np.ndarray, crease_in_both: bool, rng: np.random.Generator) -> Look:
    """Draw light, skin, iris, make-up and lashes; `tone` is the skin's own mean linear colour (3)."""
    key, fill, ambient, ambient_up = _sample_light(rng)

    # Skin tones: towards a wanted luminance between very dark and very light.
    wanted = np.exp(rng.uniform(np.log(0.03), np.log(0.45)))
    change = (wanted / tone.mean()) ** rng.uniform(0.2, 0.95)
    tone_gain = np.clip(change, 0.15, 1.6) ** np.array([0.85, 1.0, 1.08]) * np.exp(rng.normal(0, 0.06, 3))
    closing = float(np.mean(pose.lids.upper))
    look_down = float(np.clip(rng.normal(rng.uniform(0.3, 1.6) * max(0.0, closing - 0.1), 0.12), 0, 1))
    single = (not crease_in_both) and rng.random() < 0.12
    if crease_in_both:
        look_down = min(look_down, 0.4)
    if single:
        look_down = 1.0
        pose.lids.fill = float(rng.uniform(0.7, 1.0))
    upper_lashes, lower_lashes = _sample_lashes(float(np.clip(closing, 0, 1)), rng)
    painted = rng.random() < 0.2
    pigment = np.array([1.0, 0.93, 0.85]) * np.exp(rng.normal(0, 0.1, 3))
    darkness = np.exp(rng.uniform(np.log(0.15), np.log(1.2)))
    return Look(
        key=key,
        fill=fill,
        ambient=ambient,
        ambient_up=ambient_up,
        environment=environment(ambient, key, rng),
        tone_gain=tone_gain,
        look_down=look_down,
        bump_mm=float(rng.uniform(1.5, 4.5)),
        crease_smoothing=0.9 if single else 0.8 * look_down,
        bulge_relief_mm=pose.lids.bulge_mm * float(rng.uniform(0.5, 1.3)),
        bulge_tone=min(1.0, pose.lids.bulge_mm) * float(rng.uniform(0.05, 0.28)),
        gloss=float(rng.exponential(0.02)),
        sclera_gain=np.array([0.92, 0.9, 0.88]) * rng.uniform(0.25, 0.72) * np.exp(rng.normal(0, 0.05, 3)),
        veins=float(rng.uniform(0.2, 0.9)),
        iris_gain=darkness * pigment,
        iris_contrast=float(rng.uniform(0.5, 1.2)),
        pupil_mm=float(rng.uniform(0.9, 4.2)),
        limbus_softness_mm=float(rng.uniform(0.4, 1.3)),
        reflectance=float(rng.uniform(0.02, 0.09)),
        tear_line=float(rng.uniform(0, 0.25)),
        eyeliner=float(rng.uniform(0.5, 0.95) if rng.random() < 0.18 else rng.uniform(0.0, 0.5)),
        eyeshadow=rng.uniform(0.35, 1.0) * rng.uniform(0.6, 1.0, 3) if painted else np.ones(3),
        lash_colour=np.array([0.03, 0.02, 0.014]) * np.exp(rng.uniform(-1.5, 0.7)),
        upper_lashes=upper_lashes,
        lower_lashes=lower_lashes,
        globe_shade=float(rng.uniform(0.35, 0.95)),
        background=_background(rng),
    )


def _direction(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    return np.array(
        [np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)]
    )


def environment(ambient: np.ndarray, key: Light, rng: np.random.Generator) -> np.ndarray:
    """(48,96,3) what the cornea mirrors: a room, lamps and windows."""
    room = cv2.resize(
        rng.uniform(0.1, 1.2, (6, 12)).astype(np.float32) ** 2, (96, 48), interpolation=cv2.INTER_CUBIC
    )
    height = np.linspace(1.3, 0.25, 48, dtype=np.float32)[:, None]
    light = np.clip(room * height, 0, None)[..., None] * ambient.astype(np.float32)
    for _ in range(rng.integers(0, 4)):
        x, y = rng.integers(20, 76), rng.integers(4, 34)
        w, h = rng.integers(1, 12), rng.integers(1, 10)
        light[y : y + h, x : x + w] += np.float32(rng.uniform(1, 25)) * np.exp(rng.normal(0, 0.1, 3)).astype(
            np.float32
        )
    azimuth = np.arctan2(key.direction[0], key.direction[2]) / (2 * np.pi) + 0.5
    polar = np.arccos(np.clip(key.direction[1], -1, 1)) / np.pi
    spot = (int(azimuth * 96), int(polar * 48))
    lamp = np.zeros((48, 96), np.float32)
    cv2.circle(lamp, spot, int(rng.integers(0, 3)), float(rng.uniform(5, 60)), -1)
    light = light + lamp[..., None] * key.colour.astype(np.float32)
    return cv2.GaussianBlur(light.astype(np.float32), (0, 0), 0.6)


def _background(rng: np.random.Generator) -> np.ndarray:
    coarse = rng.uniform(0, 1, (4, 5, 1)) ** 2 * rng.uniform(0.05, 0.9) + rng.uniform(-0.05, 0.05, (4, 5, 3))
    return np.clip(coarse, 0.005, 1).astype(np.float32)


def _view(pose: Pose, canthi_mm: np.ndarray, finer: float) -> tuple[View, float]:
    """The camera with the region set on the canthi (2,3), and their distance in pixels."""
    rotation = head_rotation(pose.head_yaw_deg, pose.head_pitch_deg, pose.head_roll_deg)
    translation = pose.distance_mm * np.array([*pose.offset, 1.0])
    view = View(rotation, translation, np.array([[1.0, 0, 0], [0, 1.0, 0]]))
    own = view.project(canthi_mm)[0]
    mirror = np.array([-1.0, 1, 1])
    other = view.project(mirror * canthi_mm - [2 * HALF_INTERPUPILLARY_MM, 0, 0])[0]
    along = own[1] - own[0]
    canthal = np.linalg.norm(along)
    reference = max(canthal, LEAST_OF_OTHER_EYE * np.linalg.norm(other[1] - other[0]))
    scale = finer * EYE_WIDTH_PX / (EYE_CANTHAL_WIDTHS * reference)
    cosine, sine = along / canthal
    turn = scale * np.array([[cosine, sine], [-sine, cosine]])
    centre = np.array([(round(finer * WIDTH) - 1) / 2, (round(finer * HEIGHT) - 1) / 2])
    view.to_region = np.concatenate([turn, (centre - turn @ own.mean(0))[:, None]], 1)
    return view, scale * canthal


def _canthi(vertices: np.ndarray, assets: EyeAssets) -> np.ndarray:
    """(2,3): where the opening is seen to end; people mark it a little inside of where the margins join."""
    margin = vertices[assets.region.chains[0]]
    column = assets.region.half // 10
    return np.stack([margin[[k - column, k, k + column]].mean(0) for k in (0, assets.region.half)])


def _heights(points: np.ndarray, canthi: np.ndarray, stations: np.ndarray, farther: float) -> np.ndarray:
    """Distance across the canthal line (+ down) of a chain (n,2) at stations s; in a fold, the farther."""
    along = canthi[1] - canthi[0]
    length = np.linalg.norm(along)
    along = along / length
    relative = points - canthi[0]
    s = relative @ along / length
    across = relative @ np.array([-along[1], along[0]])
    low, high = np.minimum(s[:-1], s[1:]), np.maximum(s[:-1], s[1:])
    best = np.full(len(stations), -np.inf)
    for k in range(len(stations)):
        hit = np.flatnonzero((low <= stations[k]) & (stations[k] < high))
        if len(hit):
            t = (stations[k] - s[hit]) / (s[hit + 1] - s[hit])
            best[k] = (farther * (across[hit] + t * (across[hit + 1] - across[hit]))).max()
    missing = ~np.isfinite(best)
    if missing.any():  # beyond the chain's end: run straight to the canthus
        known = np.concatenate([[0.0], stations[~missing], [1.0]])
        best[missing] = np.interp(stations[missing], known, np.concatenate([[0.0], best[~missing], [0.0]]))
    return farther * best


def _margins(
    drawn: np.ndarray, canthi: np.ndarray, assets: EyeAssets, closed: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower margin (11,2) at s = 0 .. 1 from the drawn mesh's pixels (n,2)."""
    chains, half = assets.region.chains, assets.region.half
    upper = [chain[: half + 1] for chain in chains[:2]]
    lower = [np.append(chain[half:], chain[0])[::-1] for chain in chains[:2]]
    inside = STATIONS[1:-1]
    down = np.stack([_heights(drawn[chain], canthi, inside, 1.0) for chain in upper])
    up = np.stack([_heights(drawn[chain], canthi, inside, -1.0) for chain in lower])
    if closed:
        down = up = (down[1:] + up[1:]) / 2
    upper_y, lower_y = down.max(0), up.min(0)
    crossed = upper_y > lower_y
    middle = (upper_y + lower_y) / 2
    upper_y, lower_y = np.where(crossed, middle, upper_y), np.where(crossed, middle, lower_y)
    along = canthi[1] - canthi[0]
    normal = np.array([-along[1], along[0]]) / np.linalg.norm(along)
    margins = []
    for height in (upper_y, lower_y):
        full = np.concatenate([[0.0], height, [0.0]])
        margins.append(canthi[0] + STATIONS[:, None] * along + full[:, None] * normal)
    return margins[0], margins[1]


def _resample(points: np.ndarray, count: int = 20) -> np.ndarray:
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.linspace(0, length[-1], count)
    return np.stack([np.interp(at, length, points[:, k]) for k in range(2)], 1)


def _look_up(picture: np.ndarray, points: np.ndarray, outside: float) -> np.ndarray:
    column, row = np.round(points).astype(int).T
    height, width = picture.shape
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    values = picture[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    return np.where(inside, values, outside)


def _iris_shares(names: tuple[str, ...]) -> np.ndarray:
    """Brown eyes are the most frequent."""
    shares = np.array([{"brown": 3.0, "amber": 2.0}.get(name, 1.0) for name in names])
    return shares / shares.sum()


def render_eye(
    rng: np.random.Generator, assets: EyeAssets, gaze: str = "usual", finer: float = 1.0
) -> tuple[np.ndarray, dict]:
    """One eye: picture uint8 (192,240,3) RGB, `finer` times as large, and its labels, as described above."""
    skin_name = assets.skin_names[rng.integers(len(assets.skin_names))]
    iris_name = str(rng.choice(assets.iris_names, p=_iris_shares(assets.iris_names)))
    skin, region = assets.skin(skin_name), assets.region
    pose = sample_pose(rng, gaze)
    look = sample_look(pose, skin.tone, skin_name in CREASE_IN_BOTH, rng)
    axes = gaze_axes(pose.gaze_yaw_deg, pose.gaze_pitch_deg)
    weights = np.clip(rng.normal(0, 1, len(region.modes_mm)), -2.5, 2.5)
    rest = rest_shape(region, weights, np.clip(rng.normal([0.95, 1.0], [0.04, 0.05]), 0.85, 1.12))
    vertices = pose_lids(region, rest, pose.lids, axes[2])
    canthi_mm = _canthi(vertices, assets)
    view, canthal_px = _view(pose, canthi_mm, finer)
    width, height = round(finer * WIDTH), round(finer * HEIGHT)
    rendered = render(
        region, vertices, axes, skin, assets.iris(iris_name), assets.crease_band,
        assets.bulge_reliefs[rng.integers(len(assets.bulge_reliefs))], look, view, width, height, rng,
    )  # fmt: skip
    light = look.ambient + 0.6 * look.key.colour
    occluded = add_occluders(rendered.linear.copy(), canthal_px, light, look.key.direction, rng)
    image = take_picture(occluded.linear, scene_level(rendered.linear), float(light.mean()), rng)
    labels = _labels(pose, vertices, axes, canthi_mm, view, rendered, occluded, image, assets, look.pupil_mm)
    if finer != 1:
        labels["regions"] = _regions(labels, rendered, occluded)
    labels |= {
        "skin": assets.all_skin_names.index(skin_name),
        "iris_texture": assets.all_iris_names.index(iris_name),
    }
    return image, labels


@dataclass
class _Points:
    """Lid (20,2), iris (19,2) and lines (4,20,2) in pixels, and how much of each is seen."""

    lid: np.ndarray
    lid_visible: np.ndarray  # (20) bool
    iris: np.ndarray
    iris_visible: np.ndarray  # (19) bool
    lines: np.ndarray
    present: np.ndarray  # (4) 1 is there, 0 is not, 255 cannot be told
    line_free: np.ndarray  # (4) share of a line that nothing covers
    magnification: float = 1.0  # of the iris by a lens
    pupil: np.ndarray = field(default_factory=lambda: np.zeros((PUPIL_POINTS, 2)))
    pupil_visible: np.ndarray = field(default_factory=lambda: np.zeros(PUPIL_POINTS, bool))
    pupil_told: bool = False


def _labels(
    pose: Pose,
    vertices: np.ndarray,
    axes: np.ndarray,
    canthi_mm: np.ndarray,
    view: View,
    rendered: Rendered,
    occluded: Occluded,
    image: np.ndarray,
    assets: EyeAssets,
    pupil_mm: float,
) -> dict:
    drawn, depth = view.project(vertices)
    canthi = view.project(canthi_mm)[0]
    limbus = limbus_points(axes)
    points, folds = _points(pose, drawn, depth, canthi, limbus, view, rendered, assets)
    pupil = pupil_points(axes, pupil_mm, view)
    points.pupil_told = pupil is not None
    if pupil is not None:
        points.pupil = pupil
        points.pupil_visible = _look_up(rendered.globe_seen, pupil, 0.0) > 0.5
    length = np.linalg.norm(canthi[1] - canthi[0])
    aperture = np.linalg.norm(points.lid[1:10] - points.lid[:10:-1], axis=1).max()
    covered, behind = _cover(points, occluded)
    for k, chain in folds:
        seen = _look_up(rendered.depth_mm, drawn[chain], np.inf) > depth[chain] - 4.0
        points.line_free[k] *= seen.mean()
    _mark_doubtful(points, behind, occluded, image)
    points.pupil_visible &= not pose.closed
    if not pupil_stands_out(image, points.pupil, points.pupil_visible):
        points.pupil_visible[:] = False
    scale = np.linalg.norm(view.to_region[0, :2])
    centre_depth = (limbus[0] @ view.rotation.T + view.translation_mm)[2]
    return {
        "lid": points.lid.astype(np.float32),
        "lid_visible": points.lid_visible.astype(np.uint8),
        "iris": points.iris.astype(np.float32),
        "iris_visible": points.iris_visible.astype(np.uint8),
        "pupil": points.pupil.astype(np.float32),
        "pupil_visible": np.where(points.pupil_told, points.pupil_visible, 255).astype(np.uint8),
        "lines": points.lines.astype(np.float32),
        "line_present": points.present.astype(np.uint8),
        "closed": int(pose.closed),
        "openness": float(aperture / length),
        "gaze_yaw_deg": pose.gaze_yaw_deg,
        "gaze_pitch_deg": pose.gaze_pitch_deg,
        "head_yaw_deg": pose.head_yaw_deg,
        "head_pitch_deg": pose.head_pitch_deg,
        "iris_radius_px": float(points.magnification * scale * LIMBUS_RADIUS_MM / centre_depth),
        "canthi": canthi.astype(np.float32),
        "occluder": occluded.flags | (COVERED if covered else 0),
    }


def _points(
    pose: Pose,
    drawn: np.ndarray,
    depth: np.ndarray,
    canthi: np.ndarray,
    limbus: np.ndarray,
    view: View,
    rendered: Rendered,
    assets: EyeAssets,
) -> tuple[_Points, list[tuple[int, np.ndarray]]]:
    """What the mesh says, before anything is put in front of it; the vertices of crease and bulge by line."""
    chains, half = assets.region.chains, assets.region.half
    upper, lower = _margins(drawn, canthi, assets, pose.closed)
    lid = np.concatenate([upper, lower[9:0:-1]])
    # A lid point is hidden where the mesh or the globe is well in front of the margin there.
    margin = np.concatenate([chains[0], chains[1]])
    nearest = ((lid[:, None] - drawn[margin]) ** 2).sum(-1).argmin(1)
    lid_visible = _look_up(rendered.depth_mm, lid, np.inf) > depth[margin[nearest]] - 4.0
    iris, _ = view.project(limbus)
    facing = np.einsum("ij,ij->i", view.position_mm - limbus, limbus) > 0
    iris_visible = (_look_up(rendered.globe_seen, iris, 0.0) > 0.5) & facing & (not pose.closed)
    # Folds run out before they reach the canthi.
    column = half // 10
    crease = chains[4][column : half + 1 - column]
    bulge = chains[3][: half + 2 * column : -1][column:]
    lines = np.stack([_resample(p) for p in (drawn[crease], upper, lower, drawn[bulge])])
    present = _find_folds(lines, rendered)
    points = _Points(lid, lid_visible, iris, iris_visible, lines, present, np.ones(4))
    return points, [(0, crease), (3, bulge)]


def _find_folds(lines: np.ndarray, rendered: Rendered) -> np.ndarray:
    """Move crease and bulge among `lines` (4,20,2) to where they are seen; returns which are there (4)."""
    present = np.ones(4, np.uint8)
    seen_skin = log_radiance(rendered.without_lashes)
    for k, side in ((0, lines[1]), (3, lines[2])):
        fold = find_fold(seen_skin, lines[k])
        present[k] = fold.present
        if present[k] == 1:
            lines[k] = _resample(fold.line)
            gap = np.abs(lines[k][3:-3, 1] - np.interp(lines[k][3:-3, 0], *side.T))
            present[k] = 1 if np.median(gap) > FOLD_GAP_PX else 255
    return present


def _cover(points: _Points, occluded: Occluded) -> tuple[bool, np.ndarray]:
    """Put lens and occluders in front; whether no lid point is free, and each line's share behind a lens."""
    flat = np.concatenate([points.lid, points.iris, points.lines.reshape(-1, 2), points.pupil])
    cut, behind = np.zeros(len(flat), bool), np.zeros(4)
    if occluded.lens is not None:
        if occluded.lens.encloses(points.iris[:1])[0]:
            points.magnification = occluded.lens.magnification
        behind = occluded.lens.encloses(flat[39:119]).reshape(4, 20).mean(1)
        flat, cut = occluded.lens.move(flat)
    points.lid, points.iris, points.lines = flat[:20], flat[20:39], flat[39:119].reshape(4, 20, 2)
    points.pupil = flat[119:]
    free = (_look_up(1 - occluded.covered, flat, 1.0) > 0.5) & ~cut
    points.lid_visible &= free[:20]
    points.iris_visible &= free[20:39]
    points.line_free = free[39:119].reshape(4, 20).mean(1)
    points.pupil_visible &= free[119:]
    return not free[:20].any(), behind


NONE, SCLERA, IRIS, PUPIL, UNTOLD = 0, 1, 2, 3, 255  # of `regions`


def _regions(labels: dict, rendered: Rendered, occluded: Occluded) -> np.ndarray:
    """(h,w) uint8 of what is seen of the eyeball: none, sclera, iris, pupil; UNTOLD where none could say."""
    globe = (rendered.globe_seen > 0.5) & (occluded.covered <= 0.5)
    disc, pupil = np.zeros(globe.shape, np.uint8), np.zeros(globe.shape, np.uint8)
    cv2.fillPoly(disc, [np.rint(labels["iris"][1:] * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    cv2.fillPoly(pupil, [np.rint(labels["pupil"][1:] * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    regions = np.where(globe, SCLERA, NONE).astype(np.uint8)
    regions[globe & (disc > 0)] = IRIS
    told = labels["pupil_visible"][1:]
    if (told == 1).any():
        regions[globe & (pupil > 0)] = PUPIL
    if occluded.lens is not None or (globe.any() and not (told == 1).any()):
        # What a lens bends is elsewhere, and a pupil that does not stand out is not told from its iris.
        doubtful = globe if occluded.lens is not None else globe & (pupil > 0)
        regions[cv2.dilate(doubtful.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0] = UNTOLD
    return regions


def pupil_stands_out(image: np.ndarray, pupil: np.ndarray, visible: np.ndarray) -> bool:
    """Whether the pupil (13,2) of a picture is told from its iris: the iris about it is brighter.

    visible (13): of its points.
    """
    if visible[1:].sum() < LEAST_RIM:
        return False
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (0, 0), 0.8).astype(np.float32)
    rim = pupil[1:][visible[1:]] - pupil[0]
    outside, inside = (_look_up(grey, pupil[0] + share * rim, np.nan) for share in (1.25, 0.75))
    return bool(np.nanmedian(outside - inside) > LEAST_CONTRAST)


def _mark_doubtful(points: _Points, behind: np.ndarray, occluded: Occluded, image: np.ndarray) -> None:
    """A line cannot be told where it is covered, broken by a lens' edge, or lost in blur, noise or glare."""
    margins_seen = np.stack([points.lid_visible[1:10], points.lid_visible[:10:-1]])
    points.line_free[1:3] *= margins_seen.mean(1)
    broken = (behind > 0) & (behind < 1) & (occluded.flags & THICK_LENS > 0)
    points.present = np.where((points.line_free < 0.6) | broken, 255, points.present)
    shown = log_radiance((image / np.float32(255)) ** 2.2)
    for k in (0, 3):
        if points.present[k] == 1 and valley_depth(shown, points.lines[k])[0] < FAINTEST:
            points.present[k] = 255


DTYPES = {
    "lid": np.float32,
    "lid_visible": np.uint8,
    "iris": np.float32,
    "iris_visible": np.uint8,
    "pupil": np.float32,
    "pupil_visible": np.uint8,
    "lines": np.float32,
    "line_present": np.uint8,
    "closed": np.uint8,
    "openness": np.float32,
    "gaze_yaw_deg": np.float32,
    "gaze_pitch_deg": np.float32,
    "head_yaw_deg": np.float32,
    "head_pitch_deg": np.float32,
    "iris_radius_px": np.float32,
    "canthi": np.float32,
    "occluder": np.uint8,
    "skin": np.uint8,
    "iris_texture": np.uint8,
}


def render_eyes(
    assets: EyeAssets, seed: int, first: int, count: int, gaze: str = "usual", finer: float = 1.0
) -> dict[str, np.ndarray]:
    """The arrays of eyes first .. first + count - 1 of a seed."""
    dtypes = DTYPES if finer == 1 else DTYPES | {"regions": np.uint8}
    arrays = render_all(lambda rng: render_eye(rng, assets, gaze, finer), dtypes, seed, first, count)
    names = {"skin_names": assets.all_skin_names, "iris_names": assets.all_iris_names}
    return arrays | {name: np.array(values) for name, values in names.items()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--unityeyes2", type=place, required=True, metavar="DIR")
    parser.add_argument("-o", "--output", type=place, required=True, metavar="OUT.npz")
    parser.add_argument("--count", type=whole(1), required=True)
    parser.add_argument("--seed", type=whole(0), default=0)
    parser.add_argument("--split", choices=("train", "validation"), required=True)
    parser.add_argument(
        "--gaze",
        choices=("usual", "far"),
        default="usual",
        help="far: up to 60 degrees sideways, 35 up, 50 down; train on these beside the usual ones",
    )
    parser.add_argument(
        "--finer",
        type=number(1, 4),
        default=1.0,
        metavar="TIMES",
        help="larger pictures, with what is seen of the eyeball pixel by pixel (`regions`)",
    )
    parser.add_argument("--shard", type=whole(0), default=0, help="eyes per file, 0 = all in one")
    parser.add_argument("--overwrite", action="store_true", help="replace files of an earlier call")


def run(options: argparse.Namespace) -> int:
    """Writes the pictures. Raises WrongUse."""
    if options.count < 1 or options.shard < 0:
        raise WrongUse(
            f"--count {options.count} --shard {options.shard}: expected at least 1 eye and no negative shard"
        )
    assets = load_assets(options.unityeyes2, options.split)
    write_shards(
        options.output,
        lambda first, count: render_eyes(assets, options.seed, first, count, options.gaze, options.finer),
        0,
        options.count,
        options.shard,
        "eyes",
        options.overwrite,
    )
    return 0
