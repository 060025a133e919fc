"""Lids that move as lids do, with the blinks known: openness over time of both eyes, nothing rendered.

A blink closes in 75 to 150 ms and opens in two to three times that. What makes blinks hard to count goes on
meanwhile: smiles and squints, looks down which the lids follow, twitches, drooping lids, gaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dmask.arrays import Floats

EYES = ("od", "os")
# By kind of recording: how often what happens in it, and what the lids do besides.
MIXTURES: dict[str, dict[str, float]] = {
    "plain": {"full": 1.0},
    "smiles": {"full": 0.9, "half": 0.1},
    "half": {"half": 0.6, "full": 0.4},
    "winks": {"wink": 0.5, "full": 0.5},
    "double": {"double": 0.5, "full": 0.5},
    "slow": {"slow": 0.5, "full": 0.5},
    "down": {"full": 1.0},
    "ptosis": {"full": 0.8, "half": 0.2},
    "closures": {"closure": 0.3, "full": 0.7},
    "gaps": {"full": 1.0},
    "mixed": {"full": 0.4, "half": 0.15, "wink": 0.15, "double": 0.1, "slow": 0.1, "closure": 0.1},
}
SMILING = ("smiles", "half", "winks", "mixed")
LOOKING_DOWN = ("down", "mixed")
TWITCHES = 0.1  # share of the events: a lid that moves and comes nowhere near half shut
FINE_S = 0.001  # the course is made at this step, and then seen by a camera
SEEN_SHUT = 0.04  # dmask calls an eye shut whose openness is below it
LEAST_BLINK = 0.5  # share of the momentary opening that a blink takes at least
NOISE_SD = 0.001  # of dmask's openness from frame to frame, on renders 360 to 512 px wide with their noise
WORST_NOISE = 15.0  # times NOISE_SD, for real skin and light; half of it wanders over a few frames
WRONG_FRAMES = 0.001  # share of frames with a value that belongs to no lid
SHORT_OF_SHUT = 0.12  # share of the opening at which a detector may see a shut lid at most
DOWN_PER_DEG = 0.014  # share of the opening that is lost for a degree of downward gaze


class LidEvent(NamedTuple):
    """One movement of the lids there and back; `amounts` are of the momentary opening, 1 shut, by eye."""

    kind: str  # full, half, wink, double, slow, closure, twitch
    start_s: float
    closing_s: float
    shut_s: float
    opening_s: float
    amounts: tuple[float, float]

    @property
    def end_s(self) -> float:
        return self.start_s + self.closing_s + self.shut_s + self.opening_s

    def course(self, time_s: Floats) -> Floats:
        """Share of the way, 0 open to 1, at each time: it closes evenly and opens fast first, slowly then."""
        since_s = time_s - self.start_s
        closing = np.clip(since_s / self.closing_s, 0, 1)
        opening = np.clip((since_s - self.closing_s - self.shut_s) / self.opening_s, 0, 1) ** 0.75
        share: Floats = 0.5 * (np.cos(np.pi * opening) - np.cos(np.pi * closing))
        return share


@dataclass
class LidRecording:
    """Openness by eye as measured in the frames of a camera, NaN in gaps, and what the lids did."""

    kind: str
    time_s: Floats
    openness: dict[str, Floats]
    closure: dict[str, Floats]  # share by which the lids are shut, smiles and looks down included, exactly
    events: list[LidEvent]

    def blinks(self, eye: str) -> list[LidEvent]:
        """Blinks and closures of an eye: events that take LEAST_BLINK of its opening."""
        return [event for event in self.events if event.amounts[EYES.index(eye)] >= LEAST_BLINK]


def lid_recording(
    random: np.random.Generator,
    kind: str,
    duration_s: float = 40.0,
    rate_fps: float = 30.0,
    variable: bool = False,
) -> LidRecording:
    """A recording of one of the kinds of MIXTURES, as `random` draws it."""
    fine_s = np.arange(0.0, duration_s, FINE_S)
    events = drawn_events(random, kind, duration_s)
    common = np.ones(fine_s.size)
    if kind in SMILING:
        common *= plateaus(random, fine_s, (0.6, 0.85), (0.15, 0.5), (1.5, 8.0))
    if kind in LOOKING_DOWN:
        least = 1 - DOWN_PER_DEG * 30  # a look 10 to 30 degrees down; the lid keeps up with the saccade
        common *= plateaus(random, fine_s, (least, 1 - DOWN_PER_DEG * 10), (0.06, 0.12), (0.4, 4.0))
    time_s = frame_times(random, duration_s, rate_fps, variable)
    seen_at = np.minimum((time_s / FINE_S).astype(int), fine_s.size - 1)
    noise_sd = NOISE_SD * WORST_NOISE ** random.random()
    openness, closure = {}, {}
    for number, eye in enumerate(EYES):
        droops = kind == "ptosis" and number == 0
        wide = random.uniform(0.08, 0.15) if droops else random.uniform(0.22, 0.45)
        course = common ** random.uniform(0.8, 1.1)
        residue = random.uniform(0.0, SHORT_OF_SHUT)
        for event in events:
            first, last = np.searchsorted(fine_s, (event.start_s, event.end_s))
            course[first:last] *= 1 - event.amounts[number] * event.course(fine_s[first:last])
        closure[eye] = 1.0 - course[seen_at]
        openness[eye] = measured(random, wide * (residue + (1 - residue) * course[seen_at]), noise_sd)
    if kind == "gaps":
        for start_s in np.arange(random.uniform(1, 6), duration_s, 6.0):
            hidden = (time_s >= start_s) & (time_s < start_s + random.uniform(0.1, 2.0))
            for values in openness.values():
                values[hidden] = np.nan
    return LidRecording(kind, time_s, openness, closure, events)


def measured(random: np.random.Generator, values: Floats, noise_sd: float) -> Floats:
    """The openness as it comes out of a tracker: with noise, some wrong frames, and 0 when all but shut."""
    white, wandering = random.normal(0, noise_sd, (2, values.size))
    noisy = values + np.sqrt(0.5) * (white + np.convolve(wandering, np.full(5, 5**-0.5), "same"))
    noisy *= np.where(random.random(values.size) < WRONG_FRAMES, random.uniform(0.6, 1.3, values.size), 1.0)
    return np.where(noisy < SEEN_SHUT, 0.0, noisy)


def frame_times(random: np.random.Generator, duration_s: float, rate_fps: float, variable: bool) -> Floats:
    """The frames of a steady camera; or of a telephone, whose intervals vary and which drops frames."""
    count = int(duration_s * rate_fps)
    if not variable:
        return np.arange(count) / rate_fps
    intervals_s = random.uniform(0.7, 1.3, count) * np.where(random.random(count) < 0.03, 2.0, 1.0) / rate_fps
    time_s = np.cumsum(intervals_s)
    return np.asarray(time_s[time_s < duration_s], np.float64)


def drawn_events(random: np.random.Generator, kind: str, duration_s: float) -> list[LidEvent]:
    """One after another; the first may be under way at the start, and the last at the end."""
    mixture = MIXTURES[kind]
    events: list[LidEvent] = []
    at_s = random.uniform(-0.3, 1.5)
    while at_s < duration_s:
        drawn = str(random.choice(list(mixture), p=list(mixture.values())))
        drawn = "twitch" if random.random() < TWITCHES else drawn
        events.append(drawn_event(random, drawn, at_s))
        if drawn == "double":  # the lid has come back only in part, or just so
            again_s = events[-1].end_s + random.uniform(-0.5, 0.15) * events[-1].opening_s
            events.append(drawn_event(random, "double", again_s))
        at_s = events[-1].end_s + 0.4 + random.exponential(1.6)
    return events


def drawn_event(random: np.random.Generator, kind: str, start_s: float) -> LidEvent:
    closing_s = random.uniform(0.075, 0.15)
    shut_s, opening_s = random.uniform(0.0, 0.06), closing_s * random.uniform(2.0, 3.0)
    deep = random.uniform(0.93, 1.0)
    amounts = (deep, deep)
    if kind == "half":
        half = random.uniform(0.6, 0.85)
        amounts = (half, half)
    elif kind == "twitch":
        amounts = (random.uniform(0.0, 0.35), random.uniform(0.0, 0.35))
    elif kind == "wink":
        closing_s, shut_s = random.uniform(0.1, 0.2), random.uniform(0.1, 0.4)
        other = random.uniform(0.0, 0.35)  # the other eye's lids come along a little
        amounts = (deep, other) if random.random() < 0.5 else (other, deep)
    elif kind == "slow":
        opening_s = random.uniform(0.5, 1.0)
    elif kind == "closure":
        shut_s = random.uniform(1.3, 5.0)
    return LidEvent(kind, start_s, closing_s, shut_s, opening_s, amounts)


def plateaus(
    random: np.random.Generator,
    time_s: Floats,
    level: tuple[float, float],
    ramp_s: tuple[float, float],
    hold_s: tuple[float, float],
) -> Floats:
    """1, besides about half of the time at levels within `level`, with even ramps there and back."""
    values = np.ones(time_s.size)
    at_s = random.uniform(0.5, 4.0)
    while at_s < time_s[-1]:
        there_s, back_s = at_s + random.uniform(*ramp_s), random.uniform(*ramp_s)
        leaves_s = there_s + random.uniform(*hold_s)
        values -= (1 - random.uniform(*level)) * np.interp(
            time_s, [at_s, there_s, leaves_s, leaves_s + back_s], [0.0, 1.0, 1.0, 0.0]
        )
        at_s = leaves_s + back_s + random.uniform(0.5, 5.0)
    return values
