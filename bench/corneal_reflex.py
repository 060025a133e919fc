"""How exact the gaze by the corneal reflex is, beside that by the eyeball's fit.

python bench/corneal_reflex.py --ict DIR --unityeyes2 DIR [--patients N] [--first SEED]

Patients of the cohort (`dmask eval rendered --cohort`) before a camera with a lamp beside its lens, those in
whose frames a degree is worth 0.5 px and more: the share of measured eyes whose reflex was found, the errors
of both gazes and of both deviations between the eyes, and how often they lie within what is stated.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

import dmask
from dmask import environment
from dmask.errors import WrongUse
from dmask.evaluate.cohort import APART_S, EYES, USUAL_HFOV_DEG, WITHIN, Someone, someone
from dmask.studio_folders import add_studio_arguments, studio_folders
from dmask.train.studio import Studio, StudioAssets

FRAMES = 6
LEAST_PX_PER_DEG = 0.5
MM_PER_DEG = 12 * np.pi / 180
AXES = ("yaw", "pitch")


def px_per_deg(whom: Someone) -> float:
    return whom.studio.patient.focal_px / whom.distance_mm * MM_PER_DEG


def rows_of(whom: Someone, pipeline: dmask.Pipeline) -> list[list[float]]:
    """Of each eye: patient, frame, OS or not, errors of yaw and pitch by the fit and the reflex, sds."""
    shown = [whom.studio.photograph(whom.pose(number), number) for number in range(FRAMES)]
    seen = [pipeline.detect(frame, APART_S * number) for number, (frame, _) in enumerate(shown)]
    pipeline.calibrate(seen)
    rows = []
    for number, (detection, (_, truth)) in enumerate(zip(seen, shown, strict=True)):
        result = pipeline.fit(detection)
        for eye in EYES:
            found = getattr(result, eye)
            if not found.valid:
                continue
            errors = [
                getattr(found, f"{by}{axis}_deg") - truth[f"{eye}_{axis}_deg"]
                for by in ("", "reflex_")
                for axis in AXES
            ]
            rows.append(
                [whom.seed, number, eye == "os", *errors, found.reflex_yaw_sd_deg, found.reflex_pitch_sd_deg]
            )
    return rows


def told(name: str, error: np.ndarray) -> str:
    size = np.abs(error)
    return (
        f"{name:38}median {np.median(size):.2f}  95th percentile {np.percentile(size, 95):.2f}  "
        f"bias {np.median(error):+.2f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=60, metavar="N")
    parser.add_argument("--first", type=int, default=40000, metavar="SEED")
    add_studio_arguments(parser, "ICT-FaceKit's folder")
    args = parser.parse_args()
    try:
        folders = studio_folders(args)
        if folders is None:
            raise WrongUse(
                "got no --ict and --unityeyes2, expected both: patients are drawn as a camera sees them"
            )
    except WrongUse as error:
        parser.error(str(error))
    print(environment.hardware(), environment.versions())
    assets = StudioAssets.load(*folders)
    rows: list[list[float]] = []
    patients, seed = 0, args.first
    while patients < args.patients:
        whom = someone(seed, lambda patient, seed: Studio(patient, assets, seed, flash=True))
        seed += 1
        if px_per_deg(whom) < LEAST_PX_PER_DEG:
            continue
        hfov_deg = whom.hfov_deg if whom.hfov_known else USUAL_HFOV_DEG
        options = dmask.Options(profile="article", backend="cpu", lamp="camera", hfov_deg=hfov_deg)
        rows += rows_of(whom, dmask.Pipeline(options))
        patients += 1
    table = np.array(rows)
    found = table[np.isfinite(table[:, 5])]
    print(
        f"{patients} patients, reflexes found of {len(found) / len(table):.0%} of {len(table)} measured eyes"
    )
    for k, axis in enumerate(AXES):
        print(told(f"{axis}, by the fit", found[:, 3 + k]))
        print(told(f"{axis}, by the reflex", found[:, 5 + k]))
        within = {
            level: np.mean(np.abs(found[:, 5 + k]) <= z * found[:, 7 + k]) for level, z in WITHIN.items()
        }
        print(" " * 38 + "within what is stated: " + ", ".join(f"{s:.3f} ({n} %)" for n, s in within.items()))
    key = found[:, 0] * FRAMES + found[:, 1]
    both = np.flatnonzero((key[:-1] == key[1:]) & (found[:-1, 2] == 0) & (found[1:, 2] == 1))
    for k, axis in enumerate(AXES):
        for by, column in (("fit", 3), ("reflex", 5)):
            apart = found[both + 1, column + k] - found[both, column + k]
            owner = found[both, 0]
            own = np.array([np.median(apart[owner == who]) for who in np.unique(owner)])
            spread = 1.4826 * np.median(np.abs(own - np.median(own)))
            print(told(f"between the eyes, {axis}, by the {by}", apart) + f"  patients' spread {spread:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
