"""What becomes of a gaze that goes down until the lower lid hides the pupil, on rendered patients.

python bench/far_down.py [--patients N] [--weights research|open]

Both eyes go from 0 to 56 degrees down, with lids that follow and with lids that stay open; the subject is
fitted on the very recording. A row a range of true angles: how many eyes are measured, the error of those
that are, and how many of them err by more than twice their stated deviation.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from typing import NamedTuple

import numpy as np

import dmask
from dmask import environment
from dmask.synthetic import Pose, SyntheticPatient

FRAMES, CALM_FRAMES, DEG_A_FRAME, FARTHEST_DEG = 46, 8, 1.6, 56.0
LIDS_DOWN_DEG = 40.0  # of a look down: lids that follow have gone all the way with it
RANGES_DEG = (0, 20, 30, 35, 40, 45, 57)
SEEDS = 51  # of the first patient


class Eye(NamedTuple):
    down_deg: float  # true
    pitch_deg: float  # NaN where it is not measured
    sd_deg: float


def recording(seed: int, lids_follow: bool, weights: str) -> list[Eye]:
    patient = SyntheticPatient(seed, (480, 480))
    pipeline = dmask.Pipeline(dmask.Options(weights=weights, backend="cpu"))
    down_deg = [min(FARTHEST_DEG, max(0, k - CALM_FRAMES) * DEG_A_FRAME) for k in range(FRAMES)]
    window = []
    for k, angle in enumerate(down_deg):
        aside = 4 * np.sin(k / 4)
        pose = Pose(
            od_yaw_deg=aside, os_yaw_deg=aside, od_pitch_deg=-angle, os_pitch_deg=-angle,
            lids_down=min(1.0, angle / LIDS_DOWN_DEG) if lids_follow else 0.0,
        )  # fmt: skip
        window.append(pipeline.detect(patient.render(pose)[0], k / 30))
    pipeline.calibrate(window)
    results = [pipeline.fit(detection) for detection in window]
    return [
        Eye(angle, eye.pitch_deg, eye.pitch_sd_deg)
        for angle, result in zip(down_deg, results, strict=True)
        for eye in (result.od, result.os)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=8, metavar="N")
    parser.add_argument("--weights", choices=("research", "open"), default="research")
    args = parser.parse_args()
    print(environment.hardware(), environment.versions())
    print("lids, degrees down, eyes measured, error at the median, 95th percentile, worst, beyond 2 sd")
    for lids_follow in (True, False):
        seeds = range(SEEDS, SEEDS + args.patients)
        eyes = [eye for seed in seeds for eye in recording(seed, lids_follow, args.weights)]
        for low, high in pairwise(RANGES_DEG):
            there = [eye for eye in eyes if low <= eye.down_deg < high]
            seen = [eye for eye in there if np.isfinite(eye.pitch_deg)]
            errors = np.array([abs(eye.pitch_deg + eye.down_deg) for eye in seen])
            beyond = sum(error > 2 * eye.sd_deg for error, eye in zip(errors, seen, strict=True))
            figures = (np.median(errors), np.percentile(errors, 95), errors.max()) if seen else (np.nan,) * 3
            print(
                f"{'follow' if lids_follow else 'open':6} {low:2} to {high:2} {len(seen):3}/{len(there):3} "
                f"{figures[0]:5.1f} {figures[1]:5.1f} {figures[2]:5.1f} {beyond:3}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
