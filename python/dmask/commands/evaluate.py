"""`dmask eval`: how good the results are, against truth or as residuals."""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path
from typing import Any

EVALUATIONS = {
    "landmarks": ("dmask.evaluate.landmarks", "the detector against points set by people"),
    "eye-lines": ("dmask.evaluate.eye_lines", "crease and bulge against lines set by hand"),
    "synthetic": (
        "dmask.evaluate.round_trip",
        "the fits alone: projected landmarks of random patients, with noise",
    ),
    "rendered": ("dmask.evaluate.rendered", "frame to result: rendered patients against their truth"),
    "stability": (
        "dmask.evaluate.stability",
        "the detector on video: jitter, exchanged eyes, blinks, small and mirrored faces",
    ),
    "residual": (
        "dmask.evaluate.residual",
        "fit against detected landmarks, from frames.csv: not an accuracy",
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    for name, (module, help_text) in EVALUATIONS.items():
        kind = kinds.add_parser(name, help=help_text, description=help_text)
        importlib.import_module(module).add_arguments(kind)
        kind.add_argument("--json", metavar="F", help="write the figures here too")


def as_lines(figures: dict[str, Any]) -> str:
    width = max(map(len, figures))
    return "\n".join(
        f"{name:<{width}}  {value:.4g}" if isinstance(value, float) else f"{name:<{width}}  {value}"
        for name, value in figures.items()
    )


def run(args: argparse.Namespace) -> int:
    module = importlib.import_module(EVALUATIONS[args.kind][0])
    figures = module.run(args)
    print(module.as_text(figures) if hasattr(module, "as_text") else as_lines(figures))
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0
