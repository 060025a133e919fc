"""How far one eye's lids are open between its blinks, at every moment of a recording.

A smile, a squint, a tired lid or a look down changes it for seconds; a blink does not. So it is what is left
of the openness when dips shorter than FILLED_S are filled up (a morphological closing: the running maximum,
and of it the running minimum), which follows a plateau to its edges.
"""

from __future__ import annotations

import numpy as np

from dmask.measure.running import running_max, running_median, running_min

FILLED_S = 1.3  # a dip that is shorter is filled up: blinks, double ones and slow ones among them
STEADY_S = 0.2  # the running median that keeps single high values out of the maximum
REFERENCE_S = 20.0  # over it the eye was wide open now and then
WIDE_PERCENTILE = 90
SHUT_SHARE = 0.3  # below this share of the reference the lid is shut, however long it stays so
WAY_S = 0.3  # what a lid takes from open to shut, or back, at most
LEAST_SHARE = 0.35  # of the recording's own open lid that the reference keeps through a long sleep


def open_baseline(openness: np.ndarray) -> float:
    """The open lid over a recording: median of what lies above half of the 90th percentile; NaN without."""
    seen = openness[np.isfinite(openness)]
    if not seen.size:
        return float("nan")
    return float(np.median(seen[seen >= 0.5 * np.percentile(seen, WIDE_PERCENTILE)]))


def local_baseline(time_s: np.ndarray, openness: np.ndarray) -> np.ndarray:
    """(F,) the open lid at each of (F,) finite values of the openness in the order of time."""
    reference = wide_open(time_s, openness)
    # Beside a shut lid stand the frames of its way there and back.
    open_lid = running_min(time_s, openness / reference, 2 * WAY_S) >= SHUT_SHARE
    if not open_lid.any():
        return reference
    # The lid's level before a long closure and that after it are joined through it.
    bridged = np.interp(time_s, time_s[open_lid], openness[open_lid])
    steady = running_median(time_s, bridged, STEADY_S)
    filled = running_min(time_s, running_max(time_s, steady, FILLED_S), FILLED_S)
    baseline: np.ndarray = np.maximum(filled, SHUT_SHARE * reference)
    return baseline


def wide_open(time_s: np.ndarray, openness: np.ndarray) -> np.ndarray:
    """(F,) what the eye opens to within REFERENCE_S about each moment, without its smiles and squints."""
    least = LEAST_SHARE * open_baseline(openness)
    at_s = np.arange(time_s[0], time_s[-1] + 1.0)  # it changes over seconds
    first = np.searchsorted(time_s, at_s - REFERENCE_S / 2, "left")
    last = np.searchsorted(time_s, at_s + REFERENCE_S / 2, "right")
    percentiles = [
        np.percentile(openness[i:j], WIDE_PERCENTILE) if j > i else least
        for i, j in zip(first.tolist(), last.tolist(), strict=True)
    ]
    reference: np.ndarray = np.interp(time_s, at_s, np.maximum(percentiles, least))
    return reference
