"""How sure a median over frames is that follow each other: neighbours say nearly the same."""

from __future__ import annotations

import math

import numpy as np

MEDIAN_OVER_MEAN = 1.2533  # standard error of a median over that of a mean, Gaussian
Z95 = 1.96
MANY = 200  # values, of which a binomial is a normal distribution


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


def median_by_ranks(values: np.ndarray) -> tuple[float, float | None, float | None]:
    """Median of (N,) values that are drawn apart, with the ranks between which it lies in 95 % of the draws.

    Of fewer than six no two ranks are so sure: no interval (David and Nagaraja, Order Statistics, 7.1).
    """
    ordered = np.sort(values)
    rank = lowest_rank(ordered.size)
    low, high = (None, None) if rank is None else (float(ordered[rank]), float(ordered[-1 - rank]))
    return float(np.median(ordered)), low, high


def lowest_rank(count: int) -> int | None:
    """Of the value below which a median lies in 2.5 % of the draws at most; None of too few values."""
    chance, rank = 0.5**count, 0  # that none lies below the median
    if count > MANY:
        return int(0.5 * count - 0.5 * Z95 * math.sqrt(count))
    while (more := chance + math.comb(count, rank + 1) * 0.5**count) <= 0.025:
        chance, rank = more, rank + 1
    return rank if chance <= 0.025 else None


def share_interval(part: int, whole: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    share, spread = part / whole, Z95**2 / whole
    middle = (share + spread / 2) / (1 + spread)
    half = Z95 * math.sqrt(share * (1 - share) / whole + spread / (4 * whole)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def count_interval(count: int) -> tuple[float, float]:
    """95 % interval of a Poisson count, by Byar's approximation (Breslow and Day 1987, 2.13)."""
    low = count * (1 - 1 / (9 * count) - Z95 / (3 * math.sqrt(count))) ** 3 if count else 0.0
    more = count + 1
    high = more * (1 - 1 / (9 * more) + Z95 / (3 * math.sqrt(more))) ** 3
    return low, high
