"""Make docs/first_mask.png: the synthetic patient beside its mask. `python docs/make_pictures.py`."""

import tempfile
from pathlib import Path

import cv2

from dmask import cli

MOMENT_S = 2.35  # eyes turned to the side, the left one further

with tempfile.TemporaryDirectory() as folder:
    out = Path(folder) / "demo"
    if cli.main(["demo", "-o", str(out), "--seconds", str(2 * MOMENT_S)]) != 0:
        raise SystemExit(1)
    picture = cv2.imread(str(out / "side_by_side.png"))
    target = Path(__file__).parent / "first_mask.png"
    cv2.imwrite(str(target), cv2.resize(picture, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA))
    print(target)
