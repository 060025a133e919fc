"""All measures of a recording: what measures.json, measures.csv and events.csv hold."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dmask.measure.close_up import eyes_in_view, is_close_up, told
from dmask.measure.record import Event, Record, nested
from dmask.measure.recorded import Recording
from dmask.measure.registry import EVENTS, MEASURES, Measure, findings_of
from dmask.measure.settings import Settings

if TYPE_CHECKING:
    from dmask.io.track import Lids

GROUPS = (
    "dmask.measure.clinical.lids",
    "dmask.measure.clinical.blink_rate",
    "dmask.measure.clinical.alignment",
    "dmask.measure.clinical.cover",
    "dmask.measure.clinical.nystagmus",
    "dmask.measure.clinical.fixation",
    "dmask.measure.clinical.face",
    "dmask.measure.clinical.signs",
)  # each adds its measures when it is imported
PLUG_INS = "dmask.measures"  # entry points of other packages: modules that add theirs


class Measured(NamedTuple):
    records: list[Record]
    events: list[Event]

    def nested(self) -> dict[str, Any]:
        return nested(self.records)


def load_measures() -> list[Measure]:
    """All measures, those of GROUPS first, in one order whatever was imported before."""
    for module in GROUPS:
        importlib.import_module(module)
    for plug_in in entry_points(group=PLUG_INS):
        plug_in.load()
    place = {module: number for number, module in enumerate(GROUPS)}
    return sorted(MEASURES.values(), key=lambda one: place.get(one.function.__module__, len(place)))


def recording(
    frames: Mapping[str, np.ndarray],
    options: Mapping[str, Any] | None = None,
    units: Mapping[str, np.ndarray] | None = None,
    settings: Settings | None = None,
    progress: Callable[[str], None] | None = None,
    lids: Lids | None = None,
) -> Measured:
    """Measures a recording by its frames.csv (`dmask.io.tables.read_frames`), its run.json's options, and how
    its face moves ((F,) by unit, `dmask.io.track.face_units`) and its lids lie. `progress` is told each group
    before it."""
    measures = load_measures()
    recorded = Recording(frames, options, units, settings, lids)
    in_view = eyes_in_view(recorded.frames) if is_close_up(recorded.frames) else None
    records: list[Record] = []
    group = ""
    for measure in measures:
        if progress and measure.name.partition(".")[0] != group:
            group = measure.name.partition(".")[0]
            progress(group)
        for eye, estimate, condition in findings_of(recorded, measure.name):
            if in_view is not None:
                estimate = told(measure.name, eye, estimate, in_view)
            records.append(Record(measure.name, eye, condition, estimate.value, measure.unit, *estimate[1:]))
    happened = [event for function in EVENTS for event in function(recorded)]
    return Measured(records, sorted(happened, key=lambda event: (event.onset_s, event.event, event.eye)))
