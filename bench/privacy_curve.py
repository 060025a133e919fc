"""What attackers learn from what is let out, against what a clinician loses by what is not: knob by knob.

python bench/privacy_curve.py ORIGINALS... --learn-from DIR -o OUT [--json F]

The arguments, and OUT, are those of `dmask eval linkage`, whose masks are taken from there. A row is a
release in which one thing differs; attackers are trained anew for each. It is made on the numbers, as whoever
has the track reads them. Costs are what rounding, noise and usual values change of the patient's own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import dmask
from dmask import _core, environment
from dmask.evaluate.linkage import attacks, scores, study
from dmask.evaluate.linkage.attacks import Held, Material
from dmask.evaluate.linkage.releases import columns_of_numbers
from dmask.io.report import write_report

EYES = ("od", "os")
SHUT = 0.01  # openness
WIDTH_MM = 30.0  # between the canthi of the generic lids, about
PATCH_Y = 4  # of an eye's place: how much higher the patient's patch lies

Parts = dict[str, np.ndarray]  # (N, D) each
Cost = dict[str, float | None]
Change = Callable[[Parts, np.random.Generator], Parts]


class Knob(NamedTuple):
    name: str
    parts: tuple[str, ...]
    change: Change | None = None


def parts_of(rows: dict[str, np.ndarray], at: dict[str, slice], models: _core.Models) -> Parts:
    """As fitted, enough pixels for numbers or not: article lets it all out."""

    def of(*names: str) -> np.ndarray:
        return np.hstack([rows["article_numbers"][:, at[name]] for name in names])

    looks = of("od_look", "os_look")
    heights = np.hstack([
        heights_mm(models, eye, *(of(f"{name}_{part}") for part in ("lid_shape", "place", "lid_motion")))
        for eye, name in enumerate(EYES)
    ])  # fmt: skip
    return {
        "head": of("head_yaw_deg", "head_pitch_deg", "head_roll_deg"),
        "look": looks[:, [0, 3]],
        "gaze": np.degrees(looks[:, [1, 2, 4, 5]]),
        "heights": heights,
        "openness": (heights[:, [0, 2]] - heights[:, [1, 3]]) / WIDTH_MM,
        "reasons": of("od_reason", "os_reason"),
        "distance": of("distance"),
        "own lids": of(
            "od_lid_shape", "os_lid_shape", "od_place", "os_place", "od_lid_motion", "os_lid_motion"
        ),
        "units": of("units"),
        "place": of("head_x_mm", "head_y_mm", "head_z_mm", "translation", "od_px_per_deg", "os_px_per_deg"),
        "own face": of("identity", "scale", "calibration_eye_centre_sd_mm"),
    }


def heights_mm(
    models: _core.Models, eye: int, shapes: np.ndarray, places: np.ndarray, motions: np.ndarray
) -> np.ndarray:
    """(N, 2) of the upper and lower lid in their middle over the eyeball's centre."""
    found = np.full((len(motions), 2), np.nan)
    for i, (shape, place, motion) in enumerate(zip(shapes, places, motions, strict=True)):
        if np.isfinite(motion).all():
            lines = models.eyelid_lines(eye, shape.astype(np.float32), motion.astype(np.float32))
            found[i] = [lines[name][len(lines[name]) // 2, 1] + place[PATCH_Y] for name in ("upper", "lower")]
    return found


def rounded(name: str, step: float) -> Change:
    return lambda parts, _: {name: np.round(parts[name] / step) * step}


def noisy(name: str, sd: float) -> Change:
    return lambda parts, random: {name: parts[name] + random.normal(0, sd, parts[name].shape)}


def usual_within(name: str, sds: float) -> Change:
    """Values that are usual are all the same one."""

    def change(parts: Parts, _: np.random.Generator) -> Parts:
        value = parts[name]
        middle, spread = np.nanmedian(value, 0), sds * np.nanstd(value, 0)
        return {name: np.where(np.abs(value - middle) < spread, middle, value)}

    return change


def classed(parts: Parts, _: np.random.Generator) -> Parts:
    """Shut, narrow, usual, wide."""
    of = np.vectorize(_core.openness_class, otypes=[float])
    classes = np.where(parts["openness"] > SHUT, of(parts["openness"]), -1.0)
    return {"openness": np.where(np.isfinite(parts["openness"]), classes, np.nan)}


def both(first: Change, second: Change) -> Change:
    return lambda parts, random: first(parts, random) | second(parts, random)


def side_to_side(parts: Parts, _: np.random.Generator) -> Parts:
    return {"heights": parts["heights"][:, 2:] - parts["heights"][:, :2]}


MOVED = ("head", "look", "gaze", "reasons")
CLINICAL, STRICT = (*MOVED, "heights"), (*MOVED, "openness")
KNOBS = (
    Knob("everything (article)", (*CLINICAL, "openness", "place", "own face", "own lids", "units")),
    Knob("without place and size", (*CLINICAL, "openness", "own face", "own lids", "units")),
    Knob("generic face, own lids, units", (*CLINICAL, "openness", "own lids", "units")),
    Knob("generic face, own lids", (*CLINICAL, "openness", "own lids")),
    Knob("generic lids, units", (*CLINICAL, "units")),
    Knob("head, gaze, heights of lids (clinical)", CLINICAL),
    Knob("units alone", ("units",)),
    Knob("lid heights alone", ("heights",)),
    Knob("head alone", ("head",)),
    Knob("gaze alone", ("gaze",)),
    Knob("lids in steps of 0.5 mm", CLINICAL, rounded("heights", 0.5)),
    Knob("lids in steps of 1 mm", CLINICAL, rounded("heights", 1.0)),
    Knob("lids with noise of 0.25 mm", CLINICAL, noisy("heights", 0.25)),
    Knob("lids with noise of 0.5 mm", CLINICAL, noisy("heights", 0.5)),
    Knob("lids within 0.5 sd as usual", CLINICAL, usual_within("heights", 0.5)),
    Knob("lids within 1 sd as usual", CLINICAL, usual_within("heights", 1.0)),
    Knob("head in steps of 5 degrees", CLINICAL, rounded("head", 5.0)),
    Knob("without the head", ("look", "gaze", "reasons", "heights")),
    Knob("clinical and the distance", (*CLINICAL, "distance")),
    Knob("distance alone", ("distance",)),
    Knob("how much higher the left lids are alone", ("heights",), side_to_side),
    Knob("openness in place of heights", STRICT),
    Knob("openness in classes (strict)", STRICT, classed),
    Knob("the same, head in steps of 5 degrees", STRICT, both(classed, rounded("head", 5.0))),
    Knob("the same, head in steps of 15 degrees", STRICT, both(classed, rounded("head", 15.0))),
    Knob(
        "the same, gaze in steps of 15 degrees",
        STRICT,
        both(both(classed, rounded("head", 15.0)), rounded("gaze", 15.0)),
    ),
)


def turned(knob: Knob, parts: Parts, seed: int) -> tuple[np.ndarray, Cost]:
    """What is let out, and the mean change of lid heights (mm) and angles (degrees), None of what is not."""
    changed = knob.change(parts, np.random.default_rng(seed)) if knob.change else {}
    cost: Cost = dict.fromkeys(("heights", "gaze", "head"))
    for name in cost:
        told = changed.get(name, parts[name])
        if name in knob.parts and told.shape == parts[name].shape:
            cost[name] = float(np.nanmean(np.abs(told - parts[name])))
    return np.hstack([changed.get(name, parts[name]) for name in knob.parts]), cost


ATTACKS = {
    "faces": partial(attacks.correlated, "faces"),
    "masks": partial(attacks.correlated, "masks"),
    "masks, discriminant": attacks.discriminated,
}


def reached(material: Material) -> Iterator[dict[str, Any]]:
    """Of each knob what attackers reach, and what it costs."""
    at, models = columns_of_numbers(), _core.Models(dmask.Options().models_dir)
    own, theirs = (parts_of(numbers, at, models) for numbers in (material.rows, material.others))
    for knob in KNOBS:
        mine, cost = turned(knob, own, 0)
        others, _ = turned(knob, theirs, 1)
        held = Held(material, mine, others)
        figures: dict[str, Any] = {"let out": knob.name, "cost": cost}
        for name, of in ATTACKS.items():
            table = attacks.over_folds(held, material.other, of, False)
            figures[name] = [100 * scores.rank_share(table, 1).value, scores.auc(table)]
        yield figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    study.add_arguments(parser)
    parser.add_argument("--json", type=Path, metavar="F", help="write the figures")
    args = parser.parse_args()
    plan = study.planned(args)
    material, _ = study.gathered(plan, args.output, args.workers)
    figures: dict[str, Any] = {
        "hardware": environment.hardware(),
        "versions": environment.versions(),
        "people": len(material.other),
        "pictures_to_learn_from": len(plan.others),
        "knobs": [],
    }
    print(figures["hardware"], figures["versions"])
    print(f"{figures['people']} people, {len(plan.others)} pictures to learn from; Rank-1 in %, AUC")
    for one in reached(material):
        figures["knobs"].append(one)
        against = "  ".join(f"{name} {one[name][0]:5.2f} {one[name][1]:.3f}" for name in ATTACKS)
        cost = "  ".join(f"{name} {value:.3f}" for name, value in one["cost"].items() if value is not None)
        print(f"{one['let out']:48} {against}  cost: {cost}", flush=True)
    if args.json:
        write_report(args.json, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
