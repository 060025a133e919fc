"""What attackers learn from what is let out, against what a clinician loses by what is not: knob by knob.

python bench/privacy_curve.py ORIGINALS... --learn-from DIR -o OUT

The arguments, and OUT, are those of `dmask eval linkage`, whose masks are taken from there. A row is a
release in which one thing differs; attackers are trained anew for each. It is made on the numbers, as whoever
has the files reads them. Costs are what rounding, noise and usual values change of the patient's own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from dmask import environment
from dmask.evaluate.linkage import attacks, recognisers, scores, study
from dmask.evaluate.linkage.attacks import Held, Material
from dmask.evaluate.linkage.originals import read_originals
from dmask.evaluate.linkage.releases import columns_of_numbers
from dmask.options import core_options

EYES = ("od", "os")
LIDS = tuple(f"{eye}_{name}_mm" for eye in EYES for name in ("mrd1", "mrd2"))
OPENNESS = tuple(f"{eye}_openness" for eye in EYES)
GAZE = tuple(f"{eye}_{axis}_deg" for eye in EYES for axis in ("yaw", "pitch"))
SPREAD = tuple(f"{eye}_{axis}_sd_deg" for eye in EYES for axis in ("yaw", "pitch"))
HEAD = ("head_yaw_deg", "head_pitch_deg", "head_roll_deg")
VALID = ("od_valid", "os_valid", "od_reason", "os_reason")
PLACE = ("head_x_mm", "head_y_mm", "head_z_mm", "translation", "od_px_per_deg", "os_px_per_deg")
OWN = ("identity", "scale", "calibration_scale", "calibration_iris_radius_mm", "calibration_eye_centre_sd_mm")
OWN_LIDS = ("od_lid_shape", "os_lid_shape", "od_place", "os_place", "od_lid_motion", "os_lid_motion")
RESIDUALS = tuple(f"{eye}_{part}_residual_pct" for eye in EYES for part in ("eyeball", "eyelid"))
MEASURES = (*HEAD, *GAZE, *SPREAD, *VALID)
FILES = (*MEASURES, *LIDS, *OPENNESS)
NARROW, WIDE = 0.15, 0.50  # openness: the classes of strict

Rows = np.ndarray  # (N, D) numbers of article
Change = Callable[[dict[str, np.ndarray], np.random.Generator], dict[str, np.ndarray]]


class Knob(NamedTuple):
    name: str
    parts: tuple[str, ...]  # of article's numbers
    change: Change | None = None


def rounded(names: tuple[str, ...], step: float) -> Change:
    return lambda parts, _: {name: np.round(parts[name] / step) * step for name in names}


def noisy(names: tuple[str, ...], sd: float) -> Change:
    return lambda parts, random: {
        name: parts[name] + random.normal(0, sd, parts[name].shape) for name in names
    }


def usual_within(names: tuple[str, ...], sds: float) -> Change:
    """Heights that are usual are all the same one."""

    def change(parts: dict[str, np.ndarray], _: np.random.Generator) -> dict[str, np.ndarray]:
        changed = {}
        for name in names:
            value = parts[name]
            middle, spread = np.nanmedian(value), sds * np.nanstd(value)
            changed[name] = np.where(np.abs(value - middle) < spread, middle, value)
        return changed

    return change


def classed(parts: dict[str, np.ndarray], _: np.random.Generator) -> dict[str, np.ndarray]:
    """Shut, narrow, usual, wide."""
    return {name: np.digitize(parts[name], [1e-6, NARROW, WIDE]).astype(float) for name in OPENNESS}


KNOBS = (
    Knob("every number of article", (*FILES, *PLACE, *OWN, *OWN_LIDS, *RESIDUALS, "units")),
    Knob("without place, size, residuals", (*FILES, *OWN, *OWN_LIDS, "units")),
    Knob("generic face, own lids, all units", (*FILES, *OWN_LIDS, "units")),
    Knob("generic face, own lids", (*FILES, *OWN_LIDS)),
    Knob("all units, lid heights", (*MEASURES, *LIDS, "units")),
    Knob("lid heights (clinical)", (*MEASURES, *LIDS)),
    Knob("lid heights alone", LIDS),
    Knob("head alone", HEAD),
    Knob("gaze alone", GAZE),
    Knob("deviations of gaze alone", SPREAD),
    Knob("heights in steps of 0.25 mm", (*MEASURES, *LIDS), rounded(LIDS, 0.25)),
    Knob("heights in steps of 0.5 mm", (*MEASURES, *LIDS), rounded(LIDS, 0.5)),
    Knob("heights in steps of 1 mm", (*MEASURES, *LIDS), rounded(LIDS, 1.0)),
    Knob("heights with noise of 0.25 mm", (*MEASURES, *LIDS), noisy(LIDS, 0.25)),
    Knob("heights with noise of 0.5 mm", (*MEASURES, *LIDS), noisy(LIDS, 0.5)),
    Knob("heights within 0.5 sd as usual", (*MEASURES, *LIDS), usual_within(LIDS, 0.5)),
    Knob("heights within 1 sd as usual", (*MEASURES, *LIDS), usual_within(LIDS, 1.0)),
    Knob("head in steps of 5 degrees", (*MEASURES, *LIDS), rounded(HEAD, 5.0)),
    Knob("without the head", (*GAZE, *SPREAD, *VALID, *LIDS)),
    Knob("without deviations of gaze", (*HEAD, *GAZE, *VALID, *LIDS)),
    Knob("openness in place of heights", (*MEASURES, *OPENNESS)),
    Knob("openness in classes (strict)", (*MEASURES, *OPENNESS), classed),
    Knob("the same, head in steps of 5 degrees", (*MEASURES, *OPENNESS),
         lambda parts, random: classed(parts, random) | rounded(HEAD, 5.0)(parts, random)),
    Knob("the same, head in steps of 10 degrees", (*MEASURES, *OPENNESS),
         lambda parts, random: classed(parts, random) | rounded(HEAD, 10.0)(parts, random)),
    Knob("neither lids nor head", (*GAZE, *VALID)),
)  # fmt: skip


def turned(knob: Knob, numbers: Rows, at: dict[str, slice], seed: int) -> tuple[Rows, dict[str, float]]:
    """What is let out, and the mean change of lid heights (mm) and angles (degrees)."""
    parts = {name: numbers[:, at[name]] for name in knob.parts}
    changed = knob.change(parts, np.random.default_rng(seed)) if knob.change else {}
    cost = {}
    for label, names in (("lids_mm", LIDS), ("gaze_deg", GAZE), ("head_deg", HEAD)):
        moved = [np.abs(changed[name] - parts[name]) for name in names if name in changed]
        cost[label] = float(np.nanmean(moved)) if moved else 0.0
        if not set(names) <= set(knob.parts):
            cost[label] = np.nan
    return np.hstack([changed.get(name, parts[name]) for name in knob.parts]), cost


def rows(material: Material) -> Iterator[str]:
    at = columns_of_numbers()
    for knob in KNOBS:
        mine, cost = turned(knob, material.rows["article_numbers"], at, 0)
        others, _ = turned(knob, material.others["article_numbers"], at, 1)
        held = Held(material, mine, others)
        reached = []
        for of in (
            partial(attacks.correlated, "faces"),
            partial(attacks.correlated, "masks"),
            attacks.discriminated,
        ):
            table = attacks.over_folds(held, material.other, of, False)
            reached.append(f"{100 * scores.rank_share(table, 1).value:5.2f} {scores.auc(table):.3f}")
        paid = " ".join(f"{value:6.3f}" if np.isfinite(value) else "     –" for value in cost.values())
        yield f"| {knob.name} | {' | '.join(reached)} | {paid} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    study.add_arguments(parser)
    args = parser.parse_args()
    options = core_options(args)
    options.pop("profile", None)
    frozen = {recognisers.read(name).name: name for name in args.recogniser or recognisers.installed()}
    originals = read_originals(args.originals, args.named_by)
    others = read_originals(args.learn_from, args.learn_named_by)
    people = {one.person for one in originals}
    others = [one for one in others if one.person not in people]
    material, _ = study.gathered(args, options, originals, others, frozen)
    print(environment.hardware(), environment.versions())
    print(f"{len(material.other)} people, {len(others)} pictures to learn from; Rank-1 in %, AUC")
    print("| let out | against faces | against masks | discriminant | lids mm, gaze deg, head deg |")
    print("|---|---|---|---|---|")
    for row in rows(material):
        print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
