"""Whether people are told apart by how they move, from what each profile lets out.

python bench/motion_linkage.py KEEP [--people N] [--clips FOLDER] [--processes N] [--release R ...]

Each of N people has a face and habits of his own and two recordings of 20 s at 30 frames a second, as
landmarks with noise (dmask.synthetic.acting). An attacker learns from recordings of other people what stays
with a person (dmask.evaluate.linkage) and looks for everybody's first recording among all second ones. What
is released is kept in the folder KEEP, and made once. With --clips the first half of each clip is looked for
among the second halves, by who has learnt from the made people: an illustration, of few people.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("OMP_NUM_THREADS", "1")

import dmask
from dmask import _core, environment
from dmask.evaluate.linkage import scores
from dmask.evaluate.linkage.attackers import Chosen, constancy
from dmask.evaluate.linkage.crossed import crossed_pairs
from dmask.evaluate.linkage.motion import table
from dmask.evaluate.linkage.recordings import FEATURES, Released, detected, motion, released, varying
from dmask.io.report import write_report
from dmask.io.tables import FRAME_COLUMNS, TEXT_COLUMNS
from dmask.synthetic import acting

RELEASES = {
    "clinical": {"profile": "clinical"},
    "article": {"profile": "article"},
    "strict": {"profile": "strict"},
    "strict-coarse": {"profile": "strict", "coarse_time": "on"},
}
KEPT = {f"clinical-{part}": {"profile": "clinical", "keep": part} for part in ("mouth", "jaw", "nose", "all")}
SEED, DURATION_S, RATE_FPS = 1, 20.0, 30.0
STEP_S = 2.0  # of coarse time
NUMBERS = tuple(name for name in FRAME_COLUMNS if name not in (*TEXT_COLUMNS, "frame", "time_s"))

Table = tuple[list[str], np.ndarray]


def held(one: Released, step_s: float) -> Released:
    """As coarse time has it: each frame repeats the first one of its step."""
    if step_s == 0:
        return one
    time_s = one.columns["time_s"]
    _, first, step = np.unique(
        np.floor((time_s - time_s[0] + 1e-6) / step_s), return_index=True, return_inverse=True
    )
    kept = first[step]
    columns = {
        name: values if name in ("time_s", "frame") else values[kept] for name, values in one.columns.items()
    }
    return Released(columns, one.rows[kept], one.moments)


def pipeline_of(release: str) -> dmask.Pipeline:
    return dmask.Pipeline(dmask.Options(**(RELEASES | KEPT)[release], backend="cpu"))


def make(number: int, keep: Path, releases: tuple[str, ...]) -> int:
    """Both recordings of a person, of each release that is not there yet."""
    models = _core.Models(str(environment.MODELS_DIR))
    whom = acting.person(models, SEED, number)
    for recording in (0, 1):
        paths = {release: keep / f"{release}_{number:03d}_{recording}.npz" for release in releases}
        missing = [release for release, path in paths.items() if not path.exists()]
        if not missing:
            continue
        seed = (SEED, number, recording + 1)
        detections = list(acting.recording(models, whom, seed, DURATION_S, RATE_FPS))
        for release in missing:
            one = released(pipeline_of(release), detections)
            half = paths[release].with_suffix(".half.npz")
            np.savez_compressed(half, rows=one.rows, **one.columns)
            half.rename(paths[release])
    return number


def load(path: Path) -> Released:
    with np.load(path) as file:
        columns = {name: file[name] for name in file.files if name != "rows"}
        return Released(columns, file["rows"], columns)


# ---- What the attacker looks at.


def moving(one: Released, step_s: float, summed: bool) -> dict[str, float]:
    """Motion in the table and in the mask, and the summary: of what was measured where that is `summed`."""
    now = held(one, step_s)
    return motion(now if summed else now._replace(moments=now.columns), summed)


def numbers(one: Released, step_s: float, summed: bool) -> dict[str, float]:
    """Without motion: the medians of all columns."""
    now = held(one, step_s)
    found = {name: median(now.columns[name]) for name in NUMBERS}
    rows = np.where(now.rows[:, :1] == 1, now.rows, np.nan)
    return found | {f"row_{k}": median(column) for k, column in enumerate(rows.T)}


def median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def looked_at(
    path: Path,
    look: Callable[[Released, float, bool], dict[str, float]],
    step_s: float,
    summed: bool,
    halves: bool,
) -> list[dict[str, float]]:
    one = load(path)
    parts = [one] if not halves else [one.part(slice(0, 300)), one.part(slice(300, None))]
    return [look(part, step_s, summed) for part in parts]


# ---- Reports.


def line(name: str, found: np.ndarray) -> dict[str, Any]:
    first, fifth, area = (
        scores.rank_share(found, 1), scores.rank_share(found, 5), scores.auc_with_interval(found)
    )  # fmt: skip
    chance = 1 / len(found)
    interval = f"({100 * first.low:.1f} to {100 * first.high:.1f}, chance {100 * chance:.1f})"
    at_chance = "  at chance" if first.low <= chance else ""
    print(
        f"{name:52s} rank 1 {100 * first.value:5.1f} % {interval:26s} rank 5 {100 * fifth.value:5.1f} %  "
        f"AUC {area.value:.3f} ({area.low:.3f} to {area.high:.3f}){at_chance}",
        flush=True,
    )
    return {"name": name, "rank1": first, "rank5": fifth, "auc": area, "chance": chance}


def settings_of(release: str) -> list[tuple[str, float, bool]]:
    """Name, step of time, and whether the summary is made of what was measured."""
    if release == "strict-coarse":  # held by the core, and it tells no blinks
        return [("on", 0.0, False)]
    if release in ("clinical", "article"):  # these are held in one way and told in the other
        return [("off", 0.0, True), ("on", STEP_S, True)]
    return [("off", 0.0, True)]


def study(keep: Path, release: str, people: int, processes: int) -> list[dict[str, Any]]:
    paths = [keep / f"{release}_{n:03d}_{r}.npz" for n in range(people) for r in (0, 1)]
    report = []
    with get_context("spawn").Pool(processes) as pool:
        for setting, step_s, summed in settings_of(release):
            name = f"{release}, coarse {setting}"

            def gather(look: Any, halves: bool, step_s: float = step_s, summed: bool = summed) -> Table:
                work = partial(looked_at, look=look, step_s=step_s, summed=summed, halves=halves)
                return varying(
                    *table([one for parts in pool.imap(work, paths, chunksize=4) for one in parts])
                )

            names, values = gather(moving, False)
            a, b = values[0::2], values[1::2]
            for count in FEATURES:
                report.append(
                    line(f"{name}: motion, {count}", crossed_pairs(a, b, partial(Chosen, count=count)))
                )
            others = crossed_pairs(a, np.roll(b, 1, 0), partial(Chosen, count=30))
            report.append(line(f"{name}: control, pairs of two people", others))
            stays = constancy(a, b)
            best = [f"{names[i]} {stays[i]:.2f}" for i in np.argsort(-stays)[:8]]
            print("    stays most with a person:", ", ".join(best))
            _, still = gather(numbers, False)
            found = crossed_pairs(still[0::2], still[1::2], partial(Chosen, count=30))
            report.append(line(f"{name}: medians alone, 30", found))
            _, halves = gather(moving, True)  # (people, recording, half)
            own = halves.reshape(people, 2, 2, -1)
            found = crossed_pairs(own[:, 0, 0], own[:, 0, 1], partial(Chosen, count=30))
            report.append(line(f"{name}: halves of one recording, 30", found))
            found = crossed_pairs(own[:, 0, 0], own[:, 1, 1], partial(Chosen, count=30))
            report.append(line(f"{name}: halves of two recordings, 30", found))
    return report


def clips(folder: Path, keep: Path, release: str, people: int) -> None:
    """Each clip's first half looked for among the second halves."""
    setting, step_s, summed = settings_of(release)[0]
    look = partial(moving, step_s=step_s, summed=summed)
    made = [load(keep / f"{release}_{n:03d}_0.npz") for n in range(min(people, 100))]
    learnt = table([look(one.part(part)) for one in made for part in (slice(0, 300), slice(300, None))])
    found: list[dict[str, float]] = []
    for path in sorted(folder.glob("*.mp4")):
        found_or_not = detected(path, dmask.Pipeline(dmask.Options(backend="cpu")), 1)
        detections = [one for one in found_or_not if one.face_found]
        one = released(pipeline_of(release), detections)
        half = len(detections) // 2
        found += [look(one.part(part)) for part in (slice(0, half), slice(half, None))]
    names, values = table([*({name: np.nan for name in learnt[0]},), *found])
    chosen = [names.index(name) for name in learnt[0]]
    theirs = values[1:, chosen]
    attacker = Chosen(learnt[1][0::2], learnt[1][1::2], 30)
    line(f"{release}, coarse {setting}: halves of clips", attacker.to_released(theirs[0::2], theirs[1::2]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("keep", type=Path)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--release", action="append", choices=(*RELEASES, *KEPT))
    parser.add_argument("--json", type=Path, help="write the figures")
    args = parser.parse_args()
    releases = tuple(args.release or RELEASES)
    print(json.dumps({"hardware": environment.hardware(), "versions": environment.versions()}, indent=1))
    args.keep.mkdir(parents=True, exist_ok=True)
    started_s = time.monotonic()
    with get_context("spawn").Pool(args.processes) as pool:
        for number in pool.imap(partial(make, keep=args.keep, releases=releases), range(args.people)):
            if number % 20 == 19:
                print(f"made {number + 1} people in {time.monotonic() - started_s:.0f} s", flush=True)
    report = []
    for release in releases:
        report += study(args.keep, release, args.people, args.processes)
        if args.clips:
            clips(args.clips, args.keep, release, args.people)
    if args.json:
        figures = {"hardware": environment.hardware(), "versions": environment.versions(), "lines": report}
        write_report(args.json, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
