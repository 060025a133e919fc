"""`dmask train validate`: the nets on people that training left out; see dmask.train.validate."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from dmask.environment import MODELS_DIR
from dmask.ranges import place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("nets", nargs="*", default=[], help="face, eyes (default: both)")
    parser.add_argument(
        "--data", type=place, default=Path(os.environ.get("DMASK_SHARED", "../shared")) / "data"
    )
    parser.add_argument("--synthetic", type=place, help="folder of rendered eyes with validation*.npz")
    parser.add_argument("--work", type=place, default=Path("build/train"), help="where cut eyes are kept")
    parser.add_argument("--models", type=place, default=MODELS_DIR)
    parser.add_argument("--precision", default="f32", choices=["f32", "bf16"])
    parser.add_argument("--json", type=place, help="write the figures here too")


def run(args: argparse.Namespace) -> int:
    from dmask.train import validate  # needs torch, which --help does not

    return validate.run(args)
