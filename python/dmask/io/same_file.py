"""An output that is an input: refused before anything is touched, by whatever name either goes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from dmask.errors import WrongUse


class Identity(NamedTuple):
    """What a file or folder is, however its name is spelt: links, case and relative paths do not matter."""

    device: int
    inode: int


def identity(path: Path) -> Identity | None:
    """Of what stands behind `path`; None where nothing does."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return Identity(status.st_dev, status.st_ino)


def refuse_inputs(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Raises WrongUse where writing one of `outputs` would replace one of `inputs`, or a file in one.

    An output that is a folder may not be an input folder, nor hold an input at any depth: its results go by
    fixed names, and one of them may be the input's.
    """
    given: dict[Identity, Path] = {}
    holding: dict[Identity, Path] = {}
    folders: set[Path] = set()  # that inputs lie in: of a thousand in one, it is looked at once
    input_folders = False
    for path in inputs:
        if (own := identity(path)) is None:
            continue
        given[own] = path
        input_folders = input_folders or path.is_dir()
        above = {path.parent, Path(os.path.realpath(path)).parent}
        for folder in above - folders:
            for higher in folders_above(folder / path.name):
                holding.setdefault(higher, path)
        folders |= above
    for output in outputs:
        own = identity(output)
        if own is None:
            continue
        if own in given:
            raise WrongUse(
                f"got {output} as output, which is the input {given[own]}; "
                "expected another place: nothing was written"
            )
        if output.is_dir():
            if own in holding:
                raise WrongUse(
                    f"got the folder {output} as output, which holds the input {holding[own]}; "
                    "expected a folder of its own for the results: nothing was written"
                )
        elif input_folders:
            for folder_above in folders_above(output):
                if folder_above in given:
                    raise WrongUse(
                        f"got {output} as output, a file that is in the input {given[folder_above]} already; "
                        "expected a place outside: nothing was written"
                    )


def folders_above(path: Path) -> Iterator[Identity]:
    """Of each folder that `path` lies in, as it is written and behind its links."""
    for spelling in {os.path.abspath(path), os.path.realpath(path)}:
        for folder in Path(spelling).parents:
            if (own := identity(folder)) is not None:
                yield own
