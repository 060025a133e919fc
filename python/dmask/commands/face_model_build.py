"""`dmask face-model build`: face.dmm and eyelid.dmm from ICT-FaceKit Light; see dmask.face_model.build."""

from __future__ import annotations

import argparse

from dmask.environment import MODELS_DIR
from dmask.ranges import place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument("-o", "--output", type=place, default=MODELS_DIR, help="where the models go")


def add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ict", required=True, type=place, help="ict_light.npz, its folder, or ICT's FaceXModel"
    )


def run(args: argparse.Namespace) -> int:
    from dmask.face_model import build  # needs scipy, which --help does not

    return build.run(args)
