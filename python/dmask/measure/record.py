"""What a measure says: a value with its interval and what it rests on, or why there is none; and events.

A record's measure is `group.name`, its unit the end of the name (`nystagmus.frequency_hz`); its condition is
what the patient did or which axis it is of (`primary`, `horizontal`), empty for the whole recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

EYES = ("od", "os")  # the patient's right, the patient's left
BOTH = "both"
OTHER = {"od": "os", "os": "od"}


class Estimate(NamedTuple):
    """A value, its 95 % interval, of how many (frames, blinks, beats) it is, and why it is not measured."""

    value: float | str | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    reason: str = ""


class Finding(NamedTuple):
    """What one measure says of an eye under a condition."""

    eye: str
    estimate: Estimate
    condition: str = ""


class Record(NamedTuple):
    """A row of measures.csv."""

    measure: str
    eye: str
    condition: str
    value: float | str | None
    unit: str
    low: float | None
    high: float | None
    n: int | None
    reason: str


class Event(NamedTuple):
    """A row of events.csv: a blink, a closure, a cover."""

    event: str
    eye: str
    onset_s: float
    duration_s: float
    amplitude: float | None = None
    unit: str = ""
    complete: bool | None = None
    condition: str = ""


def between(
    value: float, low: float | None, high: float | None, n: int | None = None, decimals: int = 3
) -> Estimate:
    """A number within its interval, rounded."""
    ends = [None if end is None else round(end, decimals) for end in (low, high)]
    return Estimate(round(value, decimals), ends[0], ends[1], n)


def give_or_take(value: float, half: float, n: int | None = None, decimals: int = 3) -> Estimate:
    return between(value, value - half, value + half, n, decimals)


def converted(estimate: Estimate, function: Callable[[float], float], decimals: int = 3) -> Estimate:
    """The same through a rising function; words, and what is not measured, stay."""
    if not isinstance(estimate.value, float):
        return estimate
    ends = [None if end is None else function(end) for end in (estimate.low, estimate.high)]
    return between(function(estimate.value), ends[0], ends[1], estimate.n, decimals)


def not_measured(reason: str, n: int | None = None) -> Estimate:
    return Estimate(None, n=n, reason=reason)


def nested(records: Iterable[Record]) -> dict[str, Any]:
    """The same by group, eye, condition and name: `nystagmus.od.horizontal.frequency_hz.value`."""
    tree: dict[str, Any] = {}
    for record in records:
        group, _, name = record.measure.partition(".")
        path = [group, record.eye, *([record.condition] if record.condition else [])]
        branch = tree
        for step in path:
            branch = branch.setdefault(step, {})
        branch[name] = {
            field: getattr(record, field) for field in ("value", "unit", "low", "high", "n", "reason")
        }
    return tree
