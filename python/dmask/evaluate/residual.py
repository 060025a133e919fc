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

TABLES = ("diagnostics.csv", "frames.csv")
MODELS = ("eyeball", "eyelid")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "results",
        nargs="+",
        metavar="DIR",
        help="folders of `dmask run --diagnostics`, or of the profile article",
    )


def run(args: argparse.Namespace) -> dict[str, float]:
    values: dict[str, list[np.ndarray]] = {name: [] for name in MODELS}
    for folder in map(Path, args.results):
        table = next((folder / name for name in TABLES if (folder / name).is_file()), None)
        if table is None:
            raise WrongUse(
                f"{folder} holds none of {', '.join(TABLES)}; expected a folder that `dmask run` wrote"
            )
        columns = read_columns(table)
        for name, found in values.items():
            found += [columns[f"{eye}_{name}_residual_pct"] for eye in EYES]
    if not any(np.isfinite(part).any() for found in values.values() for part in found):
        raise WrongUse(
            "the profile withholds residuals; expected the folder of `dmask run --diagnostics DIR`"
        )
    figures: dict[str, float] = {}
    for name, found in values.items():
        finite = np.concatenate(found)
        finite = finite[np.isfinite(finite)]
        figures[f"{name}_are_pct"] = float(finite.mean()) if finite.size else float("nan")
        figures[f"{name}_p95_pct"] = float(np.percentile(finite, 95)) if finite.size else float("nan")
        figures[f"{name}_eyes_and_frames"] = int(finite.size)
    return figures


def read_columns(path: Path) -> dict[str, np.ndarray]:
    """The columns of residuals, (F,), NaN for empty cells. Raises Error where the file is not of dmask."""
    names = [f"{eye}_{name}_residual_pct" for eye in EYES for name in MODELS]
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [
                [float(row[name] or "nan") for name in names]
                for row in csv.DictReader(file, restval="cut off")
            ]
    except (KeyError, TypeError, ValueError) as error:
        raise Error(f"{path} has no residuals ({error}); expected a table that `dmask run` wrote") from None
    return dict(zip(names, np.reshape(rows, (-1, len(names))).T, strict=True))
