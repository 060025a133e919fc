"""The demonstration patient: a left exotropia, a right ptosis, blinks, and for a while a nystagmus.

Rendered by the project itself with the truth beside every frame; no person stood model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from dmask.arrays import Pixels
from dmask.axes import KAPPA_DEG
from dmask.synthetic.patient import Pose, SyntheticPatient

RATE_FPS = 30
DURATION_S = 8.0
SIZE_PX = 720
SEED = 3
EXOTROPIA_DEG = 12.0  # the left eye's line of sight points this much further to the patient's left
AXES_APART_DEG = 2 * KAPPA_DEG + EXOTROPIA_DEG  # the left optical axis less the right one, as it is drawn
PTOSIS = 0.8  # of the right upper lid
BLINKS_S = (1.0, 4.4, 6.8)
BLINK_HALF_S = 0.12
PURSUIT_S = (1.6, 4.6)  # from, to
PURSUIT_DEG = 14.0
NYSTAGMUS_S = (4.8, 6.6)
NYSTAGMUS_HZ = 3.0
NYSTAGMUS_DEG = 5.0
SLOW_SHARE = 0.85  # of a beat: drift to the patient's right; the rest is the quick phase to the left


def motion(patient: SyntheticPatient, time_s: float) -> Pose:
    """What the patient does at `time_s`: the right eye keeps to the camera but for pursuit and nystagmus."""
    blink = max(max(0.0, 1.0 - abs(time_s - at_s) / BLINK_HALF_S) for at_s in BLINKS_S)
    pose = Pose(
        head_yaw_deg=6.0 * math.sin(2 * math.pi * time_s / 5.0),
        head_pitch_deg=3.0 * math.sin(2 * math.pi * time_s / 7.0),
        head_roll_deg=2.0 * math.sin(2 * math.pi * time_s / 6.0),
        od_closure=min(1.0, 1.4 * blink),
        os_closure=min(1.0, 1.4 * blink),
    )
    yaw_deg, pitch_deg = patient.fixation("od", pose)
    yaw_deg += excursion_deg(time_s)
    pose.od_yaw_deg, pose.od_pitch_deg = yaw_deg, pitch_deg
    pose.os_yaw_deg, pose.os_pitch_deg = yaw_deg + AXES_APART_DEG, pitch_deg
    return pose


def excursion_deg(time_s: float) -> float:
    """Horizontal movement of both eyes besides the fixation."""
    if PURSUIT_S[0] <= time_s < PURSUIT_S[1]:
        turns = (time_s - PURSUIT_S[0]) / (PURSUIT_S[1] - PURSUIT_S[0])
        return PURSUIT_DEG * math.sin(2 * math.pi * turns)
    if NYSTAGMUS_S[0] <= time_s < NYSTAGMUS_S[1]:
        phase = (time_s - NYSTAGMUS_S[0]) * NYSTAGMUS_HZ % 1.0
        slow, quick = phase / SLOW_SHARE, (phase - SLOW_SHARE) / (1 - SLOW_SHARE)
        return NYSTAGMUS_DEG * (0.5 - slow if phase < SLOW_SHARE else quick - 0.5)
    return 0.0


def demo_patient(duration_s: float = DURATION_S) -> Iterator[tuple[np.ndarray, dict[str, float]]]:
    """(frame, truth) after (frame, truth): (720, 720, 3) uint8 BGR, and values named as in frames.csv."""
    patient = SyntheticPatient(SEED, (SIZE_PX, SIZE_PX), ptosis=(PTOSIS, 0.0))
    for number in range(round(duration_s * RATE_FPS)):
        time_s = number / RATE_FPS
        frame, truth = patient.render(motion(patient, time_s))
        yield frame, {"time_s": time_s} | truth


def axes_sentence() -> str:
    """What the table's angle between the eyes is made of."""
    return (
        f"Optical axes: the lines of sight are drawn {EXOTROPIA_DEG:g} degrees apart, as an exotropia,\n"
        f"and each axis points {KAPPA_DEG:g} outward of its own: "
        f"{EXOTROPIA_DEG:g} + 2 x {KAPPA_DEG:g} = {AXES_APART_DEG:g} degrees, left less right."
    )


def write_patient(path: Path, duration_s: float = DURATION_S) -> list[dict[str, float]]:
    """Write the patient's video to `path`; returns the truth, one entry a frame."""
    from dmask.io.video import VideoWriter

    writer = VideoWriter(path, SIZE_PX, SIZE_PX, Fraction(1, RATE_FPS), Fraction(RATE_FPS))
    truth = []
    try:
        for frame, entry in demo_patient(duration_s):
            writer.write(frame, entry["time_s"])
            truth.append(entry)
    finally:
        writer.close()
    return truth


def side_by_side(source: Path, mask: Path, time_s: float) -> Pixels:
    """The frames of both videos at `time_s`, next to each other, as (H, 2W, 3) BGR."""
    from dmask.io.video import VideoReader

    pictures = []
    for path in (source, mask):
        reader = VideoReader(path)
        for frame in reader:
            if frame.time_s >= time_s - 1e-6:
                break
        pictures.append(frame.bgr)
        reader.close()
    return np.hstack(pictures)


def compare(
    truth: list[dict[str, float]], frames: dict[str, np.ndarray]
) -> list[tuple[str, float, float, float]]:
    """Per measure: name, true median, measured median, median absolute error, over frames that have both."""
    rows = []
    for eye in ("od", "os"):
        for name in ("yaw_deg", "pitch_deg", "mrd1_mm", "pfh_mm"):
            true = np.array([entry[f"{eye}_{name}"] for entry in truth])
            measured = frames[f"{eye}_{name}"]
            rows.append(error_row(f"{eye}_{name}", true, measured))
    true = np.array([entry["os_yaw_deg"] - entry["od_yaw_deg"] for entry in truth])
    rows.append(error_row("os-od yaw_deg", true, frames["os_yaw_deg"] - frames["od_yaw_deg"]))
    return rows


def error_row(name: str, true: np.ndarray, measured: np.ndarray) -> tuple[str, float, float, float]:
    """Name, true and measured median, median absolute error, over frames that have both."""
    both = np.isfinite(true) & np.isfinite(measured)
    if not both.any():
        return name, float("nan"), float("nan"), float("nan")
    error = np.abs(measured[both] - true[both])
    return name, float(np.median(true[both])), float(np.median(measured[both])), float(np.median(error))
