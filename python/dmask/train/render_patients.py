"""Eyes and faces of rendered patients, for training beside `render-eyes` and `render-faces`, in their forms.

`dmask train render-patients -o OUT.npz --count N --seed S [--shard K] [--ict DIR --unityeyes2 DIR]
[--faces [--landmarks landmarks.dmm]]`

A patient of the face model's own (dmask.synthetic.SyntheticPatient) is drawn whole, at some distance from
some camera: by the mask's renderer, most eyes being painted over, or with --ict as a camera sees somebody
(dmask.train.studio). Both eyes are cut out of the frame as the tracker cuts them, or the face with
--faces: its points lie where people put them with --landmarks, else on the mesh. The margins are those of the
mesh, where the globe ends in the picture; crease and bulge are not told. Who is drawn here is measured
nowhere: see PATIENTS.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from dmask import _core
from dmask.crops import LEAST_OF_OTHER_EYE, cut_eye
from dmask.errors import Error
from dmask.io import container
from dmask.point_order import MIRROR_IRIS
from dmask.synthetic.patient import EYES, Pose, SyntheticPatient
from dmask.train.data import augment, eyes, faces
from dmask.train.data.eye_datasets import lid_from_margins
from dmask.train.data.shards import Arrays, write_shards
from dmask.train.render_eyes.render import DTYPES as EYE_DTYPES
from dmask.train.render_faces.render import DTYPES as FACE_DTYPES
from dmask.train.render_faces.render import sample_expression
from dmask.train.studio import Studio, StudioAssets

PATIENTS = 1_000_000  # the first of these; evaluations draw theirs from 0 on
POSES = 3  # of each patient
# Where the opening is seen to end, of the way between the margins' ends.
INNER, OUTER = 0.0, _core.outer_canthus_share
FRINGES = 0.3  # share of the faces before whose eyes hair may fall
FACES_TURN = 1.4  # times as far as eyes
MOST_OUTSIDE = 10  # of the 68 points
SIZES_PX = (360, 1080)
NEAR_MM, FAR_MM = 300.0, 900.0
PAINTED, MADE_UP = 0.7, 0.3  # shares of the pictures
PUPIL_LEVEL = 0.16  # of the mask's iris, which is dark; the pupil is darker
IRISES = np.array(  # what is added to the mask's dark one, RGB
    [[0, 0, 0], [0.05, 0.02, 0], [0.15, 0.08, 0.02], [0.22, 0.3, 0.4], [0.2, 0.28, 0.2], [0.3, 0.3, 0.3]],
    np.float32,
)
CANTHAL_WITHIN_PX = (24.0, 130.0)  # eyes smaller or larger than this are left out


def sample_pose(rng: np.random.Generator) -> Pose:
    """A head that turns, eyes that look about and deviate, lids at all stages."""
    gaze = rng.normal(0, [13, 8]) if rng.random() < 0.7 else rng.uniform([-42, -32], [42, 25])
    stage = rng.random()
    closure = 0.0 if stage < 0.6 else 1.0 if stage < 0.7 else float(rng.uniform(0.1, 0.95))
    pose = Pose(
        head_yaw_deg=float(np.clip(rng.normal(0, 12), -40, 40)),
        head_pitch_deg=float(np.clip(rng.normal(0, 8), -25, 25)),
        head_roll_deg=float(np.clip(rng.normal(0, 8), -25, 25)),
        od_closure=closure,
        os_closure=closure,
    )
    if rng.random() < 0.1:
        pose.os_closure = float(rng.random())
    deviation = rng.normal(0, [5, 2])
    for eye, side in (("od", -0.5), ("os", 0.5)):
        setattr(pose, f"{eye}_yaw_deg", float(gaze[0] + side * deviation[0]))
        setattr(pose, f"{eye}_pitch_deg", float(gaze[1] + side * deviation[1]))
    if rng.random() < 0.25:
        pose.smile = float(rng.uniform(0, 1))
    if rng.random() < 0.15:
        pose.squint = float(rng.uniform(0, 1))
    if gaze[1] < -8 and rng.random() < 0.6:
        pose.lids_down = float(np.clip(-gaze[1] / 35, 0, 1))
    return pose


def sample_patient(seed: int, rng: np.random.Generator) -> SyntheticPatient:
    """Somebody at some distance from some camera; lids droop, or are drawn back."""
    size = int(rng.integers(*SIZES_PX))
    hfov_deg = float(rng.uniform(25, 65))
    distance_mm = float(np.exp(rng.uniform(np.log(NEAR_MM), np.log(FAR_MM))))
    half_mm = distance_mm * np.tan(np.radians(hfov_deg / 2))
    aside = np.clip(rng.normal(0, 0.15, 2), -0.4, 0.4) * max(half_mm - 60, 0)
    droops = rng.uniform(-0.6, 1.2, 2) if rng.random() < 0.4 else np.zeros(2)
    return SyntheticPatient(
        seed,
        (size, size),
        hfov_deg,
        (float(droops[0]), float(droops[1])),
        (float(aside[0]), float(aside[1]), distance_mm),
    )


def lids_of(patient: SyntheticPatient, eye: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(2,2) canthi, inner and outer, and the margins (N,2), inner to outer, px of the last rendered frame."""
    upper, lower = patient.margins(eye)
    inner, outer = (0.5 * (upper[k] + lower[k]) for k in (0, -1))
    return np.stack([inner + share * (outer - inner) for share in (INNER, OUTER)]), upper, lower


Pair = tuple[np.ndarray, dict]


def eyes_of_patient(rng: np.random.Generator, assets: StudioAssets | None) -> list[Pair]:
    """Pictures (192,240,3) RGB and labels of the eyes of one patient, in some poses.

    assets: of the studio where the patient is drawn; None is the mask's renderer.
    """
    out = []
    seed = PATIENTS + int(rng.integers(2**31))
    patient = sample_patient(seed, rng)
    studio = None if assets is None else Studio(patient, assets, seed)
    painted = PAINTED if studio is None else 0.0
    for number in range(POSES):
        pose = sample_pose(rng)
        frame, truth = patient.render(pose) if studio is None else studio.photograph(pose, number)
        lids = {eye: lids_of(patient, eye) for eye in EYES}
        canthal_px = {eye: float(np.linalg.norm(np.diff(lids[eye][0], axis=0))) for eye in EYES}
        for eye, other in (EYES, EYES[::-1]):
            reference_px = max(canthal_px[eye], LEAST_OF_OTHER_EYE * canthal_px[other])
            inside = all((points > 0).all() and (points < len(frame) - 1).all() for points in lids[eye])
            if not (inside and CANTHAL_WITHIN_PX[0] < canthal_px[eye] < CANTHAL_WITHIN_PX[1]):
                continue
            iris = patient.in_picture(patient.limbus(eye, pose), pose)
            image, labels = cut(frame, *lids[eye], iris, eye == "od", reference_px, rng, painted)
            out.append((image, labels | {"closed": int(truth[f"{eye}_openness"] == 0), "skin": seed}))
    return out


def faces_of_patient(
    rng: np.random.Generator, assets: StudioAssets, convention_mm: np.ndarray | None = None
) -> list[Pair]:
    """Pictures (208,208,3) RGB and labels of the face of one patient, in some poses; of a landmarks.dmm
    `convention_mm` (68,3) the points lie where people put them, else on the mesh."""
    out = []
    seed = PATIENTS + int(rng.integers(2**31))
    patient = sample_patient(seed, rng)
    studio = Studio(patient, assets, seed, fringe=bool(rng.random() < FRINGES))
    for number in range(POSES):
        pose = sample_pose(rng)
        pose.head_yaw_deg *= FACES_TURN
        pose.head_pitch_deg *= FACES_TURN
        pose.units = {
            name: weight
            for name, weight in sample_expression(rng, np.zeros(2)).items()
            if not name.startswith("eye")
        }
        frame, _ = studio.photograph(pose, number)
        xy, seen = studio.landmarks68(pose, convention_mm)
        outside = ((xy < 0) | (xy > len(frame) - 1)).any(1)
        if outside.sum() > MOST_OUTSIDE:
            continue
        centre, side = faces.face_box(xy)
        image, matrix = faces.shrink(frame, centre, side * faces.CACHE_MARGIN, faces.CACHE_PX)
        labels = {"xy": augment.transform(matrix, xy), "visible": seen & ~outside, "occluder": 0}
        angles = {name: getattr(pose, f"head_{name}") for name in ("yaw_deg", "pitch_deg", "roll_deg")}
        out.append((image[:, :, ::-1], labels | angles))
    return out


def cut(
    frame: np.ndarray,
    canthi: np.ndarray,
    upper: np.ndarray,
    lower: np.ndarray,
    iris: np.ndarray,
    mirror: bool,
    reference_px: float,
    rng: np.random.Generator,
    painted: float,
) -> tuple[np.ndarray, dict]:
    """The eye's picture, and its labels named as those of `render-eyes`; given are px of the frame."""
    image, matrix = cut_eye(frame[:, :, ::-1], canthi, mirror, reference_px)
    corners, upper, lower, iris = (eyes.apply(matrix, points) for points in (canthi, upper, lower, iris))
    lid = lid_from_margins(corners, upper, lower)
    if rng.random() < painted:
        image = paint(image, lid, iris, rng)
    wide = float(eyes.opening(lid[None])[0])
    if mirror:
        iris = iris[MIRROR_IRIS]
    lines = np.zeros((4, 20, 2), np.float32)
    lines[1:3] = eyes.margins_as_lines(lid)
    return image, {
        "lid": lid,
        "lid_visible": np.ones(20),
        "iris": iris,
        "iris_visible": eyes.inside_opening(iris, lid) * (wide >= eyes.CLOSED),
        "lines": lines,
        "line_present": (255, 1, 1, 255),
        "openness": wide,
        "canthi": corners,
        "occluder": 0,
    }


def paint(image: np.ndarray, lid: np.ndarray, iris: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another skin, iris and sclera than the mask's, shadows and make-up; no border moves. RGB, any frame."""
    height, width = image.shape[:2]
    globe, disc = np.zeros((2, height, width), np.uint8)
    cv2.fillPoly(globe, [np.rint(lid * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    cv2.fillPoly(disc, [np.rint(iris[1:] * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    opening, disc = (mask[..., None].astype(np.float32) / 255 for mask in (globe, disc))
    picture = image.astype(np.float32) / 255
    # Skins of all tones; uneven, as no skin of one material is.
    tone = np.exp(-abs(rng.normal(0, 0.7)) * np.array([0.8, 1.0, 1.15]) + rng.normal(0, 0.06, 3))
    uneven = 1 + smooth_noise(rng, height, width, rng.uniform(1, 30)) * rng.uniform(0, 0.08)
    skin = picture ** np.float32(rng.uniform(0.85, 1.3)) * (tone * uneven[..., None]).astype(np.float32)
    white = picture * np.exp(rng.normal([0, -0.02, -0.05], 0.05)).astype(np.float32)
    colour = IRISES[rng.integers(len(IRISES))] * np.exp(rng.normal(0, 0.25))
    texture = 1 + 0.25 * smooth_noise(rng, height, width, 1.5)[..., None]
    stroma = picture + colour * texture.astype(np.float32) * (picture.max(2, keepdims=True) > PUPIL_LEVEL)
    inside = white + disc * (stroma - white)
    if rng.random() < 0.5:  # what the upper lid and lashes throw on the globe
        deep = cv2.GaussianBlur(1 - opening[..., 0], (0, 0), rng.uniform(1, 5))[..., None]
        inside = inside * (1 - rng.uniform(0.2, 0.9) * deep)
    picture = skin + opening * (inside - skin)
    if rng.random() < MADE_UP:
        picture = make_up(picture, opening[..., 0], lid, rng)
    return np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)


def make_up(
    picture: np.ndarray, opening: np.ndarray, lid: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Dark lines outside of the margins, and shadow on the upper lid."""
    dark = (rng.uniform(0.02, 0.25) * np.exp(rng.normal(0, 0.2, 3))).astype(np.float32)
    drawn = np.zeros(opening.shape, np.uint8)
    margins = (lid[:11], np.vstack([lid[:1], lid[19:9:-1]]))
    for line, often in zip(margins, (0.9, 0.4), strict=True):
        if rng.random() < often:
            points, wide_px = np.rint(line * 16).astype(np.int32), int(rng.integers(1, 7))
            cv2.polylines(drawn, [points], False, int(rng.integers(120, 256)), wide_px, cv2.LINE_AA, 4)
    share = cv2.GaussianBlur(drawn, (0, 0), rng.uniform(0.4, 2)).astype(np.float32) / 255 * (1 - opening)
    picture = picture + share[..., None] * (dark - picture)
    if rng.random() < 0.4:
        lifted = (lid[:11] - [0, rng.uniform(4, 14)]).astype(np.float32)
        shade = np.zeros(opening.shape, np.uint8)
        cv2.fillPoly(shade, [np.rint(np.vstack([lid[:11], lifted[::-1]]) * 16).astype(np.int32)], 255, 8, 4)
        soft = cv2.GaussianBlur(shade, (0, 0), rng.uniform(1, 5)).astype(np.float32) / 255 * (1 - opening)
        colour = rng.uniform(0.05, 0.6, 3).astype(np.float32)
        picture = picture + rng.uniform(0.2, 0.7) * soft[..., None] * (colour - picture)
    return np.asarray(picture, np.float32)


def smooth_noise(rng: np.random.Generator, height: int, width: int, size_px: float) -> np.ndarray:
    """(height,width) f32 of deviation 1 about."""
    cells = max(int(height / size_px), 2), max(int(width / size_px), 2)
    coarse = rng.standard_normal(cells, dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


OF_EYES = (
    "lid", "lid_visible", "iris", "iris_visible", "lines", "line_present", "openness", "canthi", "occluder",
    "closed",
)  # fmt: skip
DTYPES = {name: EYE_DTYPES[name] for name in OF_EYES} | {"skin": np.int64}


def some_of(draw: Callable[[np.random.Generator], list[Pair]], rng: np.random.Generator) -> list[Pair]:
    """Of the first patient who can be seen: others stand too far away, or out of the frame."""
    while True:
        if pairs := draw(rng):
            return pairs


def render_patients(
    draw: Callable[[np.random.Generator], list[Pair]],
    dtypes: dict[str, type],
    seed: int,
    first: int,
    count: int,
) -> Arrays:
    """The arrays of patients first .. first + count - 1 of a seed."""
    random = [np.random.default_rng([seed, first + k]) for k in range(count)]
    pairs = [pair for rng in random for pair in some_of(draw, rng)]
    arrays = {name: np.array([row[name] for _, row in pairs], dtype) for name, dtype in dtypes.items()}
    if "skin" in arrays:
        seeds, arrays["skin"] = np.unique(arrays["skin"], return_inverse=True)
        arrays["skin_names"] = np.array([f"patient {seed}" for seed in seeds])
    return arrays | {"images": np.stack([image for image, _ in pairs])}


def read_convention(file: Path) -> np.ndarray:
    """(68, 3) mm of a landmarks.dmm. Raises Error."""
    try:
        offsets: np.ndarray = container.read(file)["offset_mm"].astype(np.float64)
    except (OSError, KeyError):
        raise Error(f"{file} is no landmarks.dmm; expected one that `face-model convention` made") from None
    return offsets


def run(args: argparse.Namespace) -> int:
    """Writes the pictures. Raises WrongUse, Error."""
    assets = None if args.ict is None else StudioAssets.load(args.ict, args.unityeyes2, args.split)
    draw, dtypes = partial(eyes_of_patient, assets=assets), DTYPES
    if args.faces:
        convention = None if args.landmarks is None else read_convention(args.landmarks)
        draw, dtypes = partial(faces_of_patient, assets=assets, convention_mm=convention), FACE_DTYPES
    write_shards(
        args.output,
        lambda first, count: render_patients(draw, dtypes, args.seed, first, count),
        0,
        args.count,
        args.shard,
        "faces" if args.faces else "eyes",
        args.overwrite,
    )
    return 0
