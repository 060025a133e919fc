"""`dmask eval closeups`: the eye nets against masks of what is seen of the globe and of the iris.

Where the eye is, the mask tells roughly; the crop is cut by the canthi that the nets find. Borders are
compared column by column, between the canthi. Millimetres take an eye for one of average width.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dmask.arrays import Floats, Pixels
from dmask.errors import Error, WrongUse
from dmask.ranges import place, whole

if TYPE_CHECKING:
    from dmask.evaluate.single_eye import EyeNets, EyePoints
    from dmask.io.globe_masks import MaskedEye

PALPEBRAL_MM = 28.5  # canthus to canthus
INTEROCULAR = 2.17  # over the canthal distance, as elsewhere in training and evaluation
STATIONS = np.linspace(0.2, 0.9, 8)  # where the lid points are, but for those at the caruncle
OPEN, NARROW = 0.2, 0.08  # of the canthal distance
SEEN = 0.5  # mean visibility of the lids, from which on an eye counts as seen
LEAST_GLOBE_PX = 100
TILE_PX = 300
NETS = ("eyelid.onnx", "iris.onnx")


@dataclass
class Score:
    """One eye. Borders: + where the nets put them outside of the globe, in shares of the canthal distance."""

    eye: MaskedEye
    points: EyePoints
    seen: bool
    openness: float  # of the mask
    upper: Floats
    lower: Floats
    overlap: float
    fissure: float  # nets' less the mask's at the middle, of the canthal distance; NaN where it is not told
    iris_centre: float  # of the interocular distance; NaN where the mask shows too little of the limbus
    iris_radius: float  # over the mask's, less 1

    @property
    def error(self) -> float:
        """Mean distance of the borders; NaN where the mask tells none between the canthi."""
        told = np.abs(np.r_[self.upper, self.lower])
        told = told[np.isfinite(told)]
        return float(told.mean()) if len(told) else float("nan")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        type=place,
        metavar="DIR",
        help="images/NAME.* and masks/NAME.png: 0 none, 1 sclera, 2 iris, 3 pupil; a NAME that ends in _od "
        "has its inner canthus on the right",
    )
    parser.add_argument(
        "--held-out", action="store_true", help="only those that dmask's own training leaves out"
    )
    parser.add_argument("--weights", choices=["research", "open"], default="research")
    parser.add_argument("--models", type=place, help="folder of the ONNX files (default: those of --weights)")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument(
        "--sheet",
        metavar="PNG",
        help="the worst eyes, mask green and nets red; it shows the input's pictures",
    )
    parser.add_argument("--worst", type=whole(1), default=24, metavar="N", help="eyes on --sheet")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Figures over all eyes, and over open, half shut and narrow ones. Raises WrongUse, Error."""
    from dmask.environment import hardware, sha256, versions, weights_dir
    from dmask.evaluate.held_out import is_held_out
    from dmask.evaluate.single_eye import EyeNets
    from dmask.io.atomic import atomic_file
    from dmask.io.globe_masks import find_masks, read_masks
    from dmask.io.picture import write_png

    models = args.models or weights_dir(args.weights)
    if missing := [name for name in NETS if not (models / name).is_file()]:
        raise WrongUse(f"got --models {models} without {missing[0]}; expected a folder with both eye nets")
    files = find_masks(args.folder)
    if args.held_out:
        files = [file for file in files if is_held_out(file)]
    if not files:
        raise Error(f"none of the masks in {args.folder} is held out from training; drop --held-out")
    nets = EyeNets(models, args.precision)
    eyes = [eye for eye in read_masks(files) if (eye.globe > 0).sum() >= LEAST_GLOBE_PX]
    scores = [score_of(eye, nets) for eye in eyes]
    if not scores:
        raise Error(f"no mask in {args.folder} shows {LEAST_GLOBE_PX} px of a globe; expected open eyes")
    figures: dict[str, Any] = {"eyes": len(scores), "shut_left_out": len(files) - len(scores)}
    for name, low, high in (
        ("", 0, 9),
        ("open: ", OPEN, 9),
        ("half shut: ", NARROW, OPEN),
        ("narrow: ", 0, NARROW),
    ):
        if chosen := [score for score in scores if low <= score.openness < high]:
            figures |= {name + key: value for key, value in summarise(chosen).items()}
    figures |= {
        "hardware": hardware()["cpu"],
        "precision": args.precision,
        "eyelid_sha256": sha256(models / "eyelid.onnx"),
        "versions": ", ".join(f"{name} {value}" for name, value in versions().items()),
        "note": f"mm: of an eye {PALPEBRAL_MM:g} mm wide; +: outside of the globe; iris: % of the "
        "interocular distance, of the radius",
    }
    if args.sheet:
        with atomic_file(Path(args.sheet), overwrite=True) as partial:
            write_png(partial, contact_sheet(scores, args.worst))
    return figures


def score_of(eye: MaskedEye, nets: EyeNets) -> Score:
    from dmask.io.globe_masks import rough_canthi

    return compare(eye, nets.look(eye.picture[:, :, ::-1], rough_canthi(eye), eye.right))


def compare(eye: MaskedEye, points: EyePoints) -> Score:
    """In a picture that is turned so that the canthi lie along x."""
    import cv2

    from dmask.crops import EYE_SQUARE_PX, apply, cut_eye
    from dmask.io.globe_masks import limbus_of, margins_in

    _, matrix = cut_eye(eye.picture, points.lid[[0, 10]], eye.right)
    globe = np.asarray(cv2.warpAffine(eye.globe, matrix, EYE_SQUARE_PX), np.uint8)
    lid = apply(matrix, points.lid)
    inner, outer = lid[0], lid[10]
    width_px = float(outer[0] - inner[0])
    columns = inner[0] + STATIONS * width_px
    told = margins_in(globe, columns)
    upper, lower = (np.interp(columns, line[:, 0], line[:, 1])
                    for line in (lid[:11], lid[[0, *range(19, 9, -1)]]))  # fmt: skip
    middle = 3  # of STATIONS, halfway
    gap = told[1] - told[0]
    drawn = np.zeros_like(globe)
    cv2.fillPoly(drawn, [np.rint(lid * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    reach = slice(int(columns[0]), int(columns[-1]) + 1)
    both, either = (float(of(globe[:, reach], drawn[:, reach]).sum()) for of in (np.minimum, np.maximum))
    centre, radius = float("nan"), float("nan")
    if (limbus := limbus_of(eye)) is not None:
        canthal_px = float(np.linalg.norm(points.lid[10] - points.lid[0]))
        centre = float(np.linalg.norm(points.iris[0] - limbus.centre)) / (INTEROCULAR * canthal_px)
        radius = longer_radius(points.iris) / float(np.linalg.norm(limbus.long)) - 1
    return Score(
        eye,
        points,
        bool(points.lid_visibility.mean() >= SEEN),
        float(np.nanmax(gap) / width_px) if np.isfinite(gap).any() else 0.0,
        (told[0] - upper) / width_px,
        (lower - told[1]) / width_px,
        both / max(either, 1.0),
        float((lower[middle] - upper[middle] - gap[middle]) / width_px),
        centre,
        radius,
    )


def longer_radius(iris: Floats) -> float:
    """Longer half axis of the ellipse that is the limbus' (18 points' first harmonic), px."""
    angle = np.radians(20 * np.arange(18))
    axes = np.stack([np.cos(angle) @ iris[1:], np.sin(angle) @ iris[1:]]) / 9
    return float(np.linalg.svd(axes)[1][0])


def summarise(scores: list[Score]) -> dict[str, float]:
    """Medians, 95th percentiles and biases; of borders over all columns that the masks tell."""
    mm = PALPEBRAL_MM
    figures: dict[str, float] = {
        "eyes": len(scores),
        "borders_not_told": int(sum(np.isnan(score.error) for score in scores)),
        "seen_pct": 100 * float(np.mean([s.seen for s in scores])),
    }
    for name in ("upper", "lower"):
        values = np.concatenate([getattr(score, name) for score in scores])
        figures |= spread(f"{name}_mm", mm * values)
    figures |= spread("fissure_mm", mm * np.array([score.fissure for score in scores]))
    figures["overlap_pct_median"] = 100 * float(np.median([score.overlap for score in scores]))
    centres = 100 * np.array([score.iris_centre for score in scores])
    radii = 100 * np.array([score.iris_radius for score in scores])
    told = np.isfinite(centres)
    figures["irises"] = int(told.sum())
    if told.any():
        figures["iris_centre_pct_median"] = float(np.median(centres[told]))
        figures["iris_centre_pct_p95"] = float(np.percentile(centres[told], 95))
        figures["iris_radius_pct_median"] = float(np.median(np.abs(radii[told])))
        figures["iris_radius_pct_bias"] = float(np.median(radii[told]))
    return figures


def spread(name: str, values: Floats) -> dict[str, float]:
    values = values[np.isfinite(values)]
    if not len(values):
        return {}
    return {
        f"{name}_median": float(np.median(np.abs(values))),
        f"{name}_p95": float(np.percentile(np.abs(values), 95)),
        f"{name}_bias": float(np.median(values)),
    }


def contact_sheet(scores: list[Score], count: int) -> Pixels:
    """The `count` worst eyes by their borders, BGR: the mask's outline green, the nets' points red."""
    import cv2

    from dmask.crops import apply, cut_eye
    from dmask.evaluate.sheet import captioned, laid_out

    tiles = []
    for score in sorted(scores, key=lambda score: -np.nan_to_num(score.error, nan=9.0))[:count]:
        square, matrix = cut_eye(score.eye.picture, score.points.lid[[0, 10]], score.eye.right)
        scale = TILE_PX / square.shape[1]
        size = TILE_PX, round(scale * square.shape[0])
        tile = np.asarray(cv2.resize(square, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        globe = np.asarray(cv2.warpAffine(score.eye.globe, scale * matrix, size) > 127, np.uint8)
        outline, _ = cv2.findContours(globe, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(tile, outline, -1, (0, 200, 0), 1)
        for x, y in np.rint(apply(matrix, score.points.lid) * scale * 16).astype(int).tolist():
            cv2.circle(tile, (x, y), 24, (0, 0, 255), -1, cv2.LINE_AA, 4)
        error = "not told" if np.isnan(score.error) else f"{PALPEBRAL_MM * score.error:.2f} mm"
        tiles.append(captioned(tile, f"{score.eye.name}: {error}"))
    return laid_out(tiles, min(6, len(tiles)))
