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


Pair = tuple[Record | None, Record | None]  # of one measure, eye and condition; None where a visit lacks it


def pairs(before: Visit, after: Visit) -> list[Pair]:
    """All that either visit says, what belongs together one after another, as the measures are ordered."""
    keys = list(dict.fromkeys((one.measure, one.condition, one.eye) for visit in (before, after)
                              for one in visit.records))  # fmt: skip
    measures = list(dict.fromkeys(key[0] for key in keys))
    together = {key[:2]: place for place, key in reversed(list(enumerate(keys)))}
    keys.sort(key=lambda key: (measures.index(key[0]), together[key[:2]]))
    return [
        (before.record(measure, eye, condition), after.record(measure, eye, condition))
        for measure, condition, eye in keys
    ]


def change_of(pair: Pair) -> Change | None:
    """None where a visit has no value, or one of another kind."""
    before, after = pair
    if before is None or after is None or before.value is None or after.value is None:
        return None
    return change(before, after) if type(before.value) is type(after.value) else None


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
