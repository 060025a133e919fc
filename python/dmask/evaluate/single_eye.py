"""The eye nets on one eye whose place is roughly known, where no face is in the picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from dmask.arrays import Floats, Pixels
from dmask.crops import (
    EYE_CROP_AT,
    EYE_HEIGHT_PX,
    EYE_WIDTH_PX,
    HEATMAP_STRIDE_PX,
    apply,
    cut_eye,
    inverse,
)
from dmask.point_order import MIRROR_IRIS
from dmask.stopwatch import stopwatch

LOOKS = 4  # each crop is cut by the canthi that the look before found


class OnnxNet:
    """One ONNX file on one CPU thread, a picture at a time as in use; keeps the milliseconds of each."""

    def __init__(self, path: Path, precision: str) -> None:
        settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": precision}
        self.request = ov.Core().compile_model(str(path), "CPU", settings).create_infer_request()
        self.times_ms: list[float] = []

    def __call__(self, one: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        elapsed_ms = stopwatch()
        result = self.request.infer([np.ascontiguousarray(one[None], np.float32)])
        self.times_ms.append(elapsed_ms())
        return {name: np.array(value[0]) for port, value in result.items() for name in port.names}


def planes(image: Pixels) -> NDArray[np.float32]:
    """RGB (H,W,3) uint8 -> (3,H,W) 0..1."""
    return np.asarray(image.transpose(2, 0, 1), np.float32) / np.float32(255)


def decode(heatmaps: NDArray[np.float32]) -> Floats:
    """(...,K,h,w) logits -> (...,K,2) crop px: the expected place, as the nets were trained, in float64."""
    logits = heatmaps.astype(np.float64)
    share = np.exp(logits - logits.max((-2, -1), keepdims=True))
    share /= share.sum((-2, -1), keepdims=True)
    x = (share.sum(-2) * np.arange(logits.shape[-1])).sum(-1)
    y = (share.sum(-1) * np.arange(logits.shape[-2])).sum(-1)
    return (np.stack([x, y], -1) + 0.5) * HEATMAP_STRIDE_PX - 0.5


@dataclass
class EyePoints:
    """Points of one eye, px of its picture; visibility 0..1."""

    lid: Floats  # (20,2)
    iris: Floats  # (19,2) centre, limbus
    lid_visibility: Floats  # (20)
    iris_visibility: Floats  # (19)


class EyeNets:
    """eyelid.onnx and iris.onnx of a folder."""

    def __init__(self, models: Path, precision: str = "f32") -> None:
        self.eyelid = OnnxNet(models / "eyelid.onnx", precision)
        self.iris = OnnxNet(models / "iris.onnx", precision)

    def look(self, picture_rgb: Pixels, canthi: Floats, mirror: bool) -> EyePoints:
        """canthi (2,2), inner and outer, need not be right: they are found, and looked at again.

        `mirror`: a right eye, whose inner canthus is on the picture's right.
        """
        x, y = EYE_CROP_AT
        for _ in range(LOOKS):
            square, matrix = cut_eye(picture_rgb, canthi, mirror)
            out = self.eyelid(planes(square[y : y + EYE_HEIGHT_PX, x : x + EYE_WIDTH_PX]))
            back = inverse(matrix)
            lid = apply(back, decode(out["heatmaps"]) + EYE_CROP_AT)
            canthi = lid[[0, 10]]
        iris = self.iris(out["features"])
        points, seen = apply(back, decode(iris["heatmaps"]) + EYE_CROP_AT), sigmoid(iris["visibility"])
        if mirror:
            points, seen = points[MIRROR_IRIS], seen[MIRROR_IRIS]
        return EyePoints(lid, points, sigmoid(out["visibility"]), seen)


def sigmoid(logits: NDArray[np.float32]) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits.astype(np.float64))))
