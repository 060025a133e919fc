"""Fit the face crop (1.3 x the bounding square of the 68 points) to YuNet's box and five points.

python bench/fit_yunet_crop.py [--shared ../shared]  prints the rows of `crop_regression` in
cpp/src/detect/face_crop.cc, and the errors on held-out pictures.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from dmask._core import YuNet

ROOT = Path(__file__).resolve().parents[1]


def labelled_faces(folder: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures (H, W, 3) BGR with their points (68, 2), pixels."""
    with open(folder / "landmarks68.csv", newline="") as file:
        for row in list(csv.reader(file))[1:]:
            image = cv2.imread(str(folder / "images" / row[0]))
            yield image, np.array(row[1:137], float).reshape(68, 2)


def on_canvas(
    image: np.ndarray, points: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The picture turned, scaled and put somewhere on a 640 x 480 canvas of its mean colour."""
    size = np.ptp(points, axis=0).max()
    scale = rng.uniform(70, 330) / size
    turn = cv2.getRotationMatrix2D(tuple(points.mean(0)), float(rng.normal(0, 12)), scale)
    turn[:, 2] += np.array([320, 240]) + rng.uniform(-60, 60, 2) - points.mean(0)
    colour = image.mean((0, 1)).tolist()
    shrunk = cv2.GaussianBlur(image, (0, 0), 0.4 / scale) if scale < 0.8 else image
    canvas = cv2.warpAffine(shrunk, turn, (640, 480), flags=cv2.INTER_LINEAR, borderValue=colour)
    return canvas, points @ turn[:, :2].T + turn[:, 2]


def turned(v: np.ndarray, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return v @ np.array([[c, s], [-s, c]])


def features_of(row: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Twin of face_crop(FaceBox): 15 features, origin, roll, scale."""
    p = row[4:14].reshape(5, 2)
    down = 0.5 * (p[3] + p[4]) - 0.5 * (p[0] + p[1])
    axis = p[1] - p[0] + np.array([down[1], -down[0]])
    roll, scale, origin = np.arctan2(axis[1], axis[0]), float(np.hypot(*axis)), p.mean(0)
    centre = row[:2] + 0.5 * row[2:4]
    relative = turned(np.vstack([p, centre]) - origin, -roll) / scale
    return np.concatenate([[1.0], relative.ravel(), row[2:4] / scale]), origin, roll, scale


def targets_of(points: np.ndarray, origin: np.ndarray, roll: float, scale: float) -> np.ndarray:
    upright = turned(points - origin, -roll)
    low, high = upright.min(0), upright.max(0)
    return np.append(0.5 * (low + high) / scale, np.log(1.3 * (high - low).max() / scale))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    shared = os.environ.get("DMASK_SHARED", ROOT.parent / "shared")
    parser.add_argument("--shared", type=Path, default=Path(shared))
    args = parser.parse_args()
    detector = YuNet(str(ROOT / "third_party/yunet/face_detection_yunet_2023mar.onnx"), precision="f32")
    rng = np.random.default_rng(0)
    features, targets, picture = [], [], []
    shown = found = number = 0
    for name in ("helen", "afw"):
        for image, points in labelled_faces(args.shared / "data/faces68" / name):
            number += 1
            for _ in range(3):
                canvas, xy = on_canvas(image, points, rng)
                shown += 1
                middle = 0.5 * (xy.min(0) + xy.max(0))
                for row in detector.detect(canvas):
                    if np.abs(row[:2] + 0.5 * row[2:4] - middle).max() > 0.25 * np.ptp(xy, axis=0).max():
                        continue  # another face
                    found += 1
                    x, origin, roll, scale = features_of(row)
                    features.append(x)
                    targets.append(targets_of(xy, origin, roll, scale))
                    picture.append(number)
                    break
    x, y, held_out = np.array(features), np.array(targets), np.array(picture) % 5 == 0

    def solve(rows: np.ndarray) -> np.ndarray:
        a, b = x[rows], y[rows]
        weights = np.ones(len(a))
        for _ in range(10):  # Huber-like: a label or a detection is wrong now and then
            ridge = 1e-4 * len(a) * np.diag([0.0] + [1.0] * 14)
            solution = np.linalg.solve(a.T @ (weights[:, None] * a) + ridge, a.T @ (weights[:, None] * b))
            weights = np.minimum(1, 0.15 / (np.linalg.norm(a @ solution - b, axis=1) + 1e-9))
        return solution

    residual = x[held_out] @ solve(~held_out) - y[held_out]
    side = np.exp(y[held_out, 2])
    shift = np.linalg.norm(residual[:, :2], axis=1) / side
    print(f"found {found} of {shown} faces ({100 * found / shown:.1f} %)")
    size = residual[:, 2]
    for what, error in (("centre, % of the side", shift), ("size, %", np.abs(size))):
        print(
            f"{what}: median {100 * np.median(error):.1f}, rms {100 * np.sqrt((error**2).mean()):.1f}, "
            f"p95 {100 * np.quantile(error, 0.95):.1f}"
        )
    print("rows of crop_regression:")
    for row in solve(np.ones(len(x), bool)).T:
        print("    {" + ", ".join(f"{value:.5f}f" for value in row) + "},")


if __name__ == "__main__":
    main()
