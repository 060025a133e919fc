"""Where the irises of photographs lie by their own edges, against machine labels and the nets.

python bench/limbus_edge.py --data DATA --synthetic EYES [--eyes N] [--training]

DATA holds faces68/ and facemesh_labels_*.npz, EYES validation*.npz of `dmask train render-eyes`. Daugman's
operator looks for the circle over whose arcs between the lids the picture brightens most outwards; rendered
eyes, whose truth is known, tell its own bias, which is taken out. Of the sharpest eyes of people that were
never trained on, in % of the interocular distance, outwards and up: medians, robust standard deviations in
brackets, and the median distance.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from dmask import environment
from dmask.evaluate.single_eye import OnnxNet, decode, planes
from dmask.train import eye_tasks, measures
from dmask.train.data import eyes
from dmask.train.data.eyes import EYE_CROP_AT

LEAST_OPENNESS, LEAST_SEEN = 0.28, 0.3  # aperture over width; of the limbus between the lids
RADII = np.arange(0.85, 1.16, 0.05)  # of where the labels have it
RISE_PX, ASIDE_PX = np.arange(-7, 7.1, 0.5), np.arange(-4, 4.1, 1.0)
EDGE_PX = 1.5  # on both sides of the circle
MOST_LEVELS = 40.0  # that a reflex or a lash may add
ANGLES = np.radians(np.arange(0, 360, 5))
LEAST_ARC = 14  # of the angles


def limbus(grey: np.ndarray, lid: np.ndarray, centre: np.ndarray, radius_px: float) -> np.ndarray:
    """(2,) px of the crop, sought about a circle; NaN where the lids leave too little."""
    opening = np.zeros(grey.shape, np.uint8)
    cv2.fillPoly(opening, [np.rint(lid).astype(np.int32)], 1)
    opening = cv2.erode(opening, np.ones((3, 3), np.uint8))
    radius, rise, aside = (
        v.ravel()[:, None] for v in np.meshgrid(RADII * radius_px, RISE_PX, ASIDE_PX, indexing="ij")
    )
    x, y = centre[0] + aside, centre[1] + rise
    size = np.array(grey.shape[::-1]) - 1

    def at(picture: np.ndarray, off_px: float) -> np.ndarray:
        column = np.clip(np.rint(x + (radius + off_px) * np.cos(ANGLES)), 0, size[0]).astype(int)
        row = np.clip(np.rint(y + (radius + off_px) * np.sin(ANGLES)), 0, size[1]).astype(int)
        return np.asarray(picture[row, column])

    seen = at(opening, 0.0) > 0
    brighter = np.minimum(at(grey, EDGE_PX) - at(grey, -EDGE_PX), MOST_LEVELS)
    count = seen.sum(1)
    score = np.where(count >= LEAST_ARC, (brighter * seen).sum(1) / np.sqrt(np.maximum(count, 1)), -np.inf)
    best = int(score.argmax())
    return np.array([x[best, 0], y[best, 0]]) if np.isfinite(score[best]) else np.full(2, np.nan)


def edges(held: eyes.Eyes, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (K,) of the sharpest eyes, and (K, 2) where their limbus lies, px of the crop."""
    crops = [cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_RGB2GRAY) for crop in eyes.nominal(held)]
    sharp = np.array([cv2.Laplacian(crop, cv2.CV_32F).var() for crop in crops])
    agreed = (
        (held.iris_weight[:, 0] > 0.5) & (held.openness > LEAST_OPENNESS) & (held.iris_visible[:, 0] == 1)
    )
    sharp[~agreed | ((held.iris_visible[:, 1:] == 1).mean(1) < LEAST_SEEN)] = -1
    chosen = np.argsort(-sharp)[: min(count, int((sharp >= 0).sum()))]
    found = []
    for k in chosen:
        ring = held.iris[k] - EYE_CROP_AT
        grey = cv2.GaussianBlur(crops[k].astype(np.float32), (0, 0), 1.0)
        radius_px = float(np.linalg.norm(ring[1:] - ring[0], axis=1).mean())
        found.append(limbus(grey, held.lid[k] - EYE_CROP_AT, ring[0], radius_px))
    at = np.array(found)
    kept = np.isfinite(at).all(1)
    return chosen[kept], at[kept]


def axes(held: eyes.Eyes, chosen: np.ndarray) -> np.ndarray:
    """(K, 2, 2): outwards along the canthi, and up."""
    out = held.lid[chosen, 10] - held.lid[chosen, 0]
    out = out / np.linalg.norm(out, axis=1, keepdims=True)
    return np.stack([out, np.stack([out[:, 1], -out[:, 0]], 1)], 1)


def off_pct(held: eyes.Eyes, chosen: np.ndarray, points: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """(K, 2) of points (K, 2) px against the edge: outwards and up, % of the interocular distance."""
    along = np.einsum("kac,kc->ka", axes(held, chosen), points - edge)
    return np.asarray(100 * along / held.interocular_px[chosen, None])


def by_net(models: Path, held: eyes.Eyes, chosen: np.ndarray) -> np.ndarray:
    eyelid, iris = (OnnxNet(models / f"{name}.onnx", "f32") for name in ("eyelid", "iris"))
    crops = list(eyes.nominal(held.take(chosen)))
    found = [iris(eyelid(planes(crop))["features"]) for crop in crops]
    points = decode(np.stack([one["heatmaps"] for one in found]))
    return measures.steadied_centre(points, np.stack([one["visibility"] for one in found]))[:, 0]


def told(name: str, off_pct: np.ndarray) -> str:
    middle = np.median(off_pct, axis=0)
    spread = 1.4826 * np.median(np.abs(off_pct - middle), axis=0)
    size = np.median(np.linalg.norm(off_pct, axis=1))
    return (
        f"{name:28}outwards {middle[0]:+.2f} ({spread[0]:.2f})  up {middle[1]:+.2f} ({spread[1]:.2f})  "
        f"distance {size:.2f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DATA")
    parser.add_argument("--synthetic", type=Path, required=True, metavar="EYES")
    parser.add_argument("--eyes", type=int, default=200, metavar="N")
    parser.add_argument("--training", action="store_true", help="people that were trained on instead")
    args = parser.parse_args()
    print(environment.hardware(), environment.versions())
    with tempfile.TemporaryDirectory() as work:
        trained, held_out = eye_tasks.real_eyes(args.data, Path(work))
    photographs = trained if args.training else held_out
    rendered = eye_tasks.validation_eyes(held_out, args.synthetic)
    rendered = rendered.take(np.flatnonzero(~rendered.real & (rendered.occluder == 0)))
    bias_pct = np.zeros(2)
    for name, held in (("rendered", rendered), ("photographs", photographs)):
        chosen, edge = edges(held, args.eyes)
        print(f"{name}: {len(chosen)} eyes")
        labels = off_pct(held, chosen, held.iris[chosen, 0] - EYE_CROP_AT, edge)
        if held is rendered:
            bias_pct = np.median(labels, axis=0)
            own = f"outwards {-bias_pct[0]:+.2f}, up {-bias_pct[1]:+.2f}"
            print(f"  the operator's own bias, taken out: {own}")
            print("  " + told("truth", labels - bias_pct))
        else:
            as_they_were = labels - bias_pct - [0, 100 * eyes.MACHINE_IRIS_RISE]
            print("  " + told("machine labels", as_they_were))
            print("  " + told("the same as they are learnt", labels - bias_pct))
        for weights in ("research", "open"):
            seen = by_net(environment.weights_dir(weights), held, chosen)
            print("  " + told(f"{weights} nets", off_pct(held, chosen, seen, edge) - bias_pct))
    return 0


if __name__ == "__main__":
    sys.exit(main())
