"""Eyes from other sets as `Eyes`: UnityEyes (version 1), hand-drawn line maps, masks of the visible globe.

`dmask train eyes --extra-unityeyes DIR --extra-edges DIR --extra-masks DIR`
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dmask.crops import CANTHAL_PX, cut_eye
from dmask.errors import Error, WrongUse
from dmask.evaluate.held_out import is_held_out
from dmask.evaluate.single_eye import EyeNets
from dmask.io.globe_masks import MaskedEye, find_masks, limbus_of, margins_in, read_masks, rough_canthi
from dmask.io.labelled import picture_of
from dmask.io.picture import read_named, read_unchanged
from dmask.train.data import eyes

# UnityEyes lists the inner margin's 16 points from behind the caruncle over the upper lid to the outer corner
# (8) and back, and the caruncle's seven: the innermost last, its neighbours along the margins 3 and 5.
MARGIN_POINTS, CARUNCLE_POINTS, IRIS_POINTS = 16, 7, 32
OUTER, INNERMOST = 8, 6
UPPER_CARUNCLE, LOWER_CARUNCLE = (3, 2), (5, 0)  # inner -> outer

# Grey levels of a line map, in the order of `Eyes.lines`
LEVELS = {"crease": 50, "upper margin": 100, "lower margin": 150, "bulge": 200}
MARGINS = ("upper margin", "lower margin")
LEAST_LINE_PX = 8
# Rows of `Eyes.lid` on the upper and the lower margin, inner to outer, without the canthi.
MARGIN_ROWS = list(range(1, 10)), list(range(19, 10, -1))
CUT_OFF, CUT_OFF_PX = 2, 2.0  # next to the caruncle, where no mask goes, points this far off are none
MOST_UNTOLD = 0.5  # of the lid points
MOST_APART_PX = 8.0  # the nets' margins and the mask's
MOST_GAP = 0.2  # between the margins' ends, of the canthal distance


def read_unityeyes(root: Path, limit: int | None = None) -> eyes.Eyes:
    """UnityEyes' N.json beside N.jpg or N.png in `root`, at most `limit`; rendered, left eyes as they come.

    Lids are the inner rim of the margin, all that UnityEyes tells; crease and bulge stay unknown.
    Raises WrongUse where there are none, Error where one is damaged.
    """
    files = sorted(root.glob("*.json"), key=lambda path: (len(path.stem), path.stem))[:limit]
    if not files:
        raise WrongUse(f"{root} holds no .json files; expected the folder `imgs` that UnityEyes wrote")
    return eyes.collect([_unityeye(file) for file in files])


def _unityeye(file: Path) -> dict:
    picture = read_named(picture_of(file))
    try:
        labels = json.loads(file.read_text(encoding="utf-8"))
        margin = _points(labels, "interior_margin_2d", MARGIN_POINTS, len(picture))
        caruncle = _points(labels, "caruncle_2d", CARUNCLE_POINTS, len(picture))
        ring = _points(labels, "iris_2d", IRIS_POINTS, len(picture))
    except (ValueError, KeyError, TypeError) as error:
        raise Error(
            f"{file}: expected UnityEyes' points, got a problem with {error}; copy it again"
        ) from None
    # People, and this project's own renders, put the canthi a little inside of where the margins join.
    inner = caruncle[[3, INNERMOST, 5]].mean(0)
    outer = margin[[OUTER - 1, OUTER, OUTER + 1]].mean(0)
    image, matrix = cut_eye(picture[:, :, ::-1], np.stack([inner, outer]), mirror=False)
    upper = np.vstack([caruncle[[INNERMOST, *UPPER_CARUNCLE]], margin[1 : OUTER + 1]])
    lower = np.vstack([caruncle[[INNERMOST, *LOWER_CARUNCLE]], margin[: OUTER - 1 : -1]])
    corners = eyes.apply(matrix, np.stack([inner, outer]))
    lid = lid_from_margins(corners, eyes.apply(matrix, upper), eyes.apply(matrix, lower))
    iris = iris_from_ring(eyes.apply(matrix, ring))
    wide = float(eyes.opening(lid[None])[0])
    lines = np.zeros((4, 20, 2), np.float32)
    lines[1:3] = eyes.margins_as_lines(lid)
    seen = eyes.inside_opening(iris, lid) * (wide >= eyes.CLOSED)
    labels = {"lid": lid, "lid_visible": np.ones(20), "iris": iris, "iris_visible": seen, "openness": wide}
    labels |= {"iris_weight": (1, 1), "lines": lines, "line_present": (255, 1, 1, 255)}
    return _record(image, labels, f"unityeyes/{file.stem}", person=None)


def _points(labels: dict, name: str, count: int, height_px: int) -> NDArray[np.float64]:
    """(count,2) pixels of strings "(x, y, z)": Unity measures from the picture's lower left corner, y up."""
    xyz = np.array([[float(v) for v in text.strip("() ").split(",")] for text in labels[name]])
    if xyz.shape != (count, 3) or not np.isfinite(xyz).all():
        raise ValueError(f"{name}: {len(xyz)} points instead of {count}")
    return np.column_stack([xyz[:, 0] - 0.5, height_px - xyz[:, 1] - 0.5])


def iris_from_ring(ring: NDArray[np.float64]) -> NDArray[np.float32]:
    """(19,2) centre and limbus, clockwise from 12 o'clock, from points evenly spread on the limbus (K,2).

    The first harmonic of the ring is the ellipse on which the 18 points lie.
    """
    angle = 2 * np.pi * np.arange(len(ring)) / len(ring)
    centre = ring.mean(0)
    u, v = (2 / len(ring) * wave @ (ring - centre) for wave in (np.cos(angle), np.sin(angle)))
    if u[0] * v[1] - u[1] * v[0] < 0:  # counted anticlockwise (y is down)
        v = -v
    at = np.deg2rad(20 * np.arange(18))[:, None]
    limbus = centre + np.cos(at) * u + np.sin(at) * v
    return eyes.from_twelve(np.vstack([centre, limbus]), np.ones(19))[0]


def lid_from_margins(corners: NDArray, upper: NDArray, lower: NDArray) -> NDArray[np.float64]:
    """(20,2) lid points from the canthi (2,2) and both margins, inner -> outer; crossing margins are shut."""
    frame = eyes.canthal_frame(*corners)
    up, low = (eyes.height_at(eyes.apply(frame, curve), eyes.S_LID) for curve in (upper, lower))
    crossing = up < low
    up[crossing] = low[crossing] = 0.5 * (up + low)[crossing]
    up[[0, -1]] = low[[0, -1]] = 0
    s_h = np.column_stack([np.r_[eyes.S_LID, eyes.S_LID[-2:0:-1]], np.r_[up, low[-2:0:-1]]])
    return eyes.apply(eyes.inverse(frame), s_h)


def read_edge_maps(root: Path) -> eyes.Eyes:
    """Pictures of single eyes in `root`/images with the lines people drew on them in `root`/lines.

    lines/NAME.png is an 8-bit grey picture of the size of images/NAME.*, 0 but for thin lines (1 to 5 px, no
    anti-aliasing) of the levels 50 crease, 100 upper margin, 150 lower margin, 200 lower boundary of the
    bulge. Both margins run from canthus to canthus, in a shut eye one along the other; a crease or bulge that
    is not drawn is one that is not there. NAME ends in _od or _os, the patient's right or left eye.

    Raises WrongUse where there are none, Error where one is damaged.
    """
    files = sorted((root / "lines").glob("*.png"))
    if not files:
        raise WrongUse(
            f"{root}/lines holds no .png files; expected line maps there, pictures in {root}/images"
        )
    return eyes.collect([_drawn_eye(file, root / "images") for file in files])


def _drawn_eye(file: Path, pictures: Path) -> dict:
    side = file.stem[-3:].lower()
    if side not in ("_od", "_os"):
        raise Error(f"{file}: the name says no eye; expected it to end in _od or _os: rename both files")
    picture = read_named(picture_of(pictures / file.name))
    drawn = read_unchanged(file)
    if drawn.ndim != 2 or drawn.dtype != np.uint8:
        raise Error(f"{file}: not an 8-bit grey picture; expected the levels 0, {_level_list()}: convert it")
    if drawn.shape != picture.shape[:2]:
        raise Error(f"{file} is {drawn.shape[1]}x{drawn.shape[0]}; expected the picture's size: draw it anew")
    if unknown := sorted(set(np.unique(drawn).tolist()) - {0, *LEVELS.values()}):
        raise Error(f"{file} holds the level {unknown[0]}; expected 0, {_level_list()}: no anti-aliasing")
    pixels = {name: np.argwhere(drawn == level)[:, ::-1] for name, level in LEVELS.items()}
    for name in MARGINS:
        if len(pixels[name]) < LEAST_LINE_PX:
            raise Error(
                f"{file}: the {name} ({LEVELS[name]}) is not drawn; expected it from canthus to canthus"
            )
    # The inner canthus is on the picture's right for OD, on its left for OS.
    mirror = side == "_od"
    ends = np.array([[_end(pixels[name], right) for right in (mirror, not mirror)] for name in MARGINS])
    corners = ends.mean(0)
    if np.linalg.norm(ends[0] - ends[1], axis=1).max() > MOST_GAP * np.linalg.norm(corners[1] - corners[0]):
        raise Error(f"{file}: the margins' ends do not meet; expected both to run from canthus to canthus")
    image, matrix = cut_eye(picture[:, :, ::-1], corners, mirror)
    corners = eyes.apply(matrix, corners)
    frame = eyes.canthal_frame(*corners)
    lines, present = np.zeros((4, 20, 2), np.float32), []
    for k, xy in enumerate(pixels.values()):
        present.append(int(len(xy) >= LEAST_LINE_PX))
        if present[-1]:
            lines[k] = _trace(eyes.apply(matrix, xy), frame)
    lid = lid_from_margins(corners, lines[1], lines[2])
    heights = eyes.apply(frame, lid)[:, 1]
    s = np.array([1, 2]) / 3
    thirds = [
        np.column_stack([s, np.interp(s, eyes.S_LID, h)])
        for h in (heights[:11], heights[[0, *range(19, 9, -1)]])
    ]
    person = np.vstack([corners, *(eyes.apply(eyes.inverse(frame), points) for points in thirds)])
    labels = {"lid": lid, "lid_visible": np.ones(20), "iris": np.zeros((19, 2)), "iris_weight": (0, 0)}
    labels |= {"iris_visible": np.full(19, 255), "lines": lines, "line_present": present}
    return _record(image, labels | {"openness": float(eyes.opening(lid[None])[0])}, file.stem, person)


def _level_list() -> str:
    return ", ".join(f"{level} {name}" for name, level in LEVELS.items())


def _end(xy: NDArray[np.intp], right: bool) -> NDArray[np.float64]:
    """Middle of a line's pixels in its last column."""
    column = xy[:, 0].max() if right else xy[:, 0].min()
    return xy[xy[:, 0] == column].mean(0)


def _trace(xy: NDArray[np.float64], frame: NDArray[np.float64]) -> NDArray[np.float32]:
    """(20,2) points at equal arc length, inner -> outer, along a line's pixels in the crop (N,2)."""
    s, h = eyes.apply(frame, xy).T
    column = np.rint(s * CANTHAL_PX).astype(int)
    columns, place = np.unique(column, return_inverse=True)
    count = np.bincount(place)
    line = np.column_stack([np.bincount(place, s) / count, np.bincount(place, h) / count])
    line = eyes.apply(eyes.inverse(frame), line)
    arc = np.r_[0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    at = np.linspace(0, arc[-1], 20)
    return np.column_stack([np.interp(at, arc, line[:, k]) for k in range(2)]).astype(np.float32)


def _record(image: NDArray[np.uint8], labels: dict, name: str, person: NDArray | None) -> dict:
    """An entry for `eyes.collect`; `person` (6,2) canthi, two upper and two lower points set by people."""
    return labels | {
        "image": image,
        "lid_weight": 1.0,
        "real": person is not None,
        "human": person is not None,
        "name": name,
        "human_lid": np.full((6, 2), np.nan) if person is None else person,
        "interocular_px": CANTHAL_PX / 0.46,  # as in `eyes.read_synthetic`
        "outer_corners_px": CANTHAL_PX / 0.31,
        "occluder": 255 if person is not None else 0,
    }


def read_globe_masks(root: Path, nets: EyeNets) -> eyes.Eyes:
    """Close-ups with masks of the visible globe (dmask.io.globe_masks) in `root`, but those that `eval
    closeups --held-out` measures.

    Lids' heights and limbus are the masks'; canthi, and margins where a mask is cut off, are what `nets` say.
    Raises WrongUse, Error.
    """
    masks = [file for file in find_masks(root) if not is_held_out(file)]
    records = (_masked_eye(eye, nets) for eye in read_masks(masks) if eye.globe.any())
    return eyes.collect([record for record in records if record is not None])


def _masked_eye(eye: MaskedEye, nets: EyeNets) -> dict | None:
    """None where the nets' lids are not about the mask."""
    picture = eye.picture[:, :, ::-1]
    seen = nets.look(picture, rough_canthi(eye), eye.right)
    image, matrix = cut_eye(picture, seen.lid[[0, 10]], eye.right)
    lid = eyes.apply(matrix, seen.lid)
    globe = cv2.warpAffine(eye.globe, matrix, (eyes.WIDTH_PX, eyes.HEIGHT_PX))
    told = margins_in(globe, lid[1:10, 0])
    own = np.stack([lid[rows, 1] for rows in MARGIN_ROWS])
    told[:, :CUT_OFF][np.abs(told - own)[:, :CUT_OFF] > CUT_OFF_PX] = np.nan
    upper, lower = np.where(np.isnan(told), own, told)
    if np.isnan(told).mean() > MOST_UNTOLD or np.nanmedian(np.abs(told - own)) > MOST_APART_PX:
        return None
    lid[MARGIN_ROWS[0], 1], lid[MARGIN_ROWS[1], 1] = upper, np.maximum(lower, upper)
    wide = float(eyes.opening(lid[None])[0])
    lines = np.zeros((4, 20, 2), np.float32)
    lines[1:3] = eyes.margins_as_lines(lid)
    labels = {"lid": lid, "lid_visible": np.ones(20), "iris": np.zeros((19, 2)), "iris_weight": (0, 0)}
    labels |= {"iris_visible": np.full(19, 255), "lines": lines, "line_present": (255, 1, 1, 255)}
    if (limbus := limbus_of(eye)) is not None:
        iris = iris_from_ring(eyes.apply(matrix, limbus.ring(36)))
        labels |= {"iris": iris, "iris_weight": (1, 1), "iris_visible": eyes.inside_opening(iris, lid)}
    return _record(image, labels | {"openness": wide}, f"masks/{eye.name}", person=None)


def read_extra(unityeyes: Path | None, edges: Path | None) -> eyes.Eyes | None:
    """The eyes of the sets that are given, rendered ones (not `real`) and drawn ones; None where none is."""
    parts = [read_unityeyes(unityeyes)] if unityeyes else []
    parts += [read_edge_maps(edges)] if edges else []
    return eyes.Eyes.concatenate(parts) if parts else None
