"""track.dmask: the parameters from which a recording's mask is drawn again. The core reads and writes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
