"""What changed between two visits, with its interval."""

from __future__ import annotations

import math
from typing import NamedTuple

from dmask.measure.record import Record
from dmask.report.visit import Visit


class Change(NamedTuple):
    before: Record
    after: Record
    value: float | None  # None of words
    low: float | None
    high: float | None

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero; of words, whether they differ and each is a single one."""
        if self.value is None:
            words = str(self.before.value), str(self.after.value)
            return words[0] != words[1] and not any(" to " in word for word in words)
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def changes(before: Visit, after: Visit) -> tuple[list[Change], list[tuple[Record, Record | None]]]:
    """Of what has a value in both visits; and the rest of the first's, with the second's where it is."""
    found: list[Change] = []
    rest: list[tuple[Record, Record | None]] = []
    together = list(dict.fromkeys((one.measure, one.condition) for one in before.records))
    for record in sorted(before.records, key=lambda one: together.index((one.measure, one.condition))):
        other = after.record(record.measure, record.eye, record.condition)
        if (
            other is None
            or record.value is None
            or other.value is None
            or type(record.value) is not type(other.value)
        ):
            rest.append((record, other))
        else:
            found.append(change(record, other))
    return found, rest


def change(before: Record, after: Record) -> Change:
    """The difference of two estimates by their own intervals (MOVER: Zou, Donner 2008, 10.1002/sim.3095)."""
    if isinstance(before.value, str) or isinstance(after.value, str):
        return Change(before, after, None, None, None)
    assert before.value is not None and after.value is not None
    value = after.value - before.value
    if None in (before.low, before.high, after.low, after.high):
        return Change(before, after, value, None, None)
    assert (
        before.low is not None
        and before.high is not None
        and after.low is not None
        and after.high is not None
    )
    low = value - math.hypot(after.value - after.low, before.high - before.value)
    high = value + math.hypot(after.high - after.value, before.value - before.low)
    return Change(before, after, value, low, high)
