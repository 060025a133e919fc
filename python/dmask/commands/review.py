"""`dmask review`: mask, traces and flags of a run as a video."""

from __future__ import annotations

import argparse
import sys

from dmask.errors import WrongUse
from dmask.ranges import place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=place, metavar="OUT", help="the folder of a `dmask run` of a video")
    parser.add_argument("-o", "--output", type=place, metavar="FILE", required=True, help="review.mp4")
    parser.add_argument(
        "--original",
        type=place,
        metavar="VIDEO",
        help="the video that was masked, to stand beside the mask: the result identifies the patient",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there already")


def run(args: argparse.Namespace) -> int:
    from dmask.io.atomic import atomic_file
    from dmask.report.review import write_review
    from dmask.report.visit import read_visit
    from dmask.run.progress import Progress

    if args.output.suffix.lower() != ".mp4":
        raise WrongUse(f"got {args.output.name} as output; expected a name that ends in .mp4")
    if args.original is not None and not args.original.is_file():
        raise WrongUse(f"{args.original} is not a file; expected the video that was masked")
    if args.output.exists() and not args.overwrite:
        raise WrongUse(f"{args.output} exists already; give --overwrite to replace it, or another name")
    visit = read_visit(args.input)
    if args.original is not None:
        print(
            f"dmask: warning: {args.output} shows the patient's face: it identifies the patient, and says so "
            "in the picture; keep it as you keep the original",
            file=sys.stderr,
        )
    progress = Progress(sys.stderr.isatty(), "review")
    with atomic_file(args.output, args.overwrite) as partial:
        frames = write_review(visit, partial, args.original, progress.show)
    progress.clear()
    print(f"{args.output}: {frames} frames")
    return 0
