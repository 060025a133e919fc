"""What a hidden lower face costs, on photographs: whether the face is found, its way up, and its pitch.

python bench/hidden_mouth.py FACES [--every N] [--turn-deg STEP] [--weights research|open]

FACES: pictures with landmarks68.csv, as of `dmask eval landmarks`; people who trained are left out. A mask, a
scarf and a fist (those of `dmask eval rendered --matrix`) are drawn over the lower face. "Unknown" faces are
fitted on the covered picture alone, "known" ones on the uncovered picture. Then everything is turned.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

import dmask
from dmask import environment
from dmask.evaluate.landmarks import held_out
from dmask.evaluate.matrix_cases import LOWER
from dmask.io.labelled import find_labels
from dmask.io.picture import read_picture
from dmask.synthetic.occluders import Place, cover

EYES_APART_MM = 63.0  # between the pupils, adults
WRONG_WAY_DEG = 45.0


def covered(picture: np.ndarray, face: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The picture with each of the things before the mouth; face (68,2+)."""
    od, os = face[36:42, :2].mean(0), face[42:48, :2].mean(0)
    across = os - od
    roll_deg = float(np.degrees(np.arctan2(-across[1], across[0])))
    place = Place(0.5 * (od + os), float(np.linalg.norm(across)) / EYES_APART_MM, roll_deg)
    for name, thing in LOWER.items():
        yield name, cover(picture, thing, place)[0]


def turned(picture: np.ndarray, angle_deg: float) -> np.ndarray:
    """About its middle, on a canvas that holds it all."""
    height, width = picture.shape[:2]
    side = int(np.ceil(np.hypot(height, width)))
    matrix = cv2.getRotationMatrix2D((0.5 * (width - 1), 0.5 * (height - 1)), angle_deg, 1.0)
    matrix[:, 2] += [0.5 * (side - width), 0.5 * (side - height)]
    return cv2.warpAffine(picture, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)


def roll_of(detection: dmask.FrameDetection) -> float:
    """Of the line through the eyes in the picture, degrees, anticlockwise."""
    face = np.array(detection.face)[:, :2]
    across = face[42:48].mean(0) - face[36:42].mean(0)
    return float(np.degrees(np.arctan2(-across[1], across[0])))


def off_deg(a: float, b: float) -> float:
    return abs((a - b + 180) % 360 - 180)


def pitch_deg(pipeline: dmask.Pipeline, known: dmask.FrameDetection, seen: dmask.FrameDetection) -> float:
    """Of `seen`, the face being fitted on `known`."""
    pipeline.reset()
    pipeline.calibrate([known])
    return float(pipeline.fit(seen).head_pitch_deg)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FACES")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="picture of the held-out ones")
    parser.add_argument("--turn-deg", type=int, default=45, metavar="STEP", help="between turns (default 45)")
    parser.add_argument("--weights", choices=("research", "open"), default="research")
    args = parser.parse_args()
    print(environment.hardware(), environment.versions())
    pipeline = dmask.Pipeline(dmask.Options(weights=args.weights, backend="cpu"))

    def look(picture: np.ndarray) -> dmask.FrameDetection:
        pipeline.reset()
        return pipeline.detect(np.ascontiguousarray(picture), 0.0)

    moved: dict[str, list[tuple[float, float]]] = {name: [] for name in LOWER}
    upright = {name: [0, 0, 0] for name in LOWER}  # pictures, found, wrong way up
    lying = [0, 0, 0]
    for label in held_out(find_labels(args.folder))[:: args.every]:
        picture = read_picture(label.path)
        bare = look(picture)
        if not bare.face_found:
            continue
        bare_pitch = pitch_deg(pipeline, bare, bare)
        for name, hidden in covered(picture, np.array(bare.face)):
            for angle in range(0, 360, args.turn_deg):
                seen = look(turned(hidden, angle) if angle else hidden)
                count = lying if angle else upright[name]
                count[0] += 1
                if not seen.face_found:
                    continue
                count[1] += 1
                count[2] += off_deg(roll_of(seen), roll_of(bare) + angle) > WRONG_WAY_DEG
                if angle == 0:
                    moved[name].append(
                        (
                            abs(pitch_deg(pipeline, seen, seen) - bare_pitch),
                            abs(pitch_deg(pipeline, bare, seen) - bare_pitch),
                        )
                    )
    print("thing: pictures, found, wrong way up; pitch moved, degrees, median and p95: face unknown, known")
    moved["all"] = [row for rows in moved.values() for row in rows]
    upright["all"] = [sum(counts) for counts in zip(*upright.values(), strict=True)]
    for name, rows in moved.items():
        unknown, known = np.nanquantile(rows, (0.5, 0.95), axis=0).T
        print(
            f"{name}: {', '.join(map(str, upright[name]))}; "
            f"{unknown[0]:.1f} and {unknown[1]:.1f}, {known[0]:.1f} and {known[1]:.1f}"
        )
    print(f"turned by steps of {args.turn_deg}: {lying[0]}, {lying[1]}, {lying[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
