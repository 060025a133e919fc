"""The demonstration patient at a slit lamp: the right eye alone, its lid drooping, blinks, and a nystagmus.

Rendered by the project itself with the truth beside every frame; no person stood model.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from dmask.synthetic.demo import BLINK_HALF_S, BLINKS_S, DURATION_S, PTOSIS, RATE_FPS, SEED, excursion_deg
from dmask.synthetic.patient import Pose, SyntheticPatient
from dmask.synthetic.slit_light import Beam, Eye, shine

SIZE_PX = 960, 640
HFOV_DEG, DISTANCE_MM = 8.0, 400.0
SWAY_MM, SWAY_S = 0.8, 3.1  # of a head on a chin rest
PUPIL_MM = 3.8  # as the renderer draws it
BEAM = Beam(at=-0.12, half_width=0.035, length=0.5, aslant=0.1, bent=0.2, room=0.55, gain=1.1, haze=6.0)
MEASURES = ("yaw_deg", "pitch_deg", "mrd1_mm", "pfh_mm", "pupil_mm")


def motion(time_s: float) -> Pose:
    """The eye that is looked at follows, beats and blinks; the head is still."""
    blink = max(max(0.0, 1.0 - abs(time_s - at_s) / BLINK_HALF_S) for at_s in BLINKS_S)
    yaw_deg = excursion_deg(time_s)
    return Pose(
        od_yaw_deg=yaw_deg, os_yaw_deg=yaw_deg,
        od_closure=min(1.0, 1.4 * blink), os_closure=min(1.0, 1.4 * blink),
    )  # fmt: skip


def slit_lamp_patient(duration_s: float = DURATION_S) -> Iterator[tuple[np.ndarray, dict[str, float]]]:
    """(frame, truth) after (frame, truth): (640, 960, 3) uint8 BGR, and values named as in frames.csv.

    Angles are those of a head that faces the camera.
    """
    middle_mm = SyntheticPatient(SEED, SIZE_PX, HFOV_DEG)
    aside = 0.5 * (middle_mm.eye_centre("os") - middle_mm.eye_centre("od"))[0]
    for number in range(round(duration_s * RATE_FPS)):
        time_s = number / RATE_FPS
        sway = SWAY_MM * np.sin(2 * np.pi * time_s / SWAY_S)
        patient = SyntheticPatient(
            SEED, SIZE_PX, HFOV_DEG, (PTOSIS, 0.0), (aside + sway, 0.5 * sway, DISTANCE_MM)
        )
        frame, truth = patient.render(motion(time_s))
        upper, _ = patient.margins("od")
        lit = shine(frame, Eye(upper[[0, -1]].astype(np.float32)), BEAM)
        known = {f"od_{name}": truth[f"od_{name}"] for name in MEASURES if name != "pupil_mm"}
        yield lit, {"time_s": time_s} | known | {"od_pupil_mm": PUPIL_MM}


def write_slit_lamp_patient(path: Path, duration_s: float = DURATION_S) -> list[dict[str, float]]:
    """Write the video to `path`; returns the truth, one entry a frame."""
    from dmask.io.video import VideoWriter

    writer = VideoWriter(path, *SIZE_PX, Fraction(1, RATE_FPS), Fraction(RATE_FPS))
    truth = []
    try:
        for frame, entry in slit_lamp_patient(duration_s):
            writer.write(frame, entry["time_s"])
            truth.append(entry)
    finally:
        writer.close()
    return truth


def compare(
    truth: list[dict[str, float]], frames: dict[str, np.ndarray]
) -> list[tuple[str, float, float, float]]:
    """Per measure: name, true and measured median, median absolute error, over frames that have both; angles
    less the true ones' median, as they are against where the eye rests."""
    from dmask.synthetic.demo import error_row

    rows = []
    for name in MEASURES:
        true = np.array([entry[f"od_{name}"] for entry in truth])
        if name.endswith("_deg"):
            true = true - np.median(true)
        rows.append(error_row(f"od_{name}", true, frames[f"od_{name}"]))
    return rows
