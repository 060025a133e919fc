"""Running statistics over a window of time, whatever the frame rate and however it varies."""

from __future__ import annotations

import numpy as np

Ends = tuple[np.ndarray, np.ndarray]


def windows(time_s: np.ndarray, width_s: float) -> Ends:
    """First and behind-the-last index (F,) of the samples within `width_s` about each; never empty."""
    half_s = 0.5 * width_s + 1e-6  # frame times are rounded to the microsecond
    first = np.searchsorted(time_s, time_s - half_s, "left")
    behind = np.searchsorted(time_s, time_s + half_s, "right")
    return first, behind


def running_max(time_s: np.ndarray, values: np.ndarray, width_s: float) -> np.ndarray:
    """(F,) largest of (F,) values within `width_s` about each."""
    first, behind = windows(time_s, width_s)
    length = behind - first
    largest = np.empty_like(values)
    maxima, span = values, 1  # maxima[i] is the largest of values[i : i + span]
    while True:
        here = (length >= span) & (length < 2 * span)  # two spans that overlap cover the window
        largest[here] = np.maximum(maxima[first[here]], maxima[behind[here] - span])
        if not (length >= 2 * span).any():
            return largest
        maxima = np.maximum(maxima[:-span], maxima[span:])
        span *= 2


def running_min(time_s: np.ndarray, values: np.ndarray, width_s: float) -> np.ndarray:
    """(F,) smallest of (F,) values within `width_s` about each."""
    return -running_max(time_s, -values, width_s)


def running_median(time_s: np.ndarray, values: np.ndarray, width_s: float) -> np.ndarray:
    """(F,) median of (F,) values within a short `width_s` about each, of two middle ones the lower."""
    first, behind = windows(time_s, width_s)
    length = behind - first
    index = first[:, None] + np.arange(int(length.max()))
    inside = index < behind[:, None]
    ordered = np.sort(np.where(inside, values[np.minimum(index, values.size - 1)], np.inf), axis=1)
    median: np.ndarray = np.take_along_axis(ordered, (length[:, None] - 1) // 2, axis=1)[:, 0]
    return median
