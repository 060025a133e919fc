"""`dmask eval landmarks`: the detector as in use, against points that people have set.

The face is found by the detector itself; nothing is given from the labels. Errors are distances over the
distance of the labelled outer eye corners (points 36 and 45).
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dmask.arrays import Floats, Pixels
from dmask.errors import Error, WrongUse
from dmask.measure.curves import cubic, distance_to_polyline
from dmask.options import add_backend_arguments, core_options, make_pipeline
from dmask.point_order import OUTER_CORNERS, POINT_GROUPS
from dmask.ranges import whole

if TYPE_CHECKING:
    from dmask._core import FrameDetection, Pipeline
    from dmask.io.labelled import LabelledPicture

LIMIT = 0.10  # of the outer corners' distance; beyond it a face counts as failed
LID_POINTS = {"od": ((37, 38), (40, 41)), "os": ((43, 44), (46, 47))}  # upper, lower
MOST_TAGS = 20
TILE_PX = 220


@dataclass
class Score:
    """One picture; every error over the distance of the outer eye corners."""

    face: LabelledPicture
    reason: str = ""  # "", "no face" or "another face"
    point_error: Floats | None = None  # (68)
    lid_polyline: list[float] = field(default_factory=list)
    lid_cubic: list[float] = field(default_factory=list)
    iris_centre: list[float] = field(default_factory=list)
    limbus: list[float] = field(default_factory=list)
    predicted: Floats | None = None  # (68,2) px, of another face too

    @property
    def error(self) -> float:
        """Mean over the points; infinite where the labelled face was not found."""
        return float("inf") if self.point_error is None else float(self.point_error.mean())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "The detector as in use against points set by people. A face that is not found is a failure of "
        "infinite error in AUC and failure rate, and left out of the means."
    )
    parser.add_argument(
        "folder",
        metavar="DIR",
        help="pictures with landmarks68.csv (image,x0,y0...x67,y67; 0-based), itself or its subfolders; or "
        "with iBUG .pts files (1-based pixels: 1 is subtracted)",
    )
    parser.add_argument(
        "--labels",
        metavar="CSV",
        help="the table of points, if it is elsewhere; irises are compared where it has columns named as in "
        "`dmask detect` (od_iris_0_x, od_iris_0_y ...)",
    )
    parser.add_argument(
        "--held-out", action="store_true", help="only the people that dmask's own training leaves out"
    )
    parser.add_argument("--groups", metavar="CSV", help="tags (image, then any columns): figures by tag too")
    parser.add_argument("--plot", metavar="PNG", help="draw the cumulative error curve")
    parser.add_argument(
        "--sheet", metavar="PNG", help="the worst pictures with both points; it shows the input's faces"
    )
    parser.add_argument(
        "--worst", type=whole(1), default=24, metavar="N", help="pictures on --sheet (default 24)"
    )
    add_backend_arguments(parser)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Figures by name; shares and errors in %."""
    from dmask.environment import hardware, models_folder, sha256, versions, weights_dir
    from dmask.evaluate.error_curve import area_under_curve, draw
    from dmask.io.atomic import atomic_file
    from dmask.io.labelled import find_labels
    from dmask.io.picture import write_png

    if args.worst < 1:
        raise WrongUse(f"got --worst {args.worst}, expected 1 or more pictures")
    options = core_options(args)
    faces = find_labels(Path(args.folder), Path(args.labels) if args.labels else None)
    if args.held_out:
        faces = held_out(faces)
    tags = read_groups(Path(args.groups)) if args.groups else {}
    pipeline = make_pipeline(options)
    scores = score_all(pipeline, faces)
    error = np.array([score.error for score in scores])
    figures: dict[str, Any] = {"labelled_faces": len(faces)} | summarise(scores)
    for tag, names in tags.items():
        if chosen := [score for score in scores if score.face.path.name in names]:
            figures |= {f"{tag}: {name}": value for name, value in summarise(chosen, short=True).items()}
    machine = hardware()
    figures |= {
        "hardware": f"{machine['cpu']}, {machine['logical_cpus']} logical CPUs",
        "threads": args.threads,
        "backend": pipeline.backend,
        "precision": args.precision,
        "weights": args.weights,
        "face68_sha256": sha256(weights_dir(args.weights, models_folder(options)) / "face68.onnx"),
        "versions": ", ".join(f"{name} {value}" for name, value in versions().items()),
        "note": "% of the outer eye corners' distance; a face not found is a failure, left out of the means",
    }
    if args.plot:
        auc = area_under_curve(error, LIMIT)
        label = "mean error of 68 points / outer eye corners, %"
        with atomic_file(Path(args.plot), overwrite=True) as partial:
            write_png(partial, draw(error, LIMIT, f"dmask, AUC {auc:.3f}, n = {len(error)}", label))
    if args.sheet:
        with atomic_file(Path(args.sheet), overwrite=True) as partial:
            write_png(partial, contact_sheet(scores, args.worst))
    return figures


def held_out(faces: list[LabelledPicture]) -> list[LabelledPicture]:
    from dmask.evaluate.held_out import is_validation

    kept = [face for face in faces if is_validation(face.path.name)]
    if not kept:
        raise Error(f"none of the {len(faces)} labelled faces is held out from training; drop --held-out")
    return kept


def read_groups(table: Path) -> dict[str, set[str]]:
    """File names by tag, a tag being `column=value`. Raises WrongUse, Error."""
    if not table.is_file():
        raise WrongUse(f"{table} does not exist; expected a table with the column image and columns of tags")
    with table.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        columns = [name for name in rows.fieldnames or () if name != "image"]
        if "image" not in (rows.fieldnames or ()) or not columns:
            raise Error(f"{table}: expected the column image and at least one column of tags")
        groups: dict[str, set[str]] = {}
        for row in rows:
            for column in columns:
                if row[column]:
                    groups.setdefault(f"{column}={row[column]}", set()).add(Path(row["image"]).name)
    for column in columns:
        count = sum(tag.startswith(f"{column}=") for tag in groups)
        if count > MOST_TAGS:
            raise Error(f"{table}: {column} has {count} values; expected at most {MOST_TAGS}: drop it")
    return dict(sorted(groups.items()))


def score_all(pipeline: Pipeline, faces: list[LabelledPicture]) -> list[Score]:
    """A score for each picture; of several labelled faces in one, that of the face that was detected."""
    from dmask.io.picture import read_named

    by_picture: dict[Path, list[LabelledPicture]] = {}
    for face in faces:
        by_picture.setdefault(face.path, []).append(face)
    scores = []
    for path, labelled in by_picture.items():
        bgr = read_named(path)
        pipeline.reset()
        detection = pipeline.detect(bgr, 0.0)
        candidates = [score_one(face, detection) for face in labelled]
        scores.append(min(candidates, key=lambda score: score.error))
    return scores


def score_one(face: LabelledPicture, detection: FrameDetection) -> Score:
    """Errors of one detection; `another face` where its middle lies outside the labelled face's box."""
    if not detection.face_found:
        return Score(face, "no face")
    xy, predicted = face.xy, np.asarray(detection.face, np.float64)[:, :2]
    middle = (predicted.min(0) + predicted.max(0)) / 2
    if (middle < xy.min(0)).any() or (middle > xy.max(0)).any():
        return Score(face, "another face", predicted=predicted)
    unit = float(np.linalg.norm(xy[OUTER_CORNERS[0]] - xy[OUTER_CORNERS[1]]))
    score = Score(face, point_error=np.linalg.norm(predicted - xy, axis=1) / unit, predicted=predicted)
    for name, (upper, lower) in LID_POINTS.items():
        eye = getattr(detection, name)
        lid = np.asarray(eye.lid, np.float64)[:, :2]
        for margin, ids in ((lid[:11], upper), (np.r_[lid[:1], lid[19:9:-1]], lower)):
            score.lid_polyline += list(distance_to_polyline(xy[list(ids)], margin) / unit)
            score.lid_cubic += list(distance_to_polyline(xy[list(ids)], cubic(margin)) / unit)
        iris = np.asarray(eye.iris, np.float64)[:, :2]
        for k in range(19):
            if (point := labelled_point(face.tags, f"{name}_iris_{k}")) is not None:
                kept = score.limbus if k else score.iris_centre
                kept.append(float(np.linalg.norm(iris[k] - point)) / unit)
    return score


def labelled_point(tags: dict[str, str], name: str) -> Floats | None:
    """The point of the columns name_x, name_y (as `dmask detect` names them); None where they are empty."""
    try:
        return np.array([float(tags[f"{name}_x"]), float(tags[f"{name}_y"])])
    except (KeyError, ValueError):
        return None


def summarise(scores: list[Score], short: bool = False) -> dict[str, Any]:
    """Figures over pictures, in % but for counts and the AUC; `short` leaves out the groups of points."""
    from dmask.evaluate.error_curve import area_under_curve

    error = np.array([score.error for score in scores])
    errors = [score.point_error for score in scores]
    found = [score for score in scores if score.point_error is not None]
    figures: dict[str, Any] = {
        "pictures": len(scores),
        "face_not_found": sum(score.reason == "no face" for score in scores),
        "another_face_found": sum(score.reason == "another face" for score in scores),
        "auc_at_0.1": area_under_curve(error, LIMIT),
        "failures_over_10pct_pct": 100 * float((~(error <= LIMIT)).mean()),
    }
    if not found:
        return figures
    point_error = 100 * np.stack([error for error in errors if error is not None])
    figures["nme_pct"] = float(point_error.mean())
    figures["nme_median_pct"] = float(np.median(point_error.mean(1)))
    if not short:
        figures |= {
            f"nme_{name}_pct": float(point_error[:, list(ids)].mean()) for name, ids in POINT_GROUPS.items()
        }
    for name in ("lid_polyline", "lid_cubic", "iris_centre", "limbus"):
        if values := [value for score in found for value in getattr(score, name)]:
            figures[f"{name}_pct"] = 100 * float(np.mean(values))
    return figures


def contact_sheet(scores: list[Score], count: int) -> Pixels:
    """The `count` worst pictures, BGR: labelled points green, predicted red. These are the input's pixels."""
    import cv2

    from dmask.evaluate.sheet import captioned, laid_out
    from dmask.io.picture import read_named

    tiles = []
    for score in sorted(scores, key=lambda score: -score.error)[:count]:
        xy = score.face.xy
        side = 1.5 * float(np.ptp(xy, axis=0).max())
        scale = TILE_PX / side
        shift = TILE_PX / 2 - scale * (xy.min(0) + xy.max(0)) / 2
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        picture = read_named(score.face.path)
        tile = np.asarray(cv2.warpAffine(picture, matrix, (TILE_PX, TILE_PX), flags=flags), np.uint8)
        for points, colour in ((xy, (0, 200, 0)), (score.predicted, (0, 0, 255))):
            for x, y in () if points is None else np.rint((points * scale + shift) * 16).astype(int):
                cv2.circle(tile, (int(x), int(y)), 20, colour, -1, cv2.LINE_AA, 4)
        tiles.append(captioned(tile, score.reason or f"{100 * score.error:.1f} %"))
    return laid_out(tiles, min(6, len(tiles)))
