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
from dmask.io import picture_header
from dmask.io.picture import decode_picture
from dmask.io.video import Frame

POLL_S = 0.005  # how often a folder is looked at
HALF_WRITTEN_S = 1.0  # a picture that cannot be read, and has not changed for so long, will not be readable
GONE_S = 2.0  # a folder that is away for so long does not come back
JOIN_S = 2.0  # a camera that hangs is not waited for


class LiveFrame(NamedTuple):
    frame: Frame
    arrived_s: float  # time.monotonic()
    dropped_s: list[float]  # times of the frames before it that nobody had time for


class Newest:
    """The newest frame of `frames` whenever one is asked for; older ones that wait are dropped, and named.

    `frames` is read by a thread as fast as it comes, until it ends or sees that `stop` is set, which close()
    does. An error of it is raised after its last frame.
    """

    def __init__(self, frames: Iterator[Frame], stop: threading.Event | None = None):
        self._frames = frames
        self._stop = stop or threading.Event()
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._arrived_s = 0.0
        self._dropped_s: list[float] = []
        self._ended = False
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
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)

    def _read(self) -> None:
        try:
            for frame in self._frames:
                with self._changed:
                    if self._newest is not None:
                        self._dropped_s.append(self._newest.time_s)
                    self._newest, self._arrived_s = frame, time.monotonic()
                    self._changed.notify()
                if self._stop.is_set():
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


def folder_frames(
    folder: Path, seconds: float | None, notes: list[str], stop: threading.Event | None = None
) -> Iterator[Frame]:
    """Pictures as they appear in `folder`, in the order of their names, with the seconds since the first.

    What is there at the start is left alone. Ends after `seconds` (None: never), when `stop` is set, and when
    the folder disappears. Pictures that stay unreadable or are of another size than the first are left out.
    `notes` says both. Raises OSError where there is no folder at the start.
    """
    stop = stop or threading.Event()
    start_s = there_s = time.monotonic()
    first_s: float | None = None
    seen = {path.name for path in folder.iterdir()}
    waiting: dict[str, HalfWritten] = {}
    shape: tuple[int, ...] | None = None
    while not stop.is_set():
        now_s = time.monotonic()
        if seconds is not None and now_s - start_s > seconds:
            return
        try:
            names = sorted(path.name for path in folder.iterdir())
            there_s = now_s
        except OSError:
            names = []
            if now_s - there_s > GONE_S:
                _note(notes, "the folder disappeared, which ended the recording")
                return
        waiting = {name: half for name, half in waiting.items() if name in names}
        fresh = [name for name in names if name not in seen and not name.startswith(".")]
        for name in fresh:
            half = waiting.setdefault(name, HalfWritten(folder / name))
            bgr = half.look()
            if bgr is None:
                if half.unchanged_s() > HALF_WRITTEN_S:
                    _note(notes, "files that are no pictures, or stayed half-written, were left out")
                    seen.add(name)
                    del waiting[name]
                continue
            seen.add(name)
            del waiting[name]
            shape = shape or bgr.shape
            if bgr.shape != shape:
                _note(notes, f"pictures of another size than {shape[1]}x{shape[0]} were left out")
                continue
            came_s = time.monotonic()
            first_s = came_s if first_s is None else first_s
            yield Frame(came_s - first_s, bgr)
        if not fresh or waiting:
            stop.wait(POLL_S)


class HalfWritten:
    """A picture that something else is writing: it is decoded once its bytes go on to their end."""

    def __init__(self, path: Path):
        self._path = path
        self._state = (-1, -1)
        self._changed_s = time.monotonic()
        self._failed = False

    def look(self) -> np.ndarray | None:
        """The picture; None while it is not whole. What cannot be read is tried again once it has changed."""
        try:
            if not self._path.is_file():
                return None
            status = self._path.stat()
            state = (status.st_size, status.st_mtime_ns)
            changed = state != self._state
            if changed:
                self._state, self._changed_s, self._failed = state, time.monotonic(), False
            if self._failed or not status.st_size:
                return None
            data = self._path.read_bytes()
            kind = picture_header.kind_of(data[: picture_header.HEAD_BYTES])
            if changed and kind not in picture_header.KINDS_WITH_AN_END:
                return None  # whether more is coming, the next look says
            if kind is None or not picture_header.is_whole(data):
                return None
            self._failed = True
            return decode_picture(data)
        except (Error, OSError, cv2.error):
            return None

    def unchanged_s(self) -> float:
        return time.monotonic() - self._changed_s


def _note(notes: list[str], sentence: str) -> None:
    if sentence not in notes:
        notes.append(sentence)
