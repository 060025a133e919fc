"""What comes back in a trace at an even pace: how often, how far, and how unlike are its ways there and back.

All of it goes by the times of the frames: they need not be even.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Array = np.ndarray

WINDOW_S = 2.0
HOP_S = 0.5
LEAST_HZ, MOST_HZ, STEP_HZ = 1.0, 10.0, 0.1
NYQUIST_SHARE = 0.46  # of the frame rate: beyond it a rhythm is taken for another one
SHORTEST_S = 0.6
CYCLES = 4.0  # a window holds at least so many, or what wanders passes for a rhythm
LONGEST_GAP_S = 0.1  # what an eye did in a longer one is not known
SURE_HARMONIC = 3.0  # standard errors
PROMISING = 0.3  # share of the variance below which a rhythm is not looked at any closer


class Rhythm(NamedTuple):
    """The rhythm of one window."""

    start_s: float
    end_s: float
    hz: float
    swing_deg: float  # from peak to peak
    share: float  # of the variance about a parabola
    skew: float  # -0.5 to 0.5: + where it rises at once and falls slowly; 0 of a sine
    noise_deg: float  # what is left


def parts(time_s: Array) -> list[slice]:
    """The stretches of (N,) times between their gaps."""
    interval_s = np.diff(time_s)
    longest_s = max(LONGEST_GAP_S, 2.5 * float(np.median(interval_s))) if interval_s.size else LONGEST_GAP_S
    edges = [0, *(np.flatnonzero(interval_s > longest_s) + 1).tolist(), time_s.size]
    return [slice(start, end) for start, end in zip(edges, edges[1:], strict=False)]


def highest_hz(time_s: Array) -> float:
    rate_fps = 1 / float(np.median(np.diff(time_s)))
    return min(MOST_HZ, NYQUIST_SHARE * rate_fps)


def window_slices(time_s: Array, width_s: float = WINDOW_S, hop_s: float = HOP_S) -> list[slice]:
    """Of an unbroken part: windows of `width_s` that overlap, or the whole part where it is shorter."""
    last_s = float(time_s[-1])
    starts_s = np.arange(time_s[0], max(last_s - width_s, time_s[0]) + 1e-6, hop_s)
    if last_s - width_s > starts_s[-1] + 0.2 * hop_s:
        starts_s = np.append(starts_s, last_s - width_s)
    first = np.searchsorted(time_s, starts_s - 1e-6)
    behind = np.searchsorted(time_s, starts_s + width_s + 1e-6)
    return [slice(int(a), int(b)) for a, b in zip(first, behind, strict=True)]


def levelled(time_s: Array, values: Array) -> Array:
    """Less its straight line."""
    at = time_s - time_s.mean()
    level: Array = values - values.mean() - at * (at @ values / max(float(at @ at), 1e-12))
    return level


def power(time_s: Array, values: Array, hz: Array) -> Array:
    """(K,) of a windowed trace at two or more evenly spaced frequencies: half the squared amplitude, deg2."""
    middle, half = 0.5 * (time_s[0] + time_s[-1]), 0.5 * (time_s[-1] - time_s[0]) + 1e-9
    weight = 0.5 + 0.5 * np.cos(np.pi * (time_s - middle) / half)
    # One product after another takes the grid along; einsum, as threads cost more than they give here.
    turning = np.empty((hz.size, time_s.size), complex)
    turning[:] = np.exp(-2j * np.pi * (hz[1] - hz[0]) * (time_s - middle))
    turning[0] = np.exp(-2j * np.pi * hz[0] * (time_s - middle))
    np.multiply.accumulate(turning, axis=0, out=turning)
    seen = weight * levelled(time_s, values)
    amplitude = 2 * np.abs(np.einsum("fn,n->f", turning, seen)) / weight.sum()
    spectrum: Array = 0.5 * amplitude**2
    return spectrum


def spectrum(time_s: Array, values: Array) -> tuple[Array, Array]:
    """(frequency, power) over the windows of all parts; empty where no part is long enough."""
    if time_s.size < 3:
        return np.array([]), np.array([])
    hz = np.arange(0.5, highest_hz(time_s) + 0.5 * STEP_HZ, STEP_HZ)
    found = [
        power(time_s[part][one], values[part][one], hz)
        for part in parts(time_s)
        if time_s[part][-1] - time_s[part][0] >= WINDOW_S * 0.75
        for one in window_slices(time_s[part])
    ]
    return (hz, np.mean(found, axis=0)) if found else (np.array([]), np.array([]))


def local_hz(time_s: Array, values: Array) -> Array:
    """(N,) frequency that is foremost about each frame of an unbroken part, whether anything beats or not.

    Power is weighted by frequency: steps of gaze have most of theirs where nothing beats.
    """
    grid_hz = np.arange(LEAST_HZ, highest_hz(time_s) + 0.5 * STEP_HZ, STEP_HZ)
    windows = window_slices(time_s)
    middles_s = [0.5 * (time_s[one][0] + time_s[one][-1]) for one in windows]
    foremost = [grid_hz[np.argmax(grid_hz * power(time_s[one], values[one], grid_hz))] for one in windows]
    nearest = np.searchsorted(0.5 * (np.array(middles_s)[1:] + np.array(middles_s)[:-1]), time_s)
    local: Array = np.array(foremost)[nearest]
    return local


def design(time_s: Array, hz: float, harmonics: int) -> Array:
    """(N, 3 + 2 H): a parabola, and cosine and sine of each harmonic."""
    middle_s = 0.5 * (time_s[0] + time_s[-1])
    at = (time_s - middle_s) / max(0.5 * float(time_s[-1] - time_s[0]), 1e-9)
    turns = 2 * np.pi * hz * (time_s - middle_s)
    columns = [np.ones(at.size), at, at**2]
    for k in range(1, harmonics + 1):
        columns += [np.cos(k * turns), np.sin(k * turns)]
    return np.stack(columns, axis=1)


def fitted(time_s: Array, values: Array, hz: float, harmonics: int) -> tuple[Rhythm, float]:
    """The rhythm of this frequency, and the sum of squares that it leaves."""
    basis = design(time_s, hz, harmonics)
    found, left = solved(basis, values)
    whole = solved(basis[:, :3], values)[1]
    turns = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    phasors = found[3::2] - 1j * found[4::2]
    noise_deg = float(np.sqrt(left / max(values.size - basis.shape[1], 1)))
    sure = np.abs(phasors) >= SURE_HARMONIC * noise_deg * np.sqrt(2 / values.size)
    sure[0] = True  # further harmonics that are noise would only make the swing larger
    orders = np.arange(1, harmonics + 1)
    course = np.real((phasors * sure) @ np.exp(1j * np.outer(orders, turns)))
    return Rhythm(
        float(time_s[0]), float(time_s[-1]), hz, float(np.ptp(course)), 1 - left / max(whole, 1e-12),
        skewness(phasors), noise_deg,
    ), left  # fmt: skip


def phasor(time_s: Array, values: Array, hz: float) -> complex:
    """Amplitude and phase of the swing of this frequency about a parabola."""
    found = solved(design(time_s, hz, 1), values)[0]
    return complex(found[3], -found[4])


def solved(basis: Array, values: Array) -> tuple[Array, float]:
    """(P,) coefficients of (N, P) columns, and the squares that they leave of (N,) values."""
    squares = np.einsum("ni,nj->ij", basis, basis) + 1e-9 * np.eye(basis.shape[1])
    found: Array = np.linalg.solve(squares, np.einsum("ni,n->i", basis, values))
    rest = values - np.einsum("ni,i->n", basis, found)
    return found, float(np.einsum("n,n->", rest, rest))


def skewness(phasors: Array) -> float:
    """How the second harmonic leans on the first: 0.5 of a saw, 0 of what rises as it falls."""
    if phasors.size < 2 or abs(phasors[0]) < 1e-9:
        return 0.0
    ratio = phasors[1] / phasors[0] ** 2 * abs(phasors[0])
    # A saw that rises at once and falls slowly is the sum of sin(k u) / k: the ratio is i / 2.
    return float(np.clip(np.imag(ratio), -1, 1))


def harmonics_of(time_s: Array, hz: float) -> int:
    rate_fps = 1 / float(np.median(np.diff(time_s)))
    return int(np.clip(NYQUIST_SHARE * rate_fps / hz, 1, 3))


def sharpened(time_s: Array, values: Array, hz: float) -> Rhythm:
    """The best frequency about a guess: where a parabola through what three leave has its lowest point."""
    reach_hz = 0.25 / max(float(time_s[-1] - time_s[0]), 0.5)
    number = harmonics_of(time_s, hz)
    best = hz
    for _ in range(2):
        tried = best + reach_hz * np.array([-1.0, 0.0, 1.0])
        low, middle, high = (solved(design(time_s, float(one), number), values)[1] for one in tried)
        bend = low - 2 * middle + high
        best += reach_hz * float(np.clip(0.5 * (low - high) / bend, -1, 1)) if bend > 0 else 0.0
        reach_hz /= 3
    return fitted(time_s, values, best, number)[0]


def rhythms(time_s: Array, values: Array) -> list[Rhythm]:
    """Of the windows of an unbroken part that have one worth a closer look."""
    if time_s.size < 8 or time_s[-1] - time_s[0] < SHORTEST_S:
        return []
    grid_hz = np.arange(LEAST_HZ, highest_hz(time_s) + 0.5 * STEP_HZ, STEP_HZ)
    found = []
    for one in window_slices(time_s):
        hz = float(grid_hz[np.argmax(grid_hz * power(time_s[one], values[one], grid_hz))])
        middle_s, half_s = 0.5 * (time_s[one][0] + time_s[one][-1]), max(0.5 * WINDOW_S, 0.5 * CYCLES / hz)
        wide = (time_s >= middle_s - half_s) & (time_s <= middle_s + half_s)
        seen_s, seen = time_s[wide], values[wide]
        if (seen_s[-1] - seen_s[0]) * hz < 0.9 * CYCLES or seen.size < 10:
            continue
        if fitted(seen_s, seen, hz, 2)[0].share >= PROMISING:
            found.append(sharpened(seen_s, seen, hz))
    return found


class Saw(NamedTuple):
    amplitude_deg: float
    quick_share: float  # of the period
    r: float
    onset_turns: float  # of the quick phase, from the window's first frame


QUICK_SHARES = np.array([0.05, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.35, 0.4])
PHASES = 60


def saw(turns: Array, quick_share: Array | float) -> Array:
    """From -0.5 up to 0.5 within the share of a turn, and down again by its end."""
    within = turns % 1.0
    up = within / quick_share - 0.5
    down = 0.5 - (within - quick_share) / (1 - quick_share)
    course: Array = np.where(within < quick_share, up, down)
    return course


def folded_saw(time_s: Array, values: Array, hz: float, side: int) -> Saw:
    """The saw of a known frequency that fits all cycles of a window best; `side` of its quick phases."""
    level = design(time_s, hz, 0)
    axes = np.linalg.qr(level)[0]

    def without_level(columns: Array) -> Array:
        rest: Array = columns - axes @ (axes.T @ columns)
        return rest

    about = without_level(values)
    turns = (time_s - time_s[0]) * hz
    phase = np.arange(PHASES) / PHASES
    best = Saw(0.0, 0.15, 0.0, 0.0)
    for share in QUICK_SHARES:
        columns = without_level(side * saw(turns[:, None] - phase, float(share)))
        power_of = (columns**2).sum(axis=0)
        along = columns.T @ about
        r = along / np.sqrt(np.maximum(power_of * float(about @ about), 1e-12))
        k = int(np.argmax(r))
        if r[k] > best.r:
            best = Saw(float(along[k] / power_of[k]), float(share), float(r[k]), float(phase[k]))
    return best
