"""`dmask render`: the mask again, from the parameters in a track.dmask."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmask.commands.legend import add_legend_argument
from dmask.errors import WrongUse
from dmask.ranges import place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("track", metavar="TRACK", help="a track.dmask")
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="mask.mp4, or mask.png")
    parser.add_argument(
        "--models",
        type=place,
        metavar="DIR",
        help="the models that the track was made with, where they were not the package's own",
    )
    add_legend_argument(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there already")


def run(args: argparse.Namespace) -> int:
    from dmask import _core
    from dmask.environment import MODELS_DIR
    from dmask.io.atomic import atomic_file
    from dmask.io.legend import Legend
    from dmask.io.mark import mark_of
    from dmask.io.picture import PictureWriter
    from dmask.io.track import read_track
    from dmask.io.video import VideoWriter, without_opencv_threads
    from dmask.options import checked_models

    track, out = Path(args.track), Path(args.output)
    models = MODELS_DIR if args.models is None else checked_models(args.models)
    if not track.is_file():
        raise WrongUse(f"{track} is not a file; expected a track.dmask that `dmask run` wrote")
    recording = read_track(track)
    rows, (width, height) = recording.rows, recording.size
    as_picture = out.suffix.lower() == ".png"
    if as_picture and len(rows) != 1:
        raise WrongUse(f"got a picture as output for {len(rows)} frames; expected a name that ends in .mp4")
    if not as_picture and out.suffix.lower() != ".mp4":
        raise WrongUse(f"got {out.name} as output; expected a name that ends in .mp4 or .png")
    renderer = _core.MaskRenderer(recording.subject, str(models))
    legend = Legend(recording.subject.profile, width) if args.legend else None
    below, mark = legend.rows if legend else 0, mark_of(recording.subject.profile)
    with atomic_file(out, args.overwrite) as partial, without_opencv_threads():
        writer = (
            PictureWriter(partial, mark)
            if as_picture
            else VideoWriter(partial, width, height + below, recording.time_base, recording.rate, mark=mark)
        )
        try:
            for row, time_s in zip(rows, recording.time_s, strict=True):
                mask = renderer.render(row, width, height)
                writer.write(legend.under(mask) if legend else mask, float(time_s))
        finally:
            writer.close()
    print(f"{out}: {len(rows)} frames")
    return 0
