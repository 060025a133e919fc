"""`dmask eval`: how good the results are, against truth or as residuals."""

from __future__ import annotations

import argparse
from functools import partial
from types import ModuleType

from dmask.commands.parser import Command, add_commands
from dmask.evaluate.lines import as_lines
from dmask.io.report import write_report

EVALUATIONS = {
    "landmarks": Command("dmask.evaluate.landmarks", "compare the detector with points set by people"),
    "eye-lines": Command(
        "dmask.evaluate.eye_lines", "compare crease and bulge with lines set by an AI annotator"
    ),
    "closeups": Command(
        "dmask.evaluate.closeups", "compare lids and irises of single eyes with masks of the visible globe"
    ),
    "eyes": Command(
        "dmask.evaluate.found_eyes",
        "look for single eyes in whole pictures, against masks of globe and pupil",
    ),
    "covered": Command(
        "dmask.evaluate.covered", "watch whether eyes behind hands, cards and dark lenses are called covered"
    ),
    "synthetic": Command("dmask.evaluate.round_trip", "fit random patients' projected landmarks, with noise"),
    "rendered": Command(
        "dmask.commands.eval_rendered", "compare results with the truth of rendered patients"
    ),
    "visits": Command(
        "dmask.commands.eval_visits", "measure rendered patients in an examination, against what they did"
    ),
    "blinks": Command("dmask.evaluate.blinks", "count blinks in lid courses whose blinks are known"),
    "stability": Command(
        "dmask.evaluate.stability", "watch the detector on video: jitter, exchanged eyes, blinks, small faces"
    ),
    "linkage": Command(
        "dmask.evaluate.linkage.study",
        "attack masks and files of people, by attackers who have dmask themselves",
    ),
    "reid": Command(
        "dmask.evaluate.linkage.reid", "hold masks against faces with frozen recognisers, as the article does"
    ),
    "residual": Command(
        "dmask.evaluate.residual", "compare fit and landmarks, from frames.csv: this is not an accuracy"
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_commands(parser, EVALUATIONS, "KIND", prepare=with_figures)


def with_figures(parser: argparse.ArgumentParser, module: ModuleType) -> None:
    """An evaluation's run(args) returns its figures; as_text(figures), where there is one, lays them out."""
    module.add_arguments(parser)
    parser.add_argument("--json", metavar="F", help="write the figures here too")
    parser.set_defaults(run=partial(show, module))


def show(module: ModuleType, args: argparse.Namespace) -> int:
    figures = module.run(args)
    print(module.as_text(figures) if hasattr(module, "as_text") else as_lines(figures))
    if args.json:
        write_report(args.json, figures)
    return 0
