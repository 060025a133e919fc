"""Outputs that are whole or absent: written beside their place as NAME.partial-<pid>, renamed at the end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dmask.errors import Error, WrongUse


@contextmanager
def atomic_file(target: Path, overwrite: bool) -> Iterator[Path]:
    """Yields the path to write; it takes the place of `target` when the block ends without an error.

    Raises WrongUse where `target` exists and `overwrite` is false, Error where it cannot be written.
    """
    if target.is_dir():
        raise WrongUse(f"got a folder as output, {target}; expected the name of a file")
    if target.exists() and not overwrite:
        raise WrongUse(f"{target} exists already; give --overwrite to replace it, or another name")
    partial = _partial(target)
    try:
        yield partial
        os.replace(partial, target)
    finally:
        _remove(partial)


@contextmanager
def atomic_folder(target: Path, overwrite: bool) -> Iterator[Path]:
    """Yields an empty folder to fill; it becomes `target` when the block ends without an error.

    An existing folder keeps whatever else is in it: with `overwrite` only files of the same names are
    replaced. Raises as `atomic_file` does.
    """
    check_folder(target, overwrite)
    partial = _partial(target)
    try:
        with _sentence(target):
            partial.mkdir()
        yield partial
        if target.exists():
            _merge(partial, target)
        else:
            os.rename(partial, target)
    finally:
        _remove(partial)


def check_folder(target: Path, overwrite: bool) -> None:
    """Raises WrongUse unless results may be put into `target`: absent, empty, or with `overwrite`."""
    with _sentence(target):
        if target.exists() and not target.is_dir():
            raise WrongUse(f"got a file as output, {target}; expected a folder to put the results in")
        if target.is_dir() and any(target.iterdir()) and not overwrite:
            raise WrongUse(f"{target} exists already; give --overwrite, or another name")


def _merge(source: Path, target: Path) -> None:
    for path in source.iterdir():
        if (target / path.name).is_dir():
            _merge(path, target / path.name)
        else:
            os.replace(path, target / path.name)


def _partial(target: Path) -> Path:
    with _sentence(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        for leftover in target.parent.glob(f"{_escape(target.name)}.partial-*"):
            pid = leftover.name.rpartition("-")[2]
            if pid.isdigit() and (int(pid) == os.getpid() or not _alive(int(pid))):
                _remove(leftover)
    return target.with_name(f"{target.name}.partial-{os.getpid()}")


@contextmanager
def _sentence(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Error(f"cannot write {target}: {error.strerror}; give another place") from None


def _escape(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
