"""How still the eyes hold, what interrupts that, and how good the recording of gaze is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from dmask.measure.clinical.nystagmus import AXES, angle_in_sight, beating_of
from dmask.measure.interval import Z95, count_interval, effective_number
from dmask.measure.noise import noise_step
from dmask.measure.record import EYES, Estimate, Event, Finding, not_measured
from dmask.measure.recorded import WITHHELD_TIME, Array, Recording
from dmask.measure.registry import events, measure
from dmask.measure.running import running_median
from dmask.measure.steps import Intrusion, Steps, intrusions, steps

BCEA = "Castet and Crossland 2012, 10.1163/187847611X620955: 2 k pi sx sy sqrt(1 - r2), P = 1 - exp(-k)"
QUALITY = "Niehorster et al. 2020, 10.3758/s13428-020-01400-9, and ETDQualitizer"
INTRUSIONS = "Herishanu and Sharpe 1981: off by 0.5 degrees and over, back after some 200 ms"
MAIN_SEQUENCE = "Bahill, Clark and Stark 1975: peak velocity by amplitude; here a line in logarithms"
P_INSIDE = 0.682
STEADY_S = 0.6  # gaze is followed by its median over so long: neither beats nor intrusions move it
SEEN_DEG = 2.0  # the usual intrusion is smaller: with more noise nothing is told of them
LEAST_FPS = 24.0  # an eye that is away for 200 ms is seen there in four frames
EVEN_SHARE = 0.99  # cameras of 120 have 119.88
MAIN_AT_DEG = 5.0
LEAST_SACCADES = 8
SACCADE_DEG = (1.0, 20.0)
LEAST_SPAN = 2.0  # the largest over the smallest, by their tenth and ninetieth percentiles
PEAK_WITHIN_S = 0.08


class Fixation(NamedTuple):
    """The longest stretch in which gaze keeps to one place; frames of it that are in sight."""

    start_s: float
    end_s: float
    time_s: Array
    yaw_deg: Array
    pitch_deg: Array

    @property
    def lasts_s(self) -> float:
        return self.end_s - self.start_s


def fixation_of(recording: Recording, eye: str) -> Fixation | str:
    """Or why there is none."""
    return recording.once(longest_fixation, eye)


def longest_fixation(recording: Recording, eye: str) -> Fixation | str:
    if recording.holds_frames:
        return WITHHELD_TIME
    yaw, pitch = (angle_in_sight(recording, eye, axis) for axis in AXES)
    seen = np.isfinite(yaw) & np.isfinite(pitch)
    if seen.sum() < 10:
        return recording.why_not(eye, "yaw_deg", np.ones(seen.size, bool))
    time_s, yaw, pitch = recording.time_s[seen], yaw[seen], pitch[seen]
    steady = [running_median(time_s, angle, STEADY_S) for angle in (yaw, pitch)]
    settings = recording.settings
    first, last = longest_within(time_s, steady, settings.fixation_within_deg, settings.fixation_gap_s)
    inside = slice(first, last + 1)
    found = Fixation(float(time_s[first]), float(time_s[last]), time_s[inside], yaw[inside], pitch[inside])
    if found.lasts_s < settings.fixation_least_s:
        return f"gaze keeps to one place for {found.lasts_s:.1f} s; needs {settings.fixation_least_s:g}"
    return found


def longest_within(time_s: Array, angles: list[Array], within_deg: float, gap_s: float) -> tuple[int, int]:
    """First and last frame of the longest stretch without a gap in which no angle goes further than that."""
    highs: list[deque[int]] = [deque() for _ in angles]
    lows: list[deque[int]] = [deque() for _ in angles]
    best, first = (0, 0), 0
    for k in range(time_s.size):
        if k and time_s[k] - time_s[k - 1] > gap_s:
            first = k
        for angle, high, low in zip(angles, highs, lows, strict=True):
            while high and angle[high[-1]] <= angle[k]:
                high.pop()
            high.append(k)
            while low and angle[low[-1]] >= angle[k]:
                low.pop()
            low.append(k)
            while high[0] < first:
                high.popleft()
            while low[0] < first:
                low.popleft()
            while angle[high[0]] - angle[low[0]] > within_deg:
                first = min(high[0], low[0]) + 1
                while high[0] < first:
                    high.popleft()
                while low[0] < first:
                    low.popleft()
        if time_s[k] - time_s[first] > time_s[best[1]] - time_s[best[0]]:
            best = (first, k)
    return best


def of_fixation(recording: Recording, told: Callable[[Fixation], Estimate]) -> Iterator[Finding]:
    for eye in EYES:
        found = fixation_of(recording, eye)
        yield Finding(eye, not_measured(found, 0) if isinstance(found, str) else told(found))


@measure("fixation.longest_s", "of the longest stretch in which gaze keeps to one place", "settings")
def longest(recording: Recording) -> Iterator[Finding]:
    yield from of_fixation(
        recording, lambda found: Estimate(round(found.lasts_s, 2), n=int(found.time_s.size))
    )


@measure("fixation.bcea_deg2", "area of the ellipse that holds 68 % of gaze in the longest fixation", BCEA)
def bcea(recording: Recording) -> Iterator[Finding]:
    """Its noise is in it: see rms_s2s_deg."""

    def told(found: Fixation) -> Estimate:
        area = ellipse_deg2(found.yaw_deg, found.pitch_deg)
        independent = min(effective_number(found.yaw_deg), effective_number(found.pitch_deg))
        # Of two standard deviations that are each known to 1 / sqrt(2 n).
        half = Z95 / np.sqrt(max(independent, 2.0))
        ends = [round(area * float(np.exp(sign * half)), 4) for sign in (-1, 1)]
        return Estimate(round(area, 4), ends[0], ends[1], int(found.time_s.size))

    yield from of_fixation(recording, told)


def ellipse_deg2(yaw_deg: Array, pitch_deg: Array) -> float:
    spread = np.cov(yaw_deg, pitch_deg)
    k = -np.log(1 - P_INSIDE)
    return float(2 * k * np.pi * np.sqrt(max(float(np.linalg.det(spread)), 0.0)))


@measure(
    "fixation.rms_s2s_deg", "precision: root mean square step from frame to frame in the fixation", QUALITY
)
def rms_s2s(recording: Recording) -> Iterator[Finding]:
    def told(found: Fixation) -> Estimate:
        interval_s = np.diff(found.time_s)
        beside = interval_s <= 1.5 * np.median(interval_s)  # a step over a gap is none
        squares = np.diff(found.yaw_deg)[beside] ** 2 + np.diff(found.pitch_deg)[beside] ** 2
        return Estimate(round(float(np.sqrt(squares.mean())), 4), n=int(squares.size))

    yield from of_fixation(recording, told)


@measure(
    "fixation.std_deg", "precision: standard deviation of gaze in the fixation, both axes together", QUALITY
)
def std(recording: Recording) -> Iterator[Finding]:
    yield from of_fixation(
        recording,
        lambda found: Estimate(
            round(float(np.hypot(found.yaw_deg.std(), found.pitch_deg.std())), 4), n=int(found.time_s.size)
        ),
    )


@measure("fixation.data_loss_share", "of the frames without gaze, blinks among them", QUALITY)
def data_loss(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        valid = with_gaze(recording, eye)
        if not valid.size:
            yield Finding(eye, not_measured("no such frame", 0))
        else:
            yield Finding(eye, Estimate(round(1 - float(valid.mean()), 4), n=int(valid.size)))


@measure("fixation.effective_frequency_hz", "frames with gaze a second of the recording", QUALITY)
def effective_frequency(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        valid = with_gaze(recording, eye)
        if valid.size < 2 or not recording.duration_s > 0:
            yield Finding(eye, not_measured("fewer than two frames", int(valid.size)))
            continue
        whole_s = recording.duration_s * valid.size / (valid.size - 1)  # the last frame lasts as well
        yield Finding(eye, Estimate(round(float(valid.sum()) / whole_s, 2), n=int(valid.sum())))


def with_gaze(recording: Recording, eye: str) -> Array:
    trace = recording.eye(eye)
    seen: Array = np.isfinite(trace.yaw_deg) & np.isfinite(trace.pitch_deg)
    return seen


@measure(
    "fixation.square_wave_jerks_per_min",
    "intrusions away and back again within the longest fixation; more than 9 are unusual in the young",
    INTRUSIONS,
)
def square_wave_jerks(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        for axis in AXES:
            found = recording.once(square_waves, eye, axis)
            if isinstance(found, str):
                yield Finding(eye, not_measured(found, 0), axis)
                continue
            fixation = fixation_of(recording, eye)
            assert isinstance(fixation, Fixation)
            minutes = seen_s(fixation) / 60
            low, high = count_interval(len(found))
            rate, *ends = (round(one / minutes, 2) for one in (len(found), low, high))
            yield Finding(eye, Estimate(rate, ends[0], ends[1], len(found)), axis)


def seen_s(found: Fixation) -> float:
    interval_s = np.diff(found.time_s)
    return float(interval_s[interval_s <= 2.5 * np.median(interval_s)].sum())


def square_waves(recording: Recording, eye: str, axis: str) -> list[Intrusion] | str:
    """Or why they cannot be told."""
    found = fixation_of(recording, eye)
    if isinstance(found, str):
        return found
    if recording.rate_fps < LEAST_FPS:
        return f"{recording.rate_fps:.0f} frames a second; needs {LEAST_FPS:g}"
    if beating_of(recording, eye, axis).waveform:
        return "the eye beats: its quick phases would be counted"
    angle = found.yaw_deg if axis == "horizontal" else found.pitch_deg
    step = noise_step(found.time_s, angle)
    if step is None:
        return "too few frames in a row"
    settings = recording.settings
    noise_deg = step / np.sqrt(2)
    seeable_deg = settings.square_wave_least_noises * noise_deg
    if seeable_deg > SEEN_DEG:
        return (
            f"noise of {noise_deg:.2f} degrees a frame: intrusions under {seeable_deg:.1f} degrees are not "
            f"seen; needs {SEEN_DEG:g}"
        )
    least_deg = max(settings.square_wave_least_deg, seeable_deg)
    return intrusions(
        steps(found.time_s, angle, least_deg), settings.square_wave_least_s, settings.square_wave_most_s,
        settings.square_wave_most_deg,
    )  # fmt: skip


@measure(
    "fixation.main_sequence_5deg_deg_per_s",
    "peak velocity of a saccade of 5 degrees, by a line through all in logarithms; across two intervals",
    MAIN_SEQUENCE,
    validated=False,
)
def main_sequence(recording: Recording) -> Iterator[Finding]:
    least_fps = recording.settings.saccade_fps
    for eye in EYES:
        for axis in AXES:
            if recording.holds_frames:
                yield Finding(eye, not_measured(WITHHELD_TIME), axis)
            elif not recording.rate_fps >= EVEN_SHARE * least_fps:
                told = f"{recording.rate_fps:.0f} frames a second; needs {least_fps:g}"
                yield Finding(eye, not_measured(told, 0), axis)
            elif beating_of(recording, eye, axis).waveform:
                yield Finding(eye, not_measured("the eye beats: its quick phases are no saccades", 0), axis)
            else:
                yield Finding(eye, main_sequence_of(recording, eye, axis), axis)


def main_sequence_of(recording: Recording, eye: str, axis: str) -> Estimate:
    angle = angle_in_sight(recording, eye, axis)
    seen = np.isfinite(angle)
    time_s, angle = recording.time_s[seen], angle[seen]
    step = noise_step(time_s, angle)
    if step is None:
        return not_measured("too few frames in a row", 0)
    least_deg = max(SACCADE_DEG[0], recording.settings.square_wave_least_noises * step / np.sqrt(2))
    size, peak = peaks(time_s, angle, steps(time_s, angle, least_deg))
    kept = np.isfinite(peak) & (size <= SACCADE_DEG[1]) & (peak > 0)
    if kept.sum() < LEAST_SACCADES:
        return not_measured(
            f"{int(kept.sum())} saccades of {least_deg:.1f} to {SACCADE_DEG[1]:g} degrees; "
            f"needs {LEAST_SACCADES}",
            int(kept.sum()),
        )
    low, high = np.percentile(size[kept], [10, 90])
    if high < LEAST_SPAN * low or not low <= MAIN_AT_DEG <= high:
        return not_measured(f"saccades go from {low:.1f} to {high:.1f} degrees only", int(kept.sum()))
    x, y = np.log(size[kept] / MAIN_AT_DEG), np.log(peak[kept])
    slope = float((x - x.mean()) @ (y - y.mean()) / ((x - x.mean()) @ (x - x.mean())))
    at = float(y.mean() - slope * x.mean())
    rest = y - at - slope * x
    error = float(rest.std()) * np.sqrt(1 / x.size + x.mean() ** 2 / float((x - x.mean()) @ (x - x.mean())))
    ends = [round(float(np.exp(at + sign * Z95 * error)), 1) for sign in (-1, 1)]
    return Estimate(round(float(np.exp(at)), 1), ends[0], ends[1], int(x.size))


def peaks(time_s: Array, angle_deg: Array, found: Steps) -> tuple[Array, Array]:
    """(size without sign, fastest change across two intervals) of each step; NaN over a gap."""
    speed = np.full(time_s.size, np.nan)
    across_s = time_s[2:] - time_s[:-2]
    near = across_s <= 3 * np.median(np.diff(time_s))
    speed[1:-1] = np.where(near, (angle_deg[2:] - angle_deg[:-2]) / across_s, np.nan)
    fastest = np.full(found.at_s.size, np.nan)
    for k, (at_s, size) in enumerate(zip(found.at_s, found.size_deg, strict=True)):
        inside = slice(*np.searchsorted(time_s, (at_s - PEAK_WITHIN_S, at_s + PEAK_WITHIN_S)))
        along = speed[inside] * np.sign(size)
        if np.isfinite(along).any():
            fastest[k] = np.nanmax(along)
    return np.abs(found.size_deg), fastest


@events
def square_wave_events(recording: Recording) -> Iterator[Event]:
    for eye in EYES:
        for axis in AXES:
            found = recording.once(square_waves, eye, axis)
            for one in [] if isinstance(found, str) else found:
                lasts_s, size_deg = one.end_s - one.start_s, round(one.size_deg, 3)
                yield Event("square_wave_jerk", eye, one.start_s, lasts_s, size_deg, "deg", None, axis)
