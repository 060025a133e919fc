"""`dmask train render-faces`: faces with exact landmarks; see dmask.train.render_faces.render."""

from __future__ import annotations

import argparse

from dmask.ranges import place, whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ict", type=place, required=True, metavar="DIR", help="ICT-FaceKit: ict_light.npz")
    parser.add_argument("-o", "--output", type=place, required=True, metavar="OUT.npz")
    parser.add_argument("--count", type=whole(1), required=True)
    parser.add_argument("--seed", type=whole(0), default=0)
    parser.add_argument(
        "--first", type=whole(0), default=0, help="index of the first face, a multiple of --shard"
    )
    parser.add_argument("--shard", type=whole(0), default=0, help="faces per file, 0 = all in one")
    parser.add_argument("--overwrite", action="store_true", help="replace files of an earlier call")


def run(args: argparse.Namespace) -> int:
    from dmask.train.render_faces import render  # needs scipy, which --help does not

    return render.run(args)
