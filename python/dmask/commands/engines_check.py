"""`dmask engines check`: how far half precision moves what the nets find; see dmask.engines.half_check."""

from __future__ import annotations

import argparse

from dmask.environment import MODELS_DIR
from dmask.ranges import place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", choices=("research", "open", "all"), default="research")
    parser.add_argument("--models", type=place, default=MODELS_DIR, help="models folder (%(default)s)")


def run(args: argparse.Namespace) -> int:
    from dmask.engines import half_check  # needs onnx, which --help does not

    return half_check.run(args)
