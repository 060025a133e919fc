"""Numbers as a reader of the language expects them, with as many digits as they bear."""

from __future__ import annotations

import math

from dmask.measure.record import Record
from dmask.report.words import Words

NARROW = "\u202f"  # a space that does not break
MINUS = "\u2212"
DECIMALS = {
    "mm": 1, "deg": 1, "PD": 1, "deg/s": 1, "deg/min": 2, "mm/s": 1, "mm/min": 2, "Hz": 2, "s": 2, "ms": 0,
    "/min": 1, "%": 0, "deg2": 1,
}  # fmt: skip


def number(value: float, decimals: int, say: Words, signed: bool = False) -> str:
    if not math.isfinite(value):
        return "–"
    text = f"{abs(value):.{decimals}f}"
    zero = not text.strip("0.")
    sign = "" if zero else MINUS if value < 0 else "+" if signed else ""
    return sign + (text.replace(".", ",") if say.language == "de" else text)


def as_shown(record: Record) -> tuple[str, float, int]:
    """The unit that its numbers are shown in, by what they are multiplied for it, and their decimals."""
    if record.measure.endswith("_share"):
        return "%", 100.0, 0
    if record.measure.endswith("_count"):
        return record.unit, 1.0, 0
    return record.unit, 1.0, DECIMALS.get(record.unit, 2)


def with_unit(text: str, unit: str, say: Words) -> str:
    shown = say(f"unit.{unit}") if say.known(f"unit.{unit}") else unit
    if not shown:
        return text
    return f"{text}{shown}" if shown in ("°", "°/s", "°/min") else f"{text}{NARROW}{shown}"


def value_of(record: Record, say: Words) -> str:
    if record.value is None:
        return say("not_measured")
    if isinstance(record.value, str):
        return say.value(record.value)
    unit, times, decimals = as_shown(record)
    return with_unit(number(record.value * times, decimals, say), unit, say)


def interval_of(record: Record, say: Words) -> str:
    """ "" without one."""
    if record.low is None or record.high is None or isinstance(record.value, str):
        return ""
    _, times, decimals = as_shown(record)
    low, high = (number(end * times, decimals, say) for end in (record.low, record.high))
    return say("interval.short", low=low, high=high)
