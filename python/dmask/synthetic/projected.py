"""Patients drawn at random and projected to landmarks with noise: what perfect detectors would say.

Nothing is rendered here: what the fits make of these landmarks measures the fits alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dmask import _core
from dmask.axes import gaze_axis

EYES = ("od", "os")


@dataclass
class Patient:
    """Truth that does not change. Lengths in mm, head frame."""

    identity: np.ndarray
    eye_centre: list[np.ndarray]
    patch_offset: list[np.ndarray]
    lid_shape: list[np.ndarray]
    iris_radius: float


@dataclass
class Moment:
    """Truth of one frame; angles in degrees."""

    time_s: float = 0.0
    head_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    head_mm: np.ndarray = field(default_factory=lambda: np.array([0.0, 0.0, 370.0]))
    units: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    gaze_deg: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, 0.0), (0.0, 0.0)])
    lid_motion: list[np.ndarray] = field(default_factory=list)


@dataclass
class Camera:
    """Square picture with the pipeline's own default camera."""

    size: int = 1280
    hfov_deg: float = 40.0

    @property
    def focal_px(self) -> float:
        return 0.5 * self.size / float(np.tan(np.radians(self.hfov_deg / 2)))

    def project(self, points: np.ndarray) -> np.ndarray:
        """(N,3) camera frame, mm -> (N,2) px."""
        xy: np.ndarray = self.focal_px * points[:, :2] / points[:, 2:] + 0.5 * (self.size - 1)
        return xy


def gaze_frame(yaw_deg: float, pitch_deg: float) -> np.ndarray:
    axis = gaze_axis(yaw_deg, pitch_deg)
    side = np.array([np.cos(np.radians(yaw_deg)), 0.0, -np.sin(np.radians(yaw_deg))])
    return np.stack([side, np.cross(axis, side), axis], 1)


def draw_patient(models: _core.Models, rng: np.random.Generator) -> Patient:
    """Identity, lids and eyes within what the models call ordinary."""
    identity = rng.normal(0, 0.8, 50).astype(np.float32)
    offset = [np.r_[rng.normal(0, 0.7, 2), rng.normal(0, 0.2)] for _ in EYES]
    centre = [
        models.eye_centre(eye, identity) + offset[eye] + np.r_[rng.normal(0, 0.5, 2), rng.normal(0, 0.15)]
        for eye in range(2)
    ]
    shape = rng.normal(0, 0.5, models.eyelid_shapes).astype(np.float32)
    return Patient(identity, centre, offset, [shape, shape], float(rng.normal(5.85, 0.15)))


def draw_moment(
    models: _core.Models, patient: Patient, rng: np.random.Generator, time_s: float, gaze_sd_deg: float = 9.0
) -> Moment:
    units = np.zeros(len(models.unit_names), np.float32)
    for k in rng.choice(len(units), 4, replace=False):
        if not models.unit_names[k].startswith("eye"):
            units[k] = rng.uniform(0, 0.3)
    gaze = rng.normal(0, gaze_sd_deg, 2)
    strabismus = rng.normal(0, 2, 2)
    amount = rng.uniform(0, 0.3)
    lids = [models.blink(patient.lid_shape[eye], amount) for eye in range(2)]
    return Moment(
        time_s,
        tuple(rng.normal(0, (8, 5, 4))),
        np.array([rng.normal(0, 5), rng.normal(0, 5), 370.0]),
        units,
        [tuple(gaze), tuple(gaze + strabismus)],
        lids,
    )


def pose_of(moment: Moment, patient: Patient) -> tuple[np.ndarray, np.ndarray]:
    """Head to camera; head_mm is where the midpoint of the eyeball centres lies."""
    rotation = np.asarray(_core.head_rotation(*moment.head_deg))
    middle = 0.5 * (patient.eye_centre[0] + patient.eye_centre[1])
    return rotation, moment.head_mm - rotation @ middle


def lid_lines(models: _core.Models, patient: Patient, moment: Moment, eye: int) -> dict[str, np.ndarray]:
    """Margins, crease and bulge line in the head frame, mm."""
    base = models.eye_centre(eye, patient.identity) + patient.patch_offset[eye]
    lines = models.eyelid_lines(eye, patient.lid_shape[eye], moment.lid_motion[eye])
    return {name: points + base for name, points in lines.items()}


def height_at(line: np.ndarray, x_mm: float) -> float:
    """y of a margin over the head's x."""
    order = np.argsort(line[:, 0])
    return float(np.interp(x_mm, line[order, 0], line[order, 1]))


def true_measures(models: _core.Models, patient: Patient, moment: Moment, eye: int) -> dict[str, float]:
    """MRD1, MRD2, PFH in mm along the head's y at the pupil."""
    lines = lid_lines(models, patient, moment, eye)
    plane = np.sqrt(12.0**2 - patient.iris_radius**2)
    pupil = patient.eye_centre[eye] + plane * gaze_axis(*moment.gaze_deg[eye])
    upper, lower = height_at(lines["upper"], pupil[0]), height_at(lines["lower"], pupil[0])
    return {"mrd1_mm": upper - pupil[1], "mrd2_mm": pupil[1] - lower, "pfh_mm": upper - lower}


def along_canthi(line: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Points (S,2) of a projected margin at given shares of the way between its ends."""
    across = line[-1] - line[0]
    x = np.maximum.accumulate((line - line[0]) @ across / (across @ across) + 1e-9 * np.arange(len(line)))
    return np.stack([np.interp(shares, x, line[:, 0]), np.interp(shares, x, line[:, 1])], 1)


def project(
    models: _core.Models,
    patient: Patient,
    moment: Moment,
    camera: Camera,
    rng: np.random.Generator,
    noise_px: float = 0.5,
) -> _core.FrameDetection:
    """What perfect detectors with noise would say. Hidden limbus points carry no confidence."""
    rotation, translation = pose_of(moment, patient)

    def to_px(points: np.ndarray) -> np.ndarray:
        return camera.project(points @ rotation.T + translation)

    def noisy(points: np.ndarray, confidence: float | np.ndarray = 0.95) -> np.ndarray:
        points = points + rng.normal(0, noise_px, points.shape)
        with_confidence: np.ndarray = np.c_[points, np.broadcast_to(confidence, len(points))]
        return with_confidence.astype(np.float32)

    detection = _core.FrameDetection()
    detection.time_s, detection.width, detection.height = moment.time_s, camera.size, camera.size
    detection.face_found, detection.face_score, detection.sharpness = True, 0.95, 100.0
    detection.face = noisy(to_px(models.landmarks(patient.identity, moment.units, rotation, translation)))
    for eye, name in enumerate(EYES):
        lines = {k: to_px(v) for k, v in lid_lines(models, patient, moment, eye).items()}
        shares = _core.outer_canthus_share * np.linspace(0, 1, 11)
        upper, lower = along_canthi(lines["upper"], shares), along_canthi(lines["lower"], shares)
        upper[-1] = lower[-1] = lines["upper"][0] + shares[-1] * (lines["upper"][-1] - lines["upper"][0])
        found = _core.EyeDetection()
        found.lid = noisy(np.r_[upper, lower[9:0:-1]])

        angle = np.radians(np.arange(18) * 20.0)
        plane = np.sqrt(12.0**2 - patient.iris_radius**2)
        circle = np.c_[np.sin(angle), np.cos(angle), np.zeros(18)] * patient.iris_radius
        circle = np.r_[np.zeros((1, 3)), circle] + [0, 0, plane]
        iris = to_px(circle @ gaze_frame(*moment.gaze_deg[eye]).T + patient.eye_centre[eye])
        # Image y runs down: a point is seen where it lies below the upper and above the lower margin.
        order = np.argsort(upper[:, 0])
        top = np.interp(iris[:, 0], upper[order, 0], upper[order, 1])
        bottom = np.interp(iris[:, 0], lower[order, 0], lower[order, 1])
        visible = (iris[:, 1] > top) & (iris[:, 1] < bottom)
        # Clockwise in the picture from 12 o'clock; the patient's left is the picture's right.
        found.iris = noisy(iris, np.where(visible, 0.95, 0.05))
        for line in ("crease", "bulge"):
            points = lines[line]
            at = np.linspace(0, len(points) - 1, 20)
            index = np.arange(len(points))
            resampled = np.stack([np.interp(at, index, points[:, 0]), np.interp(at, index, points[:, 1])], 1)
            setattr(found, line, noisy(resampled, 0.9))
        setattr(detection, name, found)
    return detection


def known_subject(patient: Patient) -> dict[str, object]:
    subject: dict[str, object] = {
        "identity": patient.identity,
        "scale": 1.0,
        "iris_radius_mm": patient.iris_radius,
    }
    for eye, name in enumerate(EYES):
        subject[f"{name}_shape"] = patient.lid_shape[eye]
        subject[f"{name}_offset"] = patient.patch_offset[eye]
        subject[f"{name}_roll"] = 0.0
        subject[f"{name}_centre"] = patient.eye_centre[eye]
    return subject
