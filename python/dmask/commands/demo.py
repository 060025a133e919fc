"""`dmask demo`: a first mask without any recording, of a synthetic patient; measured against true."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dmask.errors import WrongUse
from dmask.options import add_core_arguments, core_options, make_pipeline
from dmask.ranges import number

LEAST_S, MOST_S = 0.1, 600.0  # of the clip
ANGLES_OF_EYE = (
    "Angles are those of the eye in the picture, against where it rests: of a close-up no other is measured."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="OUT", default="dmask_demo", help="default: dmask_demo")
    parser.add_argument(
        "--seconds", type=number(0.5, 3600), default=8.0, metavar="S", help="length of the clip (default 8)"
    )
    add_core_arguments(parser, fixating="od")  # what the patient does, see dmask.synthetic.demo
    parser.add_argument("--overwrite", action="store_true", help="replace results that are there already")


def run(args: argparse.Namespace) -> int:
    from dmask.io.atomic import atomic_folder
    from dmask.io.picture import write_png
    from dmask.io.tables import Table, cell, read_frames
    from dmask.run.recording import run_item
    from dmask.synthetic import demo, slit_lamp

    eye_alone = args.view in ("eye", "eyes")
    if eye_alone and args.at is None:
        args.fixating = "none"  # absolute angles are not measured
    if args.at is None and args.fixating != "none":
        args.at = "0-1.5"
    options, out = core_options(args), Path(args.output)
    if not LEAST_S <= args.seconds <= MOST_S:
        raise WrongUse(f"got --seconds {args.seconds:g}, expected {LEAST_S:g} to {MOST_S:g}")
    with atomic_folder(out, args.overwrite) as partial:
        who = (
            "patient at a slit lamp (the right eye: ptosis"
            if eye_alone
            else "patient (left exotropia, right ptosis"
        )
        print(f"rendering a synthetic {who}, blinks, nystagmus) …", flush=True)
        write = slit_lamp.write_slit_lamp_patient if eye_alone else demo.write_patient
        truth = write(partial / "patient.mp4", args.seconds)
        table = Table(partial / "truth.csv", ("frame", *truth[0]))
        for number, entry in enumerate(truth):
            values = [cell(value, 6) for value in entry.values()]
            table.write([str(number), *values])
        table.close()
        print("making the mask …", flush=True)
        pipeline = make_pipeline(options)
        outcome = run_item(
            partial / "patient.mp4", partial / "result", pipeline, options, False, sys.stderr.isatty()
        )
        frames = read_frames(partial / "result" / "frames.csv")
        picture = demo.side_by_side(
            partial / "patient.mp4", partial / "result" / "mask.mp4", 0.5 * args.seconds
        )
        write_png(partial / "side_by_side.png", picture)
    print(f"\n{ANGLES_OF_EYE if eye_alone else demo.axes_sentence()}")
    rows = (slit_lamp if eye_alone else demo).compare(truth, frames)
    width = max(len(name) for name, *_ in rows) + 2
    print(f"{'':<{width}}{'true':>9}{'measured':>10}{'error':>8}   medians over {outcome.frames} frames")
    for name, true, measured, error in rows:
        print(f"{name:<{width}}{true:>9.2f}{measured:>10.2f}{error:>8.2f}")
    frame_ms = outcome.stages.summary()["frame_to_mask"]["p50_ms"]
    print(f"\nframe to mask {frame_ms:.1f} ms (p50). The first mask: {out / 'result' / 'mask.mp4'}")
    print(f"Beside the patient: {out / 'side_by_side.png'}. Research use only; not a medical device.")
    return 0
