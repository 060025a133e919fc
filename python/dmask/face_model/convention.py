"""Where people put the 68 landmarks, against the vertices that the face model names for them.

Human labels and a mesh's landmark vertices differ by some per cent of the interocular distance at
nostrils, lids and lips; left alone, that tilts the head by degrees. The face net learnt the human
convention: its points on rendered faces of the model, whose vertices are known, give each
landmark's offset. The contour's is across it alone, for along it a landmark may lie anywhere. Brows are
left as they are: everybody has his own.

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
CONTOUR, BROWS = slice(0, 17), slice(17, 27)
FIRST_SEED = 10_000  # of people whom no evaluation draws
INTEROCULAR_MM = 62.3  # of the mean face


def offsets_mm(
    weights: str, patients: int, size_px: int = 512, hfov_deg: float = 40.0, seed: int = 5
) -> np.ndarray:
    """(68, 3) mean of detected minus projected landmarks over random rendered people, head frame, mm."""
    from dmask import _core
    from dmask.synthetic import Pose, SyntheticPatient

    detector = _core.Detector(
        str(weights_dir(weights)), face_detector_path=str(MODELS_DIR / "face_detection_yunet_2023mar.onnx")
    )
    models, at_rest = _core.Models(str(MODELS_DIR)), np.zeros(0, np.float32)
    shipped = container.read(MODELS_DIR / FILE)["offset_mm"]  # which `models` add
    random = np.random.default_rng(seed)
    found, outwards = [], []
    for k in range(patients):
        patient = SyntheticPatient(seed=FIRST_SEED + k, size=(size_px, size_px), hfov_deg=hfov_deg)
        gaze = random.normal(0, 6, 4)
        pose = Pose(random.normal(0, 8), random.normal(0, 6), 0.0, *gaze)
        frame, _ = patient.render(pose)
        detector.reset()
        detection = detector.detect(frame, float(k))
        if not detection.face_found:
            continue
        mesh = models.landmarks(patient.identity, at_rest, *patient.head_pose(pose)) - shipped
        projected = patient.in_picture(mesh, pose)
        interocular_px = np.linalg.norm(projected[36:42].mean(0) - projected[42:48].mean(0))
        found.append((np.array(detection.face)[:, :2] - projected) / interocular_px * INTEROCULAR_MM)
        outwards.append(across(projected[CONTOUR]))
    upright = [1, -1]  # the picture's y runs down
    mean = symmetric(np.mean(found, axis=0) * upright)
    normal = symmetric_contour(np.mean(outwards, axis=0) * upright)
    mean[CONTOUR] = (mean[CONTOUR] * normal).sum(1, keepdims=True) * normal
    mean[BROWS] = 0
    return np.c_[mean, np.zeros(68)]


def across(contour: np.ndarray) -> np.ndarray:
    """(17, 2) outward unit normals of a contour in a picture."""
    along = np.gradient(contour, axis=0)
    normal: np.ndarray = np.c_[-along[:, 1], along[:, 0]] / np.linalg.norm(along, axis=1, keepdims=True)
    return normal


def symmetric(offsets: np.ndarray) -> np.ndarray:
    """(68, 2) x and y, the mean of a face and its mirror image."""
    return 0.5 * (offsets + offsets[MIRROR_68] * [-1, 1])


def symmetric_contour(normals: np.ndarray) -> np.ndarray:
    """(17, 2) unit normals, made as symmetric."""
    mean = normals + normals[::-1] * [-1, 1]
    unit: np.ndarray = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return unit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--patients", type=whole(1), default=400, metavar="N")
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
    print(f"{FILE}: median {np.median(np.linalg.norm(offsets[BROWS.stop :], axis=1)):.2f} mm")
    return 0
