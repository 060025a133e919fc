"""How sure a median over frames is that follow each other: neighbours say nearly the same."""

from __future__ import annotations

import numpy as np

MEDIAN_OVER_MEAN = 1.2533  # standard error of a median over that of a mean, Gaussian
Z95 = 1.96


def effective_number(values: np.ndarray) -> float:
    """Independent values among (N,) in order: N / (1 + 2 sum of autocorrelations), between 1 and N.

    The sum ends where two neighbouring autocorrelations are together no longer positive (Geyer 1992).
    """
    count = values.size
    centred = values - values.mean() if count else values
    power = float(centred @ centred)
    if count < 3 or power < 1e-18:
        return float(count)
    spectrum = np.fft.rfft(centred, 2 * count)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:count] / power
    pairs = correlation[1 : count - 1 : 2] + correlation[2:count:2]
    ended = np.flatnonzero(pairs <= 0)
    total = float(pairs[: ended[0] if ended.size else pairs.size].sum())
    return float(np.clip(count / (1 + 2 * total), 1.0, count))


def median_with_interval(
    values: np.ndarray, constant_sd: float
) -> dict[str, float | int | list[float] | None]:
    """Median of (N,) finite values with its 95 % interval, and how many of them are independent.

    `constant_sd` is of what is the same in every frame and does not average out; NaN gives no interval.
    """
    if not values.size:
        return {"median": None, "interval_95": None, "effective_frames": None}
    median, independent = float(np.median(values)), effective_number(values)
    scatter_sd = float(np.std(values))
    half = Z95 * float(np.hypot(MEDIAN_OVER_MEAN * scatter_sd / np.sqrt(independent), constant_sd))
    interval = [round(median - half, 2), round(median + half, 2)] if np.isfinite(half) else None
    return {"median": round(median, 3), "interval_95": interval, "effective_frames": round(independent, 1)}
