"""From several recordings to the results of each, and batch.csv, which lists them."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dmask.errors import Error
from dmask.io.atomic import atomic_file, claimed_output
from dmask.io.items import BATCH, Found, Item
from dmask.io.tables import name_cell
from dmask.measure.files import MADE_OF_RESULTS, MEASURE_FILES
from dmask.run.diagnostics import DIAGNOSTIC_FILES
from dmask.run.measuring import measure_results
from dmask.run.recording import run_item
from dmask.run.results import RESULT_FILES
from dmask.run.resume import Making

if TYPE_CHECKING:
    from dmask._core import Pipeline


class BatchRow(NamedTuple):
    """A row of batch.csv."""

    item: str
    status: str  # done, no_face, partial, failed, skipped or absent
    reason: str
    frames: int
    frames_with_face: int
    frames_with_eyes: int = 0  # close-ups: without a face


@dataclass
class Batch:
    """How several recordings are run."""

    out: Path
    options: dict[str, Any]
    overwrite: bool = False
    resume: bool = False  # items whose results are whole and would come out the same are kept
    partial: bool = False  # videos that break off are taken up to there
    show: bool = False
    legend: bool = False  # masks say what they are
    diagnostics: Path | None = None  # a folder for what identifies, one in it for each item
    measures: bool = False  # clinical measures beside the results
    by_focal_length: bool = True  # a photograph's field of view, where its file tells it


def mask_items(found: Found, pipeline: Pipeline, batch: Batch) -> list[BatchRow]:
    """Each item's results in OUT/<name>/, and batch.csv; an item that fails does not stop the rest.

    Of an item that fails no earlier results stay: what lies there is of the input as it is. Results of items
    that are no longer in the input are left alone, and listed as `absent`.
    """
    (batch.out / BATCH).unlink(missing_ok=True)  # no longer true from the first item on
    rows: list[BatchRow] = []
    making = Making(pipeline, batch.options, batch.legend, batch.by_focal_length)
    try:
        for number, item in enumerate(found.items, 1):
            rows.append(mask_item(item, pipeline, batch, making, f"{number}/{len(found.items)}"))
    finally:  # also when interrupted: the items that are whole stay, and are listed
        if rows:
            listed = [BatchRow(name, "skipped", reason, 0, 0) for name, reason in found.skipped]
            listed += absent(batch.out, {item.name for item in found.items})
            write_batch(batch.out / BATCH, [*rows, *listed])
    return rows


def mask_item(item: Item, pipeline: Pipeline, batch: Batch, making: Making, label: str) -> BatchRow:
    folder = batch.out / item.name
    try:
        with claimed_output(folder):
            kept = making.kept(folder, item.path) if batch.resume else None
            if kept is not None and (batch.partial or not kept.broken_off):
                if batch.measures and any(not (folder / name).is_file() for name in MEASURE_FILES):
                    measure_results(folder)
                return row_of(
                    item.name, kept.frames, kept.frames_with_face, kept.frames_with_eyes, kept.broken_off,
                    "kept as it was",
                )  # fmt: skip
            overwrite = batch.overwrite or batch.resume
            try:
                mark = making.mark(item.path)
                outcome = run_item(
                    item.path,
                    folder,
                    pipeline,
                    batch.options,
                    overwrite,
                    batch.show,
                    label,
                    batch.partial,
                    mark,
                    batch.legend,
                    batch.diagnostics / item.name if batch.diagnostics else None,
                    batch.measures,
                    batch.by_focal_length,
                )
            except Error:
                remove_results(item.name, batch.out, batch.diagnostics)
                raise
    except Error as error:
        return BatchRow(item.name, "failed", str(error), 0, 0)
    return row_of(
        item.name, outcome.frames, outcome.frames_with_face, outcome.frames_with_eyes, outcome.broken_off
    )


def row_of(
    name: str, frames: int, with_face: int, with_eyes: int, broken_off: str | None, kept: str = ""
) -> BatchRow:
    found = with_face + with_eyes > 0
    status, reason = ("done", "") if found else ("no_face", "no face, and no eye, was found in any frame")
    if broken_off:
        status, reason = "partial", broken_off
    return BatchRow(name, status, "; ".join(filter(None, (reason, kept))), frames, with_face, with_eyes)


def remove_results(name: str, out: Path, diagnostics: Path | None) -> None:
    """What an earlier run of an item left, and folders that are empty then; other files stay."""
    remove_files(out / name, out, (*RESULT_FILES, *MADE_OF_RESULTS))
    if diagnostics:
        remove_files(diagnostics / name, diagnostics, DIAGNOSTIC_FILES)


def remove_files(folder: Path, out: Path, names: Sequence[str]) -> None:
    for name in names:
        with suppress(OSError):
            (folder / name).unlink()
    while folder != out:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def absent(out: Path, names: set[str]) -> list[BatchRow]:
    """Rows of results that lie in `out` without an item of the input."""
    rows = []
    for folder, below, files in os.walk(out):
        below.sort()
        name = Path(folder).relative_to(out).as_posix()
        if "run.json" in files and name not in names:
            frames = with_face = with_eyes = 0
            with suppress(OSError, ValueError, KeyError, TypeError):
                given = json.loads((Path(folder) / "run.json").read_bytes())["input"]
                frames, with_face = int(given["frames"]), int(given["frames_with_face"])
                with_eyes = int(given.get("frames_with_eyes", 0))
            reason = "results of an earlier run: no such item is in the input"
            rows.append(BatchRow(name, "absent", reason, frames, with_face, with_eyes))
    return rows


def write_batch(path: Path, rows: list[BatchRow]) -> None:
    with (
        atomic_file(path, overwrite=True) as partial,
        partial.open("w", newline="", encoding="utf-8") as file,
    ):
        told = [row._replace(item=name_cell(row.item), reason=name_cell(row.reason)) for row in rows]
        csv.writer(file, lineterminator="\n").writerows([BatchRow._fields, *told])
