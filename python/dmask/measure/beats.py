"""Beats of a jerk nystagmus: slow phases, and the quick phases between them.

A quick phase is a jump between two lines, not a velocity: two frames' difference is mostly noise, and a
smoothed one loses a third of the slow phase. First it is sought with one slope on both sides, which noise
disturbs least; what is found is then fitted with a line a slow phase and one duration for all quick phases.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dmask.measure.rhythm import local_hz

Array = np.ndarray

QUICK_S = 0.04  # of a saccade of some degrees, until the recording tells its own
QUICK_GRID_S = np.array([0.02, 0.025, 0.03, 0.036, 0.043, 0.05, 0.06, 0.072, 0.086, 0.1])
REACH = 0.5  # of a period: how far a jump is looked at to each side
WIDEST_REACH_S = 0.35
LEAST_Z = 4.5  # standard errors that a jump has to exceed
LEAST_OF_TYPICAL = 0.4  # smaller jumps than this share of the others are not counted among them: see `chains`
LEAST_GAIN = 0.25  # share of the squares about a line that the jump takes away
CHUNK = 20_000
ROUNDS = 3


class Beat(NamedTuple):
    """A slow phase and the quick phase behind it."""

    start_s: float  # the quick phase before it, its middle
    end_s: float  # the quick phase behind it
    slope_deg_per_s: float
    slope_error: float
    jump_deg: float  # signed, of the quick phase, from its onset to its end
    slow_s: float
    fit_r: float
    at_deg: float  # where the eye is in the middle
    residual_deg: float
    head_slope_deg_per_s: float  # NaN where the head is not known


class Run(NamedTuple):
    """Quick phases to one side without one to the other between them."""

    beats: list[Beat]
    quick_s: float


class Jumps(NamedTuple):
    at_s: Array
    size_deg: Array
    clear: Array  # size by the share of the squares that the jump takes away


def centres(time_s: Array) -> Array:
    """Where a jump is sought: at every frame and between."""
    both = np.empty(2 * time_s.size - 1)
    both[::2], both[1::2] = time_s, 0.5 * (time_s[1:] + time_s[:-1])
    return both


def jump_scan(
    time_s: Array, values: Array, at_s: Array, hz: Array, noise_deg: float
) -> tuple[Array, Array, Array]:
    """(size, standard errors, share of the squares) of the jump that fits best at each centre."""
    interval_s = float(np.median(np.diff(time_s)))
    half_s = np.clip(REACH / hz, 2.6 * interval_s, WIDEST_REACH_S)
    size, z, gain = (np.zeros(at_s.size) for _ in range(3))
    for first in range(0, at_s.size, CHUNK):
        one = slice(first, min(first + CHUNK, at_s.size))
        size[one], z[one], gain[one] = jumps_at(time_s, values, at_s[one], half_s[one], noise_deg)
    return size, z, gain


def jumps_at(
    time_s: Array, values: Array, at_s: Array, half_s: Array, noise_deg: float
) -> tuple[Array, Array, Array]:
    """Least squares of a level, a slope and a ramp of QUICK_S at each of (C,) centres.

    What is near the centre counts most: the neighbouring quick phases lie at the edge.
    """
    first = np.searchsorted(time_s, at_s - half_s - 1e-9)
    count = np.searchsorted(time_s, at_s + half_s + 1e-9) - first
    index = np.minimum(first[:, None] + np.arange(int(count.max())), time_s.size - 1)
    inside = np.arange(index.shape[1]) < count[:, None]
    off_s = np.where(inside, time_s[index] - at_s[:, None], 0.0)
    weight = np.where(inside, 1.05 - np.abs(off_s) / half_s[:, None], 0.0)
    middle = values[np.searchsorted(time_s, at_s).clip(0, time_s.size - 1)]
    seen = values[index] - middle[:, None]
    basis = np.stack(
        [np.ones_like(off_s), off_s / half_s[:, None], np.clip(off_s / QUICK_S, -0.5, 0.5)], axis=2
    )
    weighted = basis * weight[:, :, None]
    squares = np.einsum("cmi,cmj->cij", weighted, basis) + 1e-9 * np.eye(3)
    right = np.einsum("cmi,cm->ci", weighted, seen)
    whole = np.einsum("cm,cm->c", weight, seen**2)
    inverse = np.linalg.inv(squares)
    solved = np.einsum("cij,cj->ci", inverse, right)
    left = np.clip(whole - np.einsum("ci,ci->c", solved, right), 0, None)
    line = np.linalg.solve(squares[:, :2, :2], right[:, :2, None])[:, :, 0]
    gain = 1 - left / np.maximum(whole - np.einsum("ci,ci->c", line, right[:, :2]), 1e-9)
    spread = np.einsum("cmi,cmj->cij", weighted, weighted)
    of_jump = np.einsum("ci,cij,cj->c", inverse[:, 2], spread, inverse[:, 2])
    z = np.abs(solved[:, 2]) / (max(noise_deg, 1e-3) * np.sqrt(np.maximum(of_jump, 1e-12)))
    sides = np.minimum((inside & (off_s < 0)).sum(1), (inside & (off_s > 0)).sum(1))
    able = (count >= 4) & (sides >= 2)
    scan = (solved[:, 2], z, gain)
    size, sure, share = (np.where(able, one, 0.0) for one in scan)
    return size, sure, share


def jumps(time_s: Array, values: Array, noise_deg: float, least_deg: float) -> Jumps:
    """Where the trace of an unbroken part jumps, the clearest of each neighbourhood, in order."""
    at_s = centres(time_s)
    hz = np.interp(at_s, time_s, local_hz(time_s, values))
    size, z, gain = jump_scan(time_s, values, at_s, hz, noise_deg)
    apart_s = np.clip(0.3 / hz, 0.05, 0.2)
    able = (np.abs(size) >= 0.7 * least_deg) & (z >= LEAST_Z) & (gain >= LEAST_GAIN)
    clear = np.where(able, np.abs(size) * gain, 0.0)
    kept: list[int] = []
    for k in np.flatnonzero(local_peaks(clear)):
        if kept and at_s[k] - at_s[kept[-1]] < apart_s[k]:
            if clear[k] > clear[kept[-1]]:
                kept[-1] = int(k)
        else:
            kept.append(int(k))
    return Jumps(at_s[kept], size[kept], clear[kept])


def local_peaks(strength: Array) -> Array:
    before, after = np.append(0.0, strength[:-1]), np.append(strength[1:], 0.0)
    peaks: Array = (strength > 0) & (strength >= before) & (strength > after)
    return peaks


def chains(found: Jumps, longest_s: float) -> list[Jumps]:
    """Jumps to one side that follow each other, without a notable one to the other side between them."""
    kept = np.ones(found.at_s.size, bool)
    for k in range(found.at_s.size):  # what is small beside its neighbours is not one of them
        near = slice(*np.searchsorted(found.at_s, (found.at_s[k] - longest_s, found.at_s[k] + longest_s)))
        kept[k] = found.clear[k] >= LEAST_OF_TYPICAL * np.percentile(found.clear[near], 75)
    at_s, size, clear = (values[kept] for values in found)
    cuts = [0]
    for k in range(1, at_s.size):
        if np.sign(size[k]) != np.sign(size[k - 1]) or at_s[k] - at_s[k - 1] > longest_s:
            cuts.append(k)
    cuts.append(int(at_s.size))
    return [
        Jumps(at_s[a:b], size[a:b], clear[a:b]) for a, b in zip(cuts, cuts[1:], strict=False) if b - a >= 2
    ]


def line(time_s: Array, values: Array) -> tuple[float, float, float, float]:
    """(level at time 0 of `time_s`, slope, its standard error, residual) of three or more values."""
    middle_s = float(time_s.mean())
    off_s = time_s - middle_s
    spread = max(float(off_s @ off_s), 1e-12)
    slope = float(off_s @ values) / spread
    level = float(values.mean())
    rest = values - level - slope * off_s
    residual = float(np.sqrt(rest @ rest / max(values.size - 2, 1)))
    return level - slope * middle_s, slope, residual / np.sqrt(spread), residual


def run_of(time_s: Array, values: Array, head_deg: Array, found: Jumps, noise_deg: float) -> Run:
    """Fits lines, moments and one duration of quick phases to jumps that follow each other."""
    at_s = found.at_s.copy()
    period_s = float(np.median(np.diff(at_s)))
    rate_fps = 1 / float(np.median(np.diff(time_s)))
    quick_s = min(QUICK_S, 0.3 * period_s)
    durations_s = QUICK_GRID_S[QUICK_GRID_S <= 0.35 * period_s]
    reach_s = min(0.45 * period_s, WIDEST_REACH_S)
    ends = lines_between(time_s, values, at_s, quick_s, reach_s)
    for _ in range(ROUNDS):
        errors, moments = zip(
            *(
                placed(time_s, values, at_s[k], ends[k], ends[k + 1], durations_s, rate_fps, period_s)
                for k in range(at_s.size)
            ),
            strict=True,
        )
        total = np.sum(errors, axis=0)
        best = int(np.argmin(total))
        quick_s = float(durations_s[best])
        at_s = np.array([moment[best] for moment in moments])
        ends = lines_between(time_s, values, at_s, quick_s, reach_s)
    beats = []
    for k in range(1, at_s.size):
        beats.append(beat_of(time_s, values, head_deg, at_s, ends, k, quick_s, noise_deg))
    return Run(beats, quick_s)


def lines_between(time_s: Array, values: Array, at_s: Array, quick_s: float, reach_s: float) -> list[Array]:
    """(level, slope, error, residual, frames) of the slow phases before, between and behind quick phases."""
    edges = np.concatenate([[at_s[0] - 2 * reach_s], at_s, [at_s[-1] + 2 * reach_s]])
    found = []
    for start_s, end_s in zip(edges, edges[1:], strict=False):
        margin_s = 0.5 * quick_s
        for _ in range(2):
            first = int(np.searchsorted(time_s, start_s + margin_s - 1e-6))
            last = int(np.searchsorted(time_s, end_s - margin_s + 1e-6))
            if last - first >= 3:
                break
            margin_s *= 0.5  # few frames a beat: take those on the way along
        if last - first >= 2:
            found.append(np.array([*line(time_s[first:last], values[first:last]), last - first]))
        else:
            found.append(np.array([np.nan, np.nan, np.nan, np.nan, last - first]))
    return found


def placed(
    time_s: Array,
    values: Array,
    at_s: float,
    before: Array,
    after: Array,
    durations_s: Array,
    rate_fps: float,
    period_s: float,
) -> tuple[Array, Array]:
    """(D,) squares left, and (D,) middle of the quick phase, for each duration."""
    if not (np.isfinite(before[0]) and np.isfinite(after[0])):
        return np.zeros(durations_s.size), np.full(durations_s.size, at_s)
    reach_s = min(0.5 * float(durations_s[-1]) + 1.5 / rate_fps, 0.45 * period_s)
    near = slice(*np.searchsorted(time_s, (at_s - reach_s, at_s + reach_s)))
    off_s, seen = time_s[near], values[near]
    step_s = min(0.6 / rate_fps, 0.25 * period_s)
    moments_s = at_s + np.linspace(-step_s, step_s, 13)
    onset_s = moments_s[None, :] - 0.5 * durations_s[:, None]
    way = np.clip((off_s - onset_s[:, :, None]) / durations_s[:, None, None], 0, 1)
    way = way**2 * (3 - 2 * way)  # a saccade gathers speed and brakes
    from_deg = before[0] + before[1] * np.minimum(off_s, onset_s[:, :, None])
    end_s = onset_s + durations_s[:, None]
    to_deg = after[0] + after[1] * np.maximum(off_s, end_s[:, :, None])
    rest = seen - ((1 - way) * from_deg + way * to_deg)
    left = (rest**2).sum(axis=2)
    best = np.argmin(left, axis=1)
    return left[np.arange(durations_s.size), best], moments_s[best]


def jump_between(at_s: float, before: Array, after: Array, quick_s: float) -> float:
    from_deg = before[0] + before[1] * (at_s - 0.5 * quick_s)
    to_deg = after[0] + after[1] * (at_s + 0.5 * quick_s)
    return float(to_deg - from_deg)


def beat_of(
    time_s: Array, values: Array, head_deg: Array, at_s: Array, ends: list[Array], k: int, quick_s: float,
    noise_deg: float,
) -> Beat:  # fmt: skip
    start_s, end_s = float(at_s[k - 1]), float(at_s[k])
    level, slope, error, residual, count = (float(one) for one in ends[k])
    slow_s = max(end_s - start_s - quick_s, 0.0)
    inside = slice(*np.searchsorted(time_s, (start_s + 0.5 * quick_s, end_s - 0.5 * quick_s)))
    spread_s = float(np.std(time_s[inside])) if time_s[inside].size > 1 else 0.0
    moved = abs(slope) * spread_s
    r = moved / np.hypot(moved, residual) if moved > 0 else 0.0
    # Of three or four frames the residual is chance; the noise of the trace is not.
    error = max(error, noise_deg / (spread_s * np.sqrt(max(count, 1.0)))) if spread_s else np.inf
    heads = head_deg[inside]
    kept = np.isfinite(heads)
    head = line(time_s[inside][kept], heads[kept])[1] if kept.sum() >= 2 else float("nan")
    middle_s = 0.5 * (start_s + end_s)
    return Beat(
        start_s, end_s, slope, error, jump_between(end_s, ends[k], ends[k + 1], quick_s), slow_s, float(r),
        level + slope * middle_s, residual, head,
    )  # fmt: skip
