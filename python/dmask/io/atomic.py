"""Outputs that are whole or absent: made beside their place as .NAME.dmask-partial-<pid>, then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dmask.errors import Error, WrongUse
from dmask.io.claim import alive, claimed, home_of, is_lock

PARTIAL = ".dmask-partial-"  # no name that anybody gives: leftovers of killed runs go by it


@contextmanager
def atomic_file(target: Path, overwrite: bool) -> Iterator[Path]:
    """Yields the path to write; it takes the place of `target` when the block ends without an error.

    Raises WrongUse where `target` exists and `overwrite` is false, Error where it cannot be written.
    """
    if target.is_dir():
        raise WrongUse(f"got a folder as output, {target}; expected the name of a file")
    if target.exists() and not target.is_file():
        raise WrongUse(f"got {target} as output, which is no file but a device or a pipe; expected a name")
    if target.exists() and not overwrite:
        raise WrongUse(f"{target} exists already; give --overwrite to replace it, or another name")
    with claimed_output(target):
        partial = _partial(target)
        try:
            yield partial
            os.replace(partial, target)
        finally:
            _remove(partial)


@contextmanager
def atomic_folder(target: Path, overwrite: bool, obsolete: Iterable[str] = ()) -> Iterator[Path]:
    """Yields an empty folder to fill; it becomes `target` when the block ends without an error.

    An existing folder keeps whatever else is in it: with `overwrite` files of the same names are replaced,
    and those called as in `obsolete` go. Raises as `atomic_file` does.
    """
    with claimed_output(target):
        check_folder(target, overwrite)
        partial = _partial(target)
        try:
            with _sentence(target):
                partial.mkdir()
            yield partial
            if target.exists():
                _merge(partial, target, obsolete)
            else:
                os.rename(partial, target)
        finally:
            _remove(partial)


@contextmanager
def claimed_output(target: Path) -> Iterator[None]:
    """`claimed`, of a place that is yet to be made. Raises InUse, Error where it cannot be written."""
    with ExitStack() as stack:
        with _sentence(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(claimed(target))
        yield


def check_folder(target: Path, overwrite: bool) -> None:
    """Raises WrongUse unless results may be put into `target`: absent, empty, or with `overwrite`."""
    with _sentence(target):
        if target.exists() and not target.is_dir():
            raise WrongUse(f"got a file as output, {target}; expected a folder to put the results in")
        if target.is_dir() and any(not is_lock(path) for path in target.iterdir()) and not overwrite:
            raise WrongUse(f"{target} exists already; give --overwrite, or another name")


def _merge(source: Path, target: Path, obsolete: Iterable[str]) -> None:
    """The old files go before the first new one comes: killed in between, it leaves a gap, no mixture."""
    names = [path.relative_to(source) for path in sorted(source.rglob("*")) if not path.is_dir()]
    for name in names:
        if (target / name).is_dir():
            raise Error(f"cannot write {target / name}: a folder is there; move it, or give another place")
    for path in [*(target / old for old in obsolete), *(target / name for name in names)]:
        path.unlink(missing_ok=True)
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(source / name, target / name)


def _partial(target: Path) -> Path:
    """A name for what is not yet whole, on the file system of `target`; clears up behind killed runs."""
    with _sentence(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        home = home_of(target)
        for leftover in home.glob(f".{_escape(target.name)}{PARTIAL}*"):
            pid = leftover.name.rpartition("-")[2]
            if pid.isdigit() and (int(pid) == os.getpid() or not alive(int(pid))):
                _remove(leftover)
    return home / f".{target.name}{PARTIAL}{os.getpid()}"


@contextmanager
def _sentence(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Error(f"cannot write {target}: {error.strerror}; give another place") from None


def _escape(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
