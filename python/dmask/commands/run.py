"""`dmask run`: the mask and the measures of a video, a picture, a folder of them, or a live source."""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path
from typing import Any

from dmask.commands.identifiers import add_identifier_arguments, anonymous_items
from dmask.commands.legend import add_legend_argument
from dmask.errors import Error, WrongUse
from dmask.options import add_core_arguments, announced_pipeline, core_options

MOST_PEOPLE = 9
ARTICLE_WARNING = (
    "--profile article lets out the patient's own face, as published. Masks of this kind were found again "
    "among masks for 52.1 % of 555 people (Meeus et al., Nat Med 2023, doi 10.1038/s41591-023-02439-9): it "
    "is no de-identification (docs/privacy.md)"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input",
        metavar="INPUT",
        nargs="+",
        help="a video, a picture, a folder of them, or a camera's number; several files and folders. "
        "A photograph whose file tells its focal length goes by that, unless --hfov-deg is given",
    )
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="the folder for the results")
    add_core_arguments(parser, more_choices={"person": ("all",)})
    add_legend_argument(parser)
    parser.add_argument(
        "--diagnostics",
        type=Path,
        metavar="DIR",
        help="a folder of its own for what identifies: landmarks, place and size of the face, residuals, "
        "calibration; for the machine that has the recording",
    )
    parser.add_argument(
        "--measures",
        action="store_true",
        help="clinical measures beside the results, as `dmask measure` has them",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace results that are there already")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="of several recordings: keep results that are whole and made alike, make the others (again)",
    )
    parser.add_argument(
        "--partial", action="store_true", help="take a video that breaks off up to there, and say so"
    )
    parser.add_argument("-r", "--recursive", action="store_true", help="go into a folder's folders, too")
    add_identifier_arguments(parser)
    parser.add_argument(
        "--live", action="store_true", help="the folder is being filled with pictures: take the newest"
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="how long a live source is watched")
    parser.add_argument("--progress", action="store_true", help="show progress without a terminal too")


def run(args: argparse.Namespace) -> int:
    from dmask.io.atomic import check_folder, claimed_output
    from dmask.io.source import camera_number, find_input
    from dmask.run.diagnostics import check_apart, check_none_there

    if args.profile == "article":
        print(ARTICLE_WARNING, file=sys.stderr)
    everybody = args.person == "all"
    if everybody:
        args.person = "1"
    options, out = core_options(args), Path(args.output)
    only = args.input[0] if len(args.input) == 1 else None
    camera = camera_number(only) if only is not None else None
    if only is None and any(camera_number(name) is not None for name in args.input):
        raise WrongUse("got a camera's number among several inputs, expected it alone, or files and folders")
    sources = [] if camera is not None else [find_input(name) for name in args.input]
    check_folder(out, args.overwrite or args.resume)
    check_none_there(out)
    if args.diagnostics is not None and args.resume:
        raise WrongUse(
            "got --resume and --diagnostics; expected one of them: what is kept is not looked at again"
        )
    if args.diagnostics is not None:
        check_apart(args.diagnostics, out)
        check_folder(args.diagnostics, args.overwrite or args.resume)
    if everybody and (args.live or camera is not None or len(sources) != 1 or sources[0].is_dir()):
        raise WrongUse(
            "got --person all without a single recording; expected one, or one person by size or place"
        )
    if args.resume and (args.live or camera is not None):
        raise WrongUse("got --resume with a live source, which does not come twice; expected recordings")
    recorded = camera is None and not args.live
    check_alike(out, everybody or (recorded and (len(sources) > 1 or sources[0].is_dir())))
    show = args.progress or sys.stderr.isatty()
    with claimed_output(out):  # before anything is loaded: two runs into one folder would mix
        if camera is not None:
            return run_live(camera, out, options, args, show)
        if args.live:
            if len(sources) != 1:
                raise WrongUse(
                    f"got --live with {len(sources)} inputs, expected one folder that is being filled"
                )
            return run_live(sources[0], out, options, args, show)
        if args.seconds is not None:
            raise WrongUse("got --seconds for a recording, expected a camera's number or --live beside it")
        if len(sources) > 1 or sources[0].is_dir():
            return run_items(sources, out, options, args, show)
        one = run_everybody if everybody else run_one
        return one(sources[0], out, options, args, show)


def check_alike(out: Path, several: bool) -> None:
    """Raises WrongUse where earlier results of one recording would lie among those of several, or the other
    way: nothing says of them whose they are, or in which profile."""
    from dmask.io.items import BATCH
    from dmask.run.results import RESULT_FILES

    holds_several = next((name for name in (BATCH, "person1") if (out / name).exists()), None)
    if not several and holds_several:
        raise WrongUse(
            f"{out} holds the results of several recordings ({holds_several}); expected another folder for "
            "those of one"
        )
    if several and any((out / name).is_file() for name in RESULT_FILES):
        raise WrongUse(f"{out} holds the results of one recording; expected another folder for several")


def run_everybody(
    source: Path, out: Path, options: dict[str, Any], args: argparse.Namespace, show: bool
) -> int:
    """Each person of the first second in a folder of his own, the largest first: a run each."""
    from dmask.io.same_file import refuse_inputs
    from dmask.run.folder import remove_results
    from dmask.run.recording import run_item
    from dmask.run.results import RESULT_FILES

    refuse_resume(args)
    folders = [out / f"person{number}" for number in range(1, MOST_PEOPLE + 1)]
    refuse_inputs([folder / name for folder in folders for name in RESULT_FILES], [source])
    people = 1
    for number, folder in enumerate(folders, 1):
        if number > people:  # of an earlier run, of more people
            remove_results(folder.name, out, args.diagnostics)
            continue
        pipeline = announced_pipeline(options | {"person": str(number)})
        try:
            outcome = run_item(
                source, folder, pipeline, options | {"person": str(number)}, args.overwrite, show,
                f"person {number}", args.partial, legend=args.legend,
                diagnostics=args.diagnostics / folder.name if args.diagnostics else None,
                measures=args.measures, by_focal_length=args.hfov_deg is None,
            )  # fmt: skip
        except Error as error:
            raise type(error)(f"{source}: {error}") from None
        if number == 1:
            people = outcome.people
        if number > 1 and not outcome.frames_with_face:  # they were never in sight together
            remove_results(folder.name, out, args.diagnostics)
            continue
        print(f"{folder}: {outcome.frames} frames, {outcome.frames_with_face} with this person's face")
        if not outcome.frames_with_face:
            raise Error(no_face(source, outcome.frames, "face"))
    return 0


A_FACE = "a face seen from the front, at least about 60 pixels wide"
EXPECTED = {
    "face": ("no face", A_FACE),
    "auto": ("no face, and no eye,", f"{A_FACE}, or a close-up of an eye as wide"),
    "eyes": ("no eye", "one eye or two, each at least about 60 pixels wide"),
    "eye": ("no eye", "one eye, at least about 60 pixels wide"),
}  # by view


def no_face(source: Path, frames: int, view: str) -> str:
    missing, expected = EXPECTED[view]
    return (
        f"{source}: {missing} was found in any of {frames} frames (the results say so too); "
        f"expected {expected}"
    )


def run_one(source: Path, out: Path, options: dict[str, Any], args: argparse.Namespace, show: bool) -> int:
    from dmask.io.same_file import refuse_inputs
    from dmask.run.recording import run_item
    from dmask.run.results import RESULT_FILES

    refuse_resume(args)
    refuse_inputs([out / name for name in RESULT_FILES], [source])
    pipeline = announced_pipeline(options)
    try:
        outcome = run_item(
            source, out, pipeline, options, args.overwrite, show, partial=args.partial, legend=args.legend,
            diagnostics=args.diagnostics, measures=args.measures,
            by_focal_length=args.hfov_deg is None,
        )  # fmt: skip
    except Error as error:
        raise type(error)(f"{source}: {error}") from None
    broken_off = f" ({outcome.broken_off})" if outcome.broken_off else ""
    print(f"{out}: {outcome.frames} frames, {outcome.found}{broken_off}")
    if outcome.frames_with_eyes:
        return 0
    if not outcome.frames_with_face and outcome.people:
        raise Error(
            f"{source}: of {outcome.people} people none is the one asked for, in {outcome.frames} frames "
            f"(the results say so too); expected --person {options['person']} among them"
        )
    if not outcome.frames_with_face:
        raise Error(no_face(source, outcome.frames, options["view"]))
    return 0


def refuse_resume(args: argparse.Namespace) -> None:
    if args.resume:
        raise WrongUse("got --resume with one recording, expected several: give --overwrite to make it again")


def run_live(
    source: Path | int, out: Path, options: dict[str, Any], args: argparse.Namespace, show: bool
) -> int:
    """Watch a camera or a folder until it stops, --seconds are over, or Ctrl-C: whole results even then, and
    readable ones where the run is killed."""
    from dmask.io.live import Newest, camera_frames, folder_frames
    from dmask.run.live import mask_live
    from dmask.run.progress import Progress

    if args.seconds is not None and not args.seconds > 0:
        raise WrongUse(f"got --seconds {args.seconds:g}, expected more than 0")
    if isinstance(source, Path) and not source.is_dir():
        raise WrongUse(f"got --live with {source}, which is no folder; expected one that is being filled")
    notes: list[str] = []
    stop = threading.Event()
    frames = (
        camera_frames(source, args.seconds)
        if isinstance(source, int)
        else folder_frames(source, args.seconds, notes, stop)
    )
    pipeline = announced_pipeline(options)
    progress = Progress(show)
    try:
        newest = Newest(frames, stop)
        outcome, latency_ms = mask_live(
            newest, out, pipeline, options, notes, progress, args.legend, args.diagnostics, args.measures
        )
    finally:
        progress.clear()
    print(
        f"{out}: {outcome.frames} frames, {outcome.found}, "
        f"{outcome.frames_dropped} dropped; frame to mask {latency_ms['p50_ms']:.1f} ms p50, "
        f"{latency_ms['p95_ms']:.1f} ms p95"
    )
    return 0


def run_items(
    sources: list[Path], out: Path, options: dict[str, Any], args: argparse.Namespace, show: bool
) -> int:
    from dmask.io.items import find_items
    from dmask.io.same_file import refuse_inputs
    from dmask.run.folder import Batch, mask_items
    from dmask.run.results import RESULT_FILES

    found = find_items(sources, args.recursive, out)
    if args.anonymous_ids:
        found = anonymous_items(found, args.id_secret)
    folders = [out / item.name for item in found.items]
    results = [folder / name for folder in folders for name in RESULT_FILES]
    paths = [item.path for item in found.items]
    refuse_inputs(folders, [*sources, *paths])
    refuse_inputs(results, paths)
    batch = Batch(
        out, options, args.overwrite, args.resume, args.partial, show, args.legend, args.diagnostics,
        args.measures, args.hfov_deg is None,
    )  # fmt: skip
    rows = mask_items(found, announced_pipeline(options), batch)
    failed = sum(row.status == "failed" for row in rows)
    skipped = f", {len(found.skipped)} others skipped" if found.skipped else ""
    print(f"{out}: {len(rows)} items, {failed} failed{skipped}")
    if failed:
        raise Error(f"{failed} of {len(rows)} items failed; {out / 'batch.csv'} says why")
    return 0
