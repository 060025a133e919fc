"""What is measured over a whole recording, from frames.csv.

from dmask.measure import recording
measured = recording(dmask.io.tables.read_frames("visit/frames.csv"))
measured.nested()["lids"]["od"]["primary"]["mrd1_mm"]["value"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dmask.measure.measured import recording

__all__ = ["recording"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from dmask.measure.measured import recording

        return recording
    raise AttributeError(f"module 'dmask.measure' has no attribute {name!r}")
