"""From recordings to one table of their landmarks, without any fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dmask.errors import Error
from dmask.io.items import Item
from dmask.io.source import open_source
from dmask.io.tables import LANDMARK_COLUMNS, Table, landmark_row
from dmask.io.video import without_opencv_threads
from dmask.run.progress import Progress

if TYPE_CHECKING:
    from dmask._core import Pipeline


@dataclass
class Tally:
    """What was written, and a sentence for each file that could not be read."""

    frames: int = 0
    faces: int = 0
    close_ups: int = 0  # eyes without a face
    failures: list[str] = field(default_factory=list)
    broken_off: list[str] = field(default_factory=list)


@without_opencv_threads()
def write_landmarks(
    files: list[Item],
    table_path: Path,
    pipeline: Pipeline,
    threads: int,
    progress: Progress,
    partial: bool = False,
) -> Tally:
    """A row a frame of each file, under the name that stands beside its path.

    A file that cannot be read is tallied, and the rest go on; a single one raises Error.
    """
    tally = Tally()
    table = Table(table_path, LANDMARK_COLUMNS)
    try:
        for name, path in files:
            pipeline.reset()
            try:
                reader = open_source(path, threads, partial)
                for number, frame in enumerate(reader):
                    detection = pipeline.detect(frame.bgr, frame.time_s)
                    table.write(landmark_row(name, number, detection))
                    tally.frames += 1
                    tally.faces += int(detection.face_found)
                    tally.close_ups += int(detection.close_up)
                    progress.show(tally.frames, reader.frame_count if len(files) == 1 else None)
                reader.close()
                if reader.broken_off:
                    tally.broken_off.append(f"{path.name}: {reader.broken_off}")
            except Error as error:
                if len(files) == 1:
                    raise Error(f"{path}: {error}") from None
                tally.failures.append(f"{path.name}: {error}")
    finally:
        progress.clear()
        table.close()
    return tally
