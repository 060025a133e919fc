"""`dmask engines build`: ONNX -> TensorRT engines of every shipped net; see dmask.engines.build."""

from __future__ import annotations

import argparse

from dmask.engines import names
from dmask.environment import MODELS_DIR
from dmask.ranges import place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", choices=("research", "open", "all"), default="research")
    parser.add_argument("--precision", choices=(*names.PRECISIONS, "all"), default="f16")
    parser.add_argument(
        "--cache", type=place, default=names.folder(), help="folder to keep them in (%(default)s)"
    )
    parser.add_argument("--models", type=place, default=MODELS_DIR, help="models folder (%(default)s)")
    parser.add_argument(
        "--target", choices=(names.PORTABLE, names.TURING), help="tensorrt_rtx: GPUs from 8.0 on, or 7.5"
    )
    parser.add_argument("--check-only", action="store_true", help="build and compare, keep nothing")
    parser.add_argument("--write-manifest", action="store_true", help="take over new nets' hashes and stop")
    parser.add_argument("--json", type=place, metavar="F", help="write the build log there")


def run(args: argparse.Namespace) -> int:
    from dmask.engines import build  # needs onnx, which --help does not

    return build.run(args)
