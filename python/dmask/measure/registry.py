"""Every measure: one function with a name, a unit, a source and a test.

    @measure("lids.mrd1_mm", "from the pupil's centre up to the upper margin", source="docs/clinical.md")
    def mrd1(recording: Recording) -> Iterator[Finding]:
        for eye in EYES:
            yield Finding(eye, recording.in_primary_position(eye, "mrd1_mm"), "primary")

What several measures of a group rest on is computed once, by a function of the recording (`Recording.once`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dmask.measure.record import Event, Finding
    from dmask.measure.recorded import Recording

    Measuring = Callable[["Recording"], Iterator["Finding"]]
    Happening = Callable[["Recording"], Iterator["Event"]]

# By the end of a measure's name; the longest that fits counts.
UNITS = {
    "_deg_per_s": "deg/s", "_mm_per_min": "mm/min", "_per_min": "/min", "_hz": "Hz", "_s": "s",
    "_deg2": "deg2", "_deg": "deg", "_pd": "PD", "_mm": "mm", "_share": "1", "_ratio": "1", "_r": "1",
    "_count": "1", "_grade": "", "_class": "",
}  # fmt: skip


class Measure(NamedTuple):
    name: str  # group.name_unit
    what: str
    source: str  # of the definition and its thresholds
    validated: bool  # against truth: see docs/clinical.md
    function: Measuring

    @property
    def unit(self) -> str:
        return unit_of(self.name)


def unit_of(name: str) -> str:
    """Raises ValueError for a name without one."""
    fitting = [ending for ending in UNITS if name.endswith(ending)]
    if not fitting:
        raise ValueError(
            f"got a measure called {name}; expected a name that ends in its unit: {', '.join(UNITS)}"
        )
    return UNITS[max(fitting, key=len)]


MEASURES: dict[str, Measure] = {}
EVENTS: list[Happening] = []


def measure(name: str, what: str, source: str, validated: bool = True) -> Callable[[Measuring], Measuring]:
    """Adds a function of a recording to those that every recording is measured by."""

    def add(function: Measuring) -> Measuring:
        if name.count(".") != 1:
            raise ValueError(f"got a measure called {name}; expected group.name")
        unit_of(name)
        if name in MEASURES:
            raise ValueError(f"got two measures called {name}; expected one")
        MEASURES[name] = Measure(name, what, source, validated, function)
        return function

    return add


def events(function: Happening) -> Happening:
    """Adds a function that tells when something happened."""
    EVENTS.append(function)
    return function


def findings_of(recording: Recording, name: str) -> list[Finding]:
    """What a measure says of a recording, computed once."""
    return recording.once(findings, name)


def findings(recording: Recording, name: str) -> list[Finding]:
    return list(MEASURES[name].function(recording))
