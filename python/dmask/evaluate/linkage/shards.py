"""Rows that are made of many pictures, some at a time, by several processes, and kept to go on from."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np

from dmask.errors import Error
from dmask.io.atomic import atomic_file

ITEMS = 24  # of one file
GOES_ON = "what is made stays made: the same command goes on from there"

Rows = dict[str, np.ndarray]  # (N, ...) by name
Make = Callable[[Sequence[Any], dict[str, Any]], Rows]


def rows_of(
    name: str,
    items: Sequence[Any],
    make: Make,
    settings: dict[str, Any],
    folder: Path,
    workers: int,
    show: Callable[[int, int], None],
    at_a_time: int = ITEMS,
) -> Rows:
    """`make` of all items, in their order; (N, ...) each. `make` takes `at_a_time` of them and the settings.

    An item is a tuple that begins with its file. What lies in `folder` of the same items, files and
    settings is taken from there. Raises what `make` raises, Error where a process was ended, and
    KeyboardInterrupt at once: its processes are ended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = [items[at : at + at_a_time] for at in range(0, len(items), at_a_time)]
    files = [folder / f"{name}-{identity(part, settings)}.npz" for part in parts]
    missing = [i for i, file in enumerate(files) if not file.is_file()]
    done = len(parts) - len(missing)
    show(done, len(parts))
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max(1, workers), spawn, heed_the_parent_alone) as pool:
        work = [pool.submit(write, make, parts[i], settings, files[i]) for i in missing]
        try:
            for finished in as_completed(work):
                finished.result()
                done += 1
                show(done, len(parts))
        except BrokenProcessPool:
            raise Error(
                "a process that made masks was ended, perhaps for want of memory; start again with fewer "
                "--workers: what is made stays made"
            ) from None
        except KeyboardInterrupt:
            for process in multiprocessing.active_children():
                process.kill()
            raise KeyboardInterrupt(GOES_ON) from None
        finally:
            for one in work:
                one.cancel()
    return joined([read(file) for file in files])


def heed_the_parent_alone() -> None:
    """Whoever interrupts a group of processes interrupts these by their parent, who says so once; and they
    end with it, however it ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=end_with_the_parent, daemon=True).start()


def end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def write(make: Make, items: Sequence[Any], settings: dict[str, Any], file: Path) -> None:
    rows = make(items, settings)
    with atomic_file(file, overwrite=True) as partial, partial.open("wb") as stream:
        np.savez_compressed(stream, **rows)  # type: ignore[arg-type]


def read(file: Path) -> Rows:
    with np.load(file, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def joined(parts: Sequence[Rows]) -> Rows:
    return {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else ())}


def identity(items: Sequence[Any], settings: dict[str, Any]) -> str:
    """Of what the rows depend on: settings, and files as they are now."""
    what = [[*map(str, item), *stamp(item[0])] for item in items]
    return hashlib.sha256(json.dumps([settings, what], sort_keys=True, default=str).encode()).hexdigest()[:20]


def stamp(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns
