"""`dmask detect`: the landmarks of every frame as a table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dmask.errors import Error
from dmask.options import add_backend_arguments, announced_pipeline, core_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="INPUT", help="a video, a picture or a folder of them")
    parser.add_argument("-o", "--output", metavar="CSV", required=True, help="the table to write")
    add_backend_arguments(parser)
    parser.add_argument(
        "--anonymous-ids", action="store_true", help="number the files in the table, name none"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a table that is there already")
    parser.add_argument("--progress", action="store_true", help="show progress without a terminal too")


def run(args: argparse.Namespace) -> int:
    from dmask.io.atomic import atomic_file
    from dmask.io.source import find_input, list_folder
    from dmask.run.landmarks import write_landmarks
    from dmask.run.progress import Progress

    options = core_options(args)
    source, out = find_input(args.input), Path(args.output)
    paths = [path for _, path in list_folder(source)] if source.is_dir() else [source]
    names = [f"{k:04d}" if args.anonymous_ids else path.name for k, path in enumerate(paths, 1)]
    with atomic_file(out, args.overwrite) as partial:
        pipeline = announced_pipeline(options)
        progress = Progress(args.progress or sys.stderr.isatty())
        files = list(zip(names, paths, strict=True))
        tally = write_landmarks(files, partial, pipeline, options["threads"], progress)
        if tally.frames == 0:
            raise Error(f"none of {len(paths)} files could be read; the first: {tally.failures[0]}")
    print(f"{out}: {tally.frames} frames, {tally.faces} with a face")
    if tally.failures:
        raise Error(
            f"{len(tally.failures)} of {len(paths)} files could not be read; the first: {tally.failures[0]}"
        )
    return 0
