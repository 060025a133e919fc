"""Which arguments of the command line name what is read, and what is written: nothing writes over its input.

The names are those of the parsed arguments, of all commands together; a test walks through every parser and
fails for an argument that is in none of these tables.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from dmask.errors import WrongUse
from dmask.io.same_file import folders_above, identity, refuse_inputs
from dmask.ranges import NOT_EMPTY

PICTURES_WRITTEN = ("plot", "sheet")
FILES_WRITTEN = ("json", "table", "card", "cases", *PICTURES_WRITTEN)
WRITTEN = ("output", "diagnostics", "tables", *FILES_WRITTEN)  # an output may be a file or a folder
READ = (
    "input", "id_secret", "track", "video", "a", "b", "models", "folder", "labels", "groups", "results",
    "data", "synthetic", "synthetic_faces", "start_from", "teacher", "finetune", "unityeyes2", "ict",
    "extra_300w", "extra_wflw", "extra_unityeyes", "extra_edges", "extra_masks", "distil", "patient_faces",
    "research_report", "research_faces", "open_report", "open_faces", "originals", "learn_from", "recogniser",
    "read", "landmarks", "original", "renders", "eyeless",
)  # fmt: skip
# A time, names; folders of dmask's own; a page, which lies among the results that it shows and ends in .html.
NEITHER = ("at", "set", "preset", "nets", "work", "cache", "page")


def check_places(args: argparse.Namespace) -> None:
    """Raises WrongUse where an output is an input, has no name, or is a folder in place of a file."""
    for name in (*WRITTEN, *READ):
        if "" in as_list(getattr(args, name, None)):
            raise WrongUse(f"got an empty name as {name.replace('_', '-')}, {NOT_EMPTY}")
    for name in FILES_WRITTEN:
        for path in paths(args, name):
            check_can_be_made(name, path)
    written = [path.resolve() for name in FILES_WRITTEN for path in paths(args, name)]
    if twice := [path for path in written if written.count(path) > 1]:
        raise WrongUse(f"got {twice[0]} for two outputs; expected a name for each")
    for secret in paths(args, "id_secret"):
        for out in paths(args, "output"):
            if out.resolve() in (secret.resolve(), *secret.resolve().parents):
                raise WrongUse(
                    f"got --id-secret {secret} among the results in {out}; expected another place: whoever "
                    "gets the results would have the key, and one of them may be called so"
                )
    refuse_inputs(
        [path for name in WRITTEN for path in paths(args, name)],
        [path for name in READ for path in paths(args, name)],
    )
    for name in PICTURES_WRITTEN:
        for path in paths(args, name):
            above = set(folders_above(path))
            for folder in (read for what in READ for read in paths(args, what)):
                own = identity(folder)
                if folder.is_dir() and own is not None and own in above:
                    raise WrongUse(
                        f"got --{name} {path} in the input {folder}, where it would be a picture of it; "
                        "expected a place outside: nothing was written"
                    )


def check_can_be_made(name: str, path: Path) -> None:
    """Raises WrongUse where a file cannot be written, before the work that it is for."""
    there = path.parent
    try:
        if path.is_dir():
            raise WrongUse(f"got a folder as --{name}, {path}; expected the name of a file")
        while not there.exists() and there != there.parent:
            there = there.parent
    except OSError as error:
        told = f"got --{name} {path} ({error.strerror}); expected a name that can be written"
        raise WrongUse(told) from None
    if not there.is_dir():
        raise WrongUse(f"got --{name} {path}, but {there} is a file; expected a folder to write into")
    if not os.access(there, os.W_OK | os.X_OK):
        raise WrongUse(
            f"got --{name} {path}, but nothing may be written into {there}; expected another place"
        )


def paths(args: argparse.Namespace, name: str) -> Iterator[Path]:
    """What an argument names, of one value or of several."""
    for one in as_list(getattr(args, name, None)):
        if isinstance(one, str | Path) and str(one):
            yield Path(one)


def as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
