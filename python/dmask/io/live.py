"""Frames that come whether they are wanted or not: of a camera, or pictures that fill a folder."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from dmask.errors import Error
from dmask.io.picture import is_picture, read_picture
from dmask.io.video import Frame

POLL_S = 0.005  # how often a folder is looked at
HALF_WRITTEN_S = 1.0  # a picture that cannot be read for so long will not become readable


class LiveFrame(NamedTuple):
    frame: Frame
    arrived_s: float  # time.monotonic()
    dropped_s: list[float]  # times of the frames before it that nobody had time for


class Newest:
    """The newest frame of `frames` whenever one is asked for; older ones that wait are dropped, and named.

    `frames` is read by a thread as fast as it comes. An error of it is raised after its last frame.
    """

    def __init__(self, frames: Iterator[Frame]):
        self._frames = frames
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._arrived_s = 0.0
        self._dropped_s: list[float] = []
        self._ended = False
        self._stopped = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __iter__(self) -> Iterator[LiveFrame]:
        self._thread.start()
        while True:
            with self._changed:
                while self._newest is None and not self._ended:
                    self._changed.wait(0.1)  # with a limit, so that Ctrl-C is heard
                if self._newest is None:
                    break
                live = LiveFrame(self._newest, self._arrived_s, self._dropped_s)
                self._newest, self._dropped_s = None, []
            yield live
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        self._stopped = True
        if self._thread.is_alive():
            self._thread.join()

    def _read(self) -> None:
        try:
            for frame in self._frames:
                with self._changed:
                    if self._newest is not None:
                        self._dropped_s.append(self._newest.time_s)
                    self._newest, self._arrived_s = frame, time.monotonic()
                    self._changed.notify()
                if self._stopped:
                    break
        except Exception as error:
            self._failure = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()


def camera_frames(number: int, seconds: float | None) -> Iterator[Frame]:
    """Frames of a camera with the seconds since the first, until it stops or `seconds` are over.

    Raises Error where it cannot be opened.
    """
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # our own sentence says it
    camera = cv2.VideoCapture(number)
    try:
        if not camera.isOpened():
            raise Error(f"camera {number} cannot be opened; expected the number of a connected one, as in 0")
        camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # what waits in the driver is old
        start_s: float | None = None
        while True:
            done, bgr = camera.read()
            now_s = time.monotonic()
            if start_s is None:
                start_s = now_s
            if not done or (seconds is not None and now_s - start_s > seconds):
                return
            yield Frame(now_s - start_s, bgr)
    finally:
        camera.release()


def folder_frames(folder: Path, seconds: float | None, notes: list[str]) -> Iterator[Frame]:
    """Pictures as they appear in `folder`, in the order of their names, with the seconds since the start.

    What is there at the start is left alone. Ends after `seconds` (None: never). Pictures that stay
    unreadable or are of another size than the first are left out, which `notes` says.
    """
    start_s = time.monotonic()
    seen = {path.name for path in folder.iterdir()}
    waiting: dict[str, float] = {}  # name -> since when it is there without being readable
    shape: tuple[int, ...] | None = None
    while True:
        now_s = time.monotonic() - start_s
        if seconds is not None and now_s > seconds:
            return
        fresh = sorted(p.name for p in folder.iterdir() if p.name not in seen and not p.name.startswith("."))
        for name in fresh:
            bgr = _picture(folder / name)
            if bgr is None:
                if now_s - waiting.setdefault(name, now_s) > HALF_WRITTEN_S:
                    _note(notes, "files that are no pictures, or stayed half-written, were left out")
                    seen.add(name)
                continue
            seen.add(name)
            waiting.pop(name, None)
            shape = shape or bgr.shape
            if bgr.shape != shape:
                _note(notes, f"pictures of another size than {shape[1]}x{shape[0]} were left out")
                continue
            yield Frame(time.monotonic() - start_s, bgr)
        if not fresh or waiting:
            time.sleep(POLL_S)


def _picture(path: Path) -> np.ndarray | None:
    try:
        return read_picture(path) if path.is_file() and is_picture(path) else None
    except (Error, OSError, cv2.error):
        return None


def _note(notes: list[str], sentence: str) -> None:
    if sentence not in notes:
        notes.append(sentence)
