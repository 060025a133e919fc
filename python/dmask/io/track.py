"""track.dmask: the parameters from which a recording's mask is drawn again. The core reads and writes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fractions import Fraction

    from dmask._core import Track


def new_track(width: int, height: int, time_base: Fraction, rate: Fraction) -> Track:
    """An empty track of masks of `width` x `height` px; `time_base` s a tick, `rate` frames a s."""
    from dmask import _core

    return _core.Track(width, height, time_base=time_base, rate=rate)


def read_track(path: Path) -> Track:
    """A track.dmask. Raises Error where the file is not a whole one."""
    from dmask import _core

    return _core.Track.read(path)


def face_units(track: Track) -> dict[str, np.ndarray]:
    """(F,) by name of the face model's units, as the profile let them out; NaN without a face."""
    from dmask import _core
    from dmask.environment import MODELS_DIR

    names = _core.Models(str(MODELS_DIR)).unit_names
    rows = np.asarray(track.rows, np.float64)
    seen = np.where(rows[:, :1] > 0, rows[:, 7 : 7 + len(names)], np.nan)  # behind face, turn and place
    return dict(zip(names, seen.T, strict=True))
