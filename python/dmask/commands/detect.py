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
    from dmask.io.source import find_input, list_folder, open_source
    from dmask.io.tables import LANDMARK_COLUMNS, Table, landmark_row
    from dmask.io.video import without_opencv_threads
    from dmask.run.progress import Progress

    options = core_options(args)
    source, out = find_input(args.input), Path(args.output)
    paths = [path for _, path in list_folder(source)] if source.is_dir() else [source]
    names = [f"{k:04d}" if args.anonymous_ids else path.name for k, path in enumerate(paths, 1)]
    failures: list[str] = []
    frames = faces = 0
    with atomic_file(out, args.overwrite) as partial, without_opencv_threads():
        pipeline = announced_pipeline(options)
        table = Table(partial, LANDMARK_COLUMNS)
        progress = Progress(args.progress or sys.stderr.isatty())
        try:
            for path, name in zip(paths, names, strict=True):
                pipeline.reset()
                try:
                    reader = open_source(path, args.threads)
                    for number, frame in enumerate(reader):
                        detection = pipeline.detect(frame.bgr, frame.time_s)
                        table.write(landmark_row(name, number, detection))
                        frames += 1
                        faces += int(detection.face_found)
                        progress.show(frames, reader.frame_count if len(paths) == 1 else None)
                    reader.close()
                except Error as error:
                    if len(paths) == 1:
                        raise Error(f"{path}: {error}") from None
                    failures.append(f"{path.name}: {error}")
        finally:
            progress.clear()
            table.close()
        if frames == 0:
            raise Error(f"none of {len(paths)} files could be read; the first: {failures[0]}")
    print(f"{out}: {frames} frames, {faces} with a face")
    if failures:
        raise Error(f"{len(failures)} of {len(paths)} files could not be read; the first: {failures[0]}")
    return 0
