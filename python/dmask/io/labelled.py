"""Pictures with 68 points set by people: a table landmarks68.csv, or iBUG .pts files beside the pictures."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dmask.arrays import Floats
from dmask.errors import Error, WrongUse

TABLE = "landmarks68.csv"
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
POINT_COLUMNS = tuple(f"{axis}{i}" for i in range(68) for axis in "xy")


class NoPicture(Error):
    """Nothing of the name is there."""


@dataclass
class LabelledPicture:
    """A picture and one labelled face in it; `tags` are the table's other columns."""

    path: Path
    xy: Floats  # (68,2) pixels of the file, 0-based pixel centres
    tags: dict[str, str] = field(default_factory=dict)


def find_labels(folder: Path, table: Path | None = None) -> list[LabelledPicture]:
    """The labelled faces of `folder`: from `table`, else its landmarks68.csv (or one in each of its
    subfolders), else from .pts files anywhere below it.

    Raises WrongUse where nothing is there, Error where a file is damaged.
    """
    if not folder.is_dir():
        raise WrongUse(f"{folder} is not a folder; expected one with pictures and their 68 points")
    if table is not None:
        return read_table(table, folder)
    tables = [folder / TABLE] if (folder / TABLE).is_file() else sorted(folder.glob(f"*/{TABLE}"))
    if tables:
        return [face for path in tables for face in read_table(path, path.parent)]
    points = sorted(folder.rglob("*.pts"))
    if not points:
        raise WrongUse(
            f"{folder} holds neither {TABLE} nor .pts files; expected pictures with 68 points: "
            "name a table of them with --labels"
        )
    return [LabelledPicture(picture_of(path), read_pts(path)) for path in points]


def read_table(table: Path, folder: Path) -> list[LabelledPicture]:
    """Rows of image, x0, y0 ... x67, y67 and any other columns; pictures lie in `folder` or its images/.

    Raises Error where a column, a number or a picture is missing.
    """
    if not table.is_file():
        raise WrongUse(f"{table} does not exist; expected a table with the columns image, x0, y0 ... y67")
    with table.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        missing = [name for name in ("image", *POINT_COLUMNS) if name not in (rows.fieldnames or ())]
        if missing:
            raise Error(f"{table} has no column {missing[0]}; expected image, x0, y0 ... x67, y67")
        faces = []
        for line, row in enumerate(rows, 2):
            try:
                xy = np.array([float(row[name]) for name in POINT_COLUMNS]).reshape(68, 2)
            except (TypeError, ValueError):
                raise Error(f"{table}, line {line}: expected 136 numbers in x0 ... y67; mend it") from None
            if not np.isfinite(xy).all():
                raise Error(f"{table}, line {line}: a point is not finite; expected pixels: mend it")
            places = [folder / row["image"], folder / "images" / row["image"]]
            path = next((place for place in places if place.is_file()), None)
            if path is None:
                raise Error(f"{table}, line {line}: {row['image']} is not in {folder}; expected it there")
            tags = {k: v or "" for k, v in row.items() if k and k != "image" and k not in POINT_COLUMNS}
            faces.append(LabelledPicture(path, xy, tags))
    if not faces:
        raise Error(f"{table} has no rows; expected one a face")
    return faces


def read_pts(path: Path) -> Floats:
    """(68,2) points of an iBUG file, 0-based: iBUG counts pixels from 1, as Matlab does.

    Raises Error where the file does not hold 68 points.
    """
    try:
        text = path.read_text(encoding="utf-8")
        body = text[text.index("{") + 1 : text.index("}")]
        xy = np.array([[float(v) for v in line.split()] for line in body.splitlines() if line.strip()])
    except ValueError:
        raise Error(f"{path}: expected an iBUG file, points between braces; copy it again") from None
    if xy.shape != (68, 2) or not np.isfinite(xy).all():
        raise Error(f"{path} holds {len(xy)} points; expected 68 of x and y: leave it out or copy it again")
    return xy - 1


def picture_of(points: Path) -> Path:
    """The picture of the same name beside a file of points. Raises NoPicture where there is none."""
    for suffix in PICTURE_SUFFIXES:
        for path in (points.with_suffix(suffix), points.with_suffix(suffix.upper())):
            if path.is_file():
                return path
    raise NoPicture(f"{points} has no picture beside it; expected one of the same name (.png, .jpg)")
