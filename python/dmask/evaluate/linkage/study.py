"""`dmask eval linkage`: whether masks, or what lies beside them, can be linked to the people on them.

Everything is made from originals: masks and files of every profile, pictures obscured in other ways, and
attackers who learn from other people's. OUT/index.html shows it all, OUT/linkage.json and OUT/linkage.csv
hold it. OUT/identifying keeps what was made on the way, so that whoever stopped goes on: it identifies the
people, and may be deleted.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dmask import _core, environment
from dmask.errors import Error, WrongUse
from dmask.evaluate.linkage import attacks, obscured, recognisers
from dmask.evaluate.linkage.attacks import Attack, Material
from dmask.evaluate.linkage.faces import disguises_of, faces_of, places
from dmask.evaluate.linkage.originals import (
    IDENTIFYING,
    NAMED_BY,
    Original,
    Pair,
    by_person,
    copies,
    is_video,
    pairs_across,
    pairs_within,
    read_originals,
)
from dmask.evaluate.linkage.page import write_page
from dmask.evaluate.linkage.recordings import RELEASES, doubts_of, motion_attacks, recordings_of
from dmask.evaluate.linkage.releases import PROFILES, releases_of
from dmask.evaluate.linkage.shards import GOES_ON, ITEMS, Make, Rows, identity, rows_of
from dmask.evaluate.linkage.signs import compared
from dmask.io.atomic import atomic_file, check_folder, claimed_output
from dmask.io.report import write_report
from dmask.options import add_core_arguments, core_options
from dmask.ranges import whole
from dmask.run.progress import Progress

FIGURES = "linkage.json"
COLUMNS = (
    "of", "has", "attacker", "against", "session", "people", "rank1_pct", "rank1_low_pct", "rank1_high_pct",
    "rank5_pct", "auc", "auc_low", "auc_high", "tar_at_far_1pct", "control_auc",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser, reid: bool = False) -> None:
    parser.add_argument(
        "originals", nargs="+", type=Path, metavar="ORIGINALS",
        help="folders of pictures or videos, or a manifest: a .csv of path, person, session",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", required=True, type=Path, metavar="OUT", help="the folder for the results"
    )
    parser.add_argument(
        "--named-by", choices=NAMED_BY, default="file",
        help="who a picture in a folder shows: file (its name, its folder being the session) or folder",
    )  # fmt: skip
    parser.add_argument(
        "--recogniser", action="append", metavar="NAME|TOML",
        help=f"a frozen face recogniser, again for more: {', '.join(recognisers.known())}, or a TOML "
        "file that describes one (default: those whose packages are installed)",
    )  # fmt: skip
    if not reid:
        parser.add_argument(
            "--learn-from", action="append", type=Path, default=[], metavar="DIR|CSV",
            help="pictures of other people for attackers to learn from, again for more",
        )  # fmt: skip
        parser.add_argument(
            "--learn-named-by", choices=NAMED_BY, default="file", help="as --named-by, of --learn-from"
        )
        parser.add_argument("--no-network", action="store_true", help="without the attacker that needs torch")
    parser.add_argument("--workers", type=whole(1), default=2, metavar="N", help="processes (default 2)")
    add_core_arguments(parser, without=("profile",))  # all of them are attacked
    parser.set_defaults(learn_from=[], learn_named_by="file", no_network=reid, only_faces=reid)


def check_own(out: Path) -> None:
    """Raises WrongUse where something else lies there: what identifies would be handed on with it."""
    if (
        out.is_dir()
        and any(out.iterdir())
        and not any((out / name).exists() for name in (IDENTIFYING, FIGURES))
    ):
        raise WrongUse(
            f"{out} holds something already; expected a new folder, or that of an earlier study: what "
            "identifies people is kept in it"
        )


class Plan(NamedTuple):
    """Who is attacked, whom attackers learn from, and with what."""

    originals: list[Original]  # pictures
    across: list[Pair]  # a person's pictures of two sessions
    within: list[Pair]  # of one
    others: list[Original]
    recordings: list[Original]  # videos
    recordings_across: list[Pair]
    recognisers: dict[str, str]  # how each was asked for, by its name
    options: dict[str, Any]  # of the core, beside the profile

    def settings(self) -> dict[str, Any]:
        """What everything that is made of a file depends on."""
        return {
            "options": self.options,
            "core": environment.sha256(Path(_core.__file__)),
            "models": self.models_sha256(),
        }

    def models_sha256(self) -> dict[str, str]:
        return environment.model_sha256(str(self.options["weights"]), environment.models_folder(self.options))


def planned(args: argparse.Namespace) -> Plan:
    """Raises WrongUse, Error."""
    options = core_options(args)
    options.pop("profile", None)
    found = read_originals(args.originals, args.named_by)
    originals = [one for one in found if not is_video(one)]
    recordings = [one for one in found if is_video(one) and not args.only_faces]
    if args.only_faces and not originals:
        raise WrongUse("got videos alone; expected pictures, which recognisers of faces look at")
    names = (args.recogniser or recognisers.installed()) if originals else []
    across, within = pairs_across(originals), pairs_within(originals)
    least, people = attacks.LEAST_PEOPLE, len(by_person(recordings))
    missing = []
    if originals and max(len(across), len(within)) < least:
        missing.append(
            f"got {len(across)} people with two sessions, {len(within)} with two pictures of one; expected "
            f"{least} or more: see --named-by, or give a manifest"
        )
    if recordings and people < least:
        missing.append(
            f"got videos of {people} people; expected {least} or more: see --named-by, or give a manifest"
        )
    if originals and not names:
        missing.append(
            f"no recogniser is installed; expected one or more: {' or '.join(recognisers.advice())}"
        )
    if missing:
        raise WrongUse("; also ".join(missing))
    attacked = {original.person for original in originals}
    learnt_from = read_originals(args.learn_from, args.learn_named_by) if args.learn_from else []
    return Plan(
        originals,
        across,
        within,
        [other for other in learnt_from if other.person not in attacked and not is_video(other)],
        recordings,
        pairs_across(recordings),
        {recognisers.read(name).name: name for name in names},
        options,
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    """The figures; files in args.output. Raises WrongUse, Error."""
    plan = planned(args)
    if plan.originals and not args.no_network:
        attacks.check_network()
    check_folder(args.output, overwrite=True)
    check_own(args.output)
    with claimed_output(args.output):
        args.output.mkdir(parents=True, exist_ok=True)
        try:
            return studied(plan, args)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(GOES_ON) from None


def studied(plan: Plan, args: argparse.Namespace) -> dict[str, Any]:
    """The figures of a plan; files in args.output."""
    material, disguised = gathered(plan, args.output, args.workers) if plan.originals else (None, {})
    moved = moving(plan, args.output, args.workers) if plan.recordings else None
    figures = {
        "dmask": environment.versions()["dmask"],
        "versions": environment.versions(),
        "models": plan.models_sha256(),
        "hardware": environment.hardware(),
        "options": plan.options,
        "recognisers": [describe(recognisers.read(name)) for name in plan.recognisers.values()],
        "pictures": len(plan.originals),
        "people": len(by_person(plan.originals)),
        "people_with_two_sessions": len(plan.across),
        "recordings": len(plan.recordings),
        "people_recorded": len(by_person(plan.recordings)),
        "people_recorded_in_two_sessions": len(plan.recordings_across),
        "people_to_learn_from": len({other.person for other in plan.others}),
        "chance_rank1_pct": round(
            100 / max(1, len(plan.across or plan.within or by_person(plan.recordings))), 3
        ),
        "doubts": [*doubts_of_copies(plan), *(doubts_of(moved) if moved is not None else ())],
        "disguises": disguised,
        "attacks": [],
    }
    progress = Progress(sys.stderr.isatty(), unit="attacks")
    made: list[Attack] = []
    try:
        for attack in all_attacks(material, moved, plan, args):
            made.append(attack)
            progress.show(len(made), None)
    finally:
        progress.clear()
    figures["attacks"] = [row_of(attack) for attack in made]
    figures["worst"] = worst(made)
    write_report(args.output / FIGURES, figures)
    write_table(args.output / "linkage.csv", made)
    write_page(args.output / "index.html", figures, made)
    return figures


def doubts_of_copies(plan: Plan) -> list[str]:
    """Of nothing that is attacked a copy is to be linked, or to be learnt from."""
    attacked = [*plan.originals, *plan.recordings]
    twice = copies(attacked)
    learnt = copies([*attacked, *plan.others]) - twice - copies(plan.others)
    doubts = []
    if twice:
        doubts.append(f"{twice} files are copies of others: a copy is linked to its original by itself")
    if learnt:
        doubts.append(f"{learnt} files that attackers learn from are copies of those that they attack")
    return doubts


def describe(recogniser: recognisers.Recogniser) -> dict[str, str]:
    return {"name": recogniser.name, "licence": recogniser.licence, "source": recogniser.source}


def gathered(plan: Plan, out: Path, workers: int) -> tuple[Material, dict[str, Any]]:
    """What attackers have, and what each way to disguise a face leaves to be seen."""
    folder = out / IDENTIFYING
    originals, others, frozen = plan.originals, plan.others, plan.recognisers
    settings = plan.settings() | {"profiles": PROFILES, "recognisers": list(frozen.values())}
    settings["masks"] = str(folder / f"masks-{identity((), settings)}")

    def step(label: str, name: str, items: list[Any], make: Any, **more: Any) -> Rows:
        return shown(label, name, items, make, settings | more, folder, workers)

    mine = step("masks", "releases", [(one.path,) for one in originals], releases_of)
    if not mine["face"].any():
        raise Error("no face was found in any picture; expected photographs of faces")
    at = places(mine["points"], mine["size"])
    faces = step("faces", "faces", list(zip((one.path for one in originals), at, strict=True)), faces_of)
    of_masks = [places(mine[f"{profile}_points"], mine["size"]) for profile in PROFILES]
    ways = step(
        "disguises",
        "disguises",
        list(zip((one.path for one in originals), at, *of_masks, strict=True)),
        disguises_of,
    )
    theirs, their_faces = {}, {}
    if others:
        theirs = step("others' masks", "releases", [(one.path,) for one in others], releases_of, masks=None)
        there = places(theirs["points"], theirs["size"])
        their_faces = step(
            "others' faces", "faces", list(zip((one.path for one in others), there, strict=True)), faces_of
        )
    else:
        theirs = {name: rows[:0] for name, rows in mine.items()}
        their_faces = {name: rows[:0] for name, rows in faces.items()}
    by_name = {name: faces[file] for name, file in frozen.items()}
    joint = [np.concatenate([faces[file], their_faces[file]]) for file in frozen.values()]
    codes = attacks.reduced(np.hstack(joint))
    material = Material(
        [one.person for one in originals], plan.across, plan.within, mine,
        codes[: len(originals)],
        {(way, name): ways[f"{way}/{file}"] for way in ways_of() for name, file in frozen.items()},
        by_name, theirs, codes[len(originals) :],
    )  # fmt: skip
    disguised = {
        way: {"faces_found": float(ways[f"{way}/found"].mean())}
        | compared(mine["article_eyes"], ways[f"{way}/eyes"])._asdict()
        for way in ways_of()
    }
    return material, disguised


def ways_of() -> tuple[str, ...]:
    return (*obscured.METHODS, *PROFILES)


def moving(plan: Plan, out: Path, workers: int) -> Rows:
    """How people move in the masks of their recordings."""
    items = [(one.path,) for one in plan.recordings]
    settings = plan.settings() | {"releases": RELEASES}
    return shown("recordings", "recordings", items, recordings_of, settings, out / IDENTIFYING, workers, 1)


def shown(
    label: str,
    name: str,
    items: list[Any],
    make: Make,
    settings: dict[str, Any],
    folder: Path,
    workers: int,
    at_a_time: int = ITEMS,
) -> Rows:
    """rows_of() with its progress on the terminal."""
    progress = Progress(sys.stderr.isatty(), label, "parts")
    try:
        return rows_of(name, items, make, settings, folder, workers, progress.show, at_a_time)
    finally:
        progress.clear()


def all_attacks(
    material: Material | None, moved: Rows | None, plan: Plan, args: argparse.Namespace
) -> Iterator[Attack]:
    if moved is not None:
        first = [numbers[0] for numbers in by_person(plan.recordings).values()]
        yield from motion_attacks(moved, plan.recordings_across, first)
    if material is None:
        return
    for way in ways_of():
        for attack in attacks.frozen_attacks(material, way):
            if attack.against == "faces" or not args.only_faces:
                yield attack
    if args.only_faces:
        return
    for profile in PROFILES:
        yield from attacks.learned_attacks(material, profile)
        if not args.no_network:
            yield from attacks.network_attacks(material, profile)


def row_of(attack: Attack) -> dict[str, Any]:
    def percent(value: float) -> float:
        return round(100 * value, 3)

    values = (
        *attack[:6], *map(percent, attack.rank1), percent(attack.rank5.value),
        *(round(v, 4) for v in (*attack.auc, attack.tar, attack.control_auc)),
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def worst(made: list[Attack]) -> dict[str, dict[str, Any]]:
    """Of each profile, the highest figures that any attacker reached against other sessions."""
    figures = {}
    for profile in dict.fromkeys((*PROFILES, *RELEASES)):
        own = [attack for attack in made if attack.of == profile and attack.session == "other"]
        if own:
            best, widest = max(own, key=lambda a: a.rank1.value), max(own, key=lambda a: a.auc.value)
            figures[profile] = {"rank1": row_of(best), "auc": row_of(widest)}
    return figures


def write_table(path: Path, made: list[Attack]) -> None:
    with (
        atomic_file(path, overwrite=True) as partial,
        partial.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(row_of(attack) for attack in made)


def as_text(figures: dict[str, Any]) -> str:
    lines = [
        f"{figures['people']} people, {figures['people_with_two_sessions']} of them in two sessions, "
        f"{figures['people_to_learn_from']} others to learn from; recordings of "
        f"{figures['people_recorded']}, {figures['people_recorded_in_two_sessions']} in two sessions; chance "
        f"{figures['chance_rank1_pct']:g} %",
        f"{'of':21} {'has':20} {'attacker':24} {'against':8} {'session':16} {'Rank-1 %':>18} {'AUC':>20} "
        f"{'control':>8}",
    ]
    lines[1:1] = [f"Doubtful: {doubt}." for doubt in figures["doubts"]]
    for a in figures["attacks"]:
        lines.append(
            f"{a['of']:21} {a['has']:20} {a['attacker']:24} {a['against']:8} {a['session']:16} "
            f"{a['rank1_pct']:6.2f} ({a['rank1_low_pct']:.1f}-{a['rank1_high_pct']:.1f}) "
            f"{a['auc']:8.3f} ({a['auc_low']:.3f}-{a['auc_high']:.3f}) {a['control_auc']:8.3f}"
        )
    return "\n".join(lines)
