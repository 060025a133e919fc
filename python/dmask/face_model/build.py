"""Build the shipped models, face.dmm and eyelid.dmm, from ICT-FaceKit Light.

python -m dmask.face_model.build --ict PATH [-o DIR] [--report CARD.md]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dmask import models
from dmask.environment import MODELS_DIR
from dmask.face_model import ict, report
from dmask.face_model.builder import Builder, Sizes
from dmask.io import container

LICENCE = "MIT: computed from ICT-FaceKit Light, (c) 2020 USC Institute for Creative Technologies"
COMMAND = "python -m dmask.face_model.build --ict PATH"


def build(
    source: ict.Ict, folder: Path, sizes: Sizes | None = None, log: Callable[[str], None] = print
) -> Builder:
    """Write face.dmm and eyelid.dmm into `folder` and enter them into its manifest."""
    builder = Builder(source, sizes or Sizes(), log)
    folder.mkdir(parents=True, exist_ok=True)
    for name, arrays in (("eyelid.dmm", builder.build_eyelid()), ("face.dmm", builder.build_face())):
        container.write(folder / name, arrays)
        models.record(name, LICENCE, COMMAND, folder)
        log(f"{folder / name}: {(folder / name).stat().st_size / 1e6:.1f} MB")
    return builder


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m dmask.face_model.build", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--ict", required=True, type=Path, help="ict_light.npz, its folder, or ICT's FaceXModel"
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=MODELS_DIR, help="where the models go"
    )
    parser.add_argument(
        "--report", type=Path, help="model card whose table of measured errors is to be renewed"
    )
    arguments = parser.parse_args(argv)
    started = time.monotonic()

    def log(message: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {message}", flush=True)

    try:
        source = ict.read(arguments.ict)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    builder = build(source, arguments.output, log=log)
    if arguments.report:
        report.renew(arguments.report, report.tables(builder))
        log(f"{arguments.report}: tables renewed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
