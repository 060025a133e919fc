"""The five files of one recording: mask, frames.csv, track.dmask, summary.json and run.json."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import dmask
from dmask import environment
from dmask.errors import Error
from dmask.io.atomic import atomic_file
from dmask.io.legend import Legend
from dmask.io.mark import mark_of
from dmask.io.picture import PictureWriter
from dmask.io.tables import FRAME_COLUMNS, Columns, Table, dropped_row, frame_row, read_frames, values_row
from dmask.io.track import new_track
from dmask.io.video import VideoWriter, whole_video
from dmask.measure.summary import summarise
from dmask.run.diagnostics import Diagnostics
from dmask.run.stages import Stages

if TYPE_CHECKING:
    from dmask._core import FrameDetection, FrameResult, Pipeline

RESULT_FILES = ("mask.mp4", "mask.png", "frames.csv", "track.dmask", "summary.json", "run.json")


def hashes(folder: Path) -> dict[str, str]:
    """Of the results that are in `folder`, but for run.json, which lists them."""
    names = [name for name in RESULT_FILES if name != "run.json" and (folder / name).is_file()]
    return {name: environment.sha256(folder / name) for name in names}


@dataclass
class Outcome:
    """What came out of one input."""

    frames: int = 0
    frames_with_face: int = 0
    frames_with_eyes: int = 0  # close-ups: without a face
    frames_looked_at: int = 0  # the scan for the calibration runs ahead of the results
    people: int = 0  # see Pipeline.people
    recognitions: int = 0  # see Pipeline.recognitions
    frames_dropped: int = 0  # of a live source: nobody had time for them
    broken_off: str | None = None  # where a recording ended before its end, of which the rest is missing
    made_from: dict[str, str] | None = None  # see dmask.run.resume
    calibration: dict[str, Any] = field(default_factory=dict)
    stages: Stages = field(default_factory=Stages)

    @property
    def found(self) -> str:
        """What of the patient was in how many frames, to be told."""
        eyes = f"{self.frames_with_eyes} with eyes and no face"
        if not self.frames_with_eyes:
            return f"{self.frames_with_face} with a face"
        return f"{self.frames_with_face} with a face, {eyes}" if self.frames_with_face else eyes


class Recording(NamedTuple):
    """What the results say of their source."""

    kind: str  # picture, video or live
    width: int
    height: int
    time_base: Fraction
    rate: Fraction
    notes: list[str]


class Results:
    """Writes results frame by frame into `folder`; `options` are the fields of the core's Options in use.

    With `legend` the mask says what it is. What identifies goes into `diagnostics`, a folder of its own.

    Those of a live source, which does not come twice, can be read as they come: frames.csv up to the last
    row, mask.mp4 up to the last second.

    With `sums_moments` the summary is made of what was measured frame by frame, and not of what frames.csv
    repeats: a blink may be shorter than a step, and a sum says nothing of when.
    """

    def __init__(
        self,
        folder: Path,
        source: Recording,
        options: dict[str, Any],
        outcome: Outcome,
        legend: bool = False,
        diagnostics: Path | None = None,
        sums_moments: bool = False,
    ):
        self._folder, self._source, self._options, self._outcome = folder, source, options, outcome
        self._live = source.kind == "live"
        self._legend = Legend(options["profile"], source.width) if legend else None
        below = self._legend.rows if self._legend else 0
        size, clock = (source.width, source.height + below), (source.time_base, source.rate)
        mark = mark_of(options["profile"])
        self._writer = (
            PictureWriter(folder / "mask.png", mark)
            if source.kind == "picture"
            else VideoWriter(folder / "mask.mp4", *size, *clock, at_once=self._live, mark=mark)
        )
        self._table = Table(folder / "frames.csv", FRAME_COLUMNS, at_once=self._live)
        self._moments = Columns(FRAME_COLUMNS) if sums_moments else None
        self._diagnostics = Diagnostics(diagnostics, self._live) if diagnostics else None
        self._track = new_track(source.width, source.height, source.time_base, source.rate)

    def add(
        self,
        result: FrameResult,
        mask: np.ndarray,
        unreleased: dict[str, float] | None = None,
        detection: FrameDetection | None = None,
        moment: dict[str, Any] | None = None,
    ) -> None:
        """The next frame, its mask as (H, W, 3) uint8 BGR.

        `unreleased` is Pipeline.unreleased_diagnostics() of it where a folder was given for them, `moment` is
        Pipeline.unreleased_moment() where the pipeline holds what leaves.
        """
        number = self._row_number()
        if self._moments and moment:
            self._moments.add(values_row(number, moment))
        if self._diagnostics:
            assert unreleased is not None
            self._diagnostics.add(number, result.time_s, unreleased, detection)
        with self._outcome.stages.clock("encode"):
            self._writer.write(self._legend.under(mask) if self._legend else mask, result.time_s)
        self._table.write(frame_row(number, result))
        self._track.add(result.track_row, result.time_s)  # half a kilobyte a frame
        self._outcome.frames += 1
        self._outcome.frames_with_face += int(result.face_valid)
        self._outcome.frames_with_eyes += int(result.close_up)

    def add_dropped(self, time_s: float) -> None:
        """A frame that was not looked at: a row that says so, and no mask."""
        row = dropped_row(self._row_number(), time_s)
        if self._moments:
            self._moments.add(row)
        self._table.write(row)
        self._outcome.frames_dropped += 1

    def close(self) -> None:
        self._writer.close()
        self._table.close()
        if self._diagnostics:
            self._diagnostics.close()

    def finish(self, pipeline: Pipeline, live: dict[str, Any] | None = None) -> None:
        """Write track, summary and run.json. Call after close(). Raises Error."""
        if self._live:
            with atomic_file(self._folder / "mask.mp4", overwrite=True) as whole:
                whole_video(self._folder / "mask.mp4", whole)
        check_fixation(self._track.time_s, self._options)
        self._track.write(self._folder / "track.dmask", pipeline.subject)
        options, outcome, source = self._options, self._outcome, self._source
        released = dmask.Options(**options).released()
        outcome.people, outcome.recognitions = pipeline.people, pipeline.recognitions
        frames = self._moments.arrays() if self._moments else read_frames(self._folder / "frames.csv")
        summary = summarise(
            frames,
            released,
            outcome.calibration,
            outcome.people,
            outcome.recognitions,
            pipeline.tells_blinks,
        )
        summary["profile"] = options["profile"]
        if outcome.calibration["reason"]:
            summary["statements"].append(f"Calibration: {outcome.calibration['reason']}.")
        if outcome.broken_off:
            summary["statements"].append(f"The recording is not whole: {outcome.broken_off}.")
        if self._diagnostics:
            self._diagnostics.finish(pipeline)
        write_json(self._folder / "summary.json", summary)
        write_json(
            self._folder / "run.json",
            {
                "versions": environment.versions(),
                "models_sha256": environment.model_sha256(
                    options["weights"], environment.models_folder(options)
                ),
                "options": released,
                "hardware": environment.hardware(),
                "backend": pipeline.backend,
                "input": {
                    "kind": source.kind,
                    "width": source.width,
                    "height": source.height,
                    "frames": outcome.frames + outcome.frames_dropped,
                    "frames_with_face": outcome.frames_with_face,
                    "frames_with_eyes": outcome.frames_with_eyes,
                    "notes": source.notes,
                }
                | ({"partial": outcome.broken_off} if outcome.broken_off else {}),
                "mask": {"padded_columns": self._writer.padded[0], "padded_rows": self._writer.padded[1]}
                | ({"legend_rows": self._legend.rows} if self._legend else {}),
                "files_sha256": hashes(self._folder),
                "calibration": outcome.calibration,
                "stages": outcome.stages.summary(),
            }
            | ({"made_from": outcome.made_from} if outcome.made_from else {})
            | ({"live": live} if live else {}),
        )

    def _row_number(self) -> int:
        return self._outcome.frames + self._outcome.frames_dropped


def check_fixation(times_s: np.ndarray, options: dict[str, Any]) -> None:
    start_s, end_s = options["fixating_from_s"], options["fixating_to_s"]
    if options["fixating"] != "none" and not np.any((start_s <= times_s) & (times_s <= end_s)):
        raise Error(
            f"--at {start_s:g}-{end_s:g} holds no frame; the recording runs from {times_s[0]:.2f} "
            f"to {times_s[-1]:.2f} s: give a time within it"
        )


def write_json(path: Path, content: dict[str, Any]) -> None:
    with atomic_file(path, overwrite=True) as partial:
        partial.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
