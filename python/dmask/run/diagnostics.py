"""What serves the machine that has the recording, in a folder of its own: it identifies the patient.

diagnostics.csv has the place of the head, pixels a degree and residuals of every frame, landmarks.csv what
the nets saw, diagnostics.json the patient as calibrated. Together with results they tell more than a profile
lets out, so they never lie beside them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dmask.errors import WrongUse
from dmask.io.report import write_report
from dmask.io.tables import (
    DIAGNOSTIC_COLUMNS,
    LANDMARK_COLUMNS,
    Table,
    diagnostics_row,
    landmark_row,
)

if TYPE_CHECKING:
    from dmask._core import FrameDetection, Pipeline

DIAGNOSTIC_FILES = ("diagnostics.csv", "landmarks.csv", "diagnostics.json")
STATEMENT = (
    "Identifying: these are the patient's own points and measures, for the machine that has the recording. "
    "They are no part of what a profile lets out; never hand them on with masks or tables."
)


class Diagnostics:
    """Writes them frame by frame into `folder`; of a live source there are no landmarks."""

    def __init__(self, folder: Path, live: bool):
        self._folder = folder
        self._frames = Table(folder / "diagnostics.csv", DIAGNOSTIC_COLUMNS)
        self._landmarks = None if live else Table(folder / "landmarks.csv", LANDMARK_COLUMNS)

    def add(
        self, frame: int, time_s: float, diagnostics: dict[str, float], detection: FrameDetection | None
    ) -> None:
        self._frames.write(diagnostics_row(frame, time_s, diagnostics))
        if self._landmarks and detection is not None:
            self._landmarks.write(landmark_row("", frame, detection))

    def close(self) -> None:
        self._frames.close()
        if self._landmarks:
            self._landmarks.close()

    def finish(self, pipeline: Pipeline) -> None:
        """diagnostics.json. Call after close()."""
        known: dict[str, Any] = pipeline.unreleased_subject() if pipeline.calibration.ok else {}
        subject = {name: np.asarray(value).tolist() for name, value in known.items()}
        write_report(
            self._folder / "diagnostics.json",
            {"identifying": True, "statement": STATEMENT, "subject": subject},
        )


def check_apart(diagnostics: Path, out: Path) -> None:
    """Raises WrongUse where they would lie among the results, or results among them."""
    a, b = diagnostics.resolve(), out.resolve()
    if a == b or a in b.parents or b in a.parents:
        raise WrongUse(
            f"got --diagnostics {diagnostics} and results in {out}; expected two folders apart: what is in "
            "the first identifies, and would be handed on with the second"
        )


def check_none_there(out: Path) -> None:
    """Raises WrongUse where an earlier run put them into what is to hold results."""
    there = next(
        (path.name for name in DIAGNOSTIC_FILES for path in (*out.glob(name), *out.glob(f"*/{name}"))), None
    )
    if there:
        raise WrongUse(
            f"{out} holds {there}, which identifies; expected another folder for results, which would be "
            "handed on with it"
        )
