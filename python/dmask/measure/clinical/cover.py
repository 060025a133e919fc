"""Cover tests: who hides which eye when, and which eye moves then.

A movement is a difference within one eye, in which kappa and the eyeball's place drop out. Eyes are followed
in the camera's frame, against which a target stands still, whatever the head does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from dmask.axes import HEAD_TO_CAMERA, gaze_axis, head_rotation
from dmask.measure.beats import line
from dmask.measure.clinical.nystagmus import beating_of
from dmask.measure.deviation import prism_dioptres
from dmask.measure.interval import Z95, median_by_ranks
from dmask.measure.record import BOTH, EYES, OTHER, Estimate, Event, Finding, between, converted, not_measured
from dmask.measure.recorded import WITHHELD_REST, Array, Recording
from dmask.measure.registry import events, measure
from dmask.measure.watched import LONGEST_GAP_S

METHOD = "movement of an eye when it, or the other, is covered or uncovered"
AXES = ("yaw", "pitch")
# Of OS less OD, by the eye that takes up fixation: the right eye, coming in, moves to the patient's left.
SIGN = {"od": 1.0, "os": -1.0}
BEATS = ("horizontal", "vertical")
CONTROLS, LEAST_CONTROLS, RESTLESS_SHARE = 30, 4, 0.3  # moments without a cover; of them such with a movement
LATENCY_SHARE = 1.5  # of cover_early_s: no eye takes up fixation sooner after the other one is hidden
STEP_S = 0.06  # of a saccade of some degrees, with the frames on its edges
BESIDE_STEP_S, BESIDE_FRAMES = 0.12, 2.5  # before and after it, at least

Span = tuple[float, float]  # seconds


class Cover(NamedTuple):
    eye: str
    start_s: float
    end_s: float
    whole: bool  # neither end of the recording cuts it


class Shift(NamedTuple):
    """How an eye moved at an event; NaN where it was not seen before, or after."""

    eye: str
    at_s: float
    yaw_deg: float
    pitch_deg: float
    sd_deg: float
    latency_s: float  # NaN where it did not move


class Tested(NamedTuple):
    covers: list[Cover]
    unseen: list[
        Shift
    ]  # of the eye that stays open when the other is covered: it takes up fixation if it deviated
    uncovered: list[Shift]  # of the eye that is uncovered, the other having been open
    swapped: list[Shift]  # of the eye that is uncovered while the other one is covered


def covers(recording: Recording) -> list[Cover]:
    """Of each eye, in order: something hides it for long enough, and lids are not seen either."""
    found = []
    for eye in EYES:
        trace = recording.eye(eye)
        hidden = (trace.reason == "covered") & ~np.isfinite(trace.openness)
        for first, last in runs(recording, hidden):
            start_s, end_s = float(recording.time_s[first]), float(recording.time_s[last])
            if end_s - start_s >= recording.settings.cover_s:
                found.append(Cover(eye, start_s, end_s, first > 0 and last + 1 < hidden.size))
    return sorted(found, key=lambda one: one.start_s)


def runs(recording: Recording, chosen: Array) -> list[tuple[int, int]]:
    """(first, last) of what is chosen in a row, small interruptions left aside."""
    at = np.flatnonzero(chosen)
    if not at.size:
        return []
    apart = np.flatnonzero(np.diff(recording.time_s[at]) > recording.settings.cover_gap_s) + 1
    return [(int(part[0]), int(part[-1])) for part in np.split(at, apart)]


def direction_deg(recording: Recording, eye: str) -> tuple[Array, Array]:
    """(F,) yaw and pitch of an eye against the camera, as a head sees it that is tilted as it mostly is."""
    frames, trace = recording.frames, recording.eye(eye)
    yaw_deg, pitch_deg, roll_deg = (frames[f"head_{axis}_deg"] for axis in ("yaw", "pitch", "roll"))
    rotation = head_rotation(yaw_deg, pitch_deg, roll_deg)
    seen = np.isfinite(roll_deg)
    tilt_deg = float(np.median(roll_deg[seen])) if seen.any() else 0.0
    in_camera = np.einsum("fij,fj->if", rotation, gaze_axis(trace.yaw_deg, trace.pitch_deg))
    # Of a head that is tilted the horizontal is tilted, too.
    x, y, z = HEAD_TO_CAMERA @ head_rotation(0.0, 0.0, tilt_deg).T @ in_camera
    hidden = ~np.isfinite(trace.yaw_deg)
    yaw, pitch = np.degrees(np.arctan2(x, -z)), np.degrees(np.arctan2(-y, np.hypot(x, z)))
    return np.where(hidden, np.nan, yaw), np.where(hidden, np.nan, pitch)


def shift(recording: Recording, eye: str, since_s: float, before: Span, after: Span) -> Shift:
    """From the median within one span of time to that within another, of an eye that may move since then."""
    time_s = recording.time_s
    moved_deg, sds = [], []
    starts = []
    for angle in recording.once(direction_deg, eye):
        seen = np.isfinite(angle)
        start, end = (angle[seen & (time_s >= span[0]) & (time_s <= span[1])] for span in (before, after))
        if not (start.size and end.size):
            return Shift(eye, since_s, *4 * [float("nan")])
        starts.append(float(np.median(start)))
        moved_deg.append(float(np.median(end)) - starts[-1])
        sds.append(float(np.hypot(*(spread_of(part) / np.sqrt(part.size) for part in (start, end)))))
    axis = int(np.argmax(np.abs(moved_deg)))
    latency_s = float("nan")
    if abs(moved_deg[axis]) >= recording.settings.cover_least_deg:
        way = (recording.once(direction_deg, eye)[axis] - starts[axis]) / moved_deg[axis]
        there = np.flatnonzero((time_s > since_s) & (way >= 0.5))
        latency_s = float(time_s[there[0]] - since_s) if there.size else latency_s
    return Shift(eye, since_s, moved_deg[0], moved_deg[1], max(sds), latency_s)


def saccade(recording: Recording, eye: str, since_s: float, until_s: float) -> Shift:
    """The largest step of an eye that nothing hides, from when it can have taken up fixation to `until_s`.

    A cover hides half of the face besides: the head, and with it gaze, is seen elsewhere at once and wanders,
    by degrees; an eye takes up fixation in one frame or a few, and not before its latency.
    """
    time_s = recording.time_s
    first_s = since_s + LATENCY_SHARE * recording.settings.cover_early_s
    beside_s = max(BESIDE_STEP_S, BESIDE_FRAMES / recording.rate_fps)
    best = Shift(eye, since_s, *4 * [float("nan")])
    for at_s in time_s[slice(*np.searchsorted(time_s, (first_s, until_s - beside_s)))].tolist():
        step = step_at(recording, eye, since_s, at_s, beside_s)
        if step and not np.hypot(step.yaw_deg, step.pitch_deg) <= np.hypot(best.yaw_deg, best.pitch_deg):
            best = step  # NaN at first
    best = as_far_as_it_stays(recording, best, until_s)
    moved = max(abs(best.yaw_deg), abs(best.pitch_deg)) >= recording.settings.cover_least_deg
    return best if moved else best._replace(latency_s=float("nan"))


def step_at(recording: Recording, eye: str, since_s: float, at_s: float, beside_s: float) -> Shift | None:
    """From right before a moment to right after, less what it drifts; None where it is not seen there."""
    half_s = 0.5 * max(STEP_S, 1 / recording.rate_fps)
    spans = [
        (max(since_s, at_s - half_s - beside_s), at_s - half_s),
        (at_s + half_s, at_s + half_s + beside_s),
    ]
    sides = [slice(*np.searchsorted(recording.time_s, span)) for span in spans]
    moved_deg, sds = [], []
    for angle in recording.once(direction_deg, eye):
        seen = [np.isfinite(angle[side]) for side in sides]
        if any(kept.sum() < max(2, 0.5 * kept.size) for kept in seen):
            return None
        before, after = (angle[side][kept] for side, kept in zip(sides, seen, strict=True))
        times_s = [recording.time_s[side][kept] for side, kept in zip(sides, seen, strict=True)]
        step_deg = float(np.median(after) - np.median(before))
        slope = 0.5 * (line(times_s[0], before)[1] + line(times_s[1], after)[1])
        without_deg = step_deg - slope * float(times_s[1].mean() - times_s[0].mean())
        # What drifts along is no step; a drift the other way hides none.
        steady = without_deg if abs(without_deg) < abs(step_deg) else step_deg
        moved_deg.append(steady if steady * step_deg > 0 else 0.0)
        sds.append(float(np.hypot(*(spread_of(part) / np.sqrt(part.size) for part in (before, after)))))
    return Shift(eye, since_s, moved_deg[0], moved_deg[1], max(sds), at_s - since_s)


def as_far_as_it_stays(recording: Recording, step: Shift, until_s: float) -> Shift:
    """A step that the eye takes back is a look, or an intrusion."""
    size_deg = float(np.hypot(step.yaw_deg, step.pitch_deg))
    early_s = step.at_s + recording.settings.cover_early_s
    late_s = step.at_s + recording.settings.settled_from_s
    whole = shift(recording, step.eye, step.at_s, (step.at_s, early_s), (late_s, until_s))
    along = (whole.yaw_deg * step.yaw_deg + whole.pitch_deg * step.pitch_deg) / max(size_deg, 1e-9) ** 2
    if not np.isfinite(along):
        return step
    stays = float(np.clip(along, 0, 1))
    return step._replace(yaw_deg=stays * step.yaw_deg, pitch_deg=stays * step.pitch_deg)


def spread_of(values: Array) -> float:
    return float(values.std()) if values.size > 1 else 0.5


def tested(recording: Recording) -> Tested:
    found = recording.once(covers)
    settings = recording.settings
    settled = (settings.settled_from_s, settings.settled_to_s)
    unseen: list[Shift] = []
    uncovered: list[Shift] = []
    swapped: list[Shift] = []
    for number, cover in enumerate(found):
        fellow = OTHER[cover.eye]
        # What came right before: the other eye was uncovered, and this cover is the second half of a swap.
        swap = any(
            one.eye == fellow and -settings.cover_s < cover.start_s - one.end_s < settings.swap_s
            for one in found[:number]
        )
        if not swap and not hidden_at(found, fellow, cover.start_s):
            until_s = min(cover.start_s + settings.settled_to_s, cover.end_s)
            unseen.append(saccade(recording, fellow, cover.start_s, until_s))
        seen_s = first_seen_s(recording, cover)
        if not (cover.whole and np.isfinite(seen_s)) or hidden_at(found, fellow, cover.end_s):
            continue
        following = [
            one for one in found if one.eye == fellow and abs(one.start_s - cover.end_s) < settings.swap_s
        ]
        if following:
            swapped.append(swap_of(recording, cover.eye, seen_s, following[0]))
        else:
            before = (seen_s, seen_s + settings.cover_early_s)
            after = (seen_s + settled[0], seen_s + settled[1])
            uncovered.append(shift(recording, cover.eye, seen_s, before, after))
    kept = ([one for one in shifts if np.isfinite(one.yaw_deg)] for shifts in (unseen, uncovered, swapped))
    return Tested(found, *kept)


def swap_of(recording: Recording, eye: str, seen_s: float, other: Cover) -> Shift:
    """How an eye takes up fixation that is seen since then, while the other one is covered.

    By its step: while a cover goes by, the head and with it gaze is seen elsewhere, and settles for a while.
    """
    settings = recording.settings
    since_s = max(seen_s, other.start_s)
    until_s = min(since_s + settings.settled_to_s, other.end_s)
    step = saccade(recording, eye, seen_s - settings.cover_early_s, until_s)
    moved_s = step.at_s + step.latency_s
    return step._replace(at_s=since_s, latency_s=float(np.maximum(0, moved_s - since_s)))


def hidden_at(found: list[Cover], eye: str, at_s: float) -> bool:
    """Whether the eye is covered itself when the other one is covered or uncovered."""
    return any(one.eye == eye and one.start_s < at_s <= one.end_s for one in found)


def first_seen_s(recording: Recording, cover: Cover) -> float:
    """When the eye behind a cover is measured again; infinite where it never is within a moment."""
    yaw = recording.once(direction_deg, cover.eye)[0]
    later = np.flatnonzero((recording.time_s > cover.end_s) & np.isfinite(yaw))
    if not later.size or recording.time_s[later[0]] - cover.end_s > recording.settings.swap_s:
        return float("inf")
    return float(recording.time_s[later[0]])


def restless_deg(recording: Recording) -> float:
    """How far eyes that nothing is held before move as a covered one would, where they mostly do; else 0.

    Eyes that beat, follow or read move all the time: a movement at a cover says nothing then.
    """
    found, settings = recording.once(covers), recording.settings
    time_s = recording.time_s
    free = np.ones(time_s.size, bool)
    for one in found:
        free &= (time_s < one.start_s - settings.settled_to_s) | (time_s > one.end_s + settings.settled_to_s)
    moments = [float(span[0]) for span in unbroken_seconds(time_s[free], settings.settled_to_s)]
    moments = [moments[k] for k in np.linspace(0, len(moments) - 1, min(CONTROLS, len(moments))).astype(int)]
    sizes = []
    for at_s in moments:
        for eye in EYES:
            step = saccade(recording, eye, at_s, at_s + settings.settled_to_s)
            if np.isfinite(step.yaw_deg):
                sizes.append(float(np.hypot(step.yaw_deg, step.pitch_deg)))
    moved = [size for size in sizes if size >= settings.cover_least_deg]
    enough = len(sizes) >= LEAST_CONTROLS and len(moved) >= RESTLESS_SHARE * len(sizes)
    return float(np.median(moved)) if enough else 0.0


def unbroken_seconds(time_s: Array, lasts_s: float) -> list[tuple[float, float]]:
    """Spans of that length, one after the other, in which no frame is missing."""
    spans = []
    start = 0
    for k in range(1, time_s.size):
        if time_s[k] - time_s[k - 1] > LONGEST_GAP_S:
            start = k
        elif time_s[k] - time_s[start] >= lasts_s:
            spans.append((float(time_s[start]), float(time_s[k])))
            start = k
    return spans


def why_none(recording: Recording, shifts: list[Shift], what: str) -> str:
    if recording.profile == "strict":
        return WITHHELD_REST
    if not recording.once(covers):
        return "no eye was covered"
    if not shifts:
        return what
    if (size_deg := recording.once(restless_deg)) > 0:
        return f"without a cover the eyes move by {size_deg:.1f} degrees, too"
    beating = next((eye for eye in EYES for axis in BEATS if beating_of(recording, eye, axis).waveform), "")
    return "the eyes beat" if beating else ""


def deviation(recording: Recording, shifts: list[Shift], axis: int, what: str) -> Estimate:
    """OS less OD, the median over events; + is exo, or the left eye higher."""
    if reason := why_none(recording, shifts, what):
        return not_measured(reason, len(shifts))
    values = np.array([SIGN[one.eye] * (one.yaw_deg, one.pitch_deg)[axis] for one in shifts])
    median, low, high = median_by_ranks(values)
    # With few swaps their own errors say how sure it is; two movements may differ by fixation, too.
    own = float(np.median([one.sd_deg for one in shifts])) + recording.settings.fixation_sd_deg
    half = Z95 * 1.2533 * float(np.hypot(values.std(), own)) / np.sqrt(len(values))
    half = max(half, ONE_EVENT_DEG) if len(values) < LEAST_COVERS else half
    low = min(median - half, low) if low is not None else median - half
    high = max(median + half, high) if high is not None else median + half
    return between(median, low, high, len(values))


ONE_EVENT_DEG = 15.0  # that a look aside may be, by chance in the only event
LEAST_COVERS = 2  # of an eye: a look aside during a single one would be a movement
STILL_SHARE = 2.0  # of the least movement: an interval within it holds none that matters
ALTERNATE = "cover was never passed from one eye to the other in sight of both"
UNSEEN = "the other eye was not seen before and after"
UNCOVERED = "no eye was seen at once when it was uncovered"


def by_test(recording: Recording, axis: int) -> Iterator[Finding]:
    told = recording.once(tested)
    yield Finding(BOTH, deviation(recording, told.swapped, axis, ALTERNATE), "alternate_cover")
    for eye in EYES:
        of = [one for one in told.unseen if one.eye == eye]
        yield Finding(eye, deviation(recording, of, axis, UNSEEN), "other_covered")
        of = [one for one in told.uncovered if one.eye == eye]
        yield Finding(eye, deviation(recording, of, axis, UNCOVERED), "uncovered")


@measure("cover.deviation_horizontal_deg", "by the eye that moves: + is exo, - is eso", METHOD)
def horizontal(recording: Recording) -> Iterator[Finding]:
    yield from by_test(recording, 0)


@measure("cover.deviation_vertical_deg", "by the eye that moves: + is the left eye higher", METHOD)
def vertical(recording: Recording) -> Iterator[Finding]:
    yield from by_test(recording, 1)


@measure("cover.deviation_horizontal_pd", "the same in prism dioptres", METHOD)
def horizontal_pd(recording: Recording) -> Iterator[Finding]:
    for eye, estimate, condition in by_test(recording, 0):
        yield Finding(eye, converted(estimate, prism_dioptres, 2), condition)


@measure("cover.deviation_vertical_pd", "the same in prism dioptres", METHOD)
def vertical_pd(recording: Recording) -> Iterator[Finding]:
    for eye, estimate, condition in by_test(recording, 1):
        yield Finding(eye, converted(estimate, prism_dioptres, 2), condition)


@measure("cover.latency_s", "from the event to half of the movement, median over those that moved", METHOD)
def latency(recording: Recording) -> Iterator[Finding]:
    told = recording.once(tested)
    moved = [one for one in (*told.unseen, *told.uncovered, *told.swapped) if np.isfinite(one.latency_s)]
    if reason := why_none(recording, moved, "no eye moved"):
        yield Finding(BOTH, not_measured(reason, len(moved)))
        return
    values = np.array([one.latency_s for one in moved])
    yield Finding(BOTH, between(*median_by_ranks(values), int(values.size)))


@measure(
    "cover.kind_class",
    "tropia where an eye moves when the other is covered; phoria where only under cover",
    METHOD,
)
def kind(recording: Recording) -> Iterator[Finding]:
    yield Finding(BOTH, recording.once(kind_of))


def kind_of(recording: Recording) -> Estimate:
    told = recording.once(tested)
    if reason := why_none(recording, told.unseen, UNSEEN):
        return not_measured(reason, len(told.unseen))
    least = recording.settings.cover_least_deg
    seen_of = {eye: [one for one in told.unseen if one.eye == eye] for eye in EYES}
    manifest = [
        deviation(recording, seen_of[eye], axis, UNSEEN)
        for eye in EYES
        if len(seen_of[eye]) >= LEAST_COVERS
        for axis in (0, 1)
    ]
    latent = [
        deviation(recording, shifts, axis, "")
        for shifts in (told.swapped, told.uncovered)
        if shifts
        for axis in (0, 1)
    ]
    if any(sure(one, least) for one in manifest):
        return Estimate("tropia", n=len(told.unseen))
    if any(sure(one, least) for one in latent):
        if all(seen_of.values()):  # each eye was seen to keep still when the other was covered
            return Estimate("phoria", n=len(told.swapped) + len(told.uncovered))
        return not_measured("one eye was never covered while the other was open", len(told.unseen))
    if not all(len(seen_of[eye]) >= LEAST_COVERS for eye in EYES):
        return not_measured(
            f"needs {LEAST_COVERS} covers of each eye while the other is open", len(told.unseen)
        )
    if not latent or not all(still(one, least) for one in (*manifest, *latent)):
        return not_measured("the eyes do not keep still to within what a cover test tells", len(told.unseen))
    return Estimate("none", n=len(told.unseen))


def still(estimate: Estimate, least_deg: float) -> bool:
    """No movement as large as that is within its interval, or the median of several is far below it."""
    if not isinstance(estimate.value, float) or estimate.low is None or estimate.high is None:
        return False
    return abs(estimate.value) < least_deg and max(-estimate.low, estimate.high) < STILL_SHARE * least_deg


def sure(estimate: Estimate, least_deg: float) -> bool:
    """A movement, at least so large, that is not its own error."""
    if not isinstance(estimate.value, float) or estimate.low is None or estimate.high is None:
        return False
    return abs(estimate.value) >= least_deg and estimate.low * estimate.high > 0


@measure("cover.cover_count", "times that something hid an eye", METHOD)
def cover_count(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        if not np.isin(recording.eye(eye).reason, ("valid", "closed", "covered")).any():
            every = np.ones(recording.time_s.size, bool)
            yield Finding(eye, not_measured(recording.why_not(eye, "yaw_deg", every)))
            continue
        count = sum(one.eye == eye for one in recording.once(covers))
        yield Finding(eye, Estimate(float(count), n=count))


@events
def cover_events(recording: Recording) -> Iterator[Event]:
    for cover in recording.once(covers):
        yield Event("cover", cover.eye, cover.start_s, cover.end_s - cover.start_s)
    if recording.profile == "strict" or recording.holds_frames:
        return
    told = recording.once(tested)
    tests = {"other_covered": told.unseen, "uncovered": told.uncovered, "alternate_cover": told.swapped}
    for condition, shifts in tests.items():
        for one in shifts:
            if np.isfinite(one.latency_s):
                amount_deg = float(np.hypot(one.yaw_deg, one.pitch_deg))
                moved_s = one.at_s + one.latency_s
                yield Event("refixation", one.eye, moved_s, 0.0, amount_deg, "deg", condition=condition)
