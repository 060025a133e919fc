"""Pictures: read upright as BGR, whatever their channels; written as PNG."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from dmask.errors import Error
from dmask.io import picture_header
from dmask.io.mark import marked_png
from dmask.io.video import Frame
from dmask.ranges import LARGEST_PX


def is_picture(path: Path) -> bool:
    """True by the file's content. A GIF counts as a video. Raises OSError."""
    with path.open("rb") as file:  # OpenCV's own look at a file ends the process where a name is not UTF-8
        return picture_header.kind_of(file.read(picture_header.HEAD_BYTES)) is not None


def read_picture(path: Path, notes: list[str] | None = None) -> np.ndarray:
    """The picture as (H, W, 3) uint8 BGR, turned as its EXIF tag says; grey is repeated, alpha dropped.

    What was changed on the way is added to `notes`. Raises Error where it cannot be decoded whole.
    """
    return decode_picture(read_bytes(path), notes)


def read_named(path: Path) -> np.ndarray:
    """As `read_picture`, for sets of pictures: the Error names the file."""
    try:
        return read_picture(path)
    except Error as error:
        raise Error(f"{path}: {error}") from None


def read_unchanged(path: Path) -> np.ndarray:
    """The channels as they are stored, (H, W) or (H, W, C). Raises Error, which names the file."""
    try:
        with quiet_opencv():
            stored = cv2.imdecode(np.frombuffer(read_bytes(path), np.uint8), cv2.IMREAD_UNCHANGED)
    except Error as error:
        raise Error(f"{path}: {error}") from None
    except cv2.error:  # of no bytes at all
        stored = None
    if stored is None:
        raise Error(f"{path}: the picture cannot be decoded; copy it again")
    return stored


def read_bytes(path: Path) -> bytes:
    """Raises Error, without the path in it, where the file cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Error(f"the file cannot be read ({error.strerror}); expected one that may be read") from None


def decode_picture(data: bytes, notes: list[str] | None = None) -> np.ndarray:
    """As `read_picture`, of a file's bytes."""
    kind = picture_header.kind_of(data[: picture_header.HEAD_BYTES]) or "file"
    if not picture_header.is_whole(data):
        raise Error(
            f"the picture is cut off or damaged: a {kind} of {len(data)} bytes without its end; copy it again"
        )
    size = picture_header.size_of(data)
    if size is not None and max(size) > LARGEST_PX:
        raise Error(
            f"got a {kind} of {size[0]}x{size[1]} pixels, expected at most {LARGEST_PX} a side; "
            "make it smaller"
        )
    samples = picture_header.samples_of(data)
    if samples is not None and (samples.bits > 16 or samples.kind != picture_header.TIFF_SAMPLES[1]):
        raise Error(
            f"got a {kind} of {samples.bits}-bit {samples.kind}, in which nobody says how bright white is; "
            "expected 8 or 16 bits a channel: convert it"
        )
    if kind == "HEIC":
        return _decode_heic(data)
    try:
        with quiet_opencv():
            bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        bgr = None
    if bgr is None:
        raise Error(
            f"the picture, a {kind} of {len(data)} bytes, cannot be decoded; it is damaged: copy it again, "
            "or convert it to PNG"
        )
    if samples is not None and samples.bits == 16 and notes is not None:
        notes.append("16 bits a channel were cut to the upper 8")
    return bgr


def _decode_heic(data: bytes) -> np.ndarray:
    """Through pillow-heif, where it is installed: it is no part of dmask."""
    try:
        import pillow_heif
    except ImportError:
        raise Error(
            "got a HEIC picture, which needs the package pillow-heif; expected it, or another format: "
            "pip install pillow-heif, or convert the picture to JPEG"
        ) from None
    try:
        picture = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
        rgb = np.asarray(picture)[..., :3]
    except Exception as error:  # whatever its decoder throws
        raise Error(f"the HEIC picture cannot be decoded ({error}); copy it again") from None
    return np.ascontiguousarray(rgb[..., ::-1])  # turned upright by the decoder


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Our own sentence says what is wrong with a picture; OpenCV's lines on stderr are not added to it."""
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)


def write_png(path: Path, bgr: np.ndarray, mark: str = "") -> None:
    """Write (H, W, 3) uint8 BGR as PNG, whatever the suffix of `path`. Raises Error where it cannot."""
    done, data = cv2.imencode(".png", bgr)
    if not done:
        raise Error(f"a picture of {bgr.shape[1]}x{bgr.shape[0]} could not be encoded as PNG")
    path.write_bytes(marked_png(data.tobytes(), mark) if mark else data.tobytes())


class PictureReader:
    """A picture as a recording of one frame at time 0; see VideoReader."""

    def __init__(self, path: Path):
        self.notes: list[str] = []
        data = read_bytes(path)
        self._bgr = decode_picture(data, self.notes)
        self.height, self.width = self._bgr.shape[:2]
        self.hfov_deg: float | None = picture_header.hfov_deg_of(data, self.width, self.height)
        self.time_base = Fraction(1)
        self.rate = Fraction(1)
        self.frame_count: int | None = 1
        self.broken_off: str | None = None

    def __iter__(self) -> Iterator[Frame]:
        yield Frame(0.0, self._bgr)

    def close(self) -> None:
        pass


class PictureWriter:
    """Writes the one frame of a picture; see VideoWriter."""

    padded = (0, 0)

    def __init__(self, path: Path, mark: str = ""):
        self._path, self._mark = path, mark

    def write(self, bgr: np.ndarray, time_s: float) -> None:
        write_png(self._path, bgr, self._mark)

    def close(self) -> None:
        pass
