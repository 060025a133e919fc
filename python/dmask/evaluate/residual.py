"""`dmask eval residual`: Eqs. (25-29) over recordings, in % of the interocular distance.

It compares the fit with *detected* landmarks: it is blind to the eyeball's centre and to scale.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from dmask.errors import Error, WrongUse
from dmask.io.tables import EYES

DIAGNOSTICS = "diagnostics.csv"
TABLES = (DIAGNOSTICS, "frames.csv")
MODELS = ("eyeball", "eyelid")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "results",
        nargs="+",
        metavar="DIR",
        help="folders of `dmask run --diagnostics`, or of the profile article",
    )


def run(args: argparse.Namespace) -> dict[str, float]:
    """Raises WrongUse where a folder has nothing of this kind, Error where a table is not of dmask."""
    values: dict[str, list[np.ndarray]] = {name: [] for name in MODELS}
    folders = {Path(name).resolve(): Path(name) for name in args.results}  # each once
    for folder in folders.values():
        columns = read_columns(table_of(folder))
        for name, found in values.items():
            found += [columns[f"{eye}_{name}_residual_pct"] for eye in EYES]
    figures: dict[str, float] = {}
    for name, found in values.items():
        finite = np.concatenate(found)
        finite = finite[np.isfinite(finite)]
        figures[f"{name}_are_pct"] = float(finite.mean()) if finite.size else float("nan")
        figures[f"{name}_p95_pct"] = float(np.percentile(finite, 95)) if finite.size else float("nan")
        figures[f"{name}_eyes_and_frames"] = int(finite.size)
    return figures


def table_of(folder: Path) -> Path:
    expected = "expected the folder of `dmask run --diagnostics DIR`, or of a run with the profile article"
    if not folder.is_dir():
        raise WrongUse(f"{folder} is no folder; {expected}")
    table = next((folder / name for name in TABLES if (folder / name).is_file()), None)
    if table is None:
        below = sorted(folder.glob(f"*/{DIAGNOSTICS}"))
        hint = f": {len(below)} folders in it do, name them, as {below[0].parent}" if below else ""
        raise WrongUse(f"{folder} holds none of {', '.join(TABLES)}; {expected}{hint}")
    return table


def read_columns(path: Path) -> dict[str, np.ndarray]:
    """The columns of residuals, (F,), NaN for empty cells. Raises WrongUse where no cell holds any, Error
    where the file is not of dmask."""
    names = [f"{eye}_{name}_residual_pct" for eye in EYES for name in MODELS]
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [
                [float(row[name] or "nan") for name in names]
                for row in csv.DictReader(file, restval="cut off")
            ]
    except (KeyError, TypeError, ValueError) as error:
        raise Error(f"{path} has no residuals ({error}); expected a table that `dmask run` wrote") from None
    values = np.reshape(rows, (-1, len(names)))
    if not rows:
        raise WrongUse(f"{path} has no frames; expected the table of a recording: leave it out")
    if np.isinf(values).any() or (values < 0).any():
        raise Error(f"{path} has a residual that is no distance; expected a table that `dmask run` wrote")
    if not np.isfinite(values).any():
        why = "no eye was measured in any frame" if path.name == DIAGNOSTICS else (
            "its profile withholds them, or no eye was measured: name the folder of --diagnostics"
        )  # fmt: skip
        raise WrongUse(f"{path} has no residuals; expected some ({why}): leave it out")
    return dict(zip(names, values.T, strict=True))
