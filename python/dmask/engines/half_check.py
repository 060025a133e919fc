"""`dmask engines check`: how far f16 moves what a net finds, on faces that the project renders itself."""

from __future__ import annotations

import argparse
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import onnx
from numpy.typing import ArrayLike

from dmask import _core
from dmask.crops import (
    EDGE_STRIDE_PX,
    EYE_CANTHAL_WIDTHS,
    EYE_HEIGHT_PX,
    EYE_WIDTH_PX,
    FACE_MARGIN,
    FACE_PX,
    HEATMAP_STRIDE_PX,
)
from dmask.engines import emulate, half
from dmask.engines.manifest import Net, chosen, load_onnx
from dmask.errors import Error
from dmask.measure.largest import largest
from dmask.synthetic import Pose, SyntheticPatient

MOST_PX = 0.2  # of the crop: further no landmark may move in f16
PATIENTS = (  # seed, pose
    (3, Pose()),
    (11, Pose(head_yaw_deg=20.0, os_yaw_deg=15.0, od_closure=0.5)),
)
VIEW_PX = 320


class Check:
    """Compares nets in f16 arithmetic with the same nets in f32; `models_dir` is where those are."""

    def __init__(self, models_dir: Path):
        self._models_dir = models_dir
        self._features: dict[str, list[np.ndarray]] = {}

    def moved_px(self, net: Net, single: onnx.ModelProto, halved: onnx.ModelProto) -> float:
        """Largest change of a point, crop px (of the view for the face detector); NaN where one is lost."""
        name = net.input["name"]
        measure = {"lines": lines_px, "face_detection_yunet_2023mar": faces_px}.get(net.name, heatmaps_px)
        moved = []
        for picture in self._inputs(net):
            got, truth = emulate.run(halved, {name: picture}), emulate.run(single, {name: picture})
            moved.append(np.abs(measure(got) - measure(truth)).max())
        return largest(moved)

    def _inputs(self, net: Net) -> list[np.ndarray]:
        if net.name == "face68":
            return self.crops["face"]
        if net.name == "eyelid":
            return self.crops["eyes"]
        if net.input["name"] == "features":
            folder = (self._models_dir / net.file).parent
            if net.weights not in self._features:
                trunk = onnx.load(str(folder / "eyelid.onnx"))
                runs = [emulate.run(trunk, {"image": eyes}) for eyes in self.crops["eyes"]]
                self._features[net.weights] = [outputs["features"] for outputs in runs]
            return self._features[net.weights]
        return self.crops["view"]

    @cached_property
    def crops(self) -> dict[str, list[np.ndarray]]:
        """Net inputs by kind: face (1,3,128,128), eyes (2,3,128,160), view (1,3,320,320)."""
        detector = _core.Detector(str(self._models_dir), precision="f32")
        made: dict[str, list[np.ndarray]] = {"face": [], "eyes": [], "view": []}
        for seed, pose in PATIENTS:
            frame, _ = SyntheticPatient(seed=seed, size=(640, 640)).render(pose)
            detector.reset()
            points = detector.detect(frame).face[:, :2]
            centre = (points.min(0) + points.max(0)) / 2
            side_px = FACE_MARGIN * np.ptp(points, axis=0).max()
            made["face"].append(_planes(_crop(frame, centre, side_px, (1.0, 0.0), (FACE_PX, FACE_PX))))
            eyes = [_eye(frame, points[36], points[39], True), _eye(frame, points[42], points[45], False)]
            made["eyes"].append(np.concatenate([_planes(eye) for eye in eyes]))
            view = cv2.resize(frame, (VIEW_PX, VIEW_PX), interpolation=cv2.INTER_AREA)
            made["view"].append(view.transpose(2, 0, 1)[None].astype(np.float32))
        return made


def heatmaps_px(outputs: dict[str, np.ndarray]) -> np.ndarray:
    """(N, points, 2) soft-argmax, crop px."""
    maps = outputs["heatmaps"]
    height, width = maps.shape[2:]
    weights = np.exp(maps - maps.max((2, 3), keepdims=True))
    weights /= weights.sum((2, 3), keepdims=True)
    x = (weights.sum(2) * np.arange(width)).sum(-1)
    y = (weights.sum(3) * np.arange(height)).sum(-1)
    return HEATMAP_STRIDE_PX * np.stack([x, y], -1)


def lines_px(outputs: dict[str, np.ndarray]) -> np.ndarray:
    """(N, 4, columns) height of each line in the eye crop, crop px; 0 for a line that is not there."""
    edges = outputs["edges"]
    weights = np.exp(edges - edges.max(2, keepdims=True))
    weights /= weights.sum(2, keepdims=True)
    rows = (weights * np.arange(edges.shape[2])[:, None]).sum(2)
    return EDGE_STRIDE_PX * np.where(outputs["presence"][..., None] > 0, rows, 0.0)


def faces_px(outputs: dict[str, np.ndarray]) -> np.ndarray:
    """(7, 2) box's corners and five points of the best face, px of the view."""
    scores = {s: np.sqrt(outputs[f"cls_{s}"] * outputs[f"obj_{s}"])[0, :, 0] for s in (8, 16, 32)}
    stride = max(scores, key=lambda s: scores[s].max())
    cell, columns = int(scores[stride].argmax()), VIEW_PX // stride
    at = np.array([cell % columns, cell // columns])
    box, points = outputs[f"bbox_{stride}"][0, cell], outputs[f"kps_{stride}"][0, cell].reshape(5, 2)
    centre, half_size = (at + box[:2]) * stride, np.exp(box[2:]) * stride / 2
    return np.vstack([centre - half_size, centre + half_size, (at + points) * stride])


def _eye(frame: np.ndarray, left: np.ndarray, right: np.ndarray, mirrored: bool) -> np.ndarray:
    """The crop between the canthi `left` and `right` in the picture; the inner one comes to lie left."""
    axis = right - left
    width_px = EYE_CANTHAL_WIDTHS * np.hypot(*axis)
    crop = _crop(frame, (left + right) / 2, width_px, axis, (EYE_WIDTH_PX, EYE_HEIGHT_PX))
    return crop[:, ::-1] if mirrored else crop


def _crop(
    frame: np.ndarray, centre: ArrayLike, width_px: float, axis: ArrayLike, size: tuple[int, int]
) -> np.ndarray:
    width, height = size
    along = np.asarray(axis, np.float64)
    unit = along / np.hypot(*along) * width_px / width
    to_frame = np.array([[unit[0], -unit[1], 0.0], [unit[1], unit[0], 0.0]])
    to_frame[:, 2] = np.asarray(centre) - to_frame[:, :2] @ [(width - 1) / 2, (height - 1) / 2]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(frame, to_frame, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _planes(bgr: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(bgr[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255)


def run(args: argparse.Namespace) -> int:
    """Prints the largest change of each net; needs no TensorRT. Raises Error where one is too large."""
    check, too_far = Check(args.models), []
    for net in chosen(args.weights):
        model = load_onnx(net, args.models)
        moved_px = check.moved_px(net, model, half.to_f16(model))
        print(f"{net.label:<32}f16 moves points by {moved_px:.3f} px at most", flush=True)
        if not moved_px <= MOST_PX:
            too_far.append(net.label)
    if too_far:
        raise Error(f"f16 moves points of {', '.join(too_far)} by more than {MOST_PX} px; use f32 for them")
    return 0
