"""`dmask eval eye-lines`: crease and lower boundary of the bulge, as detected, against lines that an AI
annotator set by looking at photographs (tests/data/README.md).

The face is found by the detector itself. Distances are given in pixels of the 160 px wide crop in which the
network looks at an eye, made from the labelled canthi, and in % of the distance of the outer eye corners.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dmask.arrays import Floats
from dmask.crops import EYE_CANTHAL_WIDTHS, EYE_WIDTH_PX, LEAST_OF_OTHER_EYE
from dmask.errors import Error, WrongUse
from dmask.measure.auc import auc
from dmask.measure.curves import distance_to_polyline
from dmask.options import add_backend_arguments, core_options, make_pipeline
from dmask.point_order import CANTHI, OUTER_CORNERS

if TYPE_CHECKING:
    from dmask._core import FrameDetection

LINES = ("crease", "bulge")
ABSENT, PRESENT, UNDECIDED = 0, 1, 255
COLUMNS = ("set", "image", "eye", *(f"{line}_present" for line in LINES), *LINES)
TOLERANCES_PX = (2, 4)  # in the crop
MIN_CONFIDENCE = 0.5  # mean over a line's points, from which on it counts as reported
STEP_PX = 0.25  # between the points that stand for a line


@dataclass
class LabelledEye:
    """One eye; a line (K,2) runs from inner to outer in pixels of the file, empty unless it is present."""

    dataset: str
    image: str
    eye: str  # od | os
    present: dict[str, int]
    line: dict[str, Floats]


@dataclass
class Tally:
    """What was found of one kind of line; one entry an eye."""

    undecided: int = 0
    crop_px: list[float] = field(default_factory=list)
    outer_corners_pct: list[float] = field(default_factory=list)
    precision: dict[int, list[float]] = field(default_factory=lambda: {t: [] for t in TOLERANCES_PX})
    recall: dict[int, list[float]] = field(default_factory=lambda: {t: [] for t in TOLERANCES_PX})
    confidence: dict[int, list[float]] = field(default_factory=lambda: {ABSENT: [], PRESENT: []})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Eyelid crease and lower boundary of the lower lid's bulge as detected, against drawn lines. Those "
        "of tests/data/eye_lines.csv were set by an AI annotator; no person has checked them. Eyes whose "
        "face is not found are counted and left out."
    )
    parser.add_argument(
        "folder", metavar="DIR", help="the labelled pictures: sets with landmarks68.csv and images/"
    )
    parser.add_argument(
        "--labels",
        metavar="CSV",
        required=True,
        help="the lines: set, image, eye, crease_present, bulge_present, crease, bulge",
    )
    add_backend_arguments(parser)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Figures by name."""
    from dmask.environment import models_folder, sha256, weights_dir
    from dmask.io.labelled import find_labels
    from dmask.io.picture import read_named

    options = core_options(args)
    eyes = read_eye_lines(Path(args.labels))
    faces = {(face.path.parent.parent.name, face.path.name): face for face in find_labels(Path(args.folder))}
    pipeline = make_pipeline(options)
    tallies = {line: Tally() for line in LINES}
    missed = 0
    for eye in eyes:
        face = faces.get((eye.dataset, eye.image))
        if face is None:
            raise Error(
                f"{args.folder} has no {eye.dataset}/{eye.image}; expected every picture of {args.labels}"
            )
        pipeline.reset()
        detection = pipeline.detect(read_named(face.path), 0.0)
        if not finds(detection, face.xy, eye.eye):
            missed += 1
            continue
        for line, tally in tallies.items():
            add(tally, eye, line, getattr(getattr(detection, eye.eye), line), face.xy)
    figures: dict[str, Any] = {"labelled_eyes": len(eyes), "eyes_of_faces_not_found": missed}
    for line, tally in tallies.items():
        figures |= {f"{line}_{name}": value for name, value in summarise(tally).items()}
    return figures | {
        "backend": pipeline.backend,
        "precision": args.precision,
        "weights": args.weights,
        "lines_sha256": sha256(weights_dir(args.weights, models_folder(options)) / "lines.onnx"),
    }


def read_eye_lines(table: Path) -> list[LabelledEye]:
    """Rows of COLUMNS; a line is written `x y;x y;...`. Raises WrongUse, Error."""
    if not table.is_file():
        raise WrongUse(f"{table} does not exist; expected a table with the columns {', '.join(COLUMNS)}")
    eyes = []
    with table.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise Error(f"{table} has no column {missing[0]}; expected {', '.join(COLUMNS)}")
        for number, row in enumerate(rows, 2):
            try:
                present = {line: int(row[f"{line}_present"]) for line in LINES}
                points = {line: read_line(row[line]) for line in LINES}
            except (TypeError, ValueError):
                raise Error(
                    f"{table}, line {number}: expected numbers, a line as `x y;x y`; mend it"
                ) from None
            for line in LINES:
                if present[line] not in (ABSENT, PRESENT, UNDECIDED):
                    raise Error(
                        f"{table}, line {number}: {line}_present is {present[line]}; expected 0, 1, 255"
                    )
                if (len(points[line]) >= 2) != (present[line] == PRESENT):
                    raise Error(
                        f"{table}, line {number}: {len(points[line])} points of a {line} with {line}_present "
                        f"{present[line]}; expected two or more where it is 1, else none"
                    )
            if row["eye"] not in CANTHI:
                raise Error(f"{table}, line {number}: the eye is {row['eye']}; expected od or os")
            eyes.append(LabelledEye(row["set"], row["image"], row["eye"], present, points))
    if not eyes:
        raise Error(f"{table} has no rows; expected one an eye")
    return eyes


def read_line(text: str) -> Floats:
    """(K,2) points of `x y;x y;...`; none of an empty text. Raises ValueError."""
    points = [[float(v) for v in point.split()] for point in text.split(";") if point.strip()]
    if any(len(point) != 2 for point in points):
        raise ValueError(text)
    return np.array(points, np.float64).reshape(-1, 2)


def crop_scale(xy: Floats, eye: str) -> float:
    """Crop px per picture px, from 68 points (68,2)."""
    width = {name: float(np.linalg.norm(xy[a] - xy[b])) for name, (a, b) in CANTHI.items()}
    other = width["os" if eye == "od" else "od"]
    return EYE_WIDTH_PX / (EYE_CANTHAL_WIDTHS * max(width[eye], LEAST_OF_OTHER_EYE * other))


def finds(detection: FrameDetection, xy: Floats, eye: str) -> bool:
    """Whether the detected eye is the labelled one: midpoints within half a canthal distance."""
    if not detection.face_found:
        return False
    ids = list(CANTHI[eye])
    apart = np.asarray(detection.face, np.float64)[ids, :2].mean(0) - xy[ids].mean(0)
    return bool(np.linalg.norm(apart) < 0.5 * np.linalg.norm(xy[ids[0]] - xy[ids[1]]))


def add(tally: Tally, eye: LabelledEye, line: str, detected: Floats, xy: Floats) -> None:
    """Enter one detected line (20,3). It is measured where the label is present, whatever its confidence."""
    points = np.asarray(detected, np.float64)
    if eye.present[line] == UNDECIDED:
        tally.undecided += 1
        return
    tally.confidence[eye.present[line]].append(float(points[:, 2].mean()))
    if eye.present[line] == ABSENT:
        return
    inner, outer = xy[list(CANTHI[eye.eye])]
    axis = (outer - inner) / np.linalg.norm(outer - inner)
    scale = crop_scale(xy, eye.eye)
    distance_px = line_distance(points[:, :2], eye.line[line], axis)
    tally.crop_px.append(scale * distance_px)
    corners = np.linalg.norm(xy[OUTER_CORNERS[0]] - xy[OUTER_CORNERS[1]])
    tally.outer_corners_pct.append(100 * distance_px / float(corners))
    for tolerance in TOLERANCES_PX:
        precision, recall = hits(points[:, :2], eye.line[line], axis, tolerance / scale)
        tally.precision[tolerance].append(precision)
        tally.recall[tolerance].append(recall)


def dense(line: Floats) -> Floats:
    """(M,2) points along a polyline (K,2), STEP_PX apart."""
    at = np.r_[0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    where = np.linspace(0, at[-1], max(2, int(np.ceil(at[-1] / STEP_PX)) + 1))
    return np.column_stack([np.interp(where, at, line[:, 0]), np.interp(where, at, line[:, 1])])


def within(points: Floats, line: Floats, axis: Floats) -> Floats:
    """Those of points (M,2) that lie beside the line, not beyond its ends along the axis (2)."""
    along, extent = points @ axis, line @ axis
    beside: Floats = points[(along >= extent.min() - 1e-9) & (along <= extent.max() + 1e-9)]
    return beside


def line_distance(predicted: Floats, label: Floats, axis: Floats) -> float:
    """Mean distance in px between two lines, each to the other, over the extent that both have.

    Where they have none in common, over all of both.
    """
    ours, theirs = dense(predicted), dense(label)
    there, back = within(theirs, predicted, axis), within(ours, label, axis)
    if not len(there) or not len(back):
        there, back = theirs, ours
    return float(
        0.5 * (distance_to_polyline(there, predicted).mean() + distance_to_polyline(back, label).mean())
    )


def hits(predicted: Floats, label: Floats, axis: Floats, tolerance_px: float) -> tuple[float, float]:
    """Precision and recall. Predicted points beyond the label's ends are left out: a label ends where a line
    is hidden too.
    """
    beside = within(predicted, label, axis)
    precision = float((distance_to_polyline(beside, label) <= tolerance_px).mean()) if len(beside) else 0.0
    return precision, float((distance_to_polyline(dense(label), predicted) <= tolerance_px).mean())


def summarise(tally: Tally) -> dict[str, Any]:
    present, absent = tally.confidence[PRESENT], tally.confidence[ABSENT]
    figures: dict[str, Any] = {
        "present": len(present),
        "absent": len(absent),
        "undecided": tally.undecided,
    }
    if present:
        for name, values in (("crop_px", tally.crop_px), ("outer_corners_pct", tally.outer_corners_pct)):
            figures[f"distance_mean_{name}"] = float(np.mean(values))
            figures[f"distance_median_{name}"] = float(np.median(values))
        for tolerance in TOLERANCES_PX:
            p, r = float(np.mean(tally.precision[tolerance])), float(np.mean(tally.recall[tolerance]))
            figures[f"f_at_{tolerance}px"] = 2 * p * r / max(p + r, 1e-12)
            figures[f"precision_at_{tolerance}px"] = p
            figures[f"recall_at_{tolerance}px"] = r
        figures["present_found_share"] = float((np.array(present) >= MIN_CONFIDENCE).mean())
    if absent:
        figures["absent_reported_absent_share"] = float((np.array(absent) < MIN_CONFIDENCE).mean())
    if present and absent:
        figures["presence_auc"] = auc(present, absent)
    return figures
