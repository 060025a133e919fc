"""`dmask run`: the mask and the measures of a video, a picture, a folder of them, or a live source."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from dmask.errors import Error, WrongUse
from dmask.options import add_core_arguments, announced_pipeline, core_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input", metavar="INPUT", help="a video, a picture, a folder of them, or a camera's number"
    )
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="the folder for the results")
    add_core_arguments(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace results that are there already")
    parser.add_argument("--anonymous-ids", action="store_true", help="number a folder's items, name none")
    parser.add_argument(
        "--live", action="store_true", help="the folder is being filled with pictures: take the newest"
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="how long a live source is watched")
    parser.add_argument("--progress", action="store_true", help="show progress without a terminal too")


def run(args: argparse.Namespace) -> int:
    from dmask.io.atomic import check_folder, claimed_output
    from dmask.io.source import camera_number, find_input

    options = core_options(args)
    camera, out = camera_number(args.input), Path(args.output)
    source = camera if camera is not None else find_input(args.input)
    check_folder(out, args.overwrite)
    if isinstance(source, Path):
        refuse_own_inputs(source, out, args.live)
    with claimed_output(out):  # before anything is loaded: two runs into one folder would mix
        return run_source(source, out, options, args)


def run_source(source: Path | int, out: Path, options: dict[str, Any], args: argparse.Namespace) -> int:
    from dmask.run.recording import run_item

    show = args.progress or sys.stderr.isatty()
    if isinstance(source, int) or args.live:
        return run_live(source, out, options, args, show)
    if args.seconds is not None:
        raise WrongUse("got --seconds for a recording, expected a camera's number or --live beside it")
    if source.is_dir():
        return run_folder(source, out, options, args, show)
    try:
        outcome = run_item(source, out, announced_pipeline(options), options, args.overwrite, show)
    except Error as error:
        raise type(error)(f"{source}: {error}") from None
    print(f"{out}: {outcome.frames} frames, {outcome.frames_with_face} with a face")
    if not outcome.frames_with_face:
        raise Error(
            f"{source}: no face was found in any of {outcome.frames} frames (the results say so too); "
            "expected a face seen from the front, upright, and at least about 60 pixels wide"
        )
    return 0


def refuse_own_inputs(source: Path, out: Path, live: bool) -> None:
    """Raises WrongUse where a result of an input would take the place of an input: by a link, say."""
    from dmask.io.same_file import refuse_inputs
    from dmask.io.source import list_folder
    from dmask.run.results import RESULT_FILES

    items = list_folder(source) if source.is_dir() and not live else [("", source)]
    folders = [out / name for name, _ in items]
    results = [folder / file for folder in folders for file in RESULT_FILES]
    refuse_inputs([*folders, *results], [source, *(path for _, path in items)])


def run_live(
    source: Path | int, out: Path, options: dict[str, Any], args: argparse.Namespace, show: bool
) -> int:
    """Watch a camera or a folder until it stops, --seconds are over, or Ctrl-C: whole results even then."""
    from dmask.io.atomic import atomic_folder
    from dmask.io.live import camera_frames, folder_frames
    from dmask.run.live import mask_live
    from dmask.run.progress import Progress

    if args.seconds is not None and not args.seconds > 0:
        raise WrongUse(f"got --seconds {args.seconds:g}, expected more than 0")
    if isinstance(source, Path) and not source.is_dir():
        raise WrongUse(f"got --live with {source}, which is no folder; expected one that is being filled")
    notes: list[str] = []
    frames = (
        camera_frames(source, args.seconds)
        if isinstance(source, int)
        else folder_frames(source, args.seconds, notes)
    )
    pipeline = announced_pipeline(options)
    progress = Progress(show)
    try:
        with atomic_folder(out, args.overwrite) as partial:
            outcome, latency_ms = mask_live(frames, partial, pipeline, options, notes, progress)
    finally:
        progress.clear()
    print(
        f"{out}: {outcome.frames} frames, {outcome.frames_with_face} with a face, "
        f"{outcome.frames_dropped} dropped; frame to mask {latency_ms['p50_ms']:.1f} ms p50, "
        f"{latency_ms['p95_ms']:.1f} ms p95"
    )
    return 0


def run_folder(source: Path, out: Path, options: dict[str, Any], args: argparse.Namespace, show: bool) -> int:
    from dmask.io.source import list_folder
    from dmask.run.folder import mask_folder

    items = list_folder(source, args.anonymous_ids)
    rows = mask_folder(items, out, announced_pipeline(options), options, args.overwrite, show)
    failed = sum(row.status == "failed" for row in rows)
    print(f"{out}: {len(rows)} items, {failed} failed")
    if failed:
        raise Error(f"{failed} of {len(rows)} items failed; {out / 'batch.csv'} says why")
    return 0
