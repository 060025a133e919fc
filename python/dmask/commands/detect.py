"""`dmask detect`: the landmarks of every frame as a table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dmask.commands.identifiers import add_identifier_arguments, anonymous_items
from dmask.errors import Error
from dmask.options import add_backend_arguments, announced_pipeline, core_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input", metavar="INPUT", nargs="+", help="a video, a picture or a folder of them; several of these"
    )
    parser.add_argument("-o", "--output", metavar="CSV", required=True, help="the table to write")
    add_backend_arguments(parser)
    parser.add_argument("-r", "--recursive", action="store_true", help="go into a folder's folders, too")
    parser.add_argument(
        "--partial", action="store_true", help="take a video that breaks off up to there, and say so"
    )
    add_identifier_arguments(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace a table that is there already")
    parser.add_argument("--progress", action="store_true", help="show progress without a terminal too")


def run(args: argparse.Namespace) -> int:
    from dmask.io.atomic import atomic_file
    from dmask.io.items import find_items
    from dmask.io.source import find_input
    from dmask.run.landmarks import write_landmarks
    from dmask.run.progress import Progress

    options, out = core_options(args), Path(args.output)
    found = find_items([find_input(name) for name in args.input], args.recursive)
    found = found.with_file_names()
    if args.anonymous_ids:
        found = anonymous_items(found, args.id_secret)
    with atomic_file(out, args.overwrite) as partial:
        pipeline = announced_pipeline(options)
        progress = Progress(args.progress or sys.stderr.isatty())
        tally = write_landmarks(found.items, partial, pipeline, options["threads"], progress, args.partial)
        if tally.frames == 0:
            raise Error(f"none of {len(found.items)} files could be read; the first: {tally.failures[0]}")
    skipped = f"; {len(found.skipped)} others skipped" if found.skipped else ""
    eyes = f", {tally.close_ups} with eyes and no face" if tally.close_ups else ""
    print(f"{out}: {tally.frames} frames, {tally.faces} with a face{eyes}{skipped}")
    for sentence in tally.broken_off:
        print(sentence)
    if tally.failures:
        raise Error(
            f"{len(tally.failures)} of {len(found.items)} files could not be read; "
            f"the first: {tally.failures[0]}"
        )
    return 0
