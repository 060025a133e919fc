"""The traces of a recording: which plots there are, and their points, few enough for a browser.

A trace of more than MOST_POINTS frames is cut into buckets; of each its lowest and highest value are kept, in
the order in which they came, so that no blink and no beat gets lost, whatever the length.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dmask.measure.record import EYES
from dmask.report.visit import Visit

MOST_POINTS = 20_000
STILL_POINTS = 900  # of a plot that stands still, as on paper
TICKS = 10_000  # a second: times leave as whole numbers of these
STEPS = 100  # a degree or millimetre: so do values
TABLE_PARTS = 10
SHORTEST_COVER_S = 0.3  # the lid itself covers the pupil for less


class Series(NamedTuple):
    name: str  # of its words
    style: str  # class of the line: od, os, head-yaw …
    values: np.ndarray  # (F,)


class Plot(NamedTuple):
    name: str
    unit: str
    toward: str  # what plus means, as words
    series: list[Series]
    low: float
    high: float


def plots_of(visit: Visit) -> list[Plot]:
    frames = visit.frames
    eyes = [("eye.od", "od"), ("eye.os", "os")]

    def of_eyes(column: str, gaze: bool) -> list[Series]:
        found = []
        for name, eye in eyes:
            values = frames[f"{eye}_{column}"]
            found.append(
                Series(name, eye, np.where(frames[f"{eye}_valid"] == 1, values, np.nan) if gaze else values)
            )
        return found

    plots = [
        plot("yaw", "deg", "yaw", of_eyes("yaw_deg", True), 10.0),
        plot("pitch", "deg", "pitch", of_eyes("pitch_deg", True), 10.0),
    ]
    if any(np.isfinite(frames[f"{eye}_mrd1_mm"]).any() for eye in EYES):
        plots += [
            plot("mrd1", "mm", "none", of_eyes("mrd1_mm", False), 4.0),
            plot("fissure", "mm", "none", of_eyes("pfh_mm", False), 4.0, from_zero=True),
        ]
    else:
        plots.append(plot("openness", "1", "none", of_eyes("openness", False), 0.2, from_zero=True))
    head = [
        Series(f"series.head_{axis}", f"head-{axis}", np.asarray(frames[f"head_{axis}_deg"]))
        for axis in ("yaw", "pitch", "roll")
    ]
    return [*plots, plot("head", "deg", "head", head, 10.0)]


def plot(
    name: str, unit: str, toward: str, series: list[Series], least: float, from_zero: bool = False
) -> Plot:
    """Its range holds all but the wildest thousandth at either end, and is no narrower than `least`."""
    known = np.concatenate([one.values[np.isfinite(one.values)] for one in series])
    low, high = (float(end) for end in np.percentile(known, (0.1, 99.9))) if known.size else (0.0, 0.0)
    if from_zero:
        low = min(0.0, low)
    missing = max(0.0, least - (high - low))
    low, high = (low, high + missing) if from_zero else (low - missing / 2, high + missing / 2)
    margin = 0.06 * (high - low)
    return Plot(name, unit, toward, series, low if from_zero and low == 0 else low - margin, high + margin)


class Decimated(NamedTuple):
    time_s: np.ndarray  # (P,)
    values: list[np.ndarray]  # (P,) each
    frames: int  # that a bucket holds; 1 where every frame is kept


def decimated(time_s: np.ndarray, values: list[np.ndarray], most: int = MOST_POINTS) -> Decimated:
    """Two points a bucket, the same times for all values: a plot has one time axis."""
    count = time_s.size
    if count <= most:
        return Decimated(time_s, values, 1)
    size = -(-2 * count // most)
    buckets = -(-count // size)
    first = np.arange(buckets) * size
    middle = np.minimum(first + size // 2, count - 1)
    times = np.empty(2 * buckets)
    times[0::2], times[1::2] = time_s[first], time_s[middle]
    return Decimated(times, [low_and_high(one, buckets, size) for one in values], size)


def low_and_high(values: np.ndarray, buckets: int, size: int) -> np.ndarray:
    padded = np.full(buckets * size, np.nan)
    padded[: values.size] = values
    rows = padded.reshape(buckets, size)
    empty = ~np.isfinite(rows).any(axis=1)
    lows = np.argmin(np.where(np.isfinite(rows), rows, np.inf), axis=1)
    highs = np.argmax(np.where(np.isfinite(rows), rows, -np.inf), axis=1)
    points = np.empty(2 * buckets)
    each = np.arange(buckets)
    points[0::2] = rows[each, np.minimum(lows, highs)]
    points[1::2] = rows[each, np.maximum(lows, highs)]
    points[0::2][empty] = points[1::2][empty] = np.nan
    return points


def packed_times(time_s: np.ndarray) -> list[int]:
    """Differences of whole ticks: of even frames they are two or three digits each."""
    ticks = np.round(time_s * TICKS).astype(np.int64)
    packed: list[int] = np.diff(ticks, prepend=0).tolist()
    return packed


def packed_values(values: np.ndarray) -> list[int | None]:
    return [None if value != value else round(value * STEPS) for value in values.tolist()]


def packed_plots(visit: Visit, plots: list[Plot]) -> dict[str, Any]:
    """What the page's script draws."""
    thin = [decimated(visit.time_s, [one.values for one in plot.series]) for plot in plots]
    return {
        "ticks": TICKS,
        "steps": STEPS,
        "frames": packed_times(visit.time_s),
        "times": packed_times(thin[0].time_s),  # the same of every plot
        "bucket": thin[0].frames,
        "plots": [
            {
                "name": plot.name,
                "unit": plot.unit,
                "range": [round(plot.low, 3), round(plot.high, 3)],
                "styles": [one.style for one in plot.series],
                "values": [packed_values(values) for values in points.values],
            }
            for plot, points in zip(plots, thin, strict=True)
        ],
    }


def parts_of(time_s: np.ndarray) -> list[tuple[float, float, slice]]:
    """The recording in parts of equal length, for a table that stands for a plot."""
    if time_s.size == 0:
        return []
    edges = np.linspace(time_s[0], time_s[-1], min(TABLE_PARTS, time_s.size) + 1)
    found = []
    for start_s, end_s in zip(edges, edges[1:], strict=False):
        first, last = np.searchsorted(time_s, (start_s, end_s))
        part = slice(int(first), time_s.size if end_s == edges[-1] else int(last))
        if part.stop > part.start:
            found.append((float(start_s), float(end_s), part))
    return found


class Shade(NamedTuple):
    kind: str  # blink, closure, cover
    eye: str
    start_s: float
    end_s: float


def shades_of(visit: Visit) -> list[Shade]:
    """Blinks and closures as they were measured; covers as they were, or else by the frames' own reason."""
    kinds = {"blink": "blink", "wink": "blink", "closure": "closure", "cover": "cover", "covered": "cover"}
    found = [
        Shade(kinds[one.event], one.eye, one.onset_s, one.onset_s + one.duration_s)
        for one in visit.events
        if one.event in kinds
    ]
    if not any(one.kind == "cover" for one in found):
        for eye in EYES:
            shut = [one for one in found if one.eye == eye]
            found += [
                run
                for run in covered_runs(visit, eye)
                if run.end_s - run.start_s >= SHORTEST_COVER_S
                and not any(one.start_s <= run.end_s and run.start_s <= one.end_s for one in shut)
            ]
    return sorted(found, key=lambda one: one.start_s)


def covered_runs(visit: Visit, eye: str) -> list[Shade]:
    hidden = np.asarray(visit.frames[f"{eye}_reason"] == "covered").astype(np.int8)
    steps = np.diff(hidden, prepend=0, append=0)
    time_s = visit.time_s
    return [
        Shade("cover", eye, float(time_s[first]), float(time_s[min(int(last), time_s.size - 1)]))
        for first, last in zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True)
    ]
