"""Whether the patient is told from other people by the shape of the face, on clips and rendered patients.

python bench/same_person.py CLIP [CLIP ...] [--rendered N]

Every clip is of another person. The first half of a clip is the patient as he is followed, the second half
of each is who comes afterwards: a face that is compared every other frame, as the detector does it, until it
is taken for the patient's. The same with N rendered patients, who turn, look about, smile and blink.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import dmask
from dmask import _core
from dmask.environment import MODELS_DIR

EVERY_FRAMES, MOST_LOOKS, LONGEST_MEAN = 2, 60, 60
HALF_FRAMES = 120


def filmed(path: Path) -> Iterator[np.ndarray]:
    video = cv2.VideoCapture(str(path))
    while (read := video.read())[0]:
        yield read[1]


def rendered(seed: int) -> Iterator[np.ndarray]:
    from dmask.synthetic import Pose, SyntheticPatient

    patient = SyntheticPatient(seed, (400, 400))
    random = np.random.default_rng(seed)
    phase = random.uniform(0, 2 * np.pi, 6)
    for number in range(2 * HALF_FRAMES // 3):
        t = number / 10
        shut = float(number % 25 < 2)
        yield patient.render(
            Pose(
                head_yaw_deg=18 * math.sin(t + phase[0]), head_pitch_deg=8 * math.sin(0.8 * t + phase[1]),
                head_roll_deg=6 * math.sin(0.5 * t + phase[2]),
                od_yaw_deg=12 * math.sin(1.3 * t + phase[3]), os_yaw_deg=12 * math.sin(1.3 * t + phase[3]),
                smile=max(0.0, math.sin(0.6 * t + phase[4])),
                squint=max(0.0, 0.6 * math.sin(0.4 * t + phase[5])),
                od_closure=shut, os_closure=shut,
            )
        )[0]  # fmt: skip


def halves(pipeline: Any, frames: Iterator[np.ndarray]) -> tuple[list[Any], list[Any]]:
    pipeline.reset()
    found = [pipeline.detect(frame, k / 30) for k, frame in zip(range(2 * HALF_FRAMES), frames, strict=False)]
    found = [one for one in found if one.face_found]
    return found[: len(found) // 2], found[len(found) // 2 :]


def taken_at(values: list[float]) -> int | None:
    """The look at which a face is taken for the patient's."""
    mean = 0.0
    for look, value in enumerate(values, 1):
        mean += (value - mean) / min(look, LONGEST_MEAN)
        if mean >= _core.like_in_time + (_core.like_at_once - _core.like_in_time) / math.sqrt(look):
            return look
    return None


def report(name: str, people: list[tuple[list[Any], list[Any]]], file: Any) -> None:
    models = _core.Models(str(MODELS_DIR))
    own, others = [], []
    for i, (patient, _) in enumerate(people):
        for j, (_, later) in enumerate(people):
            values = _core.likenesses(models, patient, later[::EVERY_FRAMES][:MOST_LOOKS])
            (own if i == j else others).append(values)
            if file:
                print(name, i, j, *(f"{v:.3f}" for v in values), file=file)
    for who, rows in (("the patient", own), ("another person", others)):
        looks = [taken_at(row) for row in rows]
        taken = [look for look in looks if look is not None]
        every = np.concatenate(rows)
        print(
            f"{name}, {who}: {len(rows)} pairs, taken for the patient {len(taken)}, at the first look "
            f"{sum(look == 1 for look in taken)}, median {np.median(taken) if taken else math.nan:g}; "
            f"likeness of a frame p5 {np.percentile(every, 5):.2f} p50 {np.median(every):.2f} "
            f"p95 {np.percentile(every, 95):.2f}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--rendered", type=int, default=0, metavar="N")
    parser.add_argument("--values", type=argparse.FileType("w"), help="write every likeness")
    args = parser.parse_args()
    pipeline = dmask.Pipeline(dmask.Options(backend="cpu"))
    if args.clips:
        report("clips", [halves(pipeline, filmed(path)) for path in args.clips], args.values)
    if args.rendered:
        report("rendered", [halves(pipeline, rendered(seed)) for seed in range(args.rendered)], args.values)
    return 0


if __name__ == "__main__":
    sys.exit(main())
