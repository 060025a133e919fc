"""From a folder of recordings to the results of each, and batch.csv, which lists them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dmask.errors import Error
from dmask.io.atomic import atomic_file
from dmask.io.tables import name_cell
from dmask.run.recording import run_item

if TYPE_CHECKING:
    from dmask._core import Pipeline


class BatchRow(NamedTuple):
    """A row of batch.csv."""

    item: str
    status: str  # done, no_face or failed
    reason: str
    frames: int
    frames_with_face: int


def mask_folder(
    items: list[tuple[str, Path]],
    out: Path,
    pipeline: Pipeline,
    options: dict[str, Any],
    overwrite: bool,
    show: bool,
) -> list[BatchRow]:
    """Each item's results in `out`/<name>/, and batch.csv; an item that fails does not stop the rest."""
    (out / "batch.csv").unlink(missing_ok=True)  # no longer true from the first item on
    rows: list[BatchRow] = []
    try:
        for number, (name, path) in enumerate(items, 1):
            pipeline.reset()
            try:
                label = f"{number}/{len(items)}"
                outcome = run_item(path, out / name, pipeline, options, overwrite, show, label)
            except Error as error:
                rows.append(BatchRow(name, "failed", str(error), 0, 0))
            else:
                found = outcome.frames_with_face > 0
                status, reason = ("done", "") if found else ("no_face", "no face was found in any frame")
                rows.append(BatchRow(name, status, reason, outcome.frames, outcome.frames_with_face))
    finally:  # also when interrupted: the items that are whole stay, and are listed
        if rows:
            with atomic_file(out / "batch.csv", overwrite=True) as partial:
                with partial.open("w", newline="", encoding="utf-8") as file:
                    told = [
                        row._replace(item=name_cell(row.item), reason=name_cell(row.reason)) for row in rows
                    ]
                    csv.writer(file, lineterminator="\n").writerows([BatchRow._fields, *told])
    return rows
