"""Round trips: a random patient is projected to landmarks with noise, and the fits have to find it again.

Nothing is rendered here: this measures the fits alone. `dmask eval synthetic` prints the figures.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field

import numpy as np

from dmask import _core
from dmask.axes import gaze_axis
from dmask.environment import MODELS_DIR
from dmask.ranges import whole
from dmask.synthetic.projected import (
    EYES,
    Camera,
    Moment,
    draw_moment,
    draw_patient,
    known_subject,
    project,
    true_measures,
)

SIGMA_PCT = 0.3  # of the interocular distance: noise and what splines and cubics leave


@dataclass
class Errors:
    """One entry a frame and eye: of angles their size, of millimetres measured minus true."""

    rotation_deg: list[float] = field(default_factory=list)
    inter_eye_deg: list[float] = field(default_factory=list)
    head_deg: list[float] = field(default_factory=list)
    opening_mm: list[float] = field(default_factory=list)
    mrd1_mm: list[float] = field(default_factory=list)


def angle_between_deg(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(np.degrees(np.arccos(np.clip(gaze_axis(*a) @ gaze_axis(*b), -1, 1))))


def round_trip(
    models_dir: str,
    patients: int = 10,
    frames: int = 40,
    known_statics: bool = False,
    noise_px: float = 0.5,
    seed: int = 1,
) -> Errors:
    """Fits `patients` drawn at random over `frames` each.

    With `known_statics` the subject is known already, eyeballs included; else all of it is fitted.
    """
    rng = np.random.default_rng(seed)
    models, camera, errors = _core.Models(models_dir), Camera(), Errors()
    for _ in range(patients):
        patient = draw_patient(models, rng)
        moments = [draw_moment(models, patient, rng, 1.0 * k) for k in range(frames)]
        detections = [project(models, patient, m, camera, rng, noise_px) for m in moments]
        options = _core.Options()
        options.models_dir = models_dir
        options.hvid_mm = 2 * patient.iris_radius
        # Real detectors err by percents, and all points together; these err by half a pixel, each alone.
        options.landmark_sigma_pct = options.lid_sigma_pct = options.iris_sigma_pct = SIGMA_PCT
        options.limbus_information, options.window_information = 18.0, 6.0
        pipeline = _core.Pipeline(options)
        if known_statics:
            pipeline.use_subject(known_subject(patient), camera.size, camera.size)
        else:
            pipeline.calibrate(detections)
        for moment, detection in zip(moments, detections, strict=True):
            result = pipeline.fit(detection)
            if not result.face_valid:
                raise RuntimeError(f"the face of a synthetic frame was refused: {result.face_reason}")
            head = np.array([result.head_yaw_deg, result.head_pitch_deg, result.head_roll_deg])
            errors.head_deg.append(float(np.abs(head - moment.head_deg).max()))
            gaze = []
            for eye, name in enumerate(EYES):
                got = getattr(result, name)
                if not got.valid:
                    continue
                gaze.append((got.yaw_deg, got.pitch_deg))
                errors.rotation_deg.append(angle_between_deg(gaze[-1], moment.gaze_deg[eye]))
                truth = true_measures(models, patient, moment, eye)
                errors.opening_mm.append(got.pfh_mm - truth["pfh_mm"])
                errors.mrd1_mm.append(got.mrd1_mm - truth["mrd1_mm"])
            if len(gaze) == 2:
                true_difference = np.subtract(moment.gaze_deg[1], moment.gaze_deg[0])
                error = np.subtract(gaze[1], gaze[0]) - true_difference
                errors.inter_eye_deg.append(float(np.abs(error).max()))
    return errors


def oscillation_gain(
    models_dir: str, smoothing_scale: float, hertz: float = 5.0, amplitude_deg: float = 5.0, fps: float = 60.0
) -> float:
    """Measured over true amplitude of a horizontal pendular oscillation; a phase lag counts as a loss."""
    rng = np.random.default_rng(2)
    models, camera = _core.Models(models_dir), Camera()
    patient = draw_patient(models, rng)
    options = _core.Options()
    options.models_dir = models_dir
    options.smoothing_scale = smoothing_scale
    pipeline = _core.Pipeline(options)
    calm = [draw_moment(models, patient, rng, 0.2 * k) for k in range(24)]
    pipeline.calibrate([project(models, patient, m, camera, rng, 0.0) for m in calm])
    lids = [models.blink(patient.lid_shape[eye], 0.0) for eye in range(2)]
    units = np.zeros(len(models.unit_names), np.float32)
    truth, measured = [], []
    for k in range(180):
        time_s = 10 + k / fps
        yaw = amplitude_deg * np.sin(2 * np.pi * hertz * time_s)
        moment = Moment(time_s, (0, 0, 0), np.array([0, 0, 370.0]), units, [(yaw, 0.0)] * 2, lids)
        truth.append(yaw)
        measured.append(pipeline.fit(project(models, patient, moment, camera, rng, 0.0)).od.yaw_deg)
    settled = slice(30, None)
    wave = np.array(truth)[settled]
    return float(np.array(measured)[settled] @ wave / (wave @ wave))


def oscillation_kept(models_dir: str) -> float:
    """Share of a 5 Hz, 5 degree oscillation at 60 fps that survives the smoothing, against none (1 = all)."""
    return oscillation_gain(models_dir, 1.0) / oscillation_gain(models_dir, 1e6)


def report(models_dir: str, patients: int, frames: int) -> dict[str, float]:
    """Medians and 95th percentiles of both round trips' errors, of millimetres their medians with their sign,
    too; and what smoothing keeps of an oscillation."""
    figures: dict[str, float] = {}
    for label, known in (("statics_known", True), ("statics_fitted", False)):
        errors = round_trip(models_dir, patients, frames, known)
        for name, values in vars(errors).items():
            figures[f"{label}_{name}_median"] = float(np.median(np.abs(values)))
            figures[f"{label}_{name}_p95"] = float(np.percentile(np.abs(values), 95))
            if name.endswith("_mm"):
                figures[f"{label}_{name}_bias"] = float(np.median(values))
    figures["oscillation_5hz_5deg_60fps_kept"] = oscillation_kept(models_dir)
    return figures


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--patients", type=whole(1), default=10, metavar="N")
    parser.add_argument("--frames", type=whole(1), default=40, metavar="N", help="of each patient")


def run(args: argparse.Namespace) -> dict[str, float]:
    return report(str(MODELS_DIR), args.patients, args.frames)
