"""What `INPUT` on the command line may be: a video, a picture, a folder of either, or a camera's number."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from dmask.errors import Error, WrongUse
from dmask.io.picture import PictureReader, is_picture
from dmask.io.video import Frame, VideoReader


class Source(Protocol):
    """Frames of one recording in order, as VideoReader and PictureReader give them."""

    width: int
    height: int
    time_base: Fraction
    rate: Fraction
    frame_count: int | None
    notes: list[str]

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None: ...


def camera_number(name: str) -> int | None:
    """The camera that `name` means, unless a file is called so."""
    return int(name) if name.isdigit() and not Path(name).exists() else None


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


def open_source(path: Path, threads: int = 1) -> Source:
    """Raises Error, without the path in it, where the file cannot be read."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Error("this is no file but a pipe or a device; expected a recording that was saved")
        if not status.st_size:
            raise Error("the file is empty; expected a video or a picture: copy it again")
        picture = is_picture(path)
    except OSError as error:
        raise Error(f"the file cannot be read ({error.strerror}); expected one that may be read") from None
    return PictureReader(path) if picture else VideoReader(path, threads)


def list_folder(folder: Path, anonymous_ids: bool = False) -> list[tuple[str, Path]]:
    """(name, path) of each item in the folder, in the order of names; hidden files and folders are left out.

    The name is the stem; stems that occur twice keep their suffix. With `anonymous_ids` items are numbered.
    """
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    if not paths:
        raise Error("the folder holds no files; expected videos or pictures directly inside it")
    if anonymous_ids:
        return [(f"{number:04d}", path) for number, path in enumerate(paths, 1)]
    stems = [path.stem for path in paths]
    return [(path.stem if stems.count(path.stem) == 1 else path.name, path) for path in paths]
