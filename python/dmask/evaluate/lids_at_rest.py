"""What is true of a rendered patient's lids at rest, by the definitions of the measures."""

from __future__ import annotations

import numpy as np

from dmask.measure.clinical.lids import contour_about
from dmask.synthetic.patient import EYES, SyntheticPatient
from dmask.synthetic.visits import Visit

MOST_PTOSIS = 0.6


def ptosis_of(random: np.random.Generator) -> tuple[float, float]:
    """Of OD and OS: every other lid droops."""
    od, os = (float(random.uniform(0, MOST_PTOSIS)) if random.random() < 0.5 else 0.0 for _ in EYES)
    return od, os


def lid_truth(patient: SyntheticPatient, visit: Visit) -> dict[str, float]:
    """Of the moment in the middle of those without a blink; a name ends with the eye."""
    still = [moment.pose for moment in visit.moments if moment.pose.od_closure == 0]
    pose = still[len(still) // 2]
    _, told = patient.render(pose)
    rotation, translation = patient.head_pose(pose)
    head_mm = (patient.vertices() - translation) @ rotation
    truth: dict[str, float] = {}
    for eye in EYES:
        upper_mm, crease_mm = (head_mm[patient.lid_rows(eye, line)] for line in ("upper_margin", "crease"))
        pupil_mm = patient.pupil(eye, pose)
        seen = contour_about(pupil_mm, upper_mm, crease_mm, eye)
        of_eye = {
            "contour_peak_mm": seen.peak_mm,
            "lateral_flare_ratio": seen.flare,
            "crease_height_mm": seen.crease_mm,
            "mrd1_mm": told[f"{eye}_mrd1_mm"],
            "mrd2_mm": told[f"{eye}_mrd2_mm"],
            "fissure_mm": told[f"{eye}_pfh_mm"],
        }
        truth |= {f"lids.{name}/primary/{eye}": value for name, value in of_eye.items()}
    return {name: float(value) for name, value in truth.items() if np.isfinite(value)}
