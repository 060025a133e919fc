"""Blinks: how often, how far, how long, of each eye and of both; winks and longer closures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from dmask.measure.blinks import EDGE_SHARE, Blink
from dmask.measure.interval import count_interval, median_by_ranks, share_interval
from dmask.measure.open_lid import local_baseline, open_baseline, wide_open
from dmask.measure.record import BOTH, EYES, OTHER, Estimate, Event, Finding, between, not_measured
from dmask.measure.recorded import WITHHELD_TIME, Array, Recording
from dmask.measure.registry import events, measure
from dmask.measure.watched import watched_s

VALLEY = "a valley of openness half as deep as the lids are open, or deeper, but for looks down"
PHASES_FPS = 50.0  # a lid closes within 0.1 s: fewer frames a second have two or three of it
MOST_OF_IT = 0.5  # of a long wink: the other eye squints at its beginning and its end
BESIDE_S = 0.2  # of a blink, where the lids are open


class Course(NamedTuple):
    """One blink as it went."""

    blink: Blink
    closing_s: float  # until it is lowest
    opening_s: float
    amplitude_mm: float  # of the fissure; NaN where the profile has no millimetres


def courses(recording: Recording, eye: str) -> list[Course]:
    trace, time_s = recording.eye(eye), recording.time_s
    open_mm = open_fissure_mm(time_s, trace.pfh_mm)
    found = []
    for blink in recording.blinks(eye):
        first, last = np.searchsorted(time_s, (blink.start_s - 1e-6, blink.end_s + 1e-6))
        openness = trace.openness[first:last]
        if not np.isfinite(openness).any():  # between two frames
            continue
        shut = (
            np.flatnonzero(openness <= np.nanmin(openness) + 1e-6) + first
        )  # of a lid that stays shut more than one
        # In lids that flutter for seconds no opening of before is lost: only what was open right beside it.
        beside = slice(*np.searchsorted(time_s, (blink.start_s - BESIDE_S, blink.end_s + BESIDE_S)))
        widest_mm = trace.pfh_mm[beside][np.isfinite(trace.pfh_mm[beside])].max(initial=0.0)
        lost_mm = np.minimum(open_mm[first:last], widest_mm) - trace.pfh_mm[first:last]
        amplitude_mm = float(np.nanmax(lost_mm)) if np.isfinite(lost_mm).any() else float("nan")
        closing_s, opening_s = time_s[shut[0]] - blink.start_s, blink.end_s - time_s[shut[-1]]
        found.append(Course(blink, float(closing_s), float(opening_s), amplitude_mm))
    return found


def open_fissure_mm(time_s: Array, fissure_mm: Array) -> Array:
    """(F,) of the lids between their blinks; NaN without millimetres."""
    seen = np.isfinite(fissure_mm)
    if seen.sum() < 2 or not (fissure_mm[seen] > 0).any():
        return np.full(time_s.size, np.nan)
    open_mm: Array = np.interp(time_s, time_s[seen], local_baseline(time_s[seen], fissure_mm[seen]))
    return open_mm


def eye_watched_s(recording: Recording, eye: str) -> float:
    """For how long its lids were seen."""
    return watched_s(recording.time_s, np.isfinite(recording.eye(eye).openness))


def together_s(recording: Recording) -> float:
    """For how long the lids of both eyes were seen."""
    seen = [np.isfinite(recording.eye(eye).openness) for eye in EYES]
    return watched_s(recording.time_s, seen[0] & seen[1])


def why_none(recording: Recording, eye: str) -> str:
    """ "" where blinks can be told."""
    if recording.holds_frames:
        return WITHHELD_TIME
    if eye_watched_s(recording, eye) < 1.0:
        return recording.why_not(eye, "openness", np.ones(recording.time_s.size, bool))
    return ""


def too_slow(recording: Recording, least_fps: float | None = None) -> str:
    """ "" where there are frames enough to see how deep a lid goes, and when."""
    least_fps = recording.settings.blink_fps if least_fps is None else least_fps
    enough = recording.rate_fps >= least_fps
    return "" if enough else f"{recording.rate_fps:.0f} frames a second; needs {least_fps:g}"


def of_blinks(
    recording: Recording, value: Callable[[Course], float], least_fps: float | None = None
) -> Iterator[Finding]:
    """The median of something of the blinks of each eye."""
    for eye in EYES:
        values = np.array([value(course) for course in recording.once(courses, eye)])
        values = values[np.isfinite(values)]
        reason = why_none(recording, eye)
        reason = reason or too_slow(recording, least_fps)
        if not reason and not values.size:
            reason = (
                "no blink"
                if not recording.blinks(eye)
                else recording.why_not(eye, "pfh_mm", np.ones(recording.time_s.size, bool))
            )
        if reason:
            yield Finding(eye, not_measured(reason, 0))
            continue
        yield Finding(eye, between(*median_by_ranks(values), int(values.size)))


@measure("blinks.rate_per_min", "blinks a minute, complete and partial ones", VALLEY)
def rate(recording: Recording) -> Iterator[Finding]:
    for eye in (*EYES, BOTH):
        of = EYES if eye == BOTH else (eye,)
        reason = next((told for one in of if (told := why_none(recording, one))), "")
        if reason:
            yield Finding(eye, not_measured(reason))
            continue
        minutes = together_s(recording) / 60 if eye == BOTH else eye_watched_s(recording, eye) / 60
        if minutes * 60 < 1.0:
            yield Finding(eye, not_measured("the eyes are not seen together", 0))
            continue
        count = len(together(recording)) if eye == BOTH else len(recording.blinks(eye))
        low, high = count_interval(count)
        yield Finding(eye, between(count / minutes, low / minutes, high / minutes, count, 2))


def together(recording: Recording) -> list[tuple[Blink, Blink]]:
    """Blinks of both eyes at once."""
    pairs = []
    for od in recording.blinks("od"):
        overlapping = [
            one for one in recording.blinks("os") if one.start_s < od.end_s and od.start_s < one.end_s
        ]
        if overlapping:
            pairs.append(
                (
                    od,
                    max(overlapping, key=lambda one: min(one.end_s, od.end_s) - max(one.start_s, od.start_s)),
                )
            )
    return pairs


def winks(recording: Recording, eye: str) -> list[Blink]:
    """Blinks and closures of one eye during which the other stays open in sight.

    Whoever winks squints a little with the other eye, too; in a blink, which is quick, one lid may just be
    caught farther down than the other.
    """
    share, of_wide = (recording.once(share_of, OTHER[eye], one) for one in (local_baseline, wide_open))
    settings = recording.settings
    alone = []
    for blink in recording.blinks(eye) + recording.closures(eye):
        during = (recording.time_s >= blink.start_s) & (recording.time_s <= blink.end_s)
        lasts = blink.end_s - blink.start_s >= settings.wink_s
        least = settings.wink_other_share if lasts and blink.complete else EDGE_SHARE
        open_by_it = (share[during] >= least).all()  # NaN is not open
        if blink.end_s - blink.start_s >= settings.closed_on_purpose_s:  # a lid half way down may try to shut
            open_by_it &= (of_wide[during] >= settings.wink_other_share).mean() >= MOST_OF_IT
        if during.any() and open_by_it:
            alone.append(blink)
    return sorted(alone)


def share_of(recording: Recording, eye: str, open_lid: Callable[[Array, Array], Array]) -> Array:
    """(F,) openness over that of the open lid, `local_baseline` or `wide_open`; NaN where it is not seen."""
    openness, time_s = recording.eye(eye).openness, recording.time_s
    seen, share = np.isfinite(openness), np.full(openness.size, np.nan)
    if open_baseline(openness) > 0:
        share[seen] = openness[seen] / open_lid(time_s[seen], openness[seen])
    return share


@measure("blinks.complete_share", "of the blinks that take 90 % of the opening", VALLEY)
def complete(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        blinks = recording.blinks(eye)
        if reason := why_none(recording, eye) or too_slow(recording) or ("" if blinks else "no blink"):
            yield Finding(eye, not_measured(reason, len(blinks)))
            continue
        whole = sum(blink.complete for blink in blinks)
        yield Finding(eye, between(whole / len(blinks), *share_interval(whole, len(blinks)), len(blinks)))


@measure("blinks.duration_s", "from 80 % of the opening to 80 % again, median", VALLEY)
def duration(recording: Recording) -> Iterator[Finding]:
    yield from of_blinks(recording, lambda course: course.blink.end_s - course.blink.start_s)


@measure("blinks.closing_s", "from 80 % of the opening to the narrowest, median", VALLEY)
def closing(recording: Recording) -> Iterator[Finding]:
    yield from of_blinks(recording, lambda course: course.closing_s, PHASES_FPS)


@measure("blinks.opening_s", "from the narrowest to 80 % of the opening, median", VALLEY)
def opening(recording: Recording) -> Iterator[Finding]:
    yield from of_blinks(recording, lambda course: course.opening_s, PHASES_FPS)


@measure("blinks.amplitude_mm", "what the fissure loses, median", VALLEY)
def amplitude(recording: Recording) -> Iterator[Finding]:
    yield from of_blinks(recording, lambda course: course.amplitude_mm)


@measure("blinks.interblink_s", "from a blink's end to the next one's start, median", VALLEY)
def interblink(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        blinks = recording.blinks(eye)
        open_s = np.array([b.start_s - a.end_s for a, b in zip(blinks, blinks[1:], strict=False)])
        if reason := why_none(recording, eye) or ("" if open_s.size else "fewer than two blinks"):
            yield Finding(eye, not_measured(reason, int(open_s.size)))
            continue
        yield Finding(eye, between(*median_by_ranks(open_s), int(open_s.size)))


@measure("blinks.wink_count", "blinks and closures of this eye during which the other stays open", VALLEY)
def wink(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        reason = next((told for one in EYES if (told := why_none(recording, one))), "")
        alone = [] if reason else winks(recording, eye)
        yield Finding(eye, not_measured(reason) if reason else Estimate(float(len(alone)), n=len(alone)))


@measure("blinks.longer_closure_count", "closures that last longer than a second", VALLEY)
def longer(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        reason, count = why_none(recording, eye), len(recording.closures(eye))
        yield Finding(eye, not_measured(reason) if reason else Estimate(float(count), n=count))


@events
def blink_events(recording: Recording) -> Iterator[Event]:
    for eye in EYES:
        alone = winks(recording, eye)
        for course in recording.once(courses, eye):
            blink = course.blink
            has_mm = np.isfinite(course.amplitude_mm)
            amount, unit = (course.amplitude_mm, "mm") if has_mm else (blink.closure, "1")
            named = "wink" if blink in alone else "blink"
            yield Event(named, eye, blink.start_s, blink.end_s - blink.start_s, amount, unit, blink.complete)
        for one in recording.closures(eye):
            named = "wink" if one in alone else "closure"
            yield Event(named, eye, one.start_s, one.end_s - one.start_s, one.closure, "1", one.complete)
