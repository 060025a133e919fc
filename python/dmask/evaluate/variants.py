"""Variants of a frame, shrunk and mirrored: where the landmarks of the same face go in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from dmask.arrays import Floats, Pixels
from dmask.evaluate.tracks import COLUMNS, POINTS, all_points
from dmask.io.tables import EYE_POINTS, EYES
from dmask.point_order import MIRROR_68, MIRROR_IRIS

if TYPE_CHECKING:
    from dmask._core import Pipeline

SMALL_FACES_PX = (90, 60)  # width of the 68 points

Detect = Callable[[Pixels], Floats]  # the points (306, 3) of a picture


def in_variants(
    path: Path, pipeline: Pipeline, frames: int, samples: int, threads: int = 1
) -> dict[str, Floats]:
    """Points (N, 2, 306, 3) by variant: of the frame as it is and of its variant, as `all_points` gives them.

    Up to `samples` frames are spread over the first `frames` of a video. A frame without a face is left out;
    a variant without one gives NaN. Nothing is followed from frame to frame: every picture is a first one. A
    face is not shrunk to a size that it does not exceed.
    """
    from dmask.io.source import open_source

    def detect(bgr: Pixels) -> Floats:
        pipeline.reset()
        return all_points(pipeline.detect(np.ascontiguousarray(bgr), 0.0))

    chosen = set(np.linspace(0, frames - 1, min(samples, frames)).round().astype(int).tolist())
    variants = ["mirrored", *(f"{width_px}px" for width_px in SMALL_FACES_PX)]
    pairs: dict[str, list[tuple[Floats, Floats]]] = {variant: [] for variant in variants}
    reader = open_source(path, threads)
    for number, frame in enumerate(reader):
        if number >= frames:
            break
        if number not in chosen:
            continue
        points = detect(frame.bgr)
        if not np.isfinite(points).all():
            continue
        pairs["mirrored"].append((points, unmirrored(detect(frame.bgr[:, ::-1]), frame.bgr.shape[1])))
        for width_px in SMALL_FACES_PX:
            ratio = width_px / face_width(points)
            if ratio < 1:
                pairs[f"{width_px}px"].append((points, detect_small(detect, frame.bgr, ratio)))
    reader.close()
    return {name: np.array(found).reshape(-1, 2, POINTS, 3) for name, found in pairs.items()}


def detect_small(detect: Detect, bgr: Pixels, ratio: float) -> Floats:
    size = np.maximum(np.round(np.array(bgr.shape[1::-1]) * ratio), 16).astype(int)
    small = cv2.resize(bgr, size.tolist(), interpolation=cv2.INTER_AREA)
    found = detect(np.asarray(small, np.uint8))
    found[:, :2] = (found[:, :2] + 0.5) * bgr.shape[1::-1] / size - 0.5  # pixel centres
    return found


def face_width(points: Floats) -> float:
    """Extent px of the 68 points across the face, however it is rolled."""
    across = (points[42:48] - points[36:42]).mean(axis=0)[:2]
    return float(np.ptp(points[:68, :2] @ (across / np.linalg.norm(across))))


def unmirrored(points: Floats, width: int) -> Floats:
    """Points (306, 3) of a mirrored frame, `width` px wide, as those of the frame itself."""
    back = points * [-1, 1, 1] + [width - 1, 0, 0]
    result = np.empty_like(back)
    result[:68] = back[MIRROR_68]
    for eye, other in (EYES, EYES[::-1]):
        for part in EYE_POINTS:
            there = COLUMNS[f"{other}_{part}"]
            result[COLUMNS[f"{eye}_{part}"]] = back[there[MIRROR_IRIS] if part == "iris" else there]
    return result
