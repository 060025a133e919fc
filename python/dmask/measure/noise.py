"""How much a measure trembles from frame to frame where nothing moves: less is not seen in it."""

from __future__ import annotations

import numpy as np

LEAST_TRIPLES = 20
EVEN = 1.5  # of two neighbouring intervals, the longer one
MAD_OF_NORMAL = 0.6745


def noise_step(time_s: np.ndarray, values: np.ndarray) -> float | None:
    """RMS difference of neighbouring frames that noise alone makes, in the unit of `values` (N,).

    From three frames in a row: what moves evenly cancels, the median leaves out saccades and blinks. None
    where too few such frames have finite values.
    """
    before_s, after_s = np.diff(time_s)[:-1], np.diff(time_s)[1:]
    even = np.maximum(before_s, after_s) <= EVEN * np.minimum(before_s, after_s)
    bend = values[:-2] - 2 * values[1:-1] + values[2:]
    kept = np.isfinite(bend) & even
    if kept.sum() < LEAST_TRIPLES:
        return None
    # Independent noise of deviation s: the bend's is sqrt(6) s, the RMS difference of neighbours sqrt(2) s.
    spread = np.median(np.abs(bend[kept])) / MAD_OF_NORMAL
    return float(spread / np.sqrt(3))
