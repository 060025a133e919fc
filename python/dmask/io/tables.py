"""frames.csv and landmarks.csv: their columns, in order. A value that is not valid is an empty cell."""

from __future__ import annotations

import csv
import math
import os
import sys
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dmask.errors import Error

if TYPE_CHECKING:
    from dmask._core import FrameDetection, FrameResult

HEAD_VALUES = (
    "head_yaw_deg", "head_pitch_deg", "head_roll_deg", "head_yaw_sd_deg", "head_pitch_sd_deg",
    "head_roll_sd_deg", "head_x_mm", "head_y_mm", "head_z_mm",
)  # fmt: skip
DEVIATION_VALUES = ("deviation_yaw_sd_deg", "deviation_pitch_sd_deg")  # of OS - OD
EYE_VALUES = (
    "yaw_deg", "pitch_deg", "yaw_sd_deg", "pitch_sd_deg", "reflex_yaw_deg", "reflex_pitch_deg",
    "reflex_yaw_sd_deg", "reflex_pitch_sd_deg", "mrd1_mm", "mrd2_mm", "pfh_mm",
    "mrd1_sd_mm", "mrd2_sd_mm", "pfh_sd_mm", "openness", "px_per_deg", "eyeball_residual_pct",
    "eyelid_residual_pct", "pupil_mm",
)  # fmt: skip
EYES = ("od", "os")  # the patient's right, the patient's left
TEXT_COLUMNS = ("face_reason", "od_reason", "os_reason", "distance", "laterality")
FRAME_COLUMNS = (
    "frame", "time_s", "face_valid", "face_reason", *HEAD_VALUES,
    *(f"{eye}_{name}" for eye in EYES for name in ("valid", "reason", *EYE_VALUES)),
    *DEVIATION_VALUES, "distance", "laterality",
)  # fmt: skip
KEY_COLUMNS = tuple(
    name
    for name in FRAME_COLUMNS
    if name not in (*HEAD_VALUES, *DEVIATION_VALUES, "distance", "laterality")
    and name.split("_", 1)[-1] not in EYE_VALUES
)
# What serves the machine that has the recording, and identifies the patient: diagnostics.csv.
DIAGNOSTIC_EYE_VALUES = ("px_per_deg", "eyeball_residual_pct", "eyelid_residual_pct")
DIAGNOSTIC_COLUMNS = (
    "frame", "time_s", "head_x_mm", "head_y_mm", "head_z_mm",
    *(f"{eye}_{name}" for eye in EYES for name in DIAGNOSTIC_EYE_VALUES),
)  # fmt: skip

EYE_POINTS = {
    "lid": 20,
    "iris": 19,
    "pupil": 19,
    "globe": 40,
    "crease": 20,
    "upper": 20,
    "lower": 20,
    "bulge": 20,
}
OF_CLOSE_UPS = ("pupil", "globe")  # of a face they are not looked for
LANDMARK_NAMES = tuple(
    [f"face_{i}" for i in range(68)]
    + [f"{eye}_{part}_{i}" for eye in EYES for part, count in EYE_POINTS.items() for i in range(count)]
)
LANDMARK_COLUMNS = (
    "image", "frame", "time_s", "face_score",
    *(f"{name}_{field}" for name in LANDMARK_NAMES for field in "xyc"), "laterality",
)  # fmt: skip
LARGEST = 1e9  # of any number that is read from a table
# By a column's end. Tables of an earlier version have lids that overlap a little.
BOUNDS = {
    "_valid": (0, 1), "_sd_deg": (0, 1e4), "_deg": (-360, 360), "_sd_mm": (0, 1e4), "_mm": (-1e4, 1e4),
    "_openness": (-0.5, 10),
}  # fmt: skip
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def cell(value: float, decimals: int = 4) -> str:
    """A number for a table; empty where it is not one."""
    if not math.isfinite(value):
        return ""
    text = f"{value:.{decimals}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text  # no minus zero


def name_cell(name: str) -> str:
    """A file's name for a table, which is UTF-8: bytes that are none are shown as \\xff.

    Spreadsheets would compute a name that begins like a formula, so it begins with ./ then.
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return f"./{text}" if text.startswith(FORMULA_STARTS) else text


def time_cell(time_s: float) -> str:
    return f"{time_s:.6f}"


def frame_row(frame: int, result: FrameResult) -> list[str]:
    """One row of frames.csv, as FRAME_COLUMNS: what the result holds, which is what its profile lets out."""
    return values_row(frame, result.to_dict())


def values_row(frame: int, values: dict[str, Any]) -> list[str]:
    """The same of FrameResult.to_dict."""
    row = [str(frame), time_cell(values["time_s"])]
    for name in FRAME_COLUMNS[len(row) :]:
        value = values[name]
        if isinstance(value, str):
            row.append(value)
        else:
            row.append(str(int(value)) if isinstance(value, bool) else cell(value))
    return row


def diagnostics_row(frame: int, time_s: float, diagnostics: dict[str, float]) -> list[str]:
    """One row of diagnostics.csv, as DIAGNOSTIC_COLUMNS: Pipeline.unreleased_diagnostics()."""
    return [str(frame), time_cell(time_s), *(cell(diagnostics[name]) for name in DIAGNOSTIC_COLUMNS[2:])]


def dropped_row(frame: int, time_s: float) -> list[str]:
    """The row of a live frame that nobody had time for."""
    known = {"frame": str(frame), "time_s": time_cell(time_s)}
    known |= {f"{part}_valid": "0" for part in ("face", *EYES)}
    known |= {f"{part}_reason": "dropped" for part in ("face", *EYES)}
    return [known.get(name, "") for name in FRAME_COLUMNS]


def landmark_row(image: str, frame: int, detection: FrameDetection) -> list[str]:
    """One row of landmarks.csv, as LANDMARK_COLUMNS."""
    row = [name_cell(image), str(frame), time_cell(detection.time_s)]
    if not (detection.face_found or detection.close_up):
        return row + [""] * (len(LANDMARK_COLUMNS) - len(row))
    row.append(cell(detection.face_score))
    row += point_cells(detection.face) if detection.face_found else [""] * 3 * 68
    od = detection.od if detection.od_in_view else None
    os = detection.os if detection.os_in_view else None
    if detection.close_up and not detection.laterality and od is None:  # nobody can say which eye it is
        od, os = os, None
    for eye in (od, os):
        for part, count in EYE_POINTS.items():
            seen = eye is not None and (part not in OF_CLOSE_UPS or getattr(eye, part)[:, 2].any())
            row += point_cells(getattr(eye, part)) if seen else [""] * 3 * count
    return [*row, detection.laterality]


def point_cells(points: np.ndarray) -> list[str]:
    """Of (P, 3): x, y, c of each."""
    return [cell(value, 3) for value in np.asarray(points, dtype=np.float64).ravel()]


class Table:
    """A CSV file written row by row; with `at_once` each is in the file when it is written."""

    def __init__(self, path: Path, columns: Iterable[str], at_once: bool = False):
        self._file = path.open("w", newline="", encoding="utf-8", buffering=1 if at_once else -1)
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(columns)

    def write(self, row: list[str]) -> None:
        self._writer.writerow(row)

    def close(self) -> None:
        self._file.close()


def finite(text: str, bounds: tuple[float, float] = (-LARGEST, LARGEST)) -> float:
    """The number of a cell that is not empty. Raises ValueError."""
    value = float(text)
    if not bounds[0] <= value <= bounds[1]:  # NaN is none, either
        raise ValueError(f"{text} is no measurement")
    return value


def bounds_of(column: str) -> tuple[float, float]:
    """Between which a number of a frames.csv can be one at all."""
    for ending, bounds in BOUNDS.items():
        if column.endswith(ending):
            return bounds
    return -LARGEST, LARGEST


class Columns:
    """Rows of a frames.csv as columns, each (F,): float64 with NaN for empty cells; words as str.

    Eight bytes a cell, and none of a column that stays empty: an hour at 60 frames a second takes 75 MB.
    """

    def __init__(self, header: Iterable[str]):
        self._header = tuple(header)
        self._rows = 0
        self._words: dict[str, list[str]] = {name: [] for name in self._header if name in TEXT_COLUMNS}
        self._numbers: dict[str, array[float]] = {}  # from a column's first number on
        self._bounds = {name: bounds_of(name) for name in self._header}

    def add(self, row: list[str]) -> None:
        if len(row) != len(self._header):
            raise ValueError(f"{len(row)} cells for {len(self._header)} columns")
        for name, value in zip(self._header, row, strict=True):
            if name in self._words:
                self._words[name].append(sys.intern(value))
            elif not value:
                if name in self._numbers:
                    self._numbers[name].append(math.nan)
            else:
                if name not in self._numbers:
                    self._numbers[name] = array("d", [math.nan]) * self._rows
                self._numbers[name].append(finite(value, self._bounds[name]))
        self._rows += 1

    def arrays(self) -> dict[str, np.ndarray]:
        """A column that came later than the rows' header holds nothing. Empty ones cannot be written to."""
        return {name: self._column(name) for name in dict.fromkeys((*self._header, *FRAME_COLUMNS))}

    def _column(self, name: str) -> np.ndarray:
        if name in self._words:
            return np.array(self._words[name])
        if name in self._numbers:
            return np.array(self._numbers[name])
        return np.broadcast_to("" if name in TEXT_COLUMNS else np.nan, self._rows)


def read_frames(path: str | Path) -> dict[str, np.ndarray]:
    """The columns of a frames.csv, each (F,): float64 with NaN for empty cells; reasons as str.

    A column that came later than the file holds nothing. Raises Error where the file is not a frames.csv.
    """
    path = Path(path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        try:
            header = next(rows, [])
            missing = [name for name in KEY_COLUMNS if name not in header]
            if missing:
                raise Error(f"{path.name} has no column {missing[0]}; expected one that `dmask run` wrote")
            if len(set(header)) < len(header):
                raise Error(f"{path.name} has a column twice; expected one that `dmask run` wrote")
            columns = Columns(header)
            for row in rows:
                columns.add(row)
        except UnicodeDecodeError:
            raise Error(f"{path.name} is not text; expected a table that `dmask run` wrote") from None
        except (ValueError, csv.Error) as error:
            if isinstance(error, Error):
                raise
            line = rows.line_num
            raise Error(
                f"{path.name} is damaged in line {line} ({error}); expected one that `dmask run` wrote"
            ) from None
    found = columns.arrays()
    for part in ("face", *EYES):
        between = np.flatnonzero(~np.isin(found[f"{part}_valid"], (0, 1)))
        if between.size:
            value, line = found[f"{part}_valid"][between[0]], between[0] + 2
            raise Error(
                f"{path.name} is damaged in line {line} ({part}_valid is {value:g}); "
                "expected 0 or 1, as `dmask run` writes"
            )
    return found
