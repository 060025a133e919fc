"""How linear gaze is, far aside and far down, and from where on it is out of range: on rendered patients.

python bench/far_gaze.py [--patients N] [--weights research|open]

Both eyes look the same way, the head straight ahead; the subject is fitted on calm gazes first. Lids follow a
look down. A row a direction: how many eyes are measured, why not, and the error of those that are.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

import numpy as np

import dmask
from dmask import environment
from dmask.synthetic import Pose, SyntheticPatient

CALM = ((0, 0), (10, 5), (-10, -5), (15, 0), (-15, 5), (0, 10), (0, -10), (5, 0))  # yaw, pitch, degrees
YAWS, PITCHES = range(-64, 65, 8), range(-48, 41, 8)
LIDS_DOWN_DEG = 45.0  # of a look down: the lids have gone all the way with it
SETTLING_FRAMES = 2  # of which the last counts


def pose(yaw_deg: float, pitch_deg: float) -> Pose:
    return Pose(
        od_yaw_deg=yaw_deg, os_yaw_deg=yaw_deg, od_pitch_deg=pitch_deg, os_pitch_deg=pitch_deg,
        lids_down=float(np.clip(-pitch_deg / LIDS_DOWN_DEG, 0, 1)),
    )  # fmt: skip


def measured(seed: int, weights: str) -> dict[tuple[str, int], list[tuple[str, float]]]:
    """(reason, error in degrees) of both eyes by (axis, angle)."""
    patient = SyntheticPatient(100 + seed, (720, 720))
    pipeline = dmask.Pipeline(dmask.Options(weights=weights, backend="cpu"))
    window = [pipeline.detect(patient.render(pose(*calm))[0], k / 30) for k, calm in enumerate(CALM)]
    pipeline.calibrate(window)
    found: dict[tuple[str, int], list[tuple[str, float]]] = {}
    time_s = 1.0
    for axis, angles in (("yaw", YAWS), ("pitch", PITCHES)):
        for angle in angles:
            frame = patient.render(pose(angle, 0) if axis == "yaw" else pose(0, angle))[0]
            for _ in range(SETTLING_FRAMES):
                result = pipeline.fit(pipeline.detect(frame, time_s))
                time_s += 1 / 30
            found[axis, angle] = [
                (eye.reason, getattr(eye, f"{axis}_deg") - angle) for eye in (result.od, result.os)
            ]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=4, metavar="N")
    parser.add_argument("--weights", choices=("research", "open"), default="research")
    args = parser.parse_args()
    print(environment.hardware(), environment.versions())
    patients = [measured(seed, args.weights) for seed in range(args.patients)]
    print("axis, degrees, eyes measured, error at the median, worst error, reasons of the others")
    for axis, angle in patients[0]:
        eyes = [eye for found in patients for eye in found[axis, angle]]
        errors = np.array([error for reason, error in eyes if not reason])
        others = Counter(reason for reason, _ in eyes if reason)
        median, worst = (
            (np.median(errors), errors[np.argmax(abs(errors))]) if errors.size else (np.nan, np.nan)
        )
        print(
            f"{axis:5} {angle:4} {errors.size:2}/{len(eyes)} {median:6.1f} {worst:6.1f} {dict(others) or ''}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
