"""track.dmask: the parameters from which a recording's mask is drawn again. The core reads and writes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fractions import Fraction

    from dmask._core import MaskSubject, Track

PLACE_ENDS = 7  # of a row: face, turn and place; the units follow, then each eye's look, gaze and motion


def new_track(width: int, height: int, time_base: Fraction, rate: Fraction) -> Track:
    """An empty track of masks of `width` x `height` px; `time_base` s a tick, `rate` frames a s."""
    from dmask import _core

    return _core.Track(width, height, time_base=time_base, rate=rate)


def read_track(path: Path) -> Track:
    """A track.dmask. Raises Error where the file is not a whole one."""
    from dmask import _core

    return _core.Track.read(path)


class Lids:
    """How the lids of a track lie: `lines(eye, frame)` are the margins and the crease of OD (0) or OS (1),
    (K, 3) each, mm about the eyeball's centre along the head's axes."""

    def __init__(self, subject: MaskSubject, rows: np.ndarray):
        from dmask import _core
        from dmask.environment import MODELS_DIR

        self._models = _core.Models(str(MODELS_DIR))
        self.own = subject.profile == "article"  # else generic lids, as high as the patient's
        motions = self._models.eyelid_motions
        first = PLACE_ENDS + len(self._models.unit_names)
        self._eyes = (subject.od, subject.os)
        self._motion = [rows[:, first + 3 : first + 3 + motions], rows[:, -motions:]]

    def lines(self, eye: int, frame: int) -> dict[str, np.ndarray]:
        held = self._eyes[eye]
        lines = self._models.eyelid_lines(eye, held.shape, self._motion[eye][frame])
        offset = np.asarray(held.patch_offset_mm, np.float64)
        return {name: np.asarray(points) + offset for name, points in lines.items()}


def face_units(track: Track) -> dict[str, np.ndarray]:
    """(F,) by name of the face model's units, as the profile let them out; NaN without a face."""
    from dmask import _core
    from dmask.environment import MODELS_DIR

    names = _core.Models(str(MODELS_DIR)).unit_names
    rows = np.asarray(track.rows, np.float64)
    seen = np.where(rows[:, :1] > 0, rows[:, PLACE_ENDS : PLACE_ENDS + len(names)], np.nan)
    return dict(zip(names, seen.T, strict=True))
