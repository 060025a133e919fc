"""Pictures: read upright as BGR, whatever their channels; written as PNG."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from dmask.errors import Error
from dmask.io.video import Frame


def is_picture(path: Path) -> bool:
    """True by the file's content. A GIF counts as a video."""
    return path.suffix.lower() != ".gif" and cv2.haveImageReader(str(path))


def read_picture(path: Path) -> np.ndarray:
    """The picture as (H, W, 3) uint8 BGR, turned as its EXIF tag says; grey is repeated, alpha dropped.

    Raises Error where it cannot be decoded whole.
    """
    data = path.read_bytes()
    # A JPEG that was cut off decodes to a picture with a grey lower part: its end marker is the only witness.
    if data[:2] == b"\xff\xd8" and b"\xff\xd9" not in data[-65536:]:
        raise Error(f"the picture is cut off after {len(data)} bytes; copy it again")
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        bgr = None
    if bgr is None:
        raise Error(f"the picture cannot be decoded from its {len(data)} bytes; it is damaged: copy it again")
    return bgr


def write_png(path: Path, bgr: np.ndarray) -> None:
    """Write (H, W, 3) uint8 BGR as PNG, whatever the suffix of `path`. Raises Error where it cannot."""
    done, data = cv2.imencode(".png", bgr)
    if not done:
        raise Error(f"a picture of {bgr.shape[1]}x{bgr.shape[0]} could not be encoded as PNG")
    path.write_bytes(data.tobytes())


class PictureReader:
    """A picture as a recording of one frame at time 0; see VideoReader."""

    def __init__(self, path: Path):
        self._bgr = read_picture(path)
        self.height, self.width = self._bgr.shape[:2]
        self.time_base = Fraction(1)
        self.rate = Fraction(1)
        self.frame_count: int | None = 1
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[Frame]:
        yield Frame(0.0, self._bgr)

    def close(self) -> None:
        pass


class PictureWriter:
    """Writes the one frame of a picture; see VideoWriter."""

    padded = (0, 0)

    def __init__(self, path: Path):
        self._path = path

    def write(self, bgr: np.ndarray, time_s: float) -> None:
        write_png(self._path, bgr)

    def close(self) -> None:
        pass
