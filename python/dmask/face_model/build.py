"""`dmask face-model build`: face.dmm and eyelid.dmm, from ICT-FaceKit Light."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from dmask import models
from dmask.errors import Error
from dmask.face_model import ict
from dmask.face_model.builder import Builder, Sizes
from dmask.io import container
from dmask.stopwatch import stopwatch

LICENCE = "MIT: computed from ICT-FaceKit Light, (c) 2020 USC Institute for Creative Technologies"
COMMAND = "dmask face-model build --ict PATH"


def build(
    source: ict.Ict, folder: Path, sizes: Sizes | None = None, log: Callable[[str], None] = print
) -> None:
    """Write face.dmm and eyelid.dmm into `folder` and enter them into its manifest."""
    builder = Builder(source, sizes or Sizes(), log)
    folder.mkdir(parents=True, exist_ok=True)
    for name, arrays in (("eyelid.dmm", builder.build_eyelid()), ("face.dmm", builder.build_face())):
        container.write(folder / name, arrays)
        models.record(name, LICENCE, COMMAND, folder)
        log(f"{folder / name}: {(folder / name).stat().st_size / 1e6:.1f} MB")


def run(args: argparse.Namespace) -> int:
    """Makes both models. Raises Error where ICT's files are not there."""
    build(read_source(args.ict), args.output, log=timed_log())
    return 0


def read_source(path: Path) -> ict.Ict:
    try:
        return ict.read(path)
    except (OSError, ValueError) as error:
        raise Error(str(error)) from None


def timed_log() -> Callable[[str], None]:
    """Prints what is done, and how long that took since the start."""
    elapsed_ms = stopwatch()

    def log(message: str) -> None:
        print(f"{1e-3 * elapsed_ms():6.1f} s  {message}", flush=True)

    return log
