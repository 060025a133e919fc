"""`dmask face-model report`: what the models leave out, for their card; see dmask.face_model.report."""

from __future__ import annotations

import argparse

from dmask.commands.face_model_build import add_source
from dmask.ranges import place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument("--card", type=place, help="model card whose tables are renewed; default: print them")


def run(args: argparse.Namespace) -> int:
    from dmask.face_model import report  # needs scipy, which --help does not

    return report.run(args)
