"""`dmask measure`: the clinical measures of a recording, from what `dmask run` wrote of it."""

from __future__ import annotations

import argparse
import sys

from dmask.errors import WrongUse
from dmask.ranges import place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input", type=place, metavar="OUT", help="the folder of a `dmask run`, or its frames.csv"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=place,
        metavar="DIR",
        help="where to write measures and events; default: beside them",
    )
    parser.add_argument("--preset", default="usual", help="thresholds: usual, or visualeyes")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one threshold; docs/clinical.md lists them with their sources",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace measures that are there already")


def run(args: argparse.Namespace) -> int:
    from dmask.io.same_file import refuse_inputs
    from dmask.measure.files import MEASURE_FILES, write_measures
    from dmask.measure.settings import settings_of
    from dmask.run.measuring import measure_folder

    settings = settings_of(args.preset, changes(args.set))
    source = args.input.parent if args.input.is_file() else args.input
    out = args.output or source
    if args.input.is_file():
        refuse_inputs([out / name for name in MEASURE_FILES], [args.input])
    present = [name for name in MEASURE_FILES if (out / name).exists()]
    if present and not args.overwrite:
        raise WrongUse(
            f"{out / present[0]} exists already; give --overwrite to replace it, or -o another folder"
        )
    said = (lambda group: print(f"measuring {group}", file=sys.stderr)) if sys.stderr.isatty() else None
    measured, recording = measure_folder(args.input, settings, said)
    write_measures(out, measured, settings, recording)
    missing = sum(record.value is None for record in measured.records)
    told = len(measured.records) - missing
    print(f"{out}: {told} measures, {missing} not measured, {len(measured.events)} events")
    return 0


def changes(given: list[str]) -> dict[str, float]:
    found = {}
    for one in given:
        name, equals, value = one.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise WrongUse(f"got --set {one}; expected NAME=NUMBER, such as upgaze_deg=25") from None
    return found
