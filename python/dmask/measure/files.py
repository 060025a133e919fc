"""measures.json, measures.csv and events.csv beside the results of a run."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dmask.io.atomic import atomic_file, claimed_output
from dmask.measure.measured import Measured
from dmask.measure.record import Event, Record
from dmask.measure.registry import MEASURES
from dmask.measure.settings import Settings

MEASURE_FILES = ("measures.json", "measures.csv", "events.csv")
MADE_OF_RESULTS = (*MEASURE_FILES, "report.html", "report.pdf", "comparison.html", "comparison.pdf")
SCHEMA_VERSION = 1
TIMES = ("onset_s", "duration_s")
NOT_A_DEVICE = "Research use only; not a medical device. No diagnosis."


def text(value: object) -> str:
    """A cell: empty for nothing, 1 or 0 for yes or no."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def write_measures(folder: Path, measured: Measured, settings: Settings, recording: dict[str, Any]) -> None:
    """`recording` says of what they are: frames, seconds, frames a second, profile, versions."""
    content = {
        "schema": SCHEMA_VERSION,
        "note": NOT_A_DEVICE,
        "recording": recording,
        "settings": asdict(settings),
        **measured.nested(),
        "events": [event._asdict() for event in measured.events],
        "definitions": {
            measure.name: {
                "what": measure.what,
                "unit": measure.unit,
                "source": measure.source,
                "validated": measure.validated,
            }
            for measure in MEASURES.values()
        },
    }
    with claimed_output(folder / "measures.json"):
        with atomic_file(folder / "measures.json", overwrite=True) as partial:
            partial.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        write_rows(folder / "measures.csv", Record._fields, measured.records)
        write_rows(folder / "events.csv", Event._fields, measured.events)


def write_rows(path: Path, header: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    with (
        atomic_file(path, overwrite=True) as partial,
        partial.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow([cell(name, value) for name, value in zip(header, row, strict=True)])


def cell(name: str, value: object) -> str:
    """Times are given to the millisecond: six digits would lose them in a long recording."""
    if name in TIMES and isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return text(value)
