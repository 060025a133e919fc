"""Where people put the 68 landmarks, against the vertices that the face model names for them.

Human labels and a mesh's landmark vertices differ by some per cent of the interocular distance at
nostrils, lids and lips; left alone, that tilts the head by degrees. The face net learnt the human
convention: its points on rendered faces of the model, whose vertices are known, give each
landmark's offset. Contour and brows are left as they are: a bald, painted head says little about
them.

    dmask face-model convention          # after the face net was trained; writes landmarks.dmm
"""

from __future__ import annotations

import argparse

import numpy as np

from dmask.environment import MODELS_DIR, weights_dir
from dmask.io import container
from dmask.models import record
from dmask.point_order import MIRROR_68
from dmask.ranges import whole

FILE = "landmarks.dmm"
FIRST = 27  # nose, lids and lips; before them the contour and the brows
INTEROCULAR_MM = 62.3  # of the mean face


def offsets_mm(
    weights: str, patients: int, size_px: int = 512, hfov_deg: float = 40.0, seed: int = 5
) -> np.ndarray:
    """(68, 3) mean of detected minus projected landmarks over random rendered people, head frame, mm."""
    from dmask import _core
    from dmask.synthetic import Pose, SyntheticPatient

    vertices = container.read(MODELS_DIR / "face.dmm")["landmarks68"]
    yunet = MODELS_DIR / "face_detection_yunet_2023mar.onnx"
    detector = _core.Detector(str(weights_dir(weights)), face_detector_path=str(yunet))
    random = np.random.default_rng(seed)
    found = []
    for k in range(patients):
        patient = SyntheticPatient(seed=100 + k, size=(size_px, size_px), hfov_deg=hfov_deg)
        gaze = random.normal(0, 6, 4)
        frame, _ = patient.render(Pose(random.normal(0, 8), random.normal(0, 6), 0.0, *gaze))
        detector.reset()
        detection = detector.detect(frame, float(k))
        if not detection.face_found:
            continue
        mesh = patient.vertices()[vertices]
        focal_px = 0.5 * size_px / np.tan(np.radians(hfov_deg / 2))
        projected = focal_px * mesh[:, :2] / mesh[:, 2:] + 0.5 * (size_px - 1)
        interocular_px = np.linalg.norm(projected[36:42].mean(0) - projected[42:48].mean(0))
        found.append((np.array(detection.face)[:, :2] - projected) / interocular_px * INTEROCULAR_MM)
    mean = np.mean(found, axis=0) * [1, -1]  # the picture's y runs down
    mean = 0.5 * (mean + mean[MIRROR_68] * [-1, 1])
    mean[:FIRST] = 0
    return np.c_[mean, np.zeros(68)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--patients", type=whole(1), default=60, metavar="N")
    parser.add_argument("--weights", choices=("research", "open"), default="research")


def run(args: argparse.Namespace) -> int:
    folder = weights_dir(args.weights)
    file = folder / FILE
    if not file.exists():  # the core reads it before the first offsets are known
        container.write(file, {"offset_mm": np.zeros((68, 3), np.float32)})
    offsets = offsets_mm(args.weights, args.patients)
    container.write(file, {"offset_mm": offsets.astype(np.float32)})
    record(
        FILE,
        "as face68.onnx: measured with it on the project's own renders",
        f"dmask face-model convention --weights {args.weights}",
        folder,
    )
    print(f"{FILE}: median {np.median(np.linalg.norm(offsets[FIRST:], axis=1)):.2f} mm")
    return 0
