"""`dmask train render-patients`: eyes and faces of patients; see dmask.train.render_patients."""

from __future__ import annotations

import argparse

from dmask.errors import WrongUse
from dmask.ranges import place, whole
from dmask.studio_folders import add_studio_arguments, studio_folders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=place, required=True, metavar="OUT.npz")
    parser.add_argument("--count", type=whole(1), required=True, help="of patients")
    parser.add_argument("--seed", type=whole(0), default=0)
    parser.add_argument("--shard", type=whole(0), default=0, help="patients per file, 0 = all in one")
    parser.add_argument("--overwrite", action="store_true", help="replace files of an earlier call")
    add_studio_arguments(parser, "ICT-FaceKit: draw what a camera would see")
    parser.add_argument("--faces", action="store_true", help="whole faces in place of eyes; needs --ict")
    parser.add_argument(
        "--landmarks", type=place, metavar="DMM", help="with --faces: where people put the 68 points"
    )
    parser.add_argument("--split", choices=("train", "validation"), default="train", help="of the irises")


def run(args: argparse.Namespace) -> int:
    """Writes the pictures. Raises WrongUse."""
    folders = studio_folders(args)
    if args.faces and folders is None:
        raise WrongUse("got --faces without --ict; expected ICT-FaceKit's folder")
    if args.landmarks is not None and not args.faces:
        raise WrongUse("got --landmarks without --faces; expected both")
    from dmask.train import render_patients  # needs scipy, which --help does not

    return render_patients.run(args)
