"""Nystagmus: whether the eyes beat, along which axis, how often, how far and how fast.

Eye in head, blinks left out with a margin, the head's speed beside it. Horizontal + is the patient's left,
vertical + is up. The signal work is in `dmask.measure.beating`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from dmask.measure import rhythm
from dmask.measure.beating import Beating, beating, episodes, nothing
from dmask.measure.interval import median_by_ranks
from dmask.measure.record import BOTH, EYES, Estimate, Event, Finding, between, not_measured
from dmask.measure.recorded import WITHHELD_TIME, Array, Recording, estimate_of
from dmask.measure.registry import events, measure

AXES = {"horizontal": "yaw", "vertical": "pitch"}
DIRECTIONS = {"horizontal": {1: "left", -1: "right"}, "vertical": {1: "up", -1: "down"}}
LINES = "a jump between two lines: docs/method.md#beats"
NULL_BIN_DEG = 5.0
NULL_LEAST_BEATS = 3  # in a bin
NULL_LEAST_BINS = 3
NULL_DEPTH = 0.7  # of the largest intensity: the null zone has less
PHASES = 40
LEAST_WINDOWS = 6  # fewer give no interval


def beating_of(recording: Recording, eye: str, axis: str) -> Beating:
    return recording.once(analysed, eye, axis)


def analysed(recording: Recording, eye: str, axis: str) -> Beating:
    if not recording.rate_fps >= recording.settings.nystagmus_fps:
        return nothing("too few frames a second", float("nan"), 0.0)
    return beating(
        recording.time_s,
        angle_in_sight(recording, eye, axis),
        head_angle(recording, axis),
        recording.settings,
    )


def angle_in_sight(recording: Recording, eye: str, axis: str) -> Array:
    """(F,) degrees of the eye in the head; NaN where a lid is on its way."""
    trace = recording.eye(eye)
    angle = trace.yaw_deg if axis == "horizontal" else trace.pitch_deg
    return np.where(trace.sight, angle, np.nan)


def head_angle(recording: Recording, axis: str) -> Array:
    missing = np.full(recording.time_s.size, np.nan)
    return recording.frames.get(f"head_{AXES[axis]}_deg", missing)


def why_none(recording: Recording, found: Beating) -> str:
    """Why nothing is told of beats; empty where there are some."""
    if recording.holds_frames:
        return WITHHELD_TIME
    if not recording.rate_fps >= recording.settings.nystagmus_fps:
        return f"{recording.rate_fps:.0f} frames a second; needs {recording.settings.nystagmus_fps:g}"
    if found.waveform:
        return ""
    return found.reason or "absent"


def of_beats(recording: Recording, told: Callable[[Beating], Estimate]) -> Iterator[Finding]:
    """A value of every eye and axis that beats, or why not."""
    for eye in EYES:
        for axis in AXES:
            found = beating_of(recording, eye, axis)
            reason = why_none(recording, found)
            yield Finding(eye, not_measured(reason, 0) if reason else told(found), axis)


def middle(found: Beating, values: Array, digits: int = 2) -> Estimate:
    """Median of beats or windows with its interval; the finding's reason where there are none."""
    if not values.size:
        return not_measured(found.reason, 0)
    if not found.beats and values.size >= LEAST_WINDOWS:  # they overlap: fewer of them are independent
        return estimate_of(values)
    median, low, high = median_by_ranks(values)
    return between(median, low, high, int(values.size), digits)


@measure(
    "nystagmus.present_class",
    "present where beats or a rhythm exceed the noise; absent where none of nystagmus_rhythm_hz and "
    "nystagmus_absent_deg or more was seen",
    LINES,
)
def present(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        for axis in AXES:
            found = beating_of(recording, eye, axis)
            reason = why_none(recording, found)
            count = len(found.beats) or len(found.windows)
            if reason == "absent":
                told = Estimate("absent", n=int(np.isfinite(angle_in_sight(recording, eye, axis)).sum()))
            else:
                told = not_measured(reason, 0) if reason else Estimate("present", n=count)
            yield Finding(eye, told, axis)


@measure(
    "nystagmus.waveform_class", "jerk, pendular or undetermined, by the skewness of the folded rhythm", LINES
)
def waveform(recording: Recording) -> Iterator[Finding]:
    yield from of_beats(
        recording, lambda found: Estimate(found.waveform, n=len(found.beats) or len(found.windows))
    )


@measure(
    "nystagmus.beat_direction_class",
    "of the quick phases, as the patient has it: left, right, up, down",
    LINES,
)
def beat_direction(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        for axis in AXES:
            found = beating_of(recording, eye, axis)
            if reason := why_none(recording, found):
                yield Finding(eye, not_measured(reason, 0), axis)
            elif not found.side:
                yield Finding(eye, not_measured(found.reason, len(found.beats)), axis)
            else:
                told = DIRECTIONS[axis][found.side]
                yield Finding(eye, Estimate(told, n=len(found.beats) or len(found.windows)), axis)


@measure(
    "nystagmus.frequency_hz",
    "beats a second: one over the median time from quick phase to quick phase",
    LINES,
)
def frequency(recording: Recording) -> Iterator[Finding]:
    yield from of_beats(recording, lambda found: middle(found, found.hz))


@measure(
    "nystagmus.amplitude_deg",
    "of a quick phase from its onset to its end; of a pendular one, peak to peak",
    LINES,
)
def amplitude(recording: Recording) -> Iterator[Finding]:
    yield from of_beats(recording, lambda found: middle(found, found.amplitude_deg))


@measure(
    "nystagmus.slow_phase_velocity_deg_per_s",
    "without sign, against the beat direction: the slope of a line",
    LINES,
)
def slow_phase_velocity(recording: Recording) -> Iterator[Finding]:
    yield from of_beats(recording, lambda found: middle(found, found.slow_deg_per_s))


@measure("nystagmus.slow_phase_velocity_iqr_deg_per_s", "between its quartiles over the beats", LINES)
def slow_phase_spread(recording: Recording) -> Iterator[Finding]:
    def spread(found: Beating) -> Estimate:
        values = found.slow_deg_per_s
        if values.size < 4:
            return not_measured(found.reason or f"{values.size} beats; needs 4", int(values.size))
        low, high = np.percentile(values, [25, 75])
        return Estimate(round(float(high - low), 2), n=int(values.size))

    yield from of_beats(recording, spread)


@measure("nystagmus.beats_count", "beats that the values are of; of a rhythm, its cycles", LINES)
def beats_count(recording: Recording) -> Iterator[Finding]:
    yield from of_beats(recording, lambda found: Estimate(float(count_of(found)), n=count_of(found)))


def count_of(found: Beating) -> int:
    if found.beats:
        return len(found.beats)
    lasts_s = sum(end_s - start_s for start_s, end_s in found.episodes_s)
    return int(lasts_s * float(np.median(found.hz)))


@measure(
    "nystagmus.fit_r", "of a slow phase with its line, median; of a rhythm with its folded course", LINES
)
def fit(recording: Recording) -> Iterator[Finding]:
    yield from of_beats(
        recording,
        lambda found: (
            Estimate(round(found.fit_r, 3), n=len(found.beats) or len(found.windows))
            if np.isfinite(found.fit_r)
            else not_measured(found.reason, 0)
        ),
    )


@measure(
    "nystagmus.intensity_deg_per_s", "amplitude by frequency", "Dell'Osso and Daroff: amplitude x frequency"
)
def intensity(recording: Recording) -> Iterator[Finding]:
    def told(found: Beating) -> Estimate:
        value = float(np.median(found.amplitude_deg)) * float(np.median(found.hz))
        return Estimate(round(value, 2), n=int(found.amplitude_deg.size))

    yield from of_beats(recording, told)


@measure("nystagmus.signal_to_noise_ratio", "amplitude over what beats or rhythm leave of a frame", LINES)
def signal_to_noise(recording: Recording) -> Iterator[Finding]:
    def told(found: Beating) -> Estimate:
        ratio = float(np.median(found.amplitude_deg)) / max(found.noise_deg, 1e-3)
        return Estimate(round(ratio, 1), n=int(found.amplitude_deg.size))

    yield from of_beats(recording, told)


@measure("nystagmus.onset_s", "when the longest episode starts", LINES)
def onset(recording: Recording) -> Iterator[Finding]:
    yield from of_beats(
        recording, lambda found: Estimate(round(longest(found)[0], 3), n=len(found.episodes_s))
    )


@measure("nystagmus.episode_s", "how long the longest episode lasts, as far as it is seen", LINES)
def episode(recording: Recording) -> Iterator[Finding]:
    yield from of_beats(
        recording,
        lambda found: Estimate(round(longest(found)[1] - longest(found)[0], 3), n=len(found.episodes_s)),
    )


def longest(found: Beating) -> tuple[float, float]:
    return max(found.episodes_s, key=lambda span: span[1] - span[0])


@measure(
    "nystagmus.spectral_peak_hz",
    "where the spectrum is highest while it beats, windows of 2 s",
    "periodogram",
)
def spectral_peak(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        for axis in AXES:
            if reason := why_none(recording, beating_of(recording, eye, axis)):
                yield Finding(eye, not_measured(reason, 0), axis)
                continue
            hz, power = spectrum_of(recording, eye, axis)
            inside = hz >= rhythm.LEAST_HZ
            if not inside.any():
                yield Finding(eye, not_measured("no stretch of 1.5 s without a blink"), axis)
                continue
            yield Finding(eye, Estimate(round(float(hz[inside][np.argmax(power[inside])]), 2)), axis)


@measure(
    "nystagmus.head_speed_deg_per_s",
    "of the head about the same axis while the eye beats, median",
    "head pose",
)
def head_speed(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        for axis in AXES:
            found = beating_of(recording, eye, axis)
            if reason := why_none(recording, found):
                yield Finding(eye, not_measured(reason, 0), axis)
                continue
            speed = np.abs(smooth_speed(recording.time_s, head_angle(recording, axis)))
            speed = speed[during(recording.time_s, found) & np.isfinite(speed)]
            told = Estimate(round(float(np.median(speed)), 2), n=int(speed.size)) if speed.size else None
            yield Finding(eye, told or not_measured("the head's angle is not known", 0), axis)


def smooth_speed(time_s: Array, angle_deg: Array, width_s: float = 0.2) -> Array:
    """(F,) across `width_s`: two frames' difference is mostly noise."""
    seen = np.isfinite(angle_deg)
    if seen.sum() < 2:
        return np.full(time_s.size, np.nan)
    ends = [
        np.interp(time_s + half_s, time_s[seen], angle_deg[seen])
        for half_s in (-0.5 * width_s, 0.5 * width_s)
    ]
    speed = (ends[1] - ends[0]) / width_s
    return np.where(
        seen & (time_s >= time_s[0] + 0.5 * width_s) & (time_s <= time_s[-1] - 0.5 * width_s), speed, np.nan
    )


def during(time_s: Array, found: Beating) -> Array:
    """(F,) bool: within an episode."""
    inside = np.zeros(time_s.size, bool)
    for start_s, end_s in found.episodes_s:
        inside |= (time_s >= start_s) & (time_s <= end_s)
    return inside


@measure(
    "nystagmus.conjugacy_r",
    "correlation of both eyes while either beats, slow changes taken off",
    "Pearson's r",
)
def conjugacy(recording: Recording) -> Iterator[Finding]:
    for axis in AXES:
        found = [beating_of(recording, eye, axis) for eye in EYES]
        reasons = [why_none(recording, one) for one in found]
        if all(reasons):
            yield Finding(BOTH, not_measured(reasons[0], 0), axis)
            continue
        inside = during(recording.time_s, found[0]) | during(recording.time_s, found[1])
        angles = [angle_in_sight(recording, eye, axis) for eye in EYES]
        both = inside & np.isfinite(angles[0]) & np.isfinite(angles[1])
        levels = [levelled_in_windows(recording.time_s[both], angle[both]) for angle in angles]
        count = int(levels[0].size)
        power = [float(one @ one) for one in levels]
        if count < 20 or min(power) <= 0:
            yield Finding(
                BOTH, not_measured(f"both eyes are seen together in {count} frames; needs 20", count), axis
            )
            continue
        r = float(levels[0] @ levels[1] / np.sqrt(power[0] * power[1]))
        yield Finding(BOTH, Estimate(round(r, 3), n=min(count, int(both.sum()))), axis)


def levelled_in_windows(time_s: Array, angle_deg: Array) -> Array:
    """Of each second its straight line taken off, in the parts that are long enough."""
    kept: list[Array] = []
    for part in rhythm.parts(time_s) if time_s.size > 2 else []:
        if time_s[part][-1] - time_s[part][0] >= 0.5:
            windows = rhythm.window_slices(time_s[part], 1.0, 1.0)
            kept += [rhythm.levelled(time_s[part][one], angle_deg[part][one]) for one in windows]
    return np.concatenate(kept) if kept else np.array([])


@measure(
    "nystagmus.null_zone_deg", "gaze in the head at which the intensity is least, in steps of 5 degrees",
    "null zone: the gaze of least intensity (Dell'Osso and Daroff)",
)  # fmt: skip
def null_zone(recording: Recording) -> Iterator[Finding]:
    yield from of_beats(recording, null_of)


def null_of(found: Beating) -> Estimate:
    by_gaze = intensity_by_gaze(found)
    if len(by_gaze) < NULL_LEAST_BINS:
        return not_measured(
            f"{len(by_gaze)} directions of gaze with {NULL_LEAST_BEATS} beats or more; "
            f"needs {NULL_LEAST_BINS}",
            len(found.beats),
        )
    least = min(by_gaze, key=lambda one: one.intensity_deg_per_s)
    most = max(one.intensity_deg_per_s for one in by_gaze)
    if least.intensity_deg_per_s > NULL_DEPTH * most:
        return not_measured("the intensity is much the same wherever the eyes look", len(found.beats))
    half = 0.5 * NULL_BIN_DEG
    return Estimate(least.gaze_deg, least.gaze_deg - half, least.gaze_deg + half, least.beats)


class AtGaze(NamedTuple):
    gaze_deg: float
    intensity_deg_per_s: float
    beats: int


def intensity_by_gaze(found: Beating) -> list[AtGaze]:
    """By gaze in the head, in steps of NULL_BIN_DEG that hold enough beats."""
    gaze = np.array([beat.at_deg for beat in found.beats])
    strength = np.array([abs(beat.jump_deg) / (beat.end_s - beat.start_s) for beat in found.beats])
    bins = np.round(gaze / NULL_BIN_DEG)
    return [
        AtGaze(float(one) * NULL_BIN_DEG, float(np.median(strength[bins == one])), int((bins == one).sum()))
        for one in np.unique(bins)
        if (bins == one).sum() >= NULL_LEAST_BEATS
    ]


def spectrum_of(recording: Recording, eye: str, axis: str) -> tuple[Array, Array]:
    """(frequency in Hz, power in deg2), mean of windows of 2 s: those that beat, or all where none does."""
    angle_deg = angle_in_sight(recording, eye, axis)
    seen = np.isfinite(angle_deg)
    found = beating_of(recording, eye, axis)
    beats = seen & during(recording.time_s, found)
    hz, power = rhythm.spectrum(recording.time_s[beats], angle_deg[beats])
    if not hz.size:
        hz, power = rhythm.spectrum(recording.time_s[seen], angle_deg[seen])
    return hz, power


def averaged_beat(recording: Recording, eye: str, axis: str) -> tuple[Array, Array]:
    """(phase 0 to 1, degrees about its mean) over all beats, from quick phase to quick phase; empty without.

    Of a rhythm without single beats each window is folded at its own frequency, from where its fundamental
    rises.
    """
    angle_deg = angle_in_sight(recording, eye, axis)
    seen = np.isfinite(angle_deg)
    time_s, angle_deg = recording.time_s[seen], angle_deg[seen]
    found = beating_of(recording, eye, axis)
    phases: list[Array] = []
    values: list[Array] = []
    for beat in found.beats:
        inside = slice(*np.searchsorted(time_s, (beat.start_s, beat.end_s)))
        phases.append((time_s[inside] - beat.start_s) / (beat.end_s - beat.start_s))
        values.append(angle_deg[inside] - beat.at_deg)
    for one in found.windows if not found.beats else []:
        inside = slice(*np.searchsorted(time_s, (one.start_s, one.end_s)))
        within_s, basis = time_s[inside], rhythm.design(time_s[inside], one.hz, 1)
        fitted = rhythm.solved(basis, angle_deg[inside])[0]
        turns = one.hz * (within_s - 0.5 * (within_s[0] + within_s[-1]))
        phases.append((turns + np.arctan2(fitted[3], fitted[4]) / (2 * np.pi)) % 1.0)
        values.append(angle_deg[inside] - basis[:, :3] @ fitted[:3])
    if not phases:
        return np.array([]), np.array([])
    phase, value = np.concatenate(phases), np.concatenate(values)
    bins = np.minimum((phase * PHASES).astype(int), PHASES - 1)
    count = np.bincount(bins, minlength=PHASES)
    mean = np.bincount(bins, value, PHASES) / np.maximum(count, 1)
    kept = count > 0
    middles = (np.arange(PHASES) + 0.5) / PHASES
    return middles[kept], mean[kept] - float(mean[kept].mean())


@events
def quick_phases(recording: Recording) -> Iterator[Event]:
    """Amplitude + to the patient's left and up; where single beats cannot be told, the episodes alone."""
    if recording.holds_frames:
        return
    for eye in EYES:
        for axis in AXES:
            found = beating_of(recording, eye, axis)
            for start_s, end_s in episodes(found.episodes_s):
                yield Event("nystagmus", eye, start_s, end_s - start_s, condition=axis)
            for run in found.runs:
                for beat in run.beats:
                    onset_s = beat.end_s - 0.5 * run.quick_s
                    yield Event(
                        "quick_phase", eye, onset_s, run.quick_s, round(beat.jump_deg, 3), "deg", None, axis
                    )
