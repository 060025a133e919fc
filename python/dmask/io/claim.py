"""An output is one run's at a time: a lock beside it, with the number of the process that holds it.

The lock is the system's (flock), so that it ends with its process, however that dies; where a file system has
none, the number in it says whether somebody is there still.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dmask.errors import WrongUse

SUFFIX = ".dmask-lock"
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


class InUse(WrongUse):
    """Another run is writing there."""


_held: dict[str, int] = {}  # path of a lock -> the thread of ours that holds it


@contextmanager
def claimed(target: Path) -> Iterator[None]:
    """Nobody else writes to `target` meanwhile; its folder has to be there. Raises InUse, OSError.

    The thread that holds a claim may claim the same again: a run claims its folder before it loads anything.
    """
    lock = lock_of(target)
    key = os.path.realpath(lock)
    if _held.get(key) == threading.get_ident():
        yield
        return
    handle = _take(lock, target)
    _held[key] = threading.get_ident()
    try:
        yield
    finally:
        del _held[key]
        with suppress(OSError):
            lock.unlink()  # before it is given up: who opened it already sees that it is gone
        os.close(handle)


def lock_of(target: Path) -> Path:
    """Beside `target`, or in it where that is another file system's root."""
    target = Path(os.path.abspath(target))
    return home_of(target) / f".{target.name}{SUFFIX}"


def home_of(target: Path) -> Path:
    """Where something beside `target` shares its file system: in it, where it is the root of another one."""
    mounted = target.is_dir() and target.stat().st_dev != target.parent.stat().st_dev
    return target if mounted else target.parent


def is_lock(path: Path) -> bool:
    """Whether a file is one of these: a folder that holds nothing else is empty."""
    return path.name.startswith(".") and path.name.endswith(SUFFIX)


def _take(lock: Path, target: Path) -> int:
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _lock(handle):
                raise InUse(
                    f"{target} is being written by another run{_holder(handle)}; "
                    "expected it to be free: wait for that one, or give another place"
                )
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), os.stat(lock)):
                    os.ftruncate(handle, 0)
                    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
                    return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its holder ended and took the file away meanwhile: there is a new one


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError as error:
        if error.errno in NO_LOCKS:
            return not alive(_number(handle))
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise


def _holder(handle: int) -> str:
    number = _number(handle)
    return f" (process {number})" if number else ""


def _number(handle: int) -> int:
    text = os.pread(handle, 20, 0).strip()
    return int(text) if text.isdigit() else 0


def alive(process: int) -> bool:
    """Whether a process of that number is there."""
    if process <= 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
