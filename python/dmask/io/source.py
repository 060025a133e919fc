"""What `INPUT` on the command line may be: a video, a picture, a folder of either, or a camera's number."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from dmask.errors import Error, WrongUse
from dmask.io.items import Item, find_items
from dmask.io.picture import PictureReader, is_picture
from dmask.io.video import Frame, VideoReader

MOST_DIGITS = 4  # of a camera's number


class Source(Protocol):
    """Frames of one recording in order, as VideoReader and PictureReader give them."""

    width: int
    height: int
    time_base: Fraction
    rate: Fraction
    frame_count: int | None
    hfov_deg: float | None  # of the camera, where the file says it
    notes: list[str]
    broken_off: str | None  # where it ends before its end, as a sentence: known once it was read

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None: ...


def camera_number(name: str) -> int | None:
    """The camera that `name` means, unless a file is called so."""
    is_number = name.isascii() and name.isdigit() and len(name) <= MOST_DIGITS
    return int(name) if is_number and not Path(name).exists() else None


def find_input(name: str) -> Path:
    """The path behind `name`. Raises WrongUse where nothing is there."""
    path = Path(name)
    if path.is_file() or path.is_dir():
        return path
    if path.exists():
        raise WrongUse(f"got {name}, a pipe or a device; expected a saved recording, or a camera's number")
    if camera_number(name) is not None:
        raise WrongUse(f"got the camera number {name}; only `dmask run` reads cameras: record a video first")
    raise WrongUse(f"{name} does not exist; expected a video, a picture or a folder of them: check the name")


def open_source(path: Path, threads: int = 1, partial: bool = False) -> Source:
    """`partial`: a video that breaks off ends there. Raises Error, without the path in it."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Error("this is no file but a pipe or a device; expected a recording that was saved")
        if not status.st_size:
            raise Error("the file is empty; expected a video or a picture: copy it again")
        picture = is_picture(path)
    except OSError as error:
        raise Error(f"the file cannot be read ({error.strerror}); expected one that may be read") from None
    return PictureReader(path) if picture else VideoReader(path, threads, partial)


def list_folder(folder: Path) -> list[Item]:
    """The recordings directly inside a folder, by the names of their results. Raises Error."""
    return find_items([folder]).items
