"""Where people put the 68 landmarks, against the vertices that the face model names for them.

Human labels and a mesh's landmark vertices differ by some per cent of the interocular distance at
nostrils, lids, lips, brows and along the contour; left alone, that tilts the head by degrees. The
face net learnt the human convention: its points on rendered faces of the model, whose vertices are
known, give each landmark's offset. Of the contour it is what lies across it.

    dmask face-model convention --ict DIR --unityeyes2 DIR     # after the face net was trained

writes landmarks.dmm. Without the two folders faces are bald and painted, as the mask is: that says
little about brows and contour, which it leaves as they are.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np

from dmask.environment import MODELS_DIR, weights_dir
from dmask.io import container
from dmask.models import record
from dmask.point_order import MIRROR_68, POINT_GROUPS
from dmask.ranges import whole
from dmask.studio_folders import add_studio_arguments, studio_folders

if TYPE_CHECKING:
    from dmask.arrays import Floats
    from dmask.synthetic import Pose, SyntheticPatient
    from dmask.train.studio import Studio, StudioAssets

FILE = "landmarks.dmm"
CONTOUR, INSIDE = POINT_GROUPS["jaw"].stop, POINT_GROUPS["nose"].start
SIZE_PX, HFOV_DEG, FIRST_PATIENT, LOOKS = 720, 40.0, 1000, 2
OUTLIER_MM = 4.0
ALONG = 0.05  # what a point's place along the contour counts against its place across
RIDGE = np.array([0.02, 0.02, 1.0])  # of a look, towards no offset: depth is hardly seen


def offsets_mm(weights: str, patients: int, assets: StudioAssets | None = None, seed: int = 5) -> Floats:
    """(68, 3) mean of detected minus the model's landmarks over random rendered people, head frame, mm."""
    from dmask import _core
    from dmask.synthetic import Pose, SyntheticPatient

    folder = weights_dir(weights)
    yunet = MODELS_DIR / "face_detection_yunet_2023mar.onnx"
    detector = _core.Detector(str(folder), face_detector_path=str(yunet))
    landmarks = Landmarks()
    random = np.random.default_rng(seed)
    normal, right = np.zeros((68, 3, 3)), np.zeros((68, 3))
    looks = 0
    for k in range(patients):
        patient = SyntheticPatient(FIRST_PATIENT + k, (SIZE_PX, SIZE_PX), HFOV_DEG)
        studio = drawn_by(patient, assets, k)
        for look in range(LOOKS):
            pose = Pose(random.normal(0, 11), random.normal(0, 8), 0.0, *random.normal(0, 7, 4))
            frame = studio.photograph(pose, look)[0] if studio else patient.render(pose)[0]
            points = landmarks.of(patient, pose)
            detector.reset()
            detection = detector.detect(frame, float(looks))
            looks += 1
            if detection.face_found:
                rotation = patient.head_pose(pose)[0]
                add_look(np.array(detection.face), points, rotation, patient.focal_px, normal, right)
    solved = np.linalg.solve(normal + looks * np.diag(RIDGE), right[..., None])[..., 0]
    mean: Floats = 0.5 * (solved + solved[MIRROR_68] * [-1, 1, 1])
    if assets is None:
        mean[:INSIDE] = 0
    return mean


def drawn_by(patient: SyntheticPatient, assets: StudioAssets | None, number: int) -> Studio | None:
    if assets is None:
        return None
    from dmask.train.studio import Studio

    return Studio(patient, assets, FIRST_PATIENT + number)


class Landmarks:
    """Where the model has a rendered patient's landmarks: its vertices, and the contour as it is seen."""

    def __init__(self) -> None:
        from dmask import _core

        self._models = _core.Models(str(MODELS_DIR))
        self._convention = container.read(MODELS_DIR / FILE)["offset_mm"][:CONTOUR]

    def of(self, patient: SyntheticPatient, pose: Pose) -> Floats:
        """(68, 3) of the frame that was rendered last, camera frame, mm."""
        points: Floats = patient.vertices()[patient.landmark_rows].astype(np.float64)
        rotation, translation = patient.head_pose(pose)
        seen = self._models.landmarks(patient.identity, patient.face_motion(pose), rotation, translation)
        points[:CONTOUR] = (seen[:CONTOUR] - self._convention) @ rotation.T + translation
        return points


def add_look(
    detected: Floats, points: Floats, rotation: Floats, focal_px: float, normal: Floats, right: Floats
) -> None:
    """Adds what one frame says of each offset to its normal equations: (68, 3, 3) and (68, 3)."""
    middle = 0.5 * (SIZE_PX - 1)
    projected = focal_px * points[:, :2] / points[:, 2:] + middle
    for i, (point, at) in enumerate(zip(points, projected, strict=True)):
        x, y, z = point
        by_offset = np.array([[1, 0, -x / z], [0, 1, -y / z]]) @ rotation  # of mm in the picture
        residual = (detected[i, :2] - at) * z / focal_px
        weight = np.eye(2)
        if i < CONTOUR:
            along = projected[min(i + 1, CONTOUR - 1)] - projected[max(i - 1, 0)]
            along /= np.linalg.norm(along)
            weight -= (1 - ALONG) * np.outer(along, along)
        weight *= detected[i, 2] ** 2 / (1 + residual @ residual / OUTLIER_MM**2)
        normal[i] += by_offset.T @ weight @ by_offset
        right[i] += by_offset.T @ weight @ residual


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--patients", type=whole(1), default=60, metavar="N")
    parser.add_argument("--weights", choices=("research", "open"), default="research")
    add_studio_arguments(parser, "ICT-FaceKit's folder: faces with skin, hair")


def run(args: argparse.Namespace) -> int:
    assets = None
    if folders := studio_folders(args):
        from dmask.train.studio import StudioAssets  # needs scipy

        assets = StudioAssets.load(*folders)
    folder = weights_dir(args.weights)
    file = folder / FILE
    if not file.exists():  # the core reads it before the first offsets are known
        container.write(file, {"offset_mm": np.zeros((68, 3), np.float32)})
    offsets = offsets_mm(args.weights, args.patients, assets)
    container.write(file, {"offset_mm": offsets.astype(np.float32)})
    drawn = " --ict DIR --unityeyes2 DIR" if assets else ""
    record(
        FILE,
        "as face68.onnx: measured with it on the project's own renders",
        f"dmask face-model convention --weights {args.weights}{drawn}",
        folder,
    )
    print(f"{FILE}: median {np.median(np.linalg.norm(offsets[INSIDE:], axis=1)):.2f} mm")
    return 0
