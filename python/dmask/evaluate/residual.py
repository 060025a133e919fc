"""`dmask eval residual`: Eqs. (25-29) over recordings, in % of the interocular distance.

It compares the fit with *detected* landmarks: it is blind to the eyeball's centre and to scale.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", nargs="+", metavar="OUT", help="folders that `dmask run` wrote")


def run(args: argparse.Namespace) -> dict[str, float]:
    from dmask.errors import WrongUse
    from dmask.io.tables import EYES, read_frames

    values: dict[str, list[np.ndarray]] = {"eyeball": [], "eyelid": []}
    for folder in map(Path, args.results):
        if not (folder / "frames.csv").is_file():
            raise WrongUse(f"{folder} holds no frames.csv; expected a folder that `dmask run` wrote")
        frames = read_frames(folder / "frames.csv")
        for name, found in values.items():
            found += [frames[f"{eye}_{name}_residual_pct"] for eye in EYES]
    figures: dict[str, float] = {}
    for name, found in values.items():
        finite = np.concatenate(found)
        finite = finite[np.isfinite(finite)]
        figures[f"{name}_are_pct"] = float(finite.mean()) if finite.size else float("nan")
        figures[f"{name}_p95_pct"] = float(np.percentile(finite, 95)) if finite.size else float("nan")
        figures[f"{name}_eyes_and_frames"] = int(finite.size)
    return figures
