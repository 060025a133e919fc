"""How a person moves: drawn once for a person, and varied a little for each of his recordings.

Nobody has published all of these spreads together. They are of the size that adults at rest in front of a
camera show, and people differ from each other two to four times as much as one does from day to day: saccades
and blinks come back as constant as that (Bargary et al. 2017, doi:10.1016/j.visres.2017.03.001).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from dmask.axes import KAPPA_DEG, KAPPA_SD_DEG


@dataclass(frozen=True)
class Habits:
    """Pairs are of OD and OS; triples of the head are yaw, pitch and roll."""

    blinks_per_min: float
    blink_closing_s: float
    blink_opening_s: float
    blink_shut_s: float
    partial_share: float  # of the blinks
    blinks_with_gaze: float  # share of the large saccades that come with one
    blink_lag: float  # share by which OD closes less than OS
    droop: tuple[float, float]  # of the upper lids
    lids_follow: float  # gaze down and up, 1 as most do
    posture_deg: tuple[float, float, float]
    sway_deg: tuple[float, float, float]
    sway_hz: float
    head_share: float  # of a shift of gaze
    head_lag_s: float
    kappa_deg: tuple[float, float]  # temporal
    kappa_up_deg: tuple[float, float]
    centre_deg: tuple[float, float]  # where gaze rests in the head
    fixation_s: float
    saccade_deg: float
    across: float  # share of the saccades that are horizontal
    saccade_slowness: float  # of the main sequence, 1 as most
    smiles_per_min: float
    smile_amount: float
    smile_onset_s: float
    smile_hold_s: float
    smile_side: float  # + stronger on the patient's left
    smile_cheek: float  # of the cheeks and lower lids with the mouth
    brows_per_min: float
    brow_amount: float
    brow_onset_s: float
    brow_hold_s: float
    brow_side: float
    brow_outer: float  # of the outer brow with the inner
    brow_nod_deg: float  # of the head with the brows
    frowns_per_min: float
    frown_amount: float
    talking: float  # share of the time
    jaw_amount: float
    jaw_hz: float


# Median, and deviations of the logarithm between people and between recordings of one.
LOGNORMAL = {
    "blinks_per_min": (14.0, 0.55, 0.30),
    "blink_closing_s": (0.10, 0.18, 0.08),
    "blink_opening_s": (0.24, 0.20, 0.10),
    "blink_shut_s": (0.03, 0.40, 0.20),
    "blinks_with_gaze": (0.20, 0.50, 0.20),
    "lids_follow": (1.0, 0.15, 0.05),
    "sway_hz": (0.35, 0.30, 0.15),
    "head_lag_s": (0.25, 0.25, 0.10),
    "fixation_s": (0.45, 0.30, 0.15),
    "saccade_deg": (5.0, 0.30, 0.15),
    "saccade_slowness": (1.0, 0.12, 0.04),
    "smiles_per_min": (4.0, 0.50, 0.35),
    "smile_amount": (0.45, 0.35, 0.15),
    "smile_onset_s": (0.50, 0.30, 0.10),
    "smile_hold_s": (1.5, 0.35, 0.20),
    "smile_cheek": (0.60, 0.35, 0.10),
    "brows_per_min": (6.0, 0.60, 0.35),
    "brow_amount": (0.40, 0.35, 0.15),
    "brow_onset_s": (0.25, 0.30, 0.10),
    "brow_hold_s": (0.7, 0.35, 0.20),
    "brow_outer": (0.70, 0.30, 0.10),
    "frowns_per_min": (3.0, 0.60, 0.35),
    "frown_amount": (0.30, 0.35, 0.15),
    "talking": (0.25, 0.60, 0.40),
    "jaw_amount": (0.15, 0.40, 0.15),
    "jaw_hz": (3.0, 0.15, 0.06),
}
# The same of what is added: mean, deviations between people and between recordings.
NORMAL = {
    "blink_lag": (0.0, 0.03, 0.01),
    "smile_side": (0.0, 0.15, 0.05),
    "brow_side": (0.0, 0.20, 0.05),
    "brow_nod_deg": (1.5, 1.5, 0.5),
}
SHARES = {"partial_share": (0.15, 0.10, 0.05), "head_share": (0.35, 0.12, 0.05), "across": (0.65, 0.10, 0.04)}
PAIRS = {
    "droop": (0.05, 0.06, 0.02),
    "kappa_deg": (KAPPA_DEG, 0.4 * KAPPA_SD_DEG, 0.0),  # beside what both eyes share
    "kappa_up_deg": (0.0, 0.8, 0.0),
    "centre_deg": (0.0, 2.0, 1.5),
}
POSTURE_SD_DEG, POSTURE_DAY_SD_DEG = (2.5, 3.5, 2.0), (3.0, 3.0, 1.0)
SWAY_DEG, SWAY_SD, SWAY_DAY_SD = (3.0, 2.2, 1.2), 0.35, 0.20


def draw_habits(random: np.random.Generator) -> Habits:
    shared_kappa_deg = float(random.normal(0, KAPPA_SD_DEG))
    drawn: dict[str, object] = {
        name: float(median * np.exp(random.normal(0, sd))) for name, (median, sd, _) in LOGNORMAL.items()
    }
    drawn |= {name: float(random.normal(mean, sd)) for name, (mean, sd, _) in NORMAL.items()}
    drawn |= {
        name: float(np.clip(random.normal(mean, sd), 0.02, 0.95)) for name, (mean, sd, _) in SHARES.items()
    }
    drawn |= {name: tuple(random.normal(mean, sd, 2).tolist()) for name, (mean, sd, _) in PAIRS.items()}
    drawn["kappa_deg"] = tuple(random.normal(KAPPA_DEG + shared_kappa_deg, PAIRS["kappa_deg"][1], 2).tolist())
    drawn["posture_deg"] = tuple(random.normal(0, POSTURE_SD_DEG).tolist())
    drawn["sway_deg"] = tuple(np.multiply(SWAY_DEG, np.exp(random.normal(0, SWAY_SD, 3))).tolist())
    return Habits(**drawn)  # type: ignore[arg-type]


def of_the_day(habits: Habits, random: np.random.Generator) -> Habits:
    """The same person in one recording."""
    of = {field.name: getattr(habits, field.name) for field in fields(habits)}
    for name, (_, _, day) in LOGNORMAL.items():
        of[name] = float(of[name] * np.exp(random.normal(0, day)))
    for name, (_, _, day) in NORMAL.items():
        of[name] = float(random.normal(of[name], day))
    for name, (_, _, day) in SHARES.items():
        of[name] = float(np.clip(random.normal(of[name], day), 0.02, 0.95))
    for name, (_, _, day) in PAIRS.items():
        of[name] = tuple(random.normal(of[name], day).tolist())
    of["posture_deg"] = tuple(random.normal(of["posture_deg"], POSTURE_DAY_SD_DEG).tolist())
    of["sway_deg"] = tuple(np.multiply(of["sway_deg"], np.exp(random.normal(0, SWAY_DAY_SD, 3))).tolist())
    return Habits(**of)
