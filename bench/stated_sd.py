"""The standard deviations that are stated, as fit/uncertainty.cc has them: by what a cohort erred.

    dmask eval rendered --cohort --ict DIR --unityeyes2 DIR --patients 1000 --table fit.csv
    python bench/stated_sd.py fit.csv

prints a Spread a measure, and how often the errors of those patients, and of those left out in turn, lie
within one and 1.96 standard deviations. Patients of other numbers than these measure what is claimed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from dmask.evaluate.cohort import NOMINAL, WITHIN, read_tables

SPREADS = {
    "yaw_deg": "of_yaw",
    "pitch_deg": "of_pitch",
    "mrd1_mm": "of_mrd1",
    "mrd2_mm": "of_mrd2",
    "pfh_mm": "of_pfh",
    "head_yaw_deg": "of_head_yaw",
    "head_pitch_deg": "of_head_pitch",
    "head_roll_deg": "of_head_roll",
    "inter_eye_yaw_deg": "of_apart",
    "inter_eye_pitch_deg": "of_height",
}
TERMS = ("always", "coarse", "turned", "aside", "narrow", "placed")
# Where the eyeballs' places are known this much is left (`dmask eval synthetic`); the rest is theirs.
KNOWN_GAZE_DEG = 0.6
SCALE_SD = float(np.hypot(89.0 / 2.9, 11.71 / 0.42) ** -1)  # of metric_scale(), no iris being measured
USUAL_OPENNESS = 0.3
IRIS_PLANE_MM = 10.48
FOLDS = 5
# Tails are longer than Gaussian ones: who reads an interval wants them in.
IMPORTANCE = {"68": 1.0, "95": 2.0}


def of_gaze(name: str) -> bool:
    """Whether it is an angle of the eyes."""
    return name.endswith("_deg") and not name.startswith("head")


def covariates(table: dict[str, np.ndarray], name: str) -> np.ndarray:
    """(N, T) what each term of a Spread is multiplied with, as in sd() of fit/uncertainty.cc."""
    key = table["seed"] * 1e4 + table["frame"]
    of_od = table["eye"] == "od"
    row = {k: i for i, k in zip(np.flatnonzero(of_od), key[of_od], strict=True)}
    od = np.array([row[k] for k in key])
    os = od + 1
    yaw, pitch = np.radians(table["head_yaw_deg"][od]), np.radians(table["head_pitch_deg"][od])
    turned = np.sqrt(np.clip(1 - (np.cos(yaw) * np.cos(pitch)) ** 2, 0, 1))
    px_per_deg = 0.5 * (table["px_per_deg"][od] + table["px_per_deg"][os])
    aside = np.sin(np.radians(np.hypot(table["yaw_deg"], table["pitch_deg"])))
    narrow = np.where(table["openness"] > 0, np.clip(1 - table["openness"] / USUAL_OPENNESS, 0, None), 0)
    axis = "pitch" if "pitch" in name else "yaw"
    placed_mm = table[f"eye_centre_sd_{'y' if axis == 'pitch' else 'x'}_mm"]
    away = np.clip(np.cos(np.radians(table[f"{axis}_deg"])), 0.3, None)
    placed = np.degrees(placed_mm / (IRIS_PLANE_MM * away))
    if name.startswith("inter_eye"):
        aside, narrow = np.fmax(aside[od], aside[os]), np.fmax(narrow[od], narrow[os])
        placed = np.hypot(placed[od], placed[os])
    elif name.startswith("head"):
        aside = narrow = placed = np.zeros(len(key))
    else:
        px_per_deg = table["px_per_deg"]
        aside = np.where(np.isfinite(aside), aside, 0)
        placed = placed if name in ("yaw_deg", "pitch_deg") else np.zeros(len(key))
    return np.stack([np.ones(len(key)), 1 / px_per_deg, turned, aside, narrow, placed], 1)


def fixed_variance(table: dict[str, np.ndarray], name: str) -> np.ndarray:
    """(N,) what is known without a fit: of the scale, and of a gaze whose eyeball's place is known."""
    if name.endswith("_mm"):
        return (SCALE_SD * table[name]) ** 2
    both = 2 if name.startswith("inter_eye") else 1
    return np.full(len(table[name]), of_gaze(name) * both * KNOWN_GAZE_DEG**2)


def fitted(squares: np.ndarray, fixed: np.ndarray, error: np.ndarray, free: np.ndarray) -> np.ndarray:
    """(T,) coefficients >= 0: quantile regression of |error| at one and at 1.96 standard deviations."""
    scale = float(np.quantile(error, 0.68)) ** 2
    typical = squares.mean(0)
    typical[typical == 0] = 1

    def cost(share: np.ndarray) -> float:
        sd = np.sqrt(fixed + squares @ (share * scale / typical) + 1e-9)
        total = 0.0
        for level, z in WITHIN.items():
            over = error - z * sd
            loss = np.where(over > 0, NOMINAL[level] * over, (NOMINAL[level] - 1) * over)
            total += IMPORTANCE[level] * float(loss.mean()) / z
        return total + 1e-3 * np.sqrt(scale) * float(share.sum())  # no term that tells nothing

    best = None
    for start in np.random.default_rng(0).uniform(0, 0.5, (8, squares.shape[1])):
        found = minimize(
            cost,
            start * free,
            method="Powell",
            bounds=[(0, 4 * f + 1e-12) for f in free],
            options={"maxiter": 40},
        )
        best = found if best is None or found.fun < best.fun else best
    return np.sqrt(best.x * scale / typical) * free


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", type=Path, nargs="+")
    table = read_tables(parser.parse_args().tables)
    seeds = table["seed"]
    print(f"{len(np.unique(seeds))} patients")
    for name, spread in SPREADS.items():
        error = np.abs(table[name] - table[f"{name}_true"])
        terms, fixed = covariates(table, name), fixed_variance(table, name)
        kept = np.isfinite(error) & np.isfinite(terms).all(1)
        error, squares, fixed, own = error[kept], terms[kept] ** 2, fixed[kept], seeds[kept]
        gaze = of_gaze(name)
        free = ((squares > 0).any(0) & ~np.array([gaze, *[False] * (len(TERMS) - 1)])).astype(float)
        found = fitted(squares, fixed, error, free)
        out = np.zeros(len(error))  # of patients that the fit did not see
        people = np.unique(own)
        for fold in range(FOLDS):
            left_out = np.isin(own, people[fold::FOLDS])
            seen = fitted(squares[~left_out], fixed[~left_out], error[~left_out], free)
            out[left_out] = np.sqrt(fixed[left_out] + squares[left_out] @ seen**2)
        shown = found.copy()
        if gaze:
            shown[0] = KNOWN_GAZE_DEG * (np.sqrt(2) if name.startswith("inter_eye") else 1)
        sd = np.sqrt(fixed + squares @ found**2)
        cover = "; ".join(
            f"{level} %: {np.mean(error <= z * sd):.3f}, left out {np.mean(error <= z * out):.3f}"
            for level, z in WITHIN.items()
        )
        numbers = ", ".join(f"{value:.3g}" for value in shown)
        print(f"constexpr Spread {spread}{{{numbers}}};  // median {np.median(sd):.3g}, within {cover}")


if __name__ == "__main__":
    main()
